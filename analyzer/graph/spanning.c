#include "spanning.h"

#include <string.h>

#include "array.h"
#include "parallel.h"

/* ---- where it begins ---- */

/* Whether nothing refers to the object and nobody holds it, and it is there all the same. */
static int is_loose(const struct graph *g, ordinal o)
{
    return graph_internal(g, o) == 0 && graph_external(g, o) <= 0 && !graph_is_immortal(g, o);
}

int spanning_can_begin(const struct graph *g)
{
    if (g->not_strong || g->heap.width)
        return 0;
    for (ordinal o = 0; o < g->objects; o++)
        if (graph_degree(g, o) && (!garbage_is_candidate(g, o, 2) || is_loose(g, o)))
            return 0;
    return 1;
}

/* ---- the search ---- */

static inline struct pending *push(const struct spanning *s, struct pending *top, ordinal to, ordinal from)
{
    __builtin_prefetch(row_at(&s->flow.rows, to));
    *--top = (struct pending){to, from};
    return top;
}

/* An edge to a vertex that had been met. One from a vertex before can only lower the semidominator, and is done with;
 * one from a vertex after has to wait until what lies above that is known, unless no semidominator could be less. */
static inline void judge(struct spanning *s, struct pending edge)
{
    struct visit *visit = &s->visit[edge.to];
    if (edge.from < edge.to) {
        visit->semi = edge.from < visit->semi ? edge.from : visit->semi;
    } else if (edge.from > edge.to && visit->semi) {
        visit->later++;
        s->crossing[s->crossings++] = edge;
    }
}

/* Judges the edge that came LATE edges ago, while what this one wants is fetched. */
static inline void meet_again(struct spanning *s, struct pending edge)
{
    struct pending *late = &s->late[s->met_again++ % LATE];
    judge(s, *late);
    *late = edge;
    __builtin_prefetch(&s->visit[edge.to], 1);
}

static void judge_late(struct spanning *s)
{
    for (int i = 0; i < LATE; i++)
        meet_again(s, (struct pending){0, 0});
}

/* From a vertex, which has not been met or has. */
static void search_from(struct spanning *s, ordinal start)
{
    struct pending *top = push(s, s->stack, flow_place(&s->flow, start), 0);
    while (top < s->stack) {
        struct pending edge = *top++;
        ordinal *row = row_at(&s->flow.rows, edge.to), head = *row;
        if (!(head & ROW_FRESH)) {
            meet_again(s, (struct pending){head, edge.from});
            continue;
        }
        ordinal number = s->visited++;
        *row = number;
        s->parent[number] = edge.from;
        s->visit[number] = (struct visit){head & ROW_START ? 0 : edge.from, 0};
        for (ordinal i = row_successors(head); i > 0; i--) /* so that the first will be followed first */
            top = push(s, top, row[i], number);
    }
}

static ordinal head_of(const struct spanning *s, ordinal vertex)
{
    return *row_at(&s->flow.rows, flow_place(&s->flow, vertex));
}

static int is_fresh_start(const struct spanning *s, ordinal vertex)
{
    return (head_of(s, vertex) & (ROW_FRESH | ROW_START)) == (ROW_FRESH | ROW_START);
}

/* One that was no sure start when the search began. */
static int is_late_start(const struct graph *g, const uint8_t *fate, ordinal o)
{
    return row_is_start(g, fate, o) && !row_is_start(g, NULL, o);
}

static void search_rest(struct spanning *s, const uint8_t *fate, int gates)
{
    const struct flow *f = &s->flow;
    for (ordinal o = 0; o < f->rows.objects; o++) {
        int has_row = !gates || fate[o] != FATE_LIVE;
        if (has_row && (is_fresh_start(s, o) || (s->begun && is_late_start(f->rows.g, fate, o))))
            search_from(s, o);
    }
    for (ordinal v = f->rows.objects; v < f->rows.objects + f->virtuals; v++)
        if (is_fresh_start(s, v))
            search_from(s, v);
    /* Only a heap whose counts are wrong has anything left. */
    for (ordinal o = 0; o < f->rows.objects; o++)
        if ((!gates || fate[o] != FATE_LIVE) && head_of(s, o) & ROW_FRESH)
            search_from(s, gates && flow_virtual_of(f, o) != ORDINAL_NONE ? flow_virtual_of(f, o) : o);
}

/* ---- all of it ---- */

/* Room for everything by number, when there are at most `virtuals` virtual nodes. */
static int make_room(const struct graph *g, ordinal virtuals, struct spanning *s)
{
    size_t n = (size_t)g->objects + virtuals + 2;
    uint64_t edges = g->edges + g->objects + n; /* the members of cycles, and beginnings */
    s->parent = array_raw(n, sizeof *s->parent);
    s->visit = array_raw(n, sizeof *s->visit);
    s->crossing = array_raw(edges, sizeof *s->crossing);
    if (!s->parent || !s->visit || !s->crossing)
        return -1;
    s->stack = s->crossing + edges;
    s->parent[0] = 0;
    s->visit[0] = (struct visit){0, 0};
    s->visited = 1;
    return 0;
}

