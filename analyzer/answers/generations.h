/* What each generation of each heap holds, and what a collection of it would do now. */
#ifndef ANALYZER_GENERATIONS_H
#define ANALYZER_GENERATIONS_H

#include "../render/output.h"
#include "../session/session.h"

enum { GENERATIONS = 5 }; /* 0, 1, 2, permanent, untracked */

/* A generation of a heap. Below `bytes`, what a collection would find: of 0, 1 and 2 alone. */
struct generation_row {
    uint64_t objects, bytes;
    uint64_t garbage_objects, garbage_bytes, dependent_objects, uncollectable_objects, survivors;
    const struct generation_record *record; /* NULL when the runtime said nothing of it */
};

/* Rows heap by heap, GENERATIONS each, one heap for each in the snapshot; the caller frees them. NULL after an error.
 */
struct generation_row *generations_count(struct session *s, struct rh_error *err);

/* A row of them as a table. */
enum { GENERATIONS_COLUMNS = 12 };
extern const struct column generations_columns[GENERATIONS_COLUMNS];
void generations_cells(uint32_t heap, uint32_t generation, const struct generation_row *r,
                       struct cell cells[GENERATIONS_COLUMNS]);

#endif
