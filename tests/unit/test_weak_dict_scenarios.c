/* A cache from dict and weak references (support/weak_dict.h) under what CPython's test_weakref asserts of its weak
 * dictionaries: their lengths, and iterating over them while objects die. tests/SCENARIOS.md says which test answers to
 * which. */
#include "weak_stock.h"

/* ---- cycles ---- */

static void check_length_after_cycles(enum weak_side side)
{
    enum { N = 20 };
    struct stock s = stock_new(side);
    struct weak_dict *dict = weak_dict_new(s.dict->object.type, side);
    struct thing *loops[N];
    size_t position = 0;
    void *key, *value;
    for (int i = 0; i < N; i++) {
        struct rh_object *number = rh_int_new(s.heap, i);
        loops[i] = loop_new(s.type, i);
        weak_dict_set(dict, side == WEAK_KEYS ? (void *)loops[i] : number,
                      side == WEAK_KEYS ? number : (void *)loops[i]);
        rh_decref(number);
    }
    assert_int_equal(weak_dict_length(dict), N);
    weak_dict_begin(dict);
    assert_true(weak_dict_next(dict, &position, &key, &value));
    for (int i = 0; i < N; i++)
        rh_decref(loops[i]);
    rh_collect(s.heap, RH_OLD);
    assert_int_equal(weak_dict_length(dict), 1); /* the one that is being looked at */
    rh_decref(key);
    rh_decref(value);
    weak_dict_end(dict);
    rh_collect(s.heap, RH_OLD);
    assert_int_equal(weak_dict_length(dict), 0);
    assert_int_equal(rh_dict_length(dict->entries), 0);
    rh_decref(dict);
    stock_drop(&s);
}

static void scenario__cycles_leave_a_cache_by_key(void **state)
{
    (void)state;
    check_length_after_cycles(WEAK_KEYS);
}

static void scenario__cycles_leave_a_cache_by_value(void **state)
{
    (void)state;
    check_length_after_cycles(WEAK_VALUES);
}

/* Collections come at any moment; the length never passes its bounds. */
static void check_length_under_collections(enum weak_side side)
{
    enum { N = 20 };
    struct stock s = stock_new(side);
    size_t went_by_themselves = 0;
    for (size_t th = 1; th < 100; th++) {
        const size_t threshold[3] = {th, th, th};
        struct weak_dict *dict = weak_dict_new(s.dict->object.type, side);
        struct thing *loops[N];
        size_t position = 0;
        void *key = NULL, *value = NULL;
        rh_collect(s.heap, RH_YOUNG);
        rh_set_threshold(s.heap, threshold);
        rh_enable(s.heap);
        for (int i = 0; i < N; i++) {
            struct rh_object *number = rh_int_new(s.heap, i);
            loops[i] = loop_new(s.type, i);
            weak_dict_set(dict, side == WEAK_KEYS ? (void *)loops[i] : number,
                          side == WEAK_KEYS ? number : (void *)loops[i]);
            rh_decref(number);
        }
        for (int i = 0; i < N; i++)
            rh_decref(loops[i]);
        make_spare_objects(s.heap, th / 2);
        weak_dict_begin(dict);
        int some = weak_dict_next(dict, &position, &key, &value);
        make_spare_objects(s.heap, th / 2);
        size_t before = weak_dict_length(dict);
        if (some) {
            rh_decref(key);
            rh_decref(value);
        }
        weak_dict_end(dict);
        make_spare_objects(s.heap, th / 2);
        size_t after = weak_dict_length(dict);
        assert_true(before <= N);
        assert_true(after <= before);
        went_by_themselves += N - after;
        rh_disable(s.heap);
        rh_decref(dict);
    }
    assert_true(went_by_themselves > 100);
    stock_drop(&s);
}

static void scenario__length_by_key_under_collections(void **state)
{
    (void)state;
    check_length_under_collections(WEAK_KEYS);
}

static void scenario__length_by_value_under_collections(void **state)
{
    (void)state;
    check_length_under_collections(WEAK_VALUES);
}

/* ---- reading, copying, dying ---- */

static void check_reading_and_dying(enum weak_side side)
{
    struct stock s = stock_new(side);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(weak_references(s.objects[i], NULL, 0), 1);
        assert_value(s.dict, key_of(&s, i), value_of(&s, i));
    }
    struct weak_dict *copy = weak_dict_new(s.dict->object.type, side);
    weak_dict_update(copy, s.dict);
    check_same_entries(s.dict, copy);
    check_same_entries(copy, s.dict);
    rh_decref(copy);
    assert_int_equal(weak_references(s.objects[0], NULL, 0), 1); /* those of the copy went with it */
    assert_int_equal(weak_dict_length(s.dict), COUNT);
    stock_pop(&s);
    assert_int_equal(weak_dict_length(s.dict), COUNT - 1);
    while (s.count)
        stock_pop(&s);
    assert_int_equal(weak_dict_length(s.dict), 0);
    stock_drop(&s);
}

