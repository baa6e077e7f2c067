/* The gc surface beyond collecting: what the collector says, whom it calls, lists of objects, and the end of a heap. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/things.h"

/* ---- reports ---- */

static char said[4096];

static void note_line(void *context, const char *line)
{
    size_t used = strlen(said);
    snprintf(said + used, sizeof said - used, "%s%s\n", (const char *)context, line);
}

static struct thing *self_cycle(struct rh_type *type)
{
    struct thing *t = thing_new(type, 1, NULL, NULL);
    rh_assign(&t->a, t);
    return t;
}

static int setup(void **state)
{
    (void)state;
    said[0] = 0;
    return 0;
}

static void report__statistics_before_and_after(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN), *legacy = things_type(heap, LEGACY);
    (void)state;
    rh_set_report(heap, note_line, "> ");
    rh_set_debug(heap, RH_DEBUG_STATS);
    assert_int_equal(rh_get_debug(heap), RH_DEBUG_STATS);
    rh_decref(self_cycle(type));
    rh_decref(self_cycle(type));
    rh_decref(self_cycle(legacy));
    assert_int_equal(rh_collect(heap, RH_OLD), 3);
    assert_non_null(strstr(said, "> refheap: heap : collecting generation 2\n"));
    assert_non_null(strstr(said, "> refheap: objects in each generation: 3 0 0, permanent 0\n"));
    assert_non_null(strstr(said, "> refheap: done, 3 unreachable, 1 uncollectable, "));
    assert_null(strstr(said, "thing"));
    rh_list_clear(rh_garbage(heap));
    rh_heap_destroy(heap);
}

static int lines_with(const char *text)
{
    int n = 0;
    for (const char *at = said; (at = strstr(at, text)); at += strlen(text))
        n++;
    return n;
}

static void report__each_object_when_told(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN), *legacy = things_type(heap, LEGACY);
    char line[100];
    (void)state;
    rh_set_report(heap, note_line, "");
    rh_set_debug(heap, RH_DEBUG_COLLECTABLE | RH_DEBUG_UNCOLLECTABLE);
    struct thing *t = self_cycle(type), *stuck = self_cycle(legacy);
    rh_decref(t);
    rh_decref(stuck);
    rh_collect(heap, RH_OLD);
    snprintf(line, sizeof line, "refheap: collectable <thing %p>\n", (void *)t);
    assert_int_equal(lines_with(line), 1);
    snprintf(line, sizeof line, "refheap: uncollectable <thing %p>\n", (void *)stuck);
    assert_int_equal(lines_with(line), 1);
    assert_int_equal(lines_with("collectable"), 2);
    rh_heap_destroy(heap);
}

static void debug__leak_keeps_all_that_is_found(void **state)
{
    struct rh_heap *heap = things_heap();
    (void)state;
    rh_set_report(heap, note_line, "");
    rh_set_debug(heap, RH_DEBUG_LEAK);
    struct thing *t = self_cycle(things_type(heap, PLAIN));
    rh_decref(t);
    assert_int_equal(rh_collect(heap, RH_OLD), 1);
    assert_int_equal(rh_list_length(rh_garbage(heap)), 1);
    assert_ptr_equal(rh_list_get(rh_garbage(heap), 0), t);
    rh_set_debug(heap, 0);
    rh_list_clear(rh_garbage(heap));
    assert_int_equal(rh_collect(heap, RH_OLD), 1);
    rh_heap_destroy(heap);
}

static void debug__is_read_from_the_environment(void **state)
{
    static const struct {
        const char *text;
        unsigned flags;
    } cases[] = {{"stats", 1}, {"leak", 38}, {"stats,saveall", 33}, {"6", 6}, {"nonsense", 0}, {"collectable,1", 3}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setenv("RH_GC_DEBUG", cases[i].text, 1);
        struct rh_heap *heap = things_heap();
        unsetenv("RH_GC_DEBUG");
        assert_int_equal(rh_get_debug(heap), cases[i].flags);
        rh_set_debug(heap, 0);
        rh_heap_destroy(heap);
    }
}

/* ---- callbacks ---- */

