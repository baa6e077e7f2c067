/* The rows of a long list in order, sorted only where somebody looks.
 *
 * Hoare's quicksort (1962), stopped and resumed: each look partitions only what its place lies in, so that the first
 * page of n rows costs O(n), the next ones next to nothing, and all of them O(n log n) in whatever order they are asked
 * for. Pivots are picked at random: no input is a bad one.
 */
#ifndef GRAPH_ORDER_H
#define GRAPH_ORDER_H

#include <stddef.h>

#include "ordinal.h"

/* A row and what it is sorted by: smallest key first, rows of one key in their own order. */
struct order_item {
    uint64_t key;
    ordinal row;
};

struct order {
    struct order_item *items;
    size_t count;
    uint64_t *ends; /* bit i: nothing that stands at i or behind it belongs in front of i */
    uint64_t random;
};

/* Begins an order of `count` rows, numbered from 0; the caller then fills in items[].key, negated (~key) for the
 * largest first. An order of as many rows is begun anew where it is; otherwise it is zeroed, or was released. Returns 0
 * or -1 without memory. */
int order_begin(struct order *order, size_t count);
void order_release(struct order *order);

/* The row that stands at a place, below `count`. */
ordinal order_at(struct order *order, size_t place);

#endif