static void scenario__cache_by_value_forgets_what_dies(void **state)
{
    struct stock s = stock_new(WEAK_VALUES);
    (void)state;
    check_reading_and_dying(WEAK_VALUES);
    struct weak_dict *dict = weak_dict_new(s.dict->object.type, WEAK_VALUES);
    assert_false(has(dict, s.numbers[1]));
    struct thing *nobodys = thing_new(s.type, 0, NULL, NULL);
    weak_dict_set(dict, s.numbers[2], nobodys);
    rh_decref(nobodys);
    assert_false(has(dict, s.numbers[2]));
    rh_decref(dict);
    stock_drop(&s);
}

static void scenario__cache_by_key_forgets_what_dies(void **state)
{
    struct stock s = stock_new(WEAK_KEYS);
    (void)state;
    check_reading_and_dying(WEAK_KEYS);
    struct thing *o = thing_new(s.type, 42, NULL, NULL);
    weak_dict_set(s.dict, o, s.numbers[4]);
    assert_true(has(s.dict, o));
    assert_false(has(s.dict, s.numbers[4]));
    rh_decref(o);
    stock_drop(&s);
}

/* ---- iterating ---- */

static void check_iterating(enum weak_side side)
{
    struct stock s = stock_new(side);
    struct rh_object *found[COUNT];
    size_t position = 0, n = 0;
    void *key, *value;
    weak_dict_begin(s.dict);
    for (; weak_dict_next(s.dict, &position, &key, &value); n++) {
        assert_ptr_equal(key, key_of(&s, n)); /* in their order, each once */
        assert_ptr_equal(value, value_of(&s, n));
        rh_decref(key);
        rh_decref(value);
    }
    weak_dict_end(s.dict);
    assert_int_equal(n, COUNT);
    /* The references it is made of lead to the same objects. */
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(weak_references(s.objects[i], &found[i], 1), 1);
        struct thing *object = rh_weakref_get(found[i]);
        assert_ptr_equal(object, s.objects[i]);
        assert_true(has(s.dict, side == WEAK_KEYS ? (void *)object : s.numbers[object->number]));
        rh_decref(object);
    }
    stock_drop(&s);
}

static void scenario__iterating_by_key(void **state)
{
    (void)state;
    check_iterating(WEAK_KEYS);
}

static void scenario__iterating_by_value(void **state)
{
    (void)state;
    check_iterating(WEAK_VALUES);
}

/* One object dies in the middle; the iteration goes on to the end and the entry is gone after it. */
static void check_dying_meanwhile(struct stock *s)
{
    size_t length = weak_dict_length(s->dict), position = 0, rest = 0;
    void *key, *value;
    weak_dict_begin(s->dict);
    assert_true(weak_dict_next(s->dict, &position, &key, &value));
    rh_decref(key);
    rh_decref(value);
    stock_pop(s);
    for (; weak_dict_next(s->dict, &position, &key, &value); rest++) {
        rh_decref(key);
        rh_decref(value);
    }
    weak_dict_end(s->dict);
    assert_int_equal(rest, length - 2);
    assert_int_equal(weak_dict_length(s->dict), length - 1);
    assert_int_equal(rh_dict_length(s->dict->entries), length - 1);
}

/* Begins an iteration in which the last object dies; *object and *number make the entry anew. */
static void begin_with_a_death(struct stock *s, struct thing **object, struct rh_object **number)
{
    size_t position = 0;
    void *key, *value;
    weak_dict_begin(s->dict);
    assert_true(weak_dict_next(s->dict, &position, &key, &value));
    rh_decref(key);
    rh_decref(value);
    stock_pop(s);
    *number = s->numbers[s->count];
    *object = thing_new(s->type, rh_int_value(*number), NULL, NULL);
}

static void end_with_a_death(struct stock *s, struct thing *object)
{
    weak_dict_end(s->dict);
    rh_decref(object);
}

