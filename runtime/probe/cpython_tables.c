#include <stdlib.h>

#include "../../dumpfmt/hash.h"
#include "cpython.h"

/* ---- numbers by address ---- */

static size_t number_slot(const struct number_map *map, uint64_t key)
{
    size_t mask = map->capacity - 1, i = (size_t)hash_word(hash_key(), key) & mask;
    while (map->keys[i] && map->keys[i] != key)
        i = (i + 1) & mask;
    return i;
}

uint32_t number_map_get(const struct number_map *map, uint64_t key)
{
    return map->capacity && key ? map->values[number_slot(map, key)] : 0;
}

int number_map_add(struct number_map *map, uint64_t key, uint32_t value)
{
    if (2 * map->used >= map->capacity) {
        struct number_map larger = {.capacity = map->capacity ? 2 * map->capacity : 1024, .used = map->used};
        larger.keys = calloc(larger.capacity, sizeof *larger.keys);
        larger.values = calloc(larger.capacity, sizeof *larger.values);
        if (!larger.keys || !larger.values) {
            number_map_release(&larger);
            return RH_ERR_NO_MEMORY;
        }
        for (size_t i = 0; i < map->capacity; i++)
            if (map->keys[i]) {
                size_t slot = number_slot(&larger, map->keys[i]);
                larger.keys[slot] = map->keys[i];
                larger.values[slot] = map->values[i];
            }
        number_map_release(map);
        *map = larger;
    }
    size_t slot = number_slot(map, key);
    map->used += !map->keys[slot];
    map->keys[slot] = key;
    map->values[slot] = value;
    return 0;
}

void number_map_release(struct number_map *map)
{
    free(map->keys);
    free(map->values);
    *map = (struct number_map){0};
}

/* ---- objects ---- */

/* Objects of a page stand together, in their order: most references lead to near by, and so do their places here. */
static size_t object_slot(const struct object_table *table, uint64_t address)
{
    size_t mask = table->capacity - 1;
    size_t i = ((size_t)hash_word(hash_key(), address >> 12) << 7 | (address >> 5 & 127)) & mask;
    while (table->slots[i].address && table->slots[i].address != address)
        i = (i + 1) & mask;
    return i;
}

struct known_object *object_find(const struct object_table *table, uint64_t address)
{
    if (!table->capacity)
        return NULL;
    struct known_object *slot = &table->slots[object_slot(table, address)];
    return slot->address ? slot : NULL;
}

struct known_object *object_add(struct object_table *table, uint64_t address)
{
    if (2 * table->used >= table->capacity) {
        struct object_table larger = {.capacity = table->capacity ? 2 * table->capacity : 1 << 16, .used = table->used};
        larger.slots = calloc(larger.capacity, sizeof *larger.slots);
        if (!larger.slots)
            return NULL;
        for (size_t i = 0; i < table->capacity; i++)
            if (table->slots[i].address)
                larger.slots[object_slot(&larger, table->slots[i].address)] = table->slots[i];
        free(table->slots);
        *table = larger;
    }
    struct known_object *slot = &table->slots[object_slot(table, address)];
    *slot = (struct known_object){.address = address};
    table->used++;
    return slot;
}

void type_table_release(struct type_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free(table->items[i]);
    free(table->items);
    number_map_release(&table->numbers);
}
