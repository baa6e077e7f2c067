/* What would die if references went: at once, by refcounting alone, and when a collector runs after.
 *
 * At once: each cut reference takes one from its target's refcount; a count that reaches zero frees its object, whose
 * own references go in turn. Then a full collection of every heap judges what is left by the rule of garbage.h, with
 * the counts as they are then: a second reachability run, which sees what a sum over the dominator tree cannot (an
 * object held by two cut references, a cycle that was held by one). What the garbage alone held goes with it.
 * Finalizers and weak references' callbacks are not run: what they would do is not known.
 */
#ifndef GRAPH_WHAT_IF_H
#define GRAPH_WHAT_IF_H

#include "garbage.h"

struct what_if_cuts {
    uint8_t *edge;     /* by edge number: the reference goes; one that is not counted holds nothing anyway */
    uint32_t *outside; /* by object: counted references from outside the heap that go */
    uint8_t *object;   /* by object: all references to it go, whoever holds them */
};

enum what_if_fate {
    WHAT_IF_STAYS,
    WHAT_IF_AT_ONCE,
    WHAT_IF_COLLECTED,     /* the collector frees it, or it goes with what the collector frees */
    WHAT_IF_UNCOLLECTABLE, /* the collector finds it and a legacy finalizer keeps it, or it hangs off such an object */
    WHAT_IF_INVISIBLE,     /* unreachable, and the collector cannot see it */
};

struct what_if {
    uint8_t *fate; /* by object: enum what_if_fate */
};

/* Without `cuts` (NULL): what a collection would do now. */
int what_if_run(const struct graph *g, const struct what_if_cuts *cuts, struct what_if *result);
void what_if_release(struct what_if *result);

#endif
