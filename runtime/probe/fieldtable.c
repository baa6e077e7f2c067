#include "fieldtable.h"

#include <stdlib.h>
#include <string.h>

#include "../../dumpfmt/hash.h"
#include "holders.h"

enum { NAME_MAX_BYTES = 4096, VALUE_CAP = 256, TYPE_SIZE_MAX = 1 << 30, FIELDS_MAX = 65535, PIECE = MEMORY_VIEW_MAX };

/* ---- the map ---- */

static size_t slot_of(const struct type_map *map, uint64_t address)
{
    size_t mask = map->capacity - 1, i = (size_t)hash_word(hash_key(), address) & mask;
    while (map->slots[i] && map->slots[i]->address != address)
        i = (i + 1) & mask;
    return i;
}

const struct remote_type *type_map_find(const struct type_map *map, uint64_t address)
{
    return map->capacity ? map->slots[slot_of(map, address)] : NULL;
}

static int type_map_add(struct type_map *map, struct remote_type *type)
{
    if (map->used * 2 >= map->capacity) {
        struct type_map larger = {.capacity = map->capacity ? 2 * map->capacity : 64, .used = map->used};
        larger.slots = calloc(larger.capacity, sizeof *larger.slots);
        if (!larger.slots)
            return RH_ERR_NO_MEMORY;
        for (size_t i = 0; i < map->capacity; i++)
            if (map->slots[i])
                larger.slots[slot_of(&larger, map->slots[i]->address)] = map->slots[i];
        free(map->slots);
        *map = larger;
    }
    map->slots[slot_of(map, type->address)] = type;
    map->used++;
    return 0;
}

static void type_free(struct remote_type *type)
{
    if (type)
        free(type->fields);
    free(type);
}

void type_map_release(struct type_map *map)
{
    for (size_t i = 0; i < map->capacity; i++)
        type_free(map->slots[i]);
    free(map->slots);
    *map = (struct type_map){NULL, 0, 0};
}

/* ---- reading a type ---- */

static int is_count_size(uint32_t size)
{
    return size == 1 || size == 2 || size == 4 || size == 8;
}

/* Whether the field lies in the object and its elements hold what they should; what the library checks when a type is
 * made, checked again since this memory is not trusted. */
static int field_is_usable(const struct remote_field *f, uint64_t size)
{
    int pointer = f->offset + 8 <= size;
    int count = is_count_size(f->count_size) && f->count_offset + f->count_size <= size &&
                f->capacity_offset + f->count_size <= size;
    int element = f->stride && f->stride <= TYPE_SIZE_MAX && f->key_offset + 8 <= f->stride;
    switch (f->kind) {
    case RH_FIELD_STRONG:
    case RH_FIELD_WEAK:
    case RH_FIELD_BORROWED:
    case RH_FIELD_TAGGED:
    case RH_FIELD_CSTRING:
    case RH_FIELD_FLOAT:
        return pointer;
    case RH_FIELD_CHILDREN:
        return pointer && f->value_offset <= TYPE_SIZE_MAX;
    case RH_FIELD_ARRAY:
        return pointer && count && element;
    case RH_FIELD_TABLE:
        return pointer && count && element && f->value_offset + 8 <= f->stride;
    case RH_FIELD_BYTES:
        return pointer && count && f->stride <= TYPE_SIZE_MAX;
    case RH_FIELD_INLINE_ARRAY:
        if (f->flags & RH_FIELD_FIXED)
            return element && f->count_offset <= size && f->offset + f->count_offset * f->stride <= size;
        return element && count && f->offset <= size;
    case RH_FIELD_TEXT:
    case RH_FIELD_NAME:
    case RH_FIELD_DATA:
        return count && f->offset <= size;
    case RH_FIELD_INT:
    case RH_FIELD_UINT:
        return is_count_size(f->count_size) && f->offset + f->count_size <= size;
    case RH_FIELD_BOOL:
        return f->offset + 1 <= size;
    case RH_FIELD_NOTHING:
        return 1;
    default:
        return 0;
    }
}

static int is_value(uint32_t kind)
{
    return kind >= RH_FIELD_INT;
}

static int holds_references(const struct remote_field *f)
{
    switch (f->kind) {
    case RH_FIELD_STRONG:
    case RH_FIELD_TAGGED:
    case RH_FIELD_ARRAY:
    case RH_FIELD_INLINE_ARRAY:
    case RH_FIELD_CHILDREN:
        return 1;
    case RH_FIELD_TABLE:
        return (f->flags & (RH_FIELD_KEYS | RH_FIELD_VALUES)) != 0;
    default:
        return 0;
    }
}

