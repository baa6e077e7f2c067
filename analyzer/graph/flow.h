/* The graph that dominators are of, laid out for one depth-first search.
 *
 * A search goes where the heap leads it, and waits for memory at each step: for a vertex's number, for where its edges
 * begin, and for the edges. Here they lie together. Each vertex has a row: a head, then the places of its successors'
 * rows, so a step costs one wait. The head is FLOW_FRESH, perhaps FLOW_START, and the number of successors until the
 * vertex is met, and its number in preorder from then on.
 *
 * Vertices are numbered as in dominators.h; edges are the counted ones. Those of the super-root are the FLOW_STARTs.
 * Places need no table, for they follow from where edges and members of cycles are.
 */
#ifndef GRAPH_FLOW_H
#define GRAPH_FLOW_H

#include "components.h"

/* In heads; see ordinals_suffice(). FLOW_FRESH is more than any number. */
#define FLOW_FRESH ((ordinal)1 << (REFHEAP_ORDINAL_BITS - 1))
#define FLOW_START ((ordinal)1 << (REFHEAP_ORDINAL_BITS - 2))

struct flow {
    const struct graph *g;
    const struct components *components; /* once there are virtual nodes */
    ordinal objects, virtuals;
    ordinal object_places;      /* those of virtual nodes begin here */
    ordinal *virtual_component; /* by virtual node, ascending: the component it stands for */
    ordinal *virtual_of;        /* by component: its virtual node, or ORDINAL_NONE */
    ordinal *words;             /* places count two of these */
};

/* Whether the super-root leads to an object. Before anything is judged `fate` is NULL, and only sure in a heap in which
 * whatever is held from outside lives. */
int flow_is_start(const struct graph *g, const uint8_t *fate, ordinal o);

/* The rows of all objects. Returns 0, or -1 without memory, as all here. */
int flow_lay_objects(const struct graph *g, const uint8_t *fate, struct flow *flow);

/* Virtual nodes for the components of what is dead, with their rows: for source cycles, or with `gates` for all cycles.
 * With gates, objects have rows only when they are dead (`fate` is not FATE_LIVE), and an edge into a cycle from
 * outside leads to its gate. Without, those of flow_lay_objects() are made when they were not. */
int flow_lay_virtuals(const struct graph *g, const uint8_t *fate, const struct components *components, int gates,
                      struct flow *flow);
void flow_release(struct flow *flow);

/* Where the row of a vertex begins. There is room: a row of n successors takes n + 1 words, and from one place to the
 * next there are at least as many. */
static inline ordinal flow_place(const struct flow *f, ordinal vertex)
{
    if (vertex < f->objects)
        return (ordinal)((f->g->edge_start[vertex] + 1) / 2) + vertex;
    ordinal i = vertex - f->objects, members = f->components->member_start[f->virtual_component[i]];
    return f->object_places + (members + 1) / 2 + i;
}

static inline ordinal *flow_row(const struct flow *f, ordinal place)
{
    return f->words + 2 * (size_t)place;
}

static inline ordinal flow_successors(ordinal head)
{
    return head & (FLOW_START - 1);
}

/* The gate or virtual node of the cycle that an object is a member of, or ORDINAL_NONE. */
static inline ordinal flow_virtual_of(const struct flow *f, ordinal o)
{
    ordinal component = f->components->component[o];
    return component == ORDINAL_NONE ? ORDINAL_NONE : f->virtual_of[component];
}

#endif
