#include "garbage.h"

#include <string.h>

#include "array.h"

int garbage_is_candidate(const struct graph *g, ordinal o, int generation)
{
    unsigned state = g->state[o];
    return (int)(state & STATE_GENERATION_MASK) <= generation && state & STATE_CONTAINER &&
           !(state & (STATE_IMMORTAL | STATE_DYING));
}

/* Everything reached from `stack` (its first `used` entries, alive already) among the objects for which alive is 0. */
static void mark_alive(const struct graph *g, const uint8_t *candidate, uint8_t *alive, ordinal *stack, size_t used)
{
    while (used) {
        ordinal o = stack[--used];
        for (uint64_t e = g->edge_start[o]; e < g->edge_start[o + 1]; e++) {
            ordinal t = g->target[e];
            if (t == ORDINAL_NONE || alive[t] || !candidate[t] || !edge_is_strong(g->info[e]) ||
                g->heap[t] != g->heap[o])
                continue;
            alive[t] = 1;
            stack[used++] = t;
        }
    }
}

/* The collector's rule. fate[o] becomes FATE_GARBAGE where it strikes. */
static int judge_candidates(const struct graph *g, int generation, uint8_t *fate)
{
    size_t n = (size_t)g->objects + 1, used = 0;
    uint8_t *candidate = array_new(n, 1), *alive = array_new(n, 1);
    int64_t *count = array_new(n, sizeof *count);
    ordinal *stack = array_new(n, sizeof *stack);
    int status = candidate && alive && count && stack ? 0 : -1;
    for (ordinal o = 0; !status && o < g->objects; o++) {
        candidate[o] = (uint8_t)garbage_is_candidate(g, o, generation);
        count[o] = g->refcount[o];
    }
    for (ordinal o = 0; !status && o < g->objects; o++) {
        if (!candidate[o])
            continue;
        for (uint64_t e = g->edge_start[o]; e < g->edge_start[o + 1]; e++) {
            ordinal t = g->target[e];
            if (t != ORDINAL_NONE && edge_is_strong(g->info[e]) && candidate[t] && g->heap[t] == g->heap[o])
                count[t]--;
        }
    }
    for (ordinal o = 0; !status && o < g->objects; o++)
        if (candidate[o] && count[o] > 0) {
            alive[o] = 1;
            stack[used++] = o;
        }
    if (!status)
        mark_alive(g, candidate, alive, stack, used);
    for (ordinal o = 0; !status && o < g->objects; o++)
        fate[o] = candidate[o] && !alive[o] ? FATE_GARBAGE : FATE_LIVE;
    array_free(candidate);
    array_free(alive);
    array_free(count);
    array_free(stack);
    return status;
}

/* Frees the garbage as refcounting would: what loses its last reference with it is dependent. */
static int find_dependents(const struct graph *g, uint8_t *fate)
{
    size_t n = (size_t)g->objects + 1, used = 0;
    int64_t *left = array_new(n, sizeof *left);
    ordinal *stack = array_new(n, sizeof *stack);
    int status = left && stack ? 0 : -1;
    for (ordinal o = 0; !status && o < g->objects; o++) {
        left[o] = g->refcount[o];
        if (fate[o] == FATE_GARBAGE)
            stack[used++] = o;
    }
    while (!status && used) {
        ordinal o = stack[--used];
        for (uint64_t e = g->edge_start[o]; e < g->edge_start[o + 1]; e++) {
            ordinal t = g->target[e];
            if (t == ORDINAL_NONE || !edge_is_counted(g->info[e]) || fate[t] != FATE_LIVE || graph_is_immortal(g, t) ||
                --left[t] != 0)
                continue;
            fate[t] = FATE_DEPENDENT;
            stack[used++] = t;
        }
    }
    array_free(left);
    array_free(stack);
    return status;
}

/* The rule with every object a candidate and every counted edge subtracted. */
static int find_invisible(const struct graph *g, uint8_t *fate)
{
    size_t n = (size_t)g->objects + 1, used = 0;
    uint8_t *alive = array_new(n, 1);
    ordinal *stack = array_new(n, sizeof *stack);
    int status = alive && stack ? 0 : -1;
    for (ordinal o = 0; !status && o < g->objects; o++)
        if (graph_is_immortal(g, o) || graph_external(g, o) > 0) {
            alive[o] = 1;
            stack[used++] = o;
        }
    while (!status && used) {
        ordinal o = stack[--used];
        for (uint64_t e = g->edge_start[o]; e < g->edge_start[o + 1]; e++) {
            ordinal t = g->target[e];
            if (t == ORDINAL_NONE || alive[t] || !edge_is_counted(g->info[e]))
                continue;
            alive[t] = 1;
            stack[used++] = t;
        }
    }
    for (ordinal o = 0; !status && o < g->objects; o++)
        if (!alive[o] && fate[o] == FATE_LIVE)
            fate[o] = FATE_INVISIBLE;
    array_free(alive);
    array_free(stack);
    return status;
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
    memset(r, 0, sizeof *r);
    r->fate = array_new((size_t)g->objects + 1, 1);
    if (!r->fate || judge_candidates(g, generation, r->fate) || find_dependents(g, r->fate) ||
        (generation == 2 && find_invisible(g, r->fate))) {
        garbage_release(r);
        return -1;
    }
    count_up(g, r);
    return 0;
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
