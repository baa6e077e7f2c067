/* Types that extend others, the builtin types beside the containers, and attributes by name. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "../support/things.h"

/* ---- extending ---- */

struct shape {
    RH_OBJECT_HEAD;
    struct rh_object *owner;
    int finalized;
};
struct circle {
    struct shape shape;
    struct rh_object *center;
    struct rh_object **points;
    uint32_t count;
};
static const struct rh_field shape_fields[] = {RH_STRONG(struct shape, owner)};
static const struct rh_field circle_fields[] = {
    RH_STRONG(struct circle, center),
    RH_ARRAY(struct circle, points, count),
};

static int finalizers, releases;

static void finalize_shape(struct rh_object *object)
{
    ((struct shape *)object)->finalized++;
    finalizers++;
}

static void release_circle(struct rh_object *object)
{
    (void)object;
    releases++;
}

static int make_types(struct rh_heap *heap, struct rh_type **shape, struct rh_type **circle)
{
    struct rh_type_spec spec = RH_TYPE_SPEC("shape", struct shape, shape_fields);
    spec.finalize = finalize_shape;
    int status = rh_type_create(heap, &spec, shape, NULL);
    struct rh_type_spec sub = RH_TYPE_SPEC("circle", struct circle, circle_fields);
    sub.base = *shape;
    sub.release = release_circle;
    return status ? status : rh_type_create(heap, &sub, circle, NULL);
}

