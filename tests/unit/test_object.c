/* Objects, types, reference counting, freeing. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "../support/things.h"

struct odd {
    RH_OBJECT_HEAD;
    struct rh_object *child;
    void **items;
    uint32_t count;
};

static int create(const struct rh_field *fields, size_t n, size_t size)
{
    struct rh_heap *heap = things_heap();
    struct rh_type_spec spec = {.name = "odd", .size = size, .fields = fields, .field_count = n};
    struct rh_error err = {0};
    struct rh_type *type;
    int status = rh_type_create(heap, &spec, &type, &err);
    if (status)
        assert_true(err.what[0] && !type);
    rh_heap_destroy(heap);
    return status;
}

static void type__rejects_tables_that_contradict_their_struct(void **state)
{
    const size_t size = sizeof(struct odd);
    struct rh_field f = RH_STRONG(struct odd, child);
    (void)state;
    assert_int_equal(create(&f, 1, size), 0);
    assert_int_equal(create(&f, 1, 16), RH_ERR_ARGUMENT); /* smaller than the head */
    f.offset = 8;                                         /* inside the head */
    assert_int_equal(create(&f, 1, size), RH_ERR_ARGUMENT);
    f.offset = (uint32_t)size - 4;
    assert_int_equal(create(&f, 1, size), RH_ERR_ARGUMENT);
    f.offset = 36; /* not where a pointer can be */
    assert_int_equal(create(&f, 1, size), RH_ERR_ARGUMENT);
    f = (struct rh_field)RH_STRONG(struct odd, child);
    f.kind = 99;
    assert_int_equal(create(&f, 1, size), RH_ERR_ARGUMENT);
    f.kind = RH_FIELD_STRONG;
    f.name = NULL;
    assert_int_equal(create(&f, 1, size), RH_ERR_ARGUMENT);
    f = (struct rh_field)RH_ARRAY(struct odd, items, count);
    assert_int_equal(create(&f, 1, size), 0);
    f.count_size = 3;
    assert_int_equal(create(&f, 1, size), RH_ERR_ARGUMENT);
    f.count_size = 4;
    f.count_offset = (uint32_t)size;
    assert_int_equal(create(&f, 1, size), RH_ERR_ARGUMENT);
    f = (struct rh_field)RH_ARRAY(struct odd, items, count);
    f.stride = 4;
    assert_int_equal(create(&f, 1, size), RH_ERR_ARGUMENT);
    struct rh_field kept[2] = {RH_STRONG(struct odd, child), RH_STRONG(struct odd, items)};
    kept[0].flags = kept[1].flags = RH_FIELD_KEPT;
    assert_int_equal(create(kept, 2, size), RH_ERR_ARGUMENT);
}

static void object__is_zeroed_counted_and_freed(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN);
    struct thing *t = rh_object_new(type);
    (void)state;
    assert_int_equal(rh_refcount(t), 1);
    assert_null(t->a);
    assert_int_equal(t->number, 0);
    assert_ptr_equal(rh_heap_of(t), heap);
    assert_int_equal(sizeof(struct rh_object), 32);
    rh_incref(t);
    rh_decref(t);
    assert_int_equal(objects_alive(heap), 1);
    rh_decref(t);
    assert_int_equal(objects_alive(heap), 0);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void assign__drops_the_old_value_last(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN);
    struct thing *inner = thing_new(type, 1, NULL, NULL), *outer = thing_new(type, 2, inner, NULL);
    struct thing *slot = outer;
    (void)state;
    rh_decref(inner);
    rh_assign(&slot, outer->a); /* the new value lives only by the old one */
    assert_int_equal(slot->number, 1);
    assert_int_equal(objects_alive(heap), 1);
    rh_assign(&slot, NULL);
    assert_int_equal(objects_alive(heap), 0);
    rh_heap_destroy(heap);
}

static int64_t order[16];
static int freed;
static void note_order(struct thing *t)
{
    if (freed < 16)
        order[freed] = t->number;
    freed++;
}

static void free__goes_depth_first_in_field_order(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN);
    struct thing *t[8] = {0};
    (void)state;
    /* 1(2(4,5),3(6,7)) */
    for (int i = 7; i > 0; i--)
        t[i] = thing_new(type, i, i < 4 ? t[2 * i] : NULL, i < 4 ? t[2 * i + 1] : NULL);
    for (int i = 2; i < 8; i++)
        rh_decref(t[i]);
    freed = 0;
    thing_released = note_order;
    rh_decref(t[1]);
    static const int64_t expected[] = {1, 2, 4, 5, 3, 6, 7};
    assert_int_equal(freed, 7);
    assert_memory_equal(order, expected, sizeof expected);
    rh_heap_destroy(heap);
}

static void free__of_a_million_deep_chain_does_not_recurse(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, FINALIZED);
    struct thing *head = NULL;
    (void)state;
    for (int i = 0; i < 1000000; i++) {
        struct thing *t = thing_new(type, i, head, NULL);
        rh_xdecref(head);
        head = t;
    }
    freed = 0;
    thing_released = note_order;
    rh_decref(head);
    assert_int_equal(freed, 1000000);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

/* ---- finalizers ---- */

static struct thing *saved;
static void save(struct thing *t)
{
    rh_incref(t);
    saved = t;
    freed++;
}

