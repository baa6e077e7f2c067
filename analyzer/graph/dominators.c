#include "dominators.h"

#include <string.h>

#include "array.h"
#include "parallel.h"

/* Work in preorder numbers: vertex 0 is the super-root. */

/* A vertex in the forest of those whose semidominators are known, its paths compressed. */
struct link {
    ordinal above; /* an ancestor */
    ordinal least; /* the least semidominator from here up to below it */
};

/* The same memory later: a vertex of the dominator tree, with a way to climb it in logarithmic time. */
struct climb {
    ordinal jump; /* an ancestor */
    ordinal depth;
};

struct tree {
    struct spanning *s;
    ordinal *dominator; /* by number: the parent in the depth-first tree, until it is known better */
    struct visit *visit;
    ordinal visited;
    ordinal *later; /* predecessors that come after a vertex, by vertex */
    uint64_t crossings;
    union {
        struct link link;
        struct climb climb;
    } * record;
    uint64_t *retained;
    struct dominators *d;
};

/* ---- edges that are not of the depth-first tree ---- */

/* How far ahead of the work things are fetched. */
enum { FETCH = 16 };

/* Sorts what is left of them by their targets: those of number 1 first. */
static int sort_crossings(struct tree *t)
{
    const struct pending *crossing = t->s->crossing;
    t->crossings = t->s->crossings;
    uint64_t *at = array_raw((size_t)t->visited + 1, sizeof *at), sum = 0;
    t->later = array_raw(t->crossings + 1, sizeof *t->later);
    if (!at || !t->later) {
        array_free(at);
        return -1;
    }
    for (ordinal w = 0; w < t->visited; w++) {
        at[w] = sum;
        sum += t->visit[w].later;
    }
    for (uint64_t i = 0; i < t->crossings; i++) {
        if (i + 2 * FETCH < t->crossings) {
            __builtin_prefetch(&at[crossing[i + 2 * FETCH].to], 1);
            __builtin_prefetch(&t->later[at[crossing[i + FETCH].to]], 1);
        }
        t->later[at[crossing[i].to]++] = crossing[i].from;
    }
    array_free(at);
    array_free(t->s->crossing);
    t->s->crossing = NULL;
    return 0;
}

/* ---- semidominators and dominators ---- */

/* The least semidominator on the path from v up to what was not linked yet (numbers below `linked`); compresses the
 * path. `path` has room for every vertex. */
static inline ordinal evaluate(struct tree *t, ordinal v, ordinal linked, ordinal *path)
{
    size_t depth = 0;
    if (t->record[v].link.above < linked)
        return t->record[v].link.least;
    do {
        path[depth++] = v;
        v = t->record[v].link.above;
    } while (t->record[v].link.above >= linked);
    ordinal above = t->record[v].link.above, least = t->record[v].link.least;
    while (depth) {
        struct link *link = &t->record[path[--depth]].link;
        link->above = above;
        if (least < link->least)
            link->least = least;
        least = link->least;
    }
    return least;
}

/* Walks ahead of the evaluations. */
struct scouts {
    uint64_t from;   /* the edges from here on were looked at */
    uint64_t credit; /* steps that may be taken: so many an edge, whatever the heap looks like */
};
enum { SCOUTS = 32, STEPS_AN_EDGE = 32 };

/* Walks the ways up from the sources of the next edges, all in step, so that the waits for memory of many fall
 * together; evaluate() finds them fetched, and shortens them: where ways are long, and walked here again and again,
 * credit ends. Vertices below `linked` are not linked. */
static void scout(const struct tree *t, struct scouts *s, ordinal linked)
{
    ordinal way[SCOUTS];
    unsigned ways = s->from < SCOUTS ? (unsigned)s->from : SCOUTS, left = 0;
    for (unsigned i = 0; i < ways; i++) {
        ordinal v = t->later[--s->from];
        way[left] = v;
        left += v >= linked;
        __builtin_prefetch(&t->record[v]);
    }
    s->credit += ways * STEPS_AN_EDGE;
    while (left && s->credit >= left) {
        unsigned last = left;
        s->credit -= left;
        left = 0;
        for (unsigned i = 0; i < last; i++) {
            ordinal above = t->record[way[i]].link.above;
            __builtin_prefetch(&t->record[above]);
            way[left] = above;
            left += above >= linked;
        }
    }
}

static int find_semidominators(struct tree *t)
{
    ordinal *path = array_raw((size_t)t->visited + 1, sizeof *path);
    t->record = array_raw((size_t)t->visited + 1, sizeof *t->record);
    if (!path || !t->record) {
        array_free(path);
        return -1;
    }
    uint64_t at = t->crossings;
    struct scouts scouts = {at, 0};
    for (ordinal w = t->visited - 1; w > 0; w--) {
        ordinal semi = t->visit[w].semi;
        for (ordinal n = t->visit[w].later; n > 0; n--) {
            if (at-- == scouts.from)
                scout(t, &scouts, w + 1);
            ordinal least = semi ? evaluate(t, t->later[at], w + 1, path) : 0;
            semi = least < semi ? least : semi;
        }
        t->visit[w].semi = semi;
        t->record[w].link = (struct link){t->dominator[w], semi};
    }
    array_free(path);
    array_free(t->later);
    t->later = NULL;
    return 0;
}

