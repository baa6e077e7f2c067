/* The dominator tree of the heap under its super-root, and retained sizes.
 *
 * Vertices: the objects by ordinal, then one virtual node for each source cycle, with edges to all its members (so that
 * the cycle retains both its objects and what hangs off it), then the super-root. The super-root's children are the
 * live objects with external references, immortal and live permanent objects, the virtual nodes, and whatever no
 * counted edge reaches. Edges are the counted ones.
 *
 * Semidominators by Lengauer and Tarjan (1979) with simple path compression, dominators from them as nearest common
 * ancestors (Georgiadis's SEMI-NCA, 2005). The climb to those is quadratic on some heaps - a long list whose tail holds
 * objects also held from elsewhere - so each vertex has a jump up besides (Myers, "An applicative random-access stack",
 * 1983): O(m log n) whatever the graph looks like.
 */
#ifndef GRAPH_DOMINATORS_H
#define GRAPH_DOMINATORS_H

#include "spanning.h"

struct dominators {
    ordinal objects, virtuals;
    ordinal vertices;           /* objects + virtuals + 1; the last is the super-root */
    ordinal *dominator;         /* by vertex: its immediate dominator; ORDINAL_NONE for the super-root */
    uint64_t *retained;         /* by vertex: bytes */
    ordinal *virtual_component; /* by virtual node: the component it stands for */
};

/* `begun` is a search that spanning_begin() began, which this ends, or NULL. */
int dominators_build(const struct graph *g, const struct garbage *garbage, const struct components *components,
                     struct spanning *begun, struct dominators *result);

/* What each cycle retains, by component: its members, and all that could not be reached any more without them, among
 * what is not alive. That part alone is searched, usually a small one. Every cycle has a virtual node here, a gate: all
 * edges into the cycle lead to the gate, and from it to each member; the gate retains it. */
int dominators_of_cycles(const struct graph *g, const struct garbage *garbage, const struct components *components,
                         uint64_t *retained);
void dominators_release(struct dominators *dominators);

static inline ordinal dominators_root(const struct dominators *d)
{
    return d->vertices - 1;
}

#endif
