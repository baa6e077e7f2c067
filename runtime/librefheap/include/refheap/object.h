/* Objects, types and field tables.
 *
 * A type declares its references once, as a table of fields. The collector, the dump, the names on edges, and readers
 * from outside (a debugger, a core file) all read that one table, so a program with a correct table has a correct
 * collector:
 *
 *     struct node {
 *         RH_OBJECT_HEAD;
 *         struct node *next;
 *         char *name;
 *     };
 *     static const struct rh_field node_fields[] = {
 *         RH_STRONG(struct node, next),
 *         RH_VALUE_CSTRING(struct node, name),
 *     };
 *     static const struct rh_type_spec node_spec = RH_TYPE_SPEC("node", struct node, node_fields);
 *
 * Buffers a table names (arrays, tables, bytes) belong to the object: they come from rh_buffer_resize() and are freed
 * with it, unless the field says RH_FIELD_UNOWNED.
 */
#ifndef REFHEAP_OBJECT_H
#define REFHEAP_OBJECT_H

#include <stddef.h>
#include <stdint.h>

#include <refheap/error.h>

#ifdef __cplusplus
extern "C" {
#define RH_CAST(type, value) static_cast<type>(value)
#else
#define RH_CAST(type, value) ((type)(value))
#endif

#if defined(__GNUC__)
#define RH_API __attribute__((visibility("default")))
#else
#define RH_API
#endif

struct rh_heap;
struct rh_type;

/* Neighbours in the list of a generation; the low four bits of each are flags of this object. */
struct rh_links {
    uintptr_t next;
    uintptr_t prev;
};

/* What every object begins with: 32 bytes. Read refcount and type freely; the links are the library's. */
struct rh_object {
    int64_t refcount;
    struct rh_type *type;
    struct rh_links links;
};
#define RH_OBJECT_HEAD struct rh_object object

/* A refcount at or above this belongs to an immortal object: it is counted up and down and never reaches zero. */
#define RH_IMMORTAL (INT64_C(1) << 62)

/* A weak reference inside an object or anywhere else. It does not keep its target alive and reads as NULL once the
 * target dies. Zero it before first use; set it with rh_weak_set(). It must not be moved or freed while set; a field
 * of kind RH_FIELD_WEAK is cleared by the library when its object is freed. */
struct rh_weak {
    struct rh_object *target;
    struct rh_weak *next, *prev; /* the others of the same target, newest first */
    struct rh_object *owner;     /* the weakref object this is in; the library's */
};

enum rh_field_kind {
    RH_FIELD_STRONG = 1,       /* T *field: counted, NULL or an object */
    RH_FIELD_WEAK = 2,         /* struct rh_weak field */
    RH_FIELD_BORROWED = 3,     /* T *field: not counted; a child's pointer to its parent, say */
    RH_FIELD_TAGGED = 4,       /* a counted pointer with bits of its own in it */
    RH_FIELD_ARRAY = 5,        /* pointer to `count` elements, each with a counted reference */
    RH_FIELD_INLINE_ARRAY = 6, /* the same inside the object */
    RH_FIELD_BYTES = 7,        /* pointer to `count` elements without references */
    RH_FIELD_CHILDREN = 8,     /* first of a list of counted children linked through a field of theirs */
    RH_FIELD_TABLE = 9,        /* pointer to a hash table of `count` entries with a key and a value */
    /* Kinds without references: what a debugger shows of the object. The first one of a type is its value. */
    RH_FIELD_INT = 16, /* integer of `count_size` bytes, signed */
    RH_FIELD_UINT = 17,
    RH_FIELD_BOOL = 18,    /* one byte */
    RH_FIELD_FLOAT = 19,   /* double */
    RH_FIELD_TEXT = 20,    /* `count` bytes of UTF-8 inside the object */
    RH_FIELD_NAME = 21,    /* the same; the name of something, which a dump without values keeps */
    RH_FIELD_DATA = 22,    /* `count` bytes of anything inside the object */
    RH_FIELD_CSTRING = 23, /* pointer to UTF-8 that ends with a zero byte; not owned */
    RH_FIELD_NOTHING = 24, /* the type has one value, as None does */
};

enum rh_field_flags {
    RH_FIELD_UNOWNED = 1,     /* the buffer is not freed with the object */
    RH_FIELD_KEYS = 2,        /* of a table: keys are counted references */
    RH_FIELD_VALUES = 4,      /* of a table: values are counted references */
    RH_FIELD_FIXED = 8,       /* count_offset is the number of elements itself */
    RH_FIELD_ITEMS = 16,      /* of an array: what the object as a whole is made of; elements go by their index alone */
    RH_FIELD_ATTRIBUTES = 32, /* of a table: keys are names, values attributes */
    RH_FIELD_KEPT = 64, /* of a strong field, one a type: dropped only when the object is freed, not when a cycle is
                           cleared; for what the object needs to be freed at all */
};

/* One field. Use the macros below, which check what can be checked. */
struct rh_field {
    const char *name;
    uint8_t kind;       /* enum rh_field_kind */
    uint8_t flags;      /* enum rh_field_flags */
    uint8_t count_size; /* bytes of the fields at count_offset and capacity_offset: 1, 2, 4 or 8 */
    uint8_t reserved;
    uint32_t offset;          /* of the field in the object */
    uint32_t count_offset;    /* of the field that holds the number of elements, unsigned */
    uint32_t capacity_offset; /* of the field that holds how many there is room for; 0 for none */
    uint32_t stride;          /* bytes an element takes */
    uint32_t key_offset;      /* of the key in an entry of a table; of the reference in an element of an array */
    uint32_t value_offset;    /* of the value in an entry; of the link in a child */
    uint64_t mask;            /* tagged: bits that are not address. table: key of an empty entry */
    uint64_t other; /* tagged: bits that, when any is set, say it is no reference. table: key of a deleted entry */
};

#define RH_OFFSET(type, member) RH_CAST(uint32_t, offsetof(type, member))
#define RH_SIZE_OF(type, member) RH_CAST(uint8_t, sizeof(((type *)0)->member))

#define RH_STRONG(type, member)                                                         \
    {                                                                                   \
#member, RH_FIELD_STRONG, 0, 0, 0, RH_OFFSET(type, member), 0, 0, 0, 0, 0, 0, 0 \
    }
#define RH_WEAK(type, member)                                                         \
    {                                                                                 \
#member, RH_FIELD_WEAK, 0, 0, 0, RH_OFFSET(type, member), 0, 0, 0, 0, 0, 0, 0 \
    }
#define RH_BORROWED(type, member)                                                         \
    {                                                                                     \
#member, RH_FIELD_BORROWED, 0, 0, 0, RH_OFFSET(type, member), 0, 0, 0, 0, 0, 0, 0 \
    }
/* mask: the bits to strip; immediate: the bits that, when any is set, say the word is no reference. */
#define RH_TAGGED(type, member, mask, immediate)                                                   \
    {                                                                                              \
#member, RH_FIELD_TAGGED, 0, 0, 0, RH_OFFSET(type, member), 0, 0, 0, 0, 0, mask, immediate \
    }
/* type has `T **items` and an unsigned `count`. */
#define RH_ARRAY(type, items, count)                                                                              \
    {                                                                                                             \
#items, RH_FIELD_ARRAY, 0, RH_SIZE_OF(type, count), 0, RH_OFFSET(type, items), RH_OFFSET(type, count), 0, \
            sizeof(void *), 0, 0, 0, 0                                                                            \
    }
/* The same with room to spare, which counts as the object's size. */
#define RH_ARRAY_CAPACITY(type, items, count, capacity)                                                        \
    {                                                                                                          \
#items, RH_FIELD_ARRAY, 0, RH_SIZE_OF(type, count), 0, RH_OFFSET(type, items), RH_OFFSET(type, count), \
            RH_OFFSET(type, capacity), sizeof(void *), 0, 0, 0, 0                                              \
    }
/* type has `struct element *items` and `count`; element has a counted reference `member`. */
#define RH_ARRAY_OF(type, items, count, element, member)                                                          \
    {                                                                                                             \
#items, RH_FIELD_ARRAY, 0, RH_SIZE_OF(type, count), 0, RH_OFFSET(type, items), RH_OFFSET(type, count), 0, \
            sizeof(element), RH_OFFSET(element, member), 0, 0, 0                                                  \
    }
/* type ends with `T *items[]`, of which `count` are there. */
#define RH_INLINE_ARRAY(type, items, count)                                                                           \
    {                                                                                                                 \
#items, RH_FIELD_INLINE_ARRAY, 0, RH_SIZE_OF(type, count), 0, RH_OFFSET(type, items), RH_OFFSET(type, count), \
            0, sizeof(void *), 0, 0, 0, 0                                                                             \
    }
/* type has `T *items[n]` with a fixed n. */
#define RH_FIXED_ARRAY(type, items)                                                                       \
    {                                                                                                     \
#items, RH_FIELD_INLINE_ARRAY, RH_FIELD_FIXED, 0, 0, RH_OFFSET(type, items),                      \
            RH_CAST(uint32_t, sizeof(((type *)0)->items) / sizeof(void *)), 0, sizeof(void *), 0, 0, 0, 0 \
    }
/* type has `void *bytes` and their number. */
#define RH_BYTES(type, bytes, count)                                                                                 \
    {                                                                                                                \
#bytes, RH_FIELD_BYTES, 0, RH_SIZE_OF(type, count), 0, RH_OFFSET(type, bytes), RH_OFFSET(type, count), 0, 1, \
            0, 0, 0, 0                                                                                               \
    }
/* type has `struct child *first`, and child a `struct child *next` that is NULL, or the first child, at the last one.
 * The parent holds one counted reference to each child; the links are not counted. */
#define RH_CHILDREN(type, first, child, next)                                                                \
    {                                                                                                        \
#first, RH_FIELD_CHILDREN, 0, 0, 0, RH_OFFSET(type, first), 0, 0, 0, 0, RH_OFFSET(child, next), 0, 0 \
    }
/* type has `struct entry *entries` and `capacity`, the number of entries, used or not. flags: RH_FIELD_KEYS and
 * RH_FIELD_VALUES for what is counted. An entry whose key word equals empty or deleted holds nothing. */
#define RH_TABLE(type, entries, capacity, entry, key, value, flags, empty, deleted)                             \
    {                                                                                                           \
#entries, RH_FIELD_TABLE, flags, RH_SIZE_OF(type, capacity), 0, RH_OFFSET(type, entries),               \
            RH_OFFSET(type, capacity), 0, sizeof(entry), RH_OFFSET(entry, key), RH_OFFSET(entry, value), empty, \
            deleted                                                                                             \
    }

#define RH_VALUE_INT(type, member)                                                                          \
    {                                                                                                       \
#member, RH_FIELD_INT, 0, RH_SIZE_OF(type, member), 0, RH_OFFSET(type, member), 0, 0, 0, 0, 0, 0, 0 \
    }
#define RH_VALUE_UINT(type, member)                                                                          \
    {                                                                                                        \
#member, RH_FIELD_UINT, 0, RH_SIZE_OF(type, member), 0, RH_OFFSET(type, member), 0, 0, 0, 0, 0, 0, 0 \
    }
#define RH_VALUE_FLOAT(type, member)                                                                          \
    {                                                                                                         \
#member, RH_FIELD_FLOAT, 0, RH_SIZE_OF(type, member), 0, RH_OFFSET(type, member), 0, 0, 0, 0, 0, 0, 0 \
    }
#define RH_VALUE_TEXT(type, member, count)                                                                            \
    {                                                                                                                 \
#member, RH_FIELD_TEXT, 0, RH_SIZE_OF(type, count), 0, RH_OFFSET(type, member), RH_OFFSET(type, count), 0, 1, \
            0, 0, 0, 0                                                                                                \
    }
#define RH_VALUE_CSTRING(type, member)                                                   \
    {                                                                                    \
#member, RH_FIELD_CSTRING, 0, 0, 0, RH_OFFSET(type, member), 0, 0, 0, 0, 0, 0, 0 \
    }

/* Called by a hand-written traverse for each counted reference; a result other than 0 ends the traversal and is passed
 * on. */
typedef int (*rh_visit)(struct rh_object *target, void *context);

/* What a type is. Zero is a fit value for all but name and size. */
struct rh_type_spec {
    const char *name;
    const char *module; /* where it comes from: a program's part, a library; may be NULL */
    size_t size;        /* of the struct, the head included */
    size_t item_size;   /* of each further item, for rh_object_new_items() */
    const struct rh_field *fields;
    size_t field_count;
    unsigned flags; /* reserved, 0 */

    /* The type this one extends, of the same heap, or NULL. The struct begins with that of the base; the base's fields
     * come before its own, and its functions are taken over where there are none here. (finalize, traverse and clear of
     * a type that has its own call those of the base themselves.) */
    const struct rh_type *base;

    /* For layouts no table can say: both or neither, beside the table (which they must not repeat). traverse calls
     * visit for each reference and must be async-signal-safe; clear drops them and leaves the object fit to be freed.
     * A reader from outside cannot follow such references. */
    int (*traverse)(struct rh_object *object, rh_visit visit, void *context);
    void (*clear)(struct rh_object *object);

    /* Runs once before an unreachable object is torn down, and may bring it back to life (PEP 442). Of an atomic object
     * that was brought back it runs each time, as in CPython. */
    void (*finalize)(struct rh_object *object);

    /* The finalizer of old (tp_del): runs each time the object is about to be freed by its refcount, and makes every
     * cycle it can reach uncollectable. */
    void (*legacy_finalize)(struct rh_object *object);

    /* Runs as the object is freed, its fields cleared, to give back what the table does not name. */
    void (*release)(struct rh_object *object);
};

/* name: a string; type: the struct; fields: an array of struct rh_field. */
#define RH_TYPE_SPEC(name, type, fields)                                                                               \
    {                                                                                                                  \
        name, NULL, sizeof(type), 0, fields, sizeof(fields) / sizeof(*(fields)), 0, NULL, NULL, NULL, NULL, NULL, NULL \
    }

/* Makes a type of a heap; its spec, fields and names are copied. The type lives as long as the heap. Fails with
 * RH_ERR_ARGUMENT when the table contradicts itself: a field outside the struct, a count of an impossible width. */
RH_API int rh_type_create(struct rh_heap *heap, const struct rh_type_spec *spec, struct rh_type **out,
                          struct rh_error *err);
RH_API const char *rh_type_name(const struct rh_type *type);
RH_API const struct rh_type *rh_type_base(const struct rh_type *type); /* NULL for none */

/* Whether the object's type is this one or extends it. */
RH_API int rh_is_a(const void *object, const struct rh_type *type);
RH_API struct rh_heap *rh_type_heap(const struct rh_type *type);

/* A new object, zeroed behind its head, with a refcount of 1; NULL when memory is exhausted. This is a safe point: a
 * collection may run or a dump be taken before the object is made. */
RH_API void *rh_object_new(struct rh_type *type);

/* The same with room for `items` further items of the type's item size. */
RH_API void *rh_object_new_items(struct rh_type *type, size_t items);

/* Where an object is made, for heaps that record it (rh_heap_options.site_depth):
 *
 *     struct node *n = RH_AT(rh_object_new(node_type));
 *
 * Everything made on the way to the value is recorded as made here. Costs nothing to speak of when sites are off. */
struct rh_site {
    const char *file, *function;
    unsigned line;
};
RH_API const struct rh_site *rh_site_set(const struct rh_site *site); /* returns the one before; NULL: none */
#ifdef __cplusplus
#define RH_AUTO auto
#else
#define RH_AUTO __auto_type
#endif
#define RH_AT(expression)                                                      \
    __extension__({                                                            \
        static const struct rh_site rh_site_ = {__FILE__, __func__, __LINE__}; \
        const struct rh_site *rh_before_ = rh_site_set(&rh_site_);             \
        RH_AUTO rh_made_ = (expression);                                       \
        rh_site_set(rh_before_);                                               \
        rh_made_;                                                              \
    })

/* The number the object got when it was made, from 1 on; 0 when its heap does not number objects. */
RH_API uint64_t rh_serial(const void *object);

/* Resizes a buffer that a field table names, within the object: *buffer is NULL or came from here. Returns 0, or
 * RH_ERR_NO_MEMORY with *buffer as it was. Bytes beyond the old size are zero. While an object's array and its count
 * disagree, keep the heap busy (rh_busy_begin), so that no dump looks at them. */
RH_API int rh_buffer_resize(struct rh_heap *heap, void *buffer, size_t old_size, size_t new_size);

/* The slow end of rh_decref(). */
RH_API void rh_object_drop(struct rh_object *object);

static inline struct rh_heap *rh_heap_of(const void *object)
{
    return rh_type_heap((RH_CAST(const struct rh_object *, object))->type);
}

static inline int64_t rh_refcount(const void *object)
{
    return (RH_CAST(const struct rh_object *, object))->refcount;
}

/* Says that an object's refcount is not one a living object has; see debug.h. */
RH_API void rh_refcount_trap(const void *object, const char *file, unsigned line);

static inline void rh_incref(void *object)
{
#ifdef RH_DEBUG
    if ((RH_CAST(struct rh_object *, object))->refcount < 0)
        rh_refcount_trap(object, __FILE__, __LINE__);
#endif
    (RH_CAST(struct rh_object *, object))->refcount++;
}

/* Drops a reference; the object is freed with its last one. */
static inline void rh_decref(void *object)
{
    struct rh_object *o = RH_CAST(struct rh_object *, object);
#ifdef RH_DEBUG
    if (o->refcount <= 0) {
        rh_refcount_trap(o, __FILE__, __LINE__);
        return;
    }
#endif
    if (--o->refcount == 0)
        rh_object_drop(o);
}

/* The same for what may be NULL. */
static inline void rh_xincref(void *object)
{
    if (object)
        rh_incref(object);
}

static inline void rh_xdecref(void *object)
{
    if (object)
        rh_decref(object);
}

/* Stores `value` (or NULL) in a counted field or variable: `slot` is its address. The old value is dropped last. */
RH_API void rh_assign(void *slot, void *value);

/* Points a weak reference at `object`, or nowhere when it is NULL. Returns 0 or RH_ERR_NO_MEMORY. */
RH_API int rh_weak_set(struct rh_weak *weak, void *object);

/* A new reference to the target, or NULL when it is gone. */
RH_API void *rh_weak_get(const struct rh_weak *weak);

/* Calls `callback` once: when the object has died, or when its heap is destroyed before, then the latest first; like
 * Python's weakref.finalize. The object is not kept alive and `context` must not refer to it. Returns 0 or
 * RH_ERR_NO_MEMORY. rh_not_at_death() takes it back, and returns whether it was still to come. */
RH_API int rh_at_death(void *object, void (*callback)(void *context), void *context);
RH_API int rh_not_at_death(void *object, void (*callback)(void *context), void *context);

#ifdef __cplusplus
}
#endif
#endif
