#include "garbage.h"

#include <string.h>

#include "array.h"
#include "bits.h"

int garbage_is_candidate(const struct graph *g, ordinal o, int generation)
{
    unsigned state = g->state[o];
    return (int)(state & STATE_GENERATION_MASK) <= generation && state & STATE_CONTAINER &&
           !(state & (STATE_IMMORTAL | STATE_DYING));
}

/* ---- what is reached ---- */

/* How far ahead of the work the rows of a queue are fetched: first where they begin, then what they hold. */
enum { FETCH_START = 32, FETCH_ROW = 16 };

static inline void fetch_ahead(const struct graph *g, const ordinal *queue, size_t at, size_t end)
{
    if (at + FETCH_START < end)
        __builtin_prefetch(&g->edge_start[queue[at + FETCH_START]]);
    if (at + FETCH_ROW < end) {
        uint64_t first = g->edge_start[queue[at + FETCH_ROW]];
        __builtin_prefetch(&g->target[first]);
        __builtin_prefetch(&g->info[first]);
    }
}

/* Which edges carry life: those with all of `wanted` bits, between objects of `among` (NULL: all), within one heap when
 * `one_heap` is set. `simple`: every edge does; what is not of `among` refers to nothing, and is marked too. */
struct reach {
    unsigned wanted;
    const uint64_t *among;
    int one_heap, simple;
};

/* Whether life goes along edge e from o to t, which is not marked yet. */
static int carries_life(const struct graph *g, const struct reach *reach, ordinal o, uint64_t e, ordinal t)
{
    return (g->info[e] & reach->wanted) == reach->wanted && (!reach->among || bit_is_set(reach->among, t)) &&
           (!reach->one_heap || graph_heap(g, t) == graph_heap(g, o));
}

/* Marks all that is reached from the first `used` entries of `queue`, which are marked already. The queue has room for
 * every object. Breadth first: what comes next is known long enough before to be fetched. */
static void mark_reached(const struct graph *g, const struct reach *reach, uint64_t *alive, ordinal *queue, size_t used)
{
    for (size_t at = 0; at < used; at++) {
        ordinal o = queue[at];
        fetch_ahead(g, queue, at, used);
        for (uint64_t e = g->edge_start[o], end = g->edge_start[o + 1]; e < end; e++) {
            ordinal t = g->target[e];
            if (t == ORDINAL_NONE || bit_is_set(alive, t) || (!reach->simple && !carries_life(g, reach, o, e, t)))
                continue;
            bit_set(alive, t);
            queue[used] = t;
            used += !reach->simple || bit_is_set(reach->among, t);
        }
    }
}

/* ---- garbage ---- */

/* What the passes over one generation share. */
struct judging {
    const struct graph *g;
    uint8_t *fate;
    uint64_t *candidate, *alive;
    int64_t *count; /* of candidates: references from outside the candidates; NULL when simple */
    ordinal *queue;
    /* One heap, every edge strong, and nothing but candidates refers to anything: then the references inside the heap
     * are those inside the candidates, and what the collector cannot see is atomic. */
    int simple;
};

static int is_subtracted(const struct graph *g, const uint64_t *candidate, ordinal from, uint64_t e)
{
    ordinal t = g->target[e];
    return t != ORDINAL_NONE && edge_is_strong(g->info[e]) && bit_is_set(candidate, t) &&
           graph_heap(g, t) == graph_heap(g, from);
}

static int is_simple(const struct judging *j)
{
    const struct graph *g = j->g;
    int simple = !g->not_strong && !g->heap.width;
    for (ordinal o = 0; o < g->objects && simple; o++)
        simple = bit_is_set(j->candidate, o) || !graph_degree(g, o);
    return simple;
}

static int count_from_outside(struct judging *j)
{
    const struct graph *g = j->g;
    j->count = array_raw((size_t)g->objects + 1, sizeof *j->count);
    if (!j->count)
        return -1;
    for (ordinal o = 0; o < g->objects; o++)
        j->count[o] = graph_refcount(g, o);
    for (ordinal o = 0; o < g->objects; o++)
        for (uint64_t e = g->edge_start[o]; bit_is_set(j->candidate, o) && e < g->edge_start[o + 1]; e++)
            if (is_subtracted(g, j->candidate, o, e))
                j->count[g->target[e]]--;
    return 0;
}

/* The collector's rule. fate[o] becomes FATE_GARBAGE where it strikes. */
static int judge_candidates(struct judging *j, int generation)
{
    const struct graph *g = j->g;
    size_t used = 0;
    for (ordinal o = 0; o < g->objects; o++)
        if (garbage_is_candidate(g, o, generation))
            bit_set(j->candidate, o);
    j->simple = is_simple(j);
    const struct reach reach = {EDGE_STRONG, j->candidate, 1, j->simple};
    if (!j->simple && count_from_outside(j))
        return -1;
    for (ordinal o = 0; o < g->objects; o++)
        if (bit_is_set(j->candidate, o) && (j->simple ? graph_external(g, o) : j->count[o]) > 0) {
            bit_set(j->alive, o);
            j->queue[used++] = o;
        }
    mark_reached(g, &reach, j->alive, j->queue, used);
    for (ordinal o = 0; o < g->objects; o++)
        if (bit_is_set(j->candidate, o) && !bit_is_set(j->alive, o))
            j->fate[o] = FATE_GARBAGE;
    return 0;
}

