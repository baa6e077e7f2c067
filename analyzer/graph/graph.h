/* The object graph of a snapshot, as arrays.
 *
 * Objects go by ordinal, their rank by address. Edges stand in compressed rows: those of object o are `target` and
 * `info` from edge_start[o] to edge_start[o + 1], in the order of the file. The same edges the other way, made when
 * first asked for: back->source from back->start[o] on holds who refers to o, ascending, with multiplicity. Columns are
 * as wide as their greatest value needs. This folder knows neither stdio nor argv: arrays in, arrays out.
 *
 * Functions that allocate return 0 or -1 (memory exhausted) unless they say otherwise. Nothing recurses over objects.
 */
#ifndef GRAPH_GRAPH_H
#define GRAPH_GRAPH_H

#include <refheap/error.h>

#include "../../dumpfmt/snapshot.h"
#include "address_index.h"

struct back {
    uint64_t *start; /* objects + 1 */
    ordinal *source;
    uint8_t *info; /* the edge's info, as in the graph's `info` */
};

struct graph {
    const struct snapshot *snapshot;
    struct address_index index;
    ordinal objects;
    uint64_t edges;
    uint64_t dangling;   /* edges to no object */
    uint64_t incomplete; /* objects some of whose edges are missing */
    uint64_t bytes;      /* sum of sizes */

    /* By ordinal; read with the functions below. */
    struct column_view type, heap, size, refcount, internal;
    uint16_t *state;     /* enum object_state */
    uint64_t *file_edge; /* where the object's edges begin in the file, for labels; NULL: at edge_start */

    uint64_t *edge_start; /* objects + 1 */
    ordinal *target;      /* ORDINAL_NONE: dangling */
    uint8_t *info;        /* bits and label kind, as in the file */
    uint64_t uncounted;   /* edges that are not counted */
    uint64_t not_strong;  /* edges that are not strong */

    struct back *back; /* the edges the other way; empty before graph_back() */
};

/* Builds the graph. The snapshot must outlive it. Errors: memory, an address that occurs twice, more objects than
 * ordinals. */
int graph_build(const struct snapshot *snapshot, struct graph *graph, struct rh_error *err);
void graph_release(struct graph *graph);

/* Makes sure that the edges are there the other way too. */
int graph_back(const struct graph *graph);

/* For each entry of back->source, the number of the edge (its index in `target`). `numbers` has room for as many.
 * Wants graph_back(). */
int graph_back_edges(const struct graph *graph, uint64_t *numbers);

static inline uint64_t graph_address(const struct graph *g, ordinal o)
{
    return address_index_address(&g->index, o);
}

/* A type id, or the number behind the last for a type that a damaged file lost. */
static inline uint32_t graph_type(const struct graph *g, ordinal o)
{
    return (uint32_t)column_get(&g->type, o);
}

static inline uint32_t graph_heap(const struct graph *g, ordinal o)
{
    return (uint32_t)column_get(&g->heap, o);
}

static inline uint64_t graph_size(const struct graph *g, ordinal o)
{
    return column_get(&g->size, o);
}

static inline int64_t graph_refcount(const struct graph *g, ordinal o)
{
    return column_get_signed(&g->refcount, o);
}

/* Counted edges into an object, at most UINT32_MAX. */
static inline uint32_t graph_internal(const struct graph *g, ordinal o)
{
    return (uint32_t)column_get(&g->internal, o);
}

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
    return graph_is_immortal(g, o) ? 0 : graph_refcount(g, o) - (int64_t)graph_internal(g, o);
}

static inline int edge_is_counted(uint8_t info)
{
    return info & EDGE_COUNTED;
}

static inline int edge_is_strong(uint8_t info)
{
    return (info & EDGE_STRONG) == EDGE_STRONG;
}

/* Edges out of an object. */
static inline uint64_t graph_degree(const struct graph *g, ordinal o)
{
    return g->edge_start[o + 1] - g->edge_start[o];
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
