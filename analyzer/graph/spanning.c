#include "spanning.h"

#include <string.h>

#include "array.h"

/* ---- where it begins ---- */

/* Children of the super-root whatever is garbage. */
static int is_start(const struct graph *g, ordinal o)
{
    return graph_is_immortal(g, o) || graph_internal(g, o) == 0;
}

static int is_child_of_root(const struct spanning *s, ordinal o)
{
    const struct graph *g = s->g;
    if (is_start(g, o))
        return 1;
    return s->garbage->fate[o] == FATE_LIVE &&
           (graph_external(g, o) > 0 || graph_generation(g, o) == GENERATION_PERMANENT);
}

int spanning_can_begin(const struct graph *g)
{
    if (g->not_strong || g->heap.width)
        return 0;
    for (ordinal o = 0; o < g->objects; o++)
        if (graph_degree(g, o) && !garbage_is_candidate(g, o, 2))
            return 0;
    return 1;
}

/* The components with a virtual node: source cycles, or all cycles when every cycle is to have its gate. */
static int find_virtual_nodes(struct spanning *s)
{
    const struct components *c = s->components;
    s->virtual_component = array_new((size_t)c->count + 1, sizeof *s->virtual_component);
    s->virtual_of = array_new((size_t)c->count + 1, sizeof *s->virtual_of);
    if (!s->virtual_component || !s->virtual_of)
        return -1;
    for (ordinal i = 0; i < c->count; i++) {
        s->virtual_of[i] = ORDINAL_NONE;
        if (!c->cyclic[i] || (c->reached[i] && !s->gates))
            continue;
        s->virtual_of[i] = s->objects + s->virtuals;
        s->virtual_component[s->virtuals++] = i;
    }
    s->vertices = s->objects + s->virtuals + 1;
    s->vertex[0] = s->vertices - 1;
    return 0;
}

/* ---- the search ---- */

/* Whether an object is in the part that is searched. */
static inline int is_part(const struct spanning *s, ordinal o, int gates)
{
    return !gates || s->garbage->fate[o] != FATE_LIVE;
}

/* The gate of the cycle that `o`, which is dead, is a member of, or ORDINAL_NONE. */
static inline ordinal gate_of(const struct spanning *s, ordinal o)
{
    ordinal component = s->components->component[o];
    return component == ORDINAL_NONE ? ORDINAL_NONE : s->virtual_of[component];
}

static inline size_t push(struct spanning *s, size_t depth, ordinal to, ordinal from)
{
    __builtin_prefetch(&s->number[to]);
    __builtin_prefetch(&s->g->edge_start[to]);
    s->edges[depth] = (struct pending){to, from};
    return depth + 1;
}

/* Puts off the edges out of a vertex, so that the first will be followed first: of an object those of the graph, of a
 * virtual node the members of its cycle. Where there are gates, an edge into a cycle from outside leads to its gate. */
static inline __attribute__((always_inline)) size_t put_off(struct spanning *s, size_t depth, ordinal v, ordinal number,
                                                            int gates)
{
    const struct graph *g = s->g;
    const struct components *c = s->components;
    if (v >= s->objects) {
        ordinal component = s->virtual_component[v - s->objects];
        for (ordinal i = c->member_start[component]; i < c->member_start[component + 1]; i++)
            depth = push(s, depth, c->member[i], number);
        return depth;
    }
    for (uint64_t e = g->edge_start[v + 1], begin = g->edge_start[v]; e-- > begin;) {
        ordinal to = g->target[e];
        if (to == ORDINAL_NONE || !(s->all_counted || edge_is_counted(g->info[e])) || !is_part(s, to, gates))
            continue;
        if (gates && gate_of(s, to) != ORDINAL_NONE && c->component[v] != c->component[to])
            to = gate_of(s, to);
        depth = push(s, depth, to, number);
    }
    return depth;
}

