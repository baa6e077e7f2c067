/* The dominator tree of the heap under its super-root, and retained sizes.
 *
 * Vertices: the objects by ordinal, then one virtual node for each source cycle, with edges to all its members (so that
 * the cycle retains both its objects and what hangs off it), then the super-root. The super-root's children are the
 * live objects with external references, immortal and live permanent objects, the virtual nodes, and whatever no
 * counted edge reaches. Edges are the counted ones.
 *
 * Lengauer and Tarjan's method (1979) with simple path compression: O(m log n) whatever the graph looks like. SEMI-NCA
 * would save the buckets and is as fast on most heaps, but its climb to the nearest common ancestor is quadratic on a
 * long list whose tail holds objects that are also held from elsewhere.
 */
#ifndef GRAPH_DOMINATORS_H
#define GRAPH_DOMINATORS_H

#include "components.h"

struct dominators {
    ordinal objects, virtuals;
    ordinal vertices;           /* objects + virtuals + 1; the last is the super-root */
    ordinal *dominator;         /* by vertex: its immediate dominator; ORDINAL_NONE for the super-root */
    uint64_t *retained;         /* by vertex: bytes */
    ordinal *virtual_component; /* by virtual node: the component it stands for */
};

enum dominators_part {
    DOMINATORS_ALL,
    /* What is not alive alone: all that retained sizes of cycles need, and usually a small part of the heap. Here every
     * cycle has a virtual node, a gate: all edges into the cycle lead to the gate, and from it to each member. So a
     * gate retains what could not be reached any more without the cycle's members. Live objects have the super-root as
     * dominator and retain nothing. */
    DOMINATORS_DEAD,
};

int dominators_build(const struct graph *g, const struct garbage *garbage, const struct components *components,
                     enum dominators_part part, struct dominators *result);
void dominators_release(struct dominators *dominators);

static inline ordinal dominators_root(const struct dominators *d)
{
    return d->vertices - 1;
}

#endif
