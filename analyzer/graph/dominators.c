#include "dominators.h"

#include <string.h>

#include "array.h"
#include "bits.h"

/* What the search for dominators knows of a vertex, by preorder number; together, for they are looked at together. */
struct record {
    ordinal parent; /* in the depth-first tree; compressed later */
    ordinal label;  /* the vertex of least semidominator between here and the parent */
    ordinal semi;   /* and its semidominator */
    ordinal next;   /* in the bucket of its own semidominator */
};

/* Work in preorder numbers: vertex 0 is the super-root. */
struct tree {
    const struct graph *g;
    const struct garbage *garbage;
    const struct components *components;
    int dead_only;
    struct dominators *d;
    ordinal *virtual_of; /* by component: its virtual node, or ORDINAL_NONE */
    int gates;           /* virtual nodes are gates: all edges into a cycle lead to them */
    uint64_t *attached;  /* bits, by vertex: it is a child of the super-root */
    uint64_t *seen;      /* bits, by vertex: it has a number */
    ordinal *number;     /* by vertex: preorder number */
    ordinal *vertex;     /* by number */
    struct record *record;
    ordinal *idom;      /* by number; the parent in the depth-first tree until it is known better */
    ordinal *bucket;    /* by number: the first whose semidominator it is */
    uint64_t *deferred; /* bits, by number: the dominator is that of idom */
    uint64_t *edge;     /* by depth, while searching */
    ordinal *path;      /* by depth: numbers */
    ordinal visited;
};

/* ---- vertices and what follows them ---- */

static int is_child_of_root(const struct tree *t, ordinal o)
{
    const struct graph *g = t->g;
    if (graph_is_immortal(g, o) || g->internal[o] == 0)
        return 1;
    return t->garbage->fate[o] == FATE_LIVE &&
           (graph_external(g, o) > 0 || graph_generation(g, o) == GENERATION_PERMANENT);
}

/* Whether an object is in the part the tree is built for. */
static int is_part(const struct tree *t, ordinal o)
{
    return !t->dead_only || t->garbage->fate[o] != FATE_LIVE;
}

/* The components with a virtual node: source cycles, or all cycles when every cycle is to have its gate. */
static int find_virtual_nodes(struct tree *t)
{
    const struct components *c = t->components;
    struct dominators *d = t->d;
    d->virtual_component = array_new((size_t)c->count + 1, sizeof *d->virtual_component);
    t->virtual_of = array_new((size_t)c->count + 1, sizeof *t->virtual_of);
    t->gates = t->dead_only;
    if (!d->virtual_component || !t->virtual_of)
        return -1;
    for (ordinal i = 0; i < c->count; i++) {
        t->virtual_of[i] = ORDINAL_NONE;
        if (!c->cyclic[i] || (c->reached[i] && !t->gates))
            continue;
        t->virtual_of[i] = d->objects + d->virtuals;
        d->virtual_component[d->virtuals++] = i;
    }
    d->vertices = d->objects + d->virtuals + 1;
    return 0;
}

/* The virtual node of the cycle that `o` is a member of, or ORDINAL_NONE. */
static ordinal virtual_of(const struct tree *t, ordinal o)
{
    ordinal component = t->garbage->fate[o] == FATE_LIVE ? ORDINAL_NONE : t->components->component[o];
    return component == ORDINAL_NONE ? ORDINAL_NONE : t->virtual_of[component];
}

static ordinal gate_of(const struct tree *t, ordinal o)
{
    return t->gates ? virtual_of(t, o) : ORDINAL_NONE;
}

/* The edges out of a vertex: of an object those of the graph, of a virtual node the members of its cycle. */
static uint64_t edges_begin(const struct tree *t, ordinal v)
{
    if (v < t->d->objects)
        return t->g->edge_start[v];
    return t->components->member_start[t->d->virtual_component[v - t->d->objects]];
}

static uint64_t edges_end(const struct tree *t, ordinal v)
{
    if (v < t->d->objects)
        return t->g->edge_start[v + 1];
    return t->components->member_start[t->d->virtual_component[v - t->d->objects] + 1];
}

/* Where an edge out of a vertex leads, ORDINAL_NONE for one that does not count. */
static inline ordinal edge_leads(const struct tree *t, ordinal v, uint64_t e)
{
    if (v >= t->d->objects)
        return t->components->member[e];
    ordinal to = t->g->target[e];
    if (to == ORDINAL_NONE || !edge_is_counted(t->g->info[e]) || !is_part(t, to))
        return ORDINAL_NONE;
    if (t->gates && gate_of(t, to) != ORDINAL_NONE && t->components->component[v] != t->components->component[to])
        return gate_of(t, to);
    return to;
}

/* ---- depth-first search ---- */

static ordinal visit(struct tree *t, ordinal vertex, ordinal parent)
{
    ordinal number = t->visited++;
    bit_set(t->seen, vertex);
    t->number[vertex] = number;
    t->vertex[number] = vertex;
    t->record[number] = (struct record){parent, number, number, 0};
    t->idom[number] = parent;
    t->bucket[number] = ORDINAL_NONE;
    return number;
}

