#include <string.h>

#include "export.h"
#include "graph/array.h"
#include "graph/forest.h"
#include "names.h"

enum { FRAMES_MAX = 200 }; /* below that everything belongs to the last one */

/* A way down the dominator tree by types. */
struct frame {
    uint32_t parent, class, depth;
    uint64_t bytes; /* of the objects here */
};

/* All ways, each once, parents before children; found by parent and class. */
struct trie {
    struct frame *frames;
    uint32_t count, capacity;
    uint32_t *slots; /* frame + 1 */
    size_t mask;
};

static size_t slot_of(const struct trie *t, uint32_t parent, uint32_t class)
{
    uint64_t h = (parent * UINT64_C(0x9e3779b97f4a7c15) ^ class) * UINT64_C(0xd6e8feb86659fd93);
    size_t i = (size_t)(h >> 20) & t->mask;
    while (t->slots[i] && (t->frames[t->slots[i] - 1].parent != parent || t->frames[t->slots[i] - 1].class != class))
        i = (i + 1) & t->mask;
    return i;
}

static int grow(struct trie *t)
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
    *t = (struct trie){frames, t->count, capacity, slots, 4 * (size_t)capacity - 1};
    for (uint32_t i = 1; i < t->count; i++)
        slots[slot_of(t, frames[i].parent, frames[i].class)] = i + 1;
    return 0;
}

/* The frame of a class below another; UINT32_MAX without memory. */
static uint32_t below(struct trie *t, uint32_t parent, uint32_t class)
{
    if (t->frames[parent].class == class || t->frames[parent].depth == FRAMES_MAX)
        return parent;
    if (t->count == t->capacity && grow(t))
        return UINT32_MAX;
    size_t slot = slot_of(t, parent, class);
    if (!t->slots[slot]) {
        t->frames[t->count++] = (struct frame){parent, class, t->frames[parent].depth + 1, 0};
        t->slots[slot] = t->count;
    }
    return t->slots[slot] - 1;
}

/* Walks the tree from the super-root down; frame_of[] receives each vertex's. */
static int fold(const struct session *s, const struct forest *forest, ordinal *queue, uint32_t *frame_of,
                struct trie *t)
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
            t->frames[frame_of[child]].bytes += child < g->objects ? graph_size(g, child) : 0;
            queue[queued++] = child;
        }
    }
    return 0;
}

/* What separates frames and ends the line may not be in a name. */
static void put_name(const struct session *s, uint32_t class, FILE *file)
{
    char name[NAME_SIZE];
    for (const char *c = class == s->classes.count ? "(garbage cycle)" : name_class(s, class, name); *c; c++)
        fputc(*c == ';' ? ':' : *c, file);
}

static void put_lines(const struct session *s, const struct trie *t, FILE *file)
{
    for (uint32_t i = 1; i < t->count; i++) {
        uint32_t path[FRAMES_MAX], n = 0;
        if (!t->frames[i].bytes)
            continue;
        for (uint32_t f = i; f; f = t->frames[f].parent)
            path[n++] = t->frames[f].class;
        while (n) {
            put_name(s, path[--n], file);
            fputc(n ? ';' : ' ', file);
        }
        fprintf(file, "%llu\n", (unsigned long long)t->frames[i].bytes);
    }
}

int export_folded(const struct session *s, FILE *file)
{
    const struct dominators *d = &s->dominators;
    struct forest forest = {0};
    struct trie trie = {0};
    ordinal *queue = array_raw((size_t)d->vertices + 1, sizeof *queue);
    uint32_t *frame_of = array_raw((size_t)d->vertices + 1, sizeof *frame_of);
    int status = queue && frame_of ? grow(&trie) : -1;
    if (!status)
        trie.frames[trie.count++] = (struct frame){0, UINT32_MAX, 0, 0};
    if (!status)
        status = forest_build(d->dominator, d->vertices, &forest);
    if (!status)
        status = fold(s, &forest, queue, frame_of, &trie);
    if (!status)
        put_lines(s, &trie, file);
    array_free(queue);
    array_free(frame_of);
    array_free(trie.frames);
    array_free(trie.slots);
    forest_release(&forest);
    return status;
}
