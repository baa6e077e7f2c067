/* The first of many in some order, without sorting all of them. */
#ifndef GRAPH_TOP_H
#define GRAPH_TOP_H

#include "address_index.h"

/* Less than 0 when *a comes before *b. */
typedef int top_compare(const void *a, const void *b, void *context);

/* Moves the first `limit` (0: all) of `items` to the front, in order; what follows them is in no order. Returns how
 * many they are. No two items may be equal. */
size_t top_sort(ordinal *items, size_t count, size_t limit, top_compare *compare, void *context);

#endif
