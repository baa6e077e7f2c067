/* A snapshot as a database: SQLite over virtual tables.
 *
 * SQLite was chosen because it is the query language people and scripts know already, it is in one small library that
 * every Debian has, its planner takes advice from virtual tables (so that a lookup stays a lookup), and it can be
 * bounded in memory, time and rights.
 *
 * Rows are read from the session's arrays when a query asks for them; nothing is copied into SQLite. What costs a pass
 * over the heap (parts.h) is computed when a query first reads a column that needs it. The database can only be read:
 * guard.h says how that is made sure. This folder neither prints nor knows the command line; result.h writes rows where
 * it is told.
 */
#ifndef SQL_DATABASE_H
#define SQL_DATABASE_H

#include <signal.h>
#include <stdio.h>

#include <sqlite3.h>

#include "../session/session.h"

struct database;

enum { DATABASE_MEMORY_MIB = 2048 }; /* unless told */

struct database_options {
    int generation;                           /* garbage is what a collection of it would find now: 0, 1, 2 */
    double timeout;                           /* seconds a statement may take; 0: as long as it wants */
    uint64_t memory;                          /* bytes SQLite may use */
    const volatile sig_atomic_t *interrupted; /* ends the running statement when it becomes true; may be NULL */
};

/* The session must outlive the database and may be used meanwhile. Returns 0 or an error. */
int database_open(struct session *s, const struct database_options *options, struct database **out,
                  struct rh_error *err);
void database_close(struct database *db);

/* Compiles the first statement of `sql`; *rest is where the next one begins. *out is NULL when nothing but space and
 * comments was left. The statement is the caller's to finalize. */
int database_prepare(struct database *db, const char *sql, const char **rest, sqlite3_stmt **out, struct rh_error *err);

/* Begins the time of a statement, which its first step belongs to. */
void database_begin(struct database *db);

/* The next row: 1, 0 at the end, or an error. */
int database_step(struct database *db, sqlite3_stmt *statement, struct rh_error *err);

/* The tables as SQL with a comment for each column; `name` is one of them, or NULL for all. Returns how many. */
int database_schema(FILE *to, const char *name);

/* Their names, a line each. */
void database_tables(FILE *to);

#endif
