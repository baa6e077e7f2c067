/* SQLite's side of the tables: one module for all of them. */
#include <stdlib.h>
#include <string.h>

#include "tables.h"

static const struct sql_table *const tables[] = {
    &table_objects, &table_edges,       &table_types,   &table_roots, &table_cycles,
    &table_heaps,   &table_generations, &table_modules, &table_info,
};
enum { TABLES = sizeof tables / sizeof *tables };

struct vtab {
    sqlite3_vtab base;
    struct database *db;
    const struct sql_table *table;
};

struct cursor {
    sqlite3_vtab_cursor base;
    struct rows rows;
};

static struct vtab *vtab_of(sqlite3_vtab_cursor *cursor)
{
    return (struct vtab *)cursor->pVtab;
}

static int column_number(const struct sql_table *t, const char *name)
{
    int c = 0;
    while (strcmp(t->columns[c].name, name))
        c++;
    return c;
}

/* ---- schema ---- */

static char *declaration(const struct sql_table *t)
{
    sqlite3_str *text = sqlite3_str_new(NULL);
    sqlite3_str_appendf(text, "CREATE TABLE %s(", t->name);
    for (const struct sql_column *c = t->columns; c->name; c++)
        sqlite3_str_appendf(text, "%s\"%s\" %s", c == t->columns ? "" : ", ", c->name, c->type);
    sqlite3_str_appendall(text, ")");
    return sqlite3_str_finish(text);
}

int database_schema(FILE *to, const char *name)
{
    int shown = 0;
    for (int i = 0; i < TABLES; i++) {
        const struct sql_table *t = tables[i];
        if (name && strcmp(name, t->name))
            continue;
        fprintf(to, "%sCREATE TABLE %s ( -- %s\n", shown++ ? "\n" : "", t->name, t->comment);
        for (const struct sql_column *c = t->columns; c->name; c++)
            fprintf(to, "    %s %s%s%s%s\n", c->name, c->type, c[1].name ? "," : "", c->comment ? " -- " : "",
                    c->comment ? c->comment : "");
        fputs(");\n", to);
    }
    return shown;
}

void database_tables(FILE *to)
{
    for (int i = 0; i < TABLES; i++)
        fprintf(to, "%s\n", tables[i]->name);
}

/* ---- tables ---- */

static int connect_table(sqlite3 *sqlite, void *context, int argc, const char *const *argv, sqlite3_vtab **out,
                         char **error)
{
    const struct sql_table *t = NULL;
    (void)error;
    for (int i = 0; argc > 2 && i < TABLES; i++)
        if (!strcmp(argv[2], tables[i]->name))
            t = tables[i];
    if (!t)
        return SQLITE_ERROR;
    char *sql = declaration(t);
    int status = sql ? sqlite3_declare_vtab(sqlite, sql) : SQLITE_NOMEM;
    sqlite3_free(sql);
    struct vtab *v = status ? NULL : sqlite3_malloc(sizeof *v);
    if (!v)
        return status ? status : SQLITE_NOMEM;
    *v = (struct vtab){.db = context, .table = t};
    *out = &v->base;
    return SQLITE_OK;
}

static int disconnect_table(sqlite3_vtab *base)
{
    sqlite3_free(base);
    return SQLITE_OK;
}

/* ---- planning ---- */

/* The first constraint that says what a lookup's column equals, or -1. */
static int find_constraint(const sqlite3_index_info *info, int column)
{
    for (int i = 0; i < info->nConstraint; i++)
        if (info->aConstraint[i].usable && info->aConstraint[i].iColumn == column &&
            info->aConstraint[i].op == SQLITE_INDEX_CONSTRAINT_EQ)
            return i;
    return -1;
}

/* How many rows a lookup finds, on average: an object has as many edges, a target as many roots. */
static double expected(const struct vtab *v, int lookup)
{
    uint64_t objects = snapshot_count(v->db->s->snapshot, SECTION_OBJECTS);
    return v->table->lookup[lookup].unique ? 1 : 1 + (double)v->table->count(v->db) / (double)(objects + 1);
}

/* idxNum has a bit for each lookup to be made; idxStr says the same to whoever reads EXPLAIN QUERY PLAN. SQLite checks
 * all constraints again, so a lookup may find too much. */
static int plan(sqlite3_vtab *base, sqlite3_index_info *info)
{
    const struct vtab *v = (struct vtab *)base;
    const struct sql_table *t = v->table;
    double rows = (double)t->count(v->db);
    int arguments = 0, unique = 0;
    sqlite3_str *words = sqlite3_str_new(NULL);
    info->idxNum = 0;
    for (int l = 0; l < LOOKUPS_MAX && t->lookup[l].column; l++) {
        int i = find_constraint(info, column_number(t, t->lookup[l].column));
        if (i < 0)
            continue;
        sqlite3_str_appendf(words, "%s%s", arguments ? ", " : "", t->lookup[l].column);
        info->aConstraintUsage[i].argvIndex = ++arguments;
        info->idxNum |= 1 << l;
        unique |= t->lookup[l].unique;
        rows = expected(v, l) < rows ? expected(v, l) : rows;
    }
    info->estimatedCost = unique ? 1 : rows + 1;
    info->estimatedRows = unique ? 1 : (sqlite3_int64)rows + 1;
    info->idxFlags = unique ? SQLITE_INDEX_SCAN_UNIQUE : 0;
    info->orderByConsumed = unique || (!arguments && t->ordered && info->nOrderBy == 1 &&
                                       info->aOrderBy[0].iColumn == 0 && !info->aOrderBy[0].desc);
    info->idxStr = sqlite3_str_finish(words); /* NULL when nothing was added */
    info->needToFreeIdxStr = 1;
    return SQLITE_OK;
}

