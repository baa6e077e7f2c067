#include "routes.h"

#include <string.h>

#include "array.h"

enum quality { UNHELD, HELD_BY_UNKNOWN, HELD_POSSIBLY, HELD_EXACTLY, QUALITIES };

static void rate_all(const struct graph *g, const struct roots *roots, uint8_t *quality)
{
    for (ordinal o = 0; o < g->objects; o++)
        quality[o] = graph_is_immortal(g, o) || graph_external(g, o) > 0 ? HELD_BY_UNKNOWN : UNHELD;
    for (size_t i = 0; i < roots->count; i++) {
        uint8_t q = roots->items[i].record->flags & ROOT_EXACT ? HELD_EXACTLY : HELD_POSSIBLY;
        if (quality[roots->items[i].object] < q)
            quality[roots->items[i].object] = q;
    }
}

/* Breadth first from all objects of one quality at once over what was not reached from a better one. */
static void spread(const struct graph *g, const uint8_t *quality, unsigned from, ordinal *queue, struct routes *r)
{
    size_t head = 0, tail = 0;
    for (ordinal o = 0; o < g->objects; o++)
        if (quality[o] == from && r->from[o] == ORDINAL_NONE) {
            r->from[o] = o;
            queue[tail++] = o;
        }
    while (head < tail) {
        ordinal o = queue[head++];
        for (uint64_t e = g->edge_start[o]; e < g->edge_start[o + 1]; e++) {
            ordinal t = g->target[e];
            if (t == ORDINAL_NONE || !edge_is_counted(g->info[e]) || r->from[t] != ORDINAL_NONE)
                continue;
            r->from[t] = o;
            r->edge[t] = e;
            queue[tail++] = t;
        }
    }
}

int routes_find(const struct graph *g, const struct roots *roots, struct routes *r)
{
    size_t n = (size_t)g->objects + 1;
    ordinal *queue = array_new(n, sizeof *queue);
    uint8_t *quality = array_new(n, 1);
    r->from = array_new(n, sizeof *r->from);
    r->edge = array_new(n, sizeof *r->edge);
    int status = queue && quality && r->from && r->edge ? 0 : -1;
    if (!status) {
        memset(r->from, 0xff, n * sizeof *r->from);
        rate_all(g, roots, quality);
        for (unsigned q = QUALITIES - 1; q > UNHELD; q--)
            spread(g, quality, q, queue, r);
    }
    array_free(queue);
    array_free(quality);
    if (status)
        routes_release(r);
    return status;
}

void routes_release(struct routes *routes)
{
    array_free(routes->from);
    array_free(routes->edge);
    memset(routes, 0, sizeof *routes);
}

static int path_new(struct path *path, size_t length)
{
    path->step = array_new(length, sizeof *path->step);
    path->edge = array_new(length, sizeof *path->edge);
    if (!path->step || !path->edge) {
        path_release(path);
        return -1;
    }
    path->length = length;
    return 0;
}

/* An exact root before a possible one; NULL when the object has none. */
static const struct root_record *best_root(const struct roots *roots, ordinal o)
{
    const struct root_entry *first;
    size_t n = roots_of(roots, o, &first);
    for (size_t i = 0; i < n; i++)
        if (first[i].record->flags & ROOT_EXACT)
            return first[i].record;
    return n ? first[0].record : NULL;
}

int routes_path(const struct routes *r, const struct roots *roots, ordinal o, struct path *result)
{
    size_t length = 1;
    memset(result, 0, sizeof *result);
    if (r->from[o] == ORDINAL_NONE)
        return 0;
    for (ordinal at = o; r->from[at] != at; at = r->from[at])
        length++;
    if (path_new(result, length))
        return -1;
    for (ordinal at = o; length--; at = r->from[at]) {
        result->step[length] = at;
        result->edge[length] = r->edge[at];
    }
    result->root = best_root(roots, result->step[0]);
    return 0;
}

/* ---- within garbage ---- */

static int is_cyclic(const struct components *c, ordinal o)
{
    return c->component[o] != ORDINAL_NONE && c->cyclic[c->component[o]];
}

/* Backwards from o until what is looked for refers to an object met: o itself when `round`, else one of a cycle. `met`
 * is the object it refers to. */
static ordinal look_back(const struct graph *g, const struct components *c, ordinal o, int round, ordinal *queue,
                         ordinal *toward, ordinal *met)
{
    size_t head = 0, tail = 0;
    toward[o] = o;
    queue[tail++] = o;
    while (head < tail) {
        ordinal at = queue[head++];
        for (uint64_t b = g->back->start[at]; b < g->back->start[at + 1]; b++) {
            ordinal s = g->back->source[b];
            if (!edge_is_counted(g->back->info[b]))
                continue;
            *met = at;
            if (round ? s == o : is_cyclic(c, s))
                return s;
            if (toward[s] == ORDINAL_NONE && (!round || c->component[s] == c->component[o])) {
                toward[s] = at;
                queue[tail++] = s;
            }
        }
    }
    return ORDINAL_NONE;
}

/* The first counted edge from one object to another, which there is. */
static uint64_t edge_between(const struct graph *g, ordinal from, ordinal to)
{
    uint64_t e = g->edge_start[from];
    while (g->target[e] != to || !edge_is_counted(g->info[e]))
        e++;
    return e;
}

int path_from_cycle(const struct graph *g, const struct components *c, ordinal o, struct path *result)
{
    size_t n = (size_t)g->objects + 1, length = 2;
    ordinal *queue = array_new(n, sizeof *queue), *toward = array_new(n, sizeof *toward), met = o;
    int status = queue && toward ? graph_back(g) : -1;
    memset(result, 0, sizeof *result);
    if (!status) {
        memset(toward, 0xff, n * sizeof *toward);
        ordinal first = look_back(g, c, o, is_cyclic(c, o), queue, toward, &met);
        for (ordinal at = met; first != ORDINAL_NONE && at != o; at = toward[at])
            length++;
        if (first != ORDINAL_NONE && !(status = path_new(result, length))) {
            result->step[0] = first;
            for (size_t i = 1; i < length; i++, met = toward[met]) {
                result->step[i] = met;
                result->edge[i] = edge_between(g, result->step[i - 1], met);
            }
        }
    }
    array_free(queue);
    array_free(toward);
    return status;
}
