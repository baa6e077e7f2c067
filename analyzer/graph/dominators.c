#include "dominators.h"

#include <string.h>

#include "array.h"

/* Work in preorder numbers: vertex 0 is the super-root. */
struct tree {
    const struct graph *g;
    const struct components *components;
    const uint8_t *fate;
    int dead_only;
    struct dominators *d;
    ordinal *number; /* by vertex: preorder number, ORDINAL_NONE unvisited */
    ordinal *vertex; /* by number */
    ordinal *parent; /* by number: in the depth-first tree; compressed later */
    ordinal *semi, *label;
    ordinal *idom;
    uint64_t *pred_start; /* by number */
    ordinal *pred;
    uint64_t *edge; /* by depth, while searching */
    ordinal *path;  /* by depth: numbers */
    ordinal visited;
};

/* ---- who hangs directly under the super-root ---- */

static int is_child_of_root(const struct graph *g, const struct garbage *garbage, ordinal o)
{
    if (graph_is_immortal(g, o) || g->internal[o] == 0)
        return 1;
    return garbage->fate[o] == FATE_LIVE &&
           (graph_external(g, o) > 0 || graph_generation(g, o) == GENERATION_PERMANENT);
}

/* Whether an object is in the part the tree is built for. */
static int is_part(const struct tree *t, ordinal o)
{
    return !t->dead_only || t->fate[o] != FATE_LIVE;
}

