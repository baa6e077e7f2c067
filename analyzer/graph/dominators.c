#include "dominators.h"

#include <string.h>

#include "array.h"

/* Work in preorder numbers: vertex 0 is the super-root. */
struct tree {
    const struct graph *g;
    const struct garbage *garbage;
    const struct components *components;
    int dead_only;
    struct dominators *d;
    ordinal *gate;     /* by component: the virtual node that edges into it lead to, or ORDINAL_NONE; NULL: no gates */
    uint8_t *attached; /* by vertex: it is a child of the super-root */
    ordinal *number;   /* by vertex: preorder number, ORDINAL_NONE unvisited */
    ordinal *vertex;   /* by number */
    ordinal *parent;   /* by number: in the depth-first tree; compressed later */
    ordinal *semi, *label;
    ordinal *idom;
    ordinal *bucket, *next; /* by number: whose semidominator it is, as a list */
    uint64_t *pred_start;   /* by number */
    ordinal *pred;
    uint64_t *edge; /* by depth, while searching */
    ordinal *path;  /* by depth: numbers */
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
    if (t->dead_only)
        t->gate = array_new((size_t)c->count + 1, sizeof *t->gate);
    if (!d->virtual_component || (t->dead_only && !t->gate))
        return -1;
    for (ordinal i = 0; i < c->count; i++) {
        if (t->gate)
            t->gate[i] = ORDINAL_NONE;
        if (!c->cyclic[i] || (c->reached[i] && !t->gate))
            continue;
        if (t->gate)
            t->gate[i] = d->objects + d->virtuals;
        d->virtual_component[d->virtuals++] = i;
    }
    d->vertices = d->objects + d->virtuals + 1;
    return 0;
}

/* The gate of the cycle that `o` is a member of, or ORDINAL_NONE. */
static ordinal gate_of(const struct tree *t, ordinal o)
{
    return t->gate && t->components->component[o] != ORDINAL_NONE ? t->gate[t->components->component[o]] : ORDINAL_NONE;
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
    if (t->gate && gate_of(t, to) != ORDINAL_NONE && t->components->component[v] != t->components->component[to])
        return gate_of(t, to);
    return to;
}

/* ---- depth-first search ---- */

static ordinal visit(struct tree *t, ordinal vertex, ordinal parent)
{
    ordinal number = t->visited++;
    t->number[vertex] = number;
    t->vertex[number] = vertex;
    t->parent[number] = parent;
    return number;
}

