/* Pictures of garbage: one cycle of each shape in a frame of its own, and what hangs off it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../answers/advice.h"
#include "../render/text.h"
#include "../answers/shape.h"
#include "sketch.h"

enum { CYCLES_DRAWN = 8, LOOP_SHOWN = 12, HANGING_SHOWN = 3 };

static int compare_numbers(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* ---- folding ---- */

/* Objects of one type beside each other, the types that have most bytes first. */
struct by_type {
    uint32_t type;
    ordinal o;
};

struct run {
    const struct by_type *first;
    size_t count;
    uint64_t bytes;
};

static int compare_by_type(const void *pa, const void *pb)
{
    const struct by_type *a = pa, *b = pb;
    if (a->type != b->type)
        return a->type < b->type ? -1 : 1;
    return a->o < b->o ? -1 : a->o > b->o;
}

static int compare_runs(const void *pa, const void *pb)
{
    const struct run *a = pa, *b = pb;
    if (a->bytes != b->bytes)
        return a->bytes < b->bytes ? 1 : -1;
    return a->first < b->first ? -1 : a->first > b->first;
}

static void draw_run(struct sketch *sk, const struct run *run, size_t singles, ordinal *spare, uint32_t cluster)
{
    size_t drawn = 0, alone = run->count <= singles || sk->unfolded ? run->count : 0;
    for (; drawn < alone && sketch_has_room(sk); drawn++)
        sketch_object(sk, run->first[drawn].o, cluster, 0);
    for (size_t i = drawn; i < run->count; i++)
        spare[i - drawn] = run->first[i].o;
    if (drawn < run->count)
        sketch_group(sk, spare, run->count - drawn, cluster, NULL);
}

/* Those that are not in the picture yet and stand for themselves, by type. */
static size_t sort_by_type(const struct sketch *sk, const ordinal *objects, size_t count, struct by_type *sorted)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (!sk->node_of[objects[i]] && sketch_shown_as(sk, objects[i]) == objects[i])
            sorted[n++] = (struct by_type){sk->s->classes.of_type[graph_type(&sk->s->graph, objects[i])], objects[i]};
    if (n)
        qsort(sorted, n, sizeof *sorted, compare_by_type);
    return n;
}

/* Draws what of some objects is not drawn yet: of each type by themselves if they are no more than `singles`, else
 * folded. */
static int draw_folded(struct sketch *sk, const ordinal *objects, size_t count, size_t singles, uint32_t cluster)
{
    struct by_type *sorted = malloc((count + 1) * sizeof *sorted);
    struct run *runs = malloc((count + 1) * sizeof *runs);
    ordinal *spare = malloc((count + 1) * sizeof *spare);
    size_t n = 0, run_count = 0;
    int status = sorted && runs && spare ? 0 : -1;
    if (!status)
        n = sort_by_type(sk, objects, count, sorted);
    for (size_t i = 0; i < n; i++) {
        if (!i || sorted[i].type != sorted[i - 1].type)
            runs[run_count++] = (struct run){&sorted[i], 0, 0};
        runs[run_count - 1].count++;
        runs[run_count - 1].bytes += graph_size(&sk->s->graph, sorted[i].o);
    }
    if (run_count)
        qsort(runs, run_count, sizeof *runs, compare_runs);
    for (size_t r = 0; r < run_count; r++)
        draw_run(sk, &runs[r], singles, spare, cluster);
    free(sorted);
    free(runs);
    free(spare);
    return status;
}

/* ---- loops ---- */

/* A loop through the first reference to cut: from its target the shortest way back to its source. Fills loop[] and
 * returns its length, 0 when there is none. */
