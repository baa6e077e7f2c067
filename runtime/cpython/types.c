/* Types: what stands at an address, and how instances lie in memory. */
#include "internal.h"

enum { NAME_BYTES = 64, BASES_MAX = 512, METATYPES_MAX = 16, MEMBER_SIZE = 40, T_OBJECT_EX = 16,
       METHODS_MAX = 1024, METHOD_SIZE = 32 };

/* The fields of a type object that are looked at, read once. */
struct raw_type {
    uint64_t address, name, flags, traverse, base, members, is_gc, del, finalize;
    int64_t count, basic_size, item_size, weaklist_offset, dict_offset;
};

static int read_raw(struct py_world *w, uint64_t address, struct raw_type *out)
{
    struct py_memory *m = w->memory;
    int ok = 1;
    *out = (struct raw_type){
        .address = address,
        .count = (int64_t)py_u64(m, address + PY_SIZE, &ok),
        .name = py_u64(m, address + PY_TP_NAME, &ok),
        .basic_size = (int64_t)py_u64(m, address + PY_TP_BASICSIZE, &ok),
        .item_size = (int64_t)py_u64(m, address + PY_TP_ITEMSIZE, &ok),
        .flags = py_u64(m, address + PY_TP_FLAGS, &ok),
        .traverse = py_u64(m, address + PY_TP_TRAVERSE, &ok),
        .weaklist_offset = (int64_t)py_u64(m, address + PY_TP_WEAKLISTOFFSET, &ok),
        .members = py_u64(m, address + PY_TP_MEMBERS, &ok),
        .base = py_u64(m, address + PY_TP_BASE, &ok),
        .dict_offset = (int64_t)py_u64(m, address + PY_TP_DICTOFFSET, &ok),
        .del = py_u64(m, address + PY_TP_DEL, &ok),
        .finalize = py_u64(m, address + PY_TP_FINALIZE, &ok),
    };
    return ok && out->basic_size >= 0 && out->basic_size < 1 << 30 && out->item_size >= 0 && out->item_size < 1 << 20
               ? 0
               : -1;
}

/* Whether a type object stands there: the chain of its types has to lead to `type` over classes derived from it. */
static int is_type(struct py_world *w, uint64_t address)
{
    int ok = 1;
    for (int i = 0; i < METATYPES_MAX && address % 8 == 0; i++) {
        uint64_t meta = py_u64(w->memory, address + PY_TYPE, &ok);
        if (!ok)
            return 0;
        if (meta == w->type_type)
            return 1;
        if (meta == address || meta % 8 || !(py_u64(w->memory, meta + PY_TP_FLAGS, &ok) & PY_FLAG_TYPE_SUBCLASS) || !ok)
            return 0;
        address = meta;
    }
    return 0;
}

/* A class statement takes tp_name from the str it keeps; whoever makes types in C keeps a C string. */
static int is_python_class(struct py_world *w, const struct raw_type *type)
{
    int ok = 1;
    if (!(type->flags & PY_FLAG_HEAPTYPE))
        return 0;
    if (w->subtype_traverse && type->traverse == w->subtype_traverse)
        return 1;
    uint64_t name = py_u64(w->memory, type->address + (uint64_t)w->layout->ht_name, &ok);
    if (!ok || !name)
        return 0;
    if (type->name == name + (uint64_t)w->layout->unicode_ascii_size)
        return 1;
    uint64_t utf8 = py_u64(w->memory, name + (uint64_t)w->layout->unicode_utf8, &ok);
    return ok && utf8 == type->name;
}

static void read_slots(struct py_world *w, const struct raw_type *type, struct py_type *out)
{
    int ok = 1;
    for (int64_t i = 0; i < type->count && i < 4096 && type->members; i++) {
        uint64_t member = type->members + (uint64_t)i * MEMBER_SIZE;
        uint64_t name = py_u64(w->memory, member, &ok);
        uint32_t kind = py_u32(w->memory, member + 8, &ok);
        int64_t offset = (int64_t)py_u64(w->memory, member + 16, &ok);
        if (!ok || !name)
            return;
        if (kind != T_OBJECT_EX || offset < PY_OBJECT_SIZE || offset > INT32_MAX)
            continue;
        if (out->slot_count == PY_SLOTS_MAX) {
            out->slots_cut = 1;
            return;
        }
        out->slots[out->slot_count].offset = (int32_t)offset;
        out->slots[out->slot_count++].name = name;
    }
}

