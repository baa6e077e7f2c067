/* What a CPython object refers to, how large it is, and what it is called: read from its memory by the layouts of its
 * version, without running any of the interpreter's code.
 *
 * Reading goes through a struct py_memory. Inside the process it is the process's own memory; outside it is a copy or a
 * core, and then nothing read is trusted: whatever is not there, or not as it should be, ends the description of that
 * object and is told. Nothing here allocates, keeps state of its own, or calls what could; all of it can run while the
 * world is stopped. Only work bounded by the objects' own memory is done, and nothing recurses over objects.
 *
 * The caller keeps a struct py_type for each type (py_type_read() fills it), finds it by the address in an object's type
 * word, and hands it in: it says at once how the instances lie in memory.
 */
#ifndef CPYTHON_DESCRIBE_H
#define CPYTHON_DESCRIBE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "layout.h"

/* ---- memory ---- */

enum { PY_VIEW_MAX = 4096 }; /* the most that is asked for at once */

struct py_memory {
    /* `size` bytes at `address`, valid until the next call, or NULL when they are not all there. May set the window
     * below. */
    const void *(*view)(struct py_memory *memory, uint64_t address, size_t size);

    /* Memory that is there for sure and stays: `length` bytes from `start` on lie at `bytes`. It is looked at first.
     * Inside the process: 0, UINT64_MAX, NULL. None: length 0. */
    uint64_t start, length;
    const uint8_t *bytes;
};

/* Inside the process: every address is its own. The pair of py_memory above, set once. */
void py_memory_inside(struct py_memory *memory);

static inline const void *py_view(struct py_memory *m, uint64_t address, size_t size)
{
    uint64_t at = address - m->start;
    if (at < m->length && size <= m->length - at)
        return (const void *)((uintptr_t)m->bytes + at);
    return m->view(m, address, size);
}

/* A word of 8 or 4 bytes, or a byte; 0 and *ok cleared when it is not there. */
static inline uint64_t py_u64(struct py_memory *m, uint64_t address, int *ok)
{
    uint64_t value = 0;
    const void *p = py_view(m, address, sizeof value);
    if (p)
        memcpy(&value, p, sizeof value);
    else
        *ok = 0;
    return value;
}
static inline uint32_t py_u32(struct py_memory *m, uint64_t address, int *ok)
{
    uint32_t value = 0;
    const void *p = py_view(m, address, sizeof value);
    if (p)
        memcpy(&value, p, sizeof value);
    else
        *ok = 0;
    return value;
}
static inline uint8_t py_u8(struct py_memory *m, uint64_t address, int *ok)
{
    const uint8_t *p = py_view(m, address, 1);
    if (!p)
        *ok = 0;
    return p ? *p : 0;
}

/* Copies a C string, cut at size - 1 bytes, always terminated. Returns its length as copied, -1 when nothing is there. */
long py_c_string(struct py_memory *m, uint64_t address, char *to, size_t size);

/* ---- the world ---- */

struct py_world {
    const struct py_layout *layout;
    struct py_memory *memory;
    uint64_t type_type;         /* PyType_Type: the caller's to set */
    uint64_t object_type;       /* PyBaseObject_Type: py_world_begin() */
    uint64_t subtype_traverse;  /* tp_traverse of classes made by a class statement; learnt from the first one read */
    uint64_t lookup_general;    /* 3.8 to 3.10: dk_lookup of dicts with keys other than str; py_world_begin() */
    uint64_t none_type;         /* type(None); learnt when it is read */
    uint64_t interpreter;       /* the caller's to set: whose static types' dicts are meant (3.12 on); 0: none */

    /* Whether an address is an object's. When it is set, the words of objects of unknown layout are scanned, and
     * whatever it says yes to is delivered as an inferred reference. Inside the process it is NULL: tp_traverse knows. */
    int (*is_object)(struct py_world *world, uint64_t address);