static void search_from(struct tree *t, ordinal start)
{
    size_t depth = 0;
    bit_set(t->attached, start);
    if (bit_is_set(t->seen, start))
        return;
    t->path[0] = visit(t, start, 0);
    t->edge[0] = edges_begin(t, start);
    for (;;) {
        ordinal v = t->vertex[t->path[depth]], into = ORDINAL_NONE;
        uint64_t e = t->edge[depth], end = edges_end(t, v);
        while (e < end && into == ORDINAL_NONE) {
            into = edge_leads(t, v, e++);
            if (into != ORDINAL_NONE && bit_is_set(t->seen, into))
                into = ORDINAL_NONE;
        }
        t->edge[depth] = e;
        if (into != ORDINAL_NONE) {
            ordinal number = visit(t, into, t->path[depth]);
            depth++;
            t->path[depth] = number;
            t->edge[depth] = edges_begin(t, into);
        } else if (depth-- == 0) {
            return;
        }
    }
}

static void search(struct tree *t)
{
    ordinal objects = t->d->objects;
    visit(t, dominators_root(t->d), 0);
    for (ordinal o = 0; o < objects; o++)
        if (is_part(t, o) && is_child_of_root(t, o))
            search_from(t, o);
    for (ordinal i = 0; i < t->d->virtuals; i++)
        if (!t->components->reached[t->d->virtual_component[i]])
            search_from(t, objects + i);
    /* Only a heap whose counts are wrong has anything left. */
    for (ordinal o = 0; o < objects; o++)
        if (is_part(t, o) && !bit_is_set(t->seen, o))
            search_from(t, gate_of(t, o) == ORDINAL_NONE ? o : gate_of(t, o));
}

/* ---- semidominators and dominators, after Lengauer and Tarjan (1979), with simple path compression ---- */

/* The vertex of least semidominator on the path from v up to what was not linked yet (numbers below `linked`);
 * compresses the path. */
static inline const struct record *evaluate(struct tree *t, ordinal v, ordinal linked)
{
    struct record *record = t->record;
    size_t depth = 0;
    if (record[v].parent < linked)
        return &record[v];
    do {
        t->path[depth++] = v;
        v = record[v].parent;
    } while (record[v].parent >= linked);
    while (depth) {
        const struct record *above = &record[v];
        v = t->path[--depth];
        record[v].parent = above->parent;
        if (above->semi < record[v].semi) {
            record[v].semi = above->semi;
            record[v].label = above->label;
        }
    }
    return &record[v];
}

/* The lesser of `semi` and what a predecessor stands for: one that comes before in preorder for itself. */
static inline ordinal least(struct tree *t, ordinal from, ordinal linked, ordinal semi)
{
    ordinal number = t->number[from];
    if (number > semi && number >= linked)
        number = evaluate(t, number, linked)->semi;
    return number < semi ? number : semi;
}

/* Objects that refer to `o` in the tree's part; with gates, of a cycle's member those of its own cycle. */
static inline ordinal least_of_referrers(struct tree *t, ordinal o, ordinal linked, ordinal semi, int inside)
{
    const struct graph *g = t->g;
    const ordinal *component = t->components->component;
    int of_cycle = gate_of(t, o) != ORDINAL_NONE;
    for (uint64_t i = g->back_start[o], end = g->back_start[o + 1]; i < end; i++) {
        ordinal from = g->source[i];
        if (!edge_is_counted(g->source_info[i]) || !is_part(t, from))
            continue;
        if (of_cycle && (component[from] == component[o]) != inside)
            continue;
        semi = least(t, from, linked, semi);
    }
    return semi;
}

/* The semidominator of vertex `v` with number w, whose parent in the tree is `semi`: the least over its predecessors.
 */
static ordinal semidominator(struct tree *t, ordinal v, ordinal w, ordinal semi)
{
    if (bit_is_set(t->attached, v))
        return 0; /* the super-root itself */
    if (v < t->d->objects) {
        ordinal of = virtual_of(t, v);
        semi = least_of_referrers(t, v, w + 1, semi, 1);
        return of == ORDINAL_NONE ? semi : least(t, of, w + 1, semi);
    }
    /* A gate: whoever refers to a member from outside the cycle. */
    for (uint64_t e = edges_begin(t, v); e < edges_end(t, v); e++)
        semi = least_of_referrers(t, t->components->member[e], w + 1, semi, 0);
    return semi;
}

/* Each vertex whose semidominator is `parent` has it for its dominator, or that of a vertex on the way down to it. */
static void empty_bucket(struct tree *t, ordinal parent, ordinal linked)
{
    for (ordinal v = t->bucket[parent]; v != ORDINAL_NONE; v = t->record[v].next) {
        const struct record *u = evaluate(t, v, linked);
        t->idom[v] = u->semi < parent ? u->label : parent;
        if (u->semi < parent)
            bit_set(t->deferred, v);
    }
    t->bucket[parent] = ORDINAL_NONE;
}

