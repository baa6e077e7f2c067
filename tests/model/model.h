/* A slow and plain model of the heap: CPython 3.11's rules (Modules/gcmodule.c, weakrefobject.c, typeobject.c's
 * subtype_dealloc) on arrays of numbers, written from those and from the library's headers.
 *
 * Where the library's rules are its own, the model has these:
 * - every container can be cleared, tuples too;
 * - an object that goes lets all its references go at once, and only then do those without a reference left go in
 *   turn, in the order of its fields (a list's and a tuple's from the last to the first); meanwhile they read as NULL;
 * - release runs between the two;
 * - a weak field is to its object what a weak reference object is that nothing else holds: cleared with its garbage;
 * - a container untracked by hand stays untracked when its finalizer brings it back;
 * - the list of garbage is an ordinary list of generation 0, made when it is first needed;
 * - what survives a collection comes in an order of its own, which decides in which order finalizers run later: what is
 *   held from elsewhere before what that leads to in small heaps, in large ones otherwise, so that the order is taken
 *   over from the library after each step (model_reorder);
 * - a weak reference that is called stays in its generation;
 * - a weak reference is let go of right after its callback, not after all of its target; its data goes with the
 *   callback, as CPython drops that, unless the collector calls it;
 * - objects of another heap go at once;
 * - immortal objects stay in the permanent generation.
 */
#ifndef TESTS_MODEL_MODEL_H
#define TESTS_MODEL_MODEL_H

#include "world.h"

struct world *model_open(int heap_count, world_act act);
void model_close(struct world *world);

/* Puts the objects of a generation into this order. */
void model_reorder(struct world *world, int heap, int generation, const int *ids, int count);

#endif
