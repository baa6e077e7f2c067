/* What is in the heap, by type: the rows and sums of `refheap summary`. */
#include <stdlib.h>
#include <string.h>

#include "../graph/array.h"
#include "../render/text.h"
#include "views.h"

enum { COUNT, SHALLOW, OWNED, RETAINED, SHARE, BAR, LARGEST, TYPE };

static const struct view_column columns[] = {
    [COUNT] = {"count", "count", CELL_COUNT, .width = 10, .sortable = 1},
    [SHALLOW] = {"shallow", "shallow", CELL_SIZE, .width = 9, .sortable = 1},
    [OWNED] = {"owned", "owned", CELL_SIZE, .width = 9, .leave = 70, .sortable = 1},
    [RETAINED] = {"retained", "retained", CELL_SIZE, .width = 9, .sortable = 1},
    [SHARE] = {"share", "share", CELL_SHARE, .width = 6, .leave = 60},
    [BAR] = {"bar", "", CELL_SHARE, .width = 10, .leave = 100, .bar = 1},
    [LARGEST] = {"largest", "largest", CELL_SIZE, .width = 9, .leave = 90, .sortable = 1},
    [TYPE] = {"type", "type", CELL_TEXT, .sortable = 1},
};

static void show_row(const struct view *v, uint64_t row, struct view_row *to)
{
    const struct session *s = v->atlas->s;
    uint32_t klass = (uint32_t)v->list[row];
    const struct class_sums *c = &s->sums[klass];
    to->thing = (struct thing){THING_TYPE, klass};
    to->cells[COUNT] = cell_number(c->count);
    to->cells[SHALLOW] = cell_number(c->shallow);
    to->cells[OWNED] = cell_number(c->owned);
    to->cells[RETAINED] = cell_number(c->retained);
    to->cells[SHARE] = to->cells[BAR] = cell_number(text_share_of(c->retained, s->graph.bytes));
    to->cells[LARGEST] = cell_number(c->largest);
    to->cells[TYPE] = cell_text(name_class(s, klass, to->text[0]));
}

static uint64_t key(const struct view *v, uint64_t row, size_t column)
{
    const struct class_sums *c = &v->atlas->s->sums[v->list[row]];
    const uint64_t keys[] = {[COUNT] = c->count,
                             [SHALLOW] = c->shallow,
                             [OWNED] = c->owned,
                             [RETAINED] = c->retained,
                             [SHARE] = 0,
                             [BAR] = 0,
                             [LARGEST] = c->largest,
                             [TYPE] = v->atlas->class_order[v->list[row]]};
    return keys[column];
}

static const struct view_kind kind = {
    .columns = columns, .column_count = sizeof columns / sizeof *columns, .row = show_row, .key = key};

/* By retained size, largest first; then as the command has it. */
static int compare_classes(const void *pa, const void *pb, void *sums)
{
    const struct class_sums *a = (struct class_sums *)sums + *(const ordinal *)pa;
    const struct class_sums *b = (struct class_sums *)sums + *(const ordinal *)pb;
    if (a->retained != b->retained)
        return a->retained < b->retained ? 1 : -1;
    if (a->shallow != b->shallow)
        return a->shallow < b->shallow ? 1 : -1;
    return a < b ? -1 : a > b;
}

struct view *view_types(const struct atlas *a)
{
    const struct session *s = a->s;
    struct view *v = view_create(&kind, a, (struct thing){THING_NONE, 0});
    ordinal *classes = v ? array_raw((size_t)s->classes.count + 1, sizeof *classes) : NULL;
    size_t count = 0;
    if (!classes) {
        view_destroy(v);
        return NULL;
    }
    for (uint32_t c = 0; c < s->classes.count; c++)
        if (s->sums[c].count)
            classes[count++] = c;
    qsort_r(classes, count, sizeof *classes, compare_classes, s->sums);
    view_take(v, classes, count);
    strcpy(v->title, "types");
    if (view_sort(v, RETAINED, 0)) {
        view_destroy(v);
        return NULL;
    }
    return v;
}
