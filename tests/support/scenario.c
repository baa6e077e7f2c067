#include "scenario.h"

#include <stdlib.h>
#include <string.h>

static char record[4096];

void said_clear(void)
{
    record[0] = 0;
}

void say(const char *word)
{
    if (strlen(record) + strlen(word) + 2 > sizeof record)
        abort();
    strcat(strcat(record, word), " ");
}

const char *said(void)
{
    return record;
}

static void say_data(struct rh_object *weakref, struct rh_object *data)
{
    (void)weakref;
    say(rh_str_text(data));
}

struct rh_object *watch(void *object, const char *word)
{
    struct rh_object *data = rh_str(rh_heap_of(object), word);
    struct rh_object *weakref = rh_weakref_new(object, say_data, data);
    if (!data || !weakref)
        abort();
    rh_decref(data);
    return weakref;
}

struct thing *loop_new(struct rh_type *type, int64_t number)
{
    struct thing *thing = thing_new(type, number, NULL, NULL);
    rh_assign(&thing->a, thing);
    return thing;
}

struct pair pair_new(struct rh_type *one, struct rh_type *two)
{
    struct pair pair = {thing_new(one, 1, NULL, NULL), thing_new(two, 2, NULL, NULL)};
    rh_assign(&pair.one->a, pair.two);
    rh_assign(&pair.two->a, pair.one);
    return pair;
}

void pair_drop(struct pair pair)
{
    rh_decref(pair.one);
    rh_decref(pair.two);
}

struct rh_type *things_type_from(struct rh_type *base)
{
    static const struct rh_field none[1];
    struct rh_type_spec spec = RH_TYPE_SPEC("derived", struct thing, none);
    struct rh_type *type;
    spec.field_count = 0;
    spec.base = base;
    if (rh_type_create(rh_type_heap(base), &spec, &type, NULL))
        abort();
    return type;
}

size_t weak_references(void *object, struct rh_object **newest, size_t room)
{
    struct rh_weak probe = {0};
    size_t count = 0, owners = 0;
    if (rh_weak_set(&probe, object))
        abort();
    for (const struct rh_weak *w = probe.next; w; w = w->next, count++)
        if (newest && w->owner && owners < room)
            newest[owners++] = w->owner;
    rh_weak_set(&probe, NULL);
    return count;
}

void *list_pop(struct rh_object *list)
{
    size_t last = rh_list_length(list) - 1;
    struct rh_object *item = rh_list_get(list, last);
    rh_incref(item);
    rh_list_remove(list, last);
    return item;
}