static void note_phase(enum rh_gc_phase phase, const struct rh_gc_info *info, void *context)
{
    size_t used = strlen(said);
    snprintf(said + used, sizeof said - used, "%s %s %d %zu %zu\n", (const char *)context,
             phase == RH_GC_START ? "start" : "stop", info->generation, info->collected, info->uncollectable);
}

static void callbacks__are_told_of_start_and_stop(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN);
    (void)state;
    assert_int_equal(rh_callback_add(heap, note_phase, "first"), 0);
    assert_int_equal(rh_callback_add(heap, note_phase, "second"), 0);
    rh_decref(self_cycle(type));
    rh_decref(self_cycle(things_type(heap, LEGACY)));
    rh_collect(heap, RH_MIDDLE);
    assert_string_equal(said, "first start 1 0 0\nsecond start 1 0 0\nfirst stop 1 1 1\nsecond stop 1 1 1\n");
    said[0] = 0;
    rh_callback_remove(heap, note_phase, "first");
    rh_collect(heap, RH_YOUNG);
    assert_string_equal(said, "second start 0 0 0\nsecond stop 0 0 0\n");
    rh_callback_remove(heap, note_phase, "second");
    rh_callback_remove(heap, note_phase, "never added");
    rh_collect(heap, RH_OLD);
    assert_int_equal(lines_with("start"), 1);
    rh_list_clear(rh_garbage(heap));
    rh_heap_destroy(heap);
}

static int collected_inside;

static void collect_inside(enum rh_gc_phase phase, const struct rh_gc_info *info, void *heap)
{
    (void)info;
    collected_inside += (int)rh_collect(heap, RH_OLD);
    rh_decref(rh_list_new(heap)); /* is allowed */
    if (phase == RH_GC_STOP)
        rh_callback_remove(heap, collect_inside, heap);
}

static void callbacks__may_not_collect_and_may_remove_themselves(void **state)
{
    struct rh_heap *heap = things_heap();
    (void)state;
    collected_inside = 0;
    rh_callback_add(heap, collect_inside, heap);
    rh_callback_add(heap, note_phase, "behind");
    rh_decref(self_cycle(things_type(heap, PLAIN)));
    assert_int_equal(rh_collect(heap, RH_OLD), 1);
    assert_int_equal(collected_inside, 0);
    assert_int_equal(lines_with("behind"), 2);
    rh_heap_destroy(heap);
}

/* ---- lists ---- */

static int list_has(const struct rh_object *list, const void *object)
{
    for (size_t i = 0; i < rh_list_length(list); i++)
        if (rh_list_get(list, i) == object)
            return 1;
    return 0;
}

static void lists__of_a_generation(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN);
    struct thing *old = thing_new(type, 1, NULL, NULL);
    (void)state;
    rh_collect(heap, RH_OLD);
    struct thing *young = thing_new(type, 2, NULL, NULL);
    struct rh_object *list = rh_get_objects(heap, RH_YOUNG);
    assert_true(list_has(list, young) && !list_has(list, old));
    rh_decref(list);
    list = rh_get_objects(heap, RH_OLD);
    assert_true(!list_has(list, young) && list_has(list, old));
    rh_decref(list);
    list = rh_get_objects(heap, -1);
    assert_true(list_has(list, young) && list_has(list, old) && !list_has(list, list));
    rh_decref(list);
    rh_freeze(heap);
    list = rh_get_objects(heap, RH_PERMANENT);
    assert_int_equal(rh_list_length(list), 2);
    rh_decref(list);
    rh_decref(old);
    rh_decref(young);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

static void lists__of_referrers_and_referents(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN);
    struct thing *target = thing_new(type, 1, NULL, NULL), *twice = thing_new(type, 2, target, target),
                 *weakly = thing_new(type, 3, NULL, NULL);
    struct rh_object *dict = rh_dict_new(heap);
    (void)state;
    rh_weak_set(&weakly->w, target);
    rh_dict_set_text(dict, "target", target);
    struct rh_object *list = rh_get_referrers(target);
    assert_int_equal(rh_list_length(list), 2);
    assert_true(list_has(list, twice) && list_has(list, dict));
    rh_decref(list);
    list = rh_get_referents(twice);
    assert_int_equal(rh_list_length(list), 2);
    assert_ptr_equal(rh_list_get(list, 0), target);
    assert_ptr_equal(rh_list_get(list, 1), target);
    rh_decref(list);
    list = rh_get_referents(dict);
    assert_int_equal(rh_list_length(list), 2); /* the key and the value */
    rh_decref(list);
    rh_decref(dict);
    rh_decref(twice);
    rh_decref(weakly);
    rh_decref(target);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