    /* Asked before `words` words are looked at because an object says that they are there; 0 ends the description. May
     * be NULL: inside the process objects are believed. */
    int (*spend)(struct py_world *world, uint64_t words);
    void *context; /* the caller's */
};

/* Fills in what follows from layout, memory and type_type. Returns 0, or -1 when that is no type object. */
int py_world_begin(struct py_world *world);

/* ---- types ---- */

enum py_kind { /* how instances lie in memory */
               PY_KIND_PLAIN, /* nothing but the header, or words that refer to nothing */
               PY_KIND_SCANNED, /* layout unknown: from base_size on, words may be references */
               PY_KIND_LIST,
               PY_KIND_TUPLE,
               PY_KIND_DICT,
               PY_KIND_SET,
               PY_KIND_TYPE,
               PY_KIND_FUNCTION,
               PY_KIND_METHOD,
               PY_KIND_CFUNCTION,
               PY_KIND_CELL,
               PY_KIND_MODULE,
               PY_KIND_FRAME,
               PY_KIND_GENERATOR, /* coroutines and asynchronous generators too */
               PY_KIND_CODE,
               PY_KIND_WEAKREF,
               PY_KIND_DESCRIPTOR,
               PY_KIND_EXCEPTION,
               PY_KIND_TRACEBACK,
               PY_KIND_DEQUE,
               PY_KIND_ORDERED_DICT,
               PY_KIND_LRU_CACHE,
               PY_KIND_LRU_LINK, /* whose references the cache tells */
               PY_KIND_OPAQUE,   /* the collector sees no word of it but the instance dict */
               PY_KIND_CONTEXT_VAR,
               PY_KIND_FIELDS, /* a table of named words: property, slice, partial, iterators, ... */
               PY_KIND_STR,
               PY_KIND_BYTES,
               PY_KIND_BYTEARRAY,
               PY_KIND_INT,
               PY_KIND_BOOL,
               PY_KIND_FLOAT,
               PY_KIND_NONE,
               PY_KIND_OTHER, /* the few that need a function of their own; see `own` */
               PY_KIND_COUNT };

struct py_own; /* what is special to one kind; describe_*.c know */

enum { PY_SLOTS_MAX = 24 };

struct py_type {
    uint64_t address, base, flags, traverse;
    enum py_kind kind;
    const struct py_own *own; /* what else is known of `kind`, or NULL */
    int64_t basic_size, item_size, dict_offset, weaklist_offset;
    uint64_t cached_keys;   /* of a class: the keys that its instances' values stand under, or 0 */
    uint64_t native;        /* the nearest type in the chain of bases that no class statement made */
    int64_t known_size;     /* bytes of the instance that `kind` tells; behind them, up to native_size, is scanned */
    int64_t native_size, native_dict_offset, native_weaklist_offset;
    uint32_t hidden_items;  /* of a tuple: items behind those that its length counts */
    uint8_t container;      /* Py_TPFLAGS_HAVE_GC; py_is_container() asks for the object */
    uint8_t python_class;   /* made by a class statement */
    uint8_t native_heap;    /* `native` is no static type */
    uint8_t adds_unseen;    /* what `native` adds to a known base is not traversed */
    uint8_t managed_dict;   /* the instance dict stands before the object */
    uint8_t own_dict;       /* the instance dict stands at dict_offset, put there by a class statement */
    uint8_t own_sizeof;     /* it or a base of unknown layout has a __sizeof__: py_size() can only estimate */
    uint8_t finalizer, legacy_finalizer;
    uint8_t slots_cut;      /* has more slots than there is room for here; the rest is not told */
    uint16_t slot_count;    /* of __slots__, its own and its bases' */
    struct {
        int32_t offset;
        uint64_t name; /* address of a C string */
    } slots[PY_SLOTS_MAX];
};

/* Reads the type object at `address`. Returns 0, or -1 when no type object stands there: its type must be `type` or a
 * class derived from it, and likewise on. */
