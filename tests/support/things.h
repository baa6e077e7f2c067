/* Small types for the tests of librefheap. */
#ifndef TESTS_THINGS_H
#define TESTS_THINGS_H

#include <refheap/refheap.h>

/* Two strong references, a weak one, and a number. `log` (when set) is called by the finalizer. */
struct thing {
    RH_OBJECT_HEAD;
    struct thing *a, *b;
    struct rh_weak w;
    int64_t number;
};

extern void (*thing_finalizer)(struct thing *thing);
extern void (*thing_released)(struct thing *thing);

enum thing_kind { PLAIN, FINALIZED, LEGACY };

/* A heap without automatic collection, and a type in it. */
struct rh_heap *things_heap(void);
struct rh_type *things_type(struct rh_heap *heap, enum thing_kind kind);

/* A thing that holds a and b (each may be NULL), counting them. */
struct thing *thing_new(struct rh_type *type, int64_t number, struct thing *a, struct thing *b);

size_t objects_in(struct rh_heap *heap, int generation);
size_t objects_alive(struct rh_heap *heap);

#endif
