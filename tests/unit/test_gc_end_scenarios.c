/* The collector's own callbacks, counts that are wrong, and the end of a heap. The third part of what CPython's test_gc
 * asserts, asserted of librefheap. tests/SCENARIOS.md says which test answers to which. */
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../support/scenario.h"

static size_t garbage_length(const struct rh_heap *heap)
{
    return rh_garbage(heap) ? rh_list_length(rh_garbage(heap)) : 0;
}

static size_t finalizer_runs;

static void count_run(struct thing *t)
{
    (void)t;
    finalizer_runs++;
}

/* ---- callbacks of the collector ---- */

enum { VISITS = 16 };

struct visit {
    int who;
    enum rh_gc_phase phase;
    struct rh_gc_info info;
};

static struct {
    struct visit of[VISITS];
    size_t count;
    struct rh_heap *cleaning; /* break up what is in this heap's garbage */
} visits;

static void visited(int who, enum rh_gc_phase phase, const struct rh_gc_info *info)
{
    assert_true(visits.count < VISITS);
    visits.of[visits.count++] = (struct visit){who, phase, *info};
}

static void visit_one(enum rh_gc_phase phase, const struct rh_gc_info *info, void *context)
{
    assert_ptr_equal(context, &visits);
    visited(1, phase, info);
}

static void visit_two(enum rh_gc_phase phase, const struct rh_gc_info *info, void *context)
{
    (void)context;
    visited(2, phase, info);
    while (phase == RH_GC_STOP && visits.cleaning && garbage_length(visits.cleaning)) {
        struct thing *t = list_pop(rh_garbage(visits.cleaning));
        rh_assign(&t->a, NULL);
        rh_decref(t);
    }
}

static struct rh_heap *visited_heap(void)
{
    struct rh_heap *heap = things_heap();
    assert_int_equal(rh_callback_add(heap, visit_one, &visits), 0);
    assert_int_equal(rh_callback_add(heap, visit_two, NULL), 0);
    visits.cleaning = NULL;
    visits.count = 0;
    return heap;
}