/* The dominator of each vertex is the first of its parent and the parent's dominators that is not below its
 * semidominator. */
static void find_dominators(struct tree *t)
{
    t->record[0].climb = (struct climb){0, 0};
    for (ordinal w = 1; w < t->visited; w++) {
        ordinal above = t->dominator[w], semi = t->visit[w].semi;
        while (above > semi)
            above = t->record[above].climb.jump > semi ? t->record[above].climb.jump : t->dominator[above];
        t->dominator[w] = above;
        const struct climb *a = &t->record[above].climb, *b = &t->record[a->jump].climb, *c = &t->record[b->jump].climb;
        t->record[w].climb = (struct climb){a->depth - b->depth == b->depth - c->depth ? b->jump : above, a->depth + 1};
    }
}

/* ---- retained sizes ---- */

static void gather_part_of_sizes(void *context, unsigned part, unsigned parts)
{
    struct tree *t = context;
    const struct graph *g = t->s->flow.rows.g;
    const ordinal *vertex = t->s->vertex;
    ordinal end = (ordinal)part_begin(t->visited, part + 1, parts);
    for (ordinal w = (ordinal)part_begin(t->visited, part, parts); w < end; w++) {
        if (w + FETCH < end && vertex[w + FETCH] < g->objects)
            column_fetch(&g->size, vertex[w + FETCH]);
        t->retained[w] = vertex[w] < g->objects ? graph_size(g, vertex[w]) : 0;
    }
}

static int add_up(struct tree *t)
{
    t->retained = array_raw(t->visited, sizeof *t->retained);
    if (!t->retained)
        return -1;
    parallel_run(parallel_parts(t->visited), gather_part_of_sizes, t);
    for (ordinal w = t->visited - 1; w > 0; w--)
        t->retained[t->dominator[w]] += t->retained[w];
    return 0;
}

/* ---- all of it ---- */

/* From a finished search to dominators and retained sizes by number. */
static int solve(struct tree *t)
{
    t->dominator = t->s->parent;
    t->visit = t->s->visit;
    t->visited = t->s->visited;
    if (sort_crossings(t) || find_semidominators(t))
        return -1;
    find_dominators(t);
    array_free(t->s->visit);
    array_free(t->record);
    t->s->visit = NULL;
    t->record = NULL;
    return add_up(t);
}

static void release_tree(struct tree *t)
{
    spanning_release(t->s);
    array_free(t->later);
    array_free(t->record);
    array_free(t->retained);
}

static void hand_out_part(void *context, unsigned part, unsigned parts)
{
    struct tree *t = context;
    struct dominators *d = t->d;
    const ordinal *number = t->s->number, *vertex = t->s->vertex, *dominator = t->dominator;
    ordinal end = (ordinal)part_begin(d->vertices, part + 1, parts);
    for (ordinal v = (ordinal)part_begin(d->vertices, part, parts); v < end; v++) {
        if (v + 2 * FETCH < end) {
            __builtin_prefetch(&dominator[number[v + 2 * FETCH]]);
            __builtin_prefetch(&t->retained[number[v + 2 * FETCH]]);
            __builtin_prefetch(&vertex[dominator[number[v + FETCH]]]);
        }
        d->dominator[v] = vertex[dominator[number[v]]];
        d->retained[v] = t->retained[number[v]];
    }
}

int dominators_build(const struct graph *g, const struct garbage *garbage, const struct components *components,
                     struct spanning *begun, struct dominators *d)
{
    struct spanning own = {0};
    struct tree t = {.s = begun ? begun : &own, .d = d};
    memset(d, 0, sizeof *d);
    int status = spanning_finish(g, garbage, components, 0, t.s) || solve(&t) ? -1 : 0;
    if (!status) {
        d->objects = t.s->flow.rows.objects;
        d->virtuals = t.s->flow.virtuals;
        d->vertices = t.s->vertices;
        d->virtual_component = t.s->flow.virtual_component;
        t.s->flow.virtual_component = NULL;
        d->dominator = array_raw((size_t)d->vertices + 1, sizeof *d->dominator);
        d->retained = array_raw((size_t)d->vertices + 1, sizeof *d->retained);
        status = d->dominator && d->retained ? 0 : -1;
    }
    if (!status) {
        parallel_run(parallel_parts(d->vertices), hand_out_part, &t);
        d->dominator[dominators_root(d)] = ORDINAL_NONE;
    } else {
        dominators_release(d);
    }
    release_tree(&t);
    return status;
}

int dominators_of_cycles(const struct graph *g, const struct garbage *garbage, const struct components *components,
                         uint64_t *retained)
{
    struct spanning search = {0};
    struct tree t = {.s = &search};
    int status = spanning_finish(g, garbage, components, 1, &search) || solve(&t) ? -1 : 0;
    for (ordinal i = 0; !status && i < search.flow.virtuals; i++)
        retained[search.flow.virtual_component[i]] = t.retained[search.number[search.flow.rows.objects + i]];
    release_tree(&t);
    return status;
}

void dominators_release(struct dominators *d)
{
    array_free(d->dominator);
    array_free(d->retained);
    array_free(d->virtual_component);
    memset(d, 0, sizeof *d);
}
