/* The shortest way from a holder to every object, found for all of them in one pass; and ways within garbage, which no
 * holder leads to. */
#ifndef GRAPH_ROUTES_H
#define GRAPH_ROUTES_H

#include "components.h"
#include "paths.h"

/* Ways go over counted edges, and begin as in path_from_root(): at an object held by an exact root if one leads here,
 * else by a possible root, else at one with external references that nothing explains. */
struct routes {
    ordinal *from;  /* by object: the step before; itself where a way begins; ORDINAL_NONE when no way leads here */
    uint64_t *edge; /* by object: the number of the edge from there */
};

int routes_find(const struct graph *g, const struct roots *roots, struct routes *result);
void routes_release(struct routes *routes);

/* The way to one object; length 0 when there is none. */
int routes_path(const struct routes *routes, const struct roots *roots, ordinal o, struct path *result);

/* For an object of a cyclic component: the shortest way from it round to itself. For another: the shortest way from an
 * object of one. Length 0 when there is none. */
int path_from_cycle(const struct graph *g, const struct components *components, ordinal o, struct path *result);

#endif
