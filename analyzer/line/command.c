/* What the commands share: errors, the head of a JSON answer, limits and order of tables, filters. */
#include "command.h"

#include <stdarg.h>
#include <string.h>

#include "../session/names.h"

/* ---- errors ---- */

int fail_usage(const struct command *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("refheap: ", stderr);
    vfprintf(stderr, format, args);
    fprintf(stderr, "; see refheap %s%s--help\n", command ? command->name : "", command ? " " : "");
    va_end(args);
    return STATUS_ERROR;
}

/* ---- answers ---- */

static void snapshot_json(struct json *j, const char *key, const struct session *s)
{
    char uuid[UUID_SIZE];
    struct record_cursor cursor = {0, 0};
    const struct heap_record *heap = snapshot_next_record(s->snapshot, SECTION_HEAPS, &cursor);
    struct text runtime = snapshot_string(s->snapshot, heap ? heap->runtime : 0);
    json_object(j, key);
    json_string(j, "path", s->path);
    json_string(j, "uuid", name_uuid(s, uuid));
    json_text(j, "runtime", runtime.bytes, runtime.length);
    json_uint(j, "objects", snapshot_count(s->snapshot, SECTION_OBJECTS));
    json_uint(j, "edges", snapshot_count(s->snapshot, SECTION_EDGES));
    json_uint(j, "bytes", session_bytes(s));
    json_bool(j, "complete", snapshot_complete(s->snapshot));
    json_object_end(j);
}

void begin_json(struct invocation *inv)
{
    struct json *j = &inv->out.json;
    json_begin(j, inv->out.file);
    json_uint(j, "schema_version", 1);
    json_string(j, "command", inv->command->name);
    if (!inv->session.snapshot)
        return;
    snapshot_json(j, "snapshot", &inv->session);
    if (!inv->more_count)
        return;
    json_array(j, "snapshots");
    snapshot_json(j, NULL, &inv->session);
    for (int i = 0; i < inv->more_count; i++)
        snapshot_json(j, NULL, &inv->more[i]);
    json_array_end(j);
}

void tally_json(struct json *j, const char *key, const struct tally *t)
{
    json_object(j, key);
    json_uint(j, "objects", t->objects);
    json_uint(j, "bytes", t->bytes);
    json_object_end(j);
}

uint64_t table_limit(const struct invocation *inv)
{
    if (inv->options.given & OPT_LIMIT)
        return inv->options.limit;
    return inv->out.format == OUTPUT_TEXT ? 20 : 0;
}

int check_sort(const struct invocation *inv, const struct column *columns, size_t count)
{
    const char *key = inv->options.sort;
    char names[256] = "";
    for (size_t c = 0; inv->asks_columns && c < count; c++)
        fprintf(inv->asks_columns, "%s\n", columns[c].key);
    if (inv->asks_columns)
        return STATUS_ERROR;
    if (!key || table_column(columns, count, key) >= 0)
        return 0;
    for (size_t c = 0; c < count; c++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", c ? ", " : "", columns[c].key);
    return fail_usage(inv->command, "there is no column \"%s\" to sort by; there are %s", key, names);
}

void begin_table(struct invocation *inv, struct table *table, const struct column *columns, size_t count,
                 struct table_options *options)
{
    options->limit = table_limit(inv);
    options->sort = inv->options.sort;
    table_begin(table, &inv->out, columns, count, options);
}

/* ---- filters ---- */

int glob_matches(const char *pattern, struct text text)
{
    const char *name = text.bytes, *end = name + text.length, *star = NULL, *retry = name;
    while (name < end) {
        if (*pattern == '*') {
            star = pattern++;
            retry = name;
        } else if (*pattern && *pattern == *name) { /* a name may have a 0 in it, where the pattern ends */
            pattern++;
            name++;
        } else if (star) {
            pattern = star + 1;
            name = ++retry;
        } else {
            return 0;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

int filter_matches(const struct invocation *inv, ordinal o)
{
    return filter_matches_in(&inv->options, &inv->session, o);
}

int filter_matches_in(const struct options *f, const struct session *s, ordinal o)
{
    const struct graph *g = &s->graph;
    return (f->heap < 0 || graph_heap(g, o) == (uint32_t)f->heap) &&
           (f->generation == GENERATION_ANY || graph_generation(g, o) == (unsigned)f->generation) &&
           (!f->type || glob_matches(f->type, type_name(s, o)));
}

void object_json_head(struct json *j, const struct session *s, ordinal o)
{
    const struct graph *g = &s->graph;
    unsigned generation = graph_generation(g, o);
    json_address(j, "address", graph_address(g, o));
    json_text(j, "type", type_name(s, o).bytes, type_name(s, o).length);
    json_int(j, "generation", generation == GENERATION_UNTRACKED ? -1 : (int)generation);
    json_uint(j, "size", graph_size(g, o));
    if (graph_is_immortal(g, o))
        json_null(j, "refcount");
    else
        json_int(j, "refcount", graph_refcount(g, o));
}
