/* Sizes added up: owned sizes, and shallow, owned and retained by class of object.
 *
 * A class is any partition of the objects by type, module, generation ...: `class_of` maps each object to a class
 * number below `classes`. Sums of owned and retained leave out objects nested under another of the same class.
 */
#ifndef GRAPH_SUMS_H
#define GRAPH_SUMS_H

#include "dominators.h"

struct class_sums {
    uint64_t count, shallow, owned, retained;
    uint64_t largest; /* shallow size of the largest object */
    ordinal largest_object;
};

/* Owned size of each object: itself and, recursively, what only it refers to (refcount 1, held by it). In a ring of
 * such objects each owns the whole ring. */
int sums_owned(const struct graph *g, uint64_t *owned);

/* The same of one object: by what it alone leads to. */
int sums_owned_by(const struct graph *g, ordinal o, uint64_t *owned);

/* Adds up by class. `sums` has `classes` zeroed entries. */
int sums_by_class(const struct graph *g, const struct dominators *d, const uint32_t *class_of, uint32_t classes,
                  struct class_sums *sums);

#endif
