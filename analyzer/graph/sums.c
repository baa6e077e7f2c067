#include "sums.h"

#include <string.h>

#include "array.h"
#include "bits.h"
#include "forest.h"

/* Whether one reference is all that holds an object, and it comes from the heap. */
static int is_owned(const struct graph *g, ordinal o)
{
    return graph_internal(g, o) == 1 && graph_refcount(g, o) == 1 && !graph_is_immortal(g, o);
}

/* Who alone holds each object, or ORDINAL_NONE: found from the side of the holder, in one pass over the edges. */
static void find_owners(const struct graph *g, ordinal *owner)
{
    memset(owner, 0xff, (size_t)g->objects * sizeof *owner);
    for (ordinal o = 0; o < g->objects; o++)
        for (uint64_t e = g->edge_start[o]; e < g->edge_start[o + 1]; e++) {
            ordinal t = g->target[e];
            if (t != ORDINAL_NONE && edge_is_counted(g->info[e]) && is_owned(g, t))
                owner[t] = o;
        }
}

/* The owner relation is a forest whose trees may be rooted in rings. Leaves are peeled off upward; what is left are the
 * rings, whose members all own the sum. order[] receives the objects so that owners come after what they own, ring
 * members last. */
static ordinal peel(const struct graph *g, const ordinal *owner, ordinal *owned_count, ordinal *order)
{
    ordinal n = 0;
    memset(owned_count, 0, (size_t)g->objects * sizeof *owned_count);
    for (ordinal o = 0; o < g->objects; o++)
        if (owner[o] != ORDINAL_NONE)
            owned_count[owner[o]]++;
    for (ordinal o = 0; o < g->objects; o++)
        if (!owned_count[o])
            order[n++] = o;
    for (ordinal i = 0; i < n; i++) {
        ordinal above = owner[order[i]];
        if (above != ORDINAL_NONE && --owned_count[above] == 0)
            order[n++] = above;
    }
    return n;
}

/* Gives each member of a ring the ring's sum, and opens the ring at its first member, which becomes a root. */
static void open_rings(const struct graph *g, ordinal *owner, ordinal *owned_count, uint64_t *owned)
{
    for (ordinal o = 0; o < g->objects; o++) {
        if (!owned_count[o])
            continue;
        uint64_t sum = 0;
        ordinal at = o;
        do {
            sum += owned[at];
            at = owner[at];
        } while (at != o);
        do {
            owned[at] = sum;
            owned_count[at] = 0;
            at = owner[at];
        } while (at != o);
        owner[o] = ORDINAL_NONE;
    }
}

/* Fills `owned` and leaves in `owner` a forest without rings. */
static int find_owned(const struct graph *g, ordinal *owner, uint64_t *owned)
{
    size_t n = (size_t)g->objects + 1;
    ordinal *order = array_new(n, sizeof *order);
    ordinal *owned_count = array_new(n, sizeof *owned_count);
    int status = order && owned_count ? 0 : -1;
    if (!status) {
        find_owners(g, owner);
        ordinal peeled = peel(g, owner, owned_count, order);
        for (ordinal o = 0; o < g->objects; o++)
            owned[o] = graph_size(g, o);
        for (ordinal i = 0; i < peeled; i++)
            if (owner[order[i]] != ORDINAL_NONE)
                owned[owner[order[i]]] += owned[order[i]];
        open_rings(g, owner, owned_count, owned);
    }
    array_free(order);
    array_free(owned_count);
    return status;
}

int sums_owned(const struct graph *g, uint64_t *owned)
{
    ordinal *owner = array_new((size_t)g->objects + 1, sizeof *owner);
    int status = owner ? find_owned(g, owner, owned) : -1;
    array_free(owner);
    return status;
}

int sums_owned_by(const struct graph *g, ordinal o, uint64_t *owned)
{
    uint64_t *met = bits_new(g->objects);
    ordinal *queue = array_raw((size_t)g->objects + 1, sizeof *queue);
    size_t queued = 0;
    int status = met && queue ? 0 : -1;
    *owned = 0;
    if (!status) {
        bit_set(met, o);
        queue[queued++] = o;
    }
    for (size_t at = 0; at < queued; at++) {
        *owned += graph_size(g, queue[at]);
        for (uint64_t e = graph_begin(g, queue[at]), end = graph_end(g, queue[at]); e < end; e++) {
            ordinal t = graph_target(g, e);
            if (t != ORDINAL_NONE && edge_is_counted(graph_info(g, e)) && is_owned(g, t) && !bit_is_set(met, t)) {
                bit_set(met, t);
                queue[queued++] = t;
            }
        }
    }
    array_free(met);
    array_free(queue);
    return status;
}

static void add_shallow(const struct graph *g, const uint32_t *class_of, struct class_sums *sums)
{
    for (ordinal o = 0; o < g->objects; o++) {
        struct class_sums *c = &sums[class_of[o]];
        if (!c->count++ || graph_size(g, o) > c->largest) {
            c->largest = graph_size(g, o);
            c->largest_object = o;
        }
        c->shallow += graph_size(g, o);
    }
}

static int sum_tree(const ordinal *parent, ordinal vertices, ordinal limit, const uint32_t *class_of, uint32_t classes,
                    const uint64_t *value, uint64_t *sums)
{
    struct forest forest = {0};
    int status = forest_build(parent, vertices, &forest);
    if (!status)
        status = forest_sum_outermost(&forest, limit, class_of, classes, value, sums);
    forest_release(&forest);
    return status;
}

int sums_by_class(const struct graph *g, const struct dominators *d, const uint32_t *class_of, uint32_t classes,
                  struct class_sums *sums)
{
    size_t n = (size_t)g->objects + 1;
    uint64_t *retained = array_new((size_t)classes + 1, sizeof *retained);
    uint64_t *owned = array_new((size_t)classes + 1, sizeof *owned);
    uint64_t *owned_size = array_new(n, sizeof *owned_size);
    ordinal *owner = array_new(n, sizeof *owner);
    int status = retained && owned && owned_size && owner ? 0 : -1;
    if (!status)
        status = sum_tree(d->dominator, d->vertices, d->objects, class_of, classes, d->retained, retained);
    if (!status)
        status = find_owned(g, owner, owned_size);
    if (!status)
        status = sum_tree(owner, g->objects, g->objects, class_of, classes, owned_size, owned);
    if (!status) {
        add_shallow(g, class_of, sums);
        for (uint32_t c = 0; c < classes; c++) {
            sums[c].retained = retained[c];
            sums[c].owned = owned[c];
        }
    }
    array_free(retained);
    array_free(owned);
    array_free(owned_size);
    array_free(owner);
    return status;
}
