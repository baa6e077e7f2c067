/* The depth-first search that dominators are found by.
 *
 * It begins at the super-root and numbers vertices in preorder; the super-root is number 0. An explicit stack holds the
 * edges that were put off, so that what will be looked at soon can be fetched before.
 */
#ifndef GRAPH_SPANNING_H
#define GRAPH_SPANNING_H

#include "flow.h"

/* An edge that is not of the tree, by numbers, or one that was put off, from a number to a place. */
struct pending {
    ordinal to, from;
};

/* What the search learns of a vertex, by number. */
struct visit {
    ordinal semi;  /* the least of its predecessors that come before it */
    ordinal later; /* how many of its predecessors come after it */
};

enum { LATE = 16 };

struct spanning {
    struct flow flow;
    int begun;        /* the starts that need no judgement are done */
    ordinal vertices; /* as in struct dominators */

    ordinal *number; /* by vertex: preorder number, 0 for what was not met */
    ordinal *vertex; /* by number */
    ordinal *parent; /* by number */
    struct visit *visit;
    ordinal visited; /* numbers given */

    /* One array, for an edge is never in both: from its begin on those to a vertex that had been met and comes before
     * their source, back from its end the stack of those that were put off. */
    struct pending *crossing, *stack;
    uint64_t crossings;
    struct pending late[LATE]; /* the last that led to a vertex that had been met, to be judged */
    unsigned met_again;        /* how many did */
};

/* Whether a search can begin before it is known what is garbage, and tell it: in a heap in which whatever is held from
 * outside lives, and all that it reaches, and nothing else. */
int spanning_can_begin(const struct graph *g);

/* Lays out what is searched. Returns 0, or -1 without memory. */
int spanning_prepare(const struct graph *g, struct spanning *spanning);

/* Begins the search: everything that such objects reach. */
void spanning_begin(struct spanning *spanning);

/* What was reached from outside by a search that began, a bit for each object: all that lives. */
void spanning_reached(const struct spanning *spanning, uint64_t *reached);

/* Does the rest, or everything when `spanning` is zeroed. With `gates` only what is not alive is searched, and every
 * cycle has a gate: see dominators.h. */
int spanning_finish(const struct graph *g, const struct garbage *garbage, const struct components *components,
                    int gates, struct spanning *spanning);
void spanning_release(struct spanning *spanning);

#endif
