#include "generations.h"

#include <stdlib.h>

#include "../dumpfmt/error.h"

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
