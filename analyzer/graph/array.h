/* Arrays by the million.
 *
 * What matters for a large array is how its pages come to be: 4 KiB at a time, first touch costs more than most of what
 * is done with it. Large arrays are mapped on their own, aligned for huge pages and marked to get them, and given back
 * to the system when freed. All arrays begin as zeroes.
 */
#ifndef GRAPH_ARRAY_H
#define GRAPH_ARRAY_H

#include <stddef.h>

/* `count` elements of `size` bytes, zero; NULL when there is no memory or the product overflows. Never NULL for a count
 * of 0. */
void *array_new(size_t count, size_t size) __attribute__((malloc, alloc_size(1, 2)));
void array_free(void *array);

#endif
