/* Types: checking a field table, and copying it to memory of the heap's own.
 *
 * The copy is what makes a core file readable: a table in the program's read-only data is not part of a core written
 * with the default filter, memory of the heap is.
 */
#include <string.h>

#include "../../dumpfmt/error.h"
#include "internal.h"

static int holds_references(const struct rh_field *f)
{
    switch (f->kind) {
    case RH_FIELD_STRONG:
    case RH_FIELD_TAGGED:
    case RH_FIELD_ARRAY:
    case RH_FIELD_INLINE_ARRAY:
    case RH_FIELD_CHILDREN:
        return 1;
    case RH_FIELD_TABLE:
        return f->flags & (RH_FIELD_KEYS | RH_FIELD_VALUES);
    default:
        return 0;
    }
}

static int is_count_size(unsigned size)
{
    return size == 1 || size == 2 || size == 4 || size == 8;
}

static int is_inside(const struct rh_type_spec *spec, uint64_t offset, uint64_t size)
{
    return offset >= sizeof(struct rh_object) && offset + size <= spec->size;
}

static int count_is_inside(const struct rh_type_spec *spec, const struct rh_field *f)
{
    return is_count_size(f->count_size) && is_inside(spec, f->count_offset, f->count_size) &&
           (!f->capacity_offset || is_inside(spec, f->capacity_offset, f->count_size));
}

/* What is wrong with a field, or NULL. */
static const char *judge_field(const struct rh_type_spec *spec, const struct rh_field *f)
{
    static const char outside[] = "a field lies outside its struct";
    static const char bad_count[] = "a field's count lies outside its struct or has an impossible width";
    static const char bad_stride[] = "an element of an array or table is too small for what it holds";
    int pointer_inside = is_inside(spec, f->offset, sizeof(void *)) && f->offset % sizeof(void *) == 0;

    if (!f->name)
        return "a field has no name";
    if (f->flags & RH_FIELD_KEPT && f->kind != RH_FIELD_STRONG)
        return "a field that is kept is not a strong one";
    switch (f->kind) {
    case RH_FIELD_STRONG:
    case RH_FIELD_BORROWED:
    case RH_FIELD_TAGGED:
    case RH_FIELD_CHILDREN:
    case RH_FIELD_CSTRING:
        return pointer_inside ? NULL : outside;
    case RH_FIELD_WEAK:
        return pointer_inside && is_inside(spec, f->offset, sizeof(struct rh_weak)) ? NULL : outside;
    case RH_FIELD_ARRAY:
        if (!pointer_inside)
            return outside;
        if (!count_is_inside(spec, f))
            return bad_count;
        return f->key_offset + sizeof(void *) <= f->stride ? NULL : bad_stride;
    case RH_FIELD_TABLE:
        if (!pointer_inside)
            return outside;
        if (!count_is_inside(spec, f))
            return bad_count;
        return f->key_offset + sizeof(void *) <= f->stride && f->value_offset + sizeof(void *) <= f->stride
                   ? NULL
                   : bad_stride;
    case RH_FIELD_INLINE_ARRAY:
        if (f->key_offset + sizeof(void *) > f->stride)
            return bad_stride;
        if (f->flags & RH_FIELD_FIXED)
            return is_inside(spec, f->offset, (uint64_t)f->count_offset * f->stride) ? NULL : outside;
        if (f->offset < sizeof(struct rh_object) || f->offset > spec->size)
            return outside;
        return count_is_inside(spec, f) ? NULL : bad_count;
    case RH_FIELD_BYTES:
        if (!pointer_inside)
            return outside;
        return count_is_inside(spec, f) ? NULL : bad_count;
    case RH_FIELD_TEXT:
    case RH_FIELD_NAME:
    case RH_FIELD_DATA:
        if (f->offset < sizeof(struct rh_object) || f->offset > spec->size)
            return outside;
        return count_is_inside(spec, f) ? NULL : bad_count;
    case RH_FIELD_INT:
    case RH_FIELD_UINT:
        return is_count_size(f->count_size) && is_inside(spec, f->offset, f->count_size) ? NULL : outside;
    case RH_FIELD_BOOL:
        return is_inside(spec, f->offset, 1) ? NULL : outside;
    case RH_FIELD_FLOAT:
        return is_inside(spec, f->offset, sizeof(double)) ? NULL : outside;
    case RH_FIELD_NOTHING:
        return NULL;
    default:
        return "a field is of an unknown kind";
    }
}

