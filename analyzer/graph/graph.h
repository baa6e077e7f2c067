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

/* Memory whose contents are checked when they are first read, chunk by chunk: an index kept in a file. check() makes
 * sure that `size` bytes from `first` on are right; it does not return when it cannot. */
struct unchecked {
    const uint8_t *base;    /* where the chunks begin */
    const uint8_t *checked; /* by chunk: nothing is left to do */
    unsigned shift;         /* log2 of a chunk's size */
    void (*check)(struct unchecked *unchecked, const void *first, size_t size);
};

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

    /* NULL, or what the arrays below `bytes` are checked by: then they are read with the functions below alone. */
    struct unchecked *unchecked;
    int borrowed; /* the arrays belong to somebody else */
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

static inline void graph_check(const struct graph *g, const void *first, size_t size)
{
    struct unchecked *u = g->unchecked;
    if (__builtin_expect(u == NULL, 1) || !size)
        return;
    size_t at = (size_t)((const uint8_t *)first - u->base);
    if (!u->checked[at >> u->shift] || !u->checked[(at + size - 1) >> u->shift])
        u->check(u, first, size);
}

static inline uint64_t graph_column(const struct graph *g, const struct column_view *column, ordinal o)
{
    graph_check(g, column->data + (size_t)column->width * o, column->width);
    return column_get(column, o);
}

static inline unsigned graph_state(const struct graph *g, ordinal o)
{
    graph_check(g, &g->state[o], sizeof g->state[o]);
    return g->state[o];
}

static inline uint64_t graph_address(const struct graph *g, ordinal o)
{
    return address_index_address(&g->index, o);
}

/* A type id, or the number behind the last for a type that a damaged file lost. */
static inline uint32_t graph_type(const struct graph *g, ordinal o)
{
    return (uint32_t)graph_column(g, &g->type, o);
}

static inline uint32_t graph_heap(const struct graph *g, ordinal o)
{
    return (uint32_t)graph_column(g, &g->heap, o);
}

static inline uint64_t graph_size(const struct graph *g, ordinal o)
{
    return graph_column(g, &g->size, o);
}

static inline int64_t graph_refcount(const struct graph *g, ordinal o)
{
    graph_check(g, g->refcount.data + (size_t)g->refcount.width * o, g->refcount.width);
    return column_get_signed(&g->refcount, o);
}

/* Counted edges into an object, at most UINT32_MAX. */
static inline uint32_t graph_internal(const struct graph *g, ordinal o)
{
    return (uint32_t)graph_column(g, &g->internal, o);
}

static inline unsigned graph_generation(const struct graph *g, ordinal o)
{
    return graph_state(g, o) & STATE_GENERATION_MASK;
}

static inline int graph_is_immortal(const struct graph *g, ordinal o)
{
    return (graph_state(g, o) & STATE_IMMORTAL) != 0;
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

/* ---- the edges of one object: e from graph_begin() to graph_end() ---- */

static inline uint64_t graph_begin(const struct graph *g, ordinal o)
{
    graph_check(g, &g->edge_start[o], sizeof g->edge_start[o]);
    return g->edge_start[o];
}

static inline uint64_t graph_end(const struct graph *g, ordinal o)
{
    return graph_begin(g, o + 1);
}

static inline uint64_t graph_degree(const struct graph *g, ordinal o)
{
    graph_check(g, &g->edge_start[o], 2 * sizeof g->edge_start[o]);
    return g->edge_start[o + 1] - g->edge_start[o];
}

static inline ordinal graph_target(const struct graph *g, uint64_t e)
{
    graph_check(g, &g->target[e], sizeof g->target[e]);
    return g->target[e];
}

static inline uint8_t graph_info(const struct graph *g, uint64_t e)
{
    graph_check(g, &g->info[e], 1);
    return g->info[e];
}

/* ---- the edges into it: b from graph_back_begin() to graph_back_end(); they want graph_back() ---- */

static inline uint64_t graph_back_begin(const struct graph *g, ordinal o)
{
    graph_check(g, &g->back->start[o], sizeof g->back->start[o]);
    return g->back->start[o];
}

static inline uint64_t graph_back_end(const struct graph *g, ordinal o)
{
    return graph_back_begin(g, o + 1);
}

static inline ordinal graph_source(const struct graph *g, uint64_t b)
{
    graph_check(g, &g->back->source[b], sizeof g->back->source[b]);
    return g->back->source[b];
}

static inline uint8_t graph_source_info(const struct graph *g, uint64_t b)
{
    graph_check(g, &g->back->info[b], 1);
    return g->back->info[b];
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

/* Where in the file an object's edges begin. */
uint64_t graph_file_edge(const struct graph *g, ordinal o);

/* Edge `number` (an index into graph->target) of object `from`. In a salvaged file whose edges have gaps, the label may
 * be missing (kind none). */
void graph_edge(const struct graph *g, ordinal from, uint64_t number, struct edge *edge);

#endif
