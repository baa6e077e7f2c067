/* tuple and list. */
#include <string.h>

#include "internal.h"

struct tuple_object {
    RH_OBJECT_HEAD;
    size_t length;
    struct rh_object *items[];
};

struct list_object {
    RH_OBJECT_HEAD;
    struct rh_object **items;
    size_t length, capacity;
};

static const struct rh_field tuple_fields[] = {
    {"items", RH_FIELD_INLINE_ARRAY, RH_FIELD_ITEMS, sizeof(size_t), 0, RH_OFFSET(struct tuple_object, items),
     RH_OFFSET(struct tuple_object, length), 0, sizeof(void *), 0, 0, 0, 0},
};
static const struct rh_field list_fields[] = {
    {"items", RH_FIELD_ARRAY, RH_FIELD_ITEMS, sizeof(size_t), 0, RH_OFFSET(struct list_object, items),
     RH_OFFSET(struct list_object, length), RH_OFFSET(struct list_object, capacity), sizeof(void *), 0, 0, 0, 0},
};

int sequences_create(struct rh_heap *heap, struct rh_error *err)
{
    const struct rh_type_spec tuple_spec = {.name = "tuple",
                                            .size = sizeof(struct tuple_object),
                                            .item_size = sizeof(void *),
                                            .fields = tuple_fields,
                                            .field_count = 1};
    static const struct rh_type_spec list_spec = RH_TYPE_SPEC("list", struct list_object, list_fields);
    int status = rh_type_create(heap, &tuple_spec, &heap->builtins[RH_TYPE_TUPLE], err);
    if (status)
        return status;
    heap->builtins[RH_TYPE_TUPLE]->flags |= TYPE_IDLES | TYPE_KEEPS_SIZE;
    return rh_type_create(heap, &list_spec, &heap->builtins[RH_TYPE_LIST], err);
}

/* ---- tuple ---- */

struct rh_object *rh_tuple_new(struct rh_heap *heap, size_t length)
{
    struct tuple_object *tuple = rh_object_new_items(heap->builtins[RH_TYPE_TUPLE], length);
    if (!tuple)
        return NULL;
    tuple->length = length;
    return &tuple->object;
}

void rh_tuple_set(struct rh_object *object, size_t index, void *item)
{
    struct tuple_object *tuple = (struct tuple_object *)object;
    if (index < tuple->length)
        rh_assign(&tuple->items[index], item);
}

void *rh_tuple_get(const struct rh_object *object, size_t index)
{
    const struct tuple_object *tuple = (const struct tuple_object *)object;
    return index < tuple->length ? tuple->items[index] : NULL;
}

size_t rh_tuple_length(const struct rh_object *object)
{
    return ((const struct tuple_object *)object)->length;
}

/* A slot still empty may yet be filled with anything. */
int tuple_may_untrack(const struct rh_object *object)
{
    const struct tuple_object *tuple = (const struct tuple_object *)object;
    for (size_t i = 0; i < tuple->length; i++)
        if (!tuple->items[i] || may_be_tracked(tuple->items[i]))
            return 0;
    return 1;
}

/* ---- list ---- */

struct rh_object *rh_list_new(struct rh_heap *heap)
{
    return rh_object_new(heap->builtins[RH_TYPE_LIST]);
}

int rh_list_append(struct rh_object *object, void *item)
{
    struct list_object *list = (struct list_object *)object;
    if (list->length == list->capacity) {
        size_t capacity = list->capacity + list->capacity / 8 + 4;
        struct rh_heap *heap = rh_heap_of(list);
        heap_enter(heap);
        int status =
            rh_buffer_resize(heap, &list->items, list->capacity * sizeof *list->items, capacity * sizeof *list->items);
        if (!status)
            list->capacity = capacity;
        heap_leave(heap);
        if (status) {
            trigger_no_memory(heap);
            return status;
        }
    }
    rh_incref(item);
    list->items[list->length] = item;
    store_barrier();
    list->length++;
    return 0;
}

int rh_list_set(struct rh_object *object, size_t index, void *item)
{
    struct list_object *list = (struct list_object *)object;
    if (index >= list->length)
        return RH_ERR_NOT_FOUND;
    rh_assign(&list->items[index], item);
    return 0;
}

void *rh_list_get(const struct rh_object *object, size_t index)
{
    const struct list_object *list = (const struct list_object *)object;
    return index < list->length ? list->items[index] : NULL;
}

void rh_list_remove(struct rh_object *object, size_t index)
{
    struct list_object *list = (struct list_object *)object;
    if (index >= list->length)
        return;
    struct rh_object *item = list->items[index];
    struct rh_heap *heap = rh_heap_of(list);
    heap_enter(heap);
    memmove(&list->items[index], &list->items[index + 1], (list->length - index - 1) * sizeof *list->items);
    list->length--;
    heap_leave(heap);
    rh_xdecref(item);
}

void rh_list_clear(struct rh_object *object)
{
    rh_incref(object); /* an item that dies may drop the last reference to the list */
    object_clear(object);
    rh_decref(object);
}

size_t rh_list_length(const struct rh_object *object)
{
    return ((const struct list_object *)object)->length;
}
