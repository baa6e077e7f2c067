/* Ways from roots to objects: the shortest to one, several that share no reference, and those to many, merged.
 *
 * A way goes over counted edges. It begins at an object held by an exact root; failing that, by a possible one; failing
 * that, at an immortal object or one that has external references which no root explains.
 */
#ifndef GRAPH_PATHS_H
#define GRAPH_PATHS_H

#include "components.h"
#include "roots.h"

/* step[0] is held by a root (or, without one, is where the trail begins), each step refers to the next, the last is the
 * object. length is 0 when there is no way: nothing holds it. */
struct path {
    ordinal *step;
    uint64_t *edge; /* edge[i], for i > 0: number of the edge that leads to step[i] */
    size_t length;
    const struct root_record *root; /* the root that holds step[0], or NULL */
};

int path_from_root(const struct graph *g, const struct roots *roots, ordinal o, struct path *result);
void path_release(struct path *path);

/* Up to `most` ways to one object, of which no two share an edge or a root: the first is the shortest, each other the
 * shortest that is left. (An object that something nameless outside holds begins one.) Returns their number in *count.
 */
int paths_find(const struct graph *g, const struct roots *roots, ordinal o, size_t most, struct path *results,
               size_t *count);

/* ---- many ---- */

enum merged_holder {
    HOLDER_EXACT,
    HOLDER_POSSIBLE,
    HOLDER_OUTSIDE, /* immortal, or held by nobody knows whom */
    HOLDER_CYCLE,   /* a member of a source cycle of garbage */
    HOLDER_NOTHING,
};

/* Paths to many objects with what they have in common as one: a forest whose roots are holders. Below them a node
 * stands for the objects of one class that edges of one label lead to from the node above; edges that lead on from a
 * node in the way it was reached (the `next` of a list) stay in it. */
struct merged_node {
    uint32_t parent;         /* MERGED_NONE for a holder */
    uint32_t label;          /* what `label_of` or `holder_of` gave */
    uint32_t klass;          /* unused for a holder */
    ordinal first;           /* one of the objects */
    ordinal here;            /* objects that stand in the node, on the way or at its end; 0 for a holder */
    uint64_t objects, bytes; /* of the set, in the node and below it */
};
enum { MERGED_NONE = UINT32_MAX };

struct merged {
    struct merged_node *nodes; /* parents before children */
    uint32_t count;
};

/* What the caller makes of labels; both may return MERGED_NONE when memory is exhausted. */
struct merging {
    uint32_t (*label_of)(void *context, ordinal from, uint64_t edge);
    uint32_t (*holder_of)(void *context, enum merged_holder kind, ordinal o, const struct root_record *root);
    void *context;
    const uint32_t *class_of_type; /* by type id */
};

/* Merges the shortest ways to the objects marked in `set` (a byte an object). Of the ways of one length to an object,
 * the one over the edge that a search in order of address meets first. */
int paths_merge(const struct graph *g, const struct roots *roots, const struct components *components,
                const uint8_t *set, const struct merging *merging, struct merged *result);
void merged_release(struct merged *merged);

#endif
