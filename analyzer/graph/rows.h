/* Objects and their edges laid out for one depth-first search.
 *
 * A search goes where the heap leads it, and waits for memory at each step: for what is known of an object, for where
 * its edges begin, and for the edges. Here they lie together. Each object has a row: a head, then the places of its
 * successors' rows, so a step costs one wait. The head is ROW_FRESH, perhaps ROW_START, and the number of successors
 * until the object is met; from then on it is the search's.
 *
 * Edges are the counted ones. Places need no table, for they follow from where edges are.
 */
#ifndef GRAPH_ROWS_H
#define GRAPH_ROWS_H

#include "garbage.h"

/* In heads; see ordinals_suffice(). ROW_FRESH is more than any number. */
#define ROW_FRESH ((ordinal)1 << (REFHEAP_ORDINAL_BITS - 1))
#define ROW_START ((ordinal)1 << (REFHEAP_ORDINAL_BITS - 2))

struct edge_rows {
    const struct graph *g;
    ordinal objects;
    ordinal places; /* of objects; there is room for more rows behind them */
    ordinal *words; /* a place counts two of these */
};

/* Whether the super-root of the dominator tree leads to an object. Before anything is judged `fate` is NULL, and only
 * sure in a heap in which whatever is held from outside lives. */
int row_is_start(const struct graph *g, const uint8_t *fate, ordinal o);

/* The rows of all objects, starts marked. Returns 0, or -1 without memory, as all here. */
int rows_lay_all(const struct graph *g, const uint8_t *fate, struct edge_rows *rows);

/* The rows of objects whose fate is in `fates` (bit 1 << fate), with the edges between them; starts are not marked. */
int rows_lay_part(const struct graph *g, const uint8_t *fate, unsigned fates, struct edge_rows *rows);

/* Room for rows that the caller lays. */
int rows_make_room(const struct graph *g, struct edge_rows *rows);
void rows_release(struct edge_rows *rows);

/* Where the row of an object begins. There is room: a row of n successors takes n + 1 words, and from one place to the
 * next there are at least as many. */
static inline ordinal row_place(const struct edge_rows *r, ordinal o)
{
    return (ordinal)((r->g->edge_start[o] + 1) / 2) + o;
}

static inline ordinal *row_at(const struct edge_rows *r, ordinal place)
{
    return r->words + 2 * (size_t)place;
}

static inline ordinal row_successors(ordinal head)
{
    return head & (ROW_START - 1);
}

#endif
