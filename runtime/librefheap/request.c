/* Dumps on request: at once, at the next safe point, or by a debugger's call. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../dumpfmt/error.h"
#include "../../dumpfmt/format.h"
#include "../../dumpfmt/rawsys.h"
#include "internal.h"

__attribute__((noinline)) void rh_dump_done(void)
{
    __asm__ volatile(""); /* a place for a breakpoint: not to be optimized away */
}

static int dump_to_path(unsigned flags, unsigned captured)
{
    struct rh_error err = {0};
    struct dump_request request = {rh_control.path, flags, captured, 0};
    rh_control.path[sizeof rh_control.path - 1] = 0;
    int status = dump_heaps(&request, &err);
    rh_control.os_error = err.os_error;
    rh_control.status = status;
    return status;
}

int control_serving;

/* Of all threads at safe points one serves a request; the others go on. A request that finds a heap being changed, or
 * another dump under way, stays open for the next safe point. */
void control_serve(struct rh_heap *heap)
{
    if (heap->busy || heap->owner != (uint64_t)raw_gettid() ||
        __atomic_exchange_n(&control_serving, 1, __ATOMIC_ACQUIRE))
        return;
    uint32_t request = __atomic_load_n(&rh_control.request, __ATOMIC_ACQUIRE);
    int served =
        control_request_is_open() && dump_to_path(rh_control.request_flags, CAPTURED_SAFE_POINT) != RH_ERR_BUSY;
    if (served)
        __atomic_store_n(&rh_control.done, request, __ATOMIC_RELEASE);
    __atomic_store_n(&control_serving, 0, __ATOMIC_RELEASE);
    if (served)
        rh_dump_done();
}

int rh_dump_now(void)
{
    return dump_to_path(rh_control.request_flags | RH_DUMP_GUARDED, CAPTURED_REQUEST);
}

int rh_dump(const char *path, unsigned flags, struct rh_error *err)
{
    struct dump_request request = {path, flags, CAPTURED_REQUEST, 0};
    return dump_heaps(&request, err);
}

int rh_dump_request(const char *path, unsigned flags, struct rh_error *err)
{
    size_t length = 0;
    while (path[length])
        length++;
    if (length >= sizeof rh_control.path)
        return error_set(err, RH_ERR_ARGUMENT, "the name of the file to write is too long", "use a shorter path");
    if (!control_try_lock())
        return error_set(err, RH_ERR_BUSY, "the control block is in use", "try again");
    int open = control_request_is_open();
    if (!open) {
        for (size_t i = 0; i <= length; i++)
            rh_control.path[i] = path[i];
        rh_control.request_flags = flags;
        uint32_t done = __atomic_load_n(&rh_control.done, __ATOMIC_ACQUIRE);
        __atomic_store_n(&rh_control.request, done + 1, __ATOMIC_RELEASE);
    }
    control_unlock();
    if (open)
        return error_set(err, RH_ERR_BUSY, "an earlier request for a dump has not been served yet", "try again later");
    return 0;
}

/* Whether a thread is asleep in the kernel: the letter behind the name in its stat. */
static int sleeps(uint64_t thread)
{
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/self/task/%llu/stat", (unsigned long long)thread);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = 0;
    const char *state = strrchr(text, ')');
    return state && (state[2] == 'S' || state[2] == 'D');
}

static int explain_wait(struct rh_error *err)
{
    uint64_t asleep = 0;
    control_lock();
    for (const struct rh_heap *heap = rh_control.heaps; heap; heap = heap->next)
        if (sleeps(heap->owner))
            asleep = heap->owner;
    control_unlock();
    if (asleep)
        return error_format(err, RH_ERR_BUSY, "wake it, or read the heap from outside (refheap capture)",
                            "thread %llu, which owns a heap, sleeps in the kernel and reaches no safe point",
                            (unsigned long long)asleep);
    return error_set(err, RH_ERR_BUSY, "no thread that owns a heap has come to a safe point yet",
                     "call rh_safepoint() in its loop");
}

int rh_dump_wait(unsigned milliseconds, struct rh_error *err)
{
    uint32_t request = __atomic_load_n(&rh_control.request, __ATOMIC_ACQUIRE);
    struct timespec pause = {0, 1000000};
    for (unsigned waited = 0; __atomic_load_n(&rh_control.done, __ATOMIC_ACQUIRE) != request; waited++) {
        if (waited >= milliseconds)
            return explain_wait(err);
        nanosleep(&pause, NULL);
    }
    if (!rh_control.status)
        return 0;
    if (rh_control.os_error)
        return error_set_os(err, rh_control.os_error, "the dump failed", "");
    return error_set(err, rh_control.status, "the dump failed", "");
}

void rh_safepoint(struct rh_heap *heap)
{
    safepoint(heap);
}
