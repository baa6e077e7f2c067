/* Dumps from inside: in signal handlers, inside malloc, while the heap is busy, on a small stack. */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "../../analyzer/graph/graph.h"
#include "../../dumpfmt/snapshot.h"
#include "../support/things.h"

static char path[64];
static int good, refused, wrong;

/* The number of objects in the dump; -1 when it is not whole. */
static int64_t verify(void)
{
    struct snapshot *s;
    struct graph g;
    int64_t objects = -1;
    if (snapshot_open(path, NULL, &s, NULL))
        return -1;
    if (!graph_build(s, &g, NULL)) {
        objects = g.dangling ? -1 : (int64_t)g.objects;
        graph_release(&g);
    }
    snapshot_close(s);
    return objects;
}

static void on_alarm(int sig)
{
    struct rh_error err;
    (void)sig;
    errno = 12345;
    int status = rh_dump(path, RH_DUMP_GUARDED, &err);
    if (errno != 12345)
        wrong++;
    if (status == 0)
        good++;
    else if (status == RH_ERR_BUSY)
        refused++;
    else
        wrong++;
}

/* The alarm comes anywhere: in malloc, in free, in the library, in the collector. */
static void dump__in_a_signal_handler_is_good_or_refused(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *type = things_type(heap, PLAIN);
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    struct itimerval soon = {{0, 0}, {0, 1}}, never = {{0, 0}, {0, 0}};
    void *blocks[64] = {0};
    int verified = 0;
    (void)state;
    rh_enable(heap);
    good = refused = wrong = 0;
    sigaction(SIGALRM, &action, NULL);
    srand(1);
    for (int round = 0; (good < 300 || refused < 3) && round < 20000000; round++) {
        if (round % 64 == 0) { /* once in a while: a dump takes longer than what is between two alarms would be */
            soon.it_value.tv_usec = 1 + rand() % 50;
            setitimer(ITIMER_REAL, &soon, NULL);
        }
        int i = rand() % 64;
        free(blocks[i]);
        blocks[i] = malloc((size_t)(rand() % 4000));
        struct thing *t = thing_new(type, round, NULL, NULL);
        rh_assign(&t->a, t);
        rh_decref(t);
        if (good > verified) {
            setitimer(ITIMER_REAL, &never, NULL);
            assert_true(verify() >= 0);
            verified = good;
        }
    }
    setitimer(ITIMER_REAL, &never, NULL);
    signal(SIGALRM, SIG_DFL);
    assert_int_equal(wrong, 0);
    assert_true(good >= 300);
    assert_true(refused >= 3); /* the alarm did catch the library at work */
    for (int i = 0; i < 64; i++)
        free(blocks[i]);
    rh_heap_destroy(heap);
}

static void dump__of_a_busy_heap_waits_for_a_safe_point(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_error err;
    (void)state;
    unlink(path);
    rh_busy_begin(heap);
    assert_int_equal(rh_dump(path, 0, &err), RH_ERR_BUSY);
    assert_int_equal(rh_dump_request(path, 0, &err), 0);
    assert_int_equal(rh_dump_request(path, 0, &err), RH_ERR_BUSY); /* one at a time */
    rh_safepoint(heap);
    assert_int_not_equal(access(path, F_OK), 0); /* not while busy */
    rh_busy_end(heap);
    rh_decref(rh_int_new(heap, 1)); /* an allocation is a safe point, before the object is made */
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(rh_control.status, 0);
    assert_int_equal(rh_control.request, rh_control.done);
    rh_heap_destroy(heap);
}

static int dumped_in_finalizer;
static void dump_in_finalizer(struct thing *t)
{
    (void)t;
    dumped_in_finalizer = rh_dump(path, 0, NULL) == 0;
}

static void dump__in_a_finalizer_sees_every_object_and_the_collection(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *plain = things_type(heap, PLAIN), *finalized = things_type(heap, FINALIZED);
    struct thing *kept = thing_new(plain, 1, NULL, NULL), *t = thing_new(finalized, 2, kept, NULL);
    struct snapshot *s;
    struct record_cursor cursor = {0};
    (void)state;
    rh_collect(heap, RH_YOUNG);
    rh_assign(&t->b, t);
    rh_decref(t);
    thing_finalizer = dump_in_finalizer;
    dumped_in_finalizer = 0;
    assert_int_equal(rh_collect(heap, RH_MIDDLE), 1);
    assert_true(dumped_in_finalizer);
    assert_int_equal(verify(), 2);
    assert_int_equal(snapshot_open(path, NULL, &s, NULL), 0);
    const struct heap_record *h = snapshot_next_record(s, SECTION_HEAPS, &cursor);
    assert_true(h->flags & HEAP_COLLECTING);
    assert_int_equal(h->collecting, 1);
    struct objects_view view;
    snapshot_objects(s, 0, &view);
    for (uint32_t i = 0; i < view.count; i++) /* the generation they came from */
        assert_int_equal(column_get(&view.column[OBJECT_STATE], i) & STATE_GENERATION_MASK, 1);
    snapshot_close(s);
    rh_decref(kept);
    rh_heap_destroy(heap);
}