/* ---- thresholds ---- */

static void threshold__of_0_turns_a_generation_off(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN);
    struct rh_stats stats[3];
    (void)state;
    rh_set_threshold(heap, (size_t[]){10, 0, 3});
    rh_enable(heap);
    for (int i = 0; i < 1000; i++) {
        struct thing *t = self_cycle(type);
        rh_decref(t);
    }
    rh_get_stats(heap, stats);
    assert_true(stats[0].collections > 50);
    assert_int_equal(stats[1].collections, 0);
    assert_int_equal(stats[2].collections, 0);
    rh_set_threshold(heap, (size_t[]){10, 2, 0});
    for (int i = 0; i < 1000; i++)
        rh_decref(self_cycle(type));
    rh_get_stats(heap, stats);
    assert_true(stats[1].collections > 10);
    assert_int_equal(stats[2].collections, 0);
    rh_heap_destroy(heap);
}

/* ---- at death, and the end ---- */

static void note_death(void *context)
{
    strcat(said, context);
}

static void at_death__calls_once_when_the_object_dies(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN);
    struct thing *t = thing_new(type, 1, NULL, NULL), *cycle = self_cycle(type);
    (void)state;
    assert_int_equal(rh_at_death(t, note_death, "a"), 0);
    assert_int_equal(rh_at_death(t, note_death, "b"), 0);
    assert_int_equal(rh_at_death(t, note_death, "never"), 0);
    assert_int_equal(rh_at_death(cycle, note_death, "c"), 0);
    assert_true(rh_not_at_death(t, note_death, "never"));
    assert_false(rh_not_at_death(t, note_death, "never"));
    rh_decref(t);
    assert_string_equal(said, "ba"); /* as weak references are called: the newest first */
    rh_decref(cycle);
    assert_string_equal(said, "ba");
    rh_collect(heap, RH_OLD);
    assert_string_equal(said, "bac");
    assert_int_equal(rh_heap_destroy(heap), 0);
    assert_string_equal(said, "bac");
}

static void at_death__calls_at_the_end_of_the_heap_the_newest_first(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN);
    struct thing *first = thing_new(type, 1, NULL, NULL), *second = thing_new(type, 2, NULL, NULL);
    (void)state;
    rh_at_death(first, note_death, "1");
    rh_at_death(second, note_death, "2");
    rh_at_death(first, note_death, "3");
    assert_int_equal(rh_heap_destroy(heap), 2);
    assert_string_equal(said, "321");
}

static void note_finalized(struct thing *t)
{
    char number[24];
    snprintf(number, sizeof number, "%d ", (int)t->number);
    strcat(said, number);
    assert_true(!t->a || t->a->object.refcount > 0); /* what it refers to is still there */
}

static void destroy__runs_finalizers_of_what_leaked(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, FINALIZED);
    (void)state;
    thing_finalizer = note_finalized;
    struct thing *a = thing_new(type, 1, NULL, NULL), *b = thing_new(type, 2, a, NULL),
                 *c = thing_new(type, 3, b, NULL);
    rh_decref(a);
    (void)c;
    assert_int_equal(rh_heap_destroy(heap), 3);
    assert_int_equal(strlen(said), 6); /* each once, in no order that is promised */
    assert_true(strstr(said, "1 ") && strstr(said, "2 ") && strstr(said, "3 "));
}

static void destroy__says_what_leaked(void **state)
{
    struct rh_heap *heap = things_heap();
    (void)state;
    rh_set_report(heap, note_line, "");
    thing_new(things_type(heap, PLAIN), 1, NULL, NULL);
    thing_new(things_type(heap, PLAIN), 2, NULL, NULL);
    rh_list_new(heap);
    assert_int_equal(rh_heap_destroy(heap), 3);
    assert_non_null(strstr(said, "refheap: heap : 3 objects leaked\n"));
    assert_non_null(strstr(said, "refheap:   1 list\n"));
}

