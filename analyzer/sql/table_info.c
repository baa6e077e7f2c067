/* info: the snapshot as a whole, a row a fact. */
#include <stddef.h>

#include "tables.h"

static void give_path(const struct session *s, sqlite3_context *to)
{
    give_name(to, s->path);
}

static void give_uuid(const struct session *s, sqlite3_context *to)
{
    char uuid[UUID_SIZE];
    give_name(to, name_uuid(s, uuid));
}

static void give_format(const struct session *s, sqlite3_context *to)
{
    const struct file_header *h = snapshot_header(s->snapshot);
    char version[32];
    snprintf(version, sizeof version, "%u.%u", h->major, h->minor);
    give_name(to, version);
}

static void give_damage(const struct session *s, sqlite3_context *to)
{
    if (*snapshot_damage(s->snapshot))
        give_name(to, snapshot_damage(s->snapshot));
}

static void give_how(const struct session *s, sqlite3_context *to)
{
    give_name(to, name_captured(snapshot_process(s->snapshot)->captured));
}

static uint64_t count_objects(const struct session *s)
{
    return snapshot_count(s->snapshot, SECTION_OBJECTS);
}

static uint64_t count_edges(const struct session *s)
{
    return snapshot_count(s->snapshot, SECTION_EDGES);
}

static uint64_t is_complete(const struct session *s)
{
    return (uint64_t)snapshot_complete(s->snapshot);
}

static uint64_t has_values(const struct session *s)
{
    return !(snapshot_header(s->snapshot)->flags & FILE_NO_VALUES);
}

static uint64_t time_of(const struct session *s)
{
    return (uint64_t)snapshot_header(s->snapshot)->time;
}

static uint64_t file_bytes(const struct session *s)
{
    return snapshot_file_size(s->snapshot);
}

#define PROCESS(field) offsetof(struct process_record, field)

static const struct fact {
    const char *key;
    void (*give)(const struct session *s, sqlite3_context *to);
    uint64_t (*number)(const struct session *s);
    size_t string_at, number_at; /* in struct process_record, without the two above; a string is not at 0 */
} facts[] = {
    {"path", give_path, NULL, 0, 0},
    {"uuid", give_uuid, NULL, 0, 0},
    {"objects", NULL, count_objects, 0, 0},
    {"edges", NULL, count_edges, 0, 0},
    {"bytes", NULL, session_bytes, 0, 0},
    {"complete", NULL, is_complete, 0, 0},
    {"damage", give_damage, NULL, 0, 0},
    {"format", give_format, NULL, 0, 0},
    {"file_bytes", NULL, file_bytes, 0, 0},
    {"values", NULL, has_values, 0, 0},
    {"time_ns", NULL, time_of, 0, 0},
    {"how", give_how, NULL, 0, 0},
    {"writer", NULL, NULL, PROCESS(writer), 0},
    {"pid", NULL, NULL, 0, PROCESS(pid)},
    {"executable", NULL, NULL, PROCESS(executable), 0},
    {"command_line", NULL, NULL, PROCESS(command_line), 0},
    {"host", NULL, NULL, PROCESS(host), 0},
    {"runtime_bytes", NULL, NULL, 0, PROCESS(runtime_bytes)},
    {"known_bytes", NULL, NULL, 0, PROCESS(known_bytes)},
    {"memory_expected", NULL, NULL, 0, PROCESS(memory_expected)},
    {"memory_present", NULL, NULL, 0, PROCESS(memory_present)},
    {"objects_damaged", NULL, NULL, 0, PROCESS(objects_damaged)},
};
enum { FACTS = sizeof facts / sizeof *facts };

static const struct sql_column columns[] = {
    {"key", "TEXT", "as in \"refheap info --json\"", 0},
    {"value", "", NULL, 0},
    {NULL, NULL, NULL, 0},
};

static uint64_t count(const struct database *db)
{
    (void)db;
    return FACTS;
}

static void value(struct database *db, const struct rows *rows, int column, sqlite3_context *to)
{
    const struct fact *f = &facts[rows->at];
    const char *process = (const char *)snapshot_process(db->s->snapshot);
    if (column == 0)
        sqlite3_result_text(to, f->key, -1, SQLITE_STATIC);
    else if (f->give)
        f->give(db->s, to);
    else if (f->number)
        give_unsigned(to, f->number(db->s));
    else if (f->string_at)
        give_string(db, to, *(const uint32_t *)(process + f->string_at));
    else
        give_unsigned(to, *(const uint64_t *)(process + f->number_at));
}

const struct sql_table table_info = {
    .name = "info",
    .comment = "the snapshot as a whole",
    .columns = columns,
    .count = count,
    .value = value,
};
