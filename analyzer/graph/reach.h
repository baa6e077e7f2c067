/* What is reached from a set of objects: the marking pass of a collector, by as many threads as there are processors.
 */
#ifndef GRAPH_REACH_H
#define GRAPH_REACH_H

#include "graph.h"

/* Which edges carry life: those with all of `wanted` bits, between objects of `among` (NULL: all), within one heap when
 * `one_heap` is set. `simple`: every edge does; what is not of `among` refers to nothing, and is marked too. */
struct reach {
    unsigned wanted;
    const uint64_t *among;
    int one_heap, simple;
};

/* Ordinals that a queue for all objects of the graph holds. */
size_t reach_queue_size(const struct graph *g);

/* Marks in `alive`, a bit an object, all that is reached from the first `used` entries of `queue`, which are marked
 * already. Returns 0, or -1 without memory. */
int reach_mark(const struct graph *g, const struct reach *reach, uint64_t *alive, ordinal *queue, size_t used);

/* Fetches the rows of a queue ahead of the work at `at`: first where they begin, then what they hold. */
static inline void reach_fetch(const struct graph *g, const ordinal *queue, size_t at, size_t end)
{
    enum { START = 32, ROW = 16 };
    if (at + START < end)
        __builtin_prefetch(&g->edge_start[queue[at + START]]);
    if (at + ROW < end) {
        uint64_t first = g->edge_start[queue[at + ROW]];
        __builtin_prefetch(&g->target[first]);
        __builtin_prefetch(&g->info[first]);
    }
}

#endif