static int counts_items(const struct remote_field *f)
{
    int inside = f->kind == RH_FIELD_INLINE_ARRAY || f->kind == RH_FIELD_TEXT || f->kind == RH_FIELD_NAME ||
                 f->kind == RH_FIELD_DATA;
    return inside && !(f->flags & RH_FIELD_FIXED);
}

static void read_field(struct probe *probe, const struct rh_layout *l, uint64_t at, struct remote_field *f,
                       uint64_t *name, int *ok)
{
    struct memory *m = probe->memory;
    *name = memory_u64(m, at + l->field_name, ok);
    f->kind = (uint32_t)memory_number(m, at + l->field_kind, 1, ok);
    f->flags = (uint32_t)memory_number(m, at + l->field_flags, 1, ok);
    f->count_size = (uint32_t)memory_number(m, at + l->field_count_size, 1, ok);
    f->offset = memory_u32(m, at + l->field_offset, ok);
    f->count_offset = memory_u32(m, at + l->field_count_offset, ok);
    f->capacity_offset = memory_u32(m, at + l->field_capacity_offset, ok);
    f->stride = memory_u32(m, at + l->field_stride, ok);
    f->key_offset = memory_u32(m, at + l->field_key_offset, ok);
    f->value_offset = memory_u32(m, at + l->field_value_offset, ok);
    f->mask = memory_u64(m, at + l->field_mask, ok);
    f->other = memory_u64(m, at + l->field_other, ok);
}

static uint32_t remote_text(struct probe *probe, uint64_t address)
{
    char text[NAME_MAX_BYTES];
    if (!address || memory_text(probe->memory, address, text, sizeof text) < 0)
        return 0;
    return probe_text(probe, text);
}

static int read_fields(struct probe *probe, const struct rh_layout *l, uint64_t table, struct remote_type *type)
{
    int bad = 0;
    type->fields = calloc(type->field_count + 1, sizeof *type->fields);
    if (!type->fields)
        return RH_ERR_NO_MEMORY;
    for (uint32_t i = 0; i < type->field_count; i++) {
        struct remote_field *f = &type->fields[i];
        uint64_t name = 0;
        int ok = 1;
        read_field(probe, l, table + (uint64_t)i * l->field_size, f, &name, &ok);
        struct field_record r = {.type = type->id, .number = i, .offset = f->offset};
        if (ok) {
            r.name = remote_text(probe, name);
            r.kind = (uint16_t)(is_value(f->kind) ? FIELD_VALUE : f->kind < FIELD_VALUE ? f->kind : FIELD_OTHER);
        }
        writer_record(probe->writer, SECTION_FIELDS, &r);
        if (!ok || !field_is_usable(f, type->size)) {
            bad++;
            *f = (struct remote_field){0};
            continue;
        }
        if (f->flags & RH_FIELD_ATTRIBUTES)
            type->flags |= TYPE_ATTRIBUTES;
        if (holds_references(f))
            type->flags |= TYPE_CONTAINER;
        if (counts_items(f) && !type->items)
            type->items = f;
    }
    if (bad)
        probe_note(probe, SEVERITY_WARNING, "a type has fields that cannot be read", type->address);
    return 0;
}

