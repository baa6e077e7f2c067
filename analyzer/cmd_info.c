/* info: what this file is. */
#include <inttypes.h>
#include <string.h>

#include "line/commands.h"
#include "render/text.h"

/* Every table of this command shows all its rows. */
static void begin_list(struct invocation *inv, struct table *t, const struct column *columns, size_t count,
                       struct table_options *options, const char *title)
{
    if (inv->out.format == OUTPUT_TEXT)
        fprintf(inv->out.file, "\n%s\n", title);
    table_begin(t, &inv->out, columns, count, options);
}

static struct cell text_cell(const struct session *s, uint32_t id)
{
    struct text text = snapshot_string(s->snapshot, id);
    return (struct cell){0, text.bytes, text.length, 0};
}

static void line(struct invocation *inv, const char *name, const char *value)
{
    if (*value)
        fprintf(inv->out.file, "%-12s %s\n", name, value);
}

static void string_line(struct invocation *inv, const char *name, uint32_t id)
{
    struct text text = snapshot_string(inv->session.snapshot, id);
    char shown[512];
    text_clean(text.bytes, text.length, 200, shown, sizeof shown);
    line(inv, name, shown);
}

static void show_head(struct invocation *inv)
{
    const struct session *s = &inv->session;
    const struct snapshot *snap = s->snapshot;
    const struct file_header *h = snapshot_header(snap);
    const struct process_record *p = snapshot_process(snap);
    char text[200], when[TEXT_NUMBER_SIZE], n1[TEXT_NUMBER_SIZE], n2[TEXT_NUMBER_SIZE], n3[TEXT_NUMBER_SIZE];
    line(inv, "snapshot", s->path);
    snprintf(text, sizeof text, "%u.%u, %s, %s", h->major, h->minor, text_size(snapshot_file_size(snap), n1),
             snapshot_complete(snap) ? "complete" : "INCOMPLETE");
    line(inv, "format", text);
    line(inv, "damage", snapshot_damage(snap));
    snprintf(text, sizeof text, "%s, %s", text_time(h->time, when), name_captured(p->captured));
    line(inv, "captured", text);
    string_line(inv, "written by", p->writer);
    snprintf(text, sizeof text, "%" PRIu64, p->pid);
    line(inv, "process", p->pid ? text : "");
    string_line(inv, "executable", p->executable);
    string_line(inv, "command", p->command_line);
    string_line(inv, "host", p->host);
    snprintf(text, sizeof text, "%s, %s, %s", text_plural(snapshot_count(snap, SECTION_OBJECTS), "object", n1),
             text_plural(snapshot_count(snap, SECTION_EDGES), "edge", n2),
             text_plural(snapshot_count(snap, SECTION_ROOTS), "root", n3));
    line(inv, "holds", text);
    if (p->objects_damaged) {
        snprintf(text, sizeof text, "%s could not be read", text_plural(p->objects_damaged, "object", n1));
        line(inv, "left out", text);
    }
    if (h->flags & FILE_NO_VALUES)
        line(inv, "values", "left out on request");
}

static void head_json(struct invocation *inv)
{
    const struct snapshot *snap = inv->session.snapshot;
    const struct file_header *h = snapshot_header(snap);
    const struct process_record *p = snapshot_process(snap);
    struct json *j = &inv->out.json;
    struct text t;
    json_object(j, "format");
    json_uint(j, "major", h->major);
    json_uint(j, "minor", h->minor);
    json_uint(j, "file_bytes", snapshot_file_size(snap));
    json_bool(j, "complete", snapshot_complete(snap));
    json_string(j, "damage", snapshot_damage(snap));
    json_bool(j, "values", !(h->flags & FILE_NO_VALUES));
    json_object_end(j);
    json_object(j, "captured");
    json_int(j, "time_ns", h->time);
    json_string(j, "how", name_captured(p->captured));
    t = snapshot_string(snap, p->writer);
    json_text(j, "writer", t.bytes, t.length);
    json_uint(j, "runtime_bytes", p->runtime_bytes);
    json_uint(j, "known_bytes", p->known_bytes);
    json_uint(j, "memory_expected", p->memory_expected);
    json_uint(j, "memory_present", p->memory_present);
    json_uint(j, "objects_damaged", p->objects_damaged);
    json_object_end(j);
    json_object(j, "process");
    json_uint(j, "pid", p->pid);
    t = snapshot_string(snap, p->executable);
    json_text(j, "executable", t.bytes, t.length);
    t = snapshot_string(snap, p->command_line);
    json_text(j, "command_line", t.bytes, t.length);
    t = snapshot_string(snap, p->host);
    json_text(j, "host", t.bytes, t.length);
    json_object_end(j);
}

