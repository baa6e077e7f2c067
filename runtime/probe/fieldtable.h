/* librefheap's field tables as read from another process, and objects read by them.
 *
 * The same table that drives the library's collector and its own dump; the edges, sizes and values that come out here
 * are those that the library writes itself (runtime/librefheap/dump.c). Every number was checked against bounds when
 * the table was read.
 */
#ifndef PROBE_FIELDTABLE_H
#define PROBE_FIELDTABLE_H

#include <refheap/control.h>

#include "probe.h"

struct remote_field {
    uint32_t kind; /* enum rh_field_kind, 0 for one that cannot be used */
    uint32_t flags, count_size;
    uint64_t offset, count_offset, capacity_offset, stride, key_offset, value_offset;
    uint64_t mask, other;
};

struct remote_type {
    uint64_t address;
    uint64_t size, item_size;
    uint32_t id;
    uint32_t flags; /* enum type_flags of the format */
    uint32_t field_count;
    const struct remote_field *items; /* what item_size counts, or NULL */
    struct remote_field *fields;
};

/* Types of a heap by address. */
struct type_map {
    struct remote_type **slots;
    size_t capacity, used;
};
const struct remote_type *type_map_find(const struct type_map *map, uint64_t address);
void type_map_release(struct type_map *map);

/* Reads one type, writes it to the snapshot, and adds it. Returns 0; RH_ERR_FORMAT (with a note in the snapshot) when
 * it is no type of this heap; or RH_ERR_NO_MEMORY. */
int remote_type_add(struct probe *probe, const struct rh_layout *layout, uint64_t heap, uint32_t heap_id,
                    uint64_t address, struct type_map *map);

/* Writes the object's row, its edges, and its value. The row has all but type, size and fill; its state those bits that
 * do not follow from the fields. */
void remote_object_write(struct probe *probe, const struct rh_layout *layout, const struct remote_type *type,
                         uint32_t heap_id, struct writer_object *row);

#endif
