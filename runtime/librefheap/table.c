#include "table.h"

#include <string.h>

#include "scalars.h"

static unsigned index_width(size_t capacity)
{
    return capacity < UINT32_MAX ? 4 : 8;
}

static size_t index_get(const struct table *table, size_t slot)
{
    return index_width(table->capacity) == 4 ? ((const uint32_t *)table->index)[slot]
                                             : ((const uint64_t *)table->index)[slot];
}

static void index_put(struct table *table, size_t slot, size_t value)
{
    if (index_width(table->capacity) == 4)
        ((uint32_t *)table->index)[slot] = (uint32_t)value;
    else
        ((uint64_t *)table->index)[slot] = value;
}

static size_t index_mask(const struct table *table)
{
    return 2 * table->capacity - 1;
}

struct entry *table_find(const struct table *table, const struct rh_object *key, uint64_t hash)
{
    if (!table->entries)
        return NULL;
    size_t mask = index_mask(table);
    for (size_t slot = hash & mask, n; (n = index_get(table, slot)); slot = (slot + 1) & mask) {
        struct entry *entry = &table->entries[n - 1];
        if (entry->key && entry->hash == hash && key_equal(entry->key, key))
            return entry;
    }
    return NULL;
}

struct entry *table_find_text(const struct table *table, const char *text, size_t length)
{
    if (!table->entries)
        return NULL;
    uint64_t hash = text_hash(text, length);
    size_t mask = index_mask(table);
    for (size_t slot = hash & mask, n; (n = index_get(table, slot)); slot = (slot + 1) & mask) {
        struct entry *entry = &table->entries[n - 1];
        if (entry->key && entry->hash == hash && is_text(entry->key) && rh_str_length(entry->key) == length &&
            !memcmp(rh_str_text(entry->key), text, length))
            return entry;
    }
    return NULL;
}

static void index_entry(struct table *table, size_t n)
{
    size_t mask = index_mask(table), slot = table->entries[n].hash & mask;
    while (index_get(table, slot))
        slot = (slot + 1) & mask;
    index_put(table, slot, n + 1);
}

/* Makes room for one more entry: squeezes out removed ones, and doubles when most are in use. */
static int table_grow(struct rh_heap *heap, struct table *table)
{
    size_t capacity = table->capacity ? table->capacity : 4; /* a power of two */
    if (table->used >= capacity / 2 && table->capacity)
        capacity *= 2;
    size_t index_bytes = 2 * capacity * index_width(capacity);
    struct entry *entries = heap_allocate(heap, capacity * sizeof *entries), *old = table->entries;
    void *index = heap_allocate(heap, index_bytes), *old_index = table->index;
    if (!entries || !index) {
        heap_free(heap, entries);
        heap_free(heap, index);
        return RH_ERR_NO_MEMORY;
    }
    memset(entries, 0, capacity * sizeof *entries);
    memset(index, 0, index_bytes);
    size_t n = 0;
    for (size_t i = 0; old && i < table->count; i++)
        if (old[i].key)
            entries[n++] = old[i];

    table->entries = entries; /* has room for the old count: see table.h */
    store_barrier();
    table->count = n;
    table->capacity = capacity;
    table->index = index;
    table->index_bytes = index_bytes;
    for (size_t i = 0; i < n; i++)
        index_entry(table, i);
    heap_free(heap, old);
    heap_free(heap, old_index);
    return 0;
}

int table_set(struct rh_heap *heap, struct table *table, struct rh_object *key, struct rh_object *value)
{
    uint64_t hash = key_hash(key);
    struct entry *entry = table_find(table, key, hash);
    if (entry) {
        rh_assign(&entry->value, value);
        return 0;
    }
    heap_enter(heap);
    int status = table->count == table->capacity ? table_grow(heap, table) : 0;
    if (!status) {
        rh_incref(key);
        rh_xincref(value);
        table->entries[table->count] = (struct entry){hash, key, value};
        index_entry(table, table->count);
        store_barrier();
        table->count++;
        table->used++;
    }
    heap_leave(heap);
    if (status)
        trigger_no_memory(heap);
    return status;
}

int table_remove(struct rh_heap *heap, struct table *table, const struct rh_object *key)
{
    (void)heap;
    struct entry *entry = table_find(table, key, key_hash(key));
    if (!entry)
        return RH_ERR_NOT_FOUND;
    struct rh_object *old_key = entry->key, *old_value = entry->value;
    entry->key = NULL; /* the entry's slot in the index stays, so that probes go on past it */
    entry->value = NULL;
    table->used--;
    rh_decref(old_key);
    rh_xdecref(old_value);
    return 0;
}

struct entry *table_next(const struct table *table, size_t *position)
{
    while (*position < table->count) {
        struct entry *entry = &table->entries[(*position)++];
        if (entry->key)
            return entry;
    }
    return NULL;
}

void table_clear(struct rh_heap *heap, struct table *table)
{
    struct table old = *table;
    heap_enter(heap);
    table->entries = NULL;
    store_barrier();
    table->count = table->capacity = table->used = 0;
    table->index = NULL;
    table->index_bytes = 0;
    heap_leave(heap);
    for (size_t i = 0; i < old.count; i++)
        if (old.entries[i].key) {
            rh_decref(old.entries[i].key);
            rh_xdecref(old.entries[i].value);
        }
    heap_free(heap, old.entries);
    heap_free(heap, old.index);
}
