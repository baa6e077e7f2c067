/* Pictures around one object: what refers to it, what it refers to, and the path that keeps it alive. */
#include <stdlib.h>
#include <string.h>

#include "render/text.h"
#include "sketch.h"

enum { ALIKE_SHOWN = 3, PATH_SHOWN = 24 };

/* A neighbour and the class it is folded by. */
struct neighbour {
    uint64_t kind; /* type class, fate and label group */
    ordinal o;
};

static int compare_neighbours(const void *pa, const void *pb)
{
    const struct neighbour *a = pa, *b = pb;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return a->o < b->o ? -1 : a->o > b->o;
}

static uint64_t kind_of(const struct sketch *sk, ordinal other, uint8_t info)
{
    uint64_t class = sk->s->classes.of_type[graph_type(&sk->s->graph, other)];
    return class << 16 | (uint64_t)sk->s->garbage[2].fate[other] << 8 | info >> LABEL_KIND_SHIFT;
}

/* The neighbours of one object that are not in the picture yet. */
static size_t collect(struct sketch *sk, ordinal o, int referrers, struct neighbour *to)
{
    const struct graph *g = &sk->s->graph;
    uint64_t first = referrers ? graph_back_begin(g, o) : graph_begin(g, o);
    uint64_t end = referrers ? graph_back_end(g, o) : graph_end(g, o);
    size_t n = 0;
    for (uint64_t i = first; i < end; i++) {
        ordinal other = referrers ? graph_source(g, i) : graph_target(g, i);
        if (other != ORDINAL_NONE && !sk->node_of[other] &&
            (referrers || !sketch_is_plain_key(sk, other, graph_info(g, i))))
            to[n++] =
                (struct neighbour){kind_of(sk, other, referrers ? graph_source_info(g, i) : graph_info(g, i)), other};
    }
    return n;
}

/* Draws them: each run of alike ones as a few nodes and a folded one. Those drawn by themselves go on the queue. */
static void draw_neighbours(struct sketch *sk, struct neighbour *found, size_t n, ordinal *run, ordinal *queue,
                            size_t *queued)
{
    qsort(found, n, sizeof *found, compare_neighbours);
    for (size_t i = 0; i < n;) {
        size_t length = 0, next = i;
        for (; next < n && found[next].kind == found[i].kind; next++) {
            ordinal o = found[next].o;
            if (!sk->node_of[o] && (!length || run[length - 1] != o))
                run[length++] = o;
        }
        size_t alone = sk->unfolded || length <= ALIKE_SHOWN + 1 ? length : ALIKE_SHOWN;
        size_t drawn = 0;
        for (; drawn < alone && sk->singles < sk->limit; drawn++) {
            sketch_object(sk, run[drawn], 0, 0);
            queue[(*queued)++] = run[drawn];
        }
        if (drawn < length)
            sketch_group(sk, run + drawn, length - drawn, 0);
        i = next;
    }
}

int sketch_neighbours(struct sketch *sk, ordinal o, int referrers, uint64_t depth)
{
    const struct graph *g = &sk->s->graph;
    uint64_t most = 1;
    if (referrers && graph_back(g))
        return -1;
    for (ordinal v = 0; v < g->objects; v++) {
        uint64_t degree =
            referrers ? graph_back_end(g, v) - graph_back_begin(g, v) : graph_end(g, v) - graph_begin(g, v);
        most = degree > most ? degree : most;
    }
    struct neighbour *found = malloc(most * sizeof *found);
    ordinal *run = malloc(most * sizeof *run), *queue = malloc(((size_t)g->objects + 1) * sizeof *queue);
    size_t at = 0, queued = 0, level_end;
    int status = found && run && queue ? 0 : -1;
    if (!status) {
        sketch_object(sk, o, 0, 1);
        queue[queued++] = o;
    }
    level_end = queued;
    for (uint64_t d = 0; !status && (!depth || d < depth) && at < queued; d++) {
        for (; at < level_end; at++)
            draw_neighbours(sk, found, collect(sk, queue[at], referrers, found), run, queue, &queued);
        level_end = queued;
    }
    if (!status)
        status = sketch_edges(sk);
    for (size_t i = 0; !status && i < queued; i++)
        sketch_roots(sk, queue[i]);
    free(found);
    free(run);
    free(queue);
    return status;
}

int sketch_path(struct sketch *sk, ordinal o)
{
    const struct session *s = sk->s;
    struct path path;
    if (path_from_root(&s->graph, &s->roots, o, &path))
        return -1;
    size_t head = path.length > PATH_SHOWN && !sk->unfolded ? PATH_SHOWN / 2 : path.length;
    size_t tail = path.length - (path.length > head ? head : 0);
    for (size_t i = 0; i < path.length; i++) {
        if (i == head && head < tail) { /* the middle of a long path is one node */
            sketch_group(sk, path.step + head, tail - head, 0);
            i = tail;
        }
        sketch_object(sk, path.step[i], 0, path.step[i] == o);
    }
    if (!path.length)
        sketch_object(sk, o, 0, 1);
    int status = sketch_edges(sk);
    if (!status)
        sketch_roots(sk, path.length ? path.step[0] : o);
    path_release(&path);
    return status;
}
