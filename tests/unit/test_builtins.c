/* Builtin types and weak references. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "../support/things.h"

static void scalars__hold_their_values(void **state)
{
    struct rh_heap *heap = things_heap();
    (void)state;
    struct rh_object *i = rh_int_new(heap, -7), *f = rh_float_new(heap, 2.5), *s = rh_str(heap, "text");
    assert_int_equal(rh_int_value(i), -7);
    assert_true(rh_float_value(f) == 2.5);
    assert_string_equal(rh_str_text(s), "text");
    assert_int_equal(rh_str_length(s), 4);
    assert_ptr_equal(rh_none(heap), rh_none(heap));
    assert_ptr_not_equal(rh_bool(heap, 0), rh_bool(heap, 1));
    assert_int_equal(objects_in(heap, RH_UNTRACKED), 3); /* singletons are immortal and not counted */
    rh_decref(i);
    rh_decref(f);
    rh_decref(s);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void list__grows_sets_and_removes(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *list = rh_list_new(heap);
    (void)state;
    for (int64_t i = 0; i < 100; i++) {
        struct rh_object *n = rh_int_new(heap, i);
        assert_int_equal(rh_list_append(list, n), 0);
        rh_decref(n);
    }
    assert_int_equal(rh_list_length(list), 100);
    rh_list_remove(list, 10);
    assert_int_equal(rh_int_value(rh_list_get(list, 10)), 11);
    assert_int_equal(rh_list_set(list, 0, rh_list_get(list, 1)), 0);
    assert_int_equal(rh_int_value(rh_list_get(list, 0)), 1);
    assert_int_equal(rh_list_set(list, 99, list), RH_ERR_NOT_FOUND);
    assert_null(rh_list_get(list, 99));
    rh_list_clear(list);
    assert_int_equal(rh_list_length(list), 0);
    assert_int_equal(objects_alive(heap), 1);
    assert_int_equal(rh_list_append(list, rh_none(heap)), 0); /* a cleared list is an empty list */
    rh_decref(list);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void dict__finds_keys_by_value_and_keeps_their_order(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *dict = rh_dict_new(heap);
    char text[16];
    (void)state;
    for (int i = 0; i < 1000; i++) {
        struct rh_object *n = rh_int_new(heap, i);
        snprintf(text, sizeof text, "k%d", i);
        assert_int_equal(rh_dict_set_text(dict, text, n), 0);
        assert_int_equal(rh_dict_set(dict, n, n), 0);
        rh_decref(n);
    }
    assert_int_equal(rh_dict_length(dict), 2000);
    for (int i = 0; i < 1000; i += 2) {
        snprintf(text, sizeof text, "k%d", i);
        struct rh_object *key = rh_str(heap, text);
        assert_int_equal(rh_dict_remove(dict, key), 0);
        assert_int_equal(rh_dict_remove(dict, key), RH_ERR_NOT_FOUND);
        rh_decref(key);
    }
    assert_null(rh_dict_get_text(dict, "k10"));
    assert_int_equal(rh_int_value(rh_dict_get_text(dict, "k11")), 11);
    struct rh_object *eleven = rh_int_new(heap, 11), *real = rh_float_new(heap, 11);
    assert_int_equal(rh_int_value(rh_dict_get(dict, eleven)), 11);
    assert_null(rh_dict_get(dict, real)); /* another type, another key */
    size_t position = 0, n = 0;
    int64_t last = -1;
    void *key, *value;
    while (rh_dict_next(dict, &position, &key, &value)) {
        assert_true(rh_int_value(value) >= last);
        last = rh_int_value(value);
        n++;
    }
    assert_int_equal(n, 1500);
    rh_decref(eleven);
    rh_decref(real);
    rh_decref(dict);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void instance__has_attributes_of_its_own_and_its_class(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *base = rh_class_new(heap, "Base", NULL), *klass = rh_class_new(heap, "Derived", base);
    struct rh_object *x = rh_instance_new(klass), *n = rh_int_new(heap, 5), *m = rh_int_new(heap, 6);
    (void)state;
    assert_string_equal(rh_type_name(x->type), "Derived");
    rh_attr_set(base, "size", n);
    assert_ptr_equal(rh_attr_get(x, "size"), n);
    rh_attr_set(x, "size", m);
    assert_ptr_equal(rh_attr_get(x, "size"), m);
    assert_ptr_equal(rh_attr_get(klass, "size"), n);
    assert_int_equal(rh_attr_set(x, "size", NULL), 0);
    assert_ptr_equal(rh_attr_get(x, "size"), n);
    assert_null(rh_attr_get(x, "colour"));
    assert_int_equal(rh_attr_set(x, "colour", NULL), RH_ERR_NOT_FOUND);
    rh_decref(n);
    rh_decref(m);
    rh_decref(base);
    rh_decref(klass); /* kept by its instance */
    assert_string_equal(rh_type_name(x->type), "Derived");
    rh_decref(x);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

/* The class goes in the same collection as its instances; their type must last until the last of them is freed. */
static void instance__in_a_cycle_with_its_class_is_collected(void **state)
{
    struct rh_heap *heap = things_heap();
    (void)state;
    for (int i = 0; i < 50; i++) {
        struct rh_object *klass = rh_class_new(heap, "Temporary", NULL), *before = NULL;
        for (int k = 0; k < 5; k++) {
            struct rh_object *x = rh_instance_new(klass);
            rh_attr_set(klass, k % 2 ? "odd" : "even", x);
            if (before)
                rh_attr_set(x, "before", before);
            rh_attr_set(x, "self", x);
            rh_xdecref(before);
            before = x;
        }
        rh_decref(before);
        rh_decref(klass);
    }
    assert_int_equal(rh_collect(heap, RH_OLD), 50 * 6);
    assert_int_equal(objects_alive(heap), 0);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

/* ---- weak references ---- */

static char calls[64];
static struct rh_object *seen_data;

static void note_call(struct rh_object *weakref, struct rh_object *data)
{
    assert_null(rh_weakref_get(weakref)); /* cleared before any callback runs */
    seen_data = data;
    if (data)
        strcat(calls, rh_str_text(data));
}

static struct rh_object *watch(void *object, const char *name)
{
    struct rh_object *data = rh_str(rh_heap_of(object), name);
    struct rh_object *weakref = rh_weakref_new(object, note_call, data);
    rh_decref(data);
    return weakref;
}

static void weakref__reads_as_null_once_the_target_is_gone(void **state)
{
    struct rh_heap *heap = things_heap();
    struct thing *t = thing_new(things_type(heap, PLAIN), 1, NULL, NULL);
    struct rh_object *w = rh_weakref_new(t, NULL, NULL);
    (void)state;
    struct thing *got = rh_weakref_get(w);
    assert_ptr_equal(got, t);
    assert_int_equal(rh_refcount(t), 2);
    rh_decref(got);
    rh_decref(t);
    assert_null(rh_weakref_get(w));
    rh_decref(w);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void weakref__callbacks_run_newest_first(void **state)
{
    struct rh_heap *heap = things_heap();
    struct thing *t = thing_new(things_type(heap, PLAIN), 1, NULL, NULL);
    struct rh_object *w[4];
    (void)state;
    calls[0] = 0;
    w[0] = watch(t, "a");
    w[1] = watch(t, "b");
    w[2] = watch(t, "c");
    w[3] = watch(t, "d");
    rh_decref(w[1]); /* its own end comes first: no call */
    rh_decref(t);
    assert_string_equal(calls, "dca");
    rh_decref(w[0]);
    rh_decref(w[2]);
    rh_decref(w[3]);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void weakref__of_garbage_is_called_from_outside_only(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN);
    struct thing *t = thing_new(type, 1, NULL, NULL), *u = thing_new(type, 2, t, NULL);
    (void)state;
    rh_assign(&t->a, u);
    calls[0] = 0;
    struct rh_object *outside = watch(t, "outside"), *inside = watch(t, "inside");
    struct rh_object *list = rh_list_new(heap);
    rh_list_append(list, inside); /* the reference is part of the garbage itself */
    rh_list_append(list, u);
    rh_assign(&u->b, list);
    rh_decref(list);
    rh_decref(inside);
    rh_decref(t);
    rh_decref(u);
    assert_int_equal(rh_collect(heap, RH_OLD), 4);
    assert_string_equal(calls, "outside");
    rh_decref(outside);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void weak_field__is_cleared_and_forgotten(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN);
    struct thing *t[200];
    (void)state;
    for (int i = 0; i < 200; i++)
        t[i] = thing_new(type, i, NULL, NULL);
    for (int i = 0; i < 200; i++)
        assert_int_equal(rh_weak_set(&t[i]->w, t[(i * 7 + 3) % 50]), 0);
    for (int i = 0; i < 50; i += 2)
        rh_decref(t[i]); /* targets and owners both */
    for (int i = 50; i < 200; i++) {
        int target = (i * 7 + 3) % 50;
        assert_ptr_equal(t[i]->w.target, target % 2 ? &t[target]->object : NULL);
    }
    assert_int_equal(rh_weak_set(&t[51]->w, NULL), 0);
    assert_null(rh_weak_get(&t[51]->w));
    for (int i = 0; i < 200; i++)
        if (i >= 50 || i % 2)
            rh_decref(t[i]);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void name__is_interned_and_goes_with_its_last_user(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *klass = rh_class_new(heap, "K", NULL), *x = rh_instance_new(klass), *y = rh_instance_new(klass);
    char text[16];
    (void)state;
    for (int i = 0; i < 300; i++) {
        snprintf(text, sizeof text, "n%d", i);
        rh_attr_set(x, text, klass);
        rh_attr_set(y, text, klass);
    }
    assert_int_equal(objects_in(heap, RH_UNTRACKED), 301); /* each name once, and the class's */
    for (int i = 0; i < 300; i++) {
        snprintf(text, sizeof text, "n%d", i);
        rh_attr_set(x, text, NULL);
        assert_ptr_equal(rh_attr_get(y, text), klass);
        rh_attr_set(y, text, NULL);
    }
    assert_int_equal(objects_in(heap, RH_UNTRACKED), 1);
    rh_attr_set(x, "n5", klass);
    assert_ptr_equal(rh_attr_get(x, "n5"), klass);
    rh_decref(x);
    rh_decref(y);
    rh_decref(klass);
    assert_int_equal(rh_collect(heap, RH_OLD), 0);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars__hold_their_values),
        cmocka_unit_test(list__grows_sets_and_removes),
        cmocka_unit_test(dict__finds_keys_by_value_and_keeps_their_order),
        cmocka_unit_test(instance__has_attributes_of_its_own_and_its_class),
        cmocka_unit_test(instance__in_a_cycle_with_its_class_is_collected),
        cmocka_unit_test(weakref__reads_as_null_once_the_target_is_gone),
        cmocka_unit_test(weakref__callbacks_run_newest_first),
        cmocka_unit_test(weakref__of_garbage_is_called_from_outside_only),
        cmocka_unit_test(weak_field__is_cleared_and_forgotten),
        cmocka_unit_test(name__is_interned_and_goes_with_its_last_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
