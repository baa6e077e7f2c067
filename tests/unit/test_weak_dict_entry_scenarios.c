/* A cache from dict and weak references (support/weak_dict.h) under what CPython's test_weakref asserts of its weak
 * dictionaries: single entries, copies, and collections at every turn. tests/SCENARIOS.md says which test answers to
 * which. */
#include "weak_stock.h"

/* ---- from others ---- */

static void check_from_dict(enum weak_side side)
{
    struct stock s = stock_new(side);
    struct weak_dict *dict = weak_dict_new(s.dict->object.type, side);
    struct rh_object *plain = rh_dict_new(s.heap);
    rh_dict_set(plain, key_of(&s, 3), value_of(&s, 3));
    weak_dict_update_from(dict, plain);
    rh_decref(plain);
    assert_value(dict, key_of(&s, 3), value_of(&s, 3));
    assert_int_equal(weak_dict_length(dict), 1);
    while (s.count)
        stock_pop(&s);
    assert_int_equal(weak_dict_length(dict), 0);
    rh_decref(dict);
    stock_drop(&s);
}

static void scenario__cache_by_key_from_a_dict(void **state)
{
    (void)state;
    check_from_dict(WEAK_KEYS);
}

static void scenario__cache_by_value_from_a_dict(void **state)
{
    (void)state;
    check_from_dict(WEAK_VALUES);
}

static void check_from_cache(enum weak_side side)
{
    struct stock s = stock_new(side);
    struct weak_dict *one = weak_dict_new(s.dict->object.type, side), *two = weak_dict_new(s.dict->object.type, side);
    weak_dict_set(one, key_of(&s, 3), value_of(&s, 3));
    weak_dict_update(two, one);
    assert_value(one, key_of(&s, 3), value_of(&s, 3));
    assert_value(two, key_of(&s, 3), value_of(&s, 3));
    rh_decref(one);
    assert_value(two, key_of(&s, 3), value_of(&s, 3));
    rh_decref(two);
    stock_drop(&s);
}

static void scenario__cache_by_key_from_another(void **state)
{
    (void)state;
    check_from_cache(WEAK_KEYS);
}

static void scenario__cache_by_value_from_another(void **state)
{
    (void)state;
    check_from_cache(WEAK_VALUES);
}

static void check_update(enum weak_side side)
{
    struct stock s = stock_new(side);
    struct weak_dict *dict = weak_dict_new(s.dict->object.type, side);
    struct rh_object *plain = rh_dict_new(s.heap);
    size_t position = 0;
    void *key, *value;
    for (size_t i = 0; i < 3; i++)
        rh_dict_set(plain, key_of(&s, i), value_of(&s, i));
    weak_dict_update_from(dict, plain);
    assert_int_equal(weak_dict_length(dict), 3);
    while (rh_dict_next(plain, &position, &key, &value))
        assert_value(dict, key, value);
    weak_dict_begin(dict);
    for (position = 0; weak_dict_next(dict, &position, &key, &value);) {
        assert_ptr_equal(rh_dict_get(plain, key), value);
        rh_decref(key);
        rh_decref(value);
    }
    weak_dict_end(dict);
    rh_decref(plain);
    rh_decref(dict);
    stock_drop(&s);
}

static void scenario__update_by_value(void **state)
{
    (void)state;
    check_update(WEAK_VALUES);
}

static void scenario__update_by_key(void **state)
{
    (void)state;
    check_update(WEAK_KEYS);
}

