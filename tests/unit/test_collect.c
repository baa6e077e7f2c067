/* The collector: what it finds, when it runs, what it counts. */
#include "unit.h"

#include <stdlib.h>

#include "../support/things.h"

static struct thing *ring(struct rh_type *type, int n)
{
    struct thing *first = thing_new(type, 0, NULL, NULL), *last = first;
    for (int i = 1; i < n; i++) {
        struct thing *t = thing_new(type, i, NULL, NULL);
        rh_assign(&last->a, t);
        rh_decref(t);
        last = t;
    }
    rh_assign(&last->a, first);
    return first;
}

static void collect__frees_cycles_and_keeps_what_is_held(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN);
    (void)state;
    struct thing *kept = ring(type, 3);
    rh_decref(ring(type, 4));
    struct thing *self = thing_new(type, 1, NULL, NULL);
    rh_assign(&self->a, self);
    rh_decref(self);
    assert_int_equal(rh_collect(heap, RH_OLD), 5);
    assert_int_equal(objects_alive(heap), 3);
    rh_decref(kept);
    assert_int_equal(rh_collect(heap, RH_OLD), 3);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void collect__promotes_survivors(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN);
    struct thing *t = thing_new(type, 1, NULL, NULL);
    (void)state;
    assert_int_equal(rh_generation_of(t), 0);
    rh_collect(heap, RH_YOUNG);
    assert_int_equal(rh_generation_of(t), 1);
    rh_collect(heap, RH_YOUNG); /* not a candidate any more */
    assert_int_equal(rh_generation_of(t), 1);
    rh_collect(heap, RH_MIDDLE);
    assert_int_equal(rh_generation_of(t), 2);
    rh_collect(heap, RH_OLD);
    assert_int_equal(rh_generation_of(t), 2);
    rh_decref(t);
    rh_heap_destroy(heap);
}

static void collect__of_a_young_generation_leaves_old_garbage(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN);
    struct thing *r = ring(type, 2);
    (void)state;
    rh_collect(heap, RH_OLD);
    rh_decref(r);
    assert_int_equal(rh_collect(heap, RH_YOUNG), 0);
    assert_int_equal(rh_collect(heap, RH_MIDDLE), 0);
    assert_int_equal(rh_collect(heap, RH_OLD), 2);
    rh_heap_destroy(heap);
}

static void collect__is_automatic_at_the_thresholds(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN);
    struct rh_stats stats[3];
    size_t threshold[3], count[3];
    (void)state;
    rh_get_threshold(heap, threshold);
    assert_int_equal(threshold[0], 700);
    assert_int_equal(threshold[1], 10);
    assert_int_equal(threshold[2], 10);
    rh_enable(heap);
    for (int i = 0; i < 700; i++)
        thing_new(type, i, NULL, NULL);
    rh_get_stats(heap, stats);
    assert_int_equal(stats[0].collections, 0);
    thing_new(type, 700, NULL, NULL); /* the 701st passes the threshold */
    rh_get_stats(heap, stats);
    assert_int_equal(stats[0].collections, 1);
    rh_get_count(heap, count);
    assert_int_equal(count[0], 0); /* the one that triggered it came before the count was reset */
    assert_int_equal(count[1], 1);
    assert_int_equal(objects_in(heap, 1), 700);
    assert_int_equal(objects_in(heap, 0), 1);
    for (int i = 0; i < 701 * 11; i++)
        thing_new(type, i, NULL, NULL);
    rh_get_stats(heap, stats);
    assert_int_equal(stats[1].collections, 1); /* after more than ten of generation 0 */
    rh_heap_destroy(heap);
}

static void collect__counts_frees_against_allocations(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN);
    struct rh_stats stats[3];
    size_t count[3];
    (void)state;
    rh_enable(heap);
    for (int i = 0; i < 5000; i++)
        rh_decref(thing_new(type, i, NULL, NULL));
    rh_get_stats(heap, stats);
    rh_get_count(heap, count);
    assert_int_equal(stats[0].collections, 0);
    assert_int_equal(count[0], 0);
    rh_heap_destroy(heap);
}

static void collect__waits_for_a_quarter_before_a_full_one(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN);
    struct rh_stats stats[3];
    (void)state;
    for (int i = 0; i < 40000; i++)
        thing_new(type, i, NULL, NULL);
    rh_collect(heap, RH_OLD); /* 40,000 are long-lived now */
    rh_enable(heap);
    const size_t threshold[3] = {10, 1, 1};
    rh_set_threshold(heap, threshold);
    for (int i = 0; i < 9000; i++)
        thing_new(type, i, NULL, NULL);
    rh_get_stats(heap, stats);
    assert_int_equal(stats[2].collections, 1); /* a quarter would be 10,000 */
    assert_true(stats[1].collections > 100);
    for (int i = 0; i < 3000; i++)
        thing_new(type, i, NULL, NULL);
    rh_get_stats(heap, stats);
    assert_int_equal(stats[2].collections, 2);
    rh_heap_destroy(heap);
}

