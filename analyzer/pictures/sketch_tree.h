/* Trees too large to be drawn whole: what weighs most is opened first, until the picture is full. */
#ifndef ANALYZER_SKETCH_TREE_H
#define ANALYZER_SKETCH_TREE_H

#include "sketch.h"

/* A node that has children and is not opened yet. */
struct leaf {
    uint32_t node;   /* in the picture */
    size_t depth;    /* below the first */
    uint64_t id;     /* the caller's */
    uint64_t weight; /* what is opened first */
    uint64_t below;  /* children it has */
};

struct tree {
    struct sketch *sk;
    size_t depth_max; /* 0: any */
    /* Draws the children of a leaf, as many nodes as there may be, with tree_add() for those that have children.
     * Returns 0 or -1 without memory. */
    int (*open)(struct tree *tree, const struct leaf *leaf, size_t room);
    void *context;
    struct leaf *leaves;
    size_t count, capacity;
};

/* How many children of one node are drawn by themselves. */
enum { TREE_CHILDREN = 10 };

int tree_add(struct tree *tree, const struct leaf *leaf);

/* Opens leaves until there are none, or no room. Leaves that stay closed say so in their nodes. Frees the leaves.
 * Returns 0 or -1 without memory. */
int tree_grow(struct tree *tree);

/* An edge of the tree. */
void tree_edge(struct tree *tree, uint32_t from, uint32_t to, const char *label, uint64_t count, uint8_t kind);

/* What keeps what, below a vertex of the dominator tree. */
int sketch_dominators(struct sketch *sk, ordinal start, uint64_t depth);

/* What holds a set of objects: the shortest paths to all of them, merged. `state` is how the nodes look in which
 * objects of the set stand, or PICTURE_STATES for what they are. */
int sketch_merged(struct sketch *sk, const ordinal *objects, size_t count, uint64_t depth, uint8_t state);

#endif
