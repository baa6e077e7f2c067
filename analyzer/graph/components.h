/* Strongly connected components of a part of the graph, by counted edges. */
#ifndef GRAPH_COMPONENTS_H
#define GRAPH_COMPONENTS_H

#include "garbage.h"

struct components {
    ordinal *component;    /* by object: component number, ORDINAL_NONE outside the part */
    ordinal count;         /* components; numbers are in reverse topological order: edges lead to lower numbers */
    ordinal *member;       /* objects by component, ascending within one */
    ordinal *member_start; /* count + 1 */
    uint8_t *cyclic;       /* by component: two objects or more, or one that refers to itself */
    uint8_t *reached;      /* by component: an edge leads into it from outside */
};

/* Finds the components of all objects whose fate is in `fates` (bit 1 << fate); objects with a fate in `fates` or in
 * `reaching` make the components they refer to reached. Tarjan's algorithm (1972) in Pearce's form with an explicit
 * stack; linear. */
int components_find(const struct graph *g, const uint8_t *fate, unsigned fates, unsigned reaching,
                    struct components *result);
void components_release(struct components *components);

#endif
