/* The control block: what readers from outside find, and the list of heaps. */
#include <pthread.h>

#include "../../dumpfmt/rawsys.h"
#include "internal.h"

#define OFFSET(type, member) ((uint32_t)offsetof(type, member))

/* Debuggers write here without having seen this version of the library. */
_Static_assert(offsetof(struct rh_control, request) == 40, "promised in control.h");
_Static_assert(offsetof(struct rh_control, path) == 104, "promised in control.h");
_Static_assert(offsetof(struct rh_control, layout) == 4200, "promised in control.h");

struct rh_control rh_control = {
    .magic = RH_CONTROL_MAGIC,
    .version = RH_CONTROL_VERSION,
    .size = sizeof(struct rh_control),
    .self = &rh_control,
    .library = "librefheap " REFHEAP_VERSION,
    .immortal = RH_IMMORTAL,
    .layout =
        {
            .object_size = sizeof(struct rh_object),
            .object_refcount = OFFSET(struct rh_object, refcount),
            .object_type = OFFSET(struct rh_object, type),
            .object_links = OFFSET(struct rh_object, links),
            .next_mask = LINK_BITS,
            .generation_mask = NEXT_GENERATION,
            .prev_mask = LINK_BITS,
            .finalized_bit = PREV_FINALIZED,
            .heap_next = OFFSET(struct rh_heap, next),
            .heap_name = OFFSET(struct rh_heap, name),
            .heap_hand = OFFSET(struct rh_heap, hand),
            .heap_busy = OFFSET(struct rh_heap, busy),
            .heap_lists = OFFSET(struct rh_heap, lists),
            .heap_list_count = RH_LIST_LIMIT,
            .heap_types = OFFSET(struct rh_heap, types),
            .heap_roots = OFFSET(struct rh_heap, roots),
            .heap_root_count = OFFSET(struct rh_heap, root_count),
            .heap_garbage = OFFSET(struct rh_heap, garbage),
            .heap_generations = OFFSET(struct rh_heap, generations),
            .generation_size = sizeof(struct counts),
            .generation_threshold = OFFSET(struct counts, threshold),
            .generation_count = OFFSET(struct counts, count),
            .generation_collections = OFFSET(struct counts, collections),
            .generation_collected = OFFSET(struct counts, collected),
            .generation_uncollectable = OFFSET(struct counts, uncollectable),
            .heap_collecting = OFFSET(struct rh_heap, collecting),
            .heap_enabled = OFFSET(struct rh_heap, enabled),
            .heap_debug = OFFSET(struct rh_heap, debug),
            .heap_long_lived_total = OFFSET(struct rh_heap, long_lived_total),
            .heap_long_lived_pending = OFFSET(struct rh_heap, long_lived_pending),
            .heap_owner = OFFSET(struct rh_heap, owner),
            .heap_next_serial = OFFSET(struct rh_heap, next_serial),
            .heap_prefix = OFFSET(struct rh_heap, prefix),
            .heap_sites = OFFSET(struct rh_heap, sites.sites),
            .heap_site_count = OFFSET(struct rh_heap, sites.count),
            .prefix_size = sizeof(struct prefix),
            .prefix_serial = OFFSET(struct prefix, serial),
            .prefix_site = OFFSET(struct prefix, site),
            .site_named = OFFSET(struct site, named),
            .site_depth = OFFSET(struct site, depth),
            .site_address = OFFSET(struct site, address),
            .root_size = sizeof(struct root),
            .root_name = OFFSET(struct root, name),
            .root_slot = OFFSET(struct root, slot),
            .root_object = OFFSET(struct root, object),
            .root_kind = OFFSET(struct root, kind),
            .type_next = OFFSET(struct rh_type, next),
            .type_heap = OFFSET(struct rh_type, heap),
            .type_name = OFFSET(struct rh_type, name),
            .type_module = OFFSET(struct rh_type, module),
            .type_size = OFFSET(struct rh_type, size),
            .type_item_size = OFFSET(struct rh_type, item_size),
            .type_traverse = OFFSET(struct rh_type, traverse),
            .type_finalize = OFFSET(struct rh_type, finalize),
            .type_legacy_finalize = OFFSET(struct rh_type, legacy_finalize),
            .type_fields = OFFSET(struct rh_type, fields),
            .type_field_count = OFFSET(struct rh_type, field_count),
            .field_size = sizeof(struct rh_field),
            .field_name = OFFSET(struct rh_field, name),
            .field_kind = OFFSET(struct rh_field, kind),
            .field_flags = OFFSET(struct rh_field, flags),
            .field_count_size = OFFSET(struct rh_field, count_size),
            .field_offset = OFFSET(struct rh_field, offset),
            .field_count_offset = OFFSET(struct rh_field, count_offset),
            .field_capacity_offset = OFFSET(struct rh_field, capacity_offset),
            .field_stride = OFFSET(struct rh_field, stride),
            .field_key_offset = OFFSET(struct rh_field, key_offset),
            .field_value_offset = OFFSET(struct rh_field, value_offset),
            .field_mask = OFFSET(struct rh_field, mask),
            .field_other = OFFSET(struct rh_field, other),
        },
};

/* ---- the list of heaps ---- */

int control_try_lock(void)
{
    return __atomic_exchange_n(&rh_control.lock, 1, __ATOMIC_ACQUIRE) == 0;
}

void control_lock(void)
{
    while (!control_try_lock())
        raw_syscall(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
}

void control_unlock(void)
{
    __atomic_store_n(&rh_control.lock, 0, __ATOMIC_RELEASE);
}

/* A forked child has one thread, with a new id: the copy of the one that called fork. The heaps of that one are the
 * child's; those of other threads stay as they were at some instant, and belong to nobody. */
static __thread uint64_t forking_thread __attribute__((tls_model("initial-exec")));

void control_before_fork(void)
{
    forking_thread = (uint64_t)raw_gettid();
}

void control_after_fork(void)
{
    uint64_t here = (uint64_t)raw_gettid();
    rh_control.lock = 0;
    control_serving = 0;
    for (struct rh_heap *heap = rh_control.heaps; heap; heap = heap->next)
        if (heap->owner == forking_thread)
            heap->owner = here;
}

static void watch_forks(void)
{
    pthread_atfork(control_before_fork, NULL, control_after_fork);
}

void control_add_heap(struct rh_heap *heap)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
    control_lock();
    heap->next = rh_control.heaps;
    store_barrier();
    rh_control.heaps = heap;
    control_unlock();
}

void control_remove_heap(struct rh_heap *heap)
{
    control_lock();
    struct rh_heap **at = &rh_control.heaps;
    while (*at && *at != heap)
        at = &(*at)->next;
    if (*at)
        *at = heap->next;
    control_unlock();
}
