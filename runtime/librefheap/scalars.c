/* none, bool, int, float, str, bytes, and interned names. */
#include "scalars.h"

#include <string.h>

#include "../../dumpfmt/error.h"

static const struct rh_field none_fields[] = {{"value", RH_FIELD_NOTHING, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}};
static const struct rh_field bool_fields[] = {
    {"value", RH_FIELD_BOOL, 0, 0, 0, RH_OFFSET(struct bool_object, value), 0, 0, 0, 0, 0, 0, 0}};
static const struct rh_field int_fields[] = {RH_VALUE_INT(struct int_object, value)};
static const struct rh_field float_fields[] = {RH_VALUE_FLOAT(struct float_object, value)};

/* str, name and bytes are one struct and differ in the kind of their value. */
#define TEXT_FIELDS(kind)                                                             \
    {                                                                                 \
        {                                                                             \
            "value", kind, 0, sizeof(size_t), 0, RH_OFFSET(struct text_object, text), \
                RH_OFFSET(struct text_object, length), 0, 1, 0, 0, 0, 0               \
        }                                                                             \
    }
static const struct rh_field str_fields[] = TEXT_FIELDS(RH_FIELD_TEXT);
static const struct rh_field name_fields[] = TEXT_FIELDS(RH_FIELD_NAME);
static const struct rh_field bytes_fields[] = TEXT_FIELDS(RH_FIELD_DATA);

/* ---- interned names ---- */

/* The names of attributes, each once. The table does not count its references; a name that dies takes itself out. */
struct name_table {
    size_t used, capacity; /* open addressing, linear probing */
    struct text_object *slots[];
};

static size_t name_slot(const struct name_table *table, const char *text, size_t length, uint64_t hash)
{
    size_t mask = table->capacity - 1, i = hash & mask;
    for (; table->slots[i]; i = (i + 1) & mask) {
        const struct text_object *name = table->slots[i];
        if (name->hash == hash && name->length == length && !memcmp(name->text, text, length))
            break;
    }
    return i;
}

static int grow_names(struct rh_heap *heap)
{
    struct name_table *old = heap->names;
    size_t capacity = old ? 2 * old->capacity : 64;
    struct name_table *table = heap_allocate(heap, sizeof *table + capacity * sizeof *table->slots);
    if (!table)
        return RH_ERR_NO_MEMORY;
    memset(table, 0, sizeof *table + capacity * sizeof *table->slots);
    table->capacity = capacity;
    for (size_t i = 0; old && i < old->capacity; i++)
        if (old->slots[i]) {
            struct text_object *name = old->slots[i];
            table->slots[name_slot(table, name->text, name->length, name->hash)] = name;
            table->used++;
        }
    heap->names = table;
    heap_free(heap, old);
    return 0;
}

static void name_release(struct rh_object *object)
{
    struct text_object *name = (struct text_object *)object;
    struct name_table *table = object->type->heap->names;
    if (!table)
        return;
    size_t mask = table->capacity - 1, hole = name_slot(table, name->text, name->length, name->hash);
    if (table->slots[hole] != name)
        return;
    for (size_t i = (hole + 1) & mask; table->slots[i]; i = (i + 1) & mask)
        if (((i - table->slots[i]->hash) & mask) >= ((i - hole) & mask)) {
            table->slots[hole] = table->slots[i];
            hole = i;
        }
    table->slots[hole] = NULL;
    table->used--;
}

static struct rh_object *text_new(struct rh_type *type, const void *text, size_t length)
{
    struct text_object *object = rh_object_new_items(type, length);
    if (!object)
        return NULL;
    memcpy(object->text, text, length);
    object->length = length;
    return &object->object;
}

