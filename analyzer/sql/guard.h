/* What keeps a query from doing harm: it can read the tables and nothing else, in bounded memory and time.
 *
 * A query may come from a stranger's script. An authorizer refuses every statement but SELECT (no file is opened, no
 * setting changed, no extension loaded), SQLite's defensive switches are on, its limits are low, what does not fit in
 * memory fails rather than going to a temporary file, and a handler called every few thousand steps ends what takes too
 * long. One call of a function is not interrupted; with strings of at most GUARD_LENGTH_MAX few take longer than a
 * moment, and the program has a watchdog for those.
 */
#ifndef SQL_GUARD_H
#define SQL_GUARD_H

#include <signal.h>
#include <stdint.h>

#include <sqlite3.h>

enum {
    GUARD_LENGTH_MAX = 16 << 20,   /* bytes of one string */
    GUARD_STATEMENT_MAX = 1 << 20, /* bytes of one statement */
    GUARD_COLUMNS_MAX = 64,        /* of a result; as many as a table can show */
};

struct guard {
    const volatile sig_atomic_t *interrupted;
    double timeout;   /* seconds; 0: none */
    int64_t deadline; /* ns on the monotonic clock; 0: none */
    int timed_out;
    char refused[64]; /* what the authorizer refused last, "" when nothing */
};

/* Puts the guard in place; from then on the connection can only read. It must live as long as the connection. Returns
 * an SQLite code. */
int guard_install(struct guard *guard, sqlite3 *sqlite);

/* Begins the time of a statement. */
void guard_begin(struct guard *guard);

#endif
