/* The object graph of a snapshot, as arrays.
 *
 * Objects go by ordinal, their rank by address. Edges stand in compressed rows: those of object o are `target` and
 * `info` from edge_start[o] to edge_start[o + 1], in the order of the file; `source` from back_start[o] on holds who
 * refers to o, ascending, with multiplicity. This folder knows neither stdio nor argv: arrays in, arrays out.
 *
 * Functions that allocate return 0 or -1 (memory exhausted) unless they say otherwise. Nothing recurses over objects.
 */
#ifndef GRAPH_GRAPH_H
#define GRAPH_GRAPH_H

#include <refheap/error.h>

#include "../../dumpfmt/snapshot.h"
#include "address_index.h"

struct graph {
    const struct snapshot *snapshot;
    struct address_index index;
    ordinal objects;
    uint64_t edges;
    uint64_t dangling;   /* edges to no object */
    uint64_t incomplete; /* objects some of whose edges are missing */
    uint64_t bytes;      /* sum of sizes */

    uint64_t *address; /* by ordinal */
    uint32_t *type;
    uint32_t *heap;
    uint64_t *size;
    int64_t *refcount;
    uint16_t *state;     /* enum object_state */
    uint64_t *file_edge; /* where the object's edges begin in the file: for labels */

    uint64_t *edge_start; /* objects + 1 */
    ordinal *target;      /* ORDINAL_NONE: dangling */
    uint8_t *info;        /* bits and label kind, as in the file */

    uint64_t *back_start; /* objects + 1 */
    ordinal *source;
    uint8_t *source_info; /* the edge's info, as in `info` */

    uint32_t *internal; /* counted edges into each object, saturating */
};

/* Builds the graph. The snapshot must outlive it. Errors: memory, an address that occurs twice, more objects than
 * ordinals. */
int graph_build(const struct snapshot *snapshot, struct graph *graph, struct rh_error *err);
void graph_release(struct graph *graph);

/* For each entry of `source`, the number of the edge (its index in `target`). `numbers` has room for as many. */
int graph_back_edges(const struct graph *graph, uint64_t *numbers);

static inline unsigned graph_generation(const struct graph *g, ordinal o)
{
    return g->state[o] & STATE_GENERATION_MASK;
}

static inline int graph_is_immortal(const struct graph *g, ordinal o)
{
    return (g->state[o] & STATE_IMMORTAL) != 0;
}

/* References the heap does not explain; may be negative in a damaged heap. 0 for immortal objects. */
static inline int64_t graph_external(const struct graph *g, ordinal o)
{
    return graph_is_immortal(g, o) ? 0 : g->refcount[o] - (int64_t)g->internal[o];
}

static inline int edge_is_counted(uint8_t info)
{
    return info & EDGE_COUNTED;
}

static inline int edge_is_strong(uint8_t info)
{
    return (info & EDGE_STRONG) == EDGE_STRONG;
}

/* One edge with its label, read back from the file. */
struct edge {
    ordinal from, to; /* `to` may be ORDINAL_NONE */
    uint64_t target;  /* address */
    uint8_t bits;     /* enum edge_bits */
    uint8_t kind;     /* enum label_kind */
    uint64_t label;
    uint64_t number; /* index in `target` and `info` */
};

/* Edge `number` (an index into graph->target) of object `from`. In a salvaged file whose edges have gaps, the label may
 * be missing (kind none). */
void graph_edge(const struct graph *g, ordinal from, uint64_t number, struct edge *edge);

#endif
