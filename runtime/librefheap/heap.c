/* Heaps: making and destroying them, their settings, and walking their objects. */
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../dumpfmt/error.h"
#include "../../dumpfmt/rawsys.h"
#include "check.h"
#include "internal.h"

/* ---- life ---- */

/* A tool that watches memory could not tell a freed object from one in a page. */
#if defined(__SANITIZE_ADDRESS__) || defined(RH_DEBUG)
enum { POOLS = 0 };
#else
enum { POOLS = 1 };
#endif

int rh_heap_create(const struct rh_heap_options *options, struct rh_heap **out, struct rh_error *err)
{
    *out = NULL;
    static const struct rh_heap_options none;
    const struct rh_allocator *allocator = options ? options->allocator : NULL;
    if (!options)
        options = &none;
    if (options->site_depth > RH_SITE_DEPTH_MAX || options->flags & ~(unsigned)RH_HEAP_SERIALS ||
        (allocator && (!allocator->allocate || !allocator->release)))
        return error_set(err, RH_ERR_ARGUMENT, "the options of a heap make no sense",
                         "see struct rh_heap_options in refheap/heap.h");
    struct rh_heap *heap = allocator ? allocator->allocate(allocator->context, sizeof *heap)
                                     : aligned_alloc(16, (sizeof *heap + 15) & ~(size_t)15);
    if (!heap)
        return error_set(err, RH_ERR_NO_MEMORY, "not enough memory for a heap", "");
    memset(heap, 0, sizeof *heap);
    for (int i = 0; i < RH_LIST_LIMIT; i++)
        list_init(&heap->lists[i]);
    heap->generations[0].threshold = 700;
    heap->generations[1].threshold = 10;
    heap->generations[2].threshold = 10;
    heap->collecting = -1;
    heap->enabled = 1;
    heap->owner = (uint64_t)raw_gettid();
    heap->trash_at = &heap->lists[RH_LIST_TRASH];
#ifdef RH_DEBUG
    heap->owner_mark = debug_thread();
#endif
    if (allocator)
        heap->allocator = *allocator;
    heap->site_depth = options->site_depth;
    heap->prefix = options->flags & RH_HEAP_SERIALS || options->site_depth ? sizeof(struct prefix) : 0;
    const char *by_malloc = secure_getenv("RH_MALLOC");
    int pools = POOLS && !allocator && !heap->prefix && !(by_malloc && *by_malloc && strcmp(by_malloc, "0"));
    heap->pool.slot_most = pools ? POOL_SLOT_MAX : 0;
    heap->debug = report_flags_of(secure_getenv("RH_GC_DEBUG"));
    const char *stress = secure_getenv("RH_GC_STRESS");

    int status = 0;
    if (options->name && !(heap->name = heap_copy_text(heap, options->name)))
        status = error_set(err, RH_ERR_NO_MEMORY, "not enough memory for a heap", "");
    if (!status)
        status = builtins_create(heap, err);
    control_add_heap(heap);
    trigger_arm();
    if (status) {
        rh_heap_destroy(heap);
        return status;
    }
    heap->stress = stress && *stress && strcmp(stress, "0");
    *out = heap;
    return 0;
}

static size_t count_alive(struct rh_heap *heap)
{
    size_t alive = 0;
    for (int i = 0; i < RH_LIST_LIMIT; i++)
        for (struct rh_links *l = next_of(&heap->lists[i]); l != &heap->lists[i]; l = next_of(l))
            if (object_of(l)->refcount < RH_IMMORTAL)
                alive++;
    return alive;
}

/* Runs the finalizers of what leaked, while all of it is still there. What they make has no turn. */
static void finalize_all(struct rh_heap *heap)
{
    struct rh_links *waiting = &heap->lists[RH_LIST_FINALIZING];
    for (int i = RH_YOUNG; i <= RH_UNTRACKED; i++)
        list_splice(waiting, &heap->lists[i]);
    while (!list_is_empty(waiting)) {
        struct rh_object *object = object_of(next_of(waiting));
        move_object(heap, object, &heap->lists[generation_of(links_of(object))]);
        if (!object->type->finalize || object->refcount >= RH_IMMORTAL)
            continue;
        rh_incref(object);
        object_finalize(object);
        rh_decref(object);
    }
}

/* Frees every object that is left, without any of its code and whatever its refcount. */
static void discard_all(struct rh_heap *heap)
{
    /* Weak references reach into other objects: cut them all while all objects are there. */
    for (size_t i = 0; i < heap->weak.capacity; i++)
        for (struct rh_weak *w = heap->weak.entries[i].first, *after; w; w = after) {
            after = w->next;
            *w = (struct rh_weak){NULL, NULL, NULL, w->owner};
        }
    weak_table_destroy(heap);
    for (int i = 0; i < RH_LIST_LIMIT; i++)
        while (!list_is_empty(&heap->lists[i])) {
            struct rh_object *object = object_of(next_of(&heap->lists[i]));
            if (object == &heap->none.object || object == &heap->false_object.object ||
                object == &heap->true_object.object)
                list_remove(links_of(object)); /* part of the heap itself */
            else
                object_discard(object);
        }
}