int spanning_prepare(const struct graph *g, struct spanning *s)
{
    memset(s, 0, sizeof *s);
    return rows_lay_all(g, NULL, &s->flow.rows) || make_room(g, g->objects, s) /* nobody knows yet how many cycles */
               ? -1
               : 0;
}

/* Clearing fresh pages is for a processor that is idle meanwhile. */
static void touch_room(void *context)
{
    enum { PIECE = 1 << 18 };
    const struct spanning *s = context;
    size_t n = s->flow.rows.objects;
    for (size_t i = 0; i < n; i += PIECE) {
        array_touch(s->visit, i, n - i < PIECE ? n - i : PIECE, sizeof *s->visit);
        array_touch(s->parent, i, n - i < PIECE ? n - i : PIECE, sizeof *s->parent);
    }
}

void spanning_begin(struct spanning *s)
{
    const struct graph *g = s->flow.rows.g;
    struct beside touching = {0};
    if (parallel_parts(g->objects) > 1)
        parallel_begin(&touching, touch_room, s);
    for (ordinal o = 0; o < g->objects; o++)
        if (is_fresh_start(s, o))
            search_from(s, o);
    parallel_end(&touching);
    s->begun = 1;
}

struct meeting {
    const struct spanning *s;
    uint64_t *reached;
};

static void tell_part_of_reached(void *context, unsigned part, unsigned parts)
{
    const struct meeting *m = context;
    const struct graph *g = m->s->flow.rows.g;
    size_t words = (size_t)g->objects / 64 + 1, last = part_begin(words, part + 1, parts);
    for (size_t w = part_begin(words, part, parts); w < last; w++) {
        size_t end = 64 * w + 64 < g->objects ? 64 * w + 64 : g->objects;
        uint64_t bits = 0;
        for (ordinal o = (ordinal)(64 * w); o < end; o++)
            bits |= (uint64_t)(!(head_of(m->s, o) & ROW_FRESH) && !is_loose(g, o)) << o % 64;
        m->reached[w] = bits;
    }
}

void spanning_reached(const struct spanning *s, uint64_t *reached)
{
    struct meeting m = {s, reached};
    parallel_run(parallel_parts(s->flow.rows.objects), tell_part_of_reached, &m);
}

struct numbering {
    struct spanning *s;
    const uint8_t *fate; /* NULL: all objects have rows */
};

static void read_part_of_numbers(void *context, unsigned part, unsigned parts)
{
    const struct numbering *n = context;
    struct spanning *s = n->s;
    ordinal end = (ordinal)part_begin(s->vertices - 1, part + 1, parts);
    for (ordinal v = (ordinal)part_begin(s->vertices - 1, part, parts); v < end; v++) {
        int has_row = v >= s->flow.rows.objects || !n->fate || n->fate[v] != FATE_LIVE;
        ordinal head = has_row ? *row_at(&s->flow.rows, flow_place(&s->flow, v)) : 0;
        s->number[v] = head & ROW_FRESH ? 0 : head;
        if (s->number[v])
            s->vertex[s->number[v]] = v;
    }
}

/* The search is over: gives back what its arrays had room for besides. */
static void cut_room(struct spanning *s, int gates)
{
    array_cut(s->parent, s->visited, sizeof *s->parent);
    array_cut(s->visit, s->visited, sizeof *s->visit);
    array_cut(s->crossing, s->crossings, sizeof *s->crossing);
    array_cut(s->flow.rows.words, gates ? 0 : 2 * (size_t)s->flow.rows.places, sizeof *s->flow.rows.words);
}

/* Numbers out of the rows, which are given back. */
static int read_numbers(struct spanning *s, const uint8_t *fate)
{
    struct numbering numbering = {s, fate};
    s->number = array_raw((size_t)s->vertices + 1, sizeof *s->number);
    s->vertex = array_raw((size_t)s->visited + 1, sizeof *s->vertex);
    if (!s->number || !s->vertex)
        return -1;
    parallel_run(parallel_parts(s->vertices), read_part_of_numbers, &numbering);
    s->vertex[0] = s->vertices - 1;
    s->number[s->vertices - 1] = 0;
    cut_room(s, fate != NULL);
    array_free(s->flow.rows.words);
    s->flow.rows.words = NULL;
    return 0;
}

int spanning_finish(const struct graph *g, const struct garbage *garbage, const struct components *components,
                    int gates, struct spanning *s)
{
    if ((!s->begun && make_room(g, components->count, s)) ||
        flow_lay_virtuals(g, garbage->fate, components, gates, &s->flow))
        return -1;
    s->vertices = g->objects + s->flow.virtuals + 1;
    search_rest(s, garbage->fate, gates);
    judge_late(s);
    return read_numbers(s, gates ? garbage->fate : NULL);
}

void spanning_release(struct spanning *s)
{
    flow_release(&s->flow);
    array_free(s->number);
    array_free(s->vertex);
    array_free(s->parent);
    array_free(s->visit);
    array_free(s->crossing);
    memset(s, 0, sizeof *s);
}