static void finalizer__runs_once_and_may_resurrect(void **state)
{
    struct rh_heap *heap = things_heap();
    struct thing *t = thing_new(things_type(heap, FINALIZED), 1, NULL, NULL);
    (void)state;
    freed = 0;
    thing_finalizer = save;
    rh_decref(t);
    assert_ptr_equal(saved, t);
    assert_int_equal(freed, 1);
    assert_true(rh_is_finalized(t));
    assert_int_equal(rh_refcount(t), 1);
    rh_decref(saved); /* for good this time */
    assert_int_equal(freed, 1);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static struct rh_type *made_in_finalizer;
static void make_and_drop(struct thing *t)
{
    struct thing *fresh = thing_new(made_in_finalizer, 100 + t->number, NULL, NULL);
    rh_decref(fresh);
    assert_int_equal(order[freed - 1], 100 + t->number); /* gone at once, as anywhere else */
}

static void finalizer__may_make_and_drop_objects(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, FINALIZED);
    (void)state;
    made_in_finalizer = things_type(heap, PLAIN);
    struct thing *inner = thing_new(type, 1, NULL, NULL), *outer = thing_new(type, 2, inner, NULL);
    rh_decref(inner);
    freed = 0;
    thing_finalizer = make_and_drop;
    thing_released = note_order;
    rh_decref(outer);
    static const int64_t expected[] = {102, 2, 101, 1};
    assert_int_equal(freed, 4);
    assert_memory_equal(order, expected, sizeof expected);
    rh_heap_destroy(heap);
}

/* Every finalizer drops the next object by hand: user code's own recursion, cut off by the queue. */
static void drop_next(struct thing *t)
{
    struct thing *next = t->b;
    t->b = NULL;
    rh_xdecref(next);
}

static void finalizer__chains_of_finalizers_do_not_overflow_the_stack(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, FINALIZED);
    struct thing *head = NULL;
    (void)state;
    for (int i = 0; i < 200000; i++) {
        struct thing *t = thing_new(type, i, NULL, head);
        rh_xdecref(head);
        head = t;
    }
    freed = 0;
    thing_finalizer = drop_next;
    thing_released = note_order;
    rh_decref(head);
    assert_int_equal(freed, 200000);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

/* ---- roots, immortality, destruction ---- */

static void immortal__objects_stay_and_are_no_leak(void **state)
{
    struct rh_heap *heap = things_heap();
    struct thing *t = thing_new(things_type(heap, PLAIN), 1, NULL, NULL);
    (void)state;
    rh_immortalize(t);
    assert_int_equal(rh_generation_of(t), RH_PERMANENT);
    rh_decref(t);
    rh_unfreeze(heap);
    assert_int_equal(rh_generation_of(t), RH_PERMANENT);
    assert_int_equal(rh_collect(heap, RH_OLD), 0);
    rh_untrack(t);
    rh_track(t);
    assert_int_equal(rh_generation_of(t), RH_PERMANENT);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void destroy__counts_what_the_program_leaked(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN);
    (void)state;
    struct thing *leaked = thing_new(type, 1, NULL, NULL);
    thing_new(type, 2, leaked, NULL);
    struct thing *cycle = thing_new(type, 3, NULL, NULL);
    rh_assign(&cycle->a, cycle);
    rh_decref(cycle); /* garbage is collected, not leaked */
    assert_int_equal(rh_heap_destroy(heap), 2);
    assert_int_equal(rh_heap_destroy(NULL), 0);
}

static void pin__holds_until_it_is_taken_back(void **state)
{
    struct rh_heap *heap = things_heap();
    struct thing *t = thing_new(things_type(heap, PLAIN), 1, NULL, NULL);
    (void)state;
    assert_int_equal(rh_pin(t, "test"), 0);
    rh_decref(t);
    assert_int_equal(rh_refcount(t), 1);
    rh_unpin(t, "another");
    assert_int_equal(rh_refcount(t), 1);
    rh_unpin(t, "test");
    assert_int_equal(objects_alive(heap), 0);
    rh_heap_destroy(heap);
}

static void buffer__keeps_its_bytes_and_zeroes_the_rest(void **state)
{
    struct rh_heap *heap = things_heap();
    char *buffer = NULL;
    (void)state;
    assert_int_equal(rh_buffer_resize(heap, &buffer, 0, 4), 0);
    memcpy(buffer, "abcd", 4);
    assert_int_equal(rh_buffer_resize(heap, &buffer, 4, 8), 0);
    assert_memory_equal(buffer, "abcd\0\0\0\0", 8);
    assert_int_equal(rh_buffer_resize(heap, &buffer, 8, 2), 0);
    assert_memory_equal(buffer, "ab", 2);
    assert_int_equal(rh_buffer_resize(heap, &buffer, 2, 0), 0);
    assert_null(buffer);
    rh_heap_destroy(heap);
}

static void object__of_impossible_size_is_refused(void **state)
{
    struct rh_heap *heap = things_heap();
    (void)state;
    assert_null(rh_object_new_items(rh_builtin_type(heap, RH_TYPE_TUPLE), SIZE_MAX / 8));
    assert_null(rh_tuple_new(heap, SIZE_MAX / 4));
    assert_int_equal(objects_alive(heap), 0);
    rh_heap_destroy(heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(type__rejects_tables_that_contradict_their_struct),
        cmocka_unit_test(object__is_zeroed_counted_and_freed),
        cmocka_unit_test(assign__drops_the_old_value_last),
        cmocka_unit_test(free__goes_depth_first_in_field_order),
        cmocka_unit_test(free__of_a_million_deep_chain_does_not_recurse),
        cmocka_unit_test(finalizer__runs_once_and_may_resurrect),
        cmocka_unit_test(finalizer__may_make_and_drop_objects),
        cmocka_unit_test(finalizer__chains_of_finalizers_do_not_overflow_the_stack),
        cmocka_unit_test(immortal__objects_stay_and_are_no_leak),
        cmocka_unit_test(destroy__counts_what_the_program_leaked),
        cmocka_unit_test(pin__holds_until_it_is_taken_back),
        cmocka_unit_test(buffer__keeps_its_bytes_and_zeroes_the_rest),
        cmocka_unit_test(object__of_impossible_size_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
