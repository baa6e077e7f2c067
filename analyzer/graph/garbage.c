#include "garbage.h"

#include <string.h>

#include "array.h"
#include "bits.h"
#include "parallel.h"
#include "reach.h"

int garbage_is_candidate(const struct graph *g, ordinal o, int generation)
{
    unsigned state = g->state[o];
    return (int)(state & STATE_GENERATION_MASK) <= generation && state & STATE_CONTAINER &&
           !(state & (STATE_IMMORTAL | STATE_DYING));
}

/* ---- passes over all objects, by several threads ---- */

/* What the passes over one generation share. */
struct judging {
    const struct graph *g;
    uint8_t *fate;
    uint64_t *candidate, *alive;
    int64_t *count; /* of candidates: references from outside the candidates; NULL when simple */
    ordinal *queue;
    int generation;
    /* One heap, every edge strong, and nothing but candidates refers to anything: then the references inside the heap
     * are those inside the candidates, and what the collector cannot see is atomic. */
    int simple;
};

/* The words of bits that are one part's. */
static size_t first_word(const struct graph *g, unsigned part, unsigned parts)
{
    return part_begin((size_t)g->objects / 64 + 1, part, parts);
}

static ordinal word_end(const struct graph *g, size_t word)
{
    size_t end = 64 * word + 64;
    return end < g->objects ? (ordinal)end : g->objects;
}

static void choose_candidates(void *context, unsigned part, unsigned parts)
{
    struct judging *j = context;
    const struct graph *g = j->g;
    int simple = 1;
    for (size_t w = first_word(g, part, parts), last = first_word(g, part + 1, parts); w < last; w++) {
        uint64_t bits = 0;
        for (ordinal o = (ordinal)(64 * w), end = word_end(g, w); o < end; o++) {
            uint64_t is = (uint64_t)garbage_is_candidate(g, o, j->generation);
            bits |= is << o % 64;
            simple &= is || g->edge_start[o] == g->edge_start[o + 1];
        }
        j->candidate[w] = bits;
    }
    if (!simple)
        __atomic_store_n(&j->simple, 0, __ATOMIC_RELAXED);
}

/* Candidates that are held from outside. */
static void choose_held(void *context, unsigned part, unsigned parts)
{
    struct judging *j = context;
    const struct graph *g = j->g;
    for (size_t w = first_word(g, part, parts), last = first_word(g, part + 1, parts); w < last; w++) {
        uint64_t bits = 0;
        for (ordinal o = (ordinal)(64 * w), end = word_end(g, w); o < end; o++)
            bits |= (uint64_t)((j->count ? j->count[o] : graph_external(g, o)) > 0) << o % 64;
        j->alive[w] = bits & j->candidate[w];
    }
}

/* What no counted edge and no holder reaches, of a simple heap: candidates have been judged. */
static void choose_invisible(void *context, unsigned part, unsigned parts)
{
    struct judging *j = context;
    const struct graph *g = j->g;
    for (size_t w = first_word(g, part, parts), last = first_word(g, part + 1, parts); w < last; w++)
        for (uint64_t left = ~(j->candidate[w] | j->alive[w]); left; left &= left - 1) {
            ordinal o = (ordinal)(64 * w + (unsigned)__builtin_ctzll(left));
            if (o < g->objects && j->fate[o] == FATE_LIVE && !graph_is_immortal(g, o) && graph_external(g, o) <= 0)
                j->fate[o] = FATE_INVISIBLE;
        }
}

static void pass(struct judging *j, void (*work)(void *, unsigned, unsigned))
{
    parallel_run(parallel_parts(j->g->objects), work, j);
}

/* Puts the objects of the set into the queue; returns how many. */
static size_t queue_set(struct judging *j, const uint64_t *set, const uint64_t *but)
{
    size_t used = 0, words = (size_t)j->g->objects / 64 + 1;
    for (size_t w = 0; w < words; w++)
        for (uint64_t left = set[w] & ~(but ? but[w] : 0); left; left &= left - 1)
            j->queue[used++] = (ordinal)(64 * w + (unsigned)__builtin_ctzll(left));
    return used;
}

/* ---- garbage ---- */