static int judge_base(const struct rh_heap *heap, const struct rh_type_spec *spec, struct rh_error *err)
{
    static const char hint[] = "begin the struct with that of the base, and add fields behind it";
    const struct rh_type *base = spec->base;
    if (!base)
        return 0;
    if (base->heap != heap)
        return error_set(err, RH_ERR_ARGUMENT, "a type extends one of another heap", "make the base in the same heap");
    if (base->items)
        return error_set(err, RH_ERR_ARGUMENT, "a type extends one that ends in items", "keep the items in a buffer");
    if (spec->size < base->size)
        return error_set(err, RH_ERR_ARGUMENT, "a type is smaller than the one it extends", hint);
    for (size_t i = 0; i < spec->field_count; i++)
        if (spec->fields[i].offset < base->size && spec->fields[i].kind != RH_FIELD_NOTHING)
            return error_set(err, RH_ERR_ARGUMENT, "a field lies in the part of the struct that is the base's", hint);
    return 0;
}

static int judge_spec(const struct rh_heap *heap, const struct rh_type_spec *spec, struct rh_error *err)
{
    static const char hint[] = "correct the type's table";
    if (!spec->name || !*spec->name)
        return error_set(err, RH_ERR_ARGUMENT, "a type has no name", hint);
    if (spec->size < sizeof(struct rh_object) || spec->size > UINT32_MAX)
        return error_set(err, RH_ERR_ARGUMENT, "a type is smaller than RH_OBJECT_HEAD or larger than 4 GiB", hint);
    if (!spec->traverse != !spec->clear)
        return error_set(err, RH_ERR_ARGUMENT, "a type has one of traverse and clear without the other", hint);
    if (spec->field_count > UINT16_MAX)
        return error_set(err, RH_ERR_ARGUMENT, "a type has more than 65,535 fields", hint);
    int kept = 0;
    for (size_t i = 0; i < spec->field_count; i++) {
        const char *wrong = judge_field(spec, &spec->fields[i]);
        kept += (spec->fields[i].flags & RH_FIELD_KEPT) != 0;
        if (wrong)
            return error_set(err, RH_ERR_ARGUMENT, wrong, hint);
    }
    kept += spec->base && spec->base->kept;
    if (kept > 1)
        return error_set(err, RH_ERR_ARGUMENT, "a type has more than one field that is kept", hint);
    return judge_base(heap, spec, err);
}

static const char *place_text(char **at, const char *text)
{
    if (!text)
        return "";
    size_t size = strlen(text) + 1;
    char *to = memcpy(*at, text, size);
    *at += size;
    return to;
}

static int is_plain(const struct rh_type *type)
{
    if (type->traverse || type->clear || type->finalize || type->legacy_finalize || type->release || type->weak_count ||
        type->kept)
        return 0;
    for (uint32_t i = 0; i < type->field_count; i++) {
        unsigned kind = type->fields[i].kind;
        int has_buffer = kind == RH_FIELD_ARRAY || kind == RH_FIELD_TABLE || kind == RH_FIELD_BYTES;
        if (has_buffer || (kind != RH_FIELD_STRONG && holds_references(&type->fields[i])))
            return 0;
    }
    return 1;
}

/* The fields of the base come first. */
static const struct rh_field *field_at(const struct rh_type_spec *spec, size_t i)
{
    size_t inherited = spec->base ? spec->base->field_count : 0;
    return i < inherited ? &spec->base->fields[i] : &spec->fields[i - inherited];
}

