#include <stdlib.h>
#include <sys/mman.h>

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

/* Objects begin at multiples of 16, in memory of the interpreter's, or of 8, in static data: each half of a page has a
 * window of its own. Windows are cut from chunks as large as a huge page, so that a look waits for memory once. */
enum { WINDOWS_A_CHUNK = 1024, CHUNK_SIZE = WINDOWS_A_CHUNK * WINDOW * sizeof(struct known_object) };

static uint64_t window_key(uint64_t address)
{
    return UINT64_C(1) << 63 | address >> 12 << 1 | (address >> 3 & 1); /* never 0 */
}

static uint64_t object_address(uint64_t key, size_t slot)
{
    return key >> 1 << 12 | slot << 4 | (key & 1) << 3;
}

static struct known_object *window_at(const struct object_table *table, uint32_t number)
{
    return table->chunks[number / WINDOWS_A_CHUNK] + (size_t)(number % WINDOWS_A_CHUNK) * WINDOW;
}

struct known_object *object_place(const struct object_table *table, uint64_t address)
{
    uint32_t window = address % 8 ? 0 : number_map_get(&table->windows, window_key(address));
    return window ? window_at(table, window - 1) + (address >> 4) % WINDOW : NULL;
}

struct known_object *object_find(const struct object_table *table, uint64_t address)
{
    struct known_object *place = object_place(table, address);
    return place && place->state & KNOWN_OBJECT ? place : NULL;
}

static int add_chunk(struct object_table *table)
{
    struct known_object **more = realloc(table->chunks, (table->chunk_count + 1) * sizeof *more);
    if (!more)
        return -1;
    table->chunks = more;
    void *chunk = mmap(NULL, CHUNK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (chunk == MAP_FAILED)
        return -1;
    madvise(chunk, CHUNK_SIZE, MADV_HUGEPAGE);
    table->chunks[table->chunk_count++] = chunk;
    return 0;
}

static int add_window(struct object_table *table, uint64_t key)
{
    uint32_t number = (uint32_t)table->windows.used;
    if (number == UINT32_MAX || (number / WINDOWS_A_CHUNK == table->chunk_count && add_chunk(table)))
        return -1;
    return number_map_add(&table->windows, key, number + 1);
}

struct known_object *object_add(struct object_table *table, uint64_t address)
{
    struct known_object *place = object_place(table, address);
    if (!place) {
        if (add_window(table, window_key(address)))
            return NULL;
        place = object_place(table, address);
    }
    place->state = KNOWN_OBJECT;
    table->used++;
    return place;
}

struct known_object *object_next(const struct object_table *table, struct object_cursor *at)
{
    const struct number_map *map = &table->windows;
    for (; at->window < map->capacity; at->window++, at->slot = 0) {
        if (!map->keys[at->window])
            continue;
        struct known_object *window = window_at(table, map->values[at->window] - 1);
        while (at->slot < WINDOW) {
            struct known_object *o = &window[at->slot++];
            if (o->state & KNOWN_OBJECT) {
                at->address = object_address(map->keys[at->window], at->slot - 1);
                return o;
            }
        }
    }
    return NULL;
}

void object_table_release(struct object_table *table)
{
    for (size_t i = 0; i < table->chunk_count; i++)
        munmap(table->chunks[i], CHUNK_SIZE);
    free(table->chunks);
    number_map_release(&table->windows);
    *table = (struct object_table){0};
}

/* ---- types ---- */

void type_table_release(struct type_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free(table->items[i]);
    free(table->items);
    number_map_release(&table->numbers);
}