/* ---- walking ---- */

static int open_cursor(sqlite3_vtab *base, sqlite3_vtab_cursor **out)
{
    struct cursor *c = sqlite3_malloc(sizeof *c);
    (void)base;
    if (!c)
        return SQLITE_NOMEM;
    memset(c, 0, sizeof *c);
    *out = &c->base;
    return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *base)
{
    sqlite3_free(base);
    return SQLITE_OK;
}

/* The integer that a column of integers would have to be to equal a value; 0 when it cannot. */
static int as_integer(sqlite3_value *value, int64_t *integer)
{
    switch (sqlite3_value_numeric_type(value)) {
    case SQLITE_INTEGER:
        *integer = sqlite3_value_int64(value);
        return 1;
    case SQLITE_FLOAT: {
        double d = sqlite3_value_double(value);
        if (!(d >= -0x1p63 && d < 0x1p63))
            return 0;
        *integer = (int64_t)d;
        return (double)*integer == d;
    }
    default:
        return 0;
    }
}

static int fail_table(struct vtab *v)
{
    sqlite3_free(v->base.zErrMsg);
    v->base.zErrMsg = sqlite3_mprintf("%s", v->db->part_error.what);
    return SQLITE_ERROR;
}

static void settle(struct vtab *v, struct rows *rows)
{
    if (rows->at >= rows->end)
        return;
    v->db->rows_visited++;
    if (v->table->settle)
        v->table->settle(v->db, rows);
}

/* Of two lookups, the one that finds less. */
static int begin_rows(sqlite3_vtab_cursor *base, int lookups, const char *plan_text, int argc, sqlite3_value **argv)
{
    struct vtab *v = vtab_of(base);
    struct cursor *c = (struct cursor *)base;
    (void)plan_text;
    if (database_need(v->db, v->table->needs))
        return fail_table(v);
    c->rows = (struct rows){.end = v->table->count(v->db), .lookup = LOOKUP_NONE};
    for (int l = 0, used = 0; l < LOOKUPS_MAX && used < argc; l++) {
        struct rows found = {.lookup = l};
        if (!(lookups >> l & 1))
            continue;
        if (database_need(v->db, v->table->lookup[l].needs))
            return fail_table(v);
        if (as_integer(argv[used++], &found.looked))
            v->table->find(v->db, l, found.looked, &found);
        if (c->rows.lookup == LOOKUP_NONE || found.end - found.at < c->rows.end - c->rows.at)
            c->rows = found;
    }
    settle(v, &c->rows);
    return SQLITE_OK;
}

static int next_row(sqlite3_vtab_cursor *base)
{
    struct cursor *c = (struct cursor *)base;
    c->rows.at++;
    settle(vtab_of(base), &c->rows);
    return SQLITE_OK;
}

static int at_end(sqlite3_vtab_cursor *base)
{
    const struct cursor *c = (struct cursor *)base;
    return c->rows.at >= c->rows.end;
}

static int give_column(sqlite3_vtab_cursor *base, sqlite3_context *to, int column)
{
    struct vtab *v = vtab_of(base);
    unsigned needs = v->table->columns[column].needs;
    if (needs & ~v->db->ready && database_need(v->db, needs))
        return fail_table(v);
    v->table->value(v->db, &((struct cursor *)base)->rows, column, to);
    return SQLITE_OK;
}

/* SQLite tells by it whether it has seen a row already, when two lookups are joined by OR. */
static int give_row_id(sqlite3_vtab_cursor *base, sqlite3_int64 *id)
{
    struct vtab *v = vtab_of(base);
    const struct rows *rows = &((struct cursor *)base)->rows;
    int64_t number = (int64_t)rows->at;
    if (v->table->row_id && v->table->row_id(v->db, rows, &number))
        return fail_table(v);
    *id = number;
    return SQLITE_OK;
}

static const sqlite3_module module = {
    .iVersion = 1,
    .xCreate = connect_table,
    .xConnect = connect_table,
    .xBestIndex = plan,
    .xDisconnect = disconnect_table,
    .xDestroy = disconnect_table,
    .xOpen = open_cursor,
    .xClose = close_cursor,
    .xFilter = begin_rows,
    .xNext = next_row,
    .xEof = at_end,
    .xColumn = give_column,
    .xRowid = give_row_id,
};

/* Real tables of a schema in memory rather than names that SQLite finds by itself: so sqlite_schema lists them. */
int tables_create(struct database *db)
{
    int status = sqlite3_create_module(db->sqlite, "refheap", &module, db);
    for (int i = 0; i < TABLES && !status; i++) {
        char *sql = sqlite3_mprintf("CREATE VIRTUAL TABLE %s USING refheap", tables[i]->name);
        status = sql ? sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL) : SQLITE_NOMEM;
        sqlite3_free(sql);
    }
    return status;
}
