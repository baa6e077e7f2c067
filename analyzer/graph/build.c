/* Building the graph: addresses to ordinals, columns into ordinal order, edges forward and back. */
#include <string.h>

#include "../../dumpfmt/error.h"
#include "array.h"
#include "graph.h"
#include "parallel.h"

static int out_of_memory(struct rh_error *err)
{
    return error_set(err, RH_ERR_NO_MEMORY, "not enough memory for the object graph", "use a machine with more memory");
}

static int build_index(const struct snapshot *s, struct graph *g, struct rh_error *err)
{
    size_t blocks = snapshot_block_count(s, SECTION_OBJECTS);
    struct address_run *runs = array_new(blocks + 1, sizeof *runs);
    uint64_t duplicate = 0, total = 0;
    if (!runs)
        return out_of_memory(err);
    for (size_t b = 0; b < blocks; b++) {
        struct objects_view view;
        snapshot_objects(s, b, &view);
        runs[b] = (struct address_run){(const uint64_t *)view.column[OBJECT_ADDRESS].data, view.count};
        total += view.count;
    }
    int status = -1;
    if (total >= ORDINAL_NONE) {
        status = error_set(err, RH_ERR_UNSUPPORTED, "the snapshot holds more objects than this program can number",
                           "use a build with 64-bit ordinals");
    } else {
        int built = address_index_build(&g->index, runs, blocks, &duplicate);
        if (built == ADDRESS_DUPLICATE) {
            status = error_format(err, RH_ERR_FORMAT, "take the snapshot again",
                                  "two objects have the same address 0x%llx", (unsigned long long)duplicate);
            error_at(err, "objects", 0);
        } else {
            status = built ? out_of_memory(err) : 0;
        }
    }
    array_free(runs);
    g->objects = (ordinal)total;
    return status;
}

/* The larger arrays begin on fresh pages, which stay untouched until a phase fills them. */
static int allocate_columns(struct graph *g)
{
    size_t n = (size_t)g->objects + 1;
    g->address = array_new(n, sizeof *g->address);
    g->type = array_new(n, sizeof *g->type);
    g->heap = array_new(n, sizeof *g->heap);
    g->size = array_new(n, sizeof *g->size);
    g->refcount = array_new(n, sizeof *g->refcount);
    g->state = array_new(n, sizeof *g->state);
    g->file_edge = array_new(n, sizeof *g->file_edge);
    g->edge_start = array_new(n, sizeof *g->edge_start);
    g->back_start = array_new(n, sizeof *g->back_start);
    g->internal = array_new(n, sizeof *g->internal);
    return g->address && g->type && g->heap && g->size && g->refcount && g->state && g->file_edge && g->edge_start &&
                   g->back_start && g->internal
               ? 0
               : -1;
}

/* Edges of an object that are in the file; all of them, unless blocks were lost. */
static uint64_t present_edges(const struct snapshot *s, uint64_t first, uint64_t want, struct edge_run *run)
{
    uint64_t present = 0;
    while (want) {
        snapshot_edge_run(s, first, want, run);
        present += run->count;
        first += run->count + run->missing;
        want -= run->count + run->missing;
    }
    return present;
}

/* Counts no program can reach are cut to ones that can be reckoned with. */
static int64_t sane_count(int64_t refcount)
{
    const int64_t most = INT64_C(1) << 62;
    return refcount > most ? most : refcount < -most ? -most : refcount;
}

/* ---- rows, by several threads ---- */

/* What one thread has for itself. */
struct part {
    ordinal *ordinals, *resolved; /* of a block */
    uint64_t resolved_first, resolved_end;
    struct edge_run run;
    uint64_t incomplete, bytes, dangling;
};

struct placing {
    const struct snapshot *snapshot;
    struct graph *graph;
    unsigned parts;
    struct part part[PARTS_MAX];
};

static int placing_begin(struct placing *p, const struct snapshot *s, struct graph *g)
{
    *p = (struct placing){.snapshot = s, .graph = g, .parts = parallel_parts(g->objects)};
    for (unsigned i = 0; i < p->parts; i++) {
        p->part[i].ordinals = array_new(BLOCK_RAW_MAX / 8, sizeof *p->part[i].ordinals);
        p->part[i].resolved = array_new(BLOCK_RAW_MAX / 8, sizeof *p->part[i].resolved);
        if (!p->part[i].ordinals || !p->part[i].resolved)
            return -1;
    }
    return 0;
}

