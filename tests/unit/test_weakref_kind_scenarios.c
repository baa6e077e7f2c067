/* What programs make of weak references: kinds of their own, weak methods, and calls at an object's death. What
 * CPython's test_weakref asserts of subclasses, WeakMethod and finalize, asserted of librefheap. tests/SCENARIOS.md
 * says which test answers to which. */
#include "unit.h"

#include <string.h>

#include "../support/scenario.h"

/* ---- a kind of reference with more to it ---- */

struct my_ref {
    RH_OBJECT_HEAD;
    struct rh_weak target;
    struct rh_object *one, *two;
    int64_t value, times_read;
};

static const struct rh_field my_ref_fields[] = {
    RH_WEAK(struct my_ref, target),
    RH_STRONG(struct my_ref, one),
    RH_STRONG(struct my_ref, two),
};

static struct rh_type *my_ref_type(struct rh_heap *heap)
{
    static const struct rh_type_spec spec = RH_TYPE_SPEC("my_ref", struct my_ref, my_ref_fields);
    struct rh_type *type;
    assert_int_equal(rh_type_create(heap, &spec, &type, NULL), 0);
    return type;
}

static struct my_ref *my_ref_new(struct rh_type *type, void *object, int64_t value)
{
    struct my_ref *ref = rh_object_new(type);
    assert_non_null(ref);
    assert_int_equal(rh_weak_set(&ref->target, object), 0);
    ref->value = value;
    return ref;
}

static void *my_ref_read(struct my_ref *ref)
{
    ref->times_read++;
    return rh_weak_get(&ref->target);
}

