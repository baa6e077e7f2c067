/* Objects that a condition in SQL holds for. */
#ifndef ANALYZER_SELECT_SQL_H
#define ANALYZER_SELECT_SQL_H

#include "command.h"

/* Sets the bit of each row of the table objects that `condition` is true of (all of SQLite's expressions, subqueries
 * too; read-only and bounded as the command sql is). `chosen` has a bit for each object. Returns 0, or STATUS_ERROR
 * after saying why. */
int select_sql(struct invocation *inv, const char *condition, uint64_t *chosen);

#endif