/* What the vertices to come will be looked at for: first where their referrers stand, then these, their numbers, and
 * what is known of them. */
static inline void fetch_vertex(const struct tree *t, ordinal w)
{
    enum { ROWS = 32, SOURCES = 24, NUMBERS = 16, RECORDS = 8, MOST = 6 };
    const struct graph *g = t->g;
    if (w <= ROWS)
        return;
    ordinal row = t->vertex[w - ROWS], sources = t->vertex[w - SOURCES], numbers = t->vertex[w - NUMBERS],
            records = t->vertex[w - RECORDS], objects = t->d->objects;
    if (row < objects) {
        __builtin_prefetch(&g->back_start[row]);
        __builtin_prefetch(&t->garbage->fate[row]);
    }
    if (sources < objects) {
        __builtin_prefetch(&g->source[g->back_start[sources]]);
        __builtin_prefetch(&g->source_info[g->back_start[sources]]);
    }
    if (numbers < objects)
        for (uint64_t i = g->back_start[numbers], end = i + MOST; i < g->back_start[numbers + 1] && i < end; i++)
            __builtin_prefetch(&t->number[g->source[i]]);
    if (records < objects)
        for (uint64_t i = g->back_start[records], end = i + MOST; i < g->back_start[records + 1] && i < end; i++)
            __builtin_prefetch(&t->record[t->number[g->source[i]]]);
}

static int find_dominators(struct tree *t)
{
    t->deferred = bits_new(t->d->vertices);
    if (!t->deferred)
        return -1;
    for (ordinal w = t->visited - 1; w > 0; w--) {
        ordinal parent = t->idom[w];
        fetch_vertex(t, w);
        ordinal semi = semidominator(t, t->vertex[w], w, parent);
        t->record[w].semi = semi;
        if (semi != parent) {
            t->record[w].next = t->bucket[semi];
            t->bucket[semi] = w;
        }
        empty_bucket(t, parent, w);
    }
    for (ordinal w = 1; w < t->visited; w++)
        if (bit_is_set(t->deferred, w))
            t->idom[w] = t->idom[t->idom[w]];
    return 0;
}

static void hand_out(struct tree *t)
{
    struct dominators *d = t->d;
    ordinal root = dominators_root(d);
    for (ordinal o = 0; o < d->vertices; o++) {
        d->retained[o] = o < d->objects && is_part(t, o) ? t->g->size[o] : 0;
        d->dominator[o] = root;
    }
    d->dominator[root] = ORDINAL_NONE;
    for (ordinal w = t->visited - 1; w > 0; w--) {
        ordinal v = t->vertex[w], above = t->vertex[t->idom[w]];
        d->dominator[v] = above;
        d->retained[above] += d->retained[v];
    }
}

int dominators_build(const struct graph *g, const struct garbage *garbage, const struct components *components,
                     enum dominators_part part, struct dominators *d)
{
    memset(d, 0, sizeof *d);
    d->objects = g->objects;
    struct tree t = {
        .g = g, .garbage = garbage, .components = components, .dead_only = part == DOMINATORS_DEAD, .d = d};
    int status = find_virtual_nodes(&t);
    if (!status) {
        size_t n = (size_t)d->vertices + 1;
        t.attached = bits_new(d->vertices);
        t.seen = bits_new(d->vertices);
        t.number = array_new(n, sizeof *t.number);
        t.vertex = array_new(n, sizeof *t.vertex);
        t.record = array_new(n, sizeof *t.record);
        t.idom = array_new(n, sizeof *t.idom);
        t.bucket = array_new(n, sizeof *t.bucket);
        t.edge = array_new(n, sizeof *t.edge);
        t.path = array_new(n, sizeof *t.path);
        d->dominator = array_new(n, sizeof *d->dominator);
        d->retained = array_new(n, sizeof *d->retained);
        status = t.attached && t.seen && t.number && t.vertex && t.record && t.idom && t.bucket && t.edge && t.path &&
                         d->dominator && d->retained
                     ? 0
                     : -1;
    }
    if (!status) {
        search(&t);
        array_free(t.edge);
        t.edge = NULL;
        status = find_dominators(&t);
    }
    if (!status)
        hand_out(&t);
    array_free(t.virtual_of);
    array_free(t.attached);
    array_free(t.seen);
    array_free(t.number);
    array_free(t.vertex);
    array_free(t.record);
    array_free(t.idom);
    array_free(t.bucket);
    array_free(t.deferred);
    array_free(t.edge);
    array_free(t.path);
    if (status)
        dominators_release(d);
    return status;
}

void dominators_release(struct dominators *d)
{
    array_free(d->dominator);
    array_free(d->retained);
    array_free(d->virtual_component);
    memset(d, 0, sizeof *d);
}