/* Caches made of several forget an object each for itself, and later ones win over earlier. */
static void check_merging(enum weak_side side)
{
    struct stock s = stock_new(side);
    struct rh_type *type = s.dict->object.type;
    struct weak_dict *one = weak_dict_new(type, side), *two = weak_dict_new(type, side),
                     *both = weak_dict_new(type, side);
    int keys = side == WEAK_KEYS;
    struct thing *doomed = s.objects[COUNT - 1];
    void *shared = keys ? (void *)s.objects[0] : s.numbers[0], *early = keys ? (void *)s.numbers[1] : s.objects[1];
    void *late = keys ? (void *)s.numbers[2] : s.objects[2];
    weak_dict_set(one, shared, early);
    weak_dict_set(one, keys ? (void *)doomed : s.numbers[5], keys ? s.numbers[5] : (void *)doomed);
    weak_dict_set(two, shared, late);
    weak_dict_update(both, one);
    weak_dict_update(both, two);
    assert_int_equal(weak_dict_length(both), 2);
    assert_value(both, shared, late);
    assert_value(one, shared, early);
    stock_pop(&s);
    assert_int_equal(weak_dict_length(both), 1);
    assert_int_equal(weak_dict_length(one), 1);
    assert_int_equal(weak_dict_length(two), 1);
    rh_decref(one);
    rh_decref(two);
    rh_decref(both);
    stock_drop(&s);
}

static void scenario__merged_caches_by_value_forget_each(void **state)
{
    (void)state;
    check_merging(WEAK_VALUES);
}

static void scenario__merged_caches_by_key_forget_each(void **state)
{
    (void)state;
    check_merging(WEAK_KEYS);
}

/* ---- single entries ---- */

static void check_pop(enum weak_side side)
{
    struct stock s = stock_new(side);
    for (size_t i = COUNT; i--;) {
        void *key, *value;
        assert_int_equal(weak_dict_pop(s.dict, &key, &value), 0);
        assert_int_equal(weak_dict_length(s.dict), i);
        assert_ptr_equal(key, key_of(&s, i));
        assert_ptr_equal(value, value_of(&s, i));
        rh_decref(key);
        rh_decref(value);
    }
    stock_drop(&s);
}

static void scenario__pop_by_value(void **state)
{
    (void)state;
    check_pop(WEAK_VALUES);
}

static void scenario__pop_by_key(void **state)
{
    (void)state;
    check_pop(WEAK_KEYS);
}

static void check_default(enum weak_side side)
{
    struct stock s = stock_new(side);
    struct weak_dict *dict = weak_dict_new(s.dict->object.type, side);
    void *key = key_of(&s, 0);
    for (size_t i = 1; i < 3; i++) {
        void *got = weak_dict_default(dict, key, value_of(&s, i));
        assert_ptr_equal(got, value_of(&s, 1)); /* the first to come stays */
        rh_decref(got);
        assert_value(dict, key, value_of(&s, 1));
        assert_int_equal(weak_dict_length(dict), 1);
    }
    rh_decref(dict);
    stock_drop(&s);
}

static void scenario__default_by_value(void **state)
{
    (void)state;
    check_default(WEAK_VALUES);
}

static void scenario__default_by_key(void **state)
{
    (void)state;
    check_default(WEAK_KEYS);
}

static void check_remove(enum weak_side side)
{
    struct stock s = stock_new(side);
    struct weak_dict *dict = weak_dict_new(s.dict->object.type, side);
    weak_dict_set(dict, key_of(&s, 0), value_of(&s, 0));
    weak_dict_set(dict, key_of(&s, 1), value_of(&s, 1));
    assert_int_equal(weak_dict_remove(dict, key_of(&s, 0)), 0);
    assert_int_equal(weak_dict_length(dict), 1);
    assert_false(has(dict, key_of(&s, 0)));
    assert_value(dict, key_of(&s, 1), value_of(&s, 1));
    rh_decref(dict);
    stock_drop(&s);
}

static void scenario__remove_by_key(void **state)
{
    (void)state;
    check_remove(WEAK_KEYS);
}

static void scenario__remove_by_value(void **state)
{
    (void)state;
    check_remove(WEAK_VALUES);
}

