/* set. */
#include "scalars.h"
#include "table.h"

struct set_object {
    RH_OBJECT_HEAD;
    struct table table;
};

static const struct rh_field set_fields[] = {TABLE_FIELDS(struct set_object, TABLE_SET)};

static struct table *table_of(const struct rh_object *set)
{
    return &((struct set_object *)(uintptr_t)set)->table;
}

static void set_clear(struct rh_object *set)
{
    table_clear(set->type->heap, table_of(set));
}

int sets_create(struct rh_heap *heap, struct rh_error *err)
{
    static const struct rh_type_spec spec = RH_TYPE_SPEC("set", struct set_object, set_fields);
    int status = rh_type_create(heap, &spec, &heap->builtins[RH_TYPE_SET], err);
    if (!status)
        heap->builtins[RH_TYPE_SET]->clear = set_clear;
    return status;
}

struct rh_object *rh_set_new(struct rh_heap *heap)
{
    return rh_object_new(heap->builtins[RH_TYPE_SET]);
}

int rh_set_add(struct rh_object *set, void *item)
{
    return table_set(set->type->heap, table_of(set), item, NULL);
}

int rh_set_has(const struct rh_object *set, const void *item)
{
    return table_find(table_of(set), item, key_hash(item)) != NULL;
}

int rh_set_remove(struct rh_object *set, const void *item)
{
    return table_remove(set->type->heap, table_of(set), item);
}

void rh_set_clear(struct rh_object *set)
{
    rh_incref(set); /* an item that dies may drop the last reference to the set */
    set_clear(set);
    rh_decref(set);
}

size_t rh_set_length(const struct rh_object *set)
{
    return table_of(set)->used;
}

int rh_set_next(const struct rh_object *set, size_t *position, void **item)
{
    const struct entry *entry = table_next(table_of(set), position);
    if (entry && item)
        *item = entry->key;
    return entry != NULL;
}
