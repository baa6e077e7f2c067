/* Following the counted references of an object by its field table. Always inlined, so that each pass of the collector
 * is compiled with its own visit. */
#ifndef LIBREFHEAP_TRAVERSE_H
#define LIBREFHEAP_TRAVERSE_H

#include "internal.h"

static inline size_t read_count(const void *object, uint32_t offset, unsigned size)
{
    const char *at = (const char *)object + offset;
    switch (size) {
    case 1:
        return *(const uint8_t *)at;
    case 2:
        return *(const uint16_t *)at;
    case 4:
        return *(const uint32_t *)at;
    default:
        return *(const uint64_t *)at;
    }
}

static inline size_t field_count(const void *object, const struct rh_field *field)
{
    if (field->flags & RH_FIELD_FIXED)
        return field->count_offset;
    return read_count(object, field->count_offset, field->count_size);
}

static inline void *read_pointer(const void *object, size_t offset)
{
    return *(void *const *)((const char *)object + offset);
}

/* The object a tagged word refers to, or NULL. */
static inline struct rh_object *untag(uintptr_t word, const struct rh_field *field)
{
    return word & field->other ? NULL : (struct rh_object *)(word & ~(uintptr_t)field->mask);
}

static inline int entry_is_used(const char *entry, const struct rh_field *field)
{
    uintptr_t key = (uintptr_t)read_pointer(entry, field->key_offset);
    return key != field->mask && key != field->other;
}

#define VISIT(target)                               \
    do {                                            \
        struct rh_object *visited_ = (target);      \
        if (visited_) {                             \
            int result_ = visit(visited_, context); \
            if (__builtin_expect(result_, 0))       \
                return result_;                     \
        }                                           \
    } while (0)

static inline __attribute__((always_inline)) int traverse_field(struct rh_object *object, const struct rh_field *f,
                                                                rh_visit visit, void *context)
{
    const char *base = (const char *)object + f->offset;
    switch (f->kind) {
    case RH_FIELD_TAGGED:
        VISIT(untag(*(const uintptr_t *)base, f));
        return 0;
    case RH_FIELD_ARRAY:
        base = *(char *const *)base;
        if (!base)
            return 0; /* fallthrough */
    case RH_FIELD_INLINE_ARRAY:
        for (size_t i = 0, n = field_count(object, f); i < n; i++)
            VISIT(read_pointer(base, i * f->stride + f->key_offset));
        return 0;
    case RH_FIELD_CHILDREN: {
        struct rh_object *first = read_pointer(base, 0);
        for (struct rh_object *child = first; child;) {
            struct rh_object *after = read_pointer(child, f->value_offset);
            VISIT(child);
            child = after == first ? NULL : after;
        }
        return 0;
    }
    case RH_FIELD_TABLE:
        base = *(char *const *)base;
        if (!base)
            return 0;
        for (size_t i = 0, n = field_count(object, f); i < n; i++, base += f->stride) {
            if (!entry_is_used(base, f))
                continue;
            if (f->flags & RH_FIELD_KEYS)
                VISIT(read_pointer(base, f->key_offset));
            if (f->flags & RH_FIELD_VALUES)
                VISIT(read_pointer(base, f->value_offset));
        }
        return 0;
    default:
        return 0;
    }
}

/* Calls visit for every counted reference of the object; stops when it returns other than 0, and returns that. */
static inline __attribute__((always_inline)) int traverse(struct rh_object *object, rh_visit visit, void *context)
{
    const struct rh_type *type = object->type;
    const struct reference *r = type->references, *end = r + type->reference_count;
    for (; r < end; r++) {
        if (__builtin_expect(r->kind == RH_FIELD_STRONG, 1)) {
            VISIT(read_pointer(object, r->offset));
        } else {
            int result = traverse_field(object, r->field, visit, context);
            if (result)
                return result;
        }
    }
    return type->traverse ? type->traverse(object, visit, context) : 0;
}

#undef VISIT
#endif