struct rh_object *name_get(struct rh_heap *heap, const char *text, size_t length, int create)
{
    uint64_t hash = text_hash(text, length);
    struct name_table *table = heap->names;
    if (table) {
        struct text_object *found = table->slots[name_slot(table, text, length, hash)];
        if (found && found->object.refcount > 0) {
            rh_incref(found);
            return &found->object;
        }
    }
    if (!create)
        return NULL;
    struct text_object *name = (struct text_object *)text_new(heap->builtins[RH_TYPE_NAME], text, length);
    if (!name)
        return NULL;
    name->hash = hash;
    heap_enter(heap);
    int full = !heap->names || heap->names->used * 4 >= heap->names->capacity * 3;
    if (full && grow_names(heap)) {
        heap_leave(heap);
        rh_decref(name);
        return NULL;
    }
    size_t slot = name_slot(heap->names, text, length, hash);
    heap->names->used += !heap->names->slots[slot];
    heap->names->slots[slot] = name; /* in place of one that is dying, if there is one */
    heap_leave(heap);
    return &name->object;
}

void names_destroy(struct rh_heap *heap)
{
    heap_free(heap, heap->names);
    heap->names = NULL;
}

/* ---- types ---- */

int scalars_create(struct rh_heap *heap, struct rh_error *err)
{
    static const struct rh_type_spec none_spec = RH_TYPE_SPEC("none", struct none_object, none_fields);
    static const struct rh_type_spec bool_spec = RH_TYPE_SPEC("bool", struct bool_object, bool_fields);
    static const struct rh_type_spec int_spec = RH_TYPE_SPEC("int", struct int_object, int_fields);
    static const struct rh_type_spec float_spec = RH_TYPE_SPEC("float", struct float_object, float_fields);
    const size_t text_size = offsetof(struct text_object, text) + 1;
    const struct rh_type_spec str_spec = {
        .name = "str", .size = text_size, .item_size = 1, .fields = str_fields, .field_count = 1};
    const struct rh_type_spec name_spec = {.name = "name",
                                           .size = text_size,
                                           .item_size = 1,
                                           .fields = name_fields,
                                           .field_count = 1,
                                           .release = name_release};
    const struct rh_type_spec bytes_spec = {
        .name = "bytes", .size = text_size, .item_size = 1, .fields = bytes_fields, .field_count = 1};
    const struct {
        enum rh_builtin which;
        const struct rh_type_spec *spec;
    } types[] = {
        {RH_TYPE_NONE, &none_spec},   {RH_TYPE_BOOL, &bool_spec}, {RH_TYPE_INT, &int_spec},
        {RH_TYPE_FLOAT, &float_spec}, {RH_TYPE_STR, &str_spec},   {RH_TYPE_NAME, &name_spec},
        {RH_TYPE_BYTES, &bytes_spec},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        int status = rh_type_create(heap, types[i].spec, &heap->builtins[types[i].which], err);
        if (status)
            return status;
        heap->builtins[types[i].which]->flags |= TYPE_KEEPS_SIZE;
    }
    return 0;
}

/* ---- values ---- */

/* Puts a singleton, which lies in the heap itself, on the list of untracked objects when it is first asked for, so that
 * programs that use no builtin types do not see it. */
static struct rh_object *singleton(struct rh_heap *heap, struct rh_object *object, enum rh_builtin type)
{
    if (object->type)
        return object;
    heap_enter(heap);
    object->refcount = RH_IMMORTAL;
    object->type = heap->builtins[type];
    object->links.next = RH_UNTRACKED;
    list_append(&heap->lists[RH_UNTRACKED], links_of(object));
    heap_leave(heap);
    return object;
}

struct rh_object *rh_none(struct rh_heap *heap)
{
    return singleton(heap, &heap->none.object, RH_TYPE_NONE);
}

struct rh_object *rh_bool(struct rh_heap *heap, int value)
{
    heap->true_object.value = 1;
    return singleton(heap, value ? &heap->true_object.object : &heap->false_object.object, RH_TYPE_BOOL);
}