static void scenario__reference_of_a_kind_of_its_own(void **state)
{
    struct rh_heap *heap = things_heap();
    struct thing *o = thing_new(things_type(heap, PLAIN), 1, NULL, NULL);
    struct my_ref *ref = my_ref_new(my_ref_type(heap), o, 24);
    (void)state;
    void *got = my_ref_read(ref);
    assert_ptr_equal(got, o);
    rh_decref(got);
    assert_int_equal(ref->times_read, 1);
    assert_int_equal(ref->value, 24);
    rh_decref(o);
    assert_null(my_ref_read(ref));
    assert_int_equal(ref->times_read, 2);
    rh_decref(ref);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void scenario__kinds_of_references_stand_side_by_side(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = my_ref_type(heap);
    struct thing *o = thing_new(things_type(heap, PLAIN), 42, NULL, NULL);
    (void)state;
    struct my_ref *one = my_ref_new(type, o, 1);
    struct rh_object *two = rh_weakref_new(o, NULL, NULL), *found[2] = {NULL, NULL};
    assert_int_equal(weak_references(o, found, 2), 2);
    assert_ptr_equal(found[0], two); /* of the library's kind there is this one */
    assert_null(found[1]);
    assert_ptr_equal(one->target.prev->owner, two); /* the latest stands first */
    assert_null(one->target.prev->prev);
    struct my_ref *three = my_ref_new(type, o, 3);
    assert_int_equal(weak_references(o, found, 2), 3);
    assert_ptr_equal(three->target.next->owner, two);
    assert_ptr_equal(three->target.next->next, &one->target);
    rh_decref(one);
    rh_decref(two);
    rh_decref(three);
    assert_int_equal(weak_references(o, NULL, 0), 0);
    rh_decref(o);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void scenario__references_with_different_callbacks_are_two(void **state)
{
    struct rh_heap *heap = things_heap();
    struct thing *o = thing_new(things_type(heap, PLAIN), 42, NULL, NULL);
    struct rh_object *one = watch(o, "one"), *two = watch(o, "two"), *found[2];
    (void)state;
    said_clear();
    assert_ptr_not_equal(one, two);
    assert_int_equal(weak_references(o, found, 2), 2);
    assert_ptr_equal(found[0], two);
    assert_ptr_equal(found[1], one);
    rh_decref(o);
    assert_string_equal(said(), "two one ");
    rh_decref(one);
    rh_decref(two);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void scenario__reference_holds_objects_beside_its_target(void **state)
{
    struct rh_heap *heap = things_heap();
    struct thing *o = thing_new(things_type(heap, PLAIN), 42, NULL, NULL);
    struct my_ref *ref = my_ref_new(my_ref_type(heap), o, 0);
    struct rh_object *abc = rh_str(heap, "abc"), *def = rh_str(heap, "def");
    char both[8] = "";
    (void)state;
    rh_attr_set(ref, "one", abc);
    rh_attr_set(ref, "two", def);
    rh_decref(abc);
    rh_decref(def);
    strcat(strcat(both, rh_str_text(ref->one)), rh_str_text(ref->two));
    assert_string_equal(both, "abcdef");
    assert_int_equal(rh_attr_set(ref, "three", abc), RH_ERR_NOT_FOUND); /* it has no others */
    rh_decref(ref);
    rh_decref(o);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void say_called(struct rh_object *weakref, struct rh_object *data)
{
    (void)weakref;
    (void)data;
    say("called");
}

/* The end of the reference is the end of its target. The reference is on its way out: it is not called. */
static void scenario__reference_that_alone_holds_its_target_is_not_called(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN);
    struct thing *o = thing_new(type, 1, NULL, NULL);
    (void)state;
    said_clear();
    struct rh_object *one = rh_weakref_new(o, say_called, o);
    rh_decref(o);
    assert_int_equal(rh_refcount(o), 1);
    rh_decref(one);
    assert_string_equal(said(), "");
    assert_int_equal(objects_alive(heap), 0);
    /* The same with two, of which the first holds the second, which holds the target. */
    o = thing_new(type, 2, NULL, NULL);
    struct rh_object *two = rh_weakref_new(o, say_called, o);
    one = rh_weakref_new(o, say_called, two);
    rh_decref(o);
    rh_decref(two);
    rh_decref(one);
    assert_string_equal(said(), "");
    assert_int_equal(objects_alive(heap), 0);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

/* ---- a weak method ---- */

/* An object and one of its functions, neither held: it is there while both are. It holds two weak references, whose
 * callbacks have a weak one back to it, so that it is in no cycle. */
struct weak_method {
    RH_OBJECT_HEAD;
    struct rh_object *bound_to, *function;
    int64_t called;
};

static const struct rh_field weak_method_fields[] = {
    RH_STRONG(struct weak_method, bound_to),
    RH_STRONG(struct weak_method, function),
};

static void part_died(struct rh_object *weakref, struct rh_object *data)
{
    struct weak_method *method = rh_weakref_get(data);
    (void)weakref;
    if (!method)
        return;
    if (!method->called++)
        say("called");
    rh_decref(method);
}

static struct weak_method *weak_method_new(struct rh_heap *heap, struct rh_object *object, const char *name)
{
    static const struct rh_type_spec spec = RH_TYPE_SPEC("weak_method", struct weak_method, weak_method_fields);
    struct rh_type *type;
    assert_int_equal(rh_type_create(heap, &spec, &type, NULL), 0);
    struct weak_method *method = rh_object_new(type);
    struct rh_object *self = rh_weakref_new(method, NULL, NULL);
    method->bound_to = rh_weakref_new(object, part_died, self);
    method->function = rh_weakref_new(rh_attr_get(object, name), part_died, self);
    rh_decref(self);
    return method;
}

/* What the function says, or -1 when there is none to be called. */
static int64_t weak_method_call(const struct weak_method *method, const struct rh_object *expected_object)
{
    struct rh_object *object = rh_weakref_get(method->bound_to);
    struct thing *function = rh_weakref_get(method->function);
    int64_t result = object && function ? function->number : -1;
    if (result >= 0)
        assert_ptr_equal(object, expected_object);
    rh_xdecref(object);
    rh_xdecref(function);
    return result;
}

/* A class with a function that says 4, one that extends it with a function that says 6, and an instance of each. */
struct classes {
    struct rh_object *base, *derived, *plain, *object;
};

static struct classes classes_new(struct rh_heap *heap)
{
    struct rh_type *function = things_type(heap, PLAIN);
    struct classes c;
    said_clear();
    c.base = rh_class_new(heap, "Object", NULL);
    c.derived = rh_class_new(heap, "C", c.base);
    rh_attr_put(c.base, "some_method", thing_new(function, 4, NULL, NULL));
    rh_attr_put(c.derived, "some_method", thing_new(function, 6, NULL, NULL));
    c.plain = rh_instance_new(c.base);
    c.object = rh_instance_new(c.derived);
    return c;
}

static void classes_drop(struct classes c)
{
    rh_xdecref(c.base);
    rh_xdecref(c.derived);
    rh_xdecref(c.plain);
    rh_xdecref(c.object);
}

static void scenario__weak_method_is_there_while_object_and_function_are(void **state)
{
    struct rh_heap *heap = things_heap();
    struct classes c = classes_new(heap);
    struct weak_method *method = weak_method_new(heap, c.plain, "some_method");
    (void)state;
    assert_int_equal(weak_method_call(method, c.plain), 4);
    assert_ptr_equal(rh_attr_get(c.plain, "some_method"), rh_attr_get(c.base, "some_method"));
    rh_decref(method);
    classes_drop(c);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void scenario__weak_method_goes_with_its_object(void **state)
{
    struct rh_heap *heap = things_heap();
    struct classes c = classes_new(heap);
    struct weak_method *method = weak_method_new(heap, c.plain, "some_method");
    (void)state;
    rh_decref(c.plain);
    assert_int_equal(weak_method_call(method, NULL), -1);
    rh_decref(method);
    c.plain = NULL;
    classes_drop(c);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void scenario__weak_method_goes_with_its_function(void **state)
{
    struct rh_heap *heap = things_heap();
    struct classes c = classes_new(heap);
    struct weak_method *method = weak_method_new(heap, c.object, "some_method");
    (void)state;
    assert_int_equal(weak_method_call(method, c.object), 6);
    rh_attr_set(c.derived, "some_method", NULL);
    assert_int_equal(weak_method_call(method, NULL), -1);
    rh_decref(method);
    classes_drop(c);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void scenario__weak_methods_callback_when_the_object_goes_first(void **state)
{
    struct rh_heap *heap = things_heap();
    struct classes c = classes_new(heap);
    struct weak_method *method = weak_method_new(heap, c.object, "some_method");
    (void)state;
    rh_decref(c.object);
    assert_string_equal(said(), "called ");
    rh_attr_set(c.derived, "some_method", rh_attr_get(c.base, "some_method")); /* now the function goes too */
    assert_null(rh_weakref_get(method->function));
    assert_string_equal(said(), "called ");
    rh_decref(method);
    c.object = NULL;
    classes_drop(c);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void scenario__weak_methods_callback_when_the_function_goes_first(void **state)
{
    struct rh_heap *heap = things_heap();
    struct classes c = classes_new(heap);
    struct weak_method *method = weak_method_new(heap, c.object, "some_method");
    (void)state;
    rh_attr_set(c.derived, "some_method", NULL);
    assert_string_equal(said(), "called ");
    rh_decref(c.object);
    assert_null(rh_weakref_get(method->bound_to));
    assert_string_equal(said(), "called ");
    rh_decref(method);
    c.object = NULL;
    classes_drop(c);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void scenario__weak_method_is_in_no_cycle(void **state)
{
    struct rh_heap *heap = things_heap();
    struct classes c = classes_new(heap);
    struct weak_method *method = weak_method_new(heap, c.plain, "some_method");
    struct rh_object *w = rh_weakref_new(method, NULL, NULL);
    (void)state;
    rh_decref(method);
    assert_null(rh_weakref_get(w));
    assert_int_equal(rh_collect(heap, RH_OLD), 0);
    assert_string_equal(said(), "");
    rh_decref(w);
    classes_drop(c);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

/* ---- calls at an object's death ---- */

static void say_it(void *word)
{
    say(word);
}

/* The call, made before its time: at most once. */
static int call_now(void *object, void *word)
{
    if (!rh_not_at_death(object, say_it, word))
        return 0;
    say_it(word);
    return 1;
}

static void scenario__call_at_death_is_made_once_or_taken_back(void **state)
{
    struct rh_heap *heap = things_heap();
    struct thing *a = thing_new(things_type(heap, PLAIN), 1, NULL, NULL);
    char sum[] = "199", other[] = "199";
    (void)state;
    said_clear();
    assert_int_equal(rh_at_death(a, say_it, sum), 0);
    assert_false(rh_not_at_death(a, say_it, other)); /* another context is another call */
    assert_true(call_now(a, sum));
    assert_false(call_now(a, sum));
    assert_false(rh_not_at_death(a, say_it, sum));
    assert_string_equal(said(), "199 ");
    said_clear();
    assert_int_equal(rh_at_death(a, say_it, sum), 0);
    assert_true(rh_not_at_death(a, say_it, sum));
    assert_false(call_now(a, sum));
    assert_false(rh_not_at_death(a, say_it, sum));
    assert_string_equal(said(), "");
    assert_int_equal(rh_at_death(a, say_it, sum), 0);
    assert_int_equal(rh_refcount(a), 1); /* nobody is kept alive by it */
    rh_decref(a);
    assert_string_equal(said(), "199 ");
    assert_int_equal(rh_heap_destroy(heap), 0);
    assert_string_equal(said(), "199 ");
}

static void scenario__calls_at_death_are_made_the_latest_first(void **state)
{
    struct rh_heap *heap = things_heap();
    struct thing *a = thing_new(things_type(heap, PLAIN), 1, NULL, NULL);
    char f[5][3] = {"f1", "f2", "f3", "f4", "f5"};
    (void)state;
    said_clear();
    for (int i = 0; i < 5; i++)
        assert_int_equal(rh_at_death(a, say_it, f[i]), 0);
    assert_true(rh_not_at_death(a, say_it, f[4]));
    assert_false(call_now(a, f[4]));
    say("A");
    assert_true(call_now(a, f[2]));
    say("B");
    assert_false(call_now(a, f[2]));
    say("C");
    rh_decref(a);
    say("D");
    assert_string_equal(said(), "A f3 B C f4 f2 f1 D ");
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void say_and_let_go(void *object)
{
    say("123");
    rh_decref(object);
}

/* What the call is given lives until it is made, and no longer. */
static void scenario__call_at_death_lets_go_of_what_it_was_given(void **state)
{
    struct rh_heap *heap = things_heap();
    struct thing *a = loop_new(things_type(heap, PLAIN), 1);
    struct rh_object *given = rh_list_new(heap), *w = rh_weakref_new(given, NULL, NULL), *got;
    (void)state;
    said_clear();
    assert_int_equal(rh_at_death(a, say_and_let_go, given), 0); /* takes the reference over */
    got = rh_weakref_get(w);
    assert_ptr_equal(got, given);
    rh_decref(got);
    rh_decref(a);
    assert_string_equal(said(), "");
    assert_int_equal(rh_collect(heap, RH_OLD), 1);
    assert_string_equal(said(), "123 ");
    assert_null(rh_weakref_get(w));
    rh_decref(w);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static struct thing *still_there;

static void register_another(void *word)
{
    static char g1[] = "g1";
    assert_int_equal(rh_at_death(still_there, say_it, g1), 0);
    say(word);
}

/* At the heap's end those that are left are made, also what one of them asks for. */
static void scenario__calls_that_are_left_are_made_at_the_heaps_end(void **state)
{
    struct rh_heap *heap = things_heap();
    char f1[] = "f1", f2[] = "f2", f3[] = "f3", f4[] = "f4";
    (void)state;
    said_clear();
    still_there = thing_new(things_type(heap, PLAIN), 1, NULL, NULL);
    assert_int_equal(rh_at_death(still_there, say_it, f1), 0);
    assert_int_equal(rh_at_death(still_there, say_it, f2), 0);
    assert_int_equal(rh_at_death(still_there, register_another, f3), 0);
    assert_int_equal(rh_at_death(still_there, say_it, f4), 0);
    assert_true(rh_not_at_death(still_there, say_it, f2));
    assert_int_equal(rh_heap_destroy(heap), 1);
    assert_string_equal(said(), "f4 f3 g1 f1 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scenario__reference_of_a_kind_of_its_own),
        cmocka_unit_test(scenario__kinds_of_references_stand_side_by_side),
        cmocka_unit_test(scenario__references_with_different_callbacks_are_two),
        cmocka_unit_test(scenario__reference_holds_objects_beside_its_target),
        cmocka_unit_test(scenario__reference_that_alone_holds_its_target_is_not_called),
        cmocka_unit_test(scenario__weak_method_is_there_while_object_and_function_are),
        cmocka_unit_test(scenario__weak_method_goes_with_its_object),
        cmocka_unit_test(scenario__weak_method_goes_with_its_function),
        cmocka_unit_test(scenario__weak_methods_callback_when_the_object_goes_first),
        cmocka_unit_test(scenario__weak_methods_callback_when_the_function_goes_first),
        cmocka_unit_test(scenario__weak_method_is_in_no_cycle),
        cmocka_unit_test(scenario__call_at_death_is_made_once_or_taken_back),
        cmocka_unit_test(scenario__calls_at_death_are_made_the_latest_first),
        cmocka_unit_test(scenario__call_at_death_lets_go_of_what_it_was_given),
        cmocka_unit_test(scenario__calls_that_are_left_are_made_at_the_heaps_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
