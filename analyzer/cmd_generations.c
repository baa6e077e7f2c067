/* generations: what is in each, and what a collection of it would do now. */
#include <stdlib.h>

#include "../dumpfmt/error.h"
#include "commands.h"
#include "render/text.h"

enum { GENERATIONS = 5 };

/* One row: a generation of a heap. */
struct row {
    uint64_t objects, bytes;
    uint64_t garbage_objects, garbage_bytes, dependent_objects, uncollectable_objects, survivors;
    const struct generation_record *record; /* NULL when the runtime said nothing of it */
};

static const struct column columns[] = {
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
enum { COLUMNS = sizeof columns / sizeof *columns };

/* What a collection of generation n would find, by heap. */
static int simulate(struct session *s, int n, struct row *rows, uint32_t heaps, struct rh_error *err)
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
        if (g->heap[o] >= heaps)
            continue;
        struct row *r = &rows[g->heap[o] * GENERATIONS + (uint32_t)n];
        unsigned fate = s->garbage[n].fate[o];
        if (fate == FATE_GARBAGE) {
            r->garbage_objects++;
            r->garbage_bytes += g->size[o];
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
static void find_records(const struct session *s, struct row *rows, uint32_t heaps)
{
    struct record_cursor cursor = {0, 0};
    const struct generation_record *r;
    while ((r = snapshot_next_record(s->snapshot, SECTION_GENERATIONS, &cursor)))
        if (r->heap < heaps && !rows[r->heap * GENERATIONS + r->generation].record)
            rows[r->heap * GENERATIONS + r->generation].record = r;
}

static void show_row(struct table *t, uint32_t heap, uint32_t generation, const struct row *r)
{
    const struct generation_record *record = r->record;
    int collects = generation < 3;
    struct cell null = cell_null();
    struct cell cells[COLUMNS] = {
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
    table_row(t, cells);
}

static void warn_about_heaps(struct invocation *inv)
{
    struct record_cursor cursor = {0, 0};
    const struct heap_record *h;
    if (inv->out.format != OUTPUT_TEXT)
        return;
    while ((h = snapshot_next_record(inv->session.snapshot, SECTION_HEAPS, &cursor))) {
        if (h->flags & HEAP_COLLECTING)
            fprintf(inv->out.file, "heap %u was in the middle of a collection of generation %d\n", h->id,
                    h->collecting);
        if (h->flags & HEAP_PARTIAL)
            fprintf(inv->out.file, "heap %u could be read in part only: numbers may be too low\n", h->id);
    }
}

static int run(struct invocation *inv)
{
    struct session *s = &inv->session;
    uint32_t heaps = (uint32_t)snapshot_count(s->snapshot, SECTION_HEAPS);
    struct table_options options = {.name = "generations", .noun = "generations"};
    struct table t;
    struct rh_error err;
    if (check_sort(inv, columns, COLUMNS))
        return STATUS_ERROR;
    if (session_graph(s, &err))
        return fail(s->path, &err);
    struct row *rows = calloc((size_t)heaps * GENERATIONS + 1, sizeof *rows);
    if (!rows) {
        error_set(&err, RH_ERR_NO_MEMORY, "not enough memory", "");
        return fail(s->path, &err);
    }
    int status = 0;
    for (int n = 0; n < 3 && !status; n++)
        status = simulate(s, n, rows, heaps, &err);
    if (status) {
        free(rows);
        return fail(s->path, &err);
    }
    for (ordinal o = 0; o < s->graph.objects; o++)
        if (s->graph.heap[o] < heaps) {
            struct row *r = &rows[s->graph.heap[o] * GENERATIONS + graph_generation(&s->graph, o)];
            r->objects++;
            r->bytes += s->graph.size[o];
        }
    find_records(s, rows, heaps);
    warn_about_heaps(inv);
    if (inv->out.format == OUTPUT_JSON)
        begin_json(inv);
    if (!(inv->options.given & OPT_LIMIT)) {
        inv->options.given |= OPT_LIMIT; /* a heap has five rows: show them all */
        inv->options.limit = 0;
    }
    begin_table(inv, &t, columns, COLUMNS, &options);
    for (uint32_t i = 0; i < heaps * GENERATIONS; i++)
        if ((inv->options.heap < 0 || inv->options.heap == i / GENERATIONS) &&
            (inv->options.generation == GENERATION_ANY || inv->options.generation == (int)(i % GENERATIONS)))
            show_row(&t, i / GENERATIONS, i % GENERATIONS, &rows[i]);
    status = table_end(&t, &options) ? STATUS_ERROR : STATUS_FINE;
    if (inv->out.format == OUTPUT_JSON)
        json_end(&inv->out.json);
    free(rows);
    return status;
}

const struct command cmd_generations = {
    .name = "generations",
    .summary = "what each generation holds, and what collecting it would find",
    .arguments = "SNAPSHOT",
    .help =
        "For each generation of each heap: objects and size; the threshold, and the count compared with it; and what a\n"
        "collection of it would do now: the garbage it would find, what refcounting would free with that garbage, what\n"
        "it could not free, and how many of its candidates would survive. Nothing is collected.",
    .takes = OPT_READING | OPT_TABLE | OPT_HEAP | OPT_GENERATION,
    .reads_snapshot = 1,
    .run = run,
};
