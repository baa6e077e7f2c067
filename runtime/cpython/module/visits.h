/* What tp_traverse visited of one object, and which name goes with which visit.
 *
 * tp_traverse gives the truth without names; describe.h gives names, as far as it knows the layout. They meet by target:
 * a described reference takes one visit of the same target, and what remains has no name. Both sides mostly come in the
 * same order, or one backwards, so the first and the last are looked at first; a dict of a million items must not be
 * searched a million times.
 */
#ifndef CPYTHON_VISITS_H
#define CPYTHON_VISITS_H

#include <stddef.h>
#include <stdint.h>

#include "mapping.h"

struct visits {
    struct mapping targets; /* uint64_t; 0: taken */
    struct mapping sorted;  /* struct visit_group; made when order did not help */
    size_t count, next, last, taken; /* those not taken are from `next` on, and before `last` */
    size_t groups; /* in `sorted`; 0: not made */
    int out_of_memory;
};

void visits_begin(struct visits *v);
void visits_add(struct visits *v, uint64_t target);

/* Takes one visit of `target`. Returns whether there was one left. */
int visits_take(struct visits *v, uint64_t target);

/* The visits not taken: call with *at = 0 first; returns 0 at the end. */
uint64_t visits_left(const struct visits *v, size_t *at);

void visits_release(struct visits *v);

#endif
