/* The objects of a type, a generation or a cycle. */
#include <stdio.h>
#include <string.h>

#include "../answers/advice.h"
#include "../answers/generations.h"
#include "../graph/array.h"
#include "../render/text.h"
#include "views.h"

enum { ADDRESS, GENERATION, REFCOUNT, SIZE, RETAINED, WHAT };

static const struct view_column columns[] = {
    [ADDRESS] = {"address", "address", CELL_ADDRESS, .width = 14, .leave = 64, .sortable = 1},
    [GENERATION] = {"generation", "generation", CELL_GENERATION, .width = 10, .leave = 76, .sortable = 1},
    [REFCOUNT] = {"refcount", "refcount", CELL_NUMBER, .width = 8, .leave = 84, .sortable = 1},
    [SIZE] = {"size", "size", CELL_SIZE, .width = 8, .sortable = 1},
    [RETAINED] = {"retained", "retained", CELL_SIZE, .width = 8, .sortable = 1},
    [WHAT] = {"what", "what", CELL_TEXT, .sortable = 1},
};

static void show_row(const struct view *v, uint64_t row, struct view_row *to)
{
    const struct session *s = v->atlas->s;
    const struct graph *g = &s->graph;
    ordinal o = v->list[row];
    to->cells[ADDRESS] = cell_number(graph_address(g, o));
    to->cells[GENERATION] = cell_number(graph_generation(g, o));
    to->cells[REFCOUNT] = graph_is_immortal(g, o) ? cell_null() : cell_number((uint64_t)graph_refcount(g, o));
    to->cells[SIZE] = cell_number(graph_size(g, o));
    to->cells[RETAINED] = cell_number(s->dominators.retained[o]);
    to->cells[WHAT] = cell_text(row_object(v->atlas, o, to));
}

static uint64_t key(const struct view *v, uint64_t row, size_t column)
{
    const struct session *s = v->atlas->s;
    const struct graph *g = &s->graph;
    ordinal o = v->list[row];
    switch (column) {
    case ADDRESS:
        return o;
    case GENERATION:
        return graph_generation(g, o);
    case REFCOUNT: /* negative ones, of a damaged heap, below the others */
        return graph_is_immortal(g, o) ? 0 : (uint64_t)graph_refcount(g, o) ^ UINT64_C(1) << 63;
    case SIZE:
        return graph_size(g, o);
    case WHAT:
        return v->atlas->class_order[s->classes.of_type[graph_type(g, o)]];
    default:
        return s->dominators.retained[o];
    }
}

static const struct view_kind kind = {
    .columns = columns, .column_count = sizeof columns / sizeof *columns, .row = show_row, .key = key};

void view_take(struct view *v, ordinal *items, size_t count)
{
    v->items = items;
    v->list = items;
    v->rows = v->count = count;
}

/* ---- which objects ---- */

static ordinal *copy_members(const struct session *s, ordinal cycle, size_t *count)
{
    const struct components *c = &s->components;
    ordinal component = s->cycles.items[cycle].component;
    *count = c->member_start[component + 1] - c->member_start[component];
    ordinal *objects = array_raw(*count + 1, sizeof *objects);
    if (objects)
        memcpy(objects, c->member + c->member_start[component], *count * sizeof *objects);
    return objects;
}

static int belongs(const struct session *s, struct thing thing, ordinal o)
{
    const struct graph *g = &s->graph;
    if (thing.kind == THING_TYPE)
        return s->classes.of_type[graph_type(g, o)] == thing.number;
    return graph_generation(g, o) == thing.number % GENERATIONS && graph_heap(g, o) == thing.number / GENERATIONS;
}

ordinal *thing_objects(const struct atlas *a, struct thing thing, size_t *count)
{
    const struct session *s = a->s;
    if (thing.kind == THING_CYCLE)
        return copy_members(s, (ordinal)thing.number, count);
    size_t room = thing.kind == THING_OBJECT       ? 1
                  : thing.kind == THING_TYPE       ? s->sums[thing.number].count
                  : thing.kind == THING_GENERATION ? a->generations[thing.number].objects
                                                   : 0;
    ordinal *objects = array_raw(room + 1, sizeof *objects);
    *count = 0;
    if (!objects)
        return NULL;
    if (thing.kind == THING_OBJECT)
        objects[(*count)++] = (ordinal)thing.number;
    else
        for (ordinal o = 0; *count < room; o++)
            if (belongs(s, thing, o))
                objects[(*count)++] = o;
    return objects;
}

/* Of a cycle: what to do about it. */
static int advise(struct view *v)
{
    const struct session *s = v->atlas->s;
    const struct cycle *c = &s->cycles.items[v->subject.number];
    char n[TEXT_NUMBER_SIZE];
    struct advice advice;
    if (advice_for_cycle(s, (ordinal)v->subject.number, &advice))
        return -1;
    snprintf(v->note[0], NOTE_SIZE, "retains %s%s%s%s", text_size(c->retained, n),
             c->source ? "" : "; held by another cycle", c->uncollectable ? "; uncollectable" : "",
             c->invisible ? "; the collector cannot see it" : "");
    snprintf(v->note[1], NOTE_SIZE, "to break it: %.480s", advice.text);
    advice_release(&advice);
    return 0;
}

struct view *view_objects(const struct atlas *a, struct thing thing)
{
    struct view *v = view_create(&kind, a, thing);
    size_t count = 0;
    ordinal *objects = v ? thing_objects(a, thing, &count) : NULL;
    if (objects)
        view_take(v, objects, count);
    if (!objects || (thing.kind == THING_CYCLE ? advise(v) : view_sort(v, RETAINED, 0))) {
        view_destroy(v);
        return NULL;
    }
    thing_name(a, thing, v->title);
    return v;
}
