/* Writing one object of this process into a snapshot: its row, its edges, its value. */
#include "../../dumpfmt/format.h"
#include "dump_internal.h"
#include "traverse.h"

enum { VALUE_CAP = 256 };

/* ---- edges ---- */

static void put_edge(struct dump *d, const void *target, unsigned bits, enum label_kind kind, uint64_t label)
{
    if (target)
        writer_edge(d->writer, (uintptr_t)target, bits, kind, label);
}

static uint64_t element_label(uint32_t field, uint64_t index)
{
    return (uint64_t)field << LABEL_ELEMENT_SHIFT | (index & ((UINT64_C(1) << LABEL_ELEMENT_SHIFT) - 1));
}

/* Calls `each` for pieces of an array that fit in the copy. Stops where memory ends. */
#define FOR_PIECES(d, f, base, count, piece, first, n)                                   \
    for (size_t first = 0, per_ = COPY_SIZE / ((f)->stride ? (f)->stride : 1), n;        \
         first < (count) && per_ && (n = (count)-first < per_ ? (count)-first : per_) && \
         (piece = dump_view(d, (base) + first * (f)->stride, n * (f)->stride));          \
         first += n)

static void write_array(struct dump *d, const char *base, size_t count, const struct rh_field *f, uint32_t number)
{
    const char *piece;
    if (f->stride > COPY_SIZE)
        d->incomplete = 1;
    FOR_PIECES (d, f, base, count, piece, first, n)
        for (size_t i = 0; i < n; i++) {
            const void *item = read_pointer(piece, i * f->stride + f->key_offset);
            if (f->flags & RH_FIELD_ITEMS)
                put_edge(d, item, EDGE_STRONG, LABEL_INDEX, first + i);
            else
                put_edge(d, item, EDGE_STRONG, LABEL_ELEMENT, element_label(number, first + i));
        }
}

static void write_table(struct dump *d, const char *base, size_t count, const struct rh_field *f, uint32_t number)
{
    const char *piece;
    if (f->stride > COPY_SIZE)
        d->incomplete = 1;
    FOR_PIECES (d, f, base, count, piece, first, n)
        for (size_t i = 0; i < n; i++) {
            const char *entry = piece + i * f->stride;
            if (!entry_is_used(entry, f))
                continue;
            const void *key = read_pointer(entry, f->key_offset);
            if (!(f->flags & RH_FIELD_VALUES)) { /* a set */
                put_edge(d, key, EDGE_STRONG, LABEL_NONE, 0);
                continue;
            }
            if (f->flags & RH_FIELD_KEYS)
                put_edge(d, key, EDGE_STRONG, LABEL_IS_KEY, 0);
            const void *value = read_pointer(entry, f->value_offset);
            if (f->flags & RH_FIELD_KEYS)
                put_edge(d, value, EDGE_STRONG, LABEL_KEY, (uintptr_t)key);
            else
                put_edge(d, value, EDGE_STRONG, LABEL_ELEMENT, element_label(number, first + i));
        }
}

static void write_children(struct dump *d, const char *first, const struct rh_field *f, uint32_t number)
{
    const char *child = first, *mark = first;
    uint64_t next_mark = 1;
    for (uint64_t i = 0; child; i++) {
        put_edge(d, child, EDGE_STRONG, LABEL_ELEMENT, element_label(number, i));
        const char *link = dump_view(d, child + f->value_offset, sizeof(void *));
        child = link ? read_pointer(link, 0) : NULL;
        if (child == first)
            break;
        /* A list that bites its own tail elsewhere than at its head ends by Brent's check. */
        if (child == mark) {
            d->incomplete = 1;
            break;
        }
        if (i == next_mark) {
            mark = child;
            next_mark *= 2;
        }
    }
}

static int write_visited(struct rh_object *target, void *context)
{
    put_edge(context, target, EDGE_STRONG, LABEL_NONE, 0);
    return 0;
}

