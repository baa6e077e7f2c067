#include "select_sql.h"

#include <stdlib.h>
#include <string.h>

#include "../../dumpfmt/error.h"
#include "../graph/bits.h"
#include "../sql/database.h"

static int is_blank(const char *text)
{
    return !text[strspn(text, " \t\r\n;")];
}

/* Bits, for a condition may close the parenthesis and go on: rows may then come in any order, and twice. */
static int mark_rows(struct database *db, sqlite3_stmt *statement, ordinal objects, uint64_t *chosen,
                     struct rh_error *err)
{
    int status;
    database_begin(db);
    while ((status = database_step(db, statement, err)) > 0) {
        sqlite3_int64 o = sqlite3_column_int64(statement, 0);
        if (o >= 0 && o < (sqlite3_int64)objects)
            bit_set(chosen, (ordinal)o);
    }
    return status;
}

int select_sql(struct invocation *inv, const char *condition, uint64_t *chosen)
{
    static const char head[] = "select ordinal from objects where (\n";
    struct session *s = &inv->session;
    struct database_options options = {.generation = 2, .memory = (uint64_t)DATABASE_MEMORY_MIB << 20};
    struct database *db = NULL;
    sqlite3_stmt *statement = NULL;
    const char *rest;
    struct rh_error err;
    size_t size = sizeof head + strlen(condition) + sizeof "\n)";
    char *text = malloc(size);
    if (!text) {
        error_set(&err, RH_ERR_NO_MEMORY, "not enough memory", "");
        return fail(s->path, &err);
    }
    /* The line's end ends a comment. */
    snprintf(text, size, "%s%s\n)", head, condition);
    int status = database_open(s, &options, &db, &err);
    if (!status && !is_blank(condition))
        status = database_prepare(db, text, &rest, &statement, &err);
    if (!status && (!statement || !is_blank(rest)))
        status = error_set(&err, RH_ERR_ARGUMENT, "sql: takes one condition, without a semicolon",
                           "give a query to \"refheap sql\"");
    if (!status)
        status = mark_rows(db, statement, s->graph.objects, chosen, &err);
    sqlite3_finalize(statement);
    if (db)
        database_close(db);
    free(text);
    return status ? fail(s->path, &err) : 0;
}
