/* Weak references, their callbacks, and the collector: the second half of what CPython's test_weakref asserts of
 * references, asserted of librefheap. tests/SCENARIOS.md says which test answers to which. */
#include "unit.h"

#include "../support/scenario.h"

static void collect_all(struct rh_object *weakref, struct rh_object *data)
{
    (void)data;
    assert_null(rh_weakref_get(weakref));
    rh_collect(rh_heap_of(weakref), RH_OLD);
    say("collected");
}

static void assert_gone(const struct rh_object *weakref)
{
    assert_null(rh_weakref_get(weakref));
}

/* An object that is being freed must not be met by the collection its callback starts, nor one that holds it. */
static void scenario__callback_collects_while_its_object_is_freed(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *klass = rh_class_new(heap, "C", NULL), *c = rh_instance_new(klass);
    struct rh_object *w = rh_weakref_new(c, collect_all, NULL);
    (void)state;
    said_clear();
    rh_decref(c);
    assert_string_equal(said(), "collected ");
    rh_decref(w);
    struct rh_object *inner = rh_instance_new(klass), *one = rh_instance_new(klass), *two = rh_instance_new(klass);
    rh_attr_set(one, "i", inner);
    rh_attr_set(two, "one", one);
    w = rh_weakref_new(inner, collect_all, NULL);
    rh_decref(inner);
    rh_decref(one);
    assert_string_equal(said(), "collected ");
    rh_decref(two);
    assert_string_equal(said(), "collected collected ");
    assert_gone(w);
    rh_decref(w);
    rh_decref(klass);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

/* A callback of garbage may be called by nobody: what it would look at is being cleared. */
static void say_wrong(struct rh_object *weakref, struct rh_object *data)
{
    (void)weakref;
    (void)data;
    say("wrong");
}

/* A class that holds itself through the tuple of its bases, as Python's do. */
static struct rh_object *class_with_bases(struct rh_heap *heap, const char *name)
{
    struct rh_object *klass = rh_class_new(heap, name, NULL), *bases = rh_tuple_new(heap, 1);
    rh_tuple_set(bases, 0, klass);
    rh_attr_set(klass, "bases", bases);
    rh_decref(bases);
    return klass;
}

static void scenario__callback_in_the_cycle_of_its_object_is_not_called(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *j = class_with_bases(heap, "J"), *ii = class_with_bases(heap, "II"), *i = rh_instance_new(ii);
    struct rh_object *w = rh_weakref_new(j, say_wrong, i);
    (void)state;
    said_clear();
    rh_attr_set(i, "j", j);
    rh_attr_put(i, "w", w);
    rh_decref(i);
    rh_decref(j);
    rh_decref(ii);
    assert_int_equal(rh_collect(heap, RH_OLD), 6); /* two classes and their tuples, the instance, the reference */
    assert_string_equal(said(), "");
    assert_int_equal(rh_heap_destroy(heap), 0);
}

/* From the object that is watched nothing leads to the one that watches; still both go, and none is called. */
static void scenario__callback_that_reaches_its_object_one_way_is_not_called(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *klass = rh_class_new(heap, "C", NULL);
    struct rh_object *one = rh_instance_new(klass), *two = rh_instance_new(klass);
    (void)state;
    said_clear();
    rh_attr_set(two, "me", two);
    rh_attr_set(two, "one", one);
    rh_attr_put(two, "w", rh_weakref_new(one, say_wrong, two));
    rh_decref(one);
    rh_decref(two);
    assert_int_equal(rh_collect(heap, RH_OLD), 3);
    assert_string_equal(said(), "");
    rh_decref(klass);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void scenario__callback_of_another_class_that_goes_too_is_not_called(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *c = rh_class_new(heap, "C", NULL), *d = rh_class_new(heap, "D", NULL);
    struct rh_object *one = rh_instance_new(d), *two = rh_instance_new(c);
    (void)state;
    said_clear();
    rh_attr_set(two, "me", two);
    rh_attr_set(two, "one", one);
    rh_attr_put(two, "w", rh_weakref_new(one, say_wrong, two));
    rh_decref(one);
    rh_decref(two);
    rh_decref(c);
    rh_decref(d);
    assert_int_equal(rh_collect(heap, RH_OLD), 5);
    assert_string_equal(said(), "");
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void bring_back(struct rh_object *weakref, struct rh_object *data)
{
    (void)weakref;
    rh_incref(rh_attr_get(data, "c"));
    say("brought back");
}

static void scenario__callbacks_inside_a_dead_cycle_bring_nothing_back(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *klass = rh_class_new(heap, "C", NULL);
    struct rh_object *one = rh_instance_new(klass), *two = rh_instance_new(klass);
    (void)state;
    said_clear();
    rh_attr_set(one, "c", two);
    rh_attr_set(two, "c", one);
    rh_attr_put(one, "w", rh_weakref_new(two, bring_back, one));
    rh_attr_put(two, "w", rh_weakref_new(one, bring_back, two));
    struct rh_object *w = watch(klass, "class went");
    rh_decref(one);
    rh_decref(two);
    rh_decref(klass);
    assert_string_equal(said(), "");
    assert_int_equal(rh_collect(heap, RH_OLD), 5);
    assert_string_equal(said(), "class went "); /* the one outside */
    assert_gone(w);
    said_clear();
    assert_int_equal(rh_collect(heap, RH_OLD), 0);
    assert_string_equal(said(), "");
    rh_decref(w);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

/* What a callback was given can be watched itself. */
static void scenario__callbacks_data_is_watched_from_inside_and_outside(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *klass = rh_class_new(heap, "C", NULL);
    struct rh_object *c = rh_instance_new(klass), *d = rh_instance_new(klass), *given = rh_cell_new(heap, c);
    (void)state;
    said_clear();
    rh_attr_set(c, "other", d);
    rh_attr_set(d, "other", c);
    rh_attr_put(c, "w", rh_weakref_new(d, say_wrong, given));
    rh_attr_put(d, "w", rh_weakref_new(given, say_wrong, d));
    struct rh_object *outside = watch(given, "safe"), *got = rh_weakref_get(outside);
    assert_ptr_equal(got, given);
    rh_decref(got);
    rh_decref(given);
    rh_decref(c);
    rh_decref(d);
    rh_decref(klass);
    assert_string_equal(said(), "");
    assert_int_equal(rh_collect(heap, RH_OLD), 6);
    assert_string_equal(said(), "safe ");
    assert_gone(outside);
    said_clear();
    assert_int_equal(rh_collect(heap, RH_OLD), 0);
    assert_string_equal(said(), "");
    rh_decref(outside);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

/* ---- collections at awkward moments ---- */

static uint64_t collections(const struct rh_heap *heap)
{
    struct rh_stats stats[3];
    rh_get_stats(heap, stats);
    return stats[0].collections + stats[1].collections + stats[2].collections;
}

static void collect_at_every_turn(struct rh_heap *heap)
{
    const size_t often[3] = {1, 1, 1};
    rh_collect(heap, RH_OLD);
    rh_set_threshold(heap, often);
    rh_enable(heap);
}

static void say_called(struct rh_object *weakref, struct rh_object *data)
{
    (void)weakref;
    (void)data;
    say("called");
}

/* Making a reference collects an older one to the same object. */
static void scenario__collection_while_a_reference_is_made(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *klass = rh_class_new(heap, "A", NULL), *referenced = rh_instance_new(klass);
    struct rh_object *a;
    (void)state;
    said_clear();
    collect_at_every_turn(heap);
    for (int i = 0; i < 10; i++) {
        a = rh_instance_new(klass);
        rh_attr_set(a, "a", a);
        rh_attr_put(a, "w", rh_weakref_new(referenced, NULL, NULL));
        rh_decref(a);
        uint64_t before = collections(heap);
        a = rh_instance_new(klass);
        struct rh_object *w = rh_weakref_new(referenced, say_called, NULL), *found[1];
        assert_true(collections(heap) > before);
        weak_references(referenced, found, 1);
        assert_ptr_equal(found[0], w);
        rh_decref(w);
        rh_decref(a);
    }
    rh_collect(heap, RH_OLD);
    assert_int_equal(weak_references(referenced, NULL, 0), 0);
    assert_int_equal(objects_in(heap, RH_OLD), 2);
    rh_decref(referenced);
    rh_decref(klass);
    assert_string_equal(said(), "");
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void scenario__collection_while_an_object_with_a_weak_field_is_made(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN);
    struct thing *referenced = thing_new(type, 0, NULL, NULL);
    (void)state;
    collect_at_every_turn(heap);
    for (int i = 1; i < 10; i++) {
        struct thing *a = loop_new(type, i);
        rh_weak_set(&a->w, referenced);
        rh_decref(a);
        uint64_t before = collections(heap);
        struct thing *spare = thing_new(type, i, NULL, NULL), *b = thing_new(type, i, NULL, NULL);
        rh_weak_set(&b->w, referenced);
        assert_true(collections(heap) > before);
        assert_ptr_equal(b->w.target, referenced);
        rh_decref(b);
        rh_decref(spare);
    }
    rh_collect(heap, RH_OLD);
    assert_int_equal(weak_references(referenced, NULL, 0), 0);
    rh_decref(referenced);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static struct rh_object *made_late;

static void refer_to_myself(struct thing *t)
{
    made_late = rh_weakref_new(t, NULL, NULL);
}

static void scenario__reference_made_by_a_finalizer_is_cleared(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, FINALIZED);
    (void)state;
    thing_finalizer = refer_to_myself;
    rh_decref(thing_new(type, 1, NULL, NULL));
    assert_gone(made_late);
    rh_decref(made_late);
    rh_decref(loop_new(type, 2)); /* the same for the collector */
    assert_int_equal(rh_collect(heap, RH_OLD), 1);
    assert_gone(made_late);
    rh_decref(made_late);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void append_reference(struct rh_object *weakref, struct rh_object *list)
{
    rh_list_append(list, weakref);
}

static void scenario__class_is_watched(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *klass = class_with_bases(heap, "A"), *list = rh_list_new(heap);
    struct rh_object *w = rh_weakref_new(klass, append_reference, list);
    (void)state;
    rh_decref(klass);
    assert_int_equal(rh_list_length(list), 0);
    assert_int_equal(rh_collect(heap, RH_OLD), 2);
    assert_gone(w);
    assert_int_equal(rh_list_length(list), 1);
    assert_ptr_equal(rh_list_get(list, 0), w);
    rh_list_clear(list);
    rh_decref(w);
    rh_decref(list);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void scenario__callback_collects_after_a_finalizer(void **state)
{
    struct rh_heap *heap = things_heap();
    struct thing *t = thing_new(things_type(heap, FINALIZED), 1, NULL, NULL);
    struct rh_object *w = rh_weakref_new(t, collect_all, NULL);
    (void)state;
    said_clear();
    rh_decref(t);
    assert_string_equal(said(), "collected ");
    rh_collect(heap, RH_OLD);
    assert_gone(w);
    assert_string_equal(said(), "collected ");
    rh_decref(w);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

/* ---- a long chain of deaths ---- */

enum { CHAIN = 100 };

static size_t children_read, children_gone;

/* The parent has died: the child, if it can be read, is one that lives. */
static void read_child(struct rh_object *weakref, struct rh_object *to_child)
{
    struct rh_object *child = rh_weakref_get(to_child);
    (void)weakref;
    children_read++;
    children_gone += !child;
    if (child) {
        assert_true(rh_refcount(child) > 1);
        rh_decref(child);
    }
}

static struct rh_object *child_new(struct rh_object *klass, struct rh_object *parent)
{
    struct rh_object *child = rh_instance_new(klass), *to_child = rh_weakref_new(child, NULL, NULL);
    rh_attr_put(child, "parent", rh_weakref_new(parent, read_child, to_child));
    rh_decref(to_child);
    return child;
}

static struct rh_object *by_number;

/* The parent has died: nothing holds the child any more. */
static void drop_child(struct rh_object *weakref, struct rh_object *number)
{
    (void)weakref;
    assert_int_equal(rh_dict_remove(by_number, number), 0);
}

/* Each is held by an entry that goes with its parent, and watches its parent. The entry goes first. Where the library
 * puts off the child's own death, to spare the stack, its count has ended: the second callback may not get hold of it.
 */
static void scenario__callbacks_in_a_long_chain_of_deaths(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *klass = rh_class_new(heap, "C", NULL), *root = rh_instance_new(klass), *last = root;
    struct rh_object *entries = rh_list_new(heap);
    (void)state;
    by_number = rh_dict_new(heap);
    children_read = children_gone = 0;
    for (int i = 0; i < CHAIN; i++) {
        struct rh_object *child = child_new(klass, last), *number = rh_int_new(heap, i);
        rh_dict_set(by_number, number, child);
        rh_list_put(entries, rh_weakref_new(last, drop_child, number));
        rh_decref(number);
        rh_decref(child); /* the dict's alone, while its parent lives */
        last = child;
    }
    assert_int_equal(rh_dict_length(by_number), CHAIN);
    rh_decref(root);
    assert_int_equal(rh_dict_length(by_number), 0);
    assert_int_equal(children_read, CHAIN);
    assert_int_equal(children_gone, CHAIN);
    rh_collect(heap, RH_OLD);
    assert_int_equal(rh_refcount(klass), 1); /* all instances are gone */
    rh_decref(entries);
    rh_decref(by_number);
    rh_decref(klass);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scenario__callback_collects_while_its_object_is_freed),
        cmocka_unit_test(scenario__callback_in_the_cycle_of_its_object_is_not_called),
        cmocka_unit_test(scenario__callback_that_reaches_its_object_one_way_is_not_called),
        cmocka_unit_test(scenario__callback_of_another_class_that_goes_too_is_not_called),
        cmocka_unit_test(scenario__callbacks_inside_a_dead_cycle_bring_nothing_back),
        cmocka_unit_test(scenario__callbacks_data_is_watched_from_inside_and_outside),
        cmocka_unit_test(scenario__collection_while_a_reference_is_made),
        cmocka_unit_test(scenario__collection_while_an_object_with_a_weak_field_is_made),
        cmocka_unit_test(scenario__reference_made_by_a_finalizer_is_cleared),
        cmocka_unit_test(scenario__class_is_watched),
        cmocka_unit_test(scenario__callback_collects_after_a_finalizer),
        cmocka_unit_test(scenario__callbacks_in_a_long_chain_of_deaths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