static void collect__can_be_turned_off(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN);
    struct rh_stats stats[3];
    const size_t never[3] = {0, 10, 10};
    (void)state;
    assert_false(rh_is_enabled(heap));
    for (int i = 0; i < 2000; i++)
        thing_new(type, i, NULL, NULL);
    rh_enable(heap);
    rh_set_threshold(heap, never);
    for (int i = 0; i < 2000; i++)
        thing_new(type, i, NULL, NULL);
    rh_get_stats(heap, stats);
    assert_int_equal(stats[0].collections, 0);
    rh_heap_destroy(heap);
}

static void freeze__takes_objects_out_of_all_collections(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN);
    (void)state;
    struct thing *r = ring(type, 3);
    rh_freeze(heap);
    assert_int_equal(rh_freeze_count(heap), 3);
    assert_int_equal(rh_generation_of(r), RH_PERMANENT);
    rh_decref(r);
    assert_int_equal(rh_collect(heap, RH_OLD), 0);
    rh_unfreeze(heap);
    assert_int_equal(rh_freeze_count(heap), 0);
    assert_int_equal(rh_collect(heap, RH_OLD), 3);
    rh_heap_destroy(heap);
}

static void untrack__containers_of_atomic_objects(void **state)
{
    struct rh_heap *heap = things_heap();
    (void)state;
    struct rh_object *number = rh_int_new(heap, 1), *list = rh_list_new(heap), *dict = rh_dict_new(heap);
    struct rh_object *plain = rh_tuple_new(heap, 1), *nested = rh_tuple_new(heap, 1), *holding = rh_tuple_new(heap, 1);
    rh_tuple_set(plain, 0, number);
    rh_tuple_set(nested, 0, plain);
    rh_tuple_set(holding, 0, list);
    assert_false(rh_is_tracked(number));
    assert_true(rh_is_tracked(plain)); /* found out by a collection */
    assert_false(rh_is_tracked(dict)); /* until it holds a container */
    rh_dict_set_text(dict, "n", number);
    assert_false(rh_is_tracked(dict));
    rh_collect(heap, RH_YOUNG);
    assert_false(rh_is_tracked(plain));
    assert_false(rh_is_tracked(nested)); /* plain came first */
    assert_true(rh_is_tracked(holding));
    rh_dict_set_text(dict, "l", list);
    assert_true(rh_is_tracked(dict));
    rh_dict_set_text(dict, "l", number);
    rh_collect(heap, RH_MIDDLE);
    assert_true(rh_is_tracked(dict)); /* dicts only by a full one */
    rh_collect(heap, RH_OLD);
    assert_false(rh_is_tracked(dict));
    rh_dict_set_text(dict, "l", list);
    assert_int_equal(rh_generation_of(dict), RH_YOUNG);
    struct rh_object *all[] = {number, list, dict, plain, nested, holding};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        rh_decref(all[i]);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static int finalized;
static void count_finalized(struct thing *t)
{
    (void)t;
    finalized++;
}

static struct thing *rescued;
static void rescue(struct thing *t)
{
    finalized++;
    if (!rescued) {
        rh_incref(t);
        rescued = t;
    }
}

static void collect__runs_finalizers_before_anything_is_cleared(void **state)
{
    struct rh_heap *heap = things_heap();
    struct thing *r = ring(things_type(heap, FINALIZED), 4);
    (void)state;
    finalized = 0;
    thing_finalizer = count_finalized;
    rh_decref(r);
    assert_int_equal(rh_collect(heap, RH_OLD), 4);
    assert_int_equal(finalized, 4);
    assert_int_equal(objects_alive(heap), 0);
    rh_heap_destroy(heap);
}

static void collect__spares_what_a_finalizer_brought_back(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, FINALIZED);
    struct thing *r = ring(type, 4), *lost = ring(type, 2);
    (void)state;
    finalized = 0;
    rescued = NULL;
    thing_finalizer = rescue;
    rh_decref(r);
    rh_decref(lost);
    assert_int_equal(rh_collect(heap, RH_OLD), 2); /* the rescued ring is whole again */
    assert_int_equal(finalized, 6);
    assert_int_equal(objects_alive(heap), 4);
    struct thing *t = rescued;
    for (int i = 0; i < 4; i++, t = t->a)
        assert_non_null(t->a);
    assert_ptr_equal(t, rescued);
    rh_decref(rescued);
    assert_int_equal(rh_collect(heap, RH_OLD), 4);
    assert_int_equal(finalized, 6); /* no second time */
    rh_heap_destroy(heap);
}

