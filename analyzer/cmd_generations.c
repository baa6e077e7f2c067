/* generations: what is in each, and what a collection of it would do now. */
#include <stdlib.h>

#include "../dumpfmt/error.h"
#include "commands.h"
#include "generations.h"
#include "render/text.h"

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

static void show_row(struct table *t, uint32_t heap, uint32_t generation, const struct generation_row *r)
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
    struct generation_row *rows = generations_count(s, &err);
    if (!rows)
        return fail(s->path, &err);
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
    int status = table_end(&t, &options) ? STATUS_ERROR : STATUS_FINE;
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
