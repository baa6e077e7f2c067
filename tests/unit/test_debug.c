/* The debug build: mistakes it catches, and what can be seen between the passes of a collection. */
#include "unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../analyzer/graph/graph.h"
#include "../../dumpfmt/snapshot.h"
#include "../../runtime/probe/probe.h"
#include "../support/memory_sink.h"
#include "../support/things.h"

extern void (*rh_pass_hook)(struct rh_heap *heap, const char *pass);

static int traps;
static char trapped[400];

static void count_trap(void *context, const char *what, const void *object)
{
    (void)context;
    (void)object;
    traps++;
    snprintf(trapped, sizeof trapped, "%s", what);
}

static int setup(void **state)
{
    (void)state;
    traps = 0;
    trapped[0] = 0;
    rh_set_trap(count_trap, NULL);
    return 0;
}

/* One trap, about this. */
static void expect_trap(const char *text)
{
    assert_int_equal(traps, 1);
    if (!strstr(trapped, text))
        fail_msg("\"%s\" does not say \"%s\"", trapped, text);
    traps = 0;
}

static void trap__a_refcount_below_zero(void **state)
{
    struct rh_heap *heap = things_heap();
    struct thing *t = thing_new(things_type(heap, PLAIN), 1, NULL, NULL);
    (void)state;
    t->object.refcount = 0;
    rh_decref(t);
    expect_trap("falls below zero");
    t->object.refcount = 1;
    rh_decref(t);
    rh_heap_destroy(heap);
    assert_int_equal(traps, 0);
}

static void trap__use_after_free(void **state)
{
    struct rh_heap *heap = things_heap();
    struct thing *t = thing_new(things_type(heap, PLAIN), 1, NULL, NULL);
    (void)state;
    rh_decref(t);
    rh_decref(t);
    expect_trap("used after it was freed");
    int64_t before = t->object.refcount;
    rh_incref(t);
    expect_trap("used after it was freed");
    t->object.refcount = before;
    rh_heap_destroy(heap);
    assert_int_equal(traps, 0);
}

static void trap__a_change_after_free(void **state)
{
    struct rh_heap *heap = things_heap();
    struct thing *t = thing_new(things_type(heap, PLAIN), 1, NULL, NULL);
    (void)state;
    rh_decref(t);
    t->number = 7;
    rh_heap_destroy(heap);
    expect_trap("was changed after it was freed");
}

static void trap__a_table_that_misses_a_reference(void **state)
{
    static const struct rh_field fields[] = {RH_STRONG(struct thing, a)};
    static const struct rh_type_spec spec = RH_TYPE_SPEC("forgetful", struct thing, fields);
    struct rh_heap *heap = things_heap();
    struct rh_type *type;
    (void)state;
    assert_int_equal(rh_type_create(heap, &spec, &type, NULL), 0);
    struct thing *t = rh_object_new(type), *other = rh_object_new(type);
    rh_assign(&t->a, other);
    assert_int_equal(rh_heap_check(heap), 0);
    rh_assign(&t->b, other);
    assert_int_equal(rh_heap_check(heap), 1);
    expect_trap("the table of type forgetful misses a reference: at offset 40");
    rh_collect(heap, RH_OLD); /* looks by itself */
    expect_trap("misses a reference");
    rh_assign(&t->b, NULL);
    rh_decref(other);
    rh_decref(t);
    rh_heap_destroy(heap);
    assert_int_equal(traps, 0);
}

static void trap__a_refcount_lower_than_the_references(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN);
    struct thing *target = thing_new(type, 1, NULL, NULL), *t = thing_new(type, 2, target, target);
    (void)state;
    target->object.refcount = 1;
    assert_int_equal(rh_heap_check(heap), 1);
    expect_trap("is lower than the references to <");
    target->object.refcount = 3;
    rh_decref(target);
    rh_decref(t);
    rh_heap_destroy(heap);
}

static void *use_heap(void *heap)
{
    rh_decref(rh_list_new(heap));
    return NULL;
}

static void trap__another_thread(void **state)
{
    struct rh_heap *heap = things_heap();
    pthread_t thread;
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, use_heap, heap), 0);
    pthread_join(thread, NULL);
    assert_true(traps >= 1);
    assert_non_null(strstr(trapped, "used by a thread that does not own it"));
    traps = 0;
    rh_decref(rh_list_new(heap));
    rh_heap_destroy(heap);
    assert_int_equal(traps, 0);
}

static void stress__collects_at_every_allocation(void **state)
{
    (void)state;
    setenv("RH_GC_STRESS", "1", 1);
    struct rh_heap *heap = things_heap();
    unsetenv("RH_GC_STRESS");
    struct rh_type *type = things_type(heap, PLAIN);
    struct thing *t = thing_new(type, 1, NULL, NULL);
    rh_assign(&t->a, t);
    rh_decref(t);
    assert_int_equal(objects_alive(heap), 1);
    t = thing_new(type, 2, NULL, NULL);
    assert_int_equal(objects_alive(heap), 1);
    rh_decref(t);
    assert_int_equal(rh_heap_destroy(heap), 0);
}

/* ---- between the passes ---- */

enum { OBJECTS_MAX = 64 };
static struct {
    uint64_t address[OBJECTS_MAX];
    int generation[OBJECTS_MAX], count;
    int dumps, probes, generation_collected;
    char passes[400];
} seen;

