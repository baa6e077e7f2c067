/* Dicts, instance dicts, sets, deques: containers with a table of their own. */
#include "internal.h"

enum { MA_USED = 16, MA_KEYS = 32, MA_VALUES = 40, DICT_SIZE = 48 };
enum { KIND_GENERAL = 0, KIND_SPLIT = 2 };

int dict_keys_read(struct py_world *w, uint64_t keys, struct dict_keys *out)
{
    const struct py_layout *l = w->layout;
    struct py_memory *m = w->memory;
    int ok = 1, unicode_entries = 0;
    *out = (struct dict_keys){0};
    out->references = (int64_t)py_u64(m, keys, &ok);
    if (l->dk_kind >= 0) {
        unsigned kind = py_u8(m, keys + (uint64_t)l->dk_kind, &ok);
        unsigned log2_size = py_u8(m, keys + (uint64_t)l->dk_log2_size, &ok);
        unsigned log2_bytes = py_u8(m, keys + (uint64_t)l->dk_log2_index_bytes, &ok);
        if (log2_size > 40 || log2_bytes > 43 || kind > KIND_SPLIT)
            return -1;
        out->general = kind == KIND_GENERAL;
        unicode_entries = !out->general;
        out->size = UINT64_C(1) << log2_size;
        out->index_bytes = UINT64_C(1) << log2_bytes;
    } else {
        out->size = py_u64(m, keys + (uint64_t)l->dk_size, &ok);
        out->general = py_u64(m, keys + (uint64_t)l->dk_lookup, &ok) == w->lookup_general;
        if (out->size > UINT64_C(1) << 40)
            return -1;
        unsigned width = out->size <= 0xff ? 1 : out->size <= 0xffff ? 2 : out->size <= 0xffffffff ? 4 : 8;
        out->index_bytes = out->size * width;
    }
    out->count = py_u64(m, keys + (uint64_t)l->dk_nentries, &ok);
    out->usable = py_u64(m, keys + (uint64_t)l->dk_usable, &ok);
    out->entries = keys + (uint64_t)l->dk_indices + out->index_bytes;
    out->stride = unicode_entries ? 16 : 24;
    out->key = unicode_entries ? 0 : 8;
    out->value = out->key + 8;
    return ok && out->count <= out->size ? 0 : -1;
}

/* Entry by entry: calls `each` with key and value. */
static void each_entry(struct telling *t, const struct dict_keys *keys, uint64_t values,
                       void (*each)(struct telling *t, const struct dict_keys *keys, uint64_t key, uint64_t value))
{
    if (!may_look(t, keys->count * 2))
        return;
    for (uint64_t i = 0; i < keys->count && t->ok && !t->ended; i++) {
        uint64_t entry = keys->entries + i * keys->stride;
        uint64_t key = py_u64(t->m, entry + keys->key, &t->ok);
        uint64_t value = py_u64(t->m, values ? values + 8 * i : entry + keys->value, &t->ok);
        if (t->ok)
            each(t, keys, key, value);
    }
}

static void tell_value(struct telling *t, const struct dict_keys *keys, uint64_t key, uint64_t value)
{
    (void)keys;
    if (value)
        tell(t, value, STRONG, key ? PY_LABEL_KEY : PY_LABEL_NONE, key, NULL);
}

static void tell_entry(struct telling *t, const struct dict_keys *keys, uint64_t key, uint64_t value)
{
    tell_value(t, keys, key, value);
    if (key)
        tell(t, key, keys->general && value ? STRONG : OWNED, PY_LABEL_IS_KEY, 0, NULL);
}

static void tell_key(struct telling *t, const struct dict_keys *keys, uint64_t key, uint64_t value)
{
    (void)keys;
    (void)value;
    if (key)
        tell(t, key, OWNED, PY_LABEL_IS_KEY, 0, NULL);
}

void tell_keys(struct telling *t, uint64_t address)
{
    struct dict_keys keys;
    if (!address || dict_keys_read(t->w, address, &keys))
        t->ok &= !address;
    else
        each_entry(t, &keys, 0, tell_key);
}

/* Values in a row, under the keys that a class and its instances share. */
static void tell_values(struct telling *t, uint64_t address, uint64_t values)
{
    struct dict_keys keys;
    if (!address || dict_keys_read(t->w, address, &keys))
        t->ok = 0;
    else
        each_entry(t, &keys, values + (uint64_t)t->l->values_array, tell_value);
}

void tell_dict(struct telling *t)
{
    uint64_t address = word(t, MA_KEYS), values = word(t, MA_VALUES);
    struct dict_keys keys;
    if (!t->ok || dict_keys_read(t->w, address, &keys)) {
        t->ok = 0;
        return;
    }
    if (!values) {
        each_entry(t, &keys, 0, tell_entry);
        return;
    }
    /* Values that stand in the instance are the instance's (3.13). */
    int embedded = t->l->flag_inline_values && py_u8(t->m, values + 2, &t->ok);
    if (!embedded)
        each_entry(t, &keys, values + (uint64_t)t->l->values_array, tell_value);
    if (keys.references == 1)
        tell_keys(t, address);
}

