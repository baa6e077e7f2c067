#include "mapping.h"

#include <refheap/error.h>

#include "../../../dumpfmt/rawsys.h"

enum { PAGE = 4096, LARGE = 8 << 20, MAP_MAY_MOVE = 1 /* MREMAP_MAYMOVE */, ADVISE_HUGE = 14, FIRST_CAPACITY = 4096 };

int mapping_grow(struct mapping *m, size_t size)
{
    if (size <= m->size)
        return 0;
    size_t want = m->size + m->size / 2;
    if (want < size)
        want = size;
    want = (want + PAGE - 1) & ~(size_t)(PAGE - 1);
    if (!m->bytes) {
        void *fresh = raw_map(want);
        if (!fresh)
            return RH_ERR_NO_MEMORY;
        m->bytes = fresh;
    } else {
        long p = raw_syscall(SYS_mremap, (long)m->bytes, (long)m->size, (long)want, MAP_MAY_MOVE, 0, 0);
        if (p < 0 && p > -4096)
            return RH_ERR_NO_MEMORY;
        m->bytes = (void *)p;
    }
    m->size = want;
    if (want >= LARGE) /* large tables are read here and there: with large pages their places are found faster */
        raw_syscall(SYS_madvise, (long)m->bytes, (long)want, ADVISE_HUGE, 0, 0, 0);
    return 0;
}

void mapping_release(struct mapping *m)
{
    if (m->bytes)
        raw_unmap(m->bytes, m->size);
    *m = (struct mapping){NULL, 0};
}

/* Addresses are the process's own, not input: nobody gains by making them collide. */
static size_t place_of(uint64_t key, size_t capacity)
{
    return (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (capacity - 1);
}

/* ---- ids ---- */

struct id_slot {
    uint64_t key, value;
};

static struct id_slot *id_slot_of(const struct mapping *slots, size_t capacity, uint64_t key)
{
    struct id_slot *all = slots->bytes;
    size_t i = place_of(key, capacity);
    while (all[i].key && all[i].key != key)
        i = (i + 1) & (capacity - 1);
    return &all[i];
}

static int id_map_enlarge(struct id_map *map)
{
    struct mapping larger = {NULL, 0};
    size_t capacity = map->capacity ? 2 * map->capacity : FIRST_CAPACITY;
    if (mapping_grow(&larger, capacity * sizeof(struct id_slot)))
        return RH_ERR_NO_MEMORY;
    const struct id_slot *old = map->slots.bytes;
    for (size_t i = 0; i < map->capacity; i++)
        if (old[i].key)
            *id_slot_of(&larger, capacity, old[i].key) = old[i];
    mapping_release(&map->slots);
    map->slots = larger;
    map->capacity = capacity;
    return 0;
}

uint64_t *id_map_at(struct id_map *map, uint64_t key, int *added)
{
    if (2 * map->used >= map->capacity && id_map_enlarge(map))
        return NULL;
    struct id_slot *slot = id_slot_of(&map->slots, map->capacity, key);
    *added = !slot->key;
    if (!slot->key) {
        slot->key = key;
        map->used++;
    }
    return &slot->value;
}

uint64_t id_map_get(const struct id_map *map, uint64_t key)
{
    return map->capacity ? id_slot_of(&map->slots, map->capacity, key)->value : 0;
}

int id_map_has(const struct id_map *map, uint64_t key)
{
    return map->capacity && id_slot_of(&map->slots, map->capacity, key)->key;
}

void id_map_release(struct id_map *map)
{
    mapping_release(&map->slots);
    *map = (struct id_map){.capacity = 0};
}

/* ---- census ---- */

/* Where two pages share their places, the objects of one move on together, and not into each other's way. Odd: so every place is
 * come to. */
enum { CENSUS_STEP = 257 };

/* Objects of one page of memory lie within a few cache lines, in the order of their addresses: what is met together mostly
 * was made together. */
static size_t census_place(uint64_t key, size_t capacity)
{
    return (place_of(key >> 9, capacity) + (key >> 1 & 255)) & (capacity - 1);
}

static uint64_t *census_slot(const struct mapping *slots, size_t capacity, uint64_t key)
{
    uint64_t *all = slots->bytes;
    size_t i = census_place(key, capacity);
    while (all[i] && all[i] >> CENSUS_COUNT_BITS != key)
        i = (i + CENSUS_STEP) & (capacity - 1);
    return &all[i];
}

int census_expect(struct census *c, size_t objects)
{
    size_t capacity = FIRST_CAPACITY;
    while (capacity / 3 * 2 < objects)
        capacity *= 2;
    if (capacity <= c->capacity)
        return 0;
    struct mapping larger = {NULL, 0};
    if (mapping_grow(&larger, capacity * sizeof(uint64_t)))
        return RH_ERR_NO_MEMORY;
    const uint64_t *old = c->slots.bytes;
    for (size_t i = 0; i < c->capacity; i++)
        if (old[i])
            *census_slot(&larger, capacity, old[i] >> CENSUS_COUNT_BITS) = old[i];
    mapping_release(&c->slots);
    c->slots = larger;
    c->capacity = capacity;
    return 0;
}

int census_add(struct census *c, uint64_t object, unsigned references)
{
    if (c->used >= c->capacity / 3 * 2 && census_expect(c, c->capacity / 3 * 2 + 1))
        return RH_ERR_NO_MEMORY;
    uint64_t key = object >> 3, *slot = census_slot(&c->slots, c->capacity, key);
    int fresh = !*slot;
    if (fresh) {
        *slot = key << CENSUS_COUNT_BITS;
        c->used++;
    }
    uint64_t count = (*slot & CENSUS_MANY) + references;
    *slot = (*slot & ~(uint64_t)CENSUS_MANY) | (count < CENSUS_MANY ? count : CENSUS_MANY);
    return fresh;
}

int census_has(const struct census *c, uint64_t object)
{
    return c->capacity && *census_slot(&c->slots, c->capacity, object >> 3) != 0;
}

uint64_t census_get(const struct census *c, uint64_t object)
{
    uint64_t slot = c->capacity ? *census_slot(&c->slots, c->capacity, object >> 3) : 0;
    return slot ? (slot & CENSUS_MANY) + 1 : 0;
}

void census_prefetch(const struct census *c, uint64_t object)
{
    if (c->capacity)
        __builtin_prefetch((const uint64_t *)c->slots.bytes + census_place(object >> 3, c->capacity), 1);
}

void census_release(struct census *c)
{
    mapping_release(&c->slots);
    *c = (struct census){.capacity = 0};
}