static void write_edges(struct dump *d, struct rh_object *object)
{
    const struct rh_type *type = object->type;
    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct rh_field *f = &type->fields[i];
        const char *at = (const char *)object + f->offset;
        switch (f->kind) {
        case RH_FIELD_STRONG:
            put_edge(d, read_pointer(at, 0), EDGE_STRONG, LABEL_FIELD, i);
            break;
        case RH_FIELD_TAGGED:
            put_edge(d, untag(*(const uintptr_t *)at, f), EDGE_STRONG, LABEL_FIELD, i);
            break;
        case RH_FIELD_WEAK:
            put_edge(d, ((const struct rh_weak *)at)->target, EDGE_WEAK, LABEL_FIELD, i);
            break;
        case RH_FIELD_BORROWED:
            put_edge(d, read_pointer(at, 0), 0, LABEL_FIELD, i);
            break;
        case RH_FIELD_ARRAY:
            if (read_pointer(at, 0))
                write_array(d, read_pointer(at, 0), field_count(object, f), f, i);
            break;
        case RH_FIELD_INLINE_ARRAY:
            write_array(d, at, field_count(object, f), f, i);
            break;
        case RH_FIELD_CHILDREN:
            write_children(d, read_pointer(at, 0), f, i);
            break;
        case RH_FIELD_TABLE:
            if (read_pointer(at, 0))
                write_table(d, read_pointer(at, 0), field_count(object, f), f, i);
            break;
        }
    }
    if (type->traverse)
        type->traverse(object, write_visited, d);
}

/* ---- sizes and values ---- */

static size_t items_of(const struct rh_object *object)
{
    return object->type->items ? field_count(object, object->type->items) : 0;
}

/* Elements a buffer has room for. */
static uint64_t room_of(const struct rh_object *object, const struct rh_field *f)
{
    return f->capacity_offset ? read_count(object, f->capacity_offset, f->count_size) : field_count(object, f);
}

static void measure(const struct rh_object *object, struct writer_object *row)
{
    const struct rh_type *type = object->type;
    uint64_t size = type->size;
    int wrong = writer_add_room(&size, items_of(object), type->item_size);
    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct rh_field *f = &type->fields[i];
        if ((f->kind != RH_FIELD_ARRAY && f->kind != RH_FIELD_TABLE && f->kind != RH_FIELD_BYTES) ||
            !read_pointer(object, f->offset))
            continue;
        uint64_t room = room_of(object, f);
        wrong |= writer_add_room(&size, room, f->stride);
        if (f->capacity_offset && !row->capacity) {
            row->used = field_count(object, f);
            row->capacity = room;
        }
    }
    row->size = wrong ? type->size : size;
    row->state |= wrong ? STATE_SIZE_ESTIMATED : 0;
}

static void put_value(struct dump *d, const struct rh_object *object, enum value_kind kind, const void *bytes,
                      uint64_t length)
{
    if (d->request->flags & RH_DUMP_NO_VALUES && kind != VALUE_NAME)
        return;
    uint64_t kept = length < VALUE_CAP ? length : VALUE_CAP;
    writer_value(d->writer, (uintptr_t)object, kind, bytes, (uint32_t)kept, length);
}

static void write_cstring(struct dump *d, const struct rh_object *object, const char *text)
{
    size_t n = 0;
    if (!text)
        return;
    if (d->guarded) { /* the end of the text may be the end of its page */
        size_t to_page = 4096 - ((uintptr_t)text & 4095);
        const char *copy = dump_view(d, text, to_page < VALUE_CAP ? to_page : VALUE_CAP);
        if (!copy)
            return;
        while (n < (to_page < VALUE_CAP ? to_page : VALUE_CAP) && copy[n])
            n++;
        put_value(d, object, VALUE_TEXT, copy, n);
        return;
    }
    put_value(d, object, VALUE_TEXT, text, text_length(text));
}

