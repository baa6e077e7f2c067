/* Memory of the dump's own: arrays and tables in mappings, since the interpreter's allocators, and malloc, are part of
 * what is being looked at. Whatever runs out of memory says so and keeps what it had.
 */
#ifndef CPYTHON_MAPPING_H
#define CPYTHON_MAPPING_H

#include <stddef.h>
#include <stdint.h>

/* Bytes that grow and may move. Zeroed is empty. */
struct mapping {
    void *bytes;
    size_t size;
};

/* Makes it at least `size` bytes, new ones zero. Returns 0 or RH_ERR_NO_MEMORY. */
int mapping_grow(struct mapping *m, size_t size);
void mapping_release(struct mapping *m);

/* From an address, or any number but 0, to a number. Zeroed is empty. */
struct id_map {
    struct mapping slots;
    size_t capacity, used;
};

/* Where the number of `key` is, made 0 when it was not there (*added is set). Valid until the next call; NULL without
 * memory. */
uint64_t *id_map_at(struct id_map *map, uint64_t key, int *added);
/* The number of `key`, or 0. */
uint64_t id_map_get(const struct id_map *map, uint64_t key);
int id_map_has(const struct id_map *map, uint64_t key);
void id_map_release(struct id_map *map);

/* The objects met, and how many references to each: a word an object, since there are millions. Zeroed is empty. */
struct census {
    struct mapping slots; /* address / 8 in the upper 44 bits, references below */
    size_t capacity, used;
};
enum { CENSUS_COUNT_BITS = 20, CENSUS_MANY = (1 << CENSUS_COUNT_BITS) - 1 /* so many, or more */ };

/* Makes room for `objects` at least. Returns 0 or RH_ERR_NO_MEMORY. */
int census_expect(struct census *c, size_t objects);
/* Adds `references` to an object: 1 when it is new, 0 when it was known, or RH_ERR_NO_MEMORY. */
int census_add(struct census *c, uint64_t object, unsigned references);
/* Whether an object is known. */
int census_has(const struct census *c, uint64_t object);
/* The references to an object, and one more; 0 when it is not known. */
uint64_t census_get(const struct census *c, uint64_t object);
/* Fetches what census_add() will look at. */
void census_prefetch(const struct census *c, uint64_t object);
void census_release(struct census *c);

static inline uint64_t census_object(uint64_t slot)
{
    return slot >> CENSUS_COUNT_BITS << 3;
}

#endif
