/* Random heaps from a seed: programs of operations on librefheap that leave objects of every kind in every generation.
 */
#ifndef TESTS_RANDOM_HEAP_H
#define TESTS_RANDOM_HEAP_H

#include <refheap/refheap.h>

struct random_heap {
    uint64_t seed, state; /* the latter of the generator */
    struct rh_heap *heaps[2];
    int heap_count;
    void **held; /* objects this program holds a reference to */
    size_t held_count;
    struct rh_object *rooted[4]; /* declared roots */
    size_t size;
};

/* Builds one or two heaps of about `size` objects. Ends the program when memory is exhausted. */
void random_heap_build(struct random_heap *r, uint64_t seed, size_t size);

/* Drops what is held and collects; destroys a heap that is alone. Returns what that leaked. */
size_t random_heap_destroy(struct random_heap *r);

/* A number below `limit`. */
uint64_t random_below(struct random_heap *r, uint64_t limit);

#endif