static void scenario__removing_what_is_not_there_is_said(void **state)
{
    struct stock s = stock_new(WEAK_KEYS);
    struct thing *stranger = thing_new(s.type, 1, NULL, NULL);
    (void)state;
    assert_int_equal(weak_dict_remove(s.dict, stranger), RH_ERR_NOT_FOUND);
    assert_false(has(s.dict, stranger));
    assert_int_equal(weak_dict_remove(s.dict, s.numbers[0]), RH_ERR_NOT_FOUND);
    assert_int_equal(weak_dict_length(s.dict), COUNT);
    rh_decref(stranger);
    stock_drop(&s);
}

/* ---- with collections at every turn, where Python's tests have another thread collect ---- */

enum { TURNS = 5000 };

static void collect_at_every_turn(struct rh_heap *heap)
{
    const size_t often[3] = {1, 1, 1};
    rh_set_threshold(heap, often);
    rh_enable(heap);
}

static uint64_t collected(const struct rh_heap *heap)
{
    struct rh_stats stats[3];
    rh_get_stats(heap, stats);
    return stats[0].collected + stats[1].collected + stats[2].collected;
}

static void scenario__default_is_never_nothing_under_collections(void **state)
{
    struct stock s = stock_new(WEAK_VALUES);
    struct rh_object *ten = rh_int_new(s.heap, 10);
    (void)state;
    collect_at_every_turn(s.heap);
    for (int i = 0; i < TURNS; i++) {
        struct thing *fresh = loop_new(s.type, i), *got = weak_dict_default(s.dict, ten, fresh);
        assert_non_null(got);
        assert_ptr_equal(got->a, got); /* whole */
        rh_decref(fresh);
        rh_decref(got);
    }
    assert_true(collected(s.heap) > TURNS / 2);
    rh_disable(s.heap);
    rh_collect(s.heap, RH_OLD);
    rh_decref(ten);
    stock_drop(&s);
}

static void scenario__pop_gives_a_whole_object_or_none_under_collections(void **state)
{
    struct stock s = stock_new(WEAK_VALUES);
    struct weak_dict *dict = weak_dict_new(s.dict->object.type, WEAK_VALUES);
    struct rh_object *ten = rh_int_new(s.heap, 10);
    int found = 0;
    (void)state;
    collect_at_every_turn(s.heap);
    for (int i = 0; i < TURNS; i++) {
        struct thing *fresh = loop_new(s.type, i);
        void *key, *value;
        weak_dict_set(dict, ten, fresh);
        rh_decref(fresh);
        make_spare_objects(s.heap, (size_t)i % 3);
        if (weak_dict_pop(dict, &key, &value) == 0) {
            assert_ptr_equal(((struct thing *)value)->a, value);
            rh_decref(key);
            rh_decref(value);
            found++;
        }
        assert_int_equal(weak_dict_length(dict), 0);
    }
    assert_true(found > 0 && found < TURNS);
    rh_disable(s.heap);
    rh_decref(dict);
    rh_decref(ten);
    rh_collect(s.heap, RH_OLD);
    stock_drop(&s);
}

/* The death of an entry's old object must not take the new one away. */
static void scenario__late_death_leaves_the_new_entry_alone(void **state)
{
    struct stock s = stock_new(WEAK_VALUES);
    struct weak_dict *dict = weak_dict_new(s.dict->object.type, WEAK_VALUES);
    struct rh_object *ten = rh_int_new(s.heap, 10);
    (void)state;
    collect_at_every_turn(s.heap);
    for (int i = 0; i < TURNS; i++) {
        struct thing *fresh = loop_new(s.type, i);
        weak_dict_set(dict, ten, fresh);
        assert_int_equal(weak_dict_length(dict), 1);
        assert_value(dict, ten, fresh);
        rh_decref(fresh);
    }
    rh_disable(s.heap);
    rh_collect(s.heap, RH_OLD);
    assert_int_equal(weak_dict_length(dict), 0);
    rh_decref(dict);
    rh_decref(ten);
    stock_drop(&s);
}