static int find_source_cycles(const struct components *c, struct dominators *d)
{
    d->virtual_component = array_new((size_t)c->count + 1, sizeof *d->virtual_component);
    if (!d->virtual_component)
        return -1;
    for (ordinal i = 0; i < c->count; i++)
        if (c->cyclic[i] && !c->reached[i])
            d->virtual_component[d->virtuals++] = i;
    return 0;
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

static void search_from(struct tree *t, ordinal start, ordinal parent)
{
    const struct graph *g = t->g;
    size_t depth = 0;
    if (t->number[start] != ORDINAL_NONE)
        return;
    t->path[0] = visit(t, start, parent);
    t->edge[0] = g->edge_start[start];
    for (;;) {
        ordinal o = t->vertex[t->path[depth]];
        uint64_t e = t->edge[depth], end = g->edge_start[o + 1];
        while (e < end && (g->target[e] == ORDINAL_NONE || !edge_is_counted(g->info[e]) ||
                           t->number[g->target[e]] != ORDINAL_NONE || !is_part(t, g->target[e])))
            e++;
        t->edge[depth] = e + 1;
        if (e < end) {
            ordinal into = g->target[e];
            ordinal number = visit(t, into, t->path[depth]);
            depth++;
            t->path[depth] = number;
            t->edge[depth] = g->edge_start[into];
        } else if (depth-- == 0) {
            return;
        }
    }
}

static void search(struct tree *t, const struct garbage *garbage, uint8_t *attached)
{
    const struct graph *g = t->g;
    visit(t, dominators_root(t->d), 0);
    for (ordinal o = 0; o < g->objects; o++)
        if (is_part(t, o) && (attached[o] = (uint8_t)is_child_of_root(g, garbage, o)))
            search_from(t, o, 0);
    for (ordinal v = 0; v < t->d->virtuals; v++) {
        ordinal c = t->d->virtual_component[v], number = visit(t, g->objects + v, 0);
        for (ordinal m = t->components->member_start[c]; m < t->components->member_start[c + 1]; m++)
            search_from(t, t->components->member[m], number);
    }
    /* Only a heap whose counts are wrong has anything left. */
    for (ordinal o = 0; o < g->objects; o++)
        if (is_part(t, o) && t->number[o] == ORDINAL_NONE) {
            attached[o] = 1;
            search_from(t, o, 0);
        }
}

/* ---- predecessors, by preorder number ---- */

static void count_or_place(struct tree *t, ordinal from, ordinal to, int place)
{
    ordinal number = t->number[to];
    if (place)
        t->pred[t->pred_start[number + 1]++] = t->number[from];
    else
        t->pred_start[number + 2]++;
}

static void each_edge(struct tree *t, const uint8_t *attached, int place)
{
    const struct graph *g = t->g;
    for (ordinal number = 0; number < t->visited; number++) {
        ordinal v = t->vertex[number];
        if (v >= g->objects)
            continue;
        if (attached[v])
            count_or_place(t, dominators_root(t->d), v, place);
        for (uint64_t e = g->edge_start[v]; e < g->edge_start[v + 1]; e++)
            if (g->target[e] != ORDINAL_NONE && edge_is_counted(g->info[e]) && is_part(t, g->target[e]))
                count_or_place(t, v, g->target[e], place);
    }
    for (ordinal v = 0; v < t->d->virtuals; v++) {
        ordinal c = t->d->virtual_component[v];
        count_or_place(t, dominators_root(t->d), g->objects + v, place);
        for (ordinal m = t->components->member_start[c]; m < t->components->member_start[c + 1]; m++)
            count_or_place(t, g->objects + v, t->components->member[m], place);
    }
}

static int find_predecessors(struct tree *t, const uint8_t *attached)
{
    size_t n = (size_t)t->d->vertices;
    t->pred_start = array_new(n + 2, sizeof *t->pred_start);
    if (!t->pred_start)
        return -1;
    each_edge(t, attached, 0);
    for (size_t i = 0; i < n; i++)
        t->pred_start[i + 2] += t->pred_start[i + 1];
    t->pred = array_new(t->pred_start[n + 1] + 1, sizeof *t->pred);
    if (!t->pred)
        return -1;
    each_edge(t, attached, 1);
    return 0;
}

/* ---- SEMI-NCA ---- */

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

static int find_dominators(struct tree *t)
{
    size_t n = (size_t)t->d->vertices + 1;
    t->semi = array_new(n, sizeof *t->semi);
    t->label = array_new(n, sizeof *t->label);
    t->idom = array_new(n, sizeof *t->idom);
    if (!t->semi || !t->label || !t->idom)
        return -1;
    for (ordinal i = 0; i < t->visited; i++) {
        t->semi[i] = t->label[i] = i;
        t->idom[i] = t->parent[i];
    }
    for (ordinal w = t->visited - 1; w > 0; w--) {
        ordinal semi = t->parent[w];
        for (uint64_t p = t->pred_start[w]; p < t->pred_start[w + 1]; p++) {
            ordinal u = t->semi[evaluate(t, t->pred[p], w + 1, t->path)];
            semi = u < semi ? u : semi;
        }
        t->semi[w] = semi;
    }
    for (ordinal w = 1; w < t->visited; w++)
        while (t->idom[w] > t->semi[w])
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
    if (find_source_cycles(components, d)) {
        dominators_release(d);
        return -1;
    }
    d->vertices = d->objects + d->virtuals + 1;
    size_t n = (size_t)d->vertices + 1;
    struct tree t = {
        .g = g, .components = components, .fate = garbage->fate, .dead_only = part == DOMINATORS_DEAD, .d = d};
    uint8_t *attached = array_new(n, 1); /* to the super-root */
    t.number = array_new(n, sizeof *t.number);
    t.vertex = array_new(n, sizeof *t.vertex);
    t.parent = array_new(n, sizeof *t.parent);
    t.edge = array_new(n, sizeof *t.edge);
    t.path = array_new(n, sizeof *t.path);
    d->dominator = array_new(n, sizeof *d->dominator);
    d->retained = array_new(n, sizeof *d->retained);
    int status =
        attached && t.number && t.vertex && t.parent && t.edge && t.path && d->dominator && d->retained ? 0 : -1;
    if (!status) {
        memset(t.number, 0xff, n * sizeof *t.number);
        search(&t, garbage, attached);
        array_free(t.edge);
        t.edge = NULL;
        status = find_predecessors(&t, attached);
    }
    if (!status)
        status = find_dominators(&t);
    if (!status)
        hand_out(&t);
    array_free(attached);
    array_free(t.number);
    array_free(t.vertex);
    array_free(t.parent);
    array_free(t.edge);
    array_free(t.path);
    array_free(t.semi);
    array_free(t.label);
    array_free(t.idom);
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