size_t rh_heap_destroy(struct rh_heap *heap)
{
    if (!heap)
        return 0;
    struct rh_object *garbage = heap->garbage;
    trigger_heap_going();
    heap->stress = 0;
    heap->garbage = NULL;
    unsigned debug = heap->debug;
    heap->debug &= ~(unsigned)RH_DEBUG_SAVEALL;
    rh_xdecref(garbage);
    collect(heap, RH_OLD);
    garbage = heap->garbage;
    heap->garbage = NULL;
    rh_xdecref(garbage);
    heap->callback_count = 0;
    deaths_call_all(heap);
    if (debug & RH_DEBUG_UNCOLLECTABLE || heap->report)
        report_leaks(heap);
    size_t alive = count_alive(heap);
    finalize_all(heap);

    heap_enter(heap);
    heap->destroying = 1;
    discard_all(heap);
    control_remove_heap(heap);
    names_destroy(heap);
#ifdef RH_DEBUG
    debug_release(heap);
#endif
    while (heap->types) {
        struct rh_type *type = heap->types;
        type_unregister(type);
        type_destroy(type);
    }
    for (size_t i = 0; i < heap->root_count; i++)
        heap_free(heap, heap->roots[i].name);
    heap_free(heap, heap->roots);
    heap_free(heap, heap->name);
    heap_free(heap, heap->callbacks);
    sites_destroy(heap);
    pool_release(&heap->pool);
    heap_free(heap, heap);
    return alive;
}

void rh_heap_adopt(struct rh_heap *heap)
{
    heap->owner = (uint64_t)raw_gettid();
#ifdef RH_DEBUG
    heap->owner_mark = debug_thread();
#endif
}

/* ---- settings ---- */

void rh_enable(struct rh_heap *heap)
{
    heap->enabled = 1;
}

void rh_disable(struct rh_heap *heap)
{
    heap->enabled = 0;
}

int rh_is_enabled(const struct rh_heap *heap)
{
    return (int)heap->enabled;
}

void rh_set_threshold(struct rh_heap *heap, const size_t threshold[3])
{
    for (int g = 0; g < 3; g++)
        heap->generations[g].threshold = threshold[g];
}

void rh_get_threshold(const struct rh_heap *heap, size_t threshold[3])
{
    for (int g = 0; g < 3; g++)
        threshold[g] = heap->generations[g].threshold;
}

void rh_get_count(const struct rh_heap *heap, size_t count[3])
{
    for (int g = 0; g < 3; g++)
        count[g] = heap->generations[g].count;
}

void rh_get_stats(const struct rh_heap *heap, struct rh_stats stats[3])
{
    for (int g = 0; g < 3; g++) {
        const struct counts *from = &heap->generations[g];
        stats[g] = (struct rh_stats){from->collections, from->collected, from->uncollectable};
    }
}

void rh_set_debug(struct rh_heap *heap, unsigned flags)
{
    heap->debug = flags;
}

unsigned rh_get_debug(const struct rh_heap *heap)
{
    return heap->debug;
}

struct rh_object *rh_garbage(const struct rh_heap *heap)
{
    return heap->garbage;
}

/* ---- generations ---- */

static void move_generation(struct rh_heap *heap, int from, int to)
{
    struct rh_links *list = &heap->lists[from];
    heap_enter(heap);
    for (struct rh_links *l = next_of(list); l != list; l = next_of(l))
        set_generation(l, to);
    list_splice(&heap->lists[to], list);
    heap_leave(heap);
}

void rh_freeze(struct rh_heap *heap)
{
    for (int g = RH_YOUNG; g <= RH_OLD; g++) {
        move_generation(heap, g, RH_PERMANENT);
        heap->generations[g].count = 0;
    }
}

void rh_unfreeze(struct rh_heap *heap)
{
    struct rh_links *permanent = &heap->lists[RH_PERMANENT];
    heap_enter(heap);
    for (struct rh_links *l = next_of(permanent), *after; l != permanent; l = after) {
        after = next_of(l);
        if (object_of(l)->refcount >= RH_IMMORTAL)
            continue;
        set_generation(l, RH_OLD);
        move_object(heap, object_of(l), &heap->lists[RH_OLD]);
    }
    heap_leave(heap);
}

size_t rh_freeze_count(const struct rh_heap *heap)
{
    return list_length(&heap->lists[RH_PERMANENT]);
}

int rh_is_tracked(const void *object)
{
    return is_tracked(object);
}

int rh_is_finalized(const void *object)
{
    return (((const struct rh_object *)object)->links.prev & PREV_FINALIZED) != 0;
}

int rh_generation_of(const void *object)
{
    return generation_of(&((const struct rh_object *)object)->links);
}

static void retrack(struct rh_object *object, int generation)
{
    struct rh_heap *heap = object->type->heap;
    heap_enter(heap);
    object->links.prev &= ~(uintptr_t)PREV_COLLECTING;
    set_generation(links_of(object), generation);
    move_object(heap, object, &heap->lists[generation]);
    heap_leave(heap);
}

void rh_untrack(void *object)
{
    if (is_tracked(object))
        retrack(object, RH_UNTRACKED);
}

void rh_track(void *object)
{
    struct rh_object *o = object;
    if (!is_tracked(o) && is_container(o))
        retrack(o, o->refcount >= RH_IMMORTAL ? RH_PERMANENT : RH_YOUNG); /* an immortal object is no candidate */
}

void rh_immortalize(void *object)
{
    struct rh_object *o = object;
    if (o->refcount >= RH_IMMORTAL)
        return;
    o->refcount += RH_IMMORTAL;
    if (is_tracked(o))
        retrack(o, RH_PERMANENT);
}

int rh_heap_visit(struct rh_heap *heap, int generation, rh_visit visit, void *context)
{
    if (generation < RH_YOUNG || generation > RH_UNTRACKED)
        return 0;
    struct rh_links *list = &heap->lists[generation];
    for (struct rh_links *l = next_of(list); l != list; l = next_of(l)) {
        int result = visit(object_of(l), context);
        if (result)
            return result;
    }
    return 0;
}

/* ---- busy ---- */

void rh_busy_begin(struct rh_heap *heap)
{
    heap_enter(heap);
}

void rh_busy_end(struct rh_heap *heap)
{
    heap_leave(heap);
}
