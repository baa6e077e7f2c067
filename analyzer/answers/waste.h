/* Memory that is there twice or not used: equal strings, containers that are empty or have much more room than items.
 */
#ifndef ANALYZER_WASTE_H
#define ANALYZER_WASTE_H

#include "../session/names.h"

/* Of a container with room for so many, at most one part in SPARSE_PART is in use. */
enum { SPARSE_PART = 4 };

struct class_waste {
    uint64_t count;                       /* objects of the class */
    uint64_t duplicates, duplicate_bytes; /* those beyond the first of each value, and their sizes */
    uint64_t empty, empty_bytes;          /* containers with room and nothing in it; their whole sizes */
    uint64_t sparse, sparse_bytes;        /* other containers with little in them; the size of the room left */
};

static inline uint64_t class_wasted(const struct class_waste *c)
{
    return c->duplicate_bytes + c->empty_bytes + c->sparse_bytes;
}

/* Objects of one class with one value. */
struct duplicate {
    ordinal first;
    uint64_t count, wasted; /* bytes of all but the first */
};

struct waste {
    struct class_waste *classes;  /* by class */
    struct duplicate *duplicates; /* by bytes wasted, largest first */
    size_t duplicate_count;
    int has_values, has_capacities; /* whether the snapshot says anything of either */
};

/* Values are equal when their content hashes are, or, where an object has none, when both were kept whole and are the
 * same bytes. Only objects marked in `chosen` (a byte an object) count. Needs session_values(). Returns 0 or -1 without
 * memory. */
int waste_find(const struct session *s, const uint8_t *chosen, struct waste *result);
void waste_release(struct waste *waste);

#endif
