#include "database.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../../dumpfmt/error.h"
#include "../render/text.h"
#include "tables.h"

static int out_of_memory(struct rh_error *err)
{
    return error_set(err, RH_ERR_NO_MEMORY, "not enough memory for the database", "");
}

int database_open(struct session *s, const struct database_options *options, struct database **out,
                  struct rh_error *err)
{
    struct database *db = calloc(1, sizeof *db);
    if (!db)
        return out_of_memory(err);
    db->s = s;
    db->generation = options->generation;
    db->guard.timeout = options->timeout;
    db->guard.interrupted = options->interrupted;
    sqlite3_hard_heap_limit64((sqlite3_int64)options->memory);
    int status = sqlite3_open_v2(":memory:", &db->sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, NULL);
    if (!status)
        status = tables_create(db);
    if (!status)
        status = functions_create(db);
    if (!status)
        status = guard_install(&db->guard, db->sqlite);
    if (!status) {
        *out = db;
        return 0;
    }
    if (status == SQLITE_NOMEM)
        out_of_memory(err);
    else
        error_format(err, RH_ERR_UNSUPPORTED, "it needs SQLite 3.31 or later", "cannot open the database: %s",
                     db->sqlite ? sqlite3_errmsg(db->sqlite) : sqlite3_errstr(status));
    database_close(db);
    return err->code;
}

void database_close(struct database *db)
{
    if (!db)
        return;
    sqlite3_close_v2(db->sqlite);
    database_release_parts(db);
    free(db);
}

/* ---- errors ---- */

/* SQLite quotes what the query says; that must stay one line. */
static int set_error(const struct database *db, int status, struct rh_error *err)
{
    char message[160], hint[64];
    const char *said = sqlite3_errmsg(db->sqlite);
    if (db->part_error.code) {
        *err = db->part_error;
        return err->code;
    }
    text_clean(said, strlen(said), sizeof message, message, sizeof message);
    switch (status & 0xff) {
    case SQLITE_INTERRUPT:
        if (!db->guard.timed_out)
            return error_set(err, RH_ERR_BUSY, "the query was interrupted", "");
        return error_format(err, RH_ERR_BUSY, "--timeout gives it more", "the query took longer than %g s",
                            db->guard.timeout);
    case SQLITE_NOMEM:
        snprintf(hint, sizeof hint, "--memory gives it more");
        return error_format(err, RH_ERR_NO_MEMORY, hint, "the query needs more than %" PRId64 " MiB of memory: %s",
                            (int64_t)sqlite3_hard_heap_limit64(-1) >> 20, message);
    case SQLITE_AUTH:
        return error_format(err, RH_ERR_ARGUMENT, "a snapshot can only be read", "%s: %s", message, db->guard.refused);
    default:
        if (!strncmp(said, "no such", 7) || !strncmp(said, "ambiguous", 9))
            return error_format(err, RH_ERR_ARGUMENT, "\".schema\" shows the tables", "%s", message);
        return error_format(err, RH_ERR_ARGUMENT, "", "%s", message);
    }
}

/* ---- statements ---- */

int database_prepare(struct database *db, const char *sql, const char **rest, sqlite3_stmt **out, struct rh_error *err)
{
    *out = NULL;
    db->part_error.code = 0;
    db->guard.refused[0] = 0;
    guard_begin(&db->guard);
    int status = sqlite3_prepare_v2(db->sqlite, sql, -1, out, rest);
    if (status)
        return set_error(db, status, err);
    if (!*out || (sqlite3_stmt_readonly(*out) && sqlite3_column_count(*out)))
        return 0;
    sqlite3_finalize(*out);
    *out = NULL;
    return error_set(err, RH_ERR_ARGUMENT, "the statement answers nothing", "a snapshot can only be read");
}

void database_begin(struct database *db)
{
    guard_begin(&db->guard);
}

int database_step(struct database *db, sqlite3_stmt *statement, struct rh_error *err)
{
    int status = sqlite3_step(statement);
    if (status == SQLITE_ROW || status == SQLITE_DONE)
        return status == SQLITE_ROW;
    return set_error(db, status, err);
}