/* ---- memory ---- */

struct counting {
    long blocks;
};

static void *counting_allocate(void *context, size_t size)
{
    ((struct counting *)context)->blocks++;
    return malloc(size);
}

static void counting_release(void *context, void *memory)
{
    ((struct counting *)context)->blocks -= memory != NULL;
    free(memory);
}

static void allocator__gets_all_it_gave(void **state)
{
    struct counting counting = {0};
    struct rh_allocator allocator = {counting_allocate, counting_release, &counting};
    struct rh_heap_options options = {.name = "own memory", .allocator = &allocator, .site_depth = 2};
    struct rh_heap *heap;
    (void)state;
    assert_int_equal(rh_heap_create(&options, &heap, NULL), 0);
    struct rh_object *list = rh_list_new(heap), *dict = rh_dict_new(heap);
    for (int i = 0; i < 100; i++) {
        rh_list_put(list, rh_int_new(heap, i));
        rh_dict_put(dict, i % 2 ? "odd" : "even", rh_str(heap, "text"));
    }
    rh_root_add(heap, "list", &list);
    rh_at_death(list, note_death, "");
    assert_true(counting.blocks > 100);
    rh_decref(list);
    rh_decref(dict);
    assert_int_equal(rh_heap_destroy(heap), 0);
    assert_int_equal(counting.blocks, 0);
}

static void options__that_make_no_sense_are_refused(void **state)
{
    struct rh_allocator half = {counting_allocate, NULL, NULL};
    struct rh_heap_options wrong[] = {{.site_depth = RH_SITE_DEPTH_MAX + 1}, {.flags = 2}, {.allocator = &half}};
    struct rh_heap *heap;
    struct rh_error err;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(rh_heap_create(&wrong[i], &heap, &err), RH_ERR_ARGUMENT);
        assert_null(heap);
        assert_int_not_equal(strlen(err.hint), 0);
    }
}

static void serials__number_objects_in_the_order_they_are_made(void **state)
{
    struct rh_heap_options options = {.flags = RH_HEAP_SERIALS};
    struct rh_heap *heap;
    (void)state;
    assert_int_equal(rh_heap_create(&options, &heap, NULL), 0);
    struct rh_object *a = rh_list_new(heap), *b = rh_int_new(heap, 1);
    assert_true(rh_serial(a) > 0);
    assert_int_equal(rh_serial(b), rh_serial(a) + 1);
    uint64_t last = rh_serial(b);
    rh_decref(b);
    b = rh_int_new(heap, 1);
    assert_int_equal(rh_serial(b), last + 1);
    rh_decref(a);
    rh_decref(b);
    rh_heap_destroy(heap);
    heap = things_heap();
    a = rh_list_new(heap);
    assert_int_equal(rh_serial(a), 0);
    rh_decref(a);
    rh_heap_destroy(heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(report__statistics_before_and_after, setup),
        cmocka_unit_test_setup(report__each_object_when_told, setup),
        cmocka_unit_test_setup(debug__leak_keeps_all_that_is_found, setup),
        cmocka_unit_test_setup(debug__is_read_from_the_environment, setup),
        cmocka_unit_test_setup(callbacks__are_told_of_start_and_stop, setup),
        cmocka_unit_test_setup(callbacks__may_not_collect_and_may_remove_themselves, setup),
        cmocka_unit_test_setup(lists__of_a_generation, setup),
        cmocka_unit_test_setup(lists__of_referrers_and_referents, setup),
        cmocka_unit_test_setup(threshold__of_0_turns_a_generation_off, setup),
        cmocka_unit_test_setup(at_death__calls_once_when_the_object_dies, setup),
        cmocka_unit_test_setup(at_death__calls_at_the_end_of_the_heap_the_newest_first, setup),
        cmocka_unit_test_setup(destroy__runs_finalizers_of_what_leaked, setup),
        cmocka_unit_test_setup(destroy__says_what_leaked, setup),
        cmocka_unit_test_setup(allocator__gets_all_it_gave, setup),
        cmocka_unit_test_setup(options__that_make_no_sense_are_refused, setup),
        cmocka_unit_test_setup(serials__number_objects_in_the_order_they_are_made, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