static void check_changing_meanwhile(enum weak_side side)
{
    struct stock s = stock_new(side);
    struct thing *object, *kept;
    struct rh_object *number;
    int keys = side == WEAK_KEYS;
    begin_with_a_death(&s, &object, &number);
    assert_false(has(s.dict, keys ? (void *)object : number));
    end_with_a_death(&s, object);
    begin_with_a_death(&s, &object, &number);
    assert_int_equal(weak_dict_remove(s.dict, keys ? (void *)object : number), RH_ERR_NOT_FOUND);
    end_with_a_death(&s, object);
    assert_false(has(s.dict, keys ? (void *)s.dict : number));
    begin_with_a_death(&s, &kept, &number);
    weak_dict_set(s.dict, keys ? (void *)kept : number, keys ? number : (void *)kept);
    weak_dict_end(s.dict);
    assert_value(s.dict, keys ? (void *)kept : number, keys ? number : (void *)kept);
    assert_int_equal(weak_dict_length(s.dict), COUNT - 2);
    struct weak_dict *copy = weak_dict_new(s.dict->object.type, side);
    weak_dict_update(copy, s.dict);
    begin_with_a_death(&s, &object, &number);
    weak_dict_update(s.dict, copy);
    end_with_a_death(&s, object);
    check_same_entries(s.dict, copy);
    begin_with_a_death(&s, &object, &number);
    weak_dict_clear(s.dict);
    assert_int_equal(weak_dict_length(s.dict), 0);
    end_with_a_death(&s, object);
    assert_int_equal(weak_dict_length(s.dict), 0);
    rh_decref(copy);
    rh_decref(kept);
    stock_drop(&s);
}

/* Entries that wait for the end of the iteration do not count, whatever else is taken away. */
static void check_length_meanwhile(enum weak_side side)
{
    struct stock s = stock_new(side);
    struct thing *object, *extra = thing_new(s.type, 123456, NULL, NULL);
    struct rh_object *number, *big = rh_int_new(s.heap, 123456);
    int keys = side == WEAK_KEYS;
    void *key, *value;
    begin_with_a_death(&s, &object, &number);
    size_t n = weak_dict_length(s.dict);
    assert_int_equal(n, COUNT - 1);
    assert_int_equal(weak_dict_remove(s.dict, key_of(&s, 0)), 0);
    assert_int_equal(weak_dict_length(s.dict), n - 1);
    weak_dict_set(s.dict, keys ? (void *)extra : big, keys ? big : (void *)extra);
    assert_int_equal(weak_dict_length(s.dict), n);
    end_with_a_death(&s, object);
    begin_with_a_death(&s, &object, &number);
    assert_int_equal(weak_dict_length(s.dict), n - 1);
    assert_int_equal(weak_dict_pop(s.dict, &key, &value), 0);
    assert_ptr_equal(keys ? key : value, extra);
    rh_decref(key);
    rh_decref(value);
    assert_int_equal(weak_dict_length(s.dict), n - 2);
    end_with_a_death(&s, object);
    begin_with_a_death(&s, &object, &number);
    assert_int_equal(weak_dict_length(s.dict), n - 3);
    assert_int_equal(weak_dict_remove(s.dict, key_of(&s, 1)), 0);
    assert_int_equal(weak_dict_length(s.dict), n - 4);
    end_with_a_death(&s, object);
    begin_with_a_death(&s, &object, &number);
    assert_int_equal(weak_dict_length(s.dict), n - 5);
    weak_dict_clear(s.dict);
    assert_int_equal(weak_dict_length(s.dict), 0);
    end_with_a_death(&s, object);
    assert_int_equal(weak_dict_length(s.dict), 0);
    rh_decref(extra);
    rh_decref(big);
    stock_drop(&s);
}

static void check_iterating_over_deaths(enum weak_side side)
{
    struct stock s = stock_new(side);
    for (int i = 0; i < 4; i++)
        check_dying_meanwhile(&s);
    stock_drop(&s);
    check_changing_meanwhile(side);
    check_length_meanwhile(side);
}

static void scenario__key_dies_while_iterating(void **state)
{
    (void)state;
    check_iterating_over_deaths(WEAK_KEYS);
}

static void scenario__value_dies_while_iterating(void **state)
{
    (void)state;
    check_iterating_over_deaths(WEAK_VALUES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scenario__cycles_leave_a_cache_by_key),
        cmocka_unit_test(scenario__cycles_leave_a_cache_by_value),
        cmocka_unit_test(scenario__length_by_key_under_collections),
        cmocka_unit_test(scenario__length_by_value_under_collections),
        cmocka_unit_test(scenario__cache_by_value_forgets_what_dies),
        cmocka_unit_test(scenario__cache_by_key_forgets_what_dies),
        cmocka_unit_test(scenario__iterating_by_key),
        cmocka_unit_test(scenario__iterating_by_value),
        cmocka_unit_test(scenario__key_dies_while_iterating),
        cmocka_unit_test(scenario__value_dies_while_iterating),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