/* ---- heaps and generations ---- */

static void generations_json(struct invocation *inv, uint32_t heap)
{
    struct json *j = &inv->out.json;
    struct record_cursor cursor = {0, 0};
    json_array(j, "generations");
    for (const struct generation_record *g;
         (g = snapshot_next_record(inv->session.snapshot, SECTION_GENERATIONS, &cursor));) {
        if (g->heap != heap)
            continue;
        json_object(j, NULL);
        json_uint(j, "generation", g->generation);
        json_uint(j, "threshold", g->threshold);
        json_uint(j, "count", g->count);
        json_uint(j, "collections", g->collections);
        json_uint(j, "collected", g->collected);
        json_uint(j, "uncollectable", g->uncollectable);
        if (g->objects == UINT64_MAX)
            json_null(j, "objects");
        else
            json_uint(j, "objects", g->objects);
        json_object_end(j);
    }
    json_array_end(j);
}

static void heaps_json(struct invocation *inv)
{
    const struct snapshot *snap = inv->session.snapshot;
    struct json *j = &inv->out.json;
    struct record_cursor cursor = {0, 0};
    json_array(j, "heaps");
    for (const struct heap_record *h; (h = snapshot_next_record(snap, SECTION_HEAPS, &cursor));) {
        struct text runtime = snapshot_string(snap, h->runtime), version = snapshot_string(snap, h->version);
        struct text name = snapshot_string(snap, h->name);
        json_object(j, NULL);
        json_uint(j, "id", h->id);
        json_text(j, "runtime", runtime.bytes, runtime.length);
        json_text(j, "version", version.bytes, version.length);
        json_text(j, "name", name.bytes, name.length);
        json_address(j, "address", h->address);
        json_bool(j, "collecting", h->flags & HEAP_COLLECTING);
        json_bool(j, "enabled", (h->flags & HEAP_ENABLED) != 0);
        json_bool(j, "partial", (h->flags & HEAP_PARTIAL) != 0);
        json_uint(j, "owner", h->owner);
        json_uint(j, "long_lived_total", h->long_lived_total);
        json_uint(j, "long_lived_pending", h->long_lived_pending);
        generations_json(inv, h->id);
        json_object_end(j);
    }
    json_array_end(j);
}

static void heaps_text(struct invocation *inv)
{
    static const struct column columns[] = {
        {"id", "heap", CELL_NUMBER},
        {"runtime", "runtime", CELL_TEXT},
        {"version", "version", CELL_TEXT},
        {"name", "name", CELL_TEXT},
        {"address", "address", CELL_ADDRESS},
        {"enabled", "automatic", CELL_FLAG},
        {"collecting", "collecting", CELL_GENERATION},
        {"partial", "partly read", CELL_FLAG},
    };
    const struct session *s = &inv->session;
    struct table_options options = {.name = "heaps"};
    struct record_cursor cursor = {0, 0};
    struct table t;
    begin_list(inv, &t, columns, 8, &options, "heaps");
    for (const struct heap_record *h; (h = snapshot_next_record(s->snapshot, SECTION_HEAPS, &cursor));) {
        struct cell cells[] = {
            cell_number(h->id),
            text_cell(s, h->runtime),
            text_cell(s, h->version),
            text_cell(s, h->name),
            cell_number(h->address),
            cell_number((h->flags & HEAP_ENABLED) != 0),
            h->collecting < 0 ? cell_null() : cell_number((uint64_t)h->collecting),
            cell_number((h->flags & HEAP_PARTIAL) != 0),
        };
        table_row(&t, cells);
    }
    table_end(&t, &options);
}

/* ---- what the file holds ---- */

static void show_sections(struct invocation *inv)
{
    static const struct column columns[] = {
        {"section", "section", CELL_TEXT}, {"blocks", "blocks", CELL_COUNT}, {"elements", "elements", CELL_COUNT},
        {"bytes", "bytes", CELL_SIZE},     {"stored", "stored", CELL_SIZE},
    };
    const struct snapshot *snap = inv->session.snapshot;
    struct table_options options = {.name = "sections"};
    struct table t;
    begin_list(inv, &t, columns, 5, &options, "sections");
    for (unsigned section = 1; section < SECTION_TOTALS; section++) {
        uint64_t raw = 0, stored = 0;
        size_t blocks = snapshot_block_count(snap, section);
        for (size_t b = 0; b < blocks; b++) {
            raw += snapshot_block(snap, section, b)->length;
            stored += snapshot_block(snap, section, b)->stored_length;
        }
        struct cell cells[] = {cell_text(section_info(section)->name), cell_number(blocks),
                               cell_number(snapshot_count(snap, section)), cell_number(raw), cell_number(stored)};
        if (blocks)
            table_row(&t, cells);
    }
    table_end(&t, &options);
}

