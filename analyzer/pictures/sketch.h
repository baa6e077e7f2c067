/* From objects to a picture: which are drawn by themselves, which are folded into one node, and the edges between them.
 *
 * An object that is part of another to a person (owners.h) is drawn as one with it, unless nothing is folded. A picture
 * has at most so many nodes as it was begun with; what finds no room is counted, and sketch_end() says it.
 */
#ifndef ANALYZER_SKETCH_H
#define ANALYZER_SKETCH_H

#include "../session/names.h"
#include "../render/picture.h"

enum { SKETCH_NODES = 60, SKETCH_NODES_UNFOLDED = 1500, SKETCH_NODES_MIN = 20, SKETCH_NODES_MAX = 5000 };

struct sketch {
    const struct session *s;
    struct picture picture;
    uint32_t *node_of; /* by ordinal: node + 1, 0 when it is not in the picture */
    ordinal *drawn;    /* those that are */
    size_t drawn_count, drawn_room;
    const uint64_t *cut; /* numbers of the edges to mark, ascending */
    size_t cut_count;
    size_t limit; /* nodes */
    int unfolded;
    struct tally left;   /* objects that belong to the picture and found no room, */
    uint64_t left_roots; /* and roots */
};

/* `limit` is the number of nodes, 0 for what is usual. Needs session_dominators() and session_values(). Returns 0 or -1
 * without memory. */
int sketch_init(struct sketch *sk, const struct session *s, const char *title, int unfolded, size_t limit);
void sketch_release(struct sketch *sk);

/* Says in the picture what found no room. Returns 0 or -1 without memory. */
int sketch_end(struct sketch *sk);

/* How an object and a reference look: enum picture_state (needs session_garbage() of 2), enum picture_kind. */
uint8_t sketch_state(const struct session *s, ordinal o);
uint8_t sketch_kind(unsigned bits);

/* What a person calls an object: its name_full(), and of a `__dict__` that stands by itself, whose it is. */
const char *sketch_name(const struct session *s, ordinal o, char to[NAME_SIZE]);

/* The object that stands for `o`: its owner or itself. */
ordinal sketch_shown_as(const struct sketch *sk, ordinal o);

/* The object that is one with `o`, which is its owner; ORDINAL_NONE for none. */
ordinal sketch_part(const struct sketch *sk, ordinal o);

/* Whether there is room for a node by itself: some is kept for folds. */
int sketch_has_room(const struct sketch *sk);

/* Draws an object as a node of its own, if it is not in the picture yet. Returns the node. */
uint32_t sketch_object(struct sketch *sk, ordinal o, uint32_t cluster, int focus);

/* Draws objects as one node, "1,204 more dict", or what they are instead of their type; with a single one, that one.
 * Without room for it they are counted. */
void sketch_group(struct sketch *sk, const ordinal *objects, size_t count, uint32_t cluster, const char *what);

/* Whether a reference leads to a key that the labels show anyway, and nothing else: such keys are not drawn unless
 * everything is. */
int sketch_is_plain_key(struct sketch *sk, ordinal target, uint8_t info);

/* Draws all references between objects of the picture: those that lead from one node to another in the same way as one
 * edge. */
int sketch_edges(struct sketch *sk);

/* Draws the roots that hold an object of the picture, a few of them. */
void sketch_roots(struct sketch *sk, ordinal o);

/* The cycles of garbage: one of each shape, with what hangs off it. `generation` as for the command cycles; `cycles`
 * is how many shapes at most, 0 for what is usual. */
int sketch_cycles(struct sketch *sk, int generation, uint64_t cycles);

/* One cycle. */
int sketch_cycle(struct sketch *sk, ordinal cycle);

/* What refers to an object (or it to others) up to a depth. */
int sketch_neighbours(struct sketch *sk, ordinal o, int referrers, uint64_t depth);

/* The shortest path from a root. */
int sketch_path(struct sketch *sk, ordinal o);

/* What each generation of each heap holds; rows as generations_count() gives them. */
struct generation_row;
int sketch_generations(struct sketch *sk, const struct generation_row *rows);

/* What came since an earlier snapshot, with what holds it, and what went. Needs session_graph() of that one. */
int sketch_difference(struct sketch *sk, const struct session *before, uint64_t depth);

#endif
