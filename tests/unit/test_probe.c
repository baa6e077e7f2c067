/* Reading another process: a copy of it is its memory, page for page; symbols lead to where they should.
 *
 * The other process is a forked copy of this one, so this one's memory is what must be found.
 */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <refheap/control.h>
#include <refheap/refheap.h>

#include "../../runtime/probe/copy.h"
#include "../../runtime/probe/live.h"
#include "../../runtime/probe/probe.h"
#include "../../runtime/probe/stopped.h"

enum { PAGE = 4096, PAGES = 3000 };

/* Memory of every kind: pages touched here and there, a guard, a file, one that is shared. */
struct memories {
    uint8_t *scattered, *guarded, *file, *shared;
    pid_t child;
};

static uint8_t *map(size_t pages, int flags, int fd)
{
    void *at = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);
    assert_ptr_not_equal(at, MAP_FAILED);
    return at;
}

static int make_memories(void **state)
{
    static struct memories m;
    char name[] = "/tmp/refheap-probe-XXXXXX";
    int fd = mkstemp(name);
    if (fd < 0 || unlink(name) || ftruncate(fd, 1000 * PAGE))
        return -1;
    m.scattered = map(PAGES, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    m.guarded = map(64, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    m.shared = map(16, MAP_SHARED | MAP_ANONYMOUS, -1);
    m.file = map(1000, MAP_PRIVATE, fd);
    for (uint32_t i = 0; i < PAGES; i++)
        if (i % 7 < 4)
            memset(m.scattered + (size_t)i * PAGE, (int)(i % 251 + 1), PAGE);
    memset(m.guarded, 7, 64 * PAGE);
    memset(m.shared, 9, 16 * PAGE);
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(pwrite(fd, &i, sizeof i, (off_t)i * PAGE), sizeof i);
    for (uint32_t i = 0; i < 1000; i += 10)
        m.file[(size_t)i * PAGE + 100] = 1; /* the process's own from now on */
    mprotect(m.guarded + 20 * PAGE, PAGE, PROT_NONE);
    mprotect(m.guarded + 40 * PAGE, PAGE, PROT_READ);
    close(fd);
    m.child = fork();
    if (m.child == 0)
        for (;;)
            pause();
    *state = &m;
    return m.child < 0;
}

static int end_child(void **state)
{
    struct memories *m = *state;
    kill(m->child, SIGKILL);
    return waitpid(m->child, NULL, 0) == m->child ? 0 : -1;
}

/* All but the guard, which is no memory. */
static void check(const struct memories *m, struct memory_source *source, int alive)
{
    uint8_t *to = malloc(PAGES * PAGE);
    assert_int_equal(source->read(source, (uintptr_t)m->scattered, to, PAGES * PAGE), PAGES * PAGE);
    assert_memory_equal(to, m->scattered, PAGES * PAGE);
    size_t guarded = source->read(source, (uintptr_t)m->guarded, to, 64 * PAGE);
    assert_true(guarded == 20 * PAGE || guarded == 64 * PAGE); /* /proc/PID/mem shows what is behind a guard */
    assert_memory_equal(to, m->guarded, 20 * PAGE);
    assert_int_equal(source->read(source, (uintptr_t)m->guarded + 21 * PAGE, to, 43 * PAGE), 43 * PAGE);
    assert_memory_equal(to, m->guarded + 21 * PAGE, 43 * PAGE);
    for (size_t i = 0; i < 1000; i += alive ? 1 : 10) { /* what it did not touch is in the file, and read from it */
        assert_int_equal(source->read(source, (uintptr_t)m->file + i * PAGE, to, PAGE), PAGE);
        assert_memory_equal(to, m->file + i * PAGE, PAGE);
    }
    size_t shared = source->read(source, (uintptr_t)m->shared, to, 16 * PAGE);
    assert_int_equal(shared, alive ? 16 * PAGE : 0);
    assert_memory_equal(to, alive ? m->shared : to, shared);
    for (size_t i = 0; source->view && i < PAGES; i += 13) {
        const void *view = source->view(source, (uintptr_t)m->scattered + i * PAGE + 8, 16);
        assert_non_null(view);
        assert_memory_equal(view, m->scattered + i * PAGE + 8, 16);
    }
    free(to);
}

static struct live *open_live(const struct memories *m, uint64_t at_most)
{
    struct rh_error err;
    struct live *live;
    int status = live_open(m->child, at_most, &live, &err);
    if (status == RH_ERR_IO)
        skip(); /* the system forbids to attach */
    assert_int_equal(status, 0);
    return live;
}

static void copy__is_the_process(void **state)
{
    const struct memories *m = *state;
    struct live *live = open_live(m, UINT64_MAX);
    assert_false(live_is_held(live));
    check(m, live_memory(live), 1);
    live_close(live);
}

static void copy__outlives_the_process(void **state)
{
    const struct memories *m = *state;
    struct live *live = open_live(m, UINT64_MAX);
    assert_false(live_is_held(live));
    kill(m->child, SIGKILL);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)m->child, &info, WEXITED | WNOWAIT), 0);
    check(m, live_memory(live), 0);
    live_close(live);
}