/* Half of a cache dies while it is copied: the copy gets what lives, whole. */
static void check_copy_under_collections(enum weak_side side)
{
    enum { N = 1000 };
    struct stock s = stock_new(side);
    struct rh_type *type = s.dict->object.type;
    struct weak_dict *dict = weak_dict_new(type, side), *copy = weak_dict_new(type, side);
    struct thing **loops = test_malloc(N * sizeof *loops);
    for (int i = 0; i < N; i++) {
        struct rh_object *number = rh_int_new(s.heap, i);
        loops[i] = loop_new(s.type, i);
        weak_dict_set(dict, side == WEAK_KEYS ? (void *)loops[i] : number,
                      side == WEAK_KEYS ? number : (void *)loops[i]);
        rh_decref(number);
    }
    for (int i = 0; i < N; i += 2)
        rh_decref(loops[i]);
    assert_int_equal(weak_dict_length(dict), N);
    collect_at_every_turn(s.heap);
    weak_dict_update(copy, dict);
    assert_true(collected(s.heap) > 0);
    rh_disable(s.heap);
    rh_collect(s.heap, RH_OLD);
    assert_int_equal(weak_dict_length(dict), N / 2);
    check_same_entries(dict, copy);
    check_same_entries(copy, dict);
    for (int i = 1; i < N; i += 2)
        rh_decref(loops[i]);
    rh_collect(s.heap, RH_OLD);
    assert_int_equal(weak_dict_length(copy), 0);
    test_free(loops);
    rh_decref(dict);
    rh_decref(copy);
    stock_drop(&s);
}

static void scenario__copy_by_key_under_collections(void **state)
{
    (void)state;
    check_copy_under_collections(WEAK_KEYS);
}

static void scenario__copy_by_value_under_collections(void **state)
{
    (void)state;
    check_copy_under_collections(WEAK_VALUES);
}

/* What removes the entries does not hold the cache: it goes with its last reference, and no call comes after. */
static void scenario__cache_is_not_kept_by_its_callbacks(void **state)
{
    struct stock s = stock_new(WEAK_VALUES);
    struct weak_dict *dict = weak_dict_new(s.dict->object.type, WEAK_VALUES);
    struct rh_object *w = rh_weakref_new(dict, NULL, NULL);
    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        weak_dict_set(dict, s.numbers[i], s.objects[i]);
    assert_int_equal(rh_refcount(dict), 1);
    rh_decref(dict);
    assert_null(rh_weakref_get(w));
    assert_int_equal(weak_references(s.objects[0], NULL, 0), 1); /* of the other cache */
    rh_decref(w);
    stock_drop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scenario__cache_by_key_from_a_dict),
        cmocka_unit_test(scenario__cache_by_key_from_another),
        cmocka_unit_test(scenario__cache_by_value_from_a_dict),
        cmocka_unit_test(scenario__cache_by_value_from_another),
        cmocka_unit_test(scenario__pop_by_value),
        cmocka_unit_test(scenario__pop_by_key),
        cmocka_unit_test(scenario__default_by_value),
        cmocka_unit_test(scenario__default_by_key),
        cmocka_unit_test(scenario__update_by_value),
        cmocka_unit_test(scenario__merged_caches_by_value_forget_each),
        cmocka_unit_test(scenario__update_by_key),
        cmocka_unit_test(scenario__remove_by_key),
        cmocka_unit_test(scenario__merged_caches_by_key_forget_each),
        cmocka_unit_test(scenario__remove_by_value),
        cmocka_unit_test(scenario__removing_what_is_not_there_is_said),
        cmocka_unit_test(scenario__default_is_never_nothing_under_collections),
        cmocka_unit_test(scenario__pop_gives_a_whole_object_or_none_under_collections),
        cmocka_unit_test(scenario__late_death_leaves_the_new_entry_alone),
        cmocka_unit_test(scenario__copy_by_key_under_collections),
        cmocka_unit_test(scenario__copy_by_value_under_collections),
        cmocka_unit_test(scenario__cache_is_not_kept_by_its_callbacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