int remote_type_add(struct probe *probe, const struct rh_layout *l, uint64_t heap, uint32_t heap_id, uint64_t address,
                    struct type_map *map)
{
    struct memory *m = probe->memory;
    int ok = 1;
    uint64_t own_heap = memory_u64(m, address + l->type_heap, &ok);
    uint64_t name = memory_u64(m, address + l->type_name, &ok);
    uint64_t module = memory_u64(m, address + l->type_module, &ok);
    uint64_t size = memory_u64(m, address + l->type_size, &ok);
    uint64_t item_size = memory_u64(m, address + l->type_item_size, &ok);
    uint64_t table = memory_u64(m, address + l->type_fields, &ok);
    uint32_t fields = memory_u32(m, address + l->type_field_count, &ok);
    int hooks = memory_number(m, address + l->type_traverse, 8, &ok) != 0;
    int finalize = memory_number(m, address + l->type_finalize, 8, &ok) != 0;
    int legacy = memory_number(m, address + l->type_legacy_finalize, 8, &ok) != 0;
    if (!ok || own_heap != heap || size < l->object_size || size > TYPE_SIZE_MAX || item_size > TYPE_SIZE_MAX ||
        fields > FIELDS_MAX) {
        probe_note(probe, SEVERITY_ERROR, "a type is damaged", address);
        return RH_ERR_FORMAT;
    }
    if (!probe_spend(probe, fields * (uint64_t)l->field_size / 8)) {
        probe_note(probe, SEVERITY_ERROR, "a type was left out: there are too many fields", address);
        return RH_ERR_FORMAT;
    }
    struct remote_type *type = calloc(1, sizeof *type);
    if (!type)
        return RH_ERR_NO_MEMORY;
    *type = (struct remote_type){
        .address = address, .size = size, .item_size = item_size, .id = probe->types++, .field_count = fields};
    type->flags = (hooks ? TYPE_HAND_TRAVERSED | TYPE_CONTAINER : 0) | (finalize ? TYPE_FINALIZER : 0) |
                  (legacy ? TYPE_LEGACY_FINALIZER : 0);
    int status = read_fields(probe, l, table, type);
    struct type_record r = {
        .id = type->id,
        .name = remote_text(probe, name),
        .module = remote_text(probe, module),
        .flags = type->flags,
        .address = address,
        .basic_size = size,
        .item_size = item_size,
        .heap = heap_id,
        .fields = fields,
    };
    writer_record(probe->writer, SECTION_TYPES, &r);
    if (hooks)
        probe_note(probe, SEVERITY_NOTE, "references followed by a hand-written traverse cannot be read from outside",
                   address);
    if (!status)
        status = type_map_add(map, type);
    if (status)
        type_free(type);
    return status;
}

/* ---- reading an object ---- */

struct reading {
    struct probe *probe;
    const struct rh_layout *layout;
    const struct remote_type *type;
    uint64_t address;
    int incomplete;
};

static uint64_t word_at(struct reading *r, uint64_t address)
{
    int ok = 1;
    uint64_t word = memory_u64(r->probe->memory, address, &ok);
    r->incomplete |= !ok;
    return word;
}

static uint64_t number_at(struct reading *r, uint64_t offset, uint32_t size)
{
    int ok = 1;
    uint64_t number = memory_number(r->probe->memory, r->address + offset, size, &ok);
    r->incomplete |= !ok;
    return number;
}

static uint64_t count_of(struct reading *r, const struct remote_field *f)
{
    return f->flags & RH_FIELD_FIXED ? f->count_offset : number_at(r, f->count_offset, f->count_size);
}

static void put_edge(struct reading *r, uint64_t target, unsigned bits, enum label_kind kind, uint64_t label)
{
    if (!target)
        return;
    writer_edge(r->probe->writer, target, bits, kind, label);
    if (bits & EDGE_COUNTED)
        holders_explain(r->probe->holders, target);
}

static uint64_t element_label(uint32_t field, uint64_t index)
{
    return (uint64_t)field << LABEL_ELEMENT_SHIFT | (index & ((UINT64_C(1) << LABEL_ELEMENT_SHIFT) - 1));
}

/* A count no larger than what is mapped at `base` has room for. */
static uint64_t bounded_count(struct reading *r, uint64_t base, uint64_t count, uint64_t stride)
{
    uint64_t most = probe_room(r->probe, base) / stride;
    if (count <= most)
        return count;
    r->incomplete = 1;
    return most;
}

/* Elements `first` on of an array, as many as fit in one view. Returns their number, 0 where memory ends. */
static uint64_t view_elements(struct reading *r, uint64_t base, uint64_t first, uint64_t count, uint64_t stride,
                              const uint8_t **bytes)
{
    uint64_t n = PIECE / stride, left = count - first, offset;
    n = n < left ? n : left;
    if (!n || __builtin_mul_overflow(first, stride, &offset) || base > UINT64_MAX - offset) {
        r->incomplete = 1;
        return 0;
    }
    if (!probe_spend(r->probe, (n * stride + 7) / 8)) {
        r->incomplete = 1;
        return 0;
    }
    *bytes = memory_view(r->probe->memory, base + offset, (size_t)(n * stride));
    if (!*bytes && n > 1) /* the array runs into memory that is not there: go on one by one */
        *bytes = memory_view(r->probe->memory, base + offset, (size_t)((n = 1) * stride));
    if (!*bytes)
        r->incomplete = 1;
    return *bytes ? n : 0;
}

