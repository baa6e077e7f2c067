/* The dominator tree, a keeper at a time. */
#include <stdio.h>
#include <string.h>

#include "../answers/keepers.h"
#include "../render/text.h"
#include "views.h"

enum { RETAINED, SHARE, BAR, SHALLOW, CHILDREN, WHAT };

static const struct view_column columns[] = {
    [RETAINED] = {"retained", "retained", CELL_SIZE, .width = 9, .sortable = 1},
    [SHARE] = {"share", "share", CELL_SHARE, .width = 6},
    [BAR] = {"bar", "", CELL_SHARE, .width = 10, .leave = 60, .bar = 1},
    [SHALLOW] = {"shallow", "shallow", CELL_SIZE, .width = 9, .leave = 96, .sortable = 1},
    [CHILDREN] = {"children", "children", CELL_COUNT, .width = 9, .leave = 50, .sortable = 1},
    [WHAT] = {"what", "what", CELL_TEXT, .sortable = 1},
};

static ordinal children_of(const struct atlas *a, ordinal vertex)
{
    return a->keeps.start[vertex + 1] - a->keeps.start[vertex];
}

static void show_row(const struct view *v, uint64_t row, struct view_row *to)
{
    const struct atlas *a = v->atlas;
    const struct session *s = a->s;
    ordinal vertex = v->list[row];
    uint64_t retained = s->dominators.retained[vertex];
    to->cells[RETAINED] = cell_number(retained);
    to->cells[SHARE] = cell_number(text_share_of(retained, s->graph.bytes));
    to->cells[BAR] = cell_number(text_share_of(retained, v->whole));
    to->cells[SHALLOW] = cell_number(keeper_shallow(s, vertex));
    to->cells[CHILDREN] = cell_number(children_of(a, vertex));
    if (vertex < s->graph.objects) {
        row_object(a, vertex, to);
    } else {
        keeper_name(s, vertex, to->text[0]);
        to->thing = (struct thing){THING_CYCLE, keeper_cycle(s, vertex)};
        to->mark = s->cycles.items[to->thing.number].invisible ? MARK_INVISIBLE : MARK_GARBAGE;
    }
    to->cells[WHAT] = cell_text(to->text[0]);
}

static uint64_t key(const struct view *v, uint64_t row, size_t column)
{
    const struct session *s = v->atlas->s;
    ordinal vertex = v->list[row];
    switch (column) {
    case SHALLOW:
        return keeper_shallow(s, vertex);
    case CHILDREN:
        return children_of(v->atlas, vertex);
    case WHAT:
        return vertex < s->graph.objects ? v->atlas->class_order[s->classes.of_type[graph_type(&s->graph, vertex)]]
                                         : UINT64_MAX;
    default:
        return s->dominators.retained[vertex];
    }
}

ordinal keepers_vertex(const struct atlas *a, struct thing thing)
{
    const struct dominators *d = &a->s->dominators;
    if (thing.kind == THING_OBJECT)
        return (ordinal)thing.number;
    if (thing.kind == THING_NONE)
        return dominators_root(d);
    for (ordinal i = 0; thing.kind == THING_CYCLE && i < d->virtuals; i++)
        if (d->virtual_component[i] == a->s->cycles.items[thing.number].component)
            return d->objects + i;
    return ORDINAL_NONE;
}

static int open(const struct view *v, const struct view_row *row, struct view **result, const char **why_not)
{
    ordinal vertex = keepers_vertex(v->atlas, row->thing);
    if (!children_of(v->atlas, vertex)) {
        *why_not = "it keeps nothing but itself; o shows the object";
        return 0;
    }
    *result = view_keepers(v->atlas, vertex);
    return *result ? 0 : -1;
}

static const struct view_kind kind = {
    .columns = columns, .column_count = sizeof columns / sizeof *columns, .row = show_row, .key = key, .open = open};

struct view *view_keepers(const struct atlas *a, ordinal vertex)
{
    struct thing thing = {THING_NONE, 0};
    if (vertex < a->s->graph.objects)
        thing = (struct thing){THING_OBJECT, vertex};
    else if (vertex < dominators_root(&a->s->dominators))
        thing = (struct thing){THING_CYCLE, keeper_cycle(a->s, vertex)};
    struct view *v = view_create(&kind, a, thing);
    if (!v)
        return NULL;
    v->whole = a->s->dominators.retained[vertex];
    v->list = a->keeps.child + a->keeps.start[vertex];
    v->rows = v->count = children_of(a, vertex);
    keeper_name(a->s, vertex, v->title);
    if (view_sort(v, RETAINED, 0)) {
        view_destroy(v);
        return NULL;
    }
    return v;
}
