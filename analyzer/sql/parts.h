/* The database's inside, and what is computed for it when it is first needed. */
#ifndef SQL_PARTS_H
#define SQL_PARTS_H

#include "../answers/generations.h"
#include "../graph/sums.h"
#include "database.h"
#include "guard.h"

/* Each needs those it is made of, which database_need() sees to. */
enum part {
    PART_GRAPH = 1 << 0,
    PART_REFERRERS = 1 << 1,
    PART_VALUES = 1 << 2,
    PART_GARBAGE = 1 << 3,
    PART_CYCLES = 1 << 4,
    PART_DOMINATORS = 1 << 5,
    PART_OWNED = 1 << 6,
    PART_SERIALS = 1 << 7,
    PART_BACK_EDGES = 1 << 8,
    PART_CLASS_SUMS = 1 << 9,
    PART_GENERATIONS = 1 << 10,
    PART_ROOTS = 1 << 11,
    PARTS = 12,
};

/* A root as the table has it. */
struct root_row {
    const struct root_record *record;
    ordinal target; /* ORDINAL_NONE when it holds no object of the snapshot */
    uint64_t number;
};

struct database {
    sqlite3 *sqlite;
    struct session *s;
    int generation; /* of the collection that garbage is told by */
    struct guard guard;
    unsigned ready;             /* enum part of what is there */
    struct rh_error part_error; /* why the part asked for last could not be made; code 0: it could */
    uint64_t rows_visited;      /* rows that tables have handed out */

    uint64_t *owned;         /* by ordinal */
    uint64_t *serials;       /* by ordinal; 0: none */
    uint64_t *back_edges;    /* by place in graph->back->source: the number of the edge */
    struct class_sums *sums; /* by class */
    struct generation_row *generations;
    struct root_row *roots;    /* in file order */
    uint64_t *roots_by_target; /* numbers of roots by target, then number */
    uint64_t root_count;
};

/* Makes sure the parts are there. Returns 0, or a negative code with the reason in db->part_error. */
int database_need(struct database *db, unsigned parts);

/* "graph, cycles": what was computed so far. */
void database_computed(const struct database *db, char *to, size_t size);

void database_release_parts(struct database *db);

#endif
