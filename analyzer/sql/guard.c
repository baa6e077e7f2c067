#include "guard.h"

#include <stdio.h>
#include <time.h>

enum { STEPS_BETWEEN_LOOKS = 2000 };

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- rights ---- */

static int is_among(const char *name, const char *const *names)
{
    for (; name && *names; names++)
        if (!sqlite3_stricmp(name, *names))
            return 1;
    return 0;
}

/* Pragmas that tell what there is; all others could change something. */
static const char *const harmless_pragmas[] = {"table_info",    "table_xinfo",    "table_list",
                                               "function_list", "collation_list", NULL};
static const char *const refused_functions[] = {"load_extension", "fts3_tokenizer", "sqlite_log", NULL};

static const char *action_name(int action)
{
    switch (action) {
    case SQLITE_ATTACH:
        return "ATTACH";
    case SQLITE_DETACH:
        return "DETACH";
    case SQLITE_PRAGMA:
        return "PRAGMA";
    case SQLITE_INSERT:
        return "INSERT";
    case SQLITE_UPDATE:
        return "UPDATE";
    case SQLITE_DELETE:
        return "DELETE";
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
        return "a transaction";
    case SQLITE_FUNCTION:
        return "the function";
    default:
        return "a statement that is no SELECT";
    }
}

static int authorize(void *context, int action, const char *first, const char *second, const char *database,
                     const char *trigger)
{
    struct guard *g = context;
    (void)database;
    (void)trigger;
    /* What SQLite calls the declaration of a table-valued function (json_each, pragma_table_info): seen in 3.40. The
     * schema itself is out of reach: nothing can be created, and its table cannot be written. */
    int declares = action == SQLITE_UPDATE && first && !sqlite3_stricmp(first, "sqlite_master");
    if (declares || action == SQLITE_SELECT || action == SQLITE_READ || action == SQLITE_RECURSIVE ||
        (action == SQLITE_PRAGMA && is_among(first, harmless_pragmas)) ||
        (action == SQLITE_FUNCTION && !is_among(second, refused_functions)))
        return SQLITE_OK;
    const char *name = action == SQLITE_PRAGMA ? first : action == SQLITE_FUNCTION ? second : NULL;
    snprintf(g->refused, sizeof g->refused, "%s%s%.30s", action_name(action), name ? " " : "", name ? name : "");
    return SQLITE_DENY;
}

/* ---- time ---- */

static int look(void *context)
{
    struct guard *g = context;
    if (g->interrupted && *g->interrupted)
        return 1;
    g->timed_out |= g->deadline && now() > g->deadline;
    return g->timed_out;
}

void guard_begin(struct guard *g)
{
    g->timed_out = 0;
    g->refused[0] = 0;
    g->deadline = g->timeout > 0 ? now() + (int64_t)(g->timeout * 1e9) : 0;
}

/* ---- the whole ---- */

static void set_limits(sqlite3 *sqlite)
{
    static const struct {
        int limit, value;
    } limits[] = {
        {SQLITE_LIMIT_LENGTH, GUARD_LENGTH_MAX},  {SQLITE_LIMIT_SQL_LENGTH, GUARD_STATEMENT_MAX},
        {SQLITE_LIMIT_COLUMN, GUARD_COLUMNS_MAX}, {SQLITE_LIMIT_EXPR_DEPTH, 400},
        {SQLITE_LIMIT_COMPOUND_SELECT, 100},      {SQLITE_LIMIT_VDBE_OP, 1000000},
        {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000}, {SQLITE_LIMIT_ATTACHED, 0},
        {SQLITE_LIMIT_TRIGGER_DEPTH, 1},          {SQLITE_LIMIT_WORKER_THREADS, 0},
    };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        sqlite3_limit(sqlite, limits[i].limit, limits[i].value);
}

static void set_switches(sqlite3 *sqlite)
{
    static const struct {
        int option, value;
    } switches[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
        {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
        {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
        {SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0},
    };
    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++)
        sqlite3_db_config(sqlite, switches[i].option, switches[i].value, NULL);
}

int guard_install(struct guard *g, sqlite3 *sqlite)
{
    /* Sorting and intermediate tables stay in memory, where they are bounded. */
    int status = sqlite3_exec(sqlite, "PRAGMA temp_store=MEMORY; PRAGMA query_only=1", NULL, NULL, NULL);
    if (status)
        return status;
    set_switches(sqlite);
    set_limits(sqlite);
    sqlite3_progress_handler(sqlite, STEPS_BETWEEN_LOOKS, look, g);
    return sqlite3_set_authorizer(sqlite, authorize, g);
}
