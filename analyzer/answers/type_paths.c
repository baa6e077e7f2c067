#include "type_paths.h"

#include <string.h>

#include "../graph/array.h"
#include "../graph/forest.h"

static size_t slot_of(const struct type_paths *t, uint32_t parent, uint32_t class)
{
    uint64_t h = (parent * UINT64_C(0x9e3779b97f4a7c15) ^ class) * UINT64_C(0xd6e8feb86659fd93);
    size_t i = (size_t)(h >> 20) & t->mask;
    while (t->slots[i] && (t->frames[t->slots[i] - 1].parent != parent || t->frames[t->slots[i] - 1].class != class))
        i = (i + 1) & t->mask;
    return i;
}

static int grow(struct type_paths *t)
{
    uint32_t capacity = t->capacity ? 2 * t->capacity : 1024;
    struct frame *frames = array_new(capacity, sizeof *frames);
    uint32_t *slots = array_new(4 * (size_t)capacity, sizeof *slots);
    if (!frames || !slots || capacity < t->capacity) {
        array_free(frames);
        array_free(slots);
        return -1;
    }
    if (t->count)
        memcpy(frames, t->frames, t->count * sizeof *frames);
    array_free(t->frames);
    array_free(t->slots);
    *t = (struct type_paths){frames, t->count, capacity, slots, 4 * (size_t)capacity - 1, t->depth_max};
    for (uint32_t i = 1; i < t->count; i++)
        slots[slot_of(t, frames[i].parent, frames[i].class)] = i + 1;
    return 0;
}

/* The frame of a class below another; UINT32_MAX without memory. */
static uint32_t below(struct type_paths *t, uint32_t parent, uint32_t class)
{
    if (t->frames[parent].class == class || t->frames[parent].depth == t->depth_max)
        return parent;
    if (t->count == t->capacity && grow(t))
        return UINT32_MAX;
    size_t slot = slot_of(t, parent, class);
    if (!t->slots[slot]) {
        t->frames[t->count++] = (struct frame){
            .parent = parent, .class = class, .depth = t->frames[parent].depth + 1, .largest = ORDINAL_NONE};
        t->slots[slot] = t->count;
    }
    return t->slots[slot] - 1;
}

static void add(const struct session *s, struct frame *frame, ordinal v)
{
    const uint64_t *retained = s->dominators.retained;
    frame->bytes += v < s->graph.objects ? graph_size(&s->graph, v) : 0;
    frame->count++;
    if (frame->largest == ORDINAL_NONE || retained[v] > retained[frame->largest])
        frame->largest = v;
}

/* Walks the tree from the super-root down; frame_of[] receives each vertex's. */
static int fold(const struct session *s, const struct forest *forest, ordinal *queue, uint32_t *frame_of,
                struct type_paths *t)
{
    const struct graph *g = &s->graph;
    size_t queued = 0;
    frame_of[dominators_root(&s->dominators)] = 0;
    queue[queued++] = dominators_root(&s->dominators);
    for (size_t at = 0; at < queued; at++) {
        ordinal v = queue[at];
        for (ordinal i = forest->start[v]; i < forest->start[v + 1]; i++) {
            ordinal child = forest->child[i];
            uint32_t class = child < g->objects ? s->classes.of_type[graph_type(g, child)] : s->classes.count;
            frame_of[child] = below(t, frame_of[v], class);
            if (frame_of[child] == UINT32_MAX)
                return -1;
            add(s, &t->frames[frame_of[child]], child);
            queue[queued++] = child;
        }
    }
    return 0;
}

int type_paths_find(const struct session *s, uint32_t depth_max, struct type_paths *result)
{
    const struct dominators *d = &s->dominators;
    struct forest forest = {0};
    ordinal *queue = array_raw((size_t)d->vertices + 1, sizeof *queue);
    uint32_t *frame_of = array_raw((size_t)d->vertices + 1, sizeof *frame_of);
    *result = (struct type_paths){.depth_max = depth_max};
    int status = queue && frame_of ? grow(result) : -1;
    if (!status) {
        result->frames[result->count++] = (struct frame){.class = UINT32_MAX, .largest = dominators_root(d)};
        status = forest_build(d->dominator, d->vertices, &forest);
    }
    if (!status)
        status = fold(s, &forest, queue, frame_of, result);
    array_free(queue);
    array_free(frame_of);
    forest_release(&forest);
    return status;
}

void type_paths_release(struct type_paths *paths)
{
    array_free(paths->frames);
    array_free(paths->slots);
    *paths = (struct type_paths){0};
}
