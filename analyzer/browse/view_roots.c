/* Roots, and what they hold. */
#include <stdio.h>
#include <string.h>

#include "../render/text.h"
#include "views.h"

enum { RETAINED, SHARE, CERTAINTY, OBJECT, NAME };

static const struct view_column columns[] = {
    [RETAINED] = {"retained", "retained", CELL_SIZE, .width = 9, .sortable = 1},
    [SHARE] = {"share", "share", CELL_SHARE, .width = 6, .leave = 60},
    [CERTAINTY] = {"certainty", "", CELL_TEXT, .width = 8, .leave = 70},
    [OBJECT] = {"object", "object", CELL_TEXT, .width = 26, .sortable = 1},
    [NAME] = {"name", "root", CELL_TEXT},
};

static void show_row(const struct view *v, uint64_t row, struct view_row *to)
{
    const struct session *s = v->atlas->s;
    const struct root_entry *r = &s->roots.items[row];
    row_object(v->atlas, r->object, to);
    to->cells[RETAINED] = cell_number(s->dominators.retained[r->object]);
    to->cells[SHARE] = cell_number(text_share_of(s->dominators.retained[r->object], s->graph.bytes));
    to->cells[CERTAINTY] = cell_text(r->record->flags & ROOT_EXACT ? "exact" : "possible");
    to->cells[OBJECT] = cell_text(to->text[0]);
    to->cells[NAME] = cell_text(name_root(s, r->record, to->text[1]));
}

static uint64_t key(const struct view *v, uint64_t row, size_t column)
{
    const struct session *s = v->atlas->s;
    ordinal o = s->roots.items[row].object;
    return column == OBJECT ? v->atlas->class_order[s->classes.of_type[graph_type(&s->graph, o)]]
                            : s->dominators.retained[o];
}

static const struct view_kind kind = {
    .columns = columns, .column_count = sizeof columns / sizeof *columns, .row = show_row, .key = key};

struct view *view_roots(const struct atlas *a)
{
    struct view *v = view_create(&kind, a, (struct thing){THING_NONE, 0});
    char n[TEXT_NUMBER_SIZE];
    if (!v)
        return NULL;
    v->rows = a->s->roots.count;
    strcpy(v->title, "roots");
    if (a->s->roots.dangling)
        snprintf(v->note[0], NOTE_SIZE, "%s of no object of the snapshot",
                 text_plural(a->s->roots.dangling, "root", n));
    if (view_sort(v, RETAINED, 0)) {
        view_destroy(v);
        return NULL;
    }
    return v;
}