static void placing_end(struct placing *p)
{
    for (unsigned i = 0; i < p->parts; i++) {
        p->graph->incomplete += p->part[i].incomplete;
        p->graph->bytes += p->part[i].bytes;
        p->graph->dangling += p->part[i].dangling;
        array_free(p->part[i].ordinals);
        array_free(p->part[i].resolved);
    }
}

/* Puts one block's rows where their ordinals say. edge_start[o] holds the degree for now. */
static void place_rows(struct placing *p, struct part *part, const struct objects_view *view)
{
    const struct snapshot *s = p->snapshot;
    struct graph *g = p->graph;
    ordinal *ordinals = part->ordinals;
    const struct column_view *c = view->column;
    const uint64_t *addresses = (const uint64_t *)c[OBJECT_ADDRESS].data;
    uint64_t edge = view->first_edge;
    uint32_t types = snapshot_type_limit(s);
    address_index_find_many(&g->index, addresses, view->count, ordinals);
    for (uint32_t i = 0; i < view->count; i++) {
        ordinal o = ordinals[i];
        uint64_t degree = column_get(&c[OBJECT_DEGREE], i), present = degree;
        if (!snapshot_complete(s))
            present = present_edges(s, edge, degree, &part->run);
        g->address[o] = addresses[i];
        uint64_t type = column_get(&c[OBJECT_TYPE], i);
        g->type[o] = type < types ? (uint32_t)type : types; /* one that is lost, of a damaged file */
        g->heap[o] = view->heap;
        g->size[o] = column_get(&c[OBJECT_SIZE], i);
        g->refcount[o] = sane_count(column_get_signed(&c[OBJECT_REFCOUNT], i));
        g->state[o] = (uint16_t)column_get(&c[OBJECT_STATE], i);
        if (present < degree)
            g->state[o] |= STATE_EDGES_INCOMPLETE;
        part->incomplete += (g->state[o] & STATE_EDGES_INCOMPLETE) != 0;
        part->bytes += g->size[o];
        g->file_edge[o] = edge;
        g->edge_start[o] = present;
        edge += degree;
    }
}

static void place_part_of_rows(void *context, unsigned number, unsigned parts)
{
    struct placing *p = context;
    size_t blocks = snapshot_block_count(p->snapshot, SECTION_OBJECTS), end = part_begin(blocks, number + 1, parts);
    for (size_t b = part_begin(blocks, number, parts); b < end; b++) {
        struct objects_view view;
        snapshot_objects(p->snapshot, b, &view);
        place_rows(p, &p->part[number], &view);
    }
}

static void sum_up(uint64_t *start, ordinal n)
{
    uint64_t sum = 0;
    for (ordinal o = 0; o < n; o++) {
        uint64_t count = start[o];
        start[o] = sum;
        sum += count;
    }
    start[n] = sum;
}

/* Resolves the targets of one object's edges, `degree` of them from file edge `first` on, to position `to`. */
static void place_edges(struct placing *p, struct part *part, uint64_t first, uint64_t degree, uint64_t to)
{
    const struct snapshot *s = p->snapshot;
    struct graph *g = p->graph;
    struct edge_run *run = &part->run;
    while (degree) {
        snapshot_edge_run(s, first, degree, run);
        if (run->count) /* else a gap */
            address_index_find_many(&g->index, run->edges.target + run->at, run->count, g->target + to);
        for (uint64_t i = 0; i < run->count; i++) {
            g->info[to + i] = (uint8_t)column_get(&run->edges.info, run->at + i);
            part->dangling += g->target[to + i] == ORDINAL_NONE;
        }
        to += run->count;
        first += run->count + run->missing;
        degree -= run->count + run->missing;
    }
}

