/* The collector: what it finds, in which generation, and what can be asked of it. The first part of what CPython's
 * test_gc asserts, asserted of librefheap. tests/SCENARIOS.md says which test answers to which. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "../support/scenario.h"

static size_t garbage_length(const struct rh_heap *heap)
{
    return rh_garbage(heap) ? rh_list_length(rh_garbage(heap)) : 0;
}

/* ---- kinds of cycles ---- */

static void scenario__list_that_holds_itself(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *list = rh_list_new(heap);
    (void)state;
    rh_list_append(list, list);
    assert_int_equal(rh_collect(heap, RH_OLD), 0);
    rh_decref(list);
    assert_int_equal(rh_collect(heap, RH_OLD), 1);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void scenario__dict_that_holds_itself(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *dict = rh_dict_new(heap), *one = rh_int_new(heap, 1);
    (void)state;
    rh_dict_set(dict, one, dict);
    rh_decref(one);
    assert_int_equal(rh_collect(heap, RH_OLD), 0);
    rh_decref(dict);
    assert_int_equal(rh_collect(heap, RH_OLD), 1);
    assert_int_equal(rh_heap_destroy(heap), 0); /* the key went with it */
}

static void scenario__list_and_tuple_that_hold_each_other(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *list = rh_list_new(heap), *tuple = rh_tuple_new(heap, 1);
    (void)state;
    rh_tuple_set(tuple, 0, list);
    rh_list_append(list, tuple);
    assert_int_equal(rh_collect(heap, RH_OLD), 0);
    rh_decref(tuple);
    rh_decref(list);
    assert_int_equal(rh_collect(heap, RH_OLD), 2);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void scenario__class_that_is_its_own_attribute(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *klass = rh_class_new(heap, "A", NULL);
    (void)state;
    rh_attr_set(klass, "a", klass);
    assert_int_equal(rh_collect(heap, RH_OLD), 0);
    rh_decref(klass);
    assert_int_equal(rh_collect(heap, RH_OLD), 1);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

/* Python's classes hold themselves through the order of their bases. */
static void scenario__class_that_holds_its_order_of_bases(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *klass = rh_class_new(heap, "A", NULL), *order = rh_tuple_new(heap, 1);
    (void)state;
    rh_tuple_set(order, 0, klass);
    rh_attr_put(klass, "order", order);
    assert_int_equal(rh_collect(heap, RH_OLD), 0);
    rh_decref(klass);
    assert_int_equal(rh_collect(heap, RH_OLD), 2);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void drop_in_a_cycle_of_one(struct rh_heap *heap, struct rh_object *klass)
{
    struct rh_object *x = rh_instance_new(klass);
    rh_attr_set(x, "a", x);
    assert_int_equal(rh_collect(heap, RH_OLD), 0);
    rh_decref(x);
}

static void scenario__instance_that_is_its_own_attribute(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *klass = rh_class_new(heap, "A", NULL);
    (void)state;
    drop_in_a_cycle_of_one(heap, klass);
    assert_int_equal(rh_collect(heap, RH_OLD), 1);
    rh_decref(klass);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

/* Instances, then the classes between, then a class that holds an instance of itself: each goes, the rest stays. */
static void scenario__instance_of_a_class_that_extends_others(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *a = rh_class_new(heap, "A", NULL), *b = rh_class_new(heap, "B", a),
                     *c = rh_class_new(heap, "C", b);
    (void)state;
    drop_in_a_cycle_of_one(heap, a);
    assert_int_equal(rh_collect(heap, RH_OLD), 1);
    drop_in_a_cycle_of_one(heap, c);
    assert_int_equal(rh_collect(heap, RH_OLD), 1);
    rh_attr_set(b, "c", c);
    rh_decref(b);
    rh_decref(c);
    assert_int_equal(rh_collect(heap, RH_OLD), 2);
    assert_int_equal(rh_refcount(a), 1);
    rh_attr_put(a, "a", rh_instance_new(a));
    rh_decref(a);
    assert_int_equal(rh_collect(heap, RH_OLD), 2);
    assert_int_equal(rh_collect(heap, RH_OLD), 0);
    assert_int_equal(objects_alive(heap), 0);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

/* A bound method is an object that holds the instance it is kept in. */
static void scenario__instance_that_keeps_a_method_of_its_own(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *klass = rh_class_new(heap, "A", NULL), *x = rh_instance_new(klass);
    (void)state;
    rh_attr_put(x, "method", rh_cell_new(heap, x));
    assert_int_equal(rh_collect(heap, RH_OLD), 0);
    rh_decref(x);
    assert_int_equal(rh_collect(heap, RH_OLD), 2);
    rh_decref(klass);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

/* A function holds the names it was made among, which hold it. */
static void scenario__function_in_the_dict_of_its_globals(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *globals = rh_dict_new(heap);
    struct thing *function = thing_new(things_type(heap, PLAIN), 1, NULL, NULL);
    (void)state;
    rh_assign(&function->a, globals);
    rh_dict_put(globals, "f", function);
    assert_int_equal(rh_collect(heap, RH_OLD), 0);
    rh_decref(globals);
    assert_int_equal(rh_collect(heap, RH_OLD), 2);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void run_with_its_frame_among_its_locals(struct rh_heap *heap)
{
    struct rh_object *frame = rh_frame_new(heap, "f", NULL);
    rh_dict_set_text(rh_frame_locals(frame), "frame", frame);
    rh_decref(frame);
}

/* A frame that is one of its own variables. Here, unlike in Python, the variables are an object of their own. */
static void scenario__frame_among_its_own_variables(void **state)
{
    struct rh_heap *heap = things_heap();
    (void)state;
    assert_int_equal(rh_collect(heap, RH_OLD), 0);
    run_with_its_frame_among_its_locals(heap);
    assert_int_equal(rh_collect(heap, RH_OLD), 2);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

/* ---- what is kept rather than freed ---- */

/* Of two cycles, one with a legacy finalizer: that one is kept, and goes once it is broken. */
static void check_legacy(struct rh_heap *heap, struct rh_type *legacy)
{
    struct thing *a = loop_new(legacy, 1), *b = loop_new(things_type(heap, PLAIN), 2);
    assert_int_equal(rh_collect(heap, RH_OLD), 0);
    rh_decref(a);
    rh_decref(b);
    assert_int_equal(rh_collect(heap, RH_OLD), 2);
    assert_int_equal(garbage_length(heap), 1);
    assert_ptr_equal(rh_list_get(rh_garbage(heap), 0), a);
    rh_assign(&a->a, NULL);
    rh_list_remove(rh_garbage(heap), 0);
    assert_int_equal(rh_collect(heap, RH_OLD), 0);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static size_t legacy_runs;

static void count_run(struct thing *t)
{
    (void)t;
    legacy_runs++;
}

static void scenario__legacy_finalizer_keeps_its_cycle(void **state)
{
    struct rh_heap *heap = things_heap();
    (void)state;
    legacy_runs = 0;
    thing_finalizer = count_run;
    check_legacy(heap, things_type(heap, LEGACY));
    assert_int_equal(legacy_runs, 1); /* not before the cycle was broken */
}

static void scenario__inherited_legacy_finalizer_keeps_its_cycle(void **state)
{
    struct rh_heap *heap = things_heap();
    (void)state;
    legacy_runs = 0;
    thing_finalizer = count_run;
    check_legacy(heap, things_type_from(things_type(heap, LEGACY)));
    assert_int_equal(legacy_runs, 1);
}

static void scenario__all_that_is_found_is_saved_on_request(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *list = rh_list_new(heap);
    (void)state;
    rh_collect(heap, RH_OLD);
    assert_int_equal(garbage_length(heap), 0);
    rh_list_append(list, list);
    unsigned debug = rh_get_debug(heap);
    rh_set_debug(heap, debug | RH_DEBUG_SAVEALL);
    rh_decref(list);
    rh_collect(heap, RH_OLD);
    rh_set_debug(heap, debug);
    assert_int_equal(garbage_length(heap), 1);
    struct rh_object *saved = list_pop(rh_garbage(heap));
    assert_ptr_equal(saved, list);
    assert_ptr_equal(rh_list_get(saved, 0), saved); /* as it was */
    rh_decref(saved);
    assert_int_equal(rh_collect(heap, RH_OLD), 1);
    assert_int_equal(garbage_length(heap), 0);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

/* ---- counts and generations ---- */

static void scenario__counts_of_allocations_and_collections(void **state)
{
    struct rh_heap *heap = things_heap();
    size_t before[3], after[3];
    (void)state;
    struct rh_object *spare = rh_list_new(heap);
    rh_collect(heap, RH_OLD);
    rh_get_count(heap, before);
    struct rh_object *list = rh_list_new(heap);
    rh_get_count(heap, after);
    for (int g = 0; g < 3; g++)
        assert_int_equal(before[g], 0);
    assert_int_equal(after[0], 1);
    assert_int_equal(after[1], 0);
    assert_int_equal(after[2], 0);
    rh_decref(list);
    rh_decref(spare);
    rh_heap_destroy(heap);
}

static void scenario__counts_as_an_object_grows_old(void **state)
{
    struct rh_heap *heap = things_heap();
    size_t count[3];
    (void)state;
    rh_collect(heap, RH_OLD);
    struct rh_object *list = rh_list_new(heap);
    rh_collect(heap, RH_YOUNG);
    assert_int_equal(rh_generation_of(list), RH_MIDDLE);
    rh_get_count(heap, count);
    assert_int_equal(count[1], 1);
    assert_int_equal(count[2], 0);
    rh_collect(heap, RH_MIDDLE);
    assert_int_equal(rh_generation_of(list), RH_OLD);
    rh_get_count(heap, count);
    assert_int_equal(count[1], 0);
    assert_int_equal(count[2], 1);
    rh_collect(heap, RH_OLD);
    assert_int_equal(rh_generation_of(list), RH_OLD);
    rh_get_count(heap, count);
    assert_int_equal(count[1], 0);
    assert_int_equal(count[2], 0);
    rh_decref(list);
    rh_heap_destroy(heap);
}

static void scenario__statistics_by_generation(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_stats old[3], new[3];
    (void)state;
    rh_get_stats(heap, old);
    for (int g = 0; g < 3; g++) {
        assert_int_equal(old[g].collections, 0);
        assert_int_equal(old[g].collected, 0);
        assert_int_equal(old[g].uncollectable, 0);
    }
    rh_collect(heap, RH_OLD);
    rh_get_stats(heap, old);
    rh_collect(heap, RH_YOUNG);
    rh_get_stats(heap, new);
    assert_int_equal(new[0].collections, old[0].collections + 1);
    assert_int_equal(new[1].collections, old[1].collections);
    assert_int_equal(new[2].collections, old[2].collections);
    rh_collect(heap, RH_OLD);
    rh_get_stats(heap, new);
    assert_int_equal(new[0].collections, old[0].collections + 1);
    assert_int_equal(new[1].collections, old[1].collections);
    assert_int_equal(new[2].collections, old[2].collections + 1);
    rh_heap_destroy(heap);
}

static void scenario__frozen_objects_are_counted(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *list = rh_list_new(heap);
    (void)state;
    assert_int_equal(rh_freeze_count(heap), 0);
    rh_freeze(heap);
    assert_int_equal(rh_freeze_count(heap), 1);
    rh_unfreeze(heap);
    assert_int_equal(rh_freeze_count(heap), 0);
    assert_int_equal(rh_generation_of(list), RH_OLD);
    rh_decref(list);
    rh_heap_destroy(heap);
}

static int is_among_objects_of(struct rh_heap *heap, int generation, const void *object)
{
    struct rh_object *list = rh_get_objects(heap, generation);
    int found = 0;
    for (size_t i = 0; i < rh_list_length(list); i++)
        found += rh_list_get(list, i) == object;
    rh_decref(list);
    return found;
}

static void scenario__objects_of_each_generation_are_listed(void **state)
{
    struct rh_heap *heap = things_heap();
    (void)state;
    rh_collect(heap, RH_OLD);
    struct rh_object *list = rh_list_new(heap);
    rh_list_append(list, list);
    for (int collections = 0; collections < 4; collections++) {
        int in = collections < RH_OLD ? collections : RH_OLD;
        for (int g = RH_YOUNG; g <= RH_OLD; g++)
            assert_int_equal(is_among_objects_of(heap, g, list), g == in);
        rh_collect(heap, in);
    }
    assert_int_equal(rh_refcount(list), 2); /* the lists have let go of it */
    rh_decref(list);
    assert_int_equal(rh_collect(heap, RH_OLD), 1);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static size_t count_objects_of(struct rh_heap *heap, int generation)
{
    struct rh_object *list = rh_get_objects(heap, generation);
    size_t n = list ? rh_list_length(list) : 0;
    rh_xdecref(list);
    return n;
}

/* -1 is all three generations. A generation there is not has no objects. */
static void scenario__objects_of_all_generations_are_listed(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *lists[6];
    (void)state;
    for (int i = 0; i < 6; i++) {
        lists[i] = rh_list_new(heap);
        if (i == 0)
            rh_collect(heap, RH_OLD);
        if (i == 2)
            rh_collect(heap, RH_YOUNG);
    }
    assert_int_equal(count_objects_of(heap, RH_OLD), 1);
    assert_int_equal(count_objects_of(heap, RH_MIDDLE), 2);
    assert_int_equal(count_objects_of(heap, RH_YOUNG), 3);
    assert_int_equal(count_objects_of(heap, -1), 6);
    assert_int_equal(count_objects_of(heap, 1000), 0);
    assert_int_equal(count_objects_of(heap, -1000), 0);
    for (int i = 0; i < 6; i++)
        rh_decref(lists[i]);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

/* ---- what an object refers to ---- */

enum { NUMBERS = 8 };

struct numbers {
    int64_t of[NUMBERS];
    size_t count;
};

static void numbers_add(struct numbers *numbers, struct rh_object *list)
{
    for (size_t i = 0; i < rh_list_length(list); i++) {
        assert_true(numbers->count < NUMBERS);
        numbers->of[numbers->count++] = rh_int_value(rh_list_get(list, i));
    }
    rh_decref(list);
}

static int compare_numbers(const void *one, const void *two)
{
    const int64_t a = *(const int64_t *)one, b = *(const int64_t *)two;
    return (a > b) - (a < b);
}

static void assert_numbers(struct numbers *got, const int64_t *want, size_t count)
{
    qsort(got->of, got->count, sizeof *got->of, compare_numbers);
    assert_int_equal(got->count, count);
    assert_memory_equal(got->of, want, count * sizeof *want);
    got->count = 0;
}

static struct rh_object *list_of(struct rh_heap *heap, const int64_t *values, size_t count)
{
    struct rh_object *list = rh_list_new(heap);
    for (size_t i = 0; i < count; i++)
        rh_list_put(list, rh_int_new(heap, values[i]));
    return list;
}

static struct rh_object *tuple_of(struct rh_heap *heap, const int64_t *values, size_t count)
{
    struct rh_object *tuple = rh_tuple_new(heap, count);
    for (size_t i = 0; i < count; i++) {
        struct rh_object *n = rh_int_new(heap, values[i]);
        rh_tuple_set(tuple, i, n);
        rh_decref(n);
    }
    return tuple;
}

static struct rh_object *dict_of(struct rh_heap *heap, const int64_t *values, size_t count)
{
    struct rh_object *dict = rh_dict_new(heap);
    for (size_t i = 0; i + 1 < count; i += 2) {
        struct rh_object *key = rh_int_new(heap, values[i]), *value = rh_int_new(heap, values[i + 1]);
        rh_dict_set(dict, key, value);
        rh_decref(key);
        rh_decref(value);
    }
    return dict;
}

static void scenario__referents_are_listed_once_a_reference(void **state)
{
    struct rh_heap *heap = things_heap();
    const int64_t odd[] = {1, 3, 5}, four[] = {1, 3, 5, 7}, small[] = {1, 2}, entry[] = {3, 4}, zeros[] = {0, 0, 0};
    const int64_t together[] = {0, 0, 0, 1, 2, 3, 4};
    struct numbers got = {{0}, 0};
    (void)state;
    struct rh_object *all[] = {list_of(heap, odd, 3),   tuple_of(heap, odd, 3),  dict_of(heap, four, 4),
                               list_of(heap, small, 2), dict_of(heap, entry, 2), tuple_of(heap, zeros, 3),
                               rh_int_new(heap, 1),     rh_str(heap, "a"),       rh_float_new(heap, 4)};
    numbers_add(&got, rh_get_referents(all[0]));
    assert_numbers(&got, odd, 3);
    numbers_add(&got, rh_get_referents(all[1]));
    assert_numbers(&got, odd, 3);
    numbers_add(&got, rh_get_referents(all[2]));
    assert_numbers(&got, four, 4);
    for (int i = 3; i < 6; i++)
        numbers_add(&got, rh_get_referents(all[i]));
    assert_numbers(&got, together, 7);
    for (int i = 6; i < 9; i++)
        numbers_add(&got, rh_get_referents(all[i]));
    assert_int_equal(got.count, 0);
    for (int i = 0; i < 9; i++)
        rh_decref(all[i]);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

/* ---- what is tracked ---- */

struct plain {
    RH_OBJECT_HEAD;
    double value;
};

static const struct rh_field plain_fields[] = {
    {"value", RH_FIELD_FLOAT, 0, 8, 0, RH_OFFSET(struct plain, value), 0, 0, 0, 0, 0, 0, 0}};

static void scenario__containers_are_tracked_and_atoms_are_not(void **state)
{
    static const struct rh_type_spec spec = RH_TYPE_SPEC("plain", struct plain, plain_fields);
    struct rh_heap *heap = things_heap();
    struct rh_type *type;
    (void)state;
    assert_int_equal(rh_type_create(heap, &spec, &type, NULL), 0);
    assert_false(rh_is_tracked(rh_none(heap)));
    assert_false(rh_is_tracked(rh_bool(heap, 1)));
    assert_false(rh_is_tracked(rh_bool(heap, 0)));
    struct rh_object *atoms[] = {rh_int_new(heap, 1), rh_float_new(heap, 1), rh_bytes_new(heap, "a", 1),
                                 rh_str(heap, "a"), rh_object_new(type)};
    for (size_t i = 0; i < sizeof atoms / sizeof *atoms; i++) {
        assert_false(rh_is_tracked(atoms[i]));
        rh_decref(atoms[i]);
    }
    struct rh_object *klass = rh_class_new(heap, "UserClass", NULL);
    struct rh_object *containers[] = {klass,
                                      rh_instance_new(klass),
                                      rh_list_new(heap),
                                      rh_set_new(heap),
                                      rh_cell_new(heap, NULL),
                                      rh_weakref_new(klass, NULL, NULL),
                                      (void *)thing_new(things_type(heap, PLAIN), 1, NULL, NULL)};
    for (size_t i = 0; i < sizeof containers / sizeof *containers; i++)
        assert_true(rh_is_tracked(containers[i]));
    for (size_t i = sizeof containers / sizeof *containers; i--;)
        rh_decref(containers[i]);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static struct thing *lazarus;

static void come_back(struct thing *t)
{
    rh_incref(t);
    lazarus = t;
}

static void scenario__who_was_finalized_says_so(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *three = rh_int_new(heap, 3);
    struct thing *t = thing_new(things_type(heap, FINALIZED), 1, NULL, NULL);
    (void)state;
    assert_false(rh_is_finalized(three));
    rh_decref(three);
    lazarus = NULL;
    thing_finalizer = come_back;
    assert_false(rh_is_finalized(t));
    rh_decref(t);
    rh_collect(heap, RH_OLD);
    assert_ptr_equal(lazarus, t);
    assert_true(rh_is_finalized(lazarus));
    rh_decref(lazarus);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scenario__list_that_holds_itself),
        cmocka_unit_test(scenario__dict_that_holds_itself),
        cmocka_unit_test(scenario__list_and_tuple_that_hold_each_other),
        cmocka_unit_test(scenario__class_that_is_its_own_attribute),
        cmocka_unit_test(scenario__class_that_holds_its_order_of_bases),
        cmocka_unit_test(scenario__instance_that_is_its_own_attribute),
        cmocka_unit_test(scenario__instance_of_a_class_that_extends_others),
        cmocka_unit_test(scenario__instance_that_keeps_a_method_of_its_own),
        cmocka_unit_test(scenario__legacy_finalizer_keeps_its_cycle),
        cmocka_unit_test(scenario__inherited_legacy_finalizer_keeps_its_cycle),
        cmocka_unit_test(scenario__function_in_the_dict_of_its_globals),
        cmocka_unit_test(scenario__frame_among_its_own_variables),
        cmocka_unit_test(scenario__all_that_is_found_is_saved_on_request),
        cmocka_unit_test(scenario__counts_of_allocations_and_collections),
        cmocka_unit_test(scenario__counts_as_an_object_grows_old),
        cmocka_unit_test(scenario__statistics_by_generation),
        cmocka_unit_test(scenario__frozen_objects_are_counted),
        cmocka_unit_test(scenario__objects_of_each_generation_are_listed),
        cmocka_unit_test(scenario__objects_of_all_generations_are_listed),
        cmocka_unit_test(scenario__referents_are_listed_once_a_reference),
        cmocka_unit_test(scenario__containers_are_tracked_and_atoms_are_not),
        cmocka_unit_test(scenario__who_was_finalized_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
