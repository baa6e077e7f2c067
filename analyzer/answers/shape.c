#include "shape.h"

#include <stdlib.h>

enum { ROUNDS = 2, MEMBERS_MAX = 256 };

static uint64_t mix(uint64_t h)
{
    h = (h ^ h >> 32) * 0xd6e8feb86659fd93u;
    h = (h ^ h >> 32) * 0xd6e8feb86659fd93u;
    return h ^ h >> 32;
}

/* Items and keys of one container count as the same label. */
static uint64_t label_hash(const struct session *s, ordinal from, uint64_t number)
{
    struct edge edge;
    unsigned kind = graph_info(&s->graph, number) >> LABEL_KIND_SHIFT;
    if (kind != LABEL_FIELD && kind != LABEL_ELEMENT && kind != LABEL_STRING)
        return kind;
    graph_edge(&s->graph, from, number, &edge);
    if (kind == LABEL_STRING) /* one text can have several ids */
        return session_hash_text(snapshot_string(s->snapshot, (uint32_t)edge.label), kind);
    return mix(edge.label >> (kind == LABEL_ELEMENT ? LABEL_ELEMENT_SHIFT : 0)) + kind;
}

static size_t position_of(const ordinal *members, size_t count, ordinal o)
{
    size_t low = 0;
    while (low + 1 < count && members[low] != o)
        low++;
    return low;
}

/* Cycles too large to be one of many are told apart by how many members of each type they have. */
static uint64_t shape_by_types(const struct session *s, const ordinal *members, size_t count)
{
    uint64_t sum = count;
    for (size_t i = 0; i < count; i++)
        sum += mix(s->classes.of_type[graph_type(&s->graph, members[i])] + UINT64_C(1));
    return mix(sum);
}

uint64_t shape_of_cycle(const struct session *s, ordinal cycle)
{
    const struct graph *g = &s->graph;
    ordinal component = s->cycles.items[cycle].component;
    const ordinal *members = s->components.member + s->components.member_start[component];
    size_t count = s->cycles.items[cycle].objects;
    uint64_t color[MEMBERS_MAX], next[MEMBERS_MAX], sum = 0;
    if (count > MEMBERS_MAX)
        return shape_by_types(s, members, count);
    for (size_t i = 0; i < count; i++)
        color[i] = mix(s->classes.of_type[graph_type(g, members[i])] + UINT64_C(1));
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < count; i++) {
            uint64_t around = 0;
            for (uint64_t e = graph_begin(g, members[i]); e < graph_end(g, members[i]); e++) {
                ordinal t = graph_target(g, e);
                if (t != ORDINAL_NONE && edge_is_counted(graph_info(g, e)) && s->components.component[t] == component)
                    around += mix(label_hash(s, members[i], e) * 31 + color[position_of(members, count, t)]);
            }
            next[i] = mix(color[i] * 3 + around);
        }
        for (size_t i = 0; i < count; i++)
            color[i] = next[i];
    }
    for (size_t i = 0; i < count; i++)
        sum += color[i];
    return mix(sum + count);
}

int shapes_find(const struct session *s, ordinal *first)
{
    size_t capacity = 16;
    while (capacity < 2 * (size_t)s->cycles.count + 2)
        capacity *= 2;
    uint64_t *shapes = malloc(((size_t)s->cycles.count + 1) * sizeof *shapes);
    ordinal *slots = calloc(capacity, sizeof *slots); /* cycle + 1 */
    int status = shapes && slots ? 0 : -1;
    for (ordinal c = 0; !status && c < s->cycles.count; c++) {
        shapes[c] = shape_of_cycle(s, c);
        size_t slot = shapes[c] >> 20 & (capacity - 1);
        while (slots[slot] && shapes[slots[slot] - 1] != shapes[c])
            slot = (slot + 1) & (capacity - 1);
        if (!slots[slot])
            slots[slot] = c + 1;
        first[c] = slots[slot] - 1;
    }
    free(shapes);
    free(slots);
    return status;
}

static int compare_sums(const void *pa, const void *pb)
{
    const struct shape_sum *a = pa, *b = pb;
    if (a->retained != b->retained)
        return a->retained < b->retained ? 1 : -1;
    return a->first < b->first ? -1 : a->first > b->first;
}

/* Whether a collection of a generation would find all of a cycle; the oldest is asked for whatever there is. */
static int is_found_by(const struct session *s, const struct cycle *cycle, int generation)
{
    const struct components *c = &s->components;
    if (generation == 2)
        return 1;
    for (ordinal m = c->member_start[cycle->component]; m < c->member_start[cycle->component + 1]; m++)
        if (s->garbage[generation].fate[c->member[m]] != FATE_GARBAGE)
            return 0;
    return 1;
}

struct shape_sum *shapes_sum(const struct session *s, uint64_t bytes, size_t *count)
{
    return shapes_sum_by(s, 2, bytes, count);
}

struct shape_sum *shapes_sum_by(const struct session *s, int generation, uint64_t bytes, size_t *count)
{
    size_t n = (size_t)s->cycles.count + 1;
    ordinal *first = malloc(n * sizeof *first);
    struct shape_sum *sums = calloc(n, sizeof *sums);
    *count = 0;
    if (!first || !sums || shapes_find(s, first)) {
        free(first);
        free(sums);
        return NULL;
    }
    for (ordinal c = 0; c < s->cycles.count; c++) {
        const struct cycle *cycle = &s->cycles.items[c];
        struct shape_sum *sum = &sums[first[c]];
        if (!cycle->source || !is_found_by(s, cycle, generation))
            continue;
        if (!sum->cycles)
            sum->first = c;
        sum->cycles++;
        sum->objects += cycle->objects;
        sum->retained += cycle->retained;
    }
    for (ordinal c = 0; c < s->cycles.count; c++)
        if (sums[c].cycles && sums[c].retained && sums[c].retained >= bytes)
            sums[(*count)++] = sums[c];
    qsort(sums, *count, sizeof *sums, compare_sums);
    free(first);
    return sums;
}