static void dump__of_another_threads_heap_is_left_out(void **state)
{
    struct rh_heap *mine = things_heap(), *other = things_heap();
    struct rh_error err;
    (void)state;
    thing_new(things_type(mine, PLAIN), 1, NULL, NULL);
    thing_new(things_type(other, PLAIN), 2, NULL, NULL);
    /* A heap says whose it is in the place the control block names. */
    uint64_t *owner = (uint64_t *)((char *)other + rh_control.layout.heap_owner), before = *owner;
    *owner = 1;
    assert_int_equal(rh_dump(path, 0, &err), 0);
    assert_int_equal(verify(), 1);
    uint64_t *own = (uint64_t *)((char *)mine + rh_control.layout.heap_owner);
    *own = 1;
    assert_int_equal(rh_dump(path, 0, &err), RH_ERR_NOT_FOUND);
    *own = *owner = before;
    rh_heap_destroy(mine);
    rh_heap_destroy(other);
}

static void dump__without_values_keeps_names(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *klass = rh_class_new(heap, "Secret", NULL), *x = rh_instance_new(klass);
    struct rh_object *text = rh_str(heap, "the password");
    struct snapshot *s;
    struct value_cursor cursor = {0};
    (void)state;
    rh_attr_set(x, "hidden", text);
    assert_int_equal(rh_dump(path, RH_DUMP_NO_VALUES, NULL), 0);
    assert_int_equal(snapshot_open(path, NULL, &s, NULL), 0);
    assert_true(snapshot_header(s)->flags & FILE_NO_VALUES);
    assert_int_equal(snapshot_process(s)->command_line, 0);
    int names = 0;
    for (const struct value_record *r; (r = snapshot_next_value(s, &cursor));) {
        assert_int_equal(r->kind, VALUE_NAME);
        names++;
    }
    assert_int_equal(names, 2);
    snapshot_close(s);
    rh_decref(text);
    rh_decref(x);
    rh_decref(klass);
    rh_heap_destroy(heap);
}

/* ---- on a small stack ---- */

enum { STACK = 64 << 10 };
static ucontext_t test_context, dump_context;
static int small_status;

static void dump_on_stack(void)
{
    small_status = rh_dump(path, RH_DUMP_GUARDED, NULL);
}

static void dump__takes_less_than_4_kib_of_stack(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_object *list = rh_list_new(heap), *s = rh_str(heap, "text");
    uint8_t *stack = malloc(STACK);
    (void)state;
    rh_list_append(list, s);
    memset(stack, 0xa5, STACK);
    getcontext(&dump_context);
    dump_context.uc_stack.ss_sp = stack;
    dump_context.uc_stack.ss_size = STACK;
    dump_context.uc_link = &test_context;
    makecontext(&dump_context, dump_on_stack, 0);
    swapcontext(&test_context, &dump_context);
    assert_int_equal(small_status, 0);
    size_t untouched = 0;
    while (untouched < STACK && stack[untouched] == 0xa5)
        untouched++;
#ifndef __SANITIZE_ADDRESS__ /* which gives every function a larger frame */
    assert_in_range(STACK - untouched, 1, 4096);
#endif
    free(stack);
    rh_decref(list);
    rh_decref(s);
    rh_heap_destroy(heap);
}

static void dump__changes_nothing(void **state)
{
    struct rh_heap *heap = things_heap();
    struct thing *t = thing_new(things_type(heap, PLAIN), 1, NULL, NULL);
    size_t before[3], after[3];
    (void)state;
    rh_assign(&t->a, t);
    rh_get_count(heap, before);
    struct thing copy = *t;
    for (int i = 0; i < 3; i++)
        assert_int_equal(rh_dump(path, 0, NULL), 0);
    rh_get_count(heap, after);
    assert_memory_equal(before, after, sizeof before);
    assert_memory_equal(&copy, t, sizeof copy);
    rh_decref(t);
    rh_heap_destroy(heap);
}

static int choose_path(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/refheap-unit-dump-%d", (int)getpid());
    return 0;
}

