/* From objects to a picture: which are drawn by themselves, which are folded into one node, and the edges between them.
 */
#ifndef ANALYZER_SKETCH_H
#define ANALYZER_SKETCH_H

#include "names.h"
#include "render/picture.h"

enum { SKETCH_NODES = 60, SKETCH_NODES_UNFOLDED = 1500 };

struct sketch {
    const struct session *s;
    struct picture picture;
    uint32_t *node_of;   /* by ordinal: node + 1, 0 when it is not in the picture */
    const uint64_t *cut; /* numbers of the edges to mark, ascending */
    size_t cut_count;
    size_t limit; /* nodes that stand for one object each */
    size_t singles;
    int unfolded;
};

/* Needs session_cycles() and session_values(). Returns 0 or -1 without memory. */
int sketch_init(struct sketch *sk, const struct session *s, const char *title, int unfolded);
void sketch_release(struct sketch *sk);

/* How an object and a reference look: enum picture_state (needs session_garbage() of 2), enum picture_kind. */
uint8_t sketch_state(const struct session *s, ordinal o);
uint8_t sketch_kind(unsigned bits);

/* Draws an object as a node of its own, if it is not in the picture yet. Returns the node. */
uint32_t sketch_object(struct sketch *sk, ordinal o, uint32_t cluster, int focus);

/* Draws objects of one type as one node, "1,204 more dict"; with a single one, that one. */
void sketch_group(struct sketch *sk, const ordinal *objects, size_t count, uint32_t cluster);

/* Whether a reference leads to a key that the labels show anyway, and nothing else: such keys are not drawn unless
 * everything is. */
int sketch_is_plain_key(struct sketch *sk, ordinal target, uint8_t info);

/* Draws all references between objects of the picture: those that lead from one node to another in the same way as one
 * edge. */
int sketch_edges(struct sketch *sk);

/* Draws the roots that hold an object of the picture, a few of them. */
void sketch_roots(struct sketch *sk, ordinal o);

/* The cycles of garbage: one of each shape, with what hangs off it. `generation` as for the command cycles. */
int sketch_cycles(struct sketch *sk, int generation, uint64_t limit);

/* One cycle. */
int sketch_cycle(struct sketch *sk, ordinal cycle);

/* What refers to an object (or it to others) up to a depth. */
int sketch_neighbours(struct sketch *sk, ordinal o, int referrers, uint64_t depth);

/* The shortest path from a root. */
int sketch_path(struct sketch *sk, ordinal o);

#endif