/* Whether a type brings a __sizeof__ of its own, which may say anything. */
static int has_sizeof(struct py_world *w, const struct raw_type *type)
{
    char name[NAME_BYTES];
    uint64_t found;
    int ok = 1;
    if (type->flags & PY_FLAG_HEAPTYPE) {
        uint64_t dict = py_u64(w->memory, type->address + PY_TP_DICT, &ok);
        return ok && dict && !dict_value(w, dict, "__sizeof__", &found);
    }
    uint64_t method = py_u64(w->memory, type->address + PY_TP_METHODS, &ok);
    for (int i = 0; method && ok && i < METHODS_MAX; i++, method += METHOD_SIZE) {
        uint64_t at = py_u64(w->memory, method, &ok);
        if (!at || !ok)
            return 0;
        if (py_c_string(w->memory, at, name, sizeof name) > 0 && !strcmp(name, "__sizeof__"))
            return 1;
    }
    return 0;
}

/* The dict of a type. Those of static types are kept by each interpreter from 3.12 on, at a number that stands where the
 * subclasses were. */
static uint64_t type_dict(struct py_world *w, uint64_t type)
{
    const struct py_layout *l = w->layout;
    int ok = 1;
    uint64_t dict = py_u64(w->memory, type + PY_TP_DICT, &ok), number = py_u64(w->memory, type + PY_TP_SUBCLASSES, &ok);
    if (!ok || dict || !w->interpreter || !number || number > (uint64_t)l->interp_static_type_count)
        return ok ? dict : 0;
    uint64_t at = w->interpreter + (uint64_t)l->interp_static_types + (number - 1) * (uint64_t)l->static_type_size;
    return py_u64(w->memory, at, &ok) == type && ok ? py_u64(w->memory, at + (uint64_t)l->static_type_dict, &ok) : 0;
}

/* Of a struct sequence: how many items its instances have that their length does not tell. */
static uint32_t hidden_items(struct py_world *w, uint64_t type)
{
    uint64_t all, seen;
    uint64_t dict = type_dict(w, type);
    if (!dict || py_dict_number(w, dict, "n_fields", &all) || py_dict_number(w, dict, "n_sequence_fields", &seen))
        return 0;
    return all > seen && all < 4096 ? (uint32_t)(all - seen) : 0;
}

/* The nearest base that something is known of, and with it the kind. */
static void find_kind(struct py_world *w, const struct raw_type *native, struct py_type *out)
{
    struct raw_type at = *native;
    char name[NAME_BYTES];
    out->kind = native->address == w->object_type || native->basic_size <= PY_OBJECT_SIZE ? PY_KIND_PLAIN
                                                                                            : PY_KIND_SCANNED;
    out->known_size = native->item_size ? PY_VAR_OBJECT_SIZE : PY_OBJECT_SIZE;
    if (out->kind == PY_KIND_PLAIN)
        out->known_size = native->basic_size;
    for (int i = 0; i < BASES_MAX && at.address != w->object_type; i++) {
        const struct py_own *own = py_c_string(w->memory, at.name, name, sizeof name) > 0 ? own_of(name) : NULL;
        if (own) {
            out->own = own;
            out->kind = own->kind;
            out->known_size = own->known_size ? own->known_size : at.basic_size;
            out->adds_unseen = own->kind == PY_KIND_OPAQUE ||
                               (at.address != native->address && at.traverse == native->traverse);
            if (own->kind == PY_KIND_FIELDS || own->kind == PY_KIND_OPAQUE ||
                (own->tell && own->kind != PY_KIND_GENERATOR)) /* those are known here */
                out->own_sizeof |= (uint8_t)has_sizeof(w, &at);
            return;
        }
        out->own_sizeof |= (uint8_t)has_sizeof(w, &at);
        if (!at.base || read_raw(w, at.base, &at))
            return;
    }
}

int py_type_read(struct py_world *w, uint64_t address, struct py_type *out)
{
    struct raw_type type, at;
    *out = (struct py_type){.address = address};
    if (!is_type(w, address) || read_raw(w, address, &type))
        return -1;
    out->base = type.base;
    out->flags = type.flags;
    out->traverse = type.traverse;
    out->basic_size = type.basic_size;
    out->item_size = type.item_size;
    out->dict_offset = type.dict_offset;
    out->weaklist_offset = type.weaklist_offset;
    out->container = (type.flags & PY_FLAG_HAVE_GC) != 0;
    out->finalizer = type.finalize != 0;
    out->legacy_finalizer = type.del != 0;
    out->python_class = (uint8_t)is_python_class(w, &type);
    if (out->python_class && out->container && !w->subtype_traverse)
        w->subtype_traverse = type.traverse;

    at = type;
    for (int i = 0; i < BASES_MAX && at.address != w->object_type && is_python_class(w, &at); i++) {
        read_slots(w, &at, out);
        out->own_sizeof |= (uint8_t)has_sizeof(w, &at);
        if (!at.base || read_raw(w, at.base, &at))
            return -1;
    }
    out->native = at.address;
    out->native_heap = (at.flags & PY_FLAG_HEAPTYPE) != 0;
    out->native_size = at.basic_size;
    out->native_dict_offset = at.dict_offset > 0 ? at.dict_offset : 0;
    out->native_weaklist_offset = at.weaklist_offset > 0 ? at.weaklist_offset : 0;
    find_kind(w, &at, out);

    int ok = 1;
    if (type.flags & PY_FLAG_HEAPTYPE)
        out->cached_keys = py_u64(w->memory, address + (uint64_t)w->layout->ht_cached_keys, &ok);
    out->managed_dict = (type.flags & w->layout->flag_managed_dict) != 0;
    out->own_dict = !out->managed_dict && out->python_class && type.dict_offset != at.dict_offset;
    if (out->kind == PY_KIND_TUPLE) { /* its items stand where another type has what it adds */
        out->hidden_items = hidden_items(w, at.address);
        out->known_size = out->native_size;
    }
    if (out->kind == PY_KIND_TYPE && out->native != w->type_type)
        out->own_sizeof = 1; /* a metaclass of C keeps more than a class has */
    if (out->kind == PY_KIND_NONE)
        w->none_type = address;
    return ok ? 0 : -1;
}

