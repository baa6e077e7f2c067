/* Cycles of garbage, those of one shape as one row. */
#include <stdio.h>
#include <string.h>

#include "../graph/array.h"
#include "../render/text.h"
#include "views.h"

enum { ID, OBJECTS, SHALLOW, RETAINED, ALIKE, STATE, WHAT };

static const struct view_column columns[] = {
    [ID] = {"id", "cycle", CELL_NUMBER, .width = 7, .sortable = 1},
    [OBJECTS] = {"objects", "objects", CELL_COUNT, .width = 9, .sortable = 1},
    [SHALLOW] = {"shallow", "shallow", CELL_SIZE, .width = 9, .leave = 90, .sortable = 1},
    [RETAINED] = {"retained", "retained", CELL_SIZE, .width = 9, .sortable = 1},
    [ALIKE] = {"alike", "alike", CELL_COUNT, .width = 9, .sortable = 1},
    [STATE] = {"state", "", CELL_TEXT, .width = 13, .leave = 70},
    [WHAT] = {"what", "members", CELL_TEXT},
};

static const char *state_of(const struct cycle *c)
{
    return c->invisible ? "invisible" : c->uncollectable ? "uncollectable" : c->source ? "source" : "held";
}

static void show_row(const struct view *v, uint64_t row, struct view_row *to)
{
    const struct session *s = v->atlas->s;
    ordinal id = v->list[row];
    const struct cycle *c = &s->cycles.items[id];
    to->thing = (struct thing){THING_CYCLE, id};
    to->mark = c->invisible ? MARK_INVISIBLE : MARK_GARBAGE;
    to->cells[ID] = cell_number(id + UINT64_C(1));
    to->cells[OBJECTS] = cell_number(c->objects);
    to->cells[SHALLOW] = cell_number(c->shallow);
    to->cells[RETAINED] = cell_number(c->retained);
    to->cells[ALIKE] = cell_number(v->atlas->alike[v->atlas->shape[id]]);
    to->cells[STATE] = cell_text(state_of(c));
    to->cells[WHAT] = cell_text(name_cycle(s, id, to->text[0]));
}

static uint64_t key(const struct view *v, uint64_t row, size_t column)
{
    ordinal id = v->list[row];
    const struct cycle *c = &v->atlas->s->cycles.items[id];
    const uint64_t keys[] = {[ID] = id + UINT64_C(1),
                             [OBJECTS] = c->objects,
                             [SHALLOW] = c->shallow,
                             [RETAINED] = c->retained,
                             [ALIKE] = v->atlas->alike[v->atlas->shape[id]]};
    return keys[column];
}

static int open(const struct view *v, const struct view_row *row, struct view **result, const char **why_not)
{
    (void)why_not;
    *result = view_objects(v->atlas, row->thing);
    return *result ? 0 : -1;
}

static const struct view_kind kind = {
    .columns = columns, .column_count = sizeof columns / sizeof *columns, .row = show_row, .key = key, .open = open};

static void describe(struct view *v)
{
    const struct garbage *g = &v->atlas->s->garbage[2];
    char n[6][TEXT_NUMBER_SIZE];
    size_t used = (size_t)snprintf(v->note[0], NOTE_SIZE, "garbage: %s, %s",
                                   text_plural(g->garbage.objects, "object", n[0]), text_size(g->garbage.bytes, n[1]));
    if (g->dependent.objects)
        used +=
            (size_t)snprintf(v->note[0] + used, NOTE_SIZE - used, "; freed with it: %s, %s",
                             text_plural(g->dependent.objects, "object", n[2]), text_size(g->dependent.bytes, n[3]));
    if (g->invisible.objects)
        snprintf(v->note[0] + used, NOTE_SIZE - used, "; the collector cannot see %s, %s",
                 text_plural(g->invisible.objects, "object", n[4]), text_size(g->invisible.bytes, n[5]));
}

struct view *view_cycles(const struct atlas *a, int folded)
{
    struct view *v = view_create(&kind, a, (struct thing){THING_NONE, 0});
    ordinal cycles = a->s->cycles.count;
    ordinal *ids = v ? array_raw((size_t)cycles + 1, sizeof *ids) : NULL;
    size_t count = 0;
    char n[TEXT_NUMBER_SIZE];
    if (!ids) {
        view_destroy(v);
        return NULL;
    }
    for (ordinal c = 0; c < cycles; c++)
        if (!folded || a->shape[c] == c)
            ids[count++] = c;
    view_take(v, ids, count);
    v->folded = folded;
    describe(v);
    if (folded && count < cycles)
        snprintf(v->note[1], NOTE_SIZE, "%s; those that look alike stand as one (f shows each)",
                 text_plural(cycles, "cycle", n));
    strcpy(v->title, "cycles");
    return v;
}