static int is_subtracted(const struct graph *g, const uint64_t *candidate, ordinal from, uint64_t e)
{
    ordinal t = g->target[e];
    return t != ORDINAL_NONE && edge_is_strong(g->info[e]) && bit_is_set(candidate, t) &&
           graph_heap(g, t) == graph_heap(g, from);
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

/* What lives by the collector's rule: of what is no candidate, whatever candidates that live refer to. */
static int find_alive(struct judging *j)
{
    const struct graph *g = j->g;
    if (!j->simple && count_from_outside(j))
        return -1;
    pass(j, choose_held);
    const struct reach reach = {EDGE_STRONG, j->candidate, 1, j->simple};
    return reach_mark(g, &reach, j->alive, j->queue, queue_set(j, j->alive, NULL));
}

/* fate[o] becomes FATE_GARBAGE where the rule strikes; the queue begins with these. Returns how many. */
static size_t strike(struct judging *j)
{
    size_t garbage = queue_set(j, j->candidate, j->alive);
    for (size_t i = 0; i < garbage; i++)
        j->fate[j->queue[i]] = FATE_GARBAGE;
    return garbage;
}

/* Frees the garbage as refcounting would: what loses its last reference with it is dependent. */
static int find_dependents(struct judging *j, size_t garbage)
{
    const struct graph *g = j->g;
    uint32_t *lost = array_new((size_t)g->objects + 1, sizeof *lost); /* references, of few objects */
    size_t used = garbage;
    if (!lost)
        return -1;
    for (size_t at = 0; at < used; at++) {
        ordinal o = j->queue[at];
        reach_fetch(g, j->queue, at, used);
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
static int find_invisible(struct judging *j)
{
    const struct graph *g = j->g;
    if (j->simple) {
        pass(j, choose_invisible);
        return 0;
    }
    const struct reach reach = {EDGE_COUNTED, NULL, 0, 0};
    size_t used = 0;
    memset(j->alive, 0, ((size_t)g->objects / 64 + 1) * sizeof *j->alive);
    for (ordinal o = 0; o < g->objects; o++)
        if (graph_is_immortal(g, o) || graph_external(g, o) > 0) {
            bit_set(j->alive, o);
            j->queue[used++] = o;
        }
    if (reach_mark(g, &reach, j->alive, j->queue, used))
        return -1;
    for (ordinal o = 0; o < g->objects; o++)
        if (!bit_is_set(j->alive, o) && j->fate[o] == FATE_LIVE)
            j->fate[o] = FATE_INVISIBLE;
    return 0;
}

static void count_up(const struct graph *g, struct garbage *r)
{
    struct tally *by_fate[] = {NULL, &r->garbage, &r->dependent, &r->invisible};
    for (ordinal o = 0; o < g->objects; o++) {
        uint64_t eight = 0;
        if (o % 8 == 0 && g->objects - o >= 8 && (memcpy(&eight, r->fate + o, 8), !eight)) {
            o += 7; /* alive, as most are */
        } else if (r->fate[o] != FATE_LIVE) {
            by_fate[r->fate[o]]->objects++;
            by_fate[r->fate[o]]->bytes += graph_size(g, o);
        }
    }
}

/* `reached` is NULL, or what lives of a simple heap. */
static int find(const struct graph *g, int generation, uint64_t *reached, struct garbage *r)
{
    size_t n = (size_t)g->objects + 1;
    memset(r, 0, sizeof *r);
    r->fate = array_new(n, 1);
    struct judging j = {.g = g, .fate = r->fate, .generation = generation, .simple = !g->not_strong && !g->heap.width};
    j.candidate = bits_new(g->objects);
    j.alive = reached ? reached : bits_new(g->objects);
    j.queue = array_raw(reach_queue_size(g), sizeof *j.queue);
    int status = r->fate && j.candidate && j.alive && j.queue ? 0 : -1;
    if (!status) {
        pass(&j, choose_candidates);
        status = reached ? 0 : find_alive(&j);
    }
    if (!status)
        status = find_dependents(&j, strike(&j));
    if (!status && generation == 2)
        status = find_invisible(&j);
    if (!status)
        count_up(g, r);
    array_free(j.candidate);
    array_free(reached ? NULL : j.alive);
    array_free(j.count);
    array_free(j.queue);
    if (status)
        garbage_release(r);
    return status;
}

int garbage_find(const struct graph *g, int generation, struct garbage *r)
{
    return find(g, generation, NULL, r);
}

int garbage_find_unreached(const struct graph *g, uint64_t *reached, struct garbage *r)
{
    return find(g, 2, reached, r);
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