static size_t find_loop(const struct session *s, ordinal component, ordinal from, ordinal to, ordinal *loop,
                        ordinal *queue, ordinal *before)
{
    const struct graph *g = &s->graph;
    size_t head = 0, tail = 0, n = 0;
    const ordinal *members = s->components.member + s->components.member_start[component];
    ordinal count = s->components.member_start[component + 1] - s->components.member_start[component];
    for (ordinal i = 0; i < count; i++)
        before[members[i]] = ORDINAL_NONE;
    before[to] = to;
    queue[tail++] = to;
    while (head < tail && before[from] == ORDINAL_NONE) {
        ordinal o = queue[head++];
        for (uint64_t e = graph_begin(g, o); e < graph_end(g, o); e++) {
            ordinal t = graph_target(g, e);
            if (t == ORDINAL_NONE || !edge_is_counted(graph_info(g, e)) || s->components.component[t] != component ||
                before[t] != ORDINAL_NONE)
                continue;
            before[t] = o;
            queue[tail++] = t;
        }
    }
    if (before[from] == ORDINAL_NONE)
        return 0;
    for (ordinal at = from;; at = before[at]) {
        loop[n++] = at;
        if (at == to)
            return n; /* from the cut's source back to its target */
    }
}

/* Nodes of a loop, as they follow each other. */
struct ring {
    uint32_t nodes[LOOP_SHOWN];
    size_t count;
};

static void draw_on_ring(struct sketch *sk, struct ring *ring, ordinal o, uint32_t cluster)
{
    uint32_t node = sketch_object(sk, o, cluster, 0);
    if (!ring->count || (ring->nodes[ring->count - 1] != node && ring->nodes[0] != node)) /* not one with the last */
        ring->nodes[ring->count++] = node;
}

/* The ring hangs from its first node: of the others, those as far from it stand beside each other. (Three are a chain:
 * an edge between two side by side would run over what stands there too.) */
static void hang(struct sketch *sk, const struct ring *ring)
{
    for (size_t i = 1; ring->count > 3 && i + i < ring->count; i++) {
        uint32_t a = ring->nodes[i], b = ring->nodes[ring->count - i];
        if (a < sk->picture.node_count && b < sk->picture.node_count)
            sk->picture.nodes[a > b ? a : b].beside = (a > b ? b : a) + 1;
    }
}

/* Draws a loop through the first reference to cut, if there is one: of a long one the two ends. Its cut is on top. */
static int draw_loop(struct sketch *sk, ordinal cycle, const struct advice *advice, uint32_t cluster)
{
    const struct session *s = sk->s;
    const struct cycle *c = &s->cycles.items[cycle];
    size_t n = (size_t)s->graph.objects + 1;
    ordinal *loop = malloc(n * sizeof *loop), *queue = malloc(n * sizeof *queue), *before = malloc(n * sizeof *before);
    struct ring ring = {.count = 0};
    int status = loop && queue && before ? 0 : -1;
    if (!status && advice->count) {
        ordinal from = advice->from[0], to = graph_target(&s->graph, advice->edges[0]);
        size_t length = find_loop(s, c->component, from, to, loop, queue, before);
        size_t half = length > LOOP_SHOWN ? LOOP_SHOWN / 2 : length;
        for (size_t i = 0; i < half; i++)
            draw_on_ring(sk, &ring, loop[i], cluster);
        for (size_t i = length - (length > half ? half : 0); i < length; i++)
            draw_on_ring(sk, &ring, loop[i], cluster);
        hang(sk, &ring);
    }
    free(loop);
    free(queue);
    free(before);
    return status;
}

/* ---- hierarchies ---- */

static int is_cut(const struct advice *advice, uint64_t number)
{
    for (size_t i = 0; i < advice->count; i++)
        if (advice->edges[i] == number)
            return 1;
    return 0;
}

/* The number of an object among a few, or `count`. */
static size_t rank_of(const ordinal *members, size_t count, ordinal o)
{
    size_t i = 0;
    while (i < count && members[i] != o)
        i++;
    return i;
}

/* Whether a small cycle is a hierarchy but for the references to cut, which lead back up: without those it still hangs
 * together. It is drawn from its top down then, rather than as a ring. */
static int is_hierarchy(const struct session *s, const ordinal *members, size_t count, const struct advice *advice)
{
    const struct graph *g = &s->graph;
    size_t group[LOOP_SHOWN], groups = count;
    if (count > LOOP_SHOWN || advice->count < 2)
        return 0;
    for (size_t i = 0; i < count; i++)
        group[i] = i;
    for (size_t i = 0; i < count; i++)
        for (uint64_t e = graph_begin(g, members[i]); e < graph_end(g, members[i]); e++) {
            size_t to = rank_of(members, count, graph_target(g, e)), from = group[i];
            if (to == count || is_cut(advice, e) || group[to] == from)
                continue;
            groups--;
            for (size_t k = 0, old = group[to]; k < count; k++)
                group[k] = group[k] == old ? from : group[k];
        }
    return groups == 1;
}