void tell_instance_dict(struct telling *t)
{
    const struct py_type *type = t->type;
    if (type->own_dict) {
        int64_t at = type->dict_offset;
        if (at < 0) { /* from the end, rounded up */
            int64_t items = (int64_t)word(t, PY_SIZE);
            items = items < 0 ? -items : items;
            if (items > INT64_C(1) << 32) {
                t->ok = 0;
                return;
            }
            at += (type->basic_size + items * type->item_size + 7) & ~INT64_C(7);
        }
        tell_named(t, word(t, at), type->container ? STRONG : OWNED, "__dict__");
        return;
    }
    uint64_t dict = word(t, t->l->managed_dict);
    if (t->l->managed_values) { /* 3.11: two words */
        uint64_t values = word(t, t->l->managed_values);
        if (values && t->ok)
            tell_values(t, type->cached_keys, values);
        tell_named(t, dict, STRONG, "__dict__");
        return;
    }
    if (!t->l->flag_inline_values) { /* 3.12: one word, tagged when it leads to values */
        if (dict & 1)
            tell_values(t, type->cached_keys, dict + 1);
        else
            tell_named(t, dict, STRONG, "__dict__");
        return;
    }
    uint64_t values = t->object + PY_OBJECT_SIZE;
    int inside = type->flags & t->l->flag_inline_values && py_u8(t->m, values + 3, &t->ok);
    if (inside)
        tell_values(t, type->cached_keys, values);
    tell_named(t, dict, inside ? OWNED : STRONG, "__dict__");
}

/* ---- ordered dicts ---- */

enum { OD_FIRST = 48, OD_INST_DICT = 96, NODE_NEXT = 16 };

void tell_ordered_dict(struct telling *t)
{
    uint64_t node = word(t, OD_FIRST), left = word(t, MA_USED) + 16;
    tell_dict(t);
    tell_word(t, OD_INST_DICT, STRONG, "__dict__");
    for (; node && t->ok && left && may_look(t, 3); left--) {
        uint64_t key = py_u64(t->m, node, &t->ok);
        if (key && t->ok)
            tell(t, key, STRONG, PY_LABEL_IS_KEY, 0, NULL);
        node = py_u64(t->m, node + NODE_NEXT, &t->ok);
    }
}

/* ---- sets ---- */

enum { SET_MASK = 32, SET_TABLE = 40 };

void tell_set(struct telling *t)
{
    uint64_t table = word(t, SET_TABLE), mask = word(t, SET_MASK);
    if (!t->ok || mask > UINT64_C(1) << 40 || !may_look(t, 2 * (mask + 1)))
        t->ok = 0;
    for (uint64_t i = 0; t->ok && !t->ended && i <= mask; i++) {
        uint64_t key = py_u64(t->m, table + 16 * i, &t->ok);
        if (key && t->ok && py_u64(t->m, table + 16 * i + 8, &t->ok) != UINT64_MAX && t->ok) /* -1: a dummy */
            tell(t, key, STRONG, PY_LABEL_NONE, 0, NULL);
    }
}

/* ---- deques ---- */

enum { DEQUE_LEFT = 24, DEQUE_LEFT_INDEX = 40, BLOCK_ITEMS = 64, BLOCK_DATA = 8, BLOCK_RIGHT = 520 };

void tell_deque(struct telling *t)
{
    uint64_t count = word(t, PY_SIZE), block = word(t, DEQUE_LEFT), at = word(t, DEQUE_LEFT_INDEX);
    if (!t->ok || at > BLOCK_ITEMS || !may_look(t, count))
        t->ok = 0;
    for (uint64_t i = 0; t->ok && !t->ended && i < count; i++, at++) {
        if (at >= BLOCK_ITEMS) {
            block = py_u64(t->m, block + BLOCK_RIGHT, &t->ok);
            at = 0;
        }
        uint64_t item = py_u64(t->m, block + BLOCK_DATA + 8 * at, &t->ok);
        if (item && t->ok)
            tell(t, item, STRONG, PY_LABEL_INDEX, i, NULL);
    }
}

/* ---- looking up ---- */

static int str_equals(struct py_world *w, uint64_t str, const char *text)
{
    char found[64];
    uint64_t whole;
    size_t length = strlen(text);
    int ok = 1;
    return py_u64(w->memory, str + 16, &ok) == length && ok && length < sizeof found &&
           py_str(w, str, found, sizeof found, &whole) == (long)length && !memcmp(found, text, length);
}

int dict_value(struct py_world *w, uint64_t dict, const char *key, uint64_t *value)
{
    struct dict_keys keys;
    int ok = 1;
    uint64_t address = py_u64(w->memory, dict + MA_KEYS, &ok), split = py_u64(w->memory, dict + MA_VALUES, &ok);
    if (!ok || split || dict_keys_read(w, address, &keys) || keys.count > 1 << 16)
        return -1;
    for (uint64_t i = 0; i < keys.count && ok; i++) {
        uint64_t entry = keys.entries + i * keys.stride;
        uint64_t name = py_u64(w->memory, entry + keys.key, &ok);
        *value = py_u64(w->memory, entry + keys.value, &ok);
        if (ok && name && *value && str_equals(w, name, key))
            return 0;
    }
    return -1;
}

int py_dict_number(struct py_world *w, uint64_t dict, const char *key, uint64_t *number)
{
    uint64_t object;
    int ok = 1;
    if (dict_value(w, dict, key, &object))
        return -1;
    *number = py_u32(w->memory, object + (uint64_t)w->layout->long_digits, &ok); /* one digit is enough for what is asked */
    return ok ? 0 : -1;
}