static uint64_t load(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static void write_array(struct reading *r, uint64_t base, uint64_t count, const struct remote_field *f, uint32_t number)
{
    const uint8_t *bytes;
    count = bounded_count(r, base, count, f->stride);
    for (uint64_t first = 0, n; first < count; first += n) {
        if (!(n = view_elements(r, base, first, count, f->stride, &bytes)))
            return;
        for (uint64_t i = 0; i < n; i++) {
            uint64_t item = load(bytes + i * f->stride + f->key_offset);
            if (f->flags & RH_FIELD_ITEMS)
                put_edge(r, item, EDGE_STRONG, LABEL_INDEX, first + i);
            else
                put_edge(r, item, EDGE_STRONG, LABEL_ELEMENT, element_label(number, first + i));
        }
    }
}

static void write_table(struct reading *r, uint64_t base, uint64_t count, const struct remote_field *f, uint32_t number)
{
    const uint8_t *bytes;
    count = bounded_count(r, base, count, f->stride);
    for (uint64_t first = 0, n; first < count; first += n) {
        if (!(n = view_elements(r, base, first, count, f->stride, &bytes)))
            return;
        for (uint64_t i = 0; i < n; i++) {
            uint64_t key = load(bytes + i * f->stride + f->key_offset);
            uint64_t value = load(bytes + i * f->stride + f->value_offset);
            if (key == f->mask || key == f->other)
                continue;
            if (!(f->flags & RH_FIELD_VALUES)) { /* a set */
                put_edge(r, key, EDGE_STRONG, LABEL_NONE, 0);
                continue;
            }
            if (f->flags & RH_FIELD_KEYS)
                put_edge(r, key, EDGE_STRONG, LABEL_IS_KEY, 0);
            if (f->flags & RH_FIELD_KEYS)
                put_edge(r, value, EDGE_STRONG, LABEL_KEY, key);
            else
                put_edge(r, value, EDGE_STRONG, LABEL_ELEMENT, element_label(number, first + i));
        }
    }
}

/* Follows the children's links. A list that bites its own tail elsewhere than at its head ends by Brent's check: `mark`
 * trails behind at powers of two. */
static void write_children(struct reading *r, const struct remote_field *f, uint32_t number)
{
    uint64_t first = word_at(r, r->address + f->offset), child = first, mark = first, next_mark = 1;
    for (uint64_t i = 0; child; i++) {
        if (!probe_spend(r->probe, 1)) {
            r->incomplete = 1;
            break;
        }
        put_edge(r, child, EDGE_STRONG, LABEL_ELEMENT, element_label(number, i));
        child = word_at(r, child + f->value_offset);
        if (child == first)
            break;
        if (child == mark) {
            r->incomplete = 1;
            break;
        }
        if (i == next_mark) {
            mark = child;
            next_mark *= 2;
        }
    }
}

static void write_field_edges(struct reading *r, const struct remote_field *f, uint32_t number)
{
    uint64_t at = r->address + f->offset, word;
    switch (f->kind) {
    case RH_FIELD_STRONG:
        put_edge(r, word_at(r, at), EDGE_STRONG, LABEL_FIELD, number);
        break;
    case RH_FIELD_TAGGED:
        word = word_at(r, at);
        if (!(word & f->other))
            put_edge(r, word & ~f->mask, EDGE_STRONG, LABEL_FIELD, number);
        break;
    case RH_FIELD_WEAK: /* struct rh_weak begins with its target */
        put_edge(r, word_at(r, at), EDGE_WEAK, LABEL_FIELD, number);
        break;
    case RH_FIELD_BORROWED:
        put_edge(r, word_at(r, at), 0, LABEL_FIELD, number);
        break;
    case RH_FIELD_ARRAY:
        if ((word = word_at(r, at)))
            write_array(r, word, count_of(r, f), f, number);
        break;
    case RH_FIELD_INLINE_ARRAY:
        write_array(r, at, count_of(r, f), f, number);
        break;
    case RH_FIELD_CHILDREN:
        write_children(r, f, number);
        break;
    case RH_FIELD_TABLE:
        if ((word = word_at(r, at)))
            write_table(r, word, count_of(r, f), f, number);
        break;
    }
}

/* ---- sizes and values ---- */

static void measure(struct reading *r, struct writer_object *row)
{
    const struct remote_type *type = r->type;
    uint64_t size = type->size, items = type->items ? count_of(r, type->items) : 0;
    int wrong = writer_add_room(&size, items, type->item_size);
    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct remote_field *f = &type->fields[i];
        if ((f->kind != RH_FIELD_ARRAY && f->kind != RH_FIELD_TABLE && f->kind != RH_FIELD_BYTES) ||
            !word_at(r, r->address + f->offset))
            continue;
        uint64_t room = f->capacity_offset ? number_at(r, f->capacity_offset, f->count_size) : count_of(r, f);
        wrong |= writer_add_room(&size, room, f->stride);
        if (f->capacity_offset && !row->capacity) {
            row->used = count_of(r, f);
            row->capacity = room;
        }
    }
    row->size = wrong ? type->size : size;
    row->state |= wrong ? STATE_SIZE_ESTIMATED : 0;
}

