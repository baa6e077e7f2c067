/* Garbage as cycles: which there are, what each keeps, and which reference to make weak. */
#ifndef GRAPH_CYCLES_H
#define GRAPH_CYCLES_H

#include "dominators.h"

struct cycle {
    ordinal component; /* its members: components->member */
    ordinal objects;
    uint64_t shallow; /* bytes of the members */
    uint64_t
        retained;   /* what nothing else unreachable leads to: the members, and all that is reached through them only */
    uint8_t source; /* nothing else unreachable leads to it */
    uint8_t invisible; /* the collector cannot see it */
    uint8_t uncollectable;
};

/* Cycles in order: sources first, then by retained size, by members, and by the lowest address. */
struct cycles {
    struct cycle *items;
    ordinal count;
    ordinal *of_component; /* index of the cycle, ORDINAL_NONE for a component that is none */
};

/* `retained` is that of dominators_of_cycles(); `uncollectable` marks objects as garbage_uncollectable() does. */
int cycles_find(const struct graph *g, const struct garbage *garbage, const struct components *components,
                const uint64_t *retained, const uint8_t *uncollectable, struct cycles *result);
void cycles_release(struct cycles *cycles);

/* What the choice of a cut has to be told. */
struct cut_naming {
    /* The name in an edge's label (of a field, an attribute, a variable), {NULL, 0, 0} for none. */
    struct text (*name)(const void *context, ordinal from, uint64_t number);
    const void *context;
    /* By object: the one whose attributes it holds under its keys, or ORDINAL_NONE. NULL: there are no such objects. */
    const ordinal *owner;
};

/* Chooses references whose loss leaves the component without a cycle: all edges with one label of one type (a field
 * `parent`, say) where one such group will do, the most weak-looking and then the smallest first; otherwise the edges
 * that close a cycle in a search from the first member. Calls `cut` for each chosen edge by its source and number.
 * Only counted edges within the component are considered. */
int cycles_choose_cut(const struct graph *g, const struct components *components, ordinal component,
                      const struct cut_naming *naming, void (*cut)(void *context, ordinal from, uint64_t number),
                      void *context);

#endif
