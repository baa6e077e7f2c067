#include "what_if.h"

#include <string.h>

#include "array.h"

struct run {
    const struct graph *g;
    const struct what_if_cuts *cuts; /* or NULL */
    uint8_t *fate;
    int64_t *left;  /* refcounts as they are now */
    int64_t *count; /* scratch: what is left of them without the references of candidates */
    uint8_t *mark;  /* scratch: candidate, alive */
    ordinal *queue;
};

enum { CANDIDATE = 1, ALIVE = 2 };

/* Where a counted reference that still stands leads, ORDINAL_NONE otherwise. */
static inline ordinal edge_leads(const struct run *r, uint64_t e)
{
    if (!edge_is_counted(r->g->info[e]) || (r->cuts && r->cuts->edge[e]))
        return ORDINAL_NONE;
    return r->g->target[e];
}

/* ---- refcounting ---- */

/* Takes references from an object; whether its count reached zero by it. One that was zero before never gets there. */
static int lose(struct run *r, ordinal o, int64_t references)
{
    int64_t before = r->left[o];
    if (r->fate[o] != WHAT_IF_STAYS || graph_is_immortal(r->g, o))
        return 0;
    r->left[o] -= references;
    return before > 0 && r->left[o] <= 0;
}

/* The first `used` objects of the queue have died already; whatever loses its last reference with them has the same
 * fate. */
static void cascade(struct run *r, size_t used, enum what_if_fate fate)
{
    const struct graph *g = r->g;
    for (size_t at = 0; at < used; at++) {
        ordinal o = r->queue[at];
        for (uint64_t e = g->edge_start[o]; e < g->edge_start[o + 1]; e++) {
            ordinal t = edge_leads(r, e);
            if (t == ORDINAL_NONE || !lose(r, t, 1))
                continue;
            r->fate[t] = (uint8_t)fate;
            r->queue[used++] = t;
        }
    }
}

static size_t die(struct run *r, ordinal o, size_t used, enum what_if_fate fate)
{
    r->fate[o] = (uint8_t)fate;
    r->queue[used] = o;
    return used + 1;
}

static void cut(struct run *r)
{
    const struct graph *g = r->g;
    size_t used = 0;
    for (ordinal o = 0; o < g->objects; o++) {
        if (r->cuts->object[o] && r->fate[o] == WHAT_IF_STAYS && !graph_is_immortal(g, o))
            used = die(r, o, used, WHAT_IF_AT_ONCE);
        if (r->cuts->outside[o] && lose(r, o, r->cuts->outside[o]))
            used = die(r, o, used, WHAT_IF_AT_ONCE);
        for (uint64_t e = g->edge_start[o]; e < g->edge_start[o + 1]; e++)
            if (r->cuts->edge[e] && edge_is_counted(g->info[e]) && g->target[e] != ORDINAL_NONE &&
                lose(r, g->target[e], 1))
                used = die(r, g->target[e], used, WHAT_IF_AT_ONCE);
    }
    cascade(r, used, WHAT_IF_AT_ONCE);
}

/* ---- reachability ---- */

/* Which references a collector follows: with all of `wanted` bits, between candidates, of one heap where it says so. */
struct sight {
    unsigned wanted;
    int one_heap;
};

static inline ordinal sees(const struct run *r, const struct sight *sight, ordinal o, uint64_t e)
{
    const struct graph *g = r->g;
    ordinal t = (g->info[e] & sight->wanted) == sight->wanted ? edge_leads(r, e) : ORDINAL_NONE;
    return t != ORDINAL_NONE && r->mark[t] & CANDIDATE && (!sight->one_heap || graph_heap(g, t) == graph_heap(g, o))
               ? t
               : ORDINAL_NONE;
}

/* Among the objects marked as candidates, marks what lives: what keeps a count when the references of candidates are
 * subtracted, and what is reached from there. */
