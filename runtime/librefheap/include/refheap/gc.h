/* The collector: CPython's of the 3.8 to 3.13 family (Modules/gcmodule.c), with the whole surface of Python's gc
 * module.
 *
 * Containers live in three generations; a collection of generation N takes generations 0 to N as candidates, subtracts
 * from copies of their refcounts every reference between candidates, and frees what neither keeps a count nor is
 * reached from what does. README.md of the library has a table of Python's names and these.
 */
#ifndef REFHEAP_GC_H
#define REFHEAP_GC_H

#include <refheap/heap.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Collects a generation and those younger. Returns the number of unreachable objects found; 0 during a collection. */
RH_API size_t rh_collect(struct rh_heap *heap, int generation);

/* Automatic collection, on at first: when containers made less those freed pass threshold 0. */
RH_API void rh_enable(struct rh_heap *heap);
RH_API void rh_disable(struct rh_heap *heap);
RH_API int rh_is_enabled(const struct rh_heap *heap);

/* Thresholds, (700, 10, 10) at first. A threshold of 0 turns the automatic collection of that generation off, and so of
 * the older ones, which follow from it. (CPython has it so for generation 0 alone; there, 0 for an older one means at
 * every turn.) */
RH_API void rh_set_threshold(struct rh_heap *heap, const size_t threshold[3]);
RH_API void rh_get_threshold(const struct rh_heap *heap, size_t threshold[3]);
RH_API void rh_get_count(const struct rh_heap *heap, size_t count[3]);

struct rh_stats {
    uint64_t collections, collected, uncollectable;
};
RH_API void rh_get_stats(const struct rh_heap *heap, struct rh_stats stats[3]);

/* What the collector says and keeps. The environment variable RH_GC_DEBUG, a number or words like "stats,leak", is what
 * a heap begins with. */
enum rh_debug {
    RH_DEBUG_STATS = 1,         /* a line before and after each collection */
    RH_DEBUG_COLLECTABLE = 2,   /* a line for each object found to be collectable */
    RH_DEBUG_UNCOLLECTABLE = 4, /* a line for each that is not; and what leaked, when the heap is destroyed */
    RH_DEBUG_SAVEALL = 32,      /* keep what is found unreachable in rh_garbage() rather than free it */
    RH_DEBUG_LEAK = RH_DEBUG_COLLECTABLE | RH_DEBUG_UNCOLLECTABLE | RH_DEBUG_SAVEALL,
};
RH_API void rh_set_debug(struct rh_heap *heap, unsigned flags);
RH_API unsigned rh_get_debug(const struct rh_heap *heap);

/* Where these lines go, without their line feed: to `report`, or with NULL to standard error. The function must not use
 * the heap. */
typedef void (*rh_report)(void *context, const char *line);
RH_API void rh_set_report(struct rh_heap *heap, rh_report report, void *context);

/* The list of objects that were found unreachable and not freed: those with legacy finalizers, and with
 * RH_DEBUG_SAVEALL all. Borrowed; NULL while there never were any. Clear the list to let go of them. */
RH_API struct rh_object *rh_garbage(const struct rh_heap *heap);

/* Called at the start and at the stop of each collection, in the order they were added. They may make, drop and change
 * objects, but no collection runs inside. */
enum rh_gc_phase { RH_GC_START, RH_GC_STOP };
struct rh_gc_info {
    int generation;
    size_t collected, uncollectable; /* 0 at the start */
};
typedef void (*rh_gc_callback)(enum rh_gc_phase phase, const struct rh_gc_info *info, void *context);
RH_API int rh_callback_add(struct rh_heap *heap, rh_gc_callback callback, void *context); /* 0 or RH_ERR_NO_MEMORY */
RH_API void rh_callback_remove(struct rh_heap *heap, rh_gc_callback callback, void *context);

/* New lists, NULL without memory: the containers of a generation (-1: of all three; also RH_PERMANENT and
 * RH_UNTRACKED); the containers of any generation that refer to `object` by a counted reference; what `object` refers
 * to so, once for each reference. */
RH_API struct rh_object *rh_get_objects(struct rh_heap *heap, int generation);
RH_API struct rh_object *rh_get_referrers(const void *object);
RH_API struct rh_object *rh_get_referents(const void *object);

/* Moves all containers of the three generations to the permanent one, or back to the oldest. */
RH_API void rh_freeze(struct rh_heap *heap);
RH_API void rh_unfreeze(struct rh_heap *heap);
RH_API size_t rh_freeze_count(const struct rh_heap *heap);

RH_API int rh_is_tracked(const void *object);
RH_API int rh_is_finalized(const void *object);
RH_API int rh_generation_of(const void *object);

#ifdef __cplusplus
}
#endif
#endif
