/* Weak references and their callbacks: the first half of what CPython's test_weakref asserts of references, asserted of
 * librefheap. tests/SCENARIOS.md says which test answers to which. */
#include "unit.h"

#include "../support/scenario.h"

/* ---- reading ---- */

static void assert_reads(const struct rh_object *weakref, const void *object)
{
    void *got = rh_weakref_get(weakref);
    assert_ptr_equal(got, object);
    rh_xdecref(got);
}

/* One object of each of some kinds, each with one reference of the caller's. */
enum { KINDS = 4 };

static void make_kinds(struct rh_heap *heap, void *objects[KINDS])
{
    struct rh_object *klass = rh_class_new(heap, "C", NULL);
    objects[0] = rh_instance_new(klass);
    objects[1] = rh_list_new(heap);
    objects[2] = rh_cell_new(heap, objects[1]);
    objects[3] = rh_tuple_new(heap, 1);
    rh_tuple_set(objects[3], 0, objects[0]);
    rh_decref(klass);
}

static void scenario__reference_gives_its_object_while_it_lives(void **state)
{
    struct rh_heap *heap = things_heap();
    void *objects[KINDS];
    (void)state;
    make_kinds(heap, objects);
    for (int i = KINDS - 1; i >= 0; i--) { /* the later ones hold the earlier */
        int64_t before = rh_refcount(objects[i]);
        struct rh_object *w = rh_weakref_new(objects[i], NULL, NULL);
        assert_int_equal(rh_refcount(objects[i]), before);
        void *got = rh_weakref_get(w);
        assert_ptr_equal(got, objects[i]);
        assert_int_equal(rh_refcount(objects[i]), before + 1); /* what is read is held */
        rh_decref(got);
        rh_decref(objects[i]);
        assert_reads(w, NULL);
        rh_decref(w);
    }
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void scenario__callback_is_called_when_the_object_goes(void **state)
{
    struct rh_heap *heap = things_heap();
    void *objects[KINDS];
    (void)state;
    make_kinds(heap, objects);
    for (int i = KINDS - 1; i >= 0; i--) {
        struct rh_object *w = watch(objects[i], "called");
        said_clear();
        rh_decref(objects[i]);
        assert_string_equal(said(), "called ");
        assert_reads(w, NULL);
        rh_decref(w);
    }
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void scenario__objects_of_a_programs_own_type_can_be_referred_to(void **state)
{
    struct rh_heap *heap = things_heap();
    struct thing *t = thing_new(things_type(heap, PLAIN), 1, NULL, NULL);
    struct rh_object *w = rh_weakref_new(t, NULL, NULL), *called = watch(t, "called");
    (void)state;
    said_clear();
    assert_reads(w, t);
    rh_decref(t);
    assert_reads(w, NULL);
    assert_string_equal(said(), "called ");
    assert_reads(called, NULL);
    rh_decref(w);
    rh_decref(called);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void scenario__each_callback_of_an_object_is_called(void **state)
{
    struct rh_heap *heap = things_heap();
    struct thing *t = thing_new(things_type(heap, PLAIN), 1, NULL, NULL);
    struct rh_object *one = watch(t, "called"), *two = watch(t, "called");
    (void)state;
    said_clear();
    rh_decref(t);
    assert_reads(one, NULL);
    assert_reads(two, NULL);
    assert_string_equal(said(), "called called ");
    rh_decref(one);
    rh_decref(two);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static struct rh_object *earlier;

static void read_earlier(struct rh_object *weakref, struct rh_object *data)
{
    (void)data;
    assert_reads(weakref, NULL);
    assert_reads(earlier, NULL);
    say("read");
}

/* All references are cleared before the first callback, so the callback of the second sees nothing through the first.
 */
static void scenario__no_callback_can_see_the_object_through_another_reference(void **state)
{
    struct rh_heap *heap = things_heap();
    struct thing *t = thing_new(things_type(heap, PLAIN), 1, NULL, NULL);
    (void)state;
    said_clear();
    earlier = rh_weakref_new(t, read_earlier, NULL);
    struct rh_object *later = rh_weakref_new(t, read_earlier, NULL);
    rh_decref(t);
    assert_string_equal(said(), "read read ");
    rh_decref(earlier);
    rh_decref(later);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

/* ---- weak fields, which stand where Python has proxies ---- */

static void scenario__weak_field_is_empty_once_its_target_is_gone(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN);
    struct thing *t = thing_new(type, 1, NULL, NULL), *from = thing_new(type, 2, NULL, NULL);
    struct thing *from_too = thing_new(type, 3, NULL, NULL), *short_lived = thing_new(type, 4, NULL, NULL);
    struct rh_object *one = watch(t, "called"), *two = watch(t, "called");
    (void)state;
    said_clear();
    rh_weak_set(&from->w, t);
    rh_weak_set(&from_too->w, t);
    assert_ptr_equal(from->w.target, t);
    rh_decref(t);
    assert_null(rh_weak_get(&from->w));
    assert_null(rh_weak_get(&from_too->w));
    assert_string_equal(said(), "called called ");
    rh_weak_set(&from->w, short_lived);
    rh_decref(short_lived);
    assert_null(rh_weak_get(&from->w));
    rh_decref(one);
    rh_decref(two);
    rh_decref(from);
    rh_decref(from_too);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void scenario__object_is_changed_through_a_weak_field_and_back(void **state)
{
    struct rh_heap *heap = things_heap();
    struct thing *from = thing_new(things_type(heap, PLAIN), 1, NULL, NULL);
    struct rh_object *klass = rh_class_new(heap, "C", NULL), *x = rh_instance_new(klass), *list = rh_list_new(heap);
    struct rh_object *one = rh_int_new(heap, 1), *two = rh_int_new(heap, 2), *through;
    (void)state;
    rh_weak_set(&from->w, x);
    through = rh_weak_get(&from->w);
    rh_attr_set(x, "foo", one);
    assert_ptr_equal(rh_attr_get(through, "foo"), one);
    rh_attr_set(x, "foo", two);
    assert_ptr_equal(rh_attr_get(through, "foo"), two);
    rh_attr_set(x, "foo", NULL);
    assert_null(rh_attr_get(through, "foo"));
    rh_attr_set(through, "foo", one);
    assert_ptr_equal(rh_attr_get(x, "foo"), one);
    rh_attr_set(through, "foo", NULL);
    assert_null(rh_attr_get(x, "foo"));
    rh_decref(through);
    rh_weak_set(&from->w, list);
    through = rh_weak_get(&from->w);
    assert_int_equal(rh_list_length(through), 0);
    rh_list_append(through, one);
    rh_list_append(through, two);
    assert_int_equal(rh_list_length(list), 2);
    rh_list_set(through, 0, two);
    assert_ptr_equal(rh_list_get(list, 0), two);
    rh_decref(through);
    void *all[] = {from, klass, x, list, one, two};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        rh_decref(all[i]);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static struct thing *only;

/* Works on what it was given while the last reference the caller knew of goes. */
static int64_t use_while_it_is_dropped(struct thing *given)
{
    struct thing *dropped = only;
    only = NULL;
    rh_decref(dropped);
    assert_string_equal(said(), "");
    return given->number;
}

/* What is read from a weak field is held, so it cannot go in the middle of its use. */
static void scenario__object_read_from_a_weak_field_outlives_its_last_owner(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN);
    struct thing *from = thing_new(type, 1, NULL, NULL);
    (void)state;
    said_clear();
    only = thing_new(type, 42, NULL, NULL);
    struct rh_object *w = watch(only, "gone");
    rh_weak_set(&from->w, only);
    struct thing *got = rh_weak_get(&from->w);
    assert_int_equal(use_while_it_is_dropped(got), 42);
    rh_decref(got);
    assert_string_equal(said(), "gone ");
    assert_null(rh_weak_get(&from->w));
    rh_decref(w);
    rh_decref(from);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

/* ---- how many there are ---- */

/* Unlike Python's, references without a callback are not shared; each goes on its own. */
static void scenario__references_without_callback_go_one_by_one(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN);
    struct thing *t = thing_new(type, 1, NULL, NULL), *from = thing_new(type, 2, NULL, NULL);
    (void)state;
    struct rh_object *one = rh_weakref_new(t, NULL, NULL);
    rh_weak_set(&from->w, t);
    struct rh_object *two = rh_weakref_new(t, NULL, NULL);
    assert_int_equal(weak_references(t, NULL, 0), 3);
    rh_weak_set(&from->w, NULL);
    assert_int_equal(weak_references(t, NULL, 0), 2);
    rh_decref(one);
    assert_int_equal(weak_references(t, NULL, 0), 1);
    assert_reads(two, t);
    rh_decref(two);
    assert_int_equal(weak_references(t, NULL, 0), 0);
    rh_decref(t);
    rh_decref(from);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void scenario__references_to_an_object_can_be_counted(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN);
    struct thing *t = thing_new(type, 1, NULL, NULL), *from = thing_new(type, 2, NULL, NULL);
    struct thing *from_too = thing_new(type, 3, NULL, NULL);
    struct rh_object *one = rh_weakref_new(t, NULL, NULL), *two = watch(t, "two"), *number = rh_int_new(heap, 1);
    (void)state;
    assert_int_equal(weak_references(t, NULL, 0), 2);
    rh_weak_set(&from->w, t);
    rh_weak_set(&from_too->w, t);
    assert_int_equal(weak_references(t, NULL, 0), 4);
    rh_decref(one);
    rh_decref(two);
    rh_decref(from);
    rh_decref(from_too);
    assert_int_equal(weak_references(t, NULL, 0), 0);
    assert_int_equal(weak_references(number, NULL, 0), 0);
    rh_decref(number);
    rh_decref(t);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void scenario__references_to_an_object_can_be_listed(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN);
    struct thing *t = thing_new(type, 1, NULL, NULL), *u = thing_new(type, 2, NULL, NULL);
    struct rh_object *one = watch(t, "one"), *two = watch(t, "two"), *found[4];
    (void)state;
    assert_int_equal(weak_references(t, found, 4), 2);
    assert_ptr_equal(found[0], two);
    assert_ptr_equal(found[1], one);
    rh_decref(one);
    assert_int_equal(weak_references(t, found, 4), 1);
    assert_ptr_equal(found[0], two);
    one = watch(u, "one");
    struct rh_object *other = watch(u, "other");
    rh_decref(other);
    assert_int_equal(weak_references(u, found, 4), 1);
    assert_ptr_equal(found[0], one);
    rh_decref(one);
    assert_int_equal(weak_references(u, found, 4), 0);
    rh_decref(two);
    rh_decref(t);
    rh_decref(u);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

/* ---- references as keys ---- */

/* Alive or dead, a reference is a key of its own: two to one object are two. */
static void scenario__references_are_equal_to_themselves_alone(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN);
    struct thing *x = thing_new(type, 1, NULL, NULL), *y = thing_new(type, 1, NULL, NULL);
    struct rh_object *refs[] = {rh_weakref_new(x, NULL, NULL), rh_weakref_new(y, NULL, NULL),
                                rh_weakref_new(x, NULL, NULL)};
    struct rh_object *set = rh_set_new(heap);
    (void)state;
    for (int i = 0; i < 3; i++)
        rh_set_add(set, refs[i]);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(rh_set_length(set), 3);
        for (int i = 0; i < 3; i++) {
            rh_set_remove(set, refs[i]);
            for (int j = 0; j < 3; j++)
                assert_int_equal(rh_set_has(set, refs[j]), i != j);
            rh_set_add(set, refs[i]);
        }
        assert_false(rh_set_has(set, y)); /* nor is it its object */
        if (round == 0) {
            rh_decref(x);
            assert_reads(refs[2], NULL);
        }
    }
    for (int i = 0; i < 3; i++)
        rh_decref(refs[i]);
    rh_decref(set);
    rh_decref(y);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void scenario__reference_is_found_as_a_key_after_its_objects_death(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN);
    struct thing *x = thing_new(type, 42, NULL, NULL), *y = thing_new(type, 42, NULL, NULL);
    struct rh_object *a = rh_weakref_new(x, NULL, NULL), *b = rh_weakref_new(y, NULL, NULL);
    struct rh_object *dict = rh_dict_new(heap);
    (void)state;
    rh_dict_set(dict, a, rh_none(heap));
    rh_decref(x);
    rh_decref(y);
    assert_reads(a, NULL);
    assert_reads(b, NULL);
    assert_ptr_equal(rh_dict_get(dict, a), rh_none(heap));
    rh_dict_set(dict, b, rh_bool(heap, 1)); /* one that is dead already is as good a key */
    assert_ptr_equal(rh_dict_get(dict, b), rh_bool(heap, 1));
    assert_int_equal(rh_dict_remove(dict, a), 0);
    rh_decref(a);
    rh_decref(b);
    rh_decref(dict);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

/* ---- what a callback is given ---- */

static void scenario__callbacks_data_can_be_looked_at(void **state)
{
    struct rh_heap *heap = things_heap();
    struct thing *t = thing_new(things_type(heap, PLAIN), 1, NULL, NULL);
    struct rh_object *with = watch(t, "word"), *without = rh_weakref_new(t, NULL, NULL);
    (void)state;
    assert_non_null(rh_attr_get(with, "data"));
    assert_string_equal(rh_str_text(rh_attr_get(with, "data")), "word");
    assert_null(rh_attr_get(without, "data"));
    rh_decref(with);
    rh_decref(without);
    rh_decref(t);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

/* A reference whose object has died lets go of what it kept for its callback. */
static void scenario__callbacks_data_is_let_go_once_it_was_called(void **state)
{
    struct rh_heap *heap = things_heap();
    struct thing *t = thing_new(things_type(heap, PLAIN), 1, NULL, NULL);
    struct rh_object *w = watch(t, "called"), *data = rh_attr_get(w, "data");
    (void)state;
    said_clear();
    assert_non_null(data);
    rh_incref(data);
    assert_int_equal(rh_refcount(data), 2);
    rh_decref(t);
    assert_string_equal(said(), "called ");
    assert_null(rh_attr_get(w, "data"));
    assert_int_equal(rh_refcount(data), 1);
    rh_decref(data);
    rh_decref(w);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

/* ---- a callback while the program has an error in hand ---- */

static void remove_entry(struct rh_object *weakref, struct rh_object *dict)
{
    assert_int_equal(rh_dict_remove(dict, weakref), 0);
    say("removed");
}

/* Fails, and what only it held goes on the way out. */
static int fail_with_an_object(struct rh_heap *heap, struct rh_object *dict, struct rh_object **exception)
{
    struct rh_object *frame = rh_frame_new(heap, "fail_with_an_object", NULL), *object = rh_list_new(heap);
    struct rh_object *w = rh_weakref_new(object, remove_entry, dict);
    rh_dict_set(dict, w, rh_none(heap));
    rh_decref(w); /* the dict's alone: its callback takes it away under it */
    assert_int_equal(rh_dict_length(dict), 1);
    *exception = rh_exception_new(heap, "BogusError", "on purpose");
    rh_exception_pass(*exception, frame, 1);
    rh_decref(object);
    rh_decref(frame);
    return RH_ERR_ARGUMENT;
}

static void scenario__callback_leaves_an_error_on_its_way_alone(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *dict = rh_dict_new(heap), *exception;
    (void)state;
    said_clear();
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fail_with_an_object(heap, dict, &exception), RH_ERR_ARGUMENT);
        assert_int_equal(rh_dict_length(dict), 0);
        assert_int_equal(rh_refcount(exception), 1);
        assert_non_null(rh_traceback_frame(rh_exception_traceback(exception)));
        rh_decref(exception);
    }
    assert_string_equal(said(), "removed removed ");
    rh_decref(dict);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scenario__reference_gives_its_object_while_it_lives),
        cmocka_unit_test(scenario__callback_is_called_when_the_object_goes),
        cmocka_unit_test(scenario__objects_of_a_programs_own_type_can_be_referred_to),
        cmocka_unit_test(scenario__each_callback_of_an_object_is_called),
        cmocka_unit_test(scenario__no_callback_can_see_the_object_through_another_reference),
        cmocka_unit_test(scenario__weak_field_is_empty_once_its_target_is_gone),
        cmocka_unit_test(scenario__object_is_changed_through_a_weak_field_and_back),
        cmocka_unit_test(scenario__object_read_from_a_weak_field_outlives_its_last_owner),
        cmocka_unit_test(scenario__references_without_callback_go_one_by_one),
        cmocka_unit_test(scenario__references_to_an_object_can_be_counted),
        cmocka_unit_test(scenario__references_to_an_object_can_be_listed),
        cmocka_unit_test(scenario__references_are_equal_to_themselves_alone),
        cmocka_unit_test(scenario__reference_is_found_as_a_key_after_its_objects_death),
        cmocka_unit_test(scenario__callbacks_data_can_be_looked_at),
        cmocka_unit_test(scenario__callbacks_data_is_let_go_once_it_was_called),
        cmocka_unit_test(scenario__callback_leaves_an_error_on_its_way_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
