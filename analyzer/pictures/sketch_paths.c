/* Pictures around one object: what refers to it, what it refers to, and the path that keeps it alive. */
#include <stdlib.h>
#include <string.h>

#include "../graph/routes.h"
#include "../render/text.h"
#include "sketch.h"

enum { ALIKE_SHOWN = 3, PATH_SHOWN = 12 };

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

static uint64_t degree(const struct graph *g, ordinal o, int referrers)
{
    return referrers ? graph_back_end(g, o) - graph_back_begin(g, o) : graph_degree(g, o);
}

/* The neighbours of one object that are not in the picture yet, or NULL without memory. */
static struct neighbour *collect(struct sketch *sk, ordinal o, int referrers, size_t *count)
{
    const struct graph *g = &sk->s->graph;
    ordinal parts[2] = {o, sketch_part(sk, o)};
    size_t n = 0, room = 1;
    for (int p = 0; p < 2 && parts[p] != ORDINAL_NONE; p++)
        room += degree(g, parts[p], referrers);
    struct neighbour *to = malloc(room * sizeof *to);
    for (int p = 0; to && p < 2 && parts[p] != ORDINAL_NONE; p++) {
        uint64_t first = referrers ? graph_back_begin(g, parts[p]) : graph_begin(g, parts[p]);
        for (uint64_t i = first; i < first + degree(g, parts[p], referrers); i++) {
            ordinal other = referrers ? graph_source(g, i) : graph_target(g, i);
            uint8_t info = referrers ? graph_source_info(g, i) : graph_info(g, i);
            if (other == ORDINAL_NONE || sk->node_of[other] || (!referrers && sketch_is_plain_key(sk, other, info)))
                continue;
            other = sketch_shown_as(sk, other);
            to[n++] = (struct neighbour){kind_of(sk, other, info), other};
        }
    }
    *count = n;
    return to;
}

/* What is to be opened next. */
struct frontier {
    ordinal *objects;
    size_t count, room;
};

static int add_to_frontier(struct frontier *f, ordinal o)
{
    if (f->count == f->room) {
        size_t room = f->room ? 2 * f->room : 64;
        ordinal *more = realloc(f->objects, room * sizeof *more);
        if (!more)
            return -1;
        f->objects = more;
        f->room = room;
    }
    f->objects[f->count++] = o;
    return 0;
}

/* Draws those of one kind: all, or a few and a fold. The ones drawn by themselves are opened later. */
static int draw_run(struct sketch *sk, const struct neighbour *found, size_t count, ordinal *run, struct frontier *f)
{
    size_t length = 0, drawn = 0;
    for (size_t i = 0; i < count; i++)
        if (!sk->node_of[found[i].o] && (!length || run[length - 1] != found[i].o))
            run[length++] = found[i].o;
    size_t alone = sk->unfolded || length <= ALIKE_SHOWN + 1 ? length : ALIKE_SHOWN;
    for (; drawn < alone && sketch_has_room(sk); drawn++) {
        sketch_object(sk, run[drawn], 0, 0);
        if (add_to_frontier(f, run[drawn]))
            return -1;
    }
    if (drawn < length)
        sketch_group(sk, run + drawn, length - drawn, 0, NULL);
    return 0;
}

static int draw_neighbours(struct sketch *sk, ordinal o, int referrers, struct frontier *f)
{
    size_t n;
    struct neighbour *found = collect(sk, o, referrers, &n);
    ordinal *run = found ? malloc((n + 1) * sizeof *run) : NULL;
    int status = run ? 0 : -1;
    if (n && !status)
        qsort(found, n, sizeof *found, compare_neighbours);
    for (size_t i = 0, next; !status && i < n; i = next) {
        for (next = i; next < n && found[next].kind == found[i].kind;)
            next++;
        status = draw_run(sk, found + i, next - i, run, f);
    }
    free(found);
    free(run);
    return status;
}

/* A node that was not opened says how much there is behind it. */
static int mark_closed(struct sketch *sk, ordinal o, int referrers)
{
    char text[256], n[TEXT_NUMBER_SIZE];
    size_t count, more = 0;
    uint32_t node = sk->node_of[o] - 1;
    struct neighbour *found = collect(sk, o, referrers, &count);
    if (!found)
        return -1;
    if (count)
        qsort(found, count, sizeof *found, compare_neighbours);
    for (size_t i = 0; i < count; i++)
        more += !i || found[i].o != found[i - 1].o;
    free(found);
    if (!more || node >= sk->picture.node_count)
        return 0;
    snprintf(text, sizeof text, "%.160s\n%s", sk->picture.nodes[node].detail,
             text_plural(more, referrers ? "more referrer" : "more referent", n));
    picture_set_detail(&sk->picture, node, text);
    return 0;
}

int sketch_neighbours(struct sketch *sk, ordinal o, int referrers, uint64_t depth)
{
    struct frontier f = {NULL, 0, 0};
    size_t at = 0;
    if (referrers && graph_back(&sk->s->graph))
        return -1;
    o = sketch_shown_as(sk, o);
    sketch_object(sk, o, 0, 1);
    int status = add_to_frontier(&f, o);
    for (uint64_t d = 0; !status && (!depth || d < depth) && at < f.count; d++)
        for (size_t end = f.count; !status && at < end; at++)
            status = draw_neighbours(sk, f.objects[at], referrers, &f);
    for (size_t i = at; !status && i < f.count; i++)
        status = mark_closed(sk, f.objects[i], referrers);
    if (!status)
        status = sketch_edges(sk);
    for (size_t i = 0; !status && i < f.count; i++)
        sketch_roots(sk, f.objects[i]);
    free(f.objects);
    return status;
}

/* Where a path begins that no root does. */
static void draw_outside(struct sketch *sk, ordinal first)
{
    int immortal = graph_is_immortal(&sk->s->graph, first);
    struct picture_node node = {.title = immortal ? "the runtime" : "something outside the heap",
                                .detail = immortal ? "immortal" : "references that nothing explains",
                                .state = PICTURE_ROOT};
    struct picture_edge edge = {.to = sk->node_of[first] - 1, .count = 1, .kind = PICTURE_ROOT_EDGE};
    edge.from = picture_add_node(&sk->picture, &node);
    picture_add_edge(&sk->picture, &edge);
}

static void draw_steps(struct sketch *sk, const struct path *path)
{
    size_t head = path->length > PATH_SHOWN + 1 && !sk->unfolded ? PATH_SHOWN / 2 : path->length;
    size_t tail = path->length - (path->length > head ? head : 0);
    for (size_t i = 0; i < path->length; i++) {
        if (i == head && head < tail) { /* the middle of a long path is one node */
            sketch_group(sk, path->step + head, tail - head, 0, "steps");
            i = tail;
        }
        sketch_object(sk, path->step[i], 0, 0);
    }
}

int sketch_path(struct sketch *sk, ordinal o)
{
    const struct session *s = sk->s;
    struct path path, round;
    if (path_from_root(&s->graph, &s->roots, o, &path))
        return -1;
    int status = path.length ? 0 : path_from_cycle(&s->graph, &s->components, o, &round);
    if (status)
        return status;
    const struct path *way = path.length ? &path : &round;
    draw_steps(sk, way);
    uint32_t node = sketch_object(sk, o, 0, 1);
    if (node < sk->picture.node_count)
        sk->picture.nodes[node].focus = 1;
    status = sketch_edges(sk);
    if (!status && path.length && path.root)
        sketch_roots(sk, path.step[0]);
    else if (!status && path.length)
        draw_outside(sk, path.step[0]);
    path_release(way == &path ? &path : &round);
    return status;
}