struct rh_object *rh_int_new(struct rh_heap *heap, int64_t value)
{
    struct int_object *object = rh_object_new(heap->builtins[RH_TYPE_INT]);
    if (!object)
        return NULL;
    object->value = value;
    return &object->object;
}

int64_t rh_int_value(const struct rh_object *object)
{
    return ((const struct int_object *)object)->value;
}

struct rh_object *rh_float_new(struct rh_heap *heap, double value)
{
    struct float_object *object = rh_object_new(heap->builtins[RH_TYPE_FLOAT]);
    if (!object)
        return NULL;
    object->value = value;
    return &object->object;
}

double rh_float_value(const struct rh_object *object)
{
    return ((const struct float_object *)object)->value;
}

struct rh_object *rh_str_new(struct rh_heap *heap, const char *text, size_t length)
{
    return text_new(heap->builtins[RH_TYPE_STR], text, length);
}

struct rh_object *rh_str(struct rh_heap *heap, const char *text)
{
    return rh_str_new(heap, text, strlen(text));
}

struct rh_object *rh_bytes_new(struct rh_heap *heap, const void *data, size_t length)
{
    return text_new(heap->builtins[RH_TYPE_BYTES], data, length);
}

const char *rh_str_text(const struct rh_object *str)
{
    return ((const struct text_object *)str)->text;
}

size_t rh_str_length(const struct rh_object *str)
{
    return ((const struct text_object *)str)->length;
}

/* ---- keys ---- */

static uint64_t mix(uint64_t h)
{
    h = (h ^ h >> 32) * 0xd6e8feb86659fd93u;
    h = (h ^ h >> 32) * 0xd6e8feb86659fd93u;
    return h ^ h >> 32;
}

uint64_t text_hash(const char *text, size_t length)
{
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */
    for (size_t i = 0; i < length; i++)
        h = (h ^ (uint8_t)text[i]) * 0x100000001b3u;
    h = mix(h);
    return h ? h : 1;
}

int is_text(const struct rh_object *object)
{
    struct rh_type **types = object->type->heap->builtins;
    return object->type == types[RH_TYPE_STR] || object->type == types[RH_TYPE_NAME];
}

/* What a key is compared as: names are strs. */
static enum rh_builtin key_kind(const struct rh_object *key)
{
    struct rh_type **types = key->type->heap->builtins;
    if (is_text(key))
        return RH_TYPE_STR;
    if (key->type == types[RH_TYPE_BYTES])
        return RH_TYPE_BYTES;
    if (key->type == types[RH_TYPE_INT])
        return RH_TYPE_INT;
    if (key->type == types[RH_TYPE_FLOAT])
        return RH_TYPE_FLOAT;
    return RH_BUILTIN_LIMIT;
}

uint64_t key_hash(const struct rh_object *key)
{
    const struct text_object *text = (const struct text_object *)key;
    switch (key_kind(key)) {
    case RH_TYPE_STR:
    case RH_TYPE_BYTES:
        if (!text->hash)
            ((struct text_object *)(uintptr_t)text)->hash = text_hash(text->text, text->length);
        return text->hash;
    case RH_TYPE_INT:
    case RH_TYPE_FLOAT: /* both are one word behind the head */
        return mix((uint64_t)((const struct int_object *)key)->value);
    default:
        return mix((uint64_t)(uintptr_t)key);
    }
}

int key_equal(const struct rh_object *a, const struct rh_object *b)
{
    if (a == b)
        return 1;
    enum rh_builtin kind = key_kind(a);
    if (kind != key_kind(b))
        return 0;
    const struct text_object *x = (const struct text_object *)a, *y = (const struct text_object *)b;
    switch (kind) {
    case RH_TYPE_STR:
    case RH_TYPE_BYTES:
        return x->length == y->length && !memcmp(x->text, y->text, x->length);
    case RH_TYPE_INT:
    case RH_TYPE_FLOAT:
        return ((const struct int_object *)a)->value == ((const struct int_object *)b)->value;
    default:
        return 0;
    }
}