/* Rows that lie in the file as they lie by ordinal go block by block: one lookup for tens of thousands of edges. */
static void place_part_in_order(void *context, unsigned number, unsigned parts)
{
    struct placing *p = context;
    struct graph *g = p->graph;
    size_t blocks = snapshot_block_count(p->snapshot, SECTION_EDGES), end = part_begin(blocks, number + 1, parts);
    for (size_t b = part_begin(blocks, number, parts); b < end; b++) {
        struct edges_view view;
        snapshot_edges(p->snapshot, b, &view);
        address_index_find_many(&g->index, view.target, view.count, g->target + view.first);
        for (uint32_t i = 0; i < view.count; i++) {
            g->info[view.first + i] = (uint8_t)column_get(&view.info, i);
            p->part[number].dangling += g->target[view.first + i] == ORDINAL_NONE;
        }
    }
}

static int is_in_order(const struct graph *g)
{
    for (ordinal o = 0; o < g->objects; o++)
        if (g->file_edge[o] != g->edge_start[o])
            return 0;
    return 1;
}

/* The edges of one object, `degree` of them from file edge `edge` on. Each block of edges is resolved once. */
static void place_row_of_edges(struct placing *p, struct part *part, ordinal o, uint64_t edge, uint64_t degree)
{
    struct graph *g = p->graph;
    uint64_t to = g->edge_start[o], end = edge + degree;
    if (!snapshot_complete(p->snapshot)) {
        place_edges(p, part, edge, degree, to);
        return;
    }
    while (edge < end) {
        if (edge < part->resolved_first || edge >= part->resolved_end) {
            snapshot_edge_run(p->snapshot, edge, 1, &part->run);
            part->resolved_first = part->run.edges.first;
            part->resolved_end = part->run.edges.first + part->run.edges.count;
            address_index_find_many(&g->index, part->run.edges.target, part->run.edges.count, part->resolved);
        }
        ordinal target = part->resolved[edge - part->resolved_first];
        g->info[to] = (uint8_t)column_get(&part->run.edges.info, edge - part->resolved_first);
        part->dangling += target == ORDINAL_NONE;
        g->target[to++] = target;
        edge++;
    }
}

static void place_part_by_row(void *context, unsigned number, unsigned parts)
{
    struct placing *p = context;
    struct part *part = &p->part[number];
    size_t blocks = snapshot_block_count(p->snapshot, SECTION_OBJECTS), last = part_begin(blocks, number + 1, parts);
    for (size_t b = part_begin(blocks, number, parts); b < last; b++) {
        struct objects_view view;
        snapshot_objects(p->snapshot, b, &view);
        const uint64_t *addresses = (const uint64_t *)view.column[OBJECT_ADDRESS].data;
        address_index_find_many(&p->graph->index, addresses, view.count, part->ordinals);
        uint64_t edge = view.first_edge;
        for (uint32_t i = 0; i < view.count; i++) {
            uint64_t degree = column_get(&view.column[OBJECT_DEGREE], i);
            place_row_of_edges(p, part, part->ordinals[i], edge, degree);
            edge += degree;
        }
    }
}

/* ---- back ---- */

/* Each thread looks at all edges and takes those into its own range of targets: nothing is written by two. */
static void count_part_of_referrers(void *context, unsigned number, unsigned parts)
{
    struct graph *g = context;
    ordinal low = (ordinal)part_begin(g->objects, number, parts),
            high = (ordinal)part_begin(g->objects, number + 1, parts);
    for (uint64_t e = 0; e < g->edges; e++) {
        ordinal t = g->target[e];
        if (t < low || t >= high)
            continue;
        g->back_start[t]++;
        if (edge_is_counted(g->info[e]) && g->internal[t] != UINT32_MAX)
            g->internal[t]++;
    }
}

static void place_part_of_referrers(void *context, unsigned number, unsigned parts)
{
    struct graph *g = context;
    ordinal low = (ordinal)part_begin(g->objects, number, parts),
            high = (ordinal)part_begin(g->objects, number + 1, parts);
    for (ordinal o = 0; o < g->objects; o++)
        for (uint64_t e = g->edge_start[o]; e < g->edge_start[o + 1]; e++) {
            ordinal t = g->target[e];
            if (t < low || t >= high)
                continue;
            uint64_t at = g->back_start[t]++;
            g->source[at] = o;
            g->source_info[at] = g->info[e];
        }
}