static int remove_path(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static void dump__works_after_fork(void **state)
{
    struct rh_heap *heap = things_heap();
    struct thing *t = thing_new(things_type(heap, PLAIN), 1, NULL, NULL);
    int status;
    (void)state;
    unlink(path);
    pid_t child = fork();
    if (child == 0)
        _exit(rh_dump(path, 0, NULL) ? 1 : 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(verify() > 0);
    rh_decref(t);
    rh_heap_destroy(heap);
}

enum { REQUESTS = 100 };
static int requests_over;

static void *reach_safe_points(void *unused)
{
    struct rh_heap *heap;
    (void)unused;
    if (rh_heap_create(NULL, &heap, NULL))
        return NULL;
    while (!__atomic_load_n(&requests_over, __ATOMIC_RELAXED))
        rh_safepoint(heap);
    rh_heap_destroy(heap);
    return NULL;
}

/* Two threads at safe points: each request is served by one of them, once. */
static void request__is_served_by_one_thread(void **state)
{
    pthread_t threads[2];
    struct rh_error err;
    (void)state;
    requests_over = 0;
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, reach_safe_points, NULL), 0);
    for (int i = 0; i < REQUESTS; i++) {
        int status;
        unlink(path);
        while ((status = rh_dump_request(path, 0, &err)) == RH_ERR_BUSY)
            ;
        assert_int_equal(status, 0);
        uint32_t request = __atomic_load_n(&rh_control.request, __ATOMIC_ACQUIRE);
        while (__atomic_load_n(&rh_control.done, __ATOMIC_ACQUIRE) != request)
            ;
        assert_int_equal(rh_control.status, 0);
        assert_true(verify() >= 0);
    }
    __atomic_store_n(&requests_over, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}

struct kid {
    RH_OBJECT_HEAD;
    struct kid *after;
};
struct parent {
    RH_OBJECT_HEAD;
    struct kid *first;
    struct rh_object **items;
    uint64_t count, capacity;
};
static const struct rh_field kid_fields[] = {RH_BORROWED(struct kid, after)};
static const struct rh_type_spec kid_spec = RH_TYPE_SPEC("kid", struct kid, kid_fields);
static const struct rh_field parent_fields[] = {RH_CHILDREN(struct parent, first, struct kid, after),
                                                RH_ARRAY_CAPACITY(struct parent, items, count, capacity)};
static const struct rh_type_spec parent_spec = RH_TYPE_SPEC("parent", struct parent, parent_fields);

/* A list of children that bites its own tail, and a capacity that no memory has: the dump ends, and is whole. */
static void dump__survives_a_damaged_heap(void **state)
{
    struct rh_heap *heap = things_heap();
    struct rh_type *kids, *parents;
    struct kid *kid[3];
    (void)state;
    assert_int_equal(rh_type_create(heap, &kid_spec, &kids, NULL), 0);
    assert_int_equal(rh_type_create(heap, &parent_spec, &parents, NULL), 0);
    struct parent *parent = rh_object_new(parents);
    for (int i = 0; i < 3; i++)
        kid[i] = rh_object_new(kids);
    parent->first = kid[0];
    kid[0]->after = kid[1];
    kid[1]->after = kid[2];
    kid[2]->after = kid[1];
    assert_int_equal(rh_buffer_resize(heap, &parent->items, 0, 8), 0);
    for (uint64_t claimed = UINT64_MAX / 8 - 7; claimed; claimed = claimed == UINT64_MAX ? 0 : UINT64_MAX) {
        parent->capacity = claimed;
        assert_int_equal(rh_dump(path, 0, NULL), 0);
        assert_true(verify() > 0);
    }
    parent->capacity = 1;
    kid[2]->after = NULL;
    rh_decref(parent);
    rh_heap_destroy(heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dump__in_a_signal_handler_is_good_or_refused),
        cmocka_unit_test(dump__of_a_busy_heap_waits_for_a_safe_point),
        cmocka_unit_test(dump__in_a_finalizer_sees_every_object_and_the_collection),
        cmocka_unit_test(dump__of_another_threads_heap_is_left_out),
        cmocka_unit_test(dump__without_values_keeps_names),
        cmocka_unit_test(dump__takes_less_than_4_kib_of_stack),
        cmocka_unit_test(dump__changes_nothing),
        cmocka_unit_test(dump__works_after_fork),
        cmocka_unit_test(request__is_served_by_one_thread),
        cmocka_unit_test(dump__survives_a_damaged_heap),
    };
    return cmocka_run_group_tests(tests, choose_path, remove_path);
}