int py_world_begin(struct py_world *w)
{
    int ok = 1;
    if (!w->type_type || !is_type(w, w->type_type))
        return -1;
    w->object_type = py_u64(w->memory, w->type_type + PY_TP_BASE, &ok);
    if (!ok || !is_type(w, w->object_type) || py_u64(w->memory, w->object_type + PY_TP_BASE, &ok) || !ok)
        return -1;
    if (w->layout->dk_lookup >= 0) { /* the keys of this dict are int */
        uint64_t dict = py_u64(w->memory, w->object_type + PY_TP_SUBCLASSES, &ok);
        uint64_t keys = dict ? py_u64(w->memory, dict + 32, &ok) : 0;
        w->lookup_general = keys ? py_u64(w->memory, keys + (uint64_t)w->layout->dk_lookup, &ok) : 0;
    }
    return ok ? 0 : -1;
}

/* ---- names ---- */

static const char builtins_prefix[] = "builtins.", main_prefix[] = "__main__.";

static long type_module(struct py_world *w, const struct py_type *type, char *to, size_t size)
{
    uint64_t whole, module = 0;
    int ok = 1;
    uint64_t dict = py_u64(w->memory, type->address + PY_TP_DICT, &ok);
    if (type->flags & PY_FLAG_HEAPTYPE && ok && dict && !dict_value(w, dict, "__module__", &module)) {
        long n = py_str(w, module, to, size - 1, &whole);
        if (n >= 0) {
            to[n] = 0;
            return n;
        }
    }
    if (py_c_string(w->memory, py_u64(w->memory, type->address + PY_TP_NAME, &ok), to, size) < 0)
        return -1;
    char *dot = strrchr(to, '.');
    if (!dot || type->python_class)
        memcpy(to, "builtins", size < 9 ? size : 9);
    else
        *dot = 0;
    to[size - 1] = 0;
    return (long)strlen(to);
}

long py_type_module(struct py_world *w, const struct py_type *type, char *to, size_t size)
{
    to[0] = 0;
    return size < 16 ? -1 : type_module(w, type, to, size);
}

long py_type_name(struct py_world *w, const struct py_type *type, char *to, size_t size)
{
    uint64_t whole;
    int ok = 1;
    to[0] = 0;
    if (size < 32)
        return -1;
    if (!(type->flags & PY_FLAG_HEAPTYPE)) {
        long n = py_c_string(w->memory, py_u64(w->memory, type->address + PY_TP_NAME, &ok), to, size);
        size_t cut = sizeof builtins_prefix - 1;
        if (n > 0 && !strncmp(to, builtins_prefix, cut)) {
            n -= (long)cut;
            memmove(to, to + cut, (size_t)n + 1);
        }
        return n;
    }
    long n = type_module(w, type, to, size / 2);
    if (n < 0)
        n = 0;
    else
        to[n++] = '.';
    if (((size_t)n == sizeof builtins_prefix - 1 && !memcmp(to, builtins_prefix, (size_t)n)) ||
        ((size_t)n == sizeof main_prefix - 1 && !memcmp(to, main_prefix, (size_t)n)))
        n = 0;
    uint64_t name = py_u64(w->memory, type->address + (uint64_t)w->layout->ht_qualname, &ok);
    long more = ok && name ? py_str(w, name, to + n, size - 1 - (size_t)n, &whole) : -1;
    if (more < 0) {
        n = 0;
        more = py_c_string(w->memory, py_u64(w->memory, type->address + PY_TP_NAME, &ok), to, size);
    }
    n += more > 0 ? more : 0;
    to[n] = 0;
    return n;
}