/* Who refers to whom, and how many counted references each object has. */
static int build_back(struct graph *g)
{
    uint64_t *start = g->back_start;
    unsigned parts = parallel_parts(g->edges);
    memset(start, 0, ((size_t)g->objects + 1) * sizeof *start);
    parallel_run(parts, count_part_of_referrers, g);
    sum_up(start, g->objects);
    g->source = array_new(start[g->objects] + 1, sizeof *g->source);
    g->source_info = array_new(start[g->objects] + 1, 1);
    if (!g->source || !g->source_info)
        return -1;
    parallel_run(parts, place_part_of_referrers, g);
    /* Each start has moved to the next one's place. */
    memmove(start + 1, start, (size_t)g->objects * sizeof *start);
    start[0] = 0;
    return 0;
}

static int build_edges(struct placing *p)
{
    struct graph *g = p->graph;
    g->target = array_new(g->edges + 1, sizeof *g->target);
    g->info = array_new(g->edges + 1, 1);
    if (!g->target || !g->info)
        return -1;
    int in_order = snapshot_complete(p->snapshot) && is_in_order(g);
    parallel_run(p->parts, in_order ? place_part_in_order : place_part_by_row, p);
    return build_back(g);
}

int graph_build(const struct snapshot *s, struct graph *g, struct rh_error *err)
{
    memset(g, 0, sizeof *g);
    g->snapshot = s;
    int status = build_index(s, g, err);
    if (status)
        goto out;
    struct placing p;
    if (placing_begin(&p, s, g) || allocate_columns(g)) {
        placing_end(&p);
        status = out_of_memory(err);
        goto out;
    }
    parallel_run(p.parts, place_part_of_rows, &p);
    sum_up(g->edge_start, g->objects);
    g->edges = g->edge_start[g->objects];
    if (g->edges > snapshot_count(s, SECTION_EDGES)) { /* only with salvage: blocks that contradict each other */
        status =
            error_set(err, RH_ERR_FORMAT, "the objects claim more edges than there are", "take the snapshot again");
        error_at(err, "objects", 0);
    } else if (build_edges(&p)) {
        status = out_of_memory(err);
    }
    placing_end(&p);
out:
    if (status)
        graph_release(g);
    return status;
}

void graph_release(struct graph *g)
{
    address_index_release(&g->index);
    array_free(g->address);
    array_free(g->type);
    array_free(g->heap);
    array_free(g->size);
    array_free(g->refcount);
    array_free(g->state);
    array_free(g->file_edge);
    array_free(g->edge_start);
    array_free(g->target);
    array_free(g->info);
    array_free(g->back_start);
    array_free(g->source);
    array_free(g->source_info);
    array_free(g->internal);
    memset(g, 0, sizeof *g);
}

int graph_back_edges(const struct graph *g, uint64_t *numbers)
{
    uint64_t *next = array_new((size_t)g->objects + 1, sizeof *next);
    if (!next)
        return -1;
    memcpy(next, g->back_start, (size_t)g->objects * sizeof *next);
    for (uint64_t e = 0; e < g->edges; e++)
        if (g->target[e] != ORDINAL_NONE)
            numbers[next[g->target[e]]++] = e;
    array_free(next);
    return 0;
}

void graph_edge(const struct graph *g, ordinal from, uint64_t number, struct edge *edge)
{
    uint64_t file = g->file_edge[from] + (number - g->edge_start[from]);
    struct edge_run run = {0};
    *edge = (struct edge){.from = from,
                          .to = g->target[number],
                          .bits = g->info[number] & EDGE_BITS_MASK,
                          .kind = (uint8_t)(g->info[number] >> LABEL_KIND_SHIFT),
                          .number = number};
    snapshot_edge_run(g->snapshot, file, 1, &run);
    if (!run.count || g->state[from] & STATE_EDGES_INCOMPLETE) {
        edge->target = edge->to == ORDINAL_NONE ? 0 : g->address[edge->to];
        if (!snapshot_complete(g->snapshot)) {
            edge->kind = LABEL_NONE;
            return;
        }
    }
    edge->target = run.edges.target[run.at];
    edge->label = column_get(&run.edges.label, run.at);
}
