/* What a collection would call unreachable, and what would die with it.
 *
 * garbage(N) is the collector's rule of DESIGN: candidates are the containers of generations 0 to N of each heap,
 * without immortal ones; from copies of their refcounts every strong edge between two candidates of one heap is
 * subtracted; what keeps a count, and all candidates it reaches, lives. (CPython's gcmodule.c; Christopher, "Reference
 * count garbage collection", 1984.)
 */
#ifndef GRAPH_GARBAGE_H
#define GRAPH_GARBAGE_H

#include "graph.h"

enum fate {
    FATE_LIVE,
    FATE_GARBAGE,   /* the collector would find it */
    FATE_DEPENDENT, /* freed by refcounting once the garbage is */
    FATE_INVISIBLE, /* unreachable, and the collector cannot see it */
};

struct tally {
    uint64_t objects, bytes;
};

struct garbage {
    uint8_t *fate; /* by ordinal: enum fate */
    struct tally garbage, dependent, invisible;
};

/* Whether o is a candidate of a collection of `generation` in its heap. */
int garbage_is_candidate(const struct graph *g, ordinal o, int generation);

/* Sorts every object by what a collection of `generation` (0, 1, 2) of every heap would do now. Invisible garbage is
 * told for generation 2 alone. */
int garbage_find(const struct graph *g, int generation, struct garbage *result);

/* The same for generation 2 when it is known what lives, because whatever is held from outside does, and all that it
 * reaches, and nothing else: one heap, where every edge is strong and candidates alone have any. `reached` has a bit for
 * each object. */
int garbage_find_unreached(const struct graph *g, uint64_t *reached, struct garbage *result);
void garbage_release(struct garbage *garbage);

/* Marks in `marked` (a byte an object, zeroed by the caller) the objects of fate garbage that a legacy finalizer keeps
 * from being collected: those with one and all garbage they reach. Returns their number, or UINT64_MAX without memory.
 */
uint64_t garbage_uncollectable(const struct graph *g, const struct garbage *garbage, uint8_t *marked);

#endif