/* ---- a cycle ---- */

/* What is unreachable because the cycle is, and not part of a cycle: found by following the members' references. */
static int draw_hanging(struct sketch *sk, ordinal cycle, uint32_t cluster)
{
    const struct session *s = sk->s;
    const struct graph *g = &s->graph;
    ordinal component = s->cycles.items[cycle].component;
    ordinal *queue = malloc(((size_t)g->objects + 1) * sizeof *queue);
    uint8_t *seen = calloc((size_t)g->objects + 1, 1);
    size_t head = 0, tail = 0;
    int status = queue && seen ? 0 : -1;
    for (ordinal m = s->components.member_start[component]; !status && m < s->components.member_start[component + 1];
         m++) {
        seen[s->components.member[m]] = 1;
        queue[tail++] = s->components.member[m];
    }
    size_t members = tail;
    while (!status && head < tail) {
        ordinal o = queue[head++];
        for (uint64_t e = graph_begin(g, o); e < graph_end(g, o); e++) {
            ordinal t = graph_target(g, e);
            if (t == ORDINAL_NONE || !edge_is_counted(graph_info(g, e)) || seen[t] || sk->node_of[t] ||
                s->garbage[2].fate[t] == FATE_LIVE || sketch_is_plain_key(sk, t, graph_info(g, e)))
                continue;
            seen[t] = 1;
            queue[tail++] = t;
        }
    }
    if (!status)
        status = draw_folded(sk, queue + members, tail - members, HANGING_SHOWN, cluster);
    free(queue);
    free(seen);
    return status;
}

static int is_fold(const struct sketch *sk, ordinal o)
{
    return !sk->node_of[o] || sk->picture.nodes[sk->node_of[o] - 1].folded;
}

/* The references to cut: of one field all; of many that have nothing in common, those between single objects. */
static int mark_cuts(const struct sketch *sk, const struct advice *advice, uint64_t **cuts, size_t *cut_count)
{
    uint64_t *more = realloc(*cuts, (*cut_count + advice->count + 1) * sizeof *more);
    if (!more)
        return -1;
    *cuts = more;
    for (size_t i = 0; i < advice->count; i++) {
        ordinal to = graph_target(&sk->s->graph, advice->edges[i]);
        if (advice->is_field || (!is_fold(sk, advice->from[i]) && to != ORDINAL_NONE && !is_fold(sk, to)))
            more[(*cut_count)++] = advice->edges[i];
    }
    return 0;
}

static int draw_cycle(struct sketch *sk, ordinal cycle, uint64_t alike, uint64_t **cuts, size_t *cut_count)
{
    const struct session *s = sk->s;
    const struct cycle *c = &s->cycles.items[cycle];
    const ordinal *members = s->components.member + s->components.member_start[c->component];
    char title[256], n1[TEXT_NUMBER_SIZE], n2[TEXT_NUMBER_SIZE], n3[TEXT_NUMBER_SIZE];
    struct advice advice;
    if (advice_for_cycle(s, cycle, &advice))
        return -1;
    snprintf(title, sizeof title, "cycle %" PRI_ORDINAL ": %s, retains %s", cycle + 1,
             text_plural(c->objects, "object", n1), text_size(c->retained, n2));
    if (alike)
        snprintf(title + strlen(title), sizeof title - strlen(title), "; %s like it",
                 text_plural(alike, "more cycle", n3));
    uint32_t cluster = picture_add_cluster(&sk->picture, title, advice.text);
    int status = 0, falls = is_hierarchy(s, members, c->objects, &advice);
    if (falls && cluster <= sk->picture.cluster_count)
        sk->picture.clusters[cluster - 1].falls = 1;
    if (!sk->unfolded && !falls)
        status = draw_loop(sk, cycle, &advice, cluster);
    if (c->objects <= LOOP_SHOWN || sk->unfolded)
        for (ordinal i = 0; i < c->objects && (sketch_has_room(sk) || c->objects <= LOOP_SHOWN); i++)
            sketch_object(sk, members[i], cluster, 0);
    if (!status)
        status = draw_folded(sk, members, c->objects, 1, cluster);
    if (!status)
        status = draw_hanging(sk, cycle, cluster);
    if (!status)
        status = sk->picture.no_memory ? -1 : mark_cuts(sk, &advice, cuts, cut_count);
    advice_release(&advice);
    return status;
}

