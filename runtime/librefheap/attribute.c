/* Attributes by name, of whatever kind of object, and storing what was made to be stored. */
#include <string.h>

#include "class.h"
#include "table.h"
#include "traverse.h"

/* The table of attributes of an object that has one, or NULL. */
static struct table *attributes_of(const struct rh_object *object)
{
    if (object->type == object->type->heap->builtins[RH_TYPE_EXCEPTION])
        return exception_attributes(object);
    return class_attributes(object);
}

/* The counted field of this name, or NULL. */
static const struct rh_field *find_field(const struct rh_object *object, const char *name)
{
    const struct rh_type *type = object->type;
    for (uint32_t i = 0; i < type->field_count; i++)
        if (type->fields[i].kind == RH_FIELD_STRONG && !strcmp(type->fields[i].name, name))
            return &type->fields[i];
    return NULL;
}

int rh_attr_set(void *object, const char *name, void *value)
{
    struct rh_heap *heap = rh_heap_of(object);
    struct table *table = attributes_of(object);
    if (!table) {
        const struct rh_field *f = find_field(object, name);
        if (!f || (!value && !read_pointer(object, f->offset)))
            return RH_ERR_NOT_FOUND;
        rh_assign((char *)object + f->offset, value);
        return 0;
    }
    struct rh_object *key = name_get(heap, name, strlen(name), value != NULL);
    if (!key)
        return value ? RH_ERR_NO_MEMORY : RH_ERR_NOT_FOUND;
    int status = value ? table_set(heap, table, key, value) : table_remove(heap, table, key);
    rh_decref(key);
    return status;
}

void *rh_attr_get(const void *object, const char *name)
{
    const struct table *table = attributes_of(object);
    if (!table) {
        const struct rh_field *f = find_field(object, name);
        return f ? read_pointer(object, f->offset) : NULL;
    }
    const struct entry *entry = table_find_text(table, name, strlen(name));
    return entry ? entry->value : class_lookup(object, name);
}

/* ---- taking over ---- */

static int take_over(int status, void *value)
{
    rh_xdecref(value);
    return status;
}

int rh_attr_put(void *object, const char *name, void *value)
{
    return take_over(value ? rh_attr_set(object, name, value) : RH_ERR_NO_MEMORY, value);
}

int rh_dict_put(struct rh_object *dict, const char *key, void *value)
{
    return take_over(value ? rh_dict_set_text(dict, key, value) : RH_ERR_NO_MEMORY, value);
}

int rh_list_put(struct rh_object *list, void *item)
{
    return take_over(item ? rh_list_append(list, item) : RH_ERR_NO_MEMORY, item);
}

int rh_set_put(struct rh_object *set, void *item)
{
    return take_over(item ? rh_set_add(set, item) : RH_ERR_NO_MEMORY, item);
}
