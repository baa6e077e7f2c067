/* References: those that lead to an object, or to any of several, and those they hold. */
#include <stdio.h>
#include <string.h>

#include "../graph/array.h"
#include "views.h"

enum { LABEL, KIND, OF, GENERATION, RETAINED, WHAT };

static const struct view_column columns[] = {
    [LABEL] = {"label", "label", CELL_TEXT, .width = 18},
    [KIND] = {"kind", "kind", CELL_TEXT, .width = 8, .leave = 60},
    [OF] = {"address", "address", CELL_ADDRESS, .width = 14, .leave = 70, .sortable = 1},
    [GENERATION] = {"generation", "generation", CELL_GENERATION, .width = 10, .leave = 94, .sortable = 1},
    [RETAINED] = {"retained", "retained", CELL_SIZE, .width = 9, .sortable = 1},
    [WHAT] = {"what", "what", CELL_TEXT, .sortable = 1},
};

static int is_referrers(const struct view *v)
{
    return !strcmp(v->about, "referrers");
}

/* The object of the list whose references the row is among. */
static size_t place_of(const struct view *v, uint64_t row)
{
    size_t low = 0, high = v->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (v->starts[middle] <= row)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* The object at the other end of a row's reference; ORDINAL_NONE: it is not in the snapshot. */
static ordinal other_end(const struct view *v, uint64_t row)
{
    const struct graph *g = &v->atlas->s->graph;
    size_t at = place_of(v, row);
    uint64_t turn = row - v->starts[at];
    return is_referrers(v) ? graph_source(g, graph_back_begin(g, v->list[at]) + turn)
                           : graph_target(g, graph_begin(g, v->list[at]) + turn);
}

/* The number of the edge that stands among those into `to` as entry `b`: of the same source's, the one as far on. */
static uint64_t edge_of_entry(const struct graph *g, ordinal to, uint64_t b)
{
    ordinal from = graph_source(g, b);
    uint64_t before = 0, e = graph_begin(g, from);
    while (b - before > graph_back_begin(g, to) && graph_source(g, b - before - 1) == from)
        before++;
    for (; e < graph_end(g, from); e++)
        if (graph_target(g, e) == to && !before--)
            break;
    return e;
}

static void find_edge(const struct view *v, uint64_t row, struct edge *edge)
{
    const struct graph *g = &v->atlas->s->graph;
    size_t at = place_of(v, row);
    ordinal o = v->list[at];
    uint64_t turn = row - v->starts[at];
    if (is_referrers(v)) {
        uint64_t b = graph_back_begin(g, o) + turn;
        graph_edge(g, graph_source(g, b), edge_of_entry(g, o, b), edge);
    } else {
        graph_edge(g, o, graph_begin(g, o) + turn, edge);
    }
}

static void show_row(const struct view *v, uint64_t row, struct view_row *to)
{
    const struct session *s = v->atlas->s;
    ordinal other = other_end(v, row);
    struct edge edge;
    find_edge(v, row, &edge);
    to->cells[LABEL] = cell_text(name_edge(s, &edge, to->text[1]));
    to->cells[KIND] = cell_text(name_edge_kind(edge.bits));
    if (other == ORDINAL_NONE) {
        to->cells[OF] = cell_number(edge.target);
        to->cells[GENERATION] = to->cells[RETAINED] = cell_null();
        to->cells[WHAT] = cell_text("(not in the snapshot)");
        return;
    }
    to->cells[OF] = cell_number(graph_address(&s->graph, other));
    to->cells[GENERATION] = cell_number(graph_generation(&s->graph, other));
    to->cells[RETAINED] = cell_number(s->dominators.retained[other]);
    to->cells[WHAT] = cell_text(row_object(v->atlas, other, to));
}

static uint64_t key(const struct view *v, uint64_t row, size_t column)
{
    const struct session *s = v->atlas->s;
    ordinal other = other_end(v, row);
    if (other == ORDINAL_NONE)
        return 0;
    switch (column) {
    case OF:
        return other;
    case GENERATION:
        return graph_generation(&s->graph, other);
    case WHAT:
        return v->atlas->class_order[s->classes.of_type[graph_type(&s->graph, other)]];
    default:
        return s->dominators.retained[other];
    }
}

static const struct view_kind kind = {
    .columns = columns, .column_count = sizeof columns / sizeof *columns, .row = show_row, .key = key};

struct view *view_references(const struct atlas *a, struct thing thing, int referrers)
{
    const struct graph *g = &a->s->graph;
    struct view *v = view_create(&kind, a, thing);
    size_t count = 0;
    ordinal *objects = v ? thing_objects(a, thing, &count) : NULL;
    char name[NAME_SIZE];
    if (!objects) {
        view_destroy(v);
        return NULL;
    }
    view_take(v, objects, count);
    v->about = referrers ? "referrers" : "referents";
    v->starts = array_raw(count + 1, sizeof *v->starts);
    if (!v->starts) {
        view_destroy(v);
        return NULL;
    }
    v->rows = 0;
    for (size_t i = 0; i < count; i++) {
        v->starts[i] = v->rows;
        v->rows +=
            referrers ? graph_back_end(g, objects[i]) - graph_back_begin(g, objects[i]) : graph_degree(g, objects[i]);
    }
    v->starts[count] = v->rows;
    snprintf(v->title, sizeof v->title, "%s of %.200s", v->about, thing_name(a, thing, name));
    return v;
}