static void put_value(struct reading *r, enum value_kind kind, const void *bytes, uint64_t kept, uint64_t length)
{
    if (!r->probe->options->no_values || kind == VALUE_NAME)
        writer_value(r->probe->writer, r->address, kind, bytes, (uint32_t)kept, length);
}

static void write_inline_text(struct reading *r, const struct remote_field *f, enum value_kind kind)
{
    char text[VALUE_CAP];
    uint64_t length = count_of(r, f), kept = length < VALUE_CAP ? length : VALUE_CAP;
    if (!memory_read(r->probe->memory, r->address + f->offset, text, kept))
        put_value(r, kind, text, kept, length);
}

/* The whole length counts, as it does in the library's own dump, though only the head is kept. */
static void write_cstring(struct reading *r, const struct remote_field *f)
{
    char text[VALUE_CAP + 1];
    uint64_t at = word_at(r, r->address + f->offset), length;
    if (!at)
        return;
    long kept = memory_text(r->probe->memory, at, text, sizeof text);
    if (kept < 0)
        return;
    length = (uint64_t)kept;
    while (length >= VALUE_CAP && length < (1 << 20)) {
        char more[VALUE_CAP];
        long n = memory_text(r->probe->memory, at + length, more, sizeof more);
        if (n <= 0)
            break;
        length += (uint64_t)n;
    }
    put_value(r, VALUE_TEXT, text, (uint64_t)kept, length);
}

static void write_value(struct reading *r, const struct remote_field *f)
{
    uint64_t number;
    unsigned unused = 64 - 8 * f->count_size;
    uint8_t truth;
    switch (f->kind) {
    case RH_FIELD_INT:
        number = number_at(r, f->offset, f->count_size);
        number = (uint64_t)((int64_t)(number << unused) >> unused);
        put_value(r, VALUE_INTEGER, &number, 8, 8);
        break;
    case RH_FIELD_UINT:
        number = number_at(r, f->offset, f->count_size);
        put_value(r, VALUE_INTEGER, &number, 8, 8);
        break;
    case RH_FIELD_BOOL:
        truth = number_at(r, f->offset, 1) != 0;
        put_value(r, VALUE_BOOL, &truth, 1, 1);
        break;
    case RH_FIELD_FLOAT:
        number = word_at(r, r->address + f->offset);
        put_value(r, VALUE_FLOAT, &number, 8, 8);
        break;
    case RH_FIELD_TEXT:
        write_inline_text(r, f, VALUE_TEXT);
        break;
    case RH_FIELD_NAME:
        write_inline_text(r, f, VALUE_NAME);
        break;
    case RH_FIELD_DATA:
        write_inline_text(r, f, VALUE_BYTES);
        break;
    case RH_FIELD_CSTRING:
        write_cstring(r, f);
        break;
    case RH_FIELD_NOTHING:
        put_value(r, VALUE_NONE, "", 0, 0);
        break;
    }
}

void remote_object_write(struct probe *probe, const struct rh_layout *layout, const struct remote_type *type,
                         uint32_t heap_id, struct writer_object *row)
{
    struct reading r = {probe, layout, type, row->address, 0};
    row->type = type->id;
    measure(&r, row);
    writer_object(probe->writer, heap_id, row);
    for (uint32_t i = 0; i < type->field_count; i++)
        write_field_edges(&r, &type->fields[i], i);
    if (r.incomplete || type->flags & TYPE_HAND_TRAVERSED)
        writer_object_mark(probe->writer, STATE_EDGES_INCOMPLETE);
    for (uint32_t i = 0; i < type->field_count; i++)
        if (is_value(type->fields[i].kind)) {
            write_value(&r, &type->fields[i]);
            break;
        }
}
