/* The collector and the code it runs: finalizers, callbacks of weak references, objects that come back. The second part
 * of what CPython's test_gc asserts, asserted of librefheap. tests/SCENARIOS.md says which test answers to which. */
#include "unit.h"

#include <pthread.h>

#include "../support/scenario.h"

static size_t garbage_length(const struct rh_heap *heap)
{
    return rh_garbage(heap) ? rh_list_length(rh_garbage(heap)) : 0;
}

static size_t finalizer_runs;

/* ---- clearing ---- */

static struct thing *late, *taken;

/* 1 is the object in the cycle, 2 the one that is let go last. The first, before anything is cleared, gives the second
 * a weak reference to the function and the only reference to itself. The second, as the function's clearing frees it,
 * takes hold of the function. */
static void take_hold_of_what_is_being_cleared(struct thing *t)
{
    if (t->number == 1) {
        rh_weak_set(&t->b->w, t->a);
        rh_assign(&late, NULL);
    } else {
        taken = rh_weak_get(&t->w);
        say("late");
    }
}

static void scenario__object_taken_hold_of_while_it_is_cleared_is_whole(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *finalized = things_type(heap, FINALIZED);
    struct thing *f = thing_new(things_type(heap, PLAIN), 3, NULL, NULL), *cyclic;
    (void)state;
    said_clear();
    thing_finalizer = take_hold_of_what_is_being_cleared;
    taken = NULL;
    late = thing_new(finalized, 2, NULL, NULL);
    cyclic = thing_new(finalized, 1, f, late);
    rh_assign(&f->a, cyclic);
    rh_decref(f);
    rh_decref(cyclic);
    rh_collect(heap, RH_OLD);
    assert_string_equal(said(), "late ");
    assert_non_null(taken);
    assert_ptr_equal(taken, f);
    assert_int_equal(rh_refcount(taken), 1);
    assert_true(rh_is_tracked(taken));
    assert_null(taken->a);
    assert_int_equal(taken->number, 3);
    rh_decref(taken);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

/* ---- finalizers that allocate ---- */

static void make_lists(struct thing *t)
{
    for (int i = 0; i < 5; i++)
        rh_decref(rh_list_new(rh_heap_of(t)));
    struct rh_object *list = rh_list_new(rh_heap_of(t));
    rh_list_append(list, list);
    rh_list_put(list, rh_list_new(rh_heap_of(t)));
    rh_decref(list);
    finalizer_runs++;
}

static void check_collection_in_a_finalizer(struct rh_heap *heap, struct rh_type *type)
{
    const size_t often[3] = {1, 10, 10};
    struct rh_stats before[3], after[3];
    finalizer_runs = 0;
    thing_finalizer = make_lists;
    struct thing *t = thing_new(type, 1, NULL, NULL);
    rh_set_threshold(heap, often);
    rh_enable(heap);
    rh_get_stats(heap, before);
    rh_decref(t);
    rh_get_stats(heap, after);
    assert_int_equal(finalizer_runs, 1);
    assert_true(after[0].collections > before[0].collections);
    rh_disable(heap);
    rh_collect(heap, RH_OLD);
    assert_int_equal(objects_alive(heap), 0);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void scenario__finalizer_starts_a_collection(void **state)
{
    struct rh_heap *heap = things_heap();
    (void)state;
    check_collection_in_a_finalizer(heap, things_type(heap, FINALIZED));
}

static void scenario__inherited_finalizer_starts_a_collection(void **state)
{
    struct rh_heap *heap = things_heap();
    (void)state;
    check_collection_in_a_finalizer(heap, things_type_from(things_type(heap, FINALIZED)));
}

/* ---- deep structures ---- */

static void collect_now_and_then(struct thing *t)
{
    if (++finalizer_runs % 17 == 0)
        rh_collect(rh_heap_of(t), RH_OLD);
}

static struct rh_object *list_of_two(struct rh_heap *heap, struct rh_object *one, void *two)
{
    struct rh_object *list = rh_list_new(heap);
    if (one)
        rh_list_put(list, one);
    rh_list_put(list, two);
    return list;
}

static struct rh_object *dict_of_two(struct rh_heap *heap, struct rh_object *one, void *two)
{
    struct rh_object *dict = rh_dict_new(heap);
    if (one)
        rh_dict_put(dict, "1", one);
    rh_dict_put(dict, "2", two);
    return dict;
}

static void scenario__deep_structures_are_freed_under_collections(void **state)
{
    enum { N = 150, ROUNDS = 2 };
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, FINALIZED);
    (void)state;
    finalizer_runs = 0;
    thing_finalizer = collect_now_and_then;
    rh_enable(heap);
    for (int round = 0; round < ROUNDS; round++) {
        struct rh_object *t = NULL, *u = NULL, *v = NULL;
        for (int i = 0; i < N; i++)
            t = list_of_two(heap, t, thing_new(type, i, NULL, NULL));
        for (int i = 0; i < N; i++)
            u = list_of_two(heap, u, thing_new(type, i, NULL, NULL));
        for (int i = 0; i < N; i++)
            v = dict_of_two(heap, v, thing_new(type, i, NULL, NULL));
        rh_decref(t);
        rh_decref(u);
        rh_decref(v);
        assert_int_equal(finalizer_runs, (round + 1) * 3 * N);
    }
    assert_int_equal(objects_alive(heap), 0);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static __thread size_t made_here, finalized_here;

static void make_something_short_lived(struct thing *t)
{
    finalized_here++;
    rh_decref(rh_list_new(rh_heap_of(t)));
}

struct worker {
    pthread_t thread;
    struct rh_heap *heap;
    struct rh_type *type;
    size_t made, finalized;
};

static void *nest_and_drop(void *context)
{
    enum { NESTING = 60, ROUNDS = 500 };
    struct worker *w = context;
    rh_heap_adopt(w->heap);
    made_here = finalized_here = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct rh_object *x = NULL;
        for (int i = 0; i < NESTING; i++) {
            struct thing *t = thing_new(w->type, i, NULL, NULL);
            made_here++;
            rh_assign(&t->a, x);
            rh_xdecref(x);
            x = rh_list_new(w->heap);
            rh_list_put(x, t);
        }
        rh_decref(x);
    }
    w->made = made_here;
    w->finalized = finalized_here;
    return NULL;
}

/* Two threads, each with a heap of its own. */
static void scenario__deep_structures_are_freed_in_threads(void **state)
{
    enum { THREADS = 2 };
    struct worker workers[THREADS];
    (void)state;
    for (int i = 0; i < THREADS; i++) {
        workers[i].heap = things_heap();
        workers[i].type = things_type(workers[i].heap, FINALIZED);
        rh_enable(workers[i].heap);
    }
    thing_finalizer = make_something_short_lived;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&workers[i].thread, NULL, nest_and_drop, &workers[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
        rh_heap_adopt(workers[i].heap);
        assert_int_equal(workers[i].made, 500 * 60);
        assert_int_equal(workers[i].finalized, workers[i].made);
        assert_int_equal(rh_heap_destroy(workers[i].heap), 0);
    }
}

/* ---- code that takes the cycle apart under the collector ---- */

/* References by hand: clear takes those of the partner away as well, once it has been called so often. */
struct boom {
    RH_OBJECT_HEAD;
    struct boom *attr;
};

static int clears, clears_until_boom;

static int boom_traverse(struct rh_object *object, rh_visit visit, void *context)
{
    struct boom *b = (struct boom *)object;
    return b->attr ? visit(&b->attr->object, context) : 0;
}

static void boom_clear(struct rh_object *object)
{
    struct boom *b = (struct boom *)object, *partner = b->attr;
    if (++clears >= clears_until_boom && partner)
        rh_assign(&partner->attr, NULL);
    rh_assign(&b->attr, NULL);
}

static void check_boom(int until)
{
    static const struct rh_field none[1];
    struct rh_type_spec spec = RH_TYPE_SPEC("boom", struct boom, none);
    struct rh_heap *heap = things_heap();
    struct rh_type *type;
    spec.field_count = 0;
    spec.traverse = boom_traverse;
    spec.clear = boom_clear;
    assert_int_equal(rh_type_create(heap, &spec, &type, NULL), 0);
    struct boom *a = rh_object_new(type), *b = rh_object_new(type);
    clears = 0;
    clears_until_boom = until;
    rh_assign(&a->attr, b);
    rh_assign(&b->attr, a);
    rh_collect(heap, RH_OLD);
    assert_int_equal(clears, 0); /* looking at them runs nothing of theirs that would change them */
    rh_decref(a);
    rh_decref(b);
    assert_int_equal(rh_collect(heap, RH_OLD), 2);
    assert_int_equal(garbage_length(heap), 0);
    assert_int_equal(objects_alive(heap), 0);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void scenario__clearing_one_takes_the_cycle_apart(void **state)
{
    (void)state;
    check_boom(1);
}

static void scenario__clearing_the_second_takes_the_cycle_apart(void **state)
{
    (void)state;
    check_boom(2);
}

static size_t runs_until_boom;

static void drop_partner(struct thing *t)
{
    if (++finalizer_runs >= runs_until_boom)
        rh_assign(&t->a, NULL);
}

/* What finalizers have freed is not there to be counted. */
static void check_boom_in_finalizers(size_t until)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, FINALIZED);
    struct rh_stats stats[3];
    finalizer_runs = 0;
    runs_until_boom = until;
    thing_finalizer = drop_partner;
    pair_drop(pair_new(type, type));
    assert_int_equal(rh_collect(heap, RH_OLD), 0);
    assert_int_equal(finalizer_runs, 2);
    assert_int_equal(garbage_length(heap), 0);
    assert_int_equal(objects_alive(heap), 0);
    rh_get_stats(heap, stats);
    assert_int_equal(stats[RH_OLD].collected, 0);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void scenario__finalizers_take_the_cycle_apart(void **state)
{
    (void)state;
    check_boom_in_finalizers(1);
}

static void scenario__second_finalizer_takes_the_cycle_apart(void **state)
{
    (void)state;
    check_boom_in_finalizers(2);
}

static void drop_what_leads_back(struct thing *t)
{
    finalizer_runs++;
    rh_assign(&t->b, NULL);
}

/* One of a pair finalizes itself out of the cycle while the other hangs off it, in either order of the candidates. */
static void scenario__finalizer_drops_the_other_half_of_its_cycle(void **state)
{
    (void)state;
    for (int order = 0; order < 2; order++) {
        struct rh_heap *heap = things_heap();
        struct rh_type *plain = things_type(heap, PLAIN), *finalized = things_type(heap, FINALIZED);
        struct thing *a = order ? thing_new(plain, 1, NULL, NULL) : NULL;
        struct thing *extra = thing_new(plain, 3, NULL, NULL), *b = thing_new(finalized, 2, extra, NULL);
        rh_decref(extra);
        if (!a)
            a = thing_new(plain, 1, NULL, NULL);
        finalizer_runs = 0;
        thing_finalizer = drop_what_leads_back;
        rh_assign(&a->a, b);
        rh_assign(&b->b, a);
        rh_decref(a);
        rh_decref(b);
        assert_int_equal(rh_collect(heap, RH_OLD), 0);
        assert_int_equal(finalizer_runs, 1);
        assert_int_equal(objects_alive(heap), 0);
        assert_int_equal(rh_heap_destroy(heap), 0);
    }
}

/* ---- callbacks of weak references ---- */

static struct rh_object *references[2];
static void *seen[2];
static size_t calls;

static void read_both(struct rh_object *weakref, struct rh_object *data)
{
    (void)weakref;
    (void)data;
    for (int i = 0; i < 2; i++)
        seen[i] = rh_weakref_get(references[i]);
    calls++;
}

static void scenario__callbacks_see_nothing_of_what_goes(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN);
    struct thing *t[2];
    (void)state;
    calls = 0;
    for (int i = 0; i < 2; i++) {
        t[i] = loop_new(type, i);
        references[i] = rh_weakref_new(t[i], read_both, NULL);
        seen[i] = t[i];
    }
    rh_collect(heap, RH_OLD);
    assert_int_equal(calls, 0);
    rh_decref(t[0]);
    rh_decref(t[1]);
    assert_int_equal(rh_collect(heap, RH_OLD), 2);
    assert_int_equal(calls, 2);
    assert_null(seen[0]);
    assert_null(seen[1]);
    rh_decref(references[0]);
    rh_decref(references[1]);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static int happened;

static void it_happened(struct rh_object *weakref, struct rh_object *data)
{
    (void)weakref;
    (void)data;
    happened = 1;
}

static void read_first(struct rh_object *weakref, struct rh_object *data)
{
    (void)weakref;
    (void)data;
    seen[0] = rh_weakref_get(references[0]);
    calls++;
}

static void read_first_too(struct thing *t)
{
    (void)t;
    read_first(NULL, NULL);
}

/* Of three dead objects one is old and held by the first of two young ones; what runs at its death reads a reference to
 * the second, which is cleared in the same collection. The collection has to come by itself, to be one of the young. */
static void check_death_in_an_older_generation(enum thing_kind kind, rh_weakref_callback callback)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN);
    struct thing *c0 = loop_new(things_type(heap, kind), 0);
    struct rh_object *junk = rh_list_new(heap), *watching = NULL;
    calls = 0;
    happened = 0;
    seen[0] = heap;
    thing_finalizer = read_first_too;
    rh_collect(heap, RH_OLD);
    struct thing *c1 = loop_new(type, 1), *c2 = loop_new(type, 2), *detector = loop_new(type, 666);
    rh_assign(&c1->b, c0);
    rh_assign(&c0->a, NULL);
    references[0] = rh_weakref_new(c2, NULL, NULL);
    if (callback)
        watching = rh_weakref_new(c0, callback, NULL);
    rh_decref(c0);
    rh_decref(c1);
    rh_decref(c2);
    struct rh_object *detecting = rh_weakref_new(detector, it_happened, NULL);
    rh_decref(detector);
    rh_enable(heap);
    for (int i = 0; !happened; i++) {
        assert_true(i < 10000);
        assert_int_equal(calls, 0);
        rh_list_put(junk, rh_list_new(heap));
    }
    assert_int_equal(calls, 1);
    assert_null(seen[0]);
    rh_disable(heap);
    struct rh_stats stats[3];
    rh_get_stats(heap, stats);
    assert_int_equal(stats[RH_OLD].collections, 1); /* the one in the beginning */
    rh_xdecref(watching);
    rh_decref(detecting);
    rh_decref(references[0]);
    rh_decref(junk);
    assert_int_equal(objects_alive(heap), 0);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void scenario__callback_of_an_old_object_dragged_along(void **state)
{
    (void)state;
    check_death_in_an_older_generation(PLAIN, read_first);
}

