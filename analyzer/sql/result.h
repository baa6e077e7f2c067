/* Showing what a statement answers: an aligned table, JSON or CSV. */
#ifndef SQL_RESULT_H
#define SQL_RESULT_H

#include "../render/output.h"
#include "database.h"

/* Writes the rows of a statement that has been stepped once; `first` is what database_step() returned, 0 or 1. At most
 * `limit` rows (0: all); a cut is said, with how many rows more there are unless they are too many to wait for. As
 * JSON it writes `columns`, `rows` and perhaps `rows_omitted` (null: many) into the open object. Text is aligned in
 * pages, so that memory stays bounded however long the answer. Returns 0 or an error. */
int result_show(struct database *db, sqlite3_stmt *statement, int first, struct output *out, uint64_t limit,
                struct rh_error *err);

#endif
