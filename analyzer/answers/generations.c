#include "generations.h"

#include <stdlib.h>
#include <string.h>

#include "../../dumpfmt/error.h"

/* What a collection of generation n would find, by heap. */
static int simulate(struct session *s, int n, struct generation_row *rows, uint32_t heaps, struct rh_error *err)
{
    const struct graph *g = &s->graph;
    int status = session_garbage(s, n, err);
    if (status)
        return status;
    uint8_t *stuck = calloc((size_t)g->objects + 1, 1);
    if (!stuck || garbage_uncollectable(g, &s->garbage[n], stuck) == UINT64_MAX) {
        free(stuck);
        return error_set(err, RH_ERR_NO_MEMORY, "not enough memory", "");
    }
    for (ordinal o = 0; o < g->objects; o++) {
        if (graph_heap(g, o) >= heaps)
            continue;
        struct generation_row *r = &rows[graph_heap(g, o) * GENERATIONS + (uint32_t)n];
        unsigned fate = s->garbage[n].fate[o];
        if (fate == FATE_GARBAGE) {
            r->garbage_objects++;
            r->garbage_bytes += graph_size(g, o);
            r->uncollectable_objects += stuck[o];
        } else if (fate == FATE_DEPENDENT) {
            r->dependent_objects++;
        } else if (garbage_is_candidate(g, o, n)) {
            r->survivors++;
        }
    }
    free(stuck);
    return 0;
}

/* What the runtime said of each generation. */
static void find_records(const struct session *s, struct generation_row *rows, uint32_t heaps)
{
    struct record_cursor cursor = {0, 0};
    const struct generation_record *r;
    while ((r = snapshot_next_record(s->snapshot, SECTION_GENERATIONS, &cursor)))
        if (r->heap < heaps && !rows[r->heap * GENERATIONS + r->generation].record)
            rows[r->heap * GENERATIONS + r->generation].record = r;
}

static void count_objects(const struct graph *g, struct generation_row *rows, uint32_t heaps)
{
    for (ordinal o = 0; o < g->objects; o++)
        if (graph_heap(g, o) < heaps) {
            struct generation_row *r = &rows[graph_heap(g, o) * GENERATIONS + graph_generation(g, o)];
            r->objects++;
            r->bytes += graph_size(g, o);
        }
}

struct generation_row *generations_count(struct session *s, struct rh_error *err)
{
    uint32_t heaps = (uint32_t)snapshot_count(s->snapshot, SECTION_HEAPS);
    struct generation_row *rows = calloc((size_t)heaps * GENERATIONS + 1, sizeof *rows);
    int status = rows ? session_graph(s, err) : error_set(err, RH_ERR_NO_MEMORY, "not enough memory", "");
    for (int n = 0; n < 3 && !status; n++)
        status = simulate(s, n, rows, heaps, err);
    if (status) {
        free(rows);
        return NULL;
    }
    count_objects(&s->graph, rows, heaps);
    find_records(s, rows, heaps);
    return rows;
}

/* ---- as a table ---- */

const struct column generations_columns[GENERATIONS_COLUMNS] = {
    {"heap", "heap", CELL_NUMBER},
    {"generation", "generation", CELL_GENERATION},
    {"objects", "objects", CELL_COUNT},
    {"bytes", "size", CELL_SIZE},
    {"threshold", "threshold", CELL_COUNT},
    {"count", "count", CELL_COUNT},
    {"collections", "collections", CELL_COUNT},
    {"garbage_objects", "garbage", CELL_COUNT},
    {"garbage_bytes", "garbage size", CELL_SIZE},
    {"dependent_objects", "dependent", CELL_COUNT},
    {"uncollectable_objects", "uncollectable", CELL_COUNT},
    {"survivors", "survivors", CELL_COUNT},
};

void generations_cells(uint32_t heap, uint32_t generation, const struct generation_row *r,
                       struct cell cells[GENERATIONS_COLUMNS])
{
    const struct generation_record *record = r->record;
    int collects = generation < 3;
    struct cell null = cell_null();
    const struct cell filled[GENERATIONS_COLUMNS] = {
        cell_number(heap),
        cell_number(generation),
        cell_number(r->objects),
        cell_number(r->bytes),
        collects && record ? cell_number(record->threshold) : null,
        collects && record ? cell_number(record->count) : null,
        collects && record ? cell_number(record->collections) : null,
        collects ? cell_number(r->garbage_objects) : null,
        collects ? cell_number(r->garbage_bytes) : null,
        collects ? cell_number(r->dependent_objects) : null,
        collects ? cell_number(r->uncollectable_objects) : null,
        collects ? cell_number(r->survivors) : null,
    };
    memcpy(cells, filled, sizeof filled);
}
