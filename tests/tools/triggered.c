/* triggered MODE: a program with a heap of 100 lists that does one thing until it is told to stop by a line on stdin
 * (or, where it says so, ends by itself). Prints "ready" first. For the tests of REFHEAP_DUMP_ON.
 *
 *   sleep    the thread that owns the heap sleeps in the kernel
 *   thread   so does the main thread, and the heap belongs to another thread, at work
 *   asleep   the heap belongs to another thread, asleep
 *   work     makes and drops objects
 *   malloc   calls malloc and free, and now and then reaches a safe point
 *   busy     keeps the heap busy, but for moments
 *   nomem    runs out of memory once, then ends
 *   exit     ends, its heap still there
 *   wait     asks for a dump from a second thread and waits for it; the owner sleeps
 */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <refheap/refheap.h>

static struct rh_heap *heap;
static struct rh_object *lists;
static long left = -1; /* allocations until one fails; negative: none does */

static void *allocate(void *context, size_t size)
{
    (void)context;
    return left >= 0 && left-- == 0 ? NULL : malloc(size);
}

static void release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

static void make_heap(void)
{
    struct rh_allocator allocator = {allocate, release, NULL};
    struct rh_heap_options options = {.name = "triggered", .allocator = &allocator};
    if (rh_heap_create(&options, &heap, NULL))
        exit(1);
    lists = rh_list_new(heap);
    for (int i = 0; i < 100; i++)
        rh_list_put(lists, rh_list_new(heap));
    rh_root_add(heap, "lists", &lists);
}

static int told_to_stop(int milliseconds)
{
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&in, 1, milliseconds) > 0;
}

static void be_ready(void)
{
    puts("ready");
    fflush(stdout);
}

static volatile int over;

static void *own_and_work(void *unused)
{
    (void)unused;
    make_heap();
    be_ready();
    while (!over)
        rh_decref(rh_list_new(heap));
    rh_heap_adopt(heap);
    return NULL;
}

static void *own_and_sleep(void *unused)
{
    (void)unused;
    make_heap();
    be_ready();
    while (!told_to_stop(-1))
        ;
    return NULL;
}

static void *ask_and_wait(void *path)
{
    struct rh_error err;
    if (rh_dump_request(path, 0, &err))
        exit(1);
    printf("%d %s; %s\n", rh_dump_wait(300, &err), err.what, err.hint);
    fflush(stdout);
    return NULL;
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    pthread_t thread;
    if (!strcmp(mode, "thread") || !strcmp(mode, "asleep")) {
        pthread_create(&thread, NULL, !strcmp(mode, "thread") ? own_and_work : own_and_sleep, NULL);
        while (!told_to_stop(-1))
            ;
        over = 1;
        pthread_join(thread, NULL);
        return 0;
    }
    make_heap();
    if (!strcmp(mode, "nomem")) {
        left = 3;
        for (int i = 0; i < 10; i++)
            rh_xdecref(rh_str(heap, "text"));
        return 0;
    }
    be_ready();
    if (!strcmp(mode, "exit"))
        return 0;
    if (!strcmp(mode, "wait"))
        pthread_create(&thread, NULL, ask_and_wait, argv[2]);
    while (!strcmp(mode, "sleep") || !strcmp(mode, "wait"))
        if (told_to_stop(-1))
            return 0;
    for (long round = 0; round % 1000 || !told_to_stop(0); round++) {
        if (!strcmp(mode, "work")) {
            rh_decref(rh_list_new(heap));
        } else if (!strcmp(mode, "malloc")) {
            free(malloc((size_t)(round % 5000)));
            if (round % 50 == 0)
                rh_safepoint(heap);
        } else {
            rh_busy_begin(heap);
            for (volatile int i = 0; i < 2000; i++)
                ;
            rh_busy_end(heap);
            if (round % 100 == 0)
                rh_safepoint(heap);
        }
    }
    return 0;
}
