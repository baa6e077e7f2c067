/* Arrays by the million.
 *
 * What matters for a large array is how its pages come to be: fresh ones, 4 KiB at a time, cost more than most of what
 * is done with them. Large arrays are mapped aligned for huge pages and marked to get them; what is freed serves the
 * arrays to come.
 */
#ifndef GRAPH_ARRAY_H
#define GRAPH_ARRAY_H

#include <stddef.h>

/* `count` elements of `size` bytes, zero; NULL when there is no memory or the product overflows. Never NULL for a count
 * of 0. */
void *array_new(size_t count, size_t size) __attribute__((malloc, alloc_size(1, 2)));
/* The same with whatever the memory holds: for arrays that are written before they are read. */
void *array_raw(size_t count, size_t size) __attribute__((malloc, alloc_size(1, 2)));
/* Gives back what lies behind the first `count` elements, of an array that was made larger than it turned out to be:
 * memory that was never touched must not pass for used memory when the array is freed. */
void array_cut(void *array, size_t count, size_t size);
/* Has the kernel make the pages of some elements of a large array, which stay as they are: for another thread to do it
 * ahead of the one that writes them. */
void array_touch(void *array, size_t first, size_t count, size_t size);
void array_free(void *array);

#endif
