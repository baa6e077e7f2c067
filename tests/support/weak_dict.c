#include "weak_dict.h"

#include <stdlib.h>

static const struct rh_field fields[] = {
    RH_STRONG(struct weak_dict, entries),
    RH_STRONG(struct weak_dict, self),
    RH_STRONG(struct weak_dict, waiting),
};

struct rh_type *weak_dict_type(struct rh_heap *heap)
{
    static const struct rh_type_spec spec = RH_TYPE_SPEC("weak_dict", struct weak_dict, fields);
    struct rh_type *type;
    if (rh_type_create(heap, &spec, &type, NULL))
        abort();
    return type;
}

struct weak_dict *weak_dict_new(struct rh_type *type, enum weak_side side)
{
    struct weak_dict *dict = rh_object_new(type);
    if (!dict)
        abort();
    dict->side = side;
    dict->entries = rh_dict_new(rh_type_heap(type));
    dict->waiting = rh_list_new(rh_type_heap(type));
    dict->self = rh_weakref_new(dict, NULL, NULL);
    return dict;
}

/* ---- entries ---- */

/* What the entry of a key is found by: a new reference. */
static void *entry_key(const struct weak_dict *dict, const void *key)
{
    if (dict->side == WEAK_KEYS)
        return rh_int_new(rh_heap_of(dict), (int64_t)(intptr_t)key);
    void *same = (void *)(uintptr_t)key;
    rh_incref(same);
    return same;
}

static struct rh_object *entry_weakref(const struct weak_dict *dict, struct rh_object *entry)
{
    return dict->side == WEAK_KEYS ? rh_tuple_get(entry, 0) : entry;
}

/* The weak reference's data is a tuple: the way to the cache, and what its entry is found by. */
static void remove_entry_of(struct weak_dict *dict, struct rh_object *weakref, struct rh_object *data)
{
    struct rh_object *key = rh_tuple_get(data, 1), *entry = rh_dict_get(dict->entries, key);
    if (entry && entry_weakref(dict, entry) == weakref)
        rh_dict_remove(dict->entries, key);
}

static void object_died(struct rh_object *weakref, struct rh_object *data)
{
    struct weak_dict *dict = rh_weakref_get(rh_tuple_get(data, 0));
    if (!dict)
        return;
    if (dict->iterating) {
        struct rh_object *late = rh_tuple_new(rh_heap_of(dict), 2);
        rh_tuple_set(late, 0, weakref);
        rh_tuple_set(late, 1, data);
        rh_list_put(dict->waiting, late);
    } else {
        remove_entry_of(dict, weakref, data);
    }
    rh_decref(dict);
}

static void remove_waiting(struct weak_dict *dict)
{
    while (rh_list_length(dict->waiting)) {
        size_t last = rh_list_length(dict->waiting) - 1;
        struct rh_object *late = rh_list_get(dict->waiting, last);
        rh_incref(late);
        rh_list_remove(dict->waiting, last);
        remove_entry_of(dict, rh_tuple_get(late, 0), rh_tuple_get(late, 1));
        rh_decref(late);
    }
}

/* ---- reading and writing ---- */

int weak_dict_set(struct weak_dict *dict, void *key, void *value)
{
    struct rh_heap *heap = rh_heap_of(dict);
    struct rh_object *found_by, *data, *weakref, *entry;
    remove_waiting(dict);
    found_by = entry_key(dict, key);
    data = rh_tuple_new(heap, 2);
    rh_tuple_set(data, 0, dict->self);
    rh_tuple_set(data, 1, found_by);
    entry = weakref = rh_weakref_new(dict->side == WEAK_KEYS ? key : value, object_died, data);
    if (dict->side == WEAK_KEYS) {
        entry = rh_tuple_new(heap, 2);
        rh_tuple_set(entry, 0, weakref);
        rh_tuple_set(entry, 1, value);
        rh_decref(weakref);
    }
    int status = rh_dict_set(dict->entries, found_by, entry);
    rh_decref(entry);
    rh_decref(data);
    rh_decref(found_by);
    return status;
}

/* Key and value of an entry whose object lives. */
static int read_entry(const struct weak_dict *dict, void *found_by, struct rh_object *entry, void **key, void **value)
{
    void *object = rh_weakref_get(entry_weakref(dict, entry));
    if (!object)
        return 0;
    *key = dict->side == WEAK_KEYS ? object : found_by;
    *value = dict->side == WEAK_KEYS ? rh_tuple_get(entry, 1) : object;
    rh_incref(dict->side == WEAK_KEYS ? *value : *key);
    return 1;
}

void *weak_dict_get(const struct weak_dict *dict, const void *key)
{
    void *found_by = entry_key(dict, key), *its_key, *value = NULL;
    struct rh_object *entry = rh_dict_get(dict->entries, found_by);
    if (entry && read_entry(dict, found_by, entry, &its_key, &value))
        rh_decref(its_key);
    rh_decref(found_by);
    return value;
}

void *weak_dict_default(struct weak_dict *dict, void *key, void *value)
{
    void *there = weak_dict_get(dict, key);
    if (there)
        return there;
    weak_dict_set(dict, key, value);
    rh_incref(value);
    return value;
}

int weak_dict_remove(struct weak_dict *dict, const void *key)
{
    remove_waiting(dict);
    void *found_by = entry_key(dict, key);
    int status = rh_dict_remove(dict->entries, found_by);
    rh_decref(found_by);
    return status;
}

int weak_dict_pop(struct weak_dict *dict, void **key, void **value)
{
    void *found_by, *entry, *last = NULL;
    size_t position = 0;
    remove_waiting(dict);
    *key = *value = NULL;
    while (rh_dict_next(dict->entries, &position, &found_by, &entry)) {
        void *its_key, *its_value;
        if (!read_entry(dict, found_by, entry, &its_key, &its_value))
            continue;
        rh_xdecref(*key);
        rh_xdecref(*value);
        *key = its_key;
        *value = its_value;
        last = found_by;
    }
    return last ? rh_dict_remove(dict->entries, last) : RH_ERR_NOT_FOUND;
}

void weak_dict_clear(struct weak_dict *dict)
{
    rh_list_clear(dict->waiting);
    rh_dict_clear(dict->entries);
}

size_t weak_dict_length(const struct weak_dict *dict)
{
    return rh_dict_length(dict->entries) - rh_list_length(dict->waiting);
}

/* ---- iterating ---- */

void weak_dict_begin(struct weak_dict *dict)
{
    dict->iterating++;
}

int weak_dict_next(const struct weak_dict *dict, size_t *position, void **key, void **value)
{
    void *found_by, *entry;
    while (rh_dict_next(dict->entries, position, &found_by, &entry))
        if (read_entry(dict, found_by, entry, key, value))
            return 1;
    return 0;
}

void weak_dict_end(struct weak_dict *dict)
{
    if (--dict->iterating == 0)
        remove_waiting(dict);
}

void weak_dict_update(struct weak_dict *dict, struct weak_dict *from)
{
    size_t position = 0;
    void *key, *value;
    weak_dict_begin(from);
    while (weak_dict_next(from, &position, &key, &value)) {
        weak_dict_set(dict, key, value);
        rh_decref(key);
        rh_decref(value);
    }
    weak_dict_end(from);
}

void weak_dict_update_from(struct weak_dict *dict, struct rh_object *plain)
{
    size_t position = 0;
    void *key, *value;
    while (rh_dict_next(plain, &position, &key, &value))
        weak_dict_set(dict, key, value);
}