/* What lies some way down in the stack will be wanted soon: where its rows begin, and then these. */
static inline void fetch_below(const struct spanning *s, size_t depth)
{
    enum { ROW = 4, START = 16 };
    if (depth > START) {
        __builtin_prefetch(&s->number[s->edges[depth - START].to]);
        __builtin_prefetch(&s->g->edge_start[s->edges[depth - START].to]);
    }
    if (depth > ROW && s->edges[depth - ROW].to < s->objects)
        __builtin_prefetch(&s->g->target[s->g->edge_start[s->edges[depth - ROW].to]]);
}

static inline __attribute__((always_inline)) void search_from(struct spanning *s, ordinal start, int gates)
{
    size_t depth = push(s, 0, start, 0);
    while (depth) {
        fetch_below(s, depth);
        struct pending edge = s->edges[--depth];
        ordinal number = s->number[edge.to];
        if (number) {
            *--s->crossing = (struct pending){number, edge.from};
            s->crossings++;
            continue;
        }
        number = s->visited++;
        s->number[edge.to] = number;
        s->vertex[number] = edge.to;
        s->parent[number] = edge.from;
        s->visit[number] = (struct visit){edge.from, 0};
        depth = put_off(s, depth, edge.to, number, gates);
    }
}

static inline __attribute__((always_inline)) void search_rest(struct spanning *s, int gates)
{
    for (ordinal o = 0; o < s->objects; o++) {
        int done = s->begun && (is_start(s->g, o) || graph_external(s->g, o) > 0);
        if (!done && is_part(s, o, gates) && is_child_of_root(s, o))
            search_from(s, o, gates);
    }
    for (ordinal i = 0; i < s->virtuals; i++)
        if (!s->components->reached[s->virtual_component[i]])
            search_from(s, s->objects + i, gates);
    /* Only a heap whose counts are wrong has anything left. */
    for (ordinal o = 0; o < s->objects; o++)
        if (is_part(s, o, gates) && !s->number[o])
            search_from(s, gates && gate_of(s, o) != ORDINAL_NONE ? gate_of(s, o) : o, gates);
}

/* ---- all of it ---- */

/* Room for `virtuals` virtual nodes. */
static int make_room(const struct graph *g, ordinal virtuals, struct spanning *s)
{
    size_t n = (size_t)g->objects + virtuals + 2;
    uint64_t edges = g->edges + g->objects + n; /* the members of cycles, and beginnings */
    s->g = g;
    s->objects = g->objects;
    s->all_counted = !g->uncounted;
    s->number = array_new(n, sizeof *s->number);
    s->vertex = array_raw(n, sizeof *s->vertex);
    s->parent = array_raw(n, sizeof *s->parent);
    s->visit = array_raw(n, sizeof *s->visit);
    s->edges = array_raw(edges, sizeof *s->edges);
    if (!s->number || !s->vertex || !s->parent || !s->visit || !s->edges)
        return -1;
    s->crossing = s->edges + edges;
    s->parent[0] = 0;
    s->visit[0] = (struct visit){0, 0};
    s->visited = 1;
    return 0;
}

int spanning_begin(const struct graph *g, struct spanning *s)
{
    memset(s, 0, sizeof *s);
    if (make_room(g, g->objects, s)) /* a cycle of its own for each, for nobody knows yet */
        return -1;
    for (ordinal o = 0; o < g->objects; o++)
        if (is_start(g, o) || graph_external(g, o) > 0)
            search_from(s, o, 0);
    s->begun = 1;
    return 0;
}

int spanning_finish(const struct graph *g, const struct garbage *garbage, const struct components *components,
                    int gates, struct spanning *s)
{
    if (!s->begun && make_room(g, components->count, s))
        return -1;
    s->garbage = garbage;
    s->components = components;
    s->gates = gates;
    if (find_virtual_nodes(s))
        return -1;
    if (gates)
        search_rest(s, 1);
    else
        search_rest(s, 0);
    return 0;
}

void spanning_release(struct spanning *s)
{
    array_free(s->virtual_component);
    array_free(s->virtual_of);
    array_free(s->number);
    array_free(s->vertex);
    array_free(s->parent);
    array_free(s->visit);
    array_free(s->edges);
    memset(s, 0, sizeof *s);
}
