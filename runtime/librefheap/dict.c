/* dict. */
#include <string.h>

#include "scalars.h"
#include "table.h"

struct dict_object {
    RH_OBJECT_HEAD;
    struct table table;
};

static const struct rh_field dict_fields[] = {TABLE_FIELDS(struct dict_object, TABLE_DICT)};

static struct table *table_of(const struct rh_object *dict)
{
    return &((struct dict_object *)(uintptr_t)dict)->table;
}

/* The whole table goes, index and all: a dict that survives its clearing is an empty one. */
static void dict_clear(struct rh_object *dict)
{
    table_clear(dict->type->heap, table_of(dict));
}

int dicts_create(struct rh_heap *heap, struct rh_error *err)
{
    static const struct rh_type_spec spec = RH_TYPE_SPEC("dict", struct dict_object, dict_fields);
    int status = rh_type_create(heap, &spec, &heap->builtins[RH_TYPE_DICT], err);
    if (status)
        return status;
    heap->builtins[RH_TYPE_DICT]->clear = dict_clear;
    heap->builtins[RH_TYPE_DICT]->flags |= TYPE_BORN_UNTRACKED | TYPE_IDLES;
    return 0;
}

struct rh_object *rh_dict_new(struct rh_heap *heap)
{
    return rh_object_new(heap->builtins[RH_TYPE_DICT]);
}

int rh_dict_set(struct rh_object *dict, void *key, void *value)
{
    int status = table_set(dict->type->heap, table_of(dict), key, value);
    if (!status && !is_tracked(dict) && (may_be_tracked(key) || may_be_tracked(value)))
        rh_track(dict);
    return status;
}

void *rh_dict_get(const struct rh_object *dict, const void *key)
{
    struct entry *entry = table_find(table_of(dict), key, key_hash(key));
    return entry ? entry->value : NULL;
}

int rh_dict_remove(struct rh_object *dict, const void *key)
{
    return table_remove(dict->type->heap, table_of(dict), key);
}

void rh_dict_clear(struct rh_object *dict)
{
    rh_incref(dict); /* a value that dies may drop the last reference to the dict */
    dict_clear(dict);
    rh_decref(dict);
}

size_t rh_dict_length(const struct rh_object *dict)
{
    return table_of(dict)->used;
}

int rh_dict_set_text(struct rh_object *dict, const char *key, void *value)
{
    struct rh_object *str = rh_str(dict->type->heap, key);
    if (!str)
        return RH_ERR_NO_MEMORY;
    int status = rh_dict_set(dict, str, value);
    rh_decref(str);
    return status;
}

void *rh_dict_get_text(const struct rh_object *dict, const char *key)
{
    struct entry *entry = table_find_text(table_of(dict), key, strlen(key));
    return entry ? entry->value : NULL;
}

int rh_dict_next(const struct rh_object *dict, size_t *position, void **key, void **value)
{
    const struct entry *entry = table_next(table_of(dict), position);
    if (!entry)
        return 0;
    if (key)
        *key = entry->key;
    if (value)
        *value = entry->value;
    return 1;
}

int dict_may_untrack(const struct rh_object *dict)
{
    const struct table *table = table_of(dict);
    for (size_t i = 0; i < table->count; i++) {
        const struct entry *entry = &table->entries[i];
        if (entry->key && (may_be_tracked(entry->key) || may_be_tracked(entry->value)))
            return 0;
    }
    return 1;
}