static int64_t read_signed(const void *at, unsigned size)
{
    uint64_t value = read_count(at, 0, size);
    unsigned unused = 64 - 8 * size;
    return (int64_t)(value << unused) >> unused;
}

static void write_value_field(struct dump *d, const struct rh_object *object, const struct rh_field *f)
{
    const char *at = (const char *)object + f->offset;
    int64_t number;
    switch (f->kind) {
    case RH_FIELD_INT:
    case RH_FIELD_UINT:
        number = f->kind == RH_FIELD_INT ? read_signed(at, f->count_size) : (int64_t)read_count(at, 0, f->count_size);
        put_value(d, object, VALUE_INTEGER, &number, sizeof number);
        break;
    case RH_FIELD_BOOL:
        put_value(d, object, VALUE_BOOL, *at ? "\1" : "\0", 1);
        break;
    case RH_FIELD_FLOAT:
        put_value(d, object, VALUE_FLOAT, at, 8);
        break;
    case RH_FIELD_TEXT:
        put_value(d, object, VALUE_TEXT, at, field_count(object, f));
        break;
    case RH_FIELD_NAME:
        put_value(d, object, VALUE_NAME, at, field_count(object, f));
        break;
    case RH_FIELD_DATA:
        put_value(d, object, VALUE_BYTES, at, field_count(object, f));
        break;
    case RH_FIELD_CSTRING:
        write_cstring(d, object, read_pointer(at, 0));
        break;
    case RH_FIELD_NOTHING:
        put_value(d, object, VALUE_NONE, at, 0);
        break;
    }
}

/* The first value field of a type is the object's value. */
static void write_value(struct dump *d, const struct rh_object *object)
{
    const struct rh_type *type = object->type;
    for (uint32_t i = 0; i < type->field_count; i++)
        if (type->fields[i].kind >= RH_FIELD_INT) {
            write_value_field(d, object, &type->fields[i]);
            return;
        }
}

/* ---- objects ---- */

/* Whether a type's buffers need guarding: the library's own are right whenever the heap is not busy. */
static int is_builtin(const struct rh_type *type)
{
    const struct rh_type *const *builtins = (const struct rh_type *const *)type->heap->builtins;
    for (int i = 0; i < RH_BUILTIN_LIMIT; i++)
        if (builtins[i] == type)
            return 1;
    return 0;
}

static void place_object(const struct rh_object *object, struct writer_object *row)
{
    const struct rh_heap *heap = object->type->heap;
    const struct prefix *prefix = prefix_of(object);
    row->serial = prefix->serial;
    row->site =
        prefix->site && prefix->site <= heap->sites.count ? heap->sites.sites[prefix->site - 1]->snapshot_id : 0;
}

void dump_object(struct dump *d, struct rh_object *object, unsigned more_state)
{
    struct writer_object row = {
        .address = (uintptr_t)object,
        .refcount = object->refcount,
        .type = object->type->snapshot_id,
        .state = (unsigned)generation_of(links_of(object)) | more_state,
    };
    if (object->type->heap->prefix)
        place_object(object, &row);
    if (object->refcount == 0)
        row.state |= STATE_DYING;
    if (is_container(object))
        row.state |= STATE_CONTAINER;
    if (object->refcount >= RH_IMMORTAL)
        row.state |= STATE_IMMORTAL;
    if (object->links.prev & PREV_FINALIZED)
        row.state |= STATE_FINALIZED;
    measure(object, &row);
    writer_object(d->writer, d->heap, &row);

    d->incomplete = 0;
    d->guarded = d->request->flags & RH_DUMP_GUARDED && !is_builtin(object->type);
    write_edges(d, object);
    if (d->incomplete)
        writer_object_mark(d->writer, STATE_EDGES_INCOMPLETE);
    write_value(d, object);
    d->guarded = (d->request->flags & RH_DUMP_GUARDED) != 0;
}