static void judge(struct run *r, struct sight sight)
{
    const struct graph *g = r->g;
    size_t used = 0;
    for (ordinal o = 0; o < g->objects; o++)
        r->count[o] = graph_is_immortal(g, o) ? INT64_MAX : r->left[o];
    for (ordinal o = 0; o < g->objects; o++)
        for (uint64_t e = g->edge_start[o]; r->mark[o] && e < g->edge_start[o + 1]; e++) {
            ordinal t = sees(r, &sight, o, e);
            if (t != ORDINAL_NONE && !graph_is_immortal(g, t))
                r->count[t]--;
        }
    for (ordinal o = 0; o < g->objects; o++)
        if (r->mark[o] && r->count[o] > 0) {
            r->mark[o] |= ALIVE;
            r->queue[used++] = o;
        }
    for (size_t at = 0; at < used; at++) {
        ordinal o = r->queue[at];
        for (uint64_t e = g->edge_start[o]; e < g->edge_start[o + 1]; e++) {
            ordinal t = sees(r, &sight, o, e);
            if (t != ORDINAL_NONE && !(r->mark[t] & ALIVE)) {
                r->mark[t] |= ALIVE;
                r->queue[used++] = t;
            }
        }
    }
}

/* Marks the garbage that a legacy finalizer keeps: objects that have one, and all garbage they reach. */
static void keep_uncollectable(struct run *r)
{
    const struct graph *g = r->g;
    size_t used = 0;
    for (ordinal o = 0; o < g->objects; o++) {
        const struct type_record *type =
            r->fate[o] == WHAT_IF_COLLECTED ? snapshot_type(g->snapshot, graph_type(g, o)) : NULL;
        if (type && type->flags & TYPE_LEGACY_FINALIZER)
            used = die(r, o, used, WHAT_IF_UNCOLLECTABLE);
    }
    for (size_t at = 0; at < used; at++) {
        ordinal o = r->queue[at];
        for (uint64_t e = g->edge_start[o]; e < g->edge_start[o + 1]; e++) {
            ordinal t = edge_is_strong(g->info[e]) ? edge_leads(r, e) : ORDINAL_NONE;
            if (t != ORDINAL_NONE && r->fate[t] == WHAT_IF_COLLECTED)
                used = die(r, t, used, WHAT_IF_UNCOLLECTABLE);
        }
    }
}

static void cascade_from(struct run *r, enum what_if_fate fate)
{
    size_t used = 0;
    for (ordinal o = 0; o < r->g->objects; o++)
        if (r->fate[o] == fate)
            r->queue[used++] = o;
    cascade(r, used, fate);
}

static void collect(struct run *r)
{
    const struct graph *g = r->g;
    for (ordinal o = 0; o < g->objects; o++)
        r->mark[o] = r->fate[o] == WHAT_IF_STAYS && garbage_is_candidate(g, o, 2) ? CANDIDATE : 0;
    judge(r, (struct sight){EDGE_STRONG, 1});
    for (ordinal o = 0; o < g->objects; o++)
        if (r->mark[o] == CANDIDATE)
            r->fate[o] = WHAT_IF_COLLECTED;
    keep_uncollectable(r);
    cascade_from(r, WHAT_IF_COLLECTED);
    cascade_from(r, WHAT_IF_UNCOLLECTABLE);
}

/* What is unreachable by the same rule with every object a candidate and every counted reference subtracted. */
static void find_invisible(struct run *r)
{
    const struct graph *g = r->g;
    for (ordinal o = 0; o < g->objects; o++)
        r->mark[o] = r->fate[o] == WHAT_IF_STAYS ? CANDIDATE : 0;
    judge(r, (struct sight){EDGE_COUNTED, 0});
    for (ordinal o = 0; o < g->objects; o++)
        if (r->mark[o] == CANDIDATE)
            r->fate[o] = WHAT_IF_INVISIBLE;
}

int what_if_run(const struct graph *g, const struct what_if_cuts *cuts, struct what_if *result)
{
    size_t n = (size_t)g->objects + 1;
    struct run r = {.g = g, .cuts = cuts};
    r.fate = array_new(n, 1);
    r.left = array_new(n, sizeof *r.left);
    r.count = array_new(n, sizeof *r.count);
    r.mark = array_new(n, 1);
    r.queue = array_new(n, sizeof *r.queue);
    int status = r.fate && r.left && r.count && r.mark && r.queue ? 0 : -1;
    if (!status) {
        for (ordinal o = 0; o < g->objects; o++)
            r.left[o] = graph_refcount(g, o);
        if (cuts)
            cut(&r);
        collect(&r);
        find_invisible(&r);
    }
    array_free(r.left);
    array_free(r.count);
    array_free(r.mark);
    array_free(r.queue);
    if (status) {
        array_free(r.fate);
        r.fate = NULL;
    }
    result->fate = r.fate;
    return status;
}

void what_if_release(struct what_if *result)
{
    array_free(result->fate);
    result->fate = NULL;
}
