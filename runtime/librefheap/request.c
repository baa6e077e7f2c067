/* Dumps on request: at once, at the next safe point, or by a debugger's call. */
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
    struct dump_request request = {rh_control.path, flags, captured};
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
    uint32_t request = rh_control.request;
    int served =
        request != rh_control.done && dump_to_path(rh_control.request_flags, CAPTURED_SAFE_POINT) != RH_ERR_BUSY;
    store_barrier();
    if (served)
        rh_control.done = request;
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
    struct dump_request request = {path, flags, CAPTURED_REQUEST};
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
    int open = rh_control.request != rh_control.done;
    if (!open) {
        for (size_t i = 0; i <= length; i++)
            rh_control.path[i] = path[i];
        rh_control.request_flags = flags;
        store_barrier();
        rh_control.request = rh_control.done + 1;
    }
    control_unlock();
    if (open)
        return error_set(err, RH_ERR_BUSY, "an earlier request for a dump has not been served yet", "try again later");
    return 0;
}

void rh_safepoint(struct rh_heap *heap)
{
    safepoint(heap);
}