static void visited_heap_destroy(struct rh_heap *heap)
{
    size_t before = visits.count;
    rh_callback_remove(heap, visit_one, &visits);
    rh_callback_remove(heap, visit_two, NULL);
    rh_collect(heap, RH_OLD);
    assert_int_equal(visits.count, before); /* they are gone */
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void scenario__callbacks_come_at_start_and_stop(void **state)
{
    struct rh_heap *heap = visited_heap();
    (void)state;
    rh_collect(heap, RH_OLD);
    assert_int_equal(visits.count, 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(visits.of[i].who, i % 2 + 1); /* as they were added */
        assert_int_equal(visits.of[i].phase, i < 2 ? RH_GC_START : RH_GC_STOP);
        assert_int_equal(visits.of[i].info.collected, 0);
        assert_int_equal(visits.of[i].info.uncollectable, 0);
    }
    visited_heap_destroy(heap);
}

static void scenario__callbacks_are_told_the_generation(void **state)
{
    struct rh_heap *heap = visited_heap();
    (void)state;
    for (int g = RH_OLD; g >= RH_YOUNG; g--) {
        visits.count = 0;
        rh_collect(heap, g);
        assert_int_equal(visits.count, 4);
        for (size_t i = 0; i < visits.count; i++)
            assert_int_equal(visits.of[i].info.generation, g);
    }
    visited_heap_destroy(heap);
}

static void assert_visits(size_t collected, size_t uncollectable)
{
    size_t stops = 0;
    for (size_t i = 0; i < visits.count; i++)
        if (visits.of[i].phase == RH_GC_STOP) {
            assert_int_equal(visits.of[i].info.collected, collected);
            assert_int_equal(visits.of[i].info.uncollectable, uncollectable);
            stops++;
        }
    assert_int_equal(stops, 2);
}

static void scenario__callbacks_are_told_the_counts_and_may_clean_up(void **state)
{
    struct rh_heap *heap = visited_heap();
    struct rh_type *legacy = things_type(heap, LEGACY);
    (void)state;
    pair_drop(pair_new(legacy, legacy));
    pair_drop(pair_new(legacy, legacy));
    rh_decref(loop_new(things_type(heap, PLAIN), 666));
    rh_collect(heap, RH_OLD);
    assert_visits(1, 4);
    assert_int_equal(garbage_length(heap), 4);
    for (size_t i = 0; i < 4; i++)
        assert_ptr_equal(((struct rh_object *)rh_list_get(rh_garbage(heap), i))->type, legacy);
    struct thing *held = list_pop(rh_garbage(heap)); /* one pair is no garbage any more */
    rh_list_clear(rh_garbage(heap));
    visits.cleaning = heap;
    visits.count = 0;
    rh_collect(heap, RH_OLD);
    assert_visits(0, 2);
    assert_int_equal(garbage_length(heap), 0);
    assert_int_equal(objects_alive(heap), 2 + 1); /* the pair that is held, and the list of the garbage */
    rh_assign(&held->a, NULL);
    rh_decref(held);
    visited_heap_destroy(heap);
}

/* ---- a refcount that is wrong ---- */

static struct {
    const void *object;
    size_t count;
} trapped;

static void note_trap(void *context, const char *what, const void *object)
{
    char address[32];
    (void)context;
    (void)object;
    trapped.count++;
    snprintf(address, sizeof address, "%p", trapped.object);
    assert_non_null(strstr(what, "refcount is lower"));
    assert_non_null(strstr(what, "<list "));
    assert_non_null(strstr(what, address));
}

/* One list is held by two others, and its count says one. Collecting a heap takes counts on trust; a check finds it. */
static void scenario__refcount_that_is_too_low_is_found(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *a = rh_list_new(heap), *b = rh_list_new(heap), *c = rh_list_new(heap);
    (void)state;
    rh_list_append(b, a);
    rh_list_append(c, a);
    rh_decref(a);
    rh_set_trap(note_trap, NULL);
    trapped.object = a;
    trapped.count = 0;
    assert_int_equal(rh_heap_check(heap), 0);
    a->refcount--;
    assert_int_equal(rh_heap_check(heap), 1);
    assert_int_equal(trapped.count, 1);
    a->refcount++;
    assert_int_equal(rh_heap_check(heap), 0);
    rh_set_trap(NULL, NULL);
    rh_decref(b);
    rh_decref(c);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

/* ---- the end of a heap ---- */

enum { SAID = 4096 };

/* What is written to standard error meanwhile goes to a file; afterwards it is read from there. */
struct capture {
    FILE *file;
    int before;
};

static void capture_begin(struct capture *capture)
{
    capture->file = tmpfile();
    assert_non_null(capture->file);
    fflush(stderr);
    capture->before = dup(STDERR_FILENO);
    assert_true(dup2(fileno(capture->file), STDERR_FILENO) >= 0);
}

static void capture_end(struct capture *capture, char text[SAID])
{
    assert_true(dup2(capture->before, STDERR_FILENO) >= 0);
    close(capture->before);
    rewind(capture->file);
    text[fread(text, 1, SAID - 1, capture->file)] = 0;
    fclose(capture->file);
}

/* Two objects that cannot be collected, of which the first holds itself and the second. Returns how many the heap's end
 * says were left, and what was written. */
static size_t leave_uncollectable(unsigned debug, char text[SAID])
{
    struct rh_heap *heap = things_heap();
    struct rh_type *legacy = things_type(heap, LEGACY);
    struct thing *first = loop_new(legacy, 1), *second = thing_new(legacy, 2, NULL, NULL);
    struct capture capture;
    rh_assign(&first->b, second);
    rh_decref(second);
    rh_decref(first);
    rh_set_debug(heap, debug);
    capture_begin(&capture);
    size_t left = rh_heap_destroy(heap);
    capture_end(&capture, text);
    return left;
}

/* How many there are is returned; of which type they are is written on request. */
static void scenario__uncollectable_objects_are_named_at_the_heaps_end(void **state)
{
    char text[SAID];
    (void)state;
    assert_int_equal(leave_uncollectable(0, text), 2);
    assert_string_equal(text, "");
    assert_int_equal(leave_uncollectable(RH_DEBUG_UNCOLLECTABLE, text), 2);
    assert_non_null(strstr(text, "2 thing"));
    assert_int_equal(leave_uncollectable(RH_DEBUG_SAVEALL, text), 2);
    assert_string_equal(text, "");
}

/* A cycle that lives as long as the program's own variables do is finalized at the end. */
static void scenario__cycle_held_by_a_root_is_finalized_at_the_heaps_end(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *list = rh_list_new(heap);
    (void)state;
    finalizer_runs = 0;
    thing_finalizer = count_run;
    assert_int_equal(rh_root_add(heap, "list", &list), 0);
    rh_list_put(list, thing_new(things_type(heap, FINALIZED), 1, NULL, NULL));
    rh_list_append(list, list);
    assert_int_equal(rh_heap_destroy(heap), 2);
    assert_int_equal(finalizer_runs, 1);
}

static void scenario__cycle_held_by_a_module_is_finalized_at_the_heaps_end(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *modules = rh_dict_new(heap), *names = rh_dict_new(heap), *list = rh_list_new(heap);
    (void)state;
    finalizer_runs = 0;
    thing_finalizer = count_run;
    assert_int_equal(rh_root_add(heap, "modules", &modules), 0);
    rh_list_put(list, thing_new(things_type(heap, FINALIZED), 1, NULL, NULL));
    rh_list_append(list, list);
    rh_dict_put(names, "l", list);
    rh_dict_put(modules, "gctest", names);
    rh_collect(heap, RH_OLD);
    assert_int_equal(finalizer_runs, 0);
    rh_heap_destroy(heap);
    assert_int_equal(finalizer_runs, 1);
}

/* The program is on its way out with an exception in hand: this changes nothing. */
static void scenario__object_in_use_is_finalized_at_the_heaps_end(void **state)
{
    struct rh_heap *heap = things_heap();
    struct thing *a = loop_new(things_type(heap, FINALIZED), 1);
    struct rh_object *frame = rh_frame_new(heap, "main", NULL);
    struct rh_object *exception = rh_exception_new(heap, "SystemExit", "0");
    (void)state;
    finalizer_runs = 0;
    thing_finalizer = count_run;
    rh_dict_set_text(rh_frame_locals(frame), "a", a);
    rh_exception_pass(exception, frame, 1);
    assert_true(rh_heap_destroy(heap) >= 3);
    assert_int_equal(finalizer_runs, 1);
}

/* The last reference to the class is that of the instance freed: its type is not to be touched after that. */
static void scenario__instance_takes_its_class_along_at_the_heaps_end(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *klass = rh_class_new(heap, "Node", NULL), *tree = rh_instance_new(klass);
    struct rh_object *list = rh_list_new(heap), *function = rh_cell_new(heap, list),
                     *w = rh_weakref_new(klass, NULL, NULL);
    (void)state;
    rh_decref(klass);
    assert_int_equal(rh_refcount(klass), 1);
    rh_list_put(list, tree);
    rh_list_append(list, list);
    rh_decref(list);
    assert_int_equal(rh_collect(heap, RH_OLD), 0); /* held by the function, to the end */
    rh_decref(function);
    rh_decref(w);
    assert_int_equal(rh_heap_destroy(heap), 0); /* its last collection */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scenario__callbacks_come_at_start_and_stop),
        cmocka_unit_test(scenario__callbacks_are_told_the_generation),
        cmocka_unit_test(scenario__callbacks_are_told_the_counts_and_may_clean_up),
        cmocka_unit_test(scenario__refcount_that_is_too_low_is_found),
        cmocka_unit_test(scenario__uncollectable_objects_are_named_at_the_heaps_end),
        cmocka_unit_test(scenario__cycle_held_by_a_root_is_finalized_at_the_heaps_end),
        cmocka_unit_test(scenario__cycle_held_by_a_module_is_finalized_at_the_heaps_end),
        cmocka_unit_test(scenario__object_in_use_is_finalized_at_the_heaps_end),
        cmocka_unit_test(scenario__instance_takes_its_class_along_at_the_heaps_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
