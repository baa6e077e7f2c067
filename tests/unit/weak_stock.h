/* A cache with known entries, for the tests of support/weak_dict.h. */
#ifndef TESTS_WEAK_STOCK_H
#define TESTS_WEAK_STOCK_H

#include "unit.h"

#include "../support/scenario.h"
#include "../support/weak_dict.h"

enum { COUNT = 10 };

/* A cache of COUNT entries, number i with object i, and the objects. */
struct stock {
    struct rh_heap *heap;
    struct rh_type *type;
    struct weak_dict *dict;
    struct thing *objects[COUNT];
    struct rh_object *numbers[COUNT];
    size_t count;
};

static inline void *key_of(const struct stock *s, size_t i)
{
    return s->dict->side == WEAK_KEYS ? (void *)s->objects[i] : s->numbers[i];
}

static inline void *value_of(const struct stock *s, size_t i)
{
    return s->dict->side == WEAK_KEYS ? s->numbers[i] : (void *)s->objects[i];
}

static inline struct stock stock_new(enum weak_side side)
{
    struct stock s = {.heap = things_heap(), .count = COUNT};
    s.type = things_type(s.heap, PLAIN);
    s.dict = weak_dict_new(weak_dict_type(s.heap), side);
    for (size_t i = 0; i < COUNT; i++) {
        s.objects[i] = thing_new(s.type, (int64_t)i, NULL, NULL);
        s.numbers[i] = rh_int_new(s.heap, (int64_t)i);
        assert_int_equal(weak_dict_set(s.dict, key_of(&s, i), value_of(&s, i)), 0);
    }
    return s;
}

static inline void stock_pop(struct stock *s)
{
    rh_decref(s->objects[--s->count]);
}

/* Nothing but the cache and its own parts may be left before, and nothing after. */
static inline void stock_drop(struct stock *s)
{
    while (s->count)
        stock_pop(s);
    for (size_t i = 0; i < COUNT; i++)
        rh_decref(s->numbers[i]);
    assert_int_equal(weak_dict_length(s->dict), 0);
    rh_decref(s->dict);
    assert_int_equal(rh_heap_destroy(s->heap), 0);
}

static inline int has(const struct weak_dict *dict, const void *key)
{
    void *value = weak_dict_get(dict, key);
    rh_xdecref(value);
    return value != NULL;
}

static inline void assert_value(const struct weak_dict *dict, const void *key, const void *value)
{
    void *got = weak_dict_get(dict, key);
    assert_ptr_equal(got, value);
    rh_xdecref(got);
}

static inline void make_spare_objects(struct rh_heap *heap, size_t n)
{
    while (n--) {
        struct rh_object *outer = rh_list_new(heap);
        rh_list_put(outer, rh_list_new(heap));
        rh_list_append(outer, outer);
        rh_decref(outer);
    }
}

static inline void check_same_entries(struct weak_dict *one, struct weak_dict *two)
{
    size_t position = 0, n = 0;
    void *key, *value;
    weak_dict_begin(one);
    for (; weak_dict_next(one, &position, &key, &value); n++) {
        assert_value(two, key, value);
        rh_decref(key);
        rh_decref(value);
    }
    weak_dict_end(one);
    assert_int_equal(n, weak_dict_length(one));
    assert_int_equal(n, weak_dict_length(two));
}

#endif