/* Frees the garbage as refcounting would: what loses its last reference with it is dependent. */
static int find_dependents(struct judging *j)
{
    const struct graph *g = j->g;
    uint32_t *lost = array_new((size_t)g->objects + 1, sizeof *lost); /* references, of few objects */
    size_t used = 0;
    if (!lost)
        return -1;
    for (ordinal o = 0; o < g->objects; o++)
        if (j->fate[o] == FATE_GARBAGE)
            j->queue[used++] = o;
    for (size_t at = 0; at < used; at++) {
        ordinal o = j->queue[at];
        fetch_ahead(g, j->queue, at, used);
        for (uint64_t e = g->edge_start[o]; e < g->edge_start[o + 1]; e++) {
            ordinal t = g->target[e];
            if (t == ORDINAL_NONE || !edge_is_counted(g->info[e]) || j->fate[t] != FATE_LIVE ||
                graph_is_immortal(g, t) || lost[t] == UINT32_MAX || ++lost[t] != graph_refcount(g, t))
                continue;
            j->fate[t] = FATE_DEPENDENT;
            j->queue[used++] = t;
        }
    }
    array_free(lost);
    return 0;
}

/* The rule with every object a candidate and every counted edge subtracted. */
static void find_invisible(struct judging *j)
{
    const struct graph *g = j->g;
    if (j->simple) {
        for (ordinal o = 0; o < g->objects; o++)
            if (j->fate[o] == FATE_LIVE && !bit_is_set(j->candidate, o) && !graph_is_immortal(g, o) &&
                graph_external(g, o) <= 0 && !bit_is_set(j->alive, o))
                j->fate[o] = FATE_INVISIBLE;
        return;
    }
    const struct reach reach = {EDGE_COUNTED, NULL, 0, 0};
    size_t used = 0;
    memset(j->alive, 0, ((size_t)g->objects / 64 + 1) * sizeof *j->alive);
    for (ordinal o = 0; o < g->objects; o++)
        if (graph_is_immortal(g, o) || graph_external(g, o) > 0) {
            bit_set(j->alive, o);
            j->queue[used++] = o;
        }
    mark_reached(g, &reach, j->alive, j->queue, used);
    for (ordinal o = 0; o < g->objects; o++)
        if (!bit_is_set(j->alive, o) && j->fate[o] == FATE_LIVE)
            j->fate[o] = FATE_INVISIBLE;
}

static void count_up(const struct graph *g, struct garbage *r)
{
    struct tally *by_fate[] = {NULL, &r->garbage, &r->dependent, &r->invisible};
    for (ordinal o = 0; o < g->objects; o++)
        if (r->fate[o] != FATE_LIVE) {
            by_fate[r->fate[o]]->objects++;
            by_fate[r->fate[o]]->bytes += graph_size(g, o);
        }
}

int garbage_find(const struct graph *g, int generation, struct garbage *r)
{
    size_t n = (size_t)g->objects + 1;
    memset(r, 0, sizeof *r);
    r->fate = array_new(n, 1);
    struct judging j = {.g = g, .fate = r->fate};
    j.candidate = bits_new(g->objects);
    j.alive = bits_new(g->objects);
    j.queue = array_raw(n, sizeof *j.queue);
    int status = r->fate && j.candidate && j.alive && j.queue ? 0 : -1;
    if (!status)
        status = judge_candidates(&j, generation);
    if (!status)
        status = find_dependents(&j);
    if (!status && generation == 2)
        find_invisible(&j);
    if (!status)
        count_up(g, r);
    array_free(j.candidate);
    array_free(j.alive);
    array_free(j.count);
    array_free(j.queue);
    if (status)
        garbage_release(r);
    return status;
}

void garbage_release(struct garbage *garbage)
{
    array_free(garbage->fate);
    memset(garbage, 0, sizeof *garbage);
}

uint64_t garbage_uncollectable(const struct graph *g, const struct garbage *garbage, uint8_t *marked)
{
    ordinal *stack = array_new((size_t)g->objects + 1, sizeof *stack);
    size_t used = 0;
    uint64_t n = 0;
    if (!stack)
        return UINT64_MAX;
    for (ordinal o = 0; o < g->objects; o++) {
        const struct type_record *type =
            garbage->fate[o] == FATE_GARBAGE ? snapshot_type(g->snapshot, graph_type(g, o)) : NULL;
        if (type && type->flags & TYPE_LEGACY_FINALIZER) {
            marked[o] = 1;
            stack[used++] = o;
        }
    }
    while (used) {
        ordinal o = stack[--used];
        n++;
        for (uint64_t e = g->edge_start[o]; e < g->edge_start[o + 1]; e++) {
            ordinal t = g->target[e];
            if (t != ORDINAL_NONE && !marked[t] && garbage->fate[t] == FATE_GARBAGE && edge_is_strong(g->info[e])) {
                marked[t] = 1;
                stack[used++] = t;
            }
        }
    }
    array_free(stack);
    return n;
}
