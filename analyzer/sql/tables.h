/* What a virtual table is made of. vtab.c makes SQLite's modules of these descriptions. */
#ifndef SQL_TABLES_H
#define SQL_TABLES_H

#include "../session/names.h"
#include "parts.h"

enum { LOOKUPS_MAX = 2, LOOKUP_NONE = -1 };

/* A run of rows that a query walks through. */
struct rows {
    uint64_t at, end;
    int lookup;     /* that found them, or LOOKUP_NONE when they are all */
    int64_t looked; /* what was looked up */
    ordinal source; /* edges: whose edge is at `at` */
};

struct sql_column {
    const char *name, *type, *comment;
    unsigned needs; /* enum part, beyond the table's own */
};

struct sql_table {
    const char *name, *comment;
    const struct sql_column *columns; /* ended by a NULL name */
    /* Columns by which rows are found without looking at others. */
    struct {
        const char *column; /* NULL: none */
        int unique;
        unsigned needs; /* enum part, beyond the table's own */
    } lookup[LOOKUPS_MAX];
    int ordered;    /* all rows come in ascending order of the first column */
    unsigned needs; /* enum part */

    /* Rows there are; before the parts it needs are there, about how many. */
    uint64_t (*count)(const struct database *db);
    /* The rows where a lookup's column is `value`. NULL without lookups. */
    void (*find)(const struct database *db, int lookup, int64_t value, struct rows *rows);
    /* Called whenever rows->at has changed and is not at the end. May be NULL. */
    void (*settle)(const struct database *db, struct rows *rows);
    /* A number that is the same for a row however it was found; NULL: rows->at. Returns 0 or -1 (db->part_error). */
    int (*row_id)(struct database *db, const struct rows *rows, int64_t *id);
    void (*value)(struct database *db, const struct rows *rows, int column, sqlite3_context *to);
};

extern const struct sql_table table_objects, table_edges, table_roots, table_types, table_cycles, table_heaps,
    table_generations, table_modules, table_info;

/* Creates all tables. Returns an SQLite code. */
int tables_create(struct database *db);

/* Adds hex_address() and the others. */
int functions_create(struct database *db);

/* ---- values ---- */

/* Beyond 2^63 as a real number: SQLite has no unsigned ones. Addresses keep their bits instead. */
static inline void give_unsigned(sqlite3_context *to, uint64_t value)
{
    if (value > INT64_MAX)
        sqlite3_result_double(to, (double)value);
    else
        sqlite3_result_int64(to, (int64_t)value);
}

static inline void give_address(sqlite3_context *to, uint64_t value)
{
    sqlite3_result_int64(to, (int64_t)value);
}

static inline void give_ordinal(sqlite3_context *to, ordinal o)
{
    if (o != ORDINAL_NONE)
        sqlite3_result_int64(to, o);
}

/* Text of the snapshot, which outlives the database. */
static inline void give_text(sqlite3_context *to, struct text text)
{
    sqlite3_result_text64(to, text.bytes, text.length, SQLITE_STATIC, SQLITE_UTF8);
}

/* Text of a string id; NULL for one that is empty or unknown. */
static inline void give_string(const struct database *db, sqlite3_context *to, uint32_t id)
{
    struct text text = snapshot_string(db->s->snapshot, id);
    if (text.length)
        give_text(to, text);
}

static inline void give_name(sqlite3_context *to, const char *text)
{
    sqlite3_result_text(to, text, -1, SQLITE_TRANSIENT);
}

static inline void give_generation(sqlite3_context *to, unsigned generation)
{
    sqlite3_result_int(to, generation == GENERATION_UNTRACKED ? -1 : (int)generation);
}

#endif
