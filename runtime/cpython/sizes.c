/* Sizes, as sys.getsizeof() tells them. */
#include "internal.h"

enum {
    LIST_ALLOCATED = 32,
    SET_FILL = 16,
    SET_USED = 24,
    SET_MASK = 32,
    SET_TABLE = 40,
    SET_SMALL_TABLE = 64,
    BYTEARRAY_ALLOCATED = 24,
    DEQUE_LEFT_INDEX = 40,
    BLOCK_SIZE = 528,
    BLOCK_ITEMS = 64,
    OD_FAST_NODES_SIZE = 72,
    OD_NODE_SIZE = 32,
};
#define MOST (UINT64_C(1) << 46)

uint64_t size_before(const struct py_world *w, const struct py_type *type)
{
    const struct py_layout *l = w->layout;
    uint32_t flags = l->flag_managed_dict | l->flag_managed_weakref;
    return (type->container ? PY_GC_HEAD_SIZE : 0) + (type->flags & flags ? 16 : 0);
}

static uint64_t keys_size(struct py_world *w, const struct dict_keys *keys)
{
    return (uint64_t)w->layout->dk_indices + keys->index_bytes + (keys->size << 1) / 3 * keys->stride;
}

static uint64_t dict_size(struct telling *t)
{
    struct dict_keys keys;
    uint64_t values = word(t, 40), size = (uint64_t)t->type->basic_size;
    if (dict_keys_read(t->w, word(t, 32), &keys)) {
        t->ok = 0;
        return size;
    }
    if (values)
        size += 8 * (t->l->dk_kind >= 0 ? keys.count + keys.usable : (keys.size << 1) / 3);
    return keys.references == 1 ? size + keys_size(t->w, &keys) : size;
}

static uint64_t str_size(struct telling *t)
{
    uint64_t length = word(t, 16), size, data = 0;
    unsigned state = py_u32(t->m, t->object + 32, &t->ok);
    unsigned kind = state >> 2 & 7, compact = state >> 5 & 1, ascii = state >> 6 & 1;
    if (compact && ascii)
        return (uint64_t)t->l->unicode_ascii_size + length + 1;
    size = (uint64_t)(compact ? t->l->unicode_compact_size : t->l->unicode_size);
    if (!compact)
        data = word(t, t->l->unicode_any);
    if (compact || data)
        size += (length + 1) * kind;
    uint64_t utf8 = word(t, t->l->unicode_utf8);
    if (utf8 && utf8 != data)
        size += word(t, t->l->unicode_utf8_length) + 1;
    if (t->l->unicode_wstr != -1) {
        uint64_t wide = word(t, t->l->unicode_wstr);
        uint64_t characters = word(t, t->l->unicode_compact_size - 8);
        uint64_t own = t->object + (uint64_t)t->l->unicode_compact_size;
        if (wide && !(compact ? wide == own : wide == data))
            size += (ascii ? length + 1 : characters + 1) * 4;
    }
    return size;
}

static uint64_t int_size(struct telling *t)
{
    if (t->l->version >= 0x030c) {
        uint64_t digits = word(t, PY_SIZE) >> 3;
        return (uint64_t)t->type->basic_size + 4 * (digits ? digits : 1);
    }
    int64_t digits = (int64_t)word(t, PY_SIZE);
    if (!digits && t->l->version >= 0x030b)
        digits = 1; /* there is room for it */
    return (uint64_t)t->l->long_digits + 4 * (uint64_t)(digits < 0 ? -digits : digits);
}

/* What a frame of 3.11 on takes, from its struct's beginning. */
static uint64_t iframe_size(struct telling *t, uint64_t code)
{
    uint64_t slots = py_u32(t->m, code + (uint64_t)t->l->code_nlocalsplus, &t->ok);
    slots += py_u32(t->m, code + (uint64_t)t->l->code_stacksize, &t->ok);
    return (uint64_t)t->l->iframe_localsplus + 8 * slots;
}

static uint64_t frame_size(struct telling *t)
{
    if (t->l->frame_iframe == -1) {
        uint64_t stack = word(t, t->l->frame_valuestack), locals = t->object + (uint64_t)t->l->frame_localsplus;
        uint64_t code = word(t, t->l->frame_code);
        uint64_t slots = (stack - locals) / 8 + py_u32(t->m, code + (uint64_t)t->l->code_stacksize, &t->ok);
        return (uint64_t)t->l->frame_size + 8 * (slots - 1);
    }
    uint64_t code = py_u64(t->m, word(t, t->l->frame_iframe) + (uint64_t)t->l->iframe_code, &t->ok);
    return t->ok ? (uint64_t)t->l->frame_data + iframe_size(t, code) : 0;
}