static int remember(struct rh_object *object, void *unused)
{
    (void)unused;
    assert_true(seen.count < OBJECTS_MAX);
    seen.address[seen.count] = (uintptr_t)object;
    seen.generation[seen.count++] = rh_generation_of(object);
    return 0;
}

/* Every object of before the collection is there, in the generation it came from; and the collection is told. */
static void judge_snapshot(struct snapshot *s)
{
    struct graph g;
    struct record_cursor cursor = {0, 0};
    const struct heap_record *heap = snapshot_next_record(s, SECTION_HEAPS, &cursor);
    assert_int_equal(graph_build(s, &g, NULL), 0);
    assert_int_equal(g.dangling, 0);
    assert_true(heap->flags & HEAP_COLLECTING);
    assert_int_equal(heap->collecting, seen.generation_collected);
    for (int i = 0; i < seen.count; i++) {
        ordinal o = address_index_find(&g.index, seen.address[i]);
        assert_true(o != ORDINAL_NONE);
        assert_int_equal(graph_generation(&g, o), seen.generation[i]);
    }
    graph_release(&g);
    snapshot_close(s);
}

static void probe_self(void)
{
    struct memory_descriptor memory;
    struct memory_sink sink;
    struct probe *probe;
    struct snapshot *s;
    struct rh_error err;
    int mem = open("/proc/self/mem", O_RDONLY), maps = open("/proc/self/maps", O_RDONLY);
    assert_true(mem >= 0 && maps >= 0);
    memory_descriptor_init(&memory, mem);
    struct probe_options options = {.source = &memory.source, .maps_fd = maps, .pid = (uint64_t)getpid()};
    memory_sink_init(&sink);
    if (probe_open(&options, &probe, &err))
        fail_msg("%s", err.what);
    assert_int_equal(probe_write(probe, &sink.sink, &err), 0);
    probe_close(probe);
    close(mem);
    close(maps);
    assert_int_equal(snapshot_open_memory(sink.bytes, sink.size, NULL, &s, &err), 0);
    judge_snapshot(s);
    memory_sink_release(&sink);
    seen.probes++;
}

static void look(struct rh_heap *heap, const char *pass)
{
    char path[64];
    struct snapshot *s;
    struct rh_error err;
    (void)heap;
    if (!strcmp(pass, "clear"))
        return; /* some are gone by now */
    strncat(seen.passes, pass, sizeof seen.passes - strlen(seen.passes) - 2);
    strcat(seen.passes, " ");
    snprintf(path, sizeof path, "/tmp/refheap-unit-debug-%d", (int)getpid());
    assert_int_equal(rh_dump(path, 0, &err), 0);
    assert_int_equal(snapshot_open(path, NULL, &s, &err), 0);
    judge_snapshot(s);
    unlink(path);
    seen.dumps++;
    probe_self();
}

static void nothing(struct thing *t)
{
    (void)t;
}

static void snapshot__between_all_passes_sees_every_object(void **state)
{
    (void)state;
    for (int generation = RH_YOUNG; generation <= RH_OLD; generation++) {
        struct rh_heap *heap = things_heap();
        struct rh_type *plain = things_type(heap, PLAIN), *finalized = things_type(heap, FINALIZED),
                       *legacy = things_type(heap, LEGACY);
        struct thing *kept[6];
        thing_finalizer = nothing;
        for (int i = 0; i < 6; i++) {
            struct thing *t = thing_new(i % 3 == 0 ? plain : i % 3 == 1 ? finalized : legacy, i, NULL, NULL);
            rh_assign(&t->a, t);
            rh_decref(t);
            kept[i] = thing_new(plain, i, NULL, NULL);
            if (i == 1 || i == 3)
                rh_collect(heap, i == 1 ? RH_MIDDLE : RH_YOUNG);
        }
        struct rh_object *weakref = rh_weakref_new(kept[0], NULL, NULL);
        memset(&seen, 0, sizeof seen);
        seen.generation_collected = generation;
        for (int g = RH_YOUNG; g <= RH_UNTRACKED; g++)
            rh_heap_visit(heap, g, remember, NULL);
        rh_pass_hook = look;
        rh_collect(heap, generation);
        rh_pass_hook = NULL;
        assert_true(seen.dumps >= 7);
        assert_int_equal(seen.dumps, seen.probes);
        assert_non_null(strstr(seen.passes, "count subtract move legacy weak finalize"));
        rh_decref(weakref);
        for (int i = 0; i < 6; i++)
            rh_decref(kept[i]);
        rh_heap_destroy(heap);
    }
    assert_int_equal(traps, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(trap__a_refcount_below_zero, setup),
        cmocka_unit_test_setup(trap__use_after_free, setup),
        cmocka_unit_test_setup(trap__a_change_after_free, setup),
        cmocka_unit_test_setup(trap__a_table_that_misses_a_reference, setup),
        cmocka_unit_test_setup(trap__a_refcount_lower_than_the_references, setup),
        cmocka_unit_test_setup(trap__another_thread, setup),
        cmocka_unit_test_setup(stress__collects_at_every_allocation, setup),
        cmocka_unit_test_setup(snapshot__between_all_passes_sees_every_object, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
