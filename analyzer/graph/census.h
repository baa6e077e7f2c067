/* Counts and sizes by class, read off the rows of a snapshot: no graph is needed. */
#ifndef GRAPH_CENSUS_H
#define GRAPH_CENSUS_H

#include "../../dumpfmt/snapshot.h"

struct census {
    uint64_t objects, bytes;
};

/* What counts: a heap (or -1), a generation (or -1). */
struct census_filter {
    int64_t heap;
    int generation;
};

/* Adds up by class; `class_of` has an entry more than there are type ids, for types that a damaged file lost. */
void census_take(const struct snapshot *snapshot, const struct census_filter *filter, const uint32_t *class_of,
                 struct census *sums);

/* Whether `values` rise at every step, of two or more. */
int census_rises(const uint64_t *values, int count);

#endif
