/* Children lists of a forest given by parents. */
#ifndef GRAPH_FOREST_H
#define GRAPH_FOREST_H

#include "address_index.h"

struct forest {
    ordinal vertices;
    ordinal *start; /* children of v: child[start[v]] to child[start[v + 1] - 1], ascending; roots are those of v =
                       vertices */
    ordinal *child;
};

/* parent[v] is ORDINAL_NONE for a root. Returns 0 or -1 without memory. */
int forest_build(const ordinal *parent, ordinal vertices, struct forest *result);
void forest_release(struct forest *forest);

/* Adds value[v] to sums[class_of[v]] for each vertex below `limit` that has no ancestor below `limit` of the same
 * class. */
int forest_sum_outermost(const struct forest *forest, ordinal limit, const uint32_t *class_of, uint32_t classes,
                         const uint64_t *value, uint64_t *sums);

#endif