static void collect__keeps_what_legacy_finalizers_reach(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *plain = things_type(heap, PLAIN), *legacy = things_type(heap, LEGACY);
    struct rh_stats stats[3];
    (void)state;
    struct thing *a = thing_new(legacy, 1, NULL, NULL), *b = thing_new(plain, 2, a, NULL);
    rh_assign(&a->a, b);
    rh_decref(a);
    rh_decref(b);
    assert_int_equal(rh_collect(heap, RH_OLD), 2);
    rh_get_stats(heap, stats);
    assert_int_equal(stats[2].uncollectable, 2);
    assert_int_equal(stats[2].collected, 0);
    assert_non_null(rh_garbage(heap));
    assert_int_equal(rh_list_length(rh_garbage(heap)), 1); /* the one with the finalizer */
    assert_ptr_equal(rh_list_get(rh_garbage(heap), 0), a);
    rh_assign(&a->a, NULL);
    rh_list_clear(rh_garbage(heap));
    assert_int_equal(rh_heap_destroy(heap), 0);
}

/* As CPython has it: held by garbage alone, it goes with that, and is neither collected nor uncollectable. */
static void collect__counts_as_uncollectable_only_what_is_left(void **state)
{
    struct rh_heap *heap = things_heap();
    struct thing *last = thing_new(things_type(heap, LEGACY), 1, NULL, NULL);
    struct thing *t = thing_new(things_type(heap, PLAIN), 2, NULL, last);
    struct rh_stats stats[3];
    (void)state;
    rh_assign(&t->a, t);
    rh_decref(last);
    rh_decref(t);
    assert_int_equal(rh_collect(heap, RH_OLD), 1);
    rh_get_stats(heap, stats);
    assert_int_equal(stats[2].collected, 1);
    assert_int_equal(stats[2].uncollectable, 0);
    assert_null(rh_garbage(heap));
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static size_t nested_found;
static struct rh_heap *first_heap;
static void collect_first(struct thing *t)
{
    (void)t;
    nested_found += rh_collect(first_heap, RH_YOUNG);
}

/* An object that is nothing but fields lets go of one of another heap, whose finalizer collects the first. */
static void collect__does_not_see_what_is_being_freed(void **state)
{
    struct pair {
        RH_OBJECT_HEAD;
        struct rh_object *a, *b;
    };
    static const struct rh_field fields[] = {RH_STRONG(struct pair, a), RH_STRONG(struct pair, b)};
    static const struct rh_type_spec spec = RH_TYPE_SPEC("pair", struct pair, fields);
    struct rh_heap *second = things_heap();
    struct rh_type *type;
    (void)state;
    first_heap = things_heap();
    assert_int_equal(rh_type_create(first_heap, &spec, &type, NULL), 0);
    struct pair *p = rh_object_new(type);
    struct thing *t = thing_new(things_type(second, FINALIZED), 1, NULL, NULL);
    rh_assign(&p->a, t);
    rh_decref(t);
    nested_found = 0;
    thing_finalizer = collect_first;
    rh_set_debug(first_heap, RH_DEBUG_SAVEALL);
    rh_decref(p);
    assert_int_equal(nested_found, 0);
    assert_null(rh_garbage(first_heap));
    assert_int_equal(rh_heap_destroy(first_heap), 0);
    assert_int_equal(rh_heap_destroy(second), 0);
}

static void collect__saves_all_when_told(void **state)
{
    struct rh_heap *heap = things_heap();
    (void)state;
    rh_set_debug(heap, RH_DEBUG_SAVEALL);
    rh_decref(ring(things_type(heap, PLAIN), 3));
    assert_int_equal(rh_collect(heap, RH_OLD), 3);
    assert_int_equal(rh_list_length(rh_garbage(heap)), 3);
    rh_set_debug(heap, 0);
    rh_list_clear(rh_garbage(heap));
    assert_int_equal(rh_collect(heap, RH_OLD), 3);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void collect_again(struct thing *t)
{
    nested_found += rh_collect(rh_heap_of(t), RH_OLD);
}

static void collect__does_not_nest(void **state)
{
    struct rh_heap *heap = things_heap();
    struct thing *r = ring(things_type(heap, FINALIZED), 2);
    (void)state;
    nested_found = 0;
    thing_finalizer = collect_again;
    rh_decref(r);
    assert_int_equal(rh_collect(heap, RH_OLD), 2);
    assert_int_equal(nested_found, 0);
    rh_heap_destroy(heap);
}

static void collect__does_not_touch_other_heaps(void **state)
{
    struct rh_heap *one = things_heap(), *two = things_heap();
    struct thing *a = ring(things_type(one, PLAIN), 2), *b = ring(things_type(two, PLAIN), 2);
    (void)state;
    rh_assign(&a->b, b); /* from one heap into the other */
    rh_decref(b);
    assert_int_equal(rh_collect(two, RH_OLD), 0);
    rh_decref(a);
    assert_int_equal(rh_collect(two, RH_OLD), 0); /* held by garbage of another heap: alive to this collector */
    assert_int_equal(rh_collect(one, RH_OLD), 2);
    assert_int_equal(rh_collect(two, RH_OLD), 2);
    rh_heap_destroy(one);
    rh_heap_destroy(two);
}

static void drop_weakref(struct rh_object *weakref, struct rh_object *data)
{
    (void)data;
    rh_decref(weakref);
}

/* As CPython has it: a weak reference that goes with its callback is one more collected. */
static void collect__counts_weak_references_that_go_with_their_callback(void **state)
{
    struct rh_heap *heap = things_heap();
    struct thing *t = ring(things_type(heap, PLAIN), 1);
    struct rh_stats stats[3];
    (void)state;
    rh_weakref_new(t, drop_weakref, NULL);
    rh_decref(t);
    assert_int_equal(rh_collect(heap, RH_OLD), 2);
    rh_get_stats(heap, stats);
    assert_int_equal(stats[2].collected, 2);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static struct rh_object *seen_by_legacy, *late_weakref;
static int late_calls;

static void count_late(struct rh_object *weakref, struct rh_object *data)
{
    (void)weakref;
    (void)data;
    late_calls++;
}

static void look_at_weakref(struct rh_object *object)
{
    assert_null(rh_weakref_get(seen_by_legacy));
    late_weakref = rh_weakref_new(object, count_late, NULL);
}

/* Weak references are cleared after a finalizer and before a legacy one; those the latter makes die silently. */
static void legacy__finalizers_find_weak_references_cleared(void **state)
{
    static const struct rh_field fields[] = {RH_STRONG(struct thing, a)};
    struct rh_type_spec spec = RH_TYPE_SPEC("legacy", struct thing, fields);
    struct rh_heap *heap = things_heap();
    struct rh_type *type;
    (void)state;
    spec.legacy_finalize = look_at_weakref;
    assert_int_equal(rh_type_create(heap, &spec, &type, NULL), 0);
    struct thing *t = rh_object_new(type);
    late_calls = 0;
    seen_by_legacy = rh_weakref_new(t, NULL, NULL);
    rh_decref(t);
    assert_null(rh_weakref_get(late_weakref));
    assert_int_equal(late_calls, 0);
    rh_decref(seen_by_legacy);
    rh_decref(late_weakref);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void collect__a_million_in_one_cycle(void **state)
{
    struct rh_heap *heap = things_heap();
    (void)state;
    rh_decref(ring(things_type(heap, PLAIN), 1000000));
    assert_int_equal(rh_collect(heap, RH_OLD), 1000000);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(collect__frees_cycles_and_keeps_what_is_held),
        cmocka_unit_test(collect__promotes_survivors),
        cmocka_unit_test(collect__of_a_young_generation_leaves_old_garbage),
        cmocka_unit_test(collect__is_automatic_at_the_thresholds),
        cmocka_unit_test(collect__counts_frees_against_allocations),
        cmocka_unit_test(collect__waits_for_a_quarter_before_a_full_one),
        cmocka_unit_test(collect__can_be_turned_off),
        cmocka_unit_test(freeze__takes_objects_out_of_all_collections),
        cmocka_unit_test(untrack__containers_of_atomic_objects),
        cmocka_unit_test(collect__runs_finalizers_before_anything_is_cleared),
        cmocka_unit_test(collect__spares_what_a_finalizer_brought_back),
        cmocka_unit_test(collect__keeps_what_legacy_finalizers_reach),
        cmocka_unit_test(collect__counts_as_uncollectable_only_what_is_left),
        cmocka_unit_test(collect__does_not_see_what_is_being_freed),
        cmocka_unit_test(collect__saves_all_when_told),
        cmocka_unit_test(collect__does_not_nest),
        cmocka_unit_test(collect__does_not_touch_other_heaps),
        cmocka_unit_test(collect__a_million_in_one_cycle),
        cmocka_unit_test(collect__counts_weak_references_that_go_with_their_callback),
        cmocka_unit_test(legacy__finalizers_find_weak_references_cleared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
