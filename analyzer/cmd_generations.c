/* generations: what is in each, and what a collection of it would do now. */
#include <stdlib.h>

#include "../dumpfmt/error.h"
#include "line/commands.h"
#include "answers/generations.h"
#include "render/text.h"

static void show_row(struct table *t, uint32_t heap, uint32_t generation, const struct generation_row *r)
{
    struct cell cells[GENERATIONS_COLUMNS];
    generations_cells(heap, generation, r, cells);
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
    if (check_sort(inv, generations_columns, GENERATIONS_COLUMNS))
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
    begin_table(inv, &t, generations_columns, GENERATIONS_COLUMNS, &options);
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