static void search_from(struct tree *t, ordinal start)
{
    size_t depth = 0;
    t->attached[start] = 1;
    if (t->number[start] != ORDINAL_NONE)
        return;
    t->path[0] = visit(t, start, 0);
    t->edge[0] = edges_begin(t, start);
    for (;;) {
        ordinal v = t->vertex[t->path[depth]], into = ORDINAL_NONE;
        uint64_t e = t->edge[depth], end = edges_end(t, v);
        while (e < end && into == ORDINAL_NONE) {
            into = edge_leads(t, v, e++);
            if (into != ORDINAL_NONE && t->number[into] != ORDINAL_NONE)
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
        if (is_part(t, o) && t->number[o] == ORDINAL_NONE)
            search_from(t, gate_of(t, o) == ORDINAL_NONE ? o : gate_of(t, o));
}

/* ---- predecessors, by preorder number ---- */

static void count_or_place(struct tree *t, ordinal from, ordinal to, int place)
{
    ordinal number = t->number[to];
    if (place)
        t->pred[t->pred_start[number + 1]++] = from;
    else
        t->pred_start[number + 2]++;
}

static void each_edge(struct tree *t, int place)
{
    for (ordinal number = 1; number < t->visited; number++) {
        ordinal v = t->vertex[number];
        if (t->attached[v])
            count_or_place(t, 0, v, place);
        for (uint64_t e = edges_begin(t, v), end = edges_end(t, v); e < end; e++) {
            ordinal to = edge_leads(t, v, e);
            if (to != ORDINAL_NONE)
                count_or_place(t, number, to, place);
        }
    }
}

static int find_predecessors(struct tree *t)
{
    size_t n = (size_t)t->d->vertices;
    t->pred_start = array_new(n + 2, sizeof *t->pred_start);
    if (!t->pred_start)
        return -1;
    each_edge(t, 0);
    for (size_t i = 0; i < n; i++)
        t->pred_start[i + 2] += t->pred_start[i + 1];
    t->pred = array_new(t->pred_start[n + 1] + 1, sizeof *t->pred);
    if (!t->pred)
        return -1;
    each_edge(t, 1);
    return 0;
}

/* ---- semidominators and dominators, after Lengauer and Tarjan (1979), with simple path compression ---- */

/* The vertex of least semidominator on the path from v up to what was not linked yet (numbers below `linked`);
 * compresses the path. */
static ordinal evaluate(struct tree *t, ordinal v, ordinal linked, ordinal *stack)
{
    size_t depth = 0;
    if (t->parent[v] < linked)
        return t->label[v];
    do {
        stack[depth++] = v;
        v = t->parent[v];
    } while (t->parent[v] >= linked);
    while (depth) {
        ordinal above = v;
        v = stack[--depth];
        t->parent[v] = t->parent[above];
        if (t->semi[t->label[above]] < t->semi[t->label[v]])
            t->label[v] = t->label[above];
    }
    return t->label[v];
}

/* Each vertex whose semidominator is `parent` has it for its dominator, or that of a vertex on the way down to it. */
static void empty_bucket(struct tree *t, ordinal parent, ordinal linked)
{
    for (ordinal v = t->bucket[parent]; v != ORDINAL_NONE; v = t->next[v]) {
        ordinal u = evaluate(t, v, linked, t->path);
        t->idom[v] = t->semi[u] < parent ? u : parent;
    }
    t->bucket[parent] = ORDINAL_NONE;
}

static int find_dominators(struct tree *t)
{
    size_t n = (size_t)t->d->vertices + 1;
    t->semi = array_new(n, sizeof *t->semi);
    t->label = array_new(n, sizeof *t->label);
    t->idom = array_new(n, sizeof *t->idom);
    t->bucket = array_new(n, sizeof *t->bucket);
    t->next = array_new(n, sizeof *t->next);
    if (!t->semi || !t->label || !t->idom || !t->bucket || !t->next)
        return -1;
    for (ordinal i = 0; i < t->visited; i++) {
        t->semi[i] = t->label[i] = i;
        t->idom[i] = t->parent[i];
        t->bucket[i] = ORDINAL_NONE;
    }
    for (ordinal w = t->visited - 1; w > 0; w--) {
        ordinal semi = t->parent[w];
        for (uint64_t p = t->pred_start[w]; p < t->pred_start[w + 1]; p++) {
            ordinal u = t->semi[evaluate(t, t->pred[p], w + 1, t->path)];
            semi = u < semi ? u : semi;
        }
        t->semi[w] = semi;
        /* idom is the parent in the depth-first tree until the vertex is taken out of its bucket. */
        ordinal parent = t->idom[w];
        if (semi != parent) {
            t->next[w] = t->bucket[semi];
            t->bucket[semi] = w;
        }
        empty_bucket(t, parent, w);
    }
    for (ordinal w = 1; w < t->visited; w++)
        if (t->idom[w] != t->semi[w])
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
        t.attached = array_new(n, 1);
        t.number = array_new(n, sizeof *t.number);
        t.vertex = array_new(n, sizeof *t.vertex);
        t.parent = array_new(n, sizeof *t.parent);
        t.edge = array_new(n, sizeof *t.edge);
        t.path = array_new(n, sizeof *t.path);
        d->dominator = array_new(n, sizeof *d->dominator);
        d->retained = array_new(n, sizeof *d->retained);
        status =
            t.attached && t.number && t.vertex && t.parent && t.edge && t.path && d->dominator && d->retained ? 0 : -1;
        if (!status)
            memset(t.number, 0xff, n * sizeof *t.number);
    }
    if (!status) {
        search(&t);
        array_free(t.edge);
        t.edge = NULL;
        status = find_predecessors(&t);
    }
    if (!status)
        status = find_dominators(&t);
    if (!status)
        hand_out(&t);
    array_free(t.gate);
    array_free(t.attached);
    array_free(t.number);
    array_free(t.vertex);
    array_free(t.parent);
    array_free(t.edge);
    array_free(t.path);
    array_free(t.semi);
    array_free(t.label);
    array_free(t.idom);
    array_free(t.bucket);
    array_free(t.next);
    array_free(t.pred_start);
    array_free(t.pred);
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