static void show_modules(struct invocation *inv)
{
    static const struct column columns[] = {
        {"base", "base", CELL_ADDRESS},
        {"end", "end", CELL_ADDRESS},
        {"build_id", "build-id", CELL_TEXT},
        {"path", "module", CELL_TEXT},
    };
    const struct session *s = &inv->session;
    struct table_options options = {.name = "modules"};
    struct record_cursor cursor = {0, 0};
    struct table t;
    begin_list(inv, &t, columns, 4, &options, "modules");
    for (const struct module_record *m; (m = snapshot_next_record(s->snapshot, SECTION_MODULES, &cursor));) {
        char id[2 * BUILD_ID_MAX + 1] = "";
        for (uint32_t i = 0; i < m->build_id_length; i++)
            snprintf(id + 2 * i, 3, "%02x", m->build_id[i]);
        struct cell cells[] = {cell_number(m->base), cell_number(m->end), cell_text(id), text_cell(s, m->path)};
        table_row(&t, cells);
    }
    table_end(&t, &options);
}

static void show_roots(struct invocation *inv)
{
    static const struct column columns[] = {
        {"kind", "kind", CELL_TEXT},        {"name", "root", CELL_TEXT},      {"exact", "exact", CELL_FLAG},
        {"object", "object", CELL_ADDRESS}, {"where", "where", CELL_ADDRESS}, {"heap", "heap", CELL_NUMBER},
    };
    const struct session *s = &inv->session;
    struct table_options options = {.name = "roots", .noun = "roots", .limit = inv->out.format == OUTPUT_TEXT ? 20 : 0};
    struct record_cursor cursor = {0, 0};
    struct table t;
    begin_list(inv, &t, columns, 6, &options, "roots");
    for (const struct root_record *r; (r = snapshot_next_record(s->snapshot, SECTION_ROOTS, &cursor));) {
        struct cell cells[] = {cell_text(name_root_kind(r->kind)),
                               text_cell(s, r->name),
                               cell_number(r->flags & ROOT_EXACT),
                               cell_number(r->object),
                               r->where ? cell_number(r->where) : cell_null(),
                               cell_number(r->heap)};
        table_row(&t, cells);
    }
    table_end(&t, &options);
}

static void show_diagnostics(struct invocation *inv)
{
    static const struct column columns[] = {
        {"severity", "severity", CELL_TEXT}, {"address", "address", CELL_ADDRESS}, {"text", "text", CELL_TEXT}};
    static const char *const severities[] = {"?", "note", "warning", "error"};
    const struct session *s = &inv->session;
    struct table_options options = {
        .name = "diagnostics", .noun = "lines", .limit = inv->out.format == OUTPUT_TEXT ? 20 : 0};
    struct record_cursor cursor = {0, 0};
    struct table t;
    if (inv->out.format == OUTPUT_TEXT && !snapshot_count(s->snapshot, SECTION_DIAGNOSTICS))
        return;
    begin_list(inv, &t, columns, 3, &options, "said by its writer");
    for (const struct diagnostic_record *d; (d = snapshot_next_record(s->snapshot, SECTION_DIAGNOSTICS, &cursor));) {
        struct cell cells[] = {cell_text(severities[d->severity]), d->address ? cell_number(d->address) : cell_null(),
                               text_cell(s, d->text)};
        table_row(&t, cells);
    }
    table_end(&t, &options);
}

static int run(struct invocation *inv)
{
    if (inv->out.format == OUTPUT_JSON) {
        begin_json(inv);
        head_json(inv);
        heaps_json(inv);
    } else {
        show_head(inv);
        heaps_text(inv);
    }
    show_roots(inv);
    show_modules(inv);
    show_sections(inv);
    show_diagnostics(inv);
    if (inv->out.format == OUTPUT_JSON)
        json_end(&inv->out.json);
    return STATUS_FINE;
}

const struct command cmd_info = {
    .name = "info",
    .summary = "what a snapshot is: program, heaps, roots, modules",
    .arguments = "SNAPSHOT",
    .help = "Says where the snapshot comes from and what it holds, without looking into its graph.",
    .takes = OPT_READING,
    .reads_snapshot = 1,
    .run = run,
};
