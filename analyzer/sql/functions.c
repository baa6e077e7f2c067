/* Functions for queries. */
#include <inttypes.h>

#include "../render/text.h"
#include "tables.h"

/* hex_address(x): how addresses are written everywhere else. */
static void hex_address(sqlite3_context *to, int argc, sqlite3_value **argv)
{
    char text[24];
    (void)argc;
    if (sqlite3_value_type(argv[0]) == SQLITE_NULL)
        return;
    snprintf(text, sizeof text, "0x%" PRIx64, (uint64_t)sqlite3_value_int64(argv[0]));
    give_name(to, text);
}

/* human_size(x): 1536 -> 1.50 KiB. */
static void human_size(sqlite3_context *to, int argc, sqlite3_value **argv)
{
    char text[TEXT_NUMBER_SIZE];
    (void)argc;
    if (sqlite3_value_type(argv[0]) == SQLITE_NULL)
        return;
    int64_t bytes = sqlite3_value_int64(argv[0]);
    text_size(bytes < 0 ? 0 : (uint64_t)bytes, text);
    give_name(to, text);
}

/* rows_visited(): what queries have cost so far, whatever the machine. */
static void rows_visited(sqlite3_context *to, int argc, sqlite3_value **argv)
{
    const struct database *db = sqlite3_user_data(to);
    (void)argc;
    (void)argv;
    give_unsigned(to, db->rows_visited);
}

/* computed(): the analyses that had to be made so far. */
static void computed(sqlite3_context *to, int argc, sqlite3_value **argv)
{
    char text[256];
    (void)argc;
    (void)argv;
    database_computed(sqlite3_user_data(to), text, sizeof text);
    give_name(to, text);
}

int functions_create(struct database *db)
{
    static const struct {
        const char *name;
        int arguments, flags;
        void (*call)(sqlite3_context *, int, sqlite3_value **);
    } functions[] = {
        {"hex_address", 1, SQLITE_DETERMINISTIC, hex_address},
        {"human_size", 1, SQLITE_DETERMINISTIC, human_size},
        {"rows_visited", 0, 0, rows_visited},
        {"computed", 0, 0, computed},
    };
    int status = SQLITE_OK;
    for (size_t i = 0; i < sizeof functions / sizeof *functions && !status; i++)
        status = sqlite3_create_function_v2(db->sqlite, functions[i].name, functions[i].arguments,
                                            SQLITE_UTF8 | SQLITE_INNOCUOUS | functions[i].flags, db, functions[i].call,
                                            NULL, NULL, NULL);
    return status;
}
