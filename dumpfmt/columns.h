/* The column directory of objects and edges blocks, FORMAT.md 3.6 and 3.7. */
#ifndef DUMPFMT_COLUMNS_H
#define DUMPFMT_COLUMNS_H

#include "snapshot.h"

/* Checks a directory of `columns` entries behind a head of `head` bytes against the length formula. Ids below `limit`
 * are known; `required` must be there with width 8. Returns what is wrong, with its place in the payload in *at, or
 * NULL. */
const char *columns_judge(const struct block_view *block, size_t head, unsigned columns, unsigned limit,
                          unsigned required, uint64_t *at);

/* Stores the columns of a block that was judged in column[id], for ids below `limit`; others are left out. */
void columns_read(const struct block_view *block, size_t head, unsigned columns, struct column_view *column,
                  unsigned limit);

#endif