static void scenario__finalizer_of_an_old_object_dragged_along(void **state)
{
    (void)state;
    check_death_in_an_older_generation(FINALIZED, NULL);
}

/* Holds an object in a way the collector is not told of. */
struct opaque {
    RH_OBJECT_HEAD;
    struct rh_object *value;
};

static const struct rh_field opaque_fields[] = {RH_BORROWED(struct opaque, value)};

static void opaque_release(struct rh_object *object)
{
    rh_xdecref(((struct opaque *)object)->value);
}

/* What hangs off such an object is garbage unseen. A weak reference to it that is garbage too must be cleared before
 * clearing begins, though the collector could not come to it from its object. A second cycle keeps it that long. */
static void scenario__dead_reference_to_an_object_out_of_sight_is_not_called(void **state)
{
    struct rh_type_spec spec = RH_TYPE_SPEC("opaque", struct opaque, opaque_fields);
    struct rh_heap *heap = things_heap();
    struct rh_object *klass = rh_class_new(heap, "A", NULL), *a, *wz, *cycle = rh_list_new(heap);
    struct rh_type *type;
    (void)state;
    said_clear();
    spec.release = opaque_release;
    assert_int_equal(rh_type_create(heap, &spec, &type, NULL), 0);
    a = rh_instance_new(klass);
    struct opaque *y = rh_object_new(type);
    y->value = rh_instance_new(klass);
    wz = watch(y->value, "called");
    rh_attr_set(a, "a", a);
    rh_attr_put(a, "y", y);
    rh_attr_set(a, "wz", wz);
    rh_list_put(cycle, wz);
    rh_list_append(cycle, cycle);
    assert_int_equal(rh_collect(heap, RH_OLD), 0);
    rh_decref(a);
    rh_decref(cycle);
    assert_int_equal(rh_collect(heap, RH_OLD), 3);
    assert_string_equal(said(), "");
    assert_int_equal(rh_refcount(klass), 1); /* a and z are gone */
    rh_decref(klass);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

/* ---- coming back ---- */

enum { BACK = 4 };
static struct thing *back[BACK];
static size_t back_count;

static void come_back(struct thing *t)
{
    finalizer_runs++;
    assert_true(back_count < BACK);
    rh_incref(t);
    back[back_count++] = t;
}

static void drop_all_who_came_back(void)
{
    while (back_count)
        rh_decref(back[--back_count]);
}

static void begin_coming_back(void)
{
    finalizer_runs = back_count = 0;
    thing_finalizer = come_back;
}

static void scenario__coming_back_happens_once(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, FINALIZED);
    (void)state;
    begin_coming_back();
    rh_decref(loop_new(type, 1));
    assert_int_equal(finalizer_runs, 0);
    rh_collect(heap, RH_OLD);
    assert_int_equal(finalizer_runs, 1);
    assert_int_equal(back_count, 1);
    drop_all_who_came_back();
    assert_int_equal(rh_collect(heap, RH_OLD), 1);
    assert_int_equal(finalizer_runs, 1);
    assert_int_equal(back_count, 0);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void scenario__who_comes_back_brings_its_cargo(void **state)
{
    struct rh_heap *heap = things_heap();
    struct pair pair = pair_new(things_type(heap, FINALIZED), things_type(heap, PLAIN));
    (void)state;
    begin_coming_back();
    rh_assign(&pair.two->b, pair.two);
    pair_drop(pair);
    rh_collect(heap, RH_OLD);
    assert_int_equal(back_count, 1);
    assert_ptr_equal(back[0], pair.one);
    assert_ptr_equal(back[0]->a, pair.two);
    assert_ptr_equal(pair.two->b, pair.two);
    drop_all_who_came_back();
    assert_int_equal(rh_collect(heap, RH_OLD), 2);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

/* Collects, and compares what was found and counted. */
static void assert_collects(struct rh_heap *heap, size_t n)
{
    struct rh_stats before[3], after[3];
    rh_get_stats(heap, before);
    assert_int_equal(rh_collect(heap, RH_OLD), n);
    rh_get_stats(heap, after);
    assert_int_equal(after[RH_OLD].collected - before[RH_OLD].collected, n);
    assert_int_equal(after[RH_OLD].uncollectable, before[RH_OLD].uncollectable);
}

static void scenario__who_comes_back_is_not_counted(void **state)
{
    enum { N = 100 };
    struct rh_heap *heap = things_heap();
    struct rh_type *a = things_type(heap, PLAIN), *z = things_type(heap, FINALIZED);
    (void)state;
    begin_coming_back();
    for (int i = 0; i < N; i++)
        rh_decref(loop_new(a, i));
    assert_collects(heap, N);
    rh_decref(loop_new(z, 1));
    assert_collects(heap, 0);
    for (int i = 0; i < N; i++)
        rh_decref(loop_new(a, i));
    rh_decref(loop_new(z, 2));
    assert_collects(heap, N); /* it does not keep the others back */
    assert_int_equal(back_count, 2);
    drop_all_who_came_back();
    assert_collects(heap, 2);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scenario__object_taken_hold_of_while_it_is_cleared_is_whole),
        cmocka_unit_test(scenario__finalizer_starts_a_collection),
        cmocka_unit_test(scenario__inherited_finalizer_starts_a_collection),
        cmocka_unit_test(scenario__deep_structures_are_freed_under_collections),
        cmocka_unit_test(scenario__deep_structures_are_freed_in_threads),
        cmocka_unit_test(scenario__clearing_one_takes_the_cycle_apart),
        cmocka_unit_test(scenario__clearing_the_second_takes_the_cycle_apart),
        cmocka_unit_test(scenario__finalizers_take_the_cycle_apart),
        cmocka_unit_test(scenario__second_finalizer_takes_the_cycle_apart),
        cmocka_unit_test(scenario__finalizer_drops_the_other_half_of_its_cycle),
        cmocka_unit_test(scenario__callbacks_see_nothing_of_what_goes),
        cmocka_unit_test(scenario__callback_of_an_old_object_dragged_along),
        cmocka_unit_test(scenario__finalizer_of_an_old_object_dragged_along),
        cmocka_unit_test(scenario__dead_reference_to_an_object_out_of_sight_is_not_called),
        cmocka_unit_test(scenario__coming_back_happens_once),
        cmocka_unit_test(scenario__who_comes_back_brings_its_cargo),
        cmocka_unit_test(scenario__who_comes_back_is_not_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
