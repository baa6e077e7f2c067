/* Roots by object. */
#ifndef GRAPH_ROOTS_H
#define GRAPH_ROOTS_H

#include "graph.h"

struct root_entry {
    ordinal object;
    const struct root_record *record;
};

/* The snapshot's roots that hold an object of it, sorted by object, then in file order. */
struct roots {
    struct root_entry *items;
    size_t count;
    uint64_t dangling;
};

int roots_find(const struct graph *g, struct roots *result);
void roots_release(struct roots *roots);

/* The roots of one object: the first and how many. */
size_t roots_of(const struct roots *roots, ordinal o, const struct root_entry **first);

/* Counted references that exact roots hold to an object: external references that are explained. */
uint64_t roots_explained(const struct roots *roots, ordinal o);

#endif