static void extend__takes_over_fields_and_functions(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *shape, *circle;
    (void)state;
    finalizers = releases = 0;
    assert_int_equal(make_types(heap, &shape, &circle), 0);
    assert_ptr_equal(rh_type_base(circle), shape);
    assert_null(rh_type_base(shape));
    struct circle *c = rh_object_new(circle);
    struct shape *s = rh_object_new(shape);
    assert_true(rh_is_a(c, circle) && rh_is_a(c, shape) && rh_is_a(s, shape) && !rh_is_a(s, circle));
    rh_assign(&c->shape.owner, s); /* through the base's field and back by its own: a cycle */
    rh_assign(&s->owner, c);
    rh_assign(&c->center, c);
    rh_decref(s);
    rh_decref(c);
    assert_int_equal(finalizers, 0);
    assert_int_equal(rh_collect(heap, RH_OLD), 2);
    assert_int_equal(finalizers, 2);
    assert_int_equal(releases, 1);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void extend__refuses_what_cannot_be(void **state)
{
    static const struct rh_field inside[] = {RH_STRONG(struct shape, owner)};
    struct rh_heap *heap = things_heap(), *other = things_heap();
    struct rh_type *shape, *circle, *made;
    struct rh_error err;
    (void)state;
    assert_int_equal(make_types(heap, &shape, &circle), 0);
    struct rh_type_spec overlap = RH_TYPE_SPEC("overlap", struct circle, inside);
    overlap.base = shape;
    assert_int_equal(rh_type_create(heap, &overlap, &made, &err), RH_ERR_ARGUMENT);
    assert_non_null(strstr(err.what, "the part of the struct that is the base's"));
    struct rh_type_spec smaller = {.name = "smaller", .size = sizeof(struct rh_object), .base = circle};
    assert_int_equal(rh_type_create(heap, &smaller, &made, &err), RH_ERR_ARGUMENT);
    struct rh_type_spec foreign = {.name = "foreign", .size = sizeof(struct circle), .base = circle};
    assert_int_equal(rh_type_create(other, &foreign, &made, &err), RH_ERR_ARGUMENT);
    struct rh_type_spec items = {.name = "more", .size = 4096, .base = rh_builtin_type(heap, RH_TYPE_TUPLE)};
    assert_int_equal(rh_type_create(heap, &items, &made, &err), RH_ERR_ARGUMENT);
    rh_heap_destroy(heap);
    rh_heap_destroy(other);
}

/* ---- set and cell ---- */

static void set__holds_each_item_once(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *set = rh_set_new(heap), *one = rh_int_new(heap, 1), *same = rh_int_new(heap, 1);
    struct rh_object *list = rh_list_new(heap);
    size_t at = 0;
    void *item;
    (void)state;
    assert_int_equal(rh_set_add(set, one), 0);
    assert_int_equal(rh_set_add(set, same), 0);
    assert_int_equal(rh_set_add(set, list), 0);
    assert_int_equal(rh_set_length(set), 2);
    assert_true(rh_set_has(set, same) && rh_set_has(set, list) && !rh_set_has(set, set));
    assert_int_equal(rh_refcount(one), 2);
    assert_int_equal(rh_refcount(same), 1);
    assert_true(rh_set_next(set, &at, &item));
    assert_ptr_equal(item, one);
    assert_true(rh_set_next(set, &at, &item));
    assert_ptr_equal(item, list);
    assert_false(rh_set_next(set, &at, &item));
    assert_int_equal(rh_set_remove(set, one), 0);
    assert_int_equal(rh_set_remove(set, one), RH_ERR_NOT_FOUND);
    assert_int_equal(rh_refcount(one), 1);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(rh_set_put(set, rh_int_new(heap, i)), 0);
    assert_int_equal(rh_set_length(set), 1001);
    rh_list_append(list, set); /* a cycle through a set */
    rh_decref(list);
    rh_decref(set);
    rh_decref(one);
    rh_decref(same);
    assert_int_equal(rh_collect(heap, RH_OLD), 2);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void cell__closes_a_cycle(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *cell = rh_cell_new(heap, NULL), *list = rh_list_new(heap);
    (void)state;
    assert_null(rh_cell_get(cell));
    rh_cell_set(cell, list);
    assert_ptr_equal(rh_cell_get(cell), list);
    rh_list_append(list, cell);
    rh_decref(cell);
    rh_decref(list);
    assert_int_equal(rh_collect(heap, RH_OLD), 2);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

/* ---- exception ---- */

static void exception__keeps_the_frames_it_passed(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *outer = rh_frame_new(heap, "main", NULL), *inner = rh_frame_new(heap, "parse", outer);
    struct rh_object *error = rh_exception_new(heap, "ValueError", "no digits"), *cause;
    (void)state;
    assert_ptr_equal(rh_frame_back(inner), outer);
    assert_int_equal(rh_exception_pass(error, inner, 12), 0);
    assert_int_equal(rh_exception_pass(error, outer, 3), 0);
    struct rh_object *traceback = rh_exception_traceback(error);
    assert_ptr_equal(rh_traceback_frame(traceback), outer);
    assert_ptr_equal(rh_traceback_frame(rh_traceback_next(traceback)), inner);
    assert_null(rh_traceback_next(rh_traceback_next(traceback)));
    cause = rh_exception_new(heap, "OSError", NULL);
    rh_exception_set_cause(error, cause);
    assert_ptr_equal(rh_attr_get(error, "missing"), NULL);
    assert_int_equal(rh_attr_put(error, "code", rh_int_new(heap, 7)), 0);
    assert_int_equal(rh_int_value(rh_attr_get(error, "code")), 7);
    rh_dict_set_text(rh_frame_locals(inner), "error", error); /* the cycle it is known for */
    rh_decref(cause);
    rh_decref(outer);
    rh_decref(inner);
    rh_decref(error);
    assert_true(rh_collect(heap, RH_OLD) >= 5);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

/* ---- attributes ---- */

static void attributes__of_c_structs_are_their_fields(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN);
    struct thing *t = thing_new(type, 1, NULL, NULL), *other = thing_new(type, 2, NULL, NULL);
    (void)state;
    assert_null(rh_attr_get(t, "a"));
    assert_int_equal(rh_attr_set(t, "a", other), 0);
    assert_ptr_equal(t->a, other);
    assert_ptr_equal(rh_attr_get(t, "a"), other);
    assert_int_equal(rh_refcount(other), 2);
    assert_int_equal(rh_attr_set(t, "a", NULL), 0);
    assert_int_equal(rh_attr_set(t, "a", NULL), RH_ERR_NOT_FOUND);
    assert_int_equal(rh_attr_set(t, "number", other), RH_ERR_NOT_FOUND);
    assert_int_equal(rh_attr_set(t, "w", other), RH_ERR_NOT_FOUND);
    assert_int_equal(rh_refcount(other), 1);
    assert_null(rh_attr_get(rh_none(heap), "a"));
    rh_decref(other);
    rh_decref(t);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void attributes__of_instances_come_from_their_classes_too(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *animal = rh_class_new(heap, "Animal", NULL), *dog = rh_class_new(heap, "Dog", animal);
    struct rh_object *rex = rh_instance_new(dog);
    (void)state;
    assert_true(rh_is_instance(rex, dog) && rh_is_instance(rex, animal) && !rh_is_instance(dog, animal));
    assert_int_equal(rh_attr_put(animal, "legs", rh_int_new(heap, 4)), 0);
    assert_int_equal(rh_int_value(rh_attr_get(rex, "legs")), 4);
    assert_int_equal(rh_attr_put(rex, "legs", rh_int_new(heap, 3)), 0);
    assert_int_equal(rh_int_value(rh_attr_get(rex, "legs")), 3);
    assert_int_equal(rh_attr_put(rex, "name", NULL), RH_ERR_NO_MEMORY);
    rh_decref(rex);
    rh_decref(dog);
    rh_decref(animal);
    rh_collect(heap, RH_OLD);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extend__takes_over_fields_and_functions),
        cmocka_unit_test(extend__refuses_what_cannot_be),
        cmocka_unit_test(set__holds_each_item_once),
        cmocka_unit_test(cell__closes_a_cycle),
        cmocka_unit_test(exception__keeps_the_frames_it_passed),
        cmocka_unit_test(attributes__of_c_structs_are_their_fields),
        cmocka_unit_test(attributes__of_instances_come_from_their_classes_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