static uint64_t generator_size(struct telling *t)
{
    if (t->l->gen_iframe == -1)
        return (uint64_t)t->type->basic_size;
    uint64_t code = t->l->gen_code != -1 ? word(t, t->l->gen_code)
                                          : word(t, (int64_t)t->l->gen_iframe + t->l->iframe_code);
    return t->ok ? (uint64_t)t->l->gen_iframe + iframe_size(t, code) : 0;
}

static uint64_t code_size(struct telling *t, int *estimate)
{
    uint64_t size = (uint64_t)t->type->basic_size;
    if (t->l->code_cell2arg == -1) /* the code itself lies behind; whole words are taken */
        return (size + word(t, PY_SIZE) * (uint64_t)t->type->item_size + 7) & ~UINT64_C(7);
    uint64_t cells = word(t, t->l->code_cellvars);
    if (word(t, t->l->code_cell2arg) && cells)
        size += 8 * py_u64(t->m, cells + PY_SIZE, &t->ok);
    *estimate |= t->l->code_opcache != -1 && word(t, t->l->code_opcache) != 0;
    return size;
}

static uint64_t plain_size(struct telling *t)
{
    uint64_t size = (uint64_t)t->type->basic_size;
    if (t->type->item_size) {
        int64_t items = (int64_t)word(t, PY_SIZE);
        size += (uint64_t)(items < 0 ? -items : items) * (uint64_t)t->type->item_size;
    }
    return size;
}

static uint64_t own_size(struct telling *t, int *estimate)
{
    struct dict_keys keys;
    uint64_t size = (uint64_t)t->type->basic_size;
    switch (t->type->kind) {
    case PY_KIND_LIST:
        return size + 8 * word(t, LIST_ALLOCATED);
    case PY_KIND_DICT:
        return dict_size(t);
    case PY_KIND_ORDERED_DICT:
        return dict_size(t) + 8 * word(t, OD_FAST_NODES_SIZE) + OD_NODE_SIZE * word(t, 16);
    case PY_KIND_SET:
        return word(t, SET_TABLE) == t->object + SET_SMALL_TABLE ? size : size + 16 * (word(t, SET_MASK) + 1);
    case PY_KIND_DEQUE:
        return size + (word(t, DEQUE_LEFT_INDEX) + word(t, PY_SIZE) + BLOCK_ITEMS - 1) / BLOCK_ITEMS * BLOCK_SIZE;
    case PY_KIND_TYPE:
        if (!(word(t, PY_TP_FLAGS) & PY_FLAG_HEAPTYPE))
            return (uint64_t)t->l->type_size;
        size = word(t, t->l->ht_cached_keys);
        return (uint64_t)t->l->heap_type_size +
               (size && t->ok && !dict_keys_read(t->w, size, &keys) ? keys_size(t->w, &keys) : 0);
    case PY_KIND_FRAME:
        return frame_size(t);
    case PY_KIND_GENERATOR:
        return generator_size(t);
    case PY_KIND_CODE:
        return code_size(t, estimate);
    case PY_KIND_STR:
        return str_size(t);
    case PY_KIND_INT:
    case PY_KIND_BOOL:
        return int_size(t);
    case PY_KIND_BYTEARRAY:
        return size + word(t, BYTEARRAY_ALLOCATED);
    default:
        return plain_size(t);
    }
}

uint64_t py_size(struct py_world *w, uint64_t object, const struct py_type *type, int *estimate)
{
    struct telling t = {.w = w, .m = w->memory, .l = w->layout, .object = object, .type = type, .ok = 1};
    uint64_t size = own_size(&t, estimate);
    if (!t.ok || size > MOST) {
        *estimate = 1;
        size = (uint64_t)type->basic_size;
    }
    if (type->own_sizeof)
        *estimate = 1;
    int by_type = w->layout->version == 0x030b || w->layout->version == 0x030c; /* whatever the object is */
    if (type->kind == PY_KIND_TYPE && !by_type && !py_is_container(w, object, type))
        return size;
    return size + size_before(w, type);
}

void py_used(struct py_world *w, uint64_t object, const struct py_type *type, uint64_t *used, uint64_t *capacity)
{
    struct telling t = {.w = w, .m = w->memory, .l = w->layout, .object = object, .type = type, .ok = 1};
    struct dict_keys keys;
    *used = *capacity = 0;
    switch (type->kind) {
    case PY_KIND_LIST:
        *used = word(&t, PY_SIZE);
        *capacity = word(&t, LIST_ALLOCATED);
        break;
    case PY_KIND_DICT:
    case PY_KIND_ORDERED_DICT:
        if (!dict_keys_read(w, word(&t, 32), &keys)) {
            *used = word(&t, 16);
            *capacity = (keys.size << 1) / 3;
        }
        break;
    case PY_KIND_SET:
        *used = word(&t, SET_USED);
        *capacity = word(&t, SET_MASK) + 1;
        break;
    default:
        return;
    }
    if (!t.ok || *capacity > MOST)
        *used = *capacity = 0;
    else if (*used > *capacity)
        *used = *capacity;
}