static void copy__too_large_is_read_in_place(void **state)
{
    const struct memories *m = *state;
    struct live *live = open_live(m, 1 << 20);
    assert_true(live_is_held(live));
    assert_true(live_bytes(live) > 1 << 20);
    check(m, live_memory(live), 1);
    live_close(live);
}

/* Without the call, without the list of pages, and nothing known beforehand. */
static void copy__falls_back(void **state)
{
    const struct memories *m = *state;
    for (int way = 0; way < 4; way++) {
        struct rh_error err;
        struct copy *copy;
        struct stopped *stopped;
        struct process_memory memory;
        live_close(open_live(m, UINT64_MAX)); /* skips where that is forbidden */
        assert_int_equal(copy_prepare(way & 1 ? 2147480000 : m->child, UINT64_MAX, &copy, &err), 0);
        assert_int_equal(stopped_begin(m->child, &stopped, &err), 0);
        process_memory_init(&memory, stopped_thread(stopped), stopped_memory(stopped));
        memory.by_file = 1;
        int pagemap = way & 2 ? -1 : stopped_pagemap(stopped);
        assert_int_equal(copy_take(copy, &memory, stopped_maps(stopped), pagemap), 1);
        stopped_resume(stopped);
        check(m, copy_memory(copy), 1);
        stopped_end(stopped);
        copy_release(copy);
    }
}

/* ---- symbols ---- */

static const char *same_file(void *context, const char *path, char *to, size_t size)
{
    (void)context, (void)to, (void)size;
    return path;
}

static int note_address(struct probe *probe, void *context, uint64_t address)
{
    (void)probe;
    *(uint64_t *)context = address;
    return 1;
}

static void probe__finds_variables_by_name(void **state)
{
    struct memory_descriptor memory;
    struct rh_error err;
    struct rh_heap *heap;
    struct probe *probe;
    uint64_t address = 0;
    (void)state;
    assert_int_equal(rh_heap_create(NULL, &heap, &err), 0);
    int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC), maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    memory_descriptor_init(&memory, fd);
    struct probe_options options = {.source = &memory.source, .maps_fd = maps, .file_of = same_file};
    assert_int_equal(probe_open(&options, &probe, &err), 0);
    assert_int_equal(probe_find_symbol(probe, "rh_control", note_address, &address), 1);
    assert_int_equal(address, (uintptr_t)&rh_control);
    assert_int_equal(probe_find_symbol(probe, "no such variable", note_address, &address), 0);
    probe_close(probe);
    close(fd);
    close(maps);
    rh_heap_destroy(heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(copy__is_the_process, make_memories, end_child),
        cmocka_unit_test_setup_teardown(copy__outlives_the_process, make_memories, end_child),
        cmocka_unit_test_setup_teardown(copy__too_large_is_read_in_place, make_memories, end_child),
        cmocka_unit_test_setup_teardown(copy__falls_back, make_memories, end_child),
        cmocka_unit_test(probe__finds_variables_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
