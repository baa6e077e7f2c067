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
 * `one_heap` is set. */
struct reach {
    unsigned wanted;
    const uint64_t *among;
    int one_heap;
};

/* Marks all that is reached from the first `used` entries of `queue`, which are marked already. The queue has room for
 * every object. Breadth first: what comes next is known long enough before to be fetched. */
static void mark_reached(const struct graph *g, const struct reach *reach, uint64_t *alive, ordinal *queue, size_t used)
{
    for (size_t at = 0; at < used; at++) {
        ordinal o = queue[at];
        fetch_ahead(g, queue, at, used);
        for (uint64_t e = g->edge_start[o], end = g->edge_start[o + 1]; e < end; e++) {
            ordinal t = g->target[e];
            if (t == ORDINAL_NONE || bit_is_set(alive, t) || (g->info[e] & reach->wanted) != reach->wanted ||
                (reach->among && !bit_is_set(reach->among, t)) || (reach->one_heap && g->heap[t] != g->heap[o]))
                continue;
            bit_set(alive, t);
            queue[used++] = t;
        }
    }
}

/* ---- garbage ---- */

/* What the passes over one generation share. */
struct judging {
    const struct graph *g;
    uint8_t *fate;
    uint64_t *candidate, *alive;
    int64_t *count; /* of candidates: references from outside the candidates */
    ordinal *queue;
    /* One heap, every counted edge strong, and nothing but candidates refers to anything: then the references inside
     * the heap are those inside the candidates, and what the collector cannot see is atomic. */
    int simple;
};

static int is_subtracted(const struct graph *g, const uint64_t *candidate, ordinal from, uint64_t e)
{
    ordinal t = g->target[e];
    return t != ORDINAL_NONE && edge_is_strong(g->info[e]) && bit_is_set(candidate, t) && g->heap[t] == g->heap[from];
}

static int is_simple(const struct judging *j)
{
    const struct graph *g = j->g;
    unsigned owned = 0;
    for (uint64_t e = 0; e < g->edges; e++)
        owned |= (g->info[e] & EDGE_STRONG) == EDGE_COUNTED;
    for (ordinal o = 0; o < g->objects && !owned; o++)
        owned |= g->heap[o] != g->heap[0] || (!bit_is_set(j->candidate, o) && g->edge_start[o + 1] != g->edge_start[o]);
    return !owned;
}

static void count_from_outside(struct judging *j)
{
    const struct graph *g = j->g;
    if (j->simple) {
        for (ordinal o = 0; o < g->objects; o++)
            j->count[o] = graph_external(g, o);
        return;
    }
    for (ordinal o = 0; o < g->objects; o++)
        j->count[o] = g->refcount[o];
    for (ordinal o = 0; o < g->objects; o++)
        for (uint64_t e = g->edge_start[o]; bit_is_set(j->candidate, o) && e < g->edge_start[o + 1]; e++)
            if (is_subtracted(g, j->candidate, o, e))
                j->count[g->target[e]]--;
}

/* The collector's rule. fate[o] becomes FATE_GARBAGE where it strikes. */
static void judge_candidates(struct judging *j, int generation)
{
    const struct graph *g = j->g;
    const struct reach reach = {EDGE_STRONG, j->candidate, 1};
    size_t used = 0;
    for (ordinal o = 0; o < g->objects; o++)
        if (garbage_is_candidate(g, o, generation))
            bit_set(j->candidate, o);
    j->simple = is_simple(j);
    count_from_outside(j);
    for (ordinal o = 0; o < g->objects; o++)
        if (j->count[o] > 0 && bit_is_set(j->candidate, o)) {
            bit_set(j->alive, o);
            j->queue[used++] = o;
        }
    mark_reached(g, &reach, j->alive, j->queue, used);
    for (ordinal o = 0; o < g->objects; o++)
        if (bit_is_set(j->candidate, o) && !bit_is_set(j->alive, o))
            j->fate[o] = FATE_GARBAGE;
}

/* Frees the garbage as refcounting would: what loses its last reference with it is dependent. */
static int find_dependents(struct judging *j)
{
    const struct graph *g = j->g;
    int64_t *lost = array_new((size_t)g->objects + 1, sizeof *lost); /* references, of few objects */
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
                graph_is_immortal(g, t) || ++lost[t] != g->refcount[t])
                continue;
            j->fate[t] = FATE_DEPENDENT;
            j->queue[used++] = t;
        }
    }
    array_free(lost);
    return 0;
}

/* Whether something alive refers to an object that nothing outside the heap holds. */
static int is_held_by_living(const struct judging *j, ordinal o)
{
    const struct graph *g = j->g;
    for (uint64_t i = g->back_start[o]; i < g->back_start[o + 1]; i++)
        if (edge_is_counted(g->source_info[i]) && bit_is_set(j->alive, g->source[i]))
            return 1;
    return 0;
}

/* The rule with every object a candidate and every counted edge subtracted. */
static void find_invisible(struct judging *j)
{
    const struct graph *g = j->g;
    if (j->simple) {
        for (ordinal o = 0; o < g->objects; o++)
            if (j->fate[o] == FATE_LIVE && !bit_is_set(j->candidate, o) && !graph_is_immortal(g, o) &&
                graph_external(g, o) <= 0 && !is_held_by_living(j, o))
                j->fate[o] = FATE_INVISIBLE;
        return;
    }
    const struct reach reach = {EDGE_COUNTED, NULL, 0};
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
            by_fate[r->fate[o]]->bytes += g->size[o];
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
    j.count = array_new(n, sizeof *j.count);
    j.queue = array_new(n, sizeof *j.queue);
    int status = r->fate && j.candidate && j.alive && j.count && j.queue ? 0 : -1;
    if (!status) {
        judge_candidates(&j, generation);
        array_free(j.count);
        j.count = NULL;
        status = find_dependents(&j);
    }
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
            garbage->fate[o] == FATE_GARBAGE ? snapshot_type(g->snapshot, g->type[o]) : NULL;
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
