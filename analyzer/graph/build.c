/* Building the graph: addresses to ordinals, columns into ordinal order, edges forward and back. */
#include <string.h>

#include "../../dumpfmt/error.h"
#include "array.h"
#include "graph.h"
#include "parallel.h"

/* How many edges are gathered before something is done with them, and how far ahead of that things are fetched. */
enum { GATHERED = 2048, FETCH = 16 };

static int out_of_memory(struct rh_error *err)
{
    return error_set(err, RH_ERR_NO_MEMORY, "not enough memory for the object graph", "use a machine with more memory");
}

static int too_many(struct rh_error *err, const char *what)
{
    return error_format(err, RH_ERR_UNSUPPORTED, "use a build with 64-bit ordinals",
                        "the snapshot holds more %s than this program can number", what);
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
    if (!ordinals_suffice(total, 0, 0)) {
        status = too_many(err, "objects");
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

static void *new_column(struct column_view *column, unsigned width, ordinal rows)
{
    column->width = width;
    column->data = array_raw((size_t)rows + 1, width ? width : 1);
    return (void *)column->data;
}

static void column_set(const struct column_view *column, ordinal row, uint64_t value)
{
    void *data = (void *)column->data; /* a column of the graph's own: see new_column() */
    switch (column->width) {
    case 1:
        ((uint8_t *)data)[row] = (uint8_t)value;
        break;
    case 2:
        ((uint16_t *)data)[row] = (uint16_t)value;
        break;
    case 4:
        ((uint32_t *)data)[row] = (uint32_t)value;
        break;
    case 8:
        ((uint64_t *)data)[row] = value;
        break;
    default:
        break;
    }
}

static unsigned width_of(uint64_t greatest)
{
    return greatest == 0 ? 0 : greatest <= UINT8_MAX ? 1 : greatest <= UINT16_MAX ? 2 : greatest <= UINT32_MAX ? 4 : 8;
}

/* Columns as wide as the widest of the file, edge_start and what comes with it. */
static int allocate_columns(const struct snapshot *s, struct graph *g)
{
    size_t n = (size_t)g->objects + 1;
    unsigned widest[OBJECT_COLUMN_LIMIT] = {0};
    uint32_t heap = 0;
    for (size_t b = 0; b < snapshot_block_count(s, SECTION_OBJECTS); b++) {
        struct objects_view view;
        snapshot_objects(s, b, &view);
        heap = view.heap > heap ? view.heap : heap;
        for (int c = 0; c < OBJECT_COLUMN_LIMIT; c++)
            widest[c] = view.column[c].width > widest[c] ? view.column[c].width : widest[c];
    }
    g->state = array_raw(n, sizeof *g->state);
    g->file_edge = array_raw(n, sizeof *g->file_edge);
    g->edge_start = array_raw(n, sizeof *g->edge_start);
    return new_column(&g->type, width_of(snapshot_type_limit(s)), g->objects) &&
                   new_column(&g->heap, width_of(heap), g->objects) &&
                   new_column(&g->size, widest[OBJECT_SIZE], g->objects) &&
                   new_column(&g->refcount, widest[OBJECT_REFCOUNT], g->objects) && g->state && g->file_edge &&
                   g->edge_start
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
    uint64_t incomplete, bytes, dangling, uncounted, not_strong;
    uint64_t most; /* edges of one object */
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
        p->graph->uncounted += p->part[i].uncounted;
        p->graph->not_strong += p->part[i].not_strong;
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
        uint64_t type = column_get(&c[OBJECT_TYPE], i), size = column_get(&c[OBJECT_SIZE], i);
        column_set(&g->type, o, type < types ? type : types); /* one that is lost, of a damaged file */
        column_set(&g->heap, o, view->heap);
        column_set(&g->size, o, size);
        column_set(&g->refcount, o, (uint64_t)sane_count(column_get_signed(&c[OBJECT_REFCOUNT], i)));
        g->state[o] = (uint16_t)column_get(&c[OBJECT_STATE], i);
        if (present < degree)
            g->state[o] |= STATE_EDGES_INCOMPLETE;
        part->incomplete += (g->state[o] & STATE_EDGES_INCOMPLETE) != 0;
        part->bytes += size;
        g->file_edge[o] = edge;
        g->edge_start[o] = present;
        part->most = present > part->most ? present : part->most;
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

static inline void place_edge(struct part *part, struct graph *g, uint64_t at, ordinal target, uint8_t info)
{
    g->target[at] = target;
    g->info[at] = info;
    part->dangling += target == ORDINAL_NONE;
    part->uncounted += !edge_is_counted(info);
    part->not_strong += !edge_is_strong(info);
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
        for (uint64_t i = 0; i < run->count; i++)
            place_edge(part, g, to + i, g->target[to + i], (uint8_t)column_get(&run->edges.info, run->at + i));
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
        for (uint32_t i = 0; i < view.count; i++)
            place_edge(&p->part[number], g, view.first + i, g->target[view.first + i],
                       (uint8_t)column_get(&view.info, i));
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
        uint64_t row = edge - part->resolved_first;
        place_edge(part, g, to, part->resolved[row], (uint8_t)column_get(&part->run.edges.info, row));
        to++;
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

/* ---- who refers to whom ---- */

/* Edges whose targets lie in one part of the objects, gathered so that what is done with them can be fetched ahead. */
struct gathered {
    ordinal low, size; /* targets: low to low + size */
    unsigned used;
    ordinal from[GATHERED];
    uint64_t edge[GATHERED];
};

static void gathered_begin(struct gathered *gathered, const struct graph *g, unsigned number, unsigned parts)
{
    gathered->low = (ordinal)part_begin(g->objects, number, parts);
    gathered->size = (ordinal)part_begin(g->objects, number + 1, parts) - gathered->low;
    gathered->used = 0;
}

/* Keeps the edge when its target is in the part; without a branch, for which of two parts is anybody's guess. */
static inline void gather(struct gathered *gathered, const struct graph *g, ordinal from, uint64_t edge)
{
    gathered->from[gathered->used] = from;
    gathered->edge[gathered->used] = edge;
    gathered->used += (ordinal)(g->target[edge] - gathered->low) < gathered->size;
}

static void count_gathered(const struct gathered *gathered, const struct graph *g, uint32_t *count)
{
    for (unsigned i = 0; i < gathered->used; i++) {
        if (i + FETCH < gathered->used)
            __builtin_prefetch(&count[g->target[gathered->edge[i + FETCH]]], 1);
        uint32_t *n = &count[g->target[gathered->edge[i]]];
        *n += edge_is_counted(g->info[gathered->edge[i]]) && *n != UINT32_MAX;
    }
}

/* Each thread looks at all edges and takes those into its own part of the targets: nothing is written by two. */
static void count_part_of_internal(void *context, unsigned number, unsigned parts)
{
    struct graph *g = context;
    struct gathered gathered;
    gathered_begin(&gathered, g, number, parts);
    for (uint64_t e = 0; e < g->edges; e++) {
        gather(&gathered, g, 0, e);
        if (gathered.used == GATHERED) {
            count_gathered(&gathered, g, (uint32_t *)g->internal.data);
            gathered.used = 0;
        }
    }
    count_gathered(&gathered, g, (uint32_t *)g->internal.data);
}

static int count_internal(struct graph *g)
{
    g->internal.width = sizeof(uint32_t);
    g->internal.data = array_new((size_t)g->objects + 1, sizeof(uint32_t));
    if (!g->internal.data)
        return -1;
    parallel_run(parallel_parts(g->edges), count_part_of_internal, g);
    return 0;
}

static void place_gathered(const struct gathered *gathered, const struct graph *g)
{
    for (unsigned i = 0; i < gathered->used; i++) {
        if (i + 2 * FETCH < gathered->used) {
            __builtin_prefetch(&g->back->start[g->target[gathered->edge[i + 2 * FETCH]]], 1);
            uint64_t soon = g->back->start[g->target[gathered->edge[i + FETCH]]];
            __builtin_prefetch(&g->back->source[soon], 1);
            __builtin_prefetch(&g->back->info[soon], 1);
        }
        uint64_t at = g->back->start[g->target[gathered->edge[i]]]++;
        g->back->source[at] = gathered->from[i];
        g->back->info[at] = g->info[gathered->edge[i]];
    }
}

static void place_part_of_referrers(void *context, unsigned number, unsigned parts)
{
    const struct graph *g = context;
    struct gathered gathered;
    gathered_begin(&gathered, g, number, parts);
    for (ordinal o = 0; o < g->objects; o++)
        for (uint64_t e = g->edge_start[o]; e < g->edge_start[o + 1]; e++) {
            gather(&gathered, g, o, e);
            if (gathered.used == GATHERED) {
                place_gathered(&gathered, g);
                gathered.used = 0;
            }
        }
    place_gathered(&gathered, g);
}

static void count_referrers(const struct graph *g)
{
    for (uint64_t e = 0; e < g->edges; e++)
        if (g->target[e] != ORDINAL_NONE)
            g->back->start[g->target[e]]++;
}

static void release_back(struct back *back)
{
    array_free(back->start);
    array_free(back->source);
    array_free(back->info);
    *back = (struct back){NULL, NULL, NULL};
}

int graph_back(const struct graph *g)
{
    struct back *back = g->back;
    if (back->start)
        return 0;
    back->start = array_new((size_t)g->objects + 1, sizeof *back->start);
    if (!back->start)
        return -1;
    if (g->uncounted || g->edges >= UINT32_MAX)
        count_referrers(g);
    else
        for (ordinal o = 0; o < g->objects; o++)
            back->start[o] = graph_internal(g, o);
    sum_up(back->start, g->objects);
    back->source = array_raw(back->start[g->objects] + 1, sizeof *back->source);
    back->info = array_raw(back->start[g->objects] + 1, 1);
    if (!back->source || !back->info) {
        release_back(back);
        return -1;
    }
    parallel_run(parallel_parts(g->edges), place_part_of_referrers, (void *)g);
    /* Each start has moved to the next one's place. */
    memmove(back->start + 1, back->start, (size_t)g->objects * sizeof *back->start);
    back->start[0] = 0;
    return 0;
}

/* Of one object. */
static uint64_t most_edges(const struct placing *p)
{
    uint64_t most = 0;
    for (unsigned i = 0; i < p->parts; i++)
        most = p->part[i].most > most ? p->part[i].most : most;
    return most;
}

static int build_edges(struct placing *p)
{
    struct graph *g = p->graph;
    g->target = array_raw(g->edges + 1, sizeof *g->target);
    g->info = array_raw(g->edges + 1, 1);
    if (!g->target || !g->info)
        return -1;
    if (snapshot_complete(p->snapshot) && is_in_order(g)) {
        array_free(g->file_edge);
        g->file_edge = NULL;
        parallel_run(p->parts, place_part_in_order, p);
    } else {
        parallel_run(p->parts, place_part_by_row, p);
    }
    return count_internal(g);
}

int graph_build(const struct snapshot *s, struct graph *g, struct rh_error *err)
{
    memset(g, 0, sizeof *g);
    g->snapshot = s;
    g->back = array_new(1, sizeof *g->back);
    int status = g->back ? build_index(s, g, err) : out_of_memory(err);
    if (status)
        goto out;
    struct placing p;
    if (placing_begin(&p, s, g) || allocate_columns(s, g)) {
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
    } else if (!ordinals_suffice(g->objects, g->edges, most_edges(&p))) {
        status = too_many(err, "references");
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
    array_free((void *)g->type.data);
    array_free((void *)g->heap.data);
    array_free((void *)g->size.data);
    array_free((void *)g->refcount.data);
    array_free((void *)g->internal.data);
    array_free(g->state);
    array_free(g->file_edge);
    array_free(g->edge_start);
    array_free(g->target);
    array_free(g->info);
    if (g->back)
        release_back(g->back);
    array_free(g->back);
    memset(g, 0, sizeof *g);
}

int graph_back_edges(const struct graph *g, uint64_t *numbers)
{
    uint64_t *next = array_new((size_t)g->objects + 1, sizeof *next);
    if (!next)
        return -1;
    memcpy(next, g->back->start, (size_t)g->objects * sizeof *next);
    for (uint64_t e = 0; e < g->edges; e++)
        if (g->target[e] != ORDINAL_NONE)
            numbers[next[g->target[e]]++] = e;
    array_free(next);
    return 0;
}

uint64_t graph_file_edge(const struct graph *g, ordinal o)
{
    if (!g->file_edge)
        return graph_begin(g, o);
    graph_check(g, &g->file_edge[o], sizeof g->file_edge[o]);
    return g->file_edge[o];
}

void graph_edge(const struct graph *g, ordinal from, uint64_t number, struct edge *edge)
{
    uint64_t file = graph_file_edge(g, from) + (number - graph_begin(g, from));
    struct edge_run run = {0};
    *edge = (struct edge){.from = from,
                          .to = graph_target(g, number),
                          .bits = graph_info(g, number) & EDGE_BITS_MASK,
                          .kind = (uint8_t)(graph_info(g, number) >> LABEL_KIND_SHIFT),
                          .number = number};
    snapshot_edge_run(g->snapshot, file, 1, &run);
    if (!run.count || graph_state(g, from) & STATE_EDGES_INCOMPLETE) {
        edge->target = edge->to == ORDINAL_NONE ? 0 : graph_address(g, edge->to);
        if (!snapshot_complete(g->snapshot)) {
            edge->kind = LABEL_NONE;
            return;
        }
    }
    edge->target = run.edges.target[run.at];
    edge->label = column_get(&run.edges.label, run.at);
}
