/* Roots by object, and the way from an object to a root. */
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

/* A way from a holder to an object: step[0] is held by a root (or, without one, is where the trail begins), each step
 * refers to the next, the last is the object. */
struct path {
    ordinal *step;
    size_t length;
};

/* The shortest way over counted edges from an object held by an exact root to `o`; failing that, a possible root;
 * failing that, an object with external references that nothing explains. length is 0 when there is no way: nothing
 * holds it. */
int path_from_root(const struct graph *g, const struct roots *roots, ordinal o, struct path *result);
void path_release(struct path *path);

#endif
