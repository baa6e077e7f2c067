/* For finding mistakes in a program that uses the library.
 *
 * rh_heap_check() looks a heap over in any build. The debug build (librefheap-debug.so, .a; compile the program with
 * -DRH_DEBUG too) calls it at each full collection, and besides catches, where it happens:
 *
 *   a refcount that falls below zero, or is touched after the object was freed
 *   an object changed after it was freed: freed memory is poisoned, kept back for a while, and looked at again
 *   a heap used by a thread that does not own it
 *
 * RH_GC_STRESS=1 in the environment makes either build collect at every allocation: a reference that was not counted
 * fails at once rather than once in a thousand runs.
 */
#ifndef REFHEAP_DEBUG_H
#define REFHEAP_DEBUG_H

#include <refheap/heap.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What is done when a mistake is found: `what` is a sentence, `object` what it is about (it may be freed memory). NULL
 * brings back what is done at first: a line on standard error, and abort() in the debug build. */
typedef void (*rh_trap)(void *context, const char *what, const void *object);
RH_API void rh_set_trap(rh_trap trap, void *context);

/* Looks at every object of the heap and calls the trap for each mistake: a refcount lower than the references that were
 * counted (an object that will be freed while in use), a reference to what is no object, a type whose table misses a
 * reference (a word of the object is the address of another object, and no field says so). Returns their number. Takes
 * a table of all objects, and the time of a few collections. */
RH_API size_t rh_heap_check(struct rh_heap *heap);

#ifdef __cplusplus
}
#endif
#endif
