/* What the debug build adds; nothing of it is in the other. */
#ifndef LIBREFHEAP_CHECK_H
#define LIBREFHEAP_CHECK_H

#include "internal.h"

enum { TRAP_TEXT = 400 };
#define POISON_WORD ((int64_t)0xdeadfeeddeadfeedu) /* negative: no living refcount */

/* Tells the program of a mistake of its own. */
void trap(const char *what, const void *object);

#ifdef RH_DEBUG
void debug_check_thread(const struct rh_heap *heap);
void debug_release(struct rh_heap *heap);

/* Called between the passes of a collection, when a dump may be taken; for tests. */
extern RH_API void (*rh_pass_hook)(struct rh_heap *heap, const char *pass);
#endif

#endif