static void add_field(struct rh_type *type, struct rh_field *f, const struct rh_field *from, char **text)
{
    *f = *from;
    f->name = place_text(text, from->name);
    if (holds_references(f))
        type->references[type->reference_count++] = (struct reference){f->offset, f->kind, f};
    if (f->kind == RH_FIELD_WEAK)
        type->weak_count++;
    if (f->flags & RH_FIELD_KEPT)
        type->kept = f;
    int counts_items = f->kind == RH_FIELD_INLINE_ARRAY || f->kind == RH_FIELD_TEXT || f->kind == RH_FIELD_NAME ||
                       f->kind == RH_FIELD_DATA;
    if (counts_items && !(f->flags & RH_FIELD_FIXED) && !type->items)
        type->items = f;
}

static void inherit_functions(struct rh_type *type)
{
    const struct rh_type *base = type->base;
    if (!base)
        return;
    if (!type->traverse && !type->clear) {
        type->traverse = base->traverse;
        type->clear = base->clear;
    }
    if (!type->finalize)
        type->finalize = base->finalize;
    if (!type->legacy_finalize)
        type->legacy_finalize = base->legacy_finalize;
    if (!type->release)
        type->release = base->release;
}

int rh_type_create(struct rh_heap *heap, const struct rh_type_spec *spec, struct rh_type **out, struct rh_error *err)
{
    *out = NULL;
    int status = judge_spec(heap, spec, err);
    if (status)
        return status;

    size_t count = spec->field_count + (spec->base ? spec->base->field_count : 0);
    size_t fields = count * sizeof(struct rh_field);
    size_t references = count * sizeof(struct reference);
    size_t text = strlen(spec->name) + 1 + (spec->module ? strlen(spec->module) + 1 : 0);
    for (size_t i = 0; i < count; i++)
        text += strlen(field_at(spec, i)->name) + 1;

    heap_enter(heap);
    struct rh_type *type = heap_allocate(heap, sizeof *type + fields + references + text);
    if (!type) {
        heap_leave(heap);
        return error_set(err, RH_ERR_NO_MEMORY, "not enough memory for a type", "");
    }
    struct rh_field *copy = (struct rh_field *)(type + 1);
    char *at = (char *)copy + fields + references;
    *type = (struct rh_type){
        .heap = heap,
        .base = spec->base,
        .size = spec->size,
        .item_size = spec->item_size,
        .field_count = (uint32_t)count,
        .fields = copy,
        .references = (struct reference *)((char *)copy + fields),
        .traverse = spec->traverse,
        .clear = spec->clear,
        .finalize = spec->finalize,
        .legacy_finalize = spec->legacy_finalize,
        .release = spec->release,
    };
    inherit_functions(type);
    type->name = place_text(&at, spec->name);
    type->module = place_text(&at, spec->module);
    for (size_t i = 0; i < count; i++)
        add_field(type, &copy[i], field_at(spec, i), &at);
    if (type->reference_count || type->traverse)
        type->flags |= TYPE_IS_CONTAINER;
    if (is_plain(type))
        type->flags |= TYPE_IS_PLAIN;
    if (!spec->item_size)
        type->flags |= TYPE_KEEPS_SIZE;
    type->flags |= (type->finalize ? TYPE_HAS_FINALIZER : 0) | (type->legacy_finalize ? TYPE_HAS_LEGACY : 0) |
                   (type->weak_count ? TYPE_HAS_WEAK : 0);
    type->next = heap->types;
    store_barrier();
    heap->types = type;
    heap_leave(heap);
    *out = type;
    return 0;
}

const struct rh_type *rh_type_base(const struct rh_type *type)
{
    return type->base;
}

int rh_is_a(const void *object, const struct rh_type *type)
{
    for (const struct rh_type *t = ((const struct rh_object *)object)->type; t; t = t->base)
        if (t == type)
            return 1;
    return 0;
}

void type_unregister(struct rh_type *type)
{
    struct rh_type **at = &type->heap->types;
    while (*at != type)
        at = &(*at)->next;
    *at = type->next;
}

void type_destroy(struct rh_type *type)
{
    heap_free(type->heap, type);
}

const char *rh_type_name(const struct rh_type *type)
{
    return type->name;
}

struct rh_heap *rh_type_heap(const struct rh_type *type)
{
    return type->heap;
}
