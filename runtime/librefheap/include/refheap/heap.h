/* Heaps, their objects and their roots. The collector is in gc.h, snapshots in dump.h. */
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

/* Where a heap's memory comes from. allocate returns 16-aligned memory or NULL; release takes what allocate gave, and
 * NULL. Neither may use the heap. */
struct rh_allocator {
    void *(*allocate)(void *context, size_t size);
    void (*release)(void *context, void *memory);
    void *context;
};

enum rh_heap_flags {
    RH_HEAP_SERIALS = 1, /* number objects in the order they are made: two dumps can tell a survivor from a newcomer at
                            the same address. 16 bytes an object, shared with sites. */
};

/* Zero is a fit value for everything. */
struct rh_heap_options {
    const char *name;                     /* shown in snapshots; may be NULL */
    const struct rh_allocator *allocator; /* copied; NULL is malloc and free */
    unsigned flags;                       /* enum rh_heap_flags */
    unsigned site_depth; /* where objects were made: 0 not recorded, else the return addresses of so many callers, at
                            most RH_SITE_DEPTH_MAX, or the place RH_AT() names */
};

/* A new heap, owned by the calling thread. options may be NULL. */
RH_API int rh_heap_create(const struct rh_heap_options *options, struct rh_heap **out, struct rh_error *err);

/* Runs a full collection, then the callbacks of rh_at_death() and the finalizers of what is left, each once, and frees
 * it whatever they do. Returns how many objects were still alive, immortal ones not counted: what the program leaked;
 * with RH_DEBUG_UNCOLLECTABLE, or a report of its own (rh_set_report), it says of which types. Objects of other heaps
 * must not refer to its objects any more. NULL is allowed. */
RH_API size_t rh_heap_destroy(struct rh_heap *heap);

/* Hands the heap to the calling thread. The thread that had it must be done with it. After fork() the heaps of the
 * thread that called it belong to the child too, without this. Heaps of different threads must not refer to each
 * other's objects. */
RH_API void rh_heap_adopt(struct rh_heap *heap);

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

/* A safe point and nothing else: an open request for a dump is served. Cheap: for loops that wait or allocate nothing.
 */
RH_API void rh_safepoint(struct rh_heap *heap);

#ifdef __cplusplus
}
#endif
#endif
