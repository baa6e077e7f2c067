/* Heaps, the collector, roots, and snapshots.
 *
 * The collector is CPython's of the 3.8 to 3.13 family (Modules/gcmodule.c): containers live in three generations;
 * a collection of generation N takes generations 0 to N as candidates, subtracts from copies of their refcounts every
 * reference between candidates, and frees what neither keeps a count nor is reached from what does.
 */
#ifndef REFHEAP_HEAP_H
#define REFHEAP_HEAP_H

#include <refheap/object.h>

#ifdef __cplusplus
extern "C" {
#endif

enum rh_generation {
    RH_YOUNG = 0,
    RH_MIDDLE = 1,
    RH_OLD = 2,
    RH_PERMANENT = 3, /* frozen: no candidate of any collection */
    RH_UNTRACKED = 4, /* atomic objects, and containers that cannot be part of a cycle as they are */
};

struct rh_heap_options {
    const char *name; /* shown in snapshots; may be NULL */
};

/* A new heap, owned by the calling thread. options may be NULL. */
RH_API int rh_heap_create(const struct rh_heap_options *options, struct rh_heap **out, struct rh_error *err);

/* Runs a full collection, then frees whatever is left without running its finalizers. Returns how many objects were
 * still alive, immortal ones not counted: what the program leaked. Objects of other heaps must not refer to its objects
 * any more. NULL is allowed. */
RH_API size_t rh_heap_destroy(struct rh_heap *heap);

/* Hands the heap to the calling thread. The thread that had it must be done with it. After fork() the heaps of the
 * thread that called it belong to the child too, without this. */
RH_API void rh_heap_adopt(struct rh_heap *heap);

/* Collects a generation and those younger. Returns the number of unreachable objects found; 0 during a collection. */
RH_API size_t rh_collect(struct rh_heap *heap, int generation);

/* Automatic collection, on at first: when containers made less those freed pass threshold 0. */
RH_API void rh_enable(struct rh_heap *heap);
RH_API void rh_disable(struct rh_heap *heap);
RH_API int rh_is_enabled(const struct rh_heap *heap);

/* Thresholds, (700, 10, 10) at first; a threshold 0 of 0 turns automatic collection off. */
RH_API void rh_set_threshold(struct rh_heap *heap, const size_t threshold[3]);
RH_API void rh_get_threshold(const struct rh_heap *heap, size_t threshold[3]);
RH_API void rh_get_count(const struct rh_heap *heap, size_t count[3]);

struct rh_stats {
    uint64_t collections, collected, uncollectable;
};
RH_API void rh_get_stats(const struct rh_heap *heap, struct rh_stats stats[3]);

enum rh_debug {
    RH_DEBUG_SAVEALL = 32, /* keep what is found unreachable in rh_garbage() rather than free it */
};
RH_API void rh_set_debug(struct rh_heap *heap, unsigned flags);
RH_API unsigned rh_get_debug(const struct rh_heap *heap);

/* The list of objects kept by RH_DEBUG_SAVEALL; borrowed, NULL while there are none. */
RH_API struct rh_object *rh_garbage(const struct rh_heap *heap);

/* Moves all containers of the three generations to the permanent one, or back to the oldest. */
RH_API void rh_freeze(struct rh_heap *heap);
RH_API void rh_unfreeze(struct rh_heap *heap);
RH_API size_t rh_freeze_count(const struct rh_heap *heap);

RH_API int rh_is_tracked(const void *object);
RH_API int rh_is_finalized(const void *object);
RH_API int rh_generation_of(const void *object);

/* Takes a container out of the collector's sight, or back in (into generation 0). An untracked container is no
 * candidate: only for objects known not to be part of a cycle. */
RH_API void rh_untrack(void *object);
RH_API void rh_track(void *object);

/* Makes an object live as long as its heap: a container becomes permanent and its refcount stops to matter. */
RH_API void rh_immortalize(void *object);

/* Calls visit for each object of a generation (RH_UNTRACKED for atomic ones) until it returns other than 0, and
 * returns that. visit must not make or drop objects. */
RH_API int rh_heap_visit(struct rh_heap *heap, int generation, rh_visit visit, void *context);

/* Declares that the variable at `slot` (a struct T *, NULL or holding a counted reference) is a root called `name`.
 * Returns 0 or RH_ERR_NO_MEMORY. It must be removed before the variable goes away. */
RH_API int rh_root_add(struct rh_heap *heap, const char *name, void *slot);
RH_API void rh_root_remove(struct rh_heap *heap, void *slot);

/* Takes a counted reference on behalf of `name`, to be shown as the one who holds the object, and gives it back. */
RH_API int rh_pin(void *object, const char *name);
RH_API void rh_unpin(void *object, const char *name);

/* Marks a stretch of code in which the heap's objects are not fit to be looked at (an array and its count disagree).
 * Dumps wait for its end. Calls nest. */
RH_API void rh_busy_begin(struct rh_heap *heap);
RH_API void rh_busy_end(struct rh_heap *heap);

enum rh_dump_flags {
    RH_DUMP_NO_VALUES = 1, /* leave out values, keep names */
    /* Copy the buffers of the program's own types through the kernel, so that a pointer that is wrong for a moment
     * becomes a mark in the file and not a fault: for signal handlers and debuggers. */
    RH_DUMP_GUARDED = 2,
};

/* Writes a snapshot of the calling thread's heaps to `path`: complete, or not at all. Heaps of other threads are named
 * in it as left out. Async-signal-safe: raw system calls and a mapping of its own, no lock waited for, little stack,
 * errno kept. Returns RH_ERR_BUSY when one of the heaps is being changed (in a signal handler that came in the middle
 * of something). */
RH_API int rh_dump(const char *path, unsigned flags, struct rh_error *err);

/* Asks for a dump at the next safe point of a thread that owns a heap: an allocation, a collection, rh_safepoint().
 * Async-signal-safe. Returns RH_ERR_BUSY while an earlier request is open. */
RH_API int rh_dump_request(const char *path, unsigned flags, struct rh_error *err);

/* A safe point and nothing else. Cheap: for loops that wait or allocate nothing. */
RH_API void rh_safepoint(struct rh_heap *heap);

#ifdef __cplusplus
}
#endif
#endif