int py_type_read(struct py_world *world, uint64_t address, struct py_type *out);

/* "module.qualname" as a traceback writes it (without builtins. and __main__.), and the module. Cut at size - 1 and
 * terminated. Returns the length, -1 when it cannot be read (and then "" stands there). */
long py_type_name(struct py_world *world, const struct py_type *type, char *to, size_t size);
long py_type_module(struct py_world *world, const struct py_type *type, char *to, size_t size);

/* ---- objects ---- */

/* Refcount as stored. *immortal: whether it is one that nobody counts. */
int64_t py_refcount(const struct py_world *world, uint64_t stored, int *immortal);

/* Whether the collector could track this object. */
int py_is_container(struct py_world *world, uint64_t object, const struct py_type *type);

enum py_label {
    PY_LABEL_NONE,
    PY_LABEL_INDEX,  /* number: the index */
    PY_LABEL_KEY,    /* number: address of the key object */
    PY_LABEL_IS_KEY,
    PY_LABEL_TEXT,   /* text: a constant of this folder, always at the same address */
    PY_LABEL_STR,    /* number: address of a str object whose text is the label */
    PY_LABEL_C_STRING, /* number: address of a C string in the target */
    PY_LABEL_OFFSET, /* number: bytes from the object's start ("+0x28") */
};

struct py_reference {
    uint64_t target;
    unsigned bits; /* enum edge_bits of the snapshot format: counted, traversed, inferred, weak */
    enum py_label label;
    uint64_t number;
    const char *text;
};

/* Another result than 0 ends the description. */
typedef int py_visit(void *context, const struct py_reference *reference);

enum py_extent {
    PY_WHOLE,   /* every reference was delivered, from known layouts */
    PY_SCANNED, /* some or all came from a scan, or would have, if is_object is NULL */
    PY_BROKEN,  /* memory is missing or makes no sense; what was delivered before stands */
    PY_ENDED,   /* visit said so */
};

/* Delivers what the object refers to: what tp_traverse would visit (counted and traversed), what it owns without the
 * collector's seeing it (counted), weak referents. Pointers that are neither are not delivered. With multiplicity; in no
 * promised order. */
enum py_extent py_references(struct py_world *world, uint64_t object, const struct py_type *type, py_visit *visit,
                             void *context);

/* What sys.getsizeof() says, the GC header and what stands before it included. *estimate is set where that is not
 * known; never cleared. */
uint64_t py_size(struct py_world *world, uint64_t object, const struct py_type *type, int *estimate);

/* Items in use and room for items, of a list, dict, set or deque; 0 and 0 for others. */
void py_used(struct py_world *world, uint64_t object, const struct py_type *type, uint64_t *used, uint64_t *capacity);

/* ---- values and names ---- */

struct py_value {
    unsigned kind;   /* enum value_kind of the snapshot format; 0: it has none */
    uint64_t length; /* of the whole value in bytes, as the format counts it */
    uint32_t kept;   /* bytes in `to` */
};

/* The value of an exact str, bytes, int, bool, float or None. At most `size` bytes are kept. */
void py_value(struct py_world *world, uint64_t object, const struct py_type *type, char *to, size_t size,
              struct py_value *out);

/* What Python calls the object: the qualified name of a type, function, code object, generator, descriptor; a module's
 * name. kind is 0 for an object that has none. */
void py_name(struct py_world *world, uint64_t object, const struct py_type *type, char *to, size_t size,
             struct py_value *out);

/* The text of a str object as UTF-8. Returns the length in `to` (not terminated), -1 when it is no str that can be read;
 * *whole the length of the whole text. A cut falls between characters. */
long py_str(struct py_world *world, uint64_t str, char *to, size_t size, uint64_t *whole);

/* The number that a dict has under a name, as long as it is small (below 2^30). Returns 0, or -1 when there is none. */
int py_dict_number(struct py_world *world, uint64_t dict, const char *key, uint64_t *number);

#endif