static int finish(struct sketch *sk, uint64_t *cuts, size_t cut_count, int status)
{
    if (!status) {
        if (cut_count)
            qsort(cuts, cut_count, sizeof *cuts, compare_numbers);
        sk->cut = cuts;
        sk->cut_count = cut_count;
        status = sketch_edges(sk);
        sk->cut = NULL;
        sk->cut_count = 0;
    }
    free(cuts);
    return status;
}

int sketch_cycle(struct sketch *sk, ordinal cycle)
{
    uint64_t *cuts = NULL;
    size_t cut_count = 0;
    int status = draw_cycle(sk, cycle, 0, &cuts, &cut_count);
    return finish(sk, cuts, cut_count, status);
}

static int belongs(const struct session *s, ordinal cycle, int generation)
{
    ordinal component = s->cycles.items[cycle].component;
    for (ordinal m = s->components.member_start[component]; m < s->components.member_start[component + 1]; m++) {
        unsigned fate = s->garbage[generation].fate[s->components.member[m]];
        if (fate != FATE_GARBAGE && fate != FATE_INVISIBLE)
            return 0;
    }
    return 1;
}

static void set_title(struct sketch *sk, int generation, uint64_t cycles, uint64_t left_out)
{
    const struct garbage *garbage = &sk->s->garbage[generation];
    char title[320], n1[TEXT_NUMBER_SIZE], n2[TEXT_NUMBER_SIZE], n3[TEXT_NUMBER_SIZE];
    if (!cycles)
        snprintf(title, sizeof title, "a collection of generation %d would find no cycle", generation);
    else
        snprintf(title, sizeof title, "garbage of generation %d: %s, %s, in %s", generation,
                 text_plural(garbage->garbage.objects, "object", n1), text_size(garbage->garbage.bytes, n2),
                 text_plural(cycles, "cycle", n3));
    picture_set_title(&sk->picture, title);
    if (left_out) {
        snprintf(title, sizeof title, "%s of other shapes", text_plural(left_out, "cycle", n1));
        picture_leave_out(&sk->picture, title);
    }
}

int sketch_cycles(struct sketch *sk, int generation, uint64_t limit)
{
    const struct session *s = sk->s;
    uint64_t *cuts = NULL, cycles = 0, left_out = 0, drawn = 0;
    size_t cut_count = 0;
    ordinal *first = malloc(((size_t)s->cycles.count + 1) * sizeof *first);
    ordinal *alike = calloc((size_t)s->cycles.count + 1, sizeof *alike);
    int status = first && alike && !shapes_find(s, first) ? 0 : -1;
    for (ordinal c = 0; !status && c < s->cycles.count; c++)
        if (belongs(s, c, generation)) {
            if (!belongs(s, first[c], generation))
                first[c] = c; /* its shape's first cycle is of an older generation */
            alike[first[c]] += first[c] != c;
            cycles++;
        }
    for (ordinal c = 0; !status && c < s->cycles.count; c++) {
        if (!belongs(s, c, generation) || (first[c] != c && !sk->unfolded))
            continue;
        if (drawn >= (limit ? limit : CYCLES_DRAWN) || (drawn && sk->picture.node_count + LOOP_SHOWN > sk->limit)) {
            left_out += 1 + (uint64_t)alike[c];
            continue;
        }
        drawn++;
        status = draw_cycle(sk, c, sk->unfolded ? 0 : alike[c], &cuts, &cut_count);
    }
    set_title(sk, generation, cycles, left_out);
    free(first);
    free(alike);
    return finish(sk, cuts, cut_count, status);
}
