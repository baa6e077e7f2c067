/* The hash table of dicts and instances: entries in order of insertion, and an index into them.
 *
 * A reader from outside sees only `entries` and `count`, and sees them right at every instant: a new array is in place
 * before its count changes, and an array never shrinks.
 */
#ifndef LIBREFHEAP_TABLE_H
#define LIBREFHEAP_TABLE_H

#include "internal.h"

struct entry {
    uint64_t hash;
    struct rh_object *key;   /* NULL: removed */
    struct rh_object *value; /* NULL in a set */
};

struct table {
    struct entry *entries;
    size_t count;    /* entries ever filled, removed ones too */
    size_t capacity; /* of entries */
    size_t used;     /* entries that are there */
    void *index;     /* twice as many slots as entries, each 4 or 8 bytes: entry number + 1, or 0 */
    size_t index_bytes;
};

/* Field table entries for a struct with a member `table`: TABLE_DICT, TABLE_SET or TABLE_ATTRIBUTES. */
#define TABLE_DICT (RH_FIELD_KEYS | RH_FIELD_VALUES)
#define TABLE_SET RH_FIELD_KEYS
#define TABLE_ATTRIBUTES (TABLE_DICT | RH_FIELD_ATTRIBUTES)
#define TABLE_FIELDS(type, flags)                                                    \
    {"entries",                                                                      \
     RH_FIELD_TABLE,                                                                 \
     flags,                                                                          \
     sizeof(size_t),                                                                 \
     0,                                                                              \
     RH_OFFSET(type, table.entries),                                                 \
     RH_OFFSET(type, table.count),                                                   \
     RH_OFFSET(type, table.capacity),                                                \
     sizeof(struct entry),                                                           \
     RH_OFFSET(struct entry, key),                                                   \
     RH_OFFSET(struct entry, value),                                                 \
     0,                                                                              \
     0},                                                                             \
    {                                                                                \
        "index", RH_FIELD_BYTES, 0, sizeof(size_t), 0, RH_OFFSET(type, table.index), \
            RH_OFFSET(type, table.index_bytes), 0, 1, 0, 0, 0, 0                     \
    }

struct entry *table_find(const struct table *table, const struct rh_object *key, uint64_t hash);

/* The entry whose key is a str or name with this text. */
struct entry *table_find_text(const struct table *table, const char *text, size_t length);

/* Stores value (NULL in a set) under key, counting both. Returns 0 or RH_ERR_NO_MEMORY. */
int table_set(struct rh_heap *heap, struct table *table, struct rh_object *key, struct rh_object *value);

/* Takes an entry out. Returns 0 or RH_ERR_NOT_FOUND. */
int table_remove(struct rh_heap *heap, struct table *table, const struct rh_object *key);

/* The first entry from *position on, which moves behind it; NULL at the end. */
struct entry *table_next(const struct table *table, size_t *position);

/* Empties the table. */
void table_clear(struct rh_heap *heap, struct table *table);

#endif
