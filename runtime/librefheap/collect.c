/* The cycle collector: CPython's, of 3.8 to 3.13 (Modules/gcmodule.c), told as a sequence of passes.
 *
 * Invariant at the start of a collection of generation N: generations 0 to N hold containers, each with a refcount
 * that counts every reference to it. The candidates are all of them, N first, then 0 upward, as CPython merges them.
 *
 *   count_references  afterwards the scratch count of each candidate is its refcount
 *   subtract_internal afterwards it is the number of references from outside the candidates
 *   move_unreachable  afterwards what keeps a count or is reached from it is still in `candidates`, the rest in
 *                     `unreachable`; prev links are links again
 *
 * Then come legacy finalizers, weak references, finalizers, a second reachability pass over what they may have brought
 * back, and the clearing. The objects keep the generation they came from in their links until the very end, for
 * readers from outside.
 */
#include "internal.h"
#include "traverse.h"

/* ---- reachability ---- */

static size_t count_references(struct rh_links *list)
{
    size_t n = 0;
    for (struct rh_links *l = next_of(list); l != list; l = next_of(l), n++) {
        l->prev = (l->prev & LINK_BITS) | PREV_COLLECTING;
        set_scratch_count(l, object_of(l)->refcount);
    }
    return n;
}

static int subtract_one(struct rh_object *target, void *heap)
{
    struct rh_links *l = links_of(target);
    if (l->prev & PREV_COLLECTING && target->type->heap == heap)
        l->prev -= (uintptr_t)1 << PREV_COUNT_SHIFT;
    return 0;
}

static void subtract_internal(struct rh_heap *heap, struct rh_links *list)
{
    for (struct rh_links *l = next_of(list); l != list; l = next_of(l))
        traverse(object_of(l), subtract_one, heap);
}

struct marking {
    struct rh_heap *heap;
    struct rh_links *alive;
};

/* An object that is alive refers to `target`. */
static int mark_one(struct rh_object *target, void *context)
{
    struct marking *marking = context;
    struct rh_links *l = links_of(target);
    if (!(l->prev & PREV_COLLECTING) || target->type->heap != marking->heap)
        return 0;
    if (l->next & NEXT_UNREACHABLE) {
        /* Judged too early: back to the end of the list, where the pass will come by again. */
        l->next &= ~(uintptr_t)NEXT_UNREACHABLE;
        move_object(marking->heap, target, marking->alive);
        set_scratch_count(l, 1);
    } else if (scratch_count(l) <= 0) {
        set_scratch_count(l, 1);
    }
    return 0;
}

/* Walks the list once, from front to end, restoring prev links as it goes. What has no count left goes to `unreachable`
 * until a later object proves it alive. */
static void move_unreachable(struct rh_heap *heap, struct rh_links *list, struct rh_links *unreachable)
{
    struct marking marking = {heap, list};
    struct rh_links *before = list, *l = next_of(list);
    while (l != list) {
        if (scratch_count(l) > 0) {
            traverse(object_of(l), mark_one, &marking);
            l->prev = (l->prev & LINK_BITS & ~(uintptr_t)PREV_COLLECTING) | (uintptr_t)before;
            before = l;
        } else {
            /* next_of(l) stays readable, but its prev is scratch: unlink by hand. */
            heap->hand = object_of(l);
            store_barrier();
            set_next(before, next_of(l));
            l->next |= NEXT_UNREACHABLE;
            list_append(unreachable, l);
            heap->hand = NULL;
        }
        l = next_of(before);
    }
    set_prev(list, before);
}

static void find_unreachable(struct rh_heap *heap, struct rh_links *list, struct rh_links *unreachable)
{
    count_references(list);
    subtract_internal(heap, list);
    move_unreachable(heap, list, unreachable);
    for (struct rh_links *l = next_of(unreachable); l != unreachable; l = next_of(l))
        l->next &= ~(uintptr_t)NEXT_UNREACHABLE;
}

static void end_collecting(struct rh_links *list)
{
    for (struct rh_links *l = next_of(list); l != list; l = next_of(l))
        l->prev &= ~(uintptr_t)PREV_COLLECTING;
}

/* ---- untracking ---- */

/* Takes containers of one builtin type that hold nothing trackable out of the collector's sight. */
static void untrack_idle(struct rh_heap *heap, struct rh_links *list, enum rh_builtin which,
                         int (*may_untrack)(const struct rh_object *))
{
    struct rh_type *type = heap->builtins[which];
    for (struct rh_links *l = next_of(list), *after; l != list; l = after) {
        after = next_of(l);
        if (object_of(l)->type == type && may_untrack(object_of(l)))
            rh_untrack(object_of(l));
    }
}

/* ---- legacy finalizers ---- */

static int take_uncollectable(struct rh_object *target, void *context)
{
    struct rh_heap *heap = context;
    if (target->links.prev & PREV_COLLECTING && target->type->heap == heap) {
        target->links.prev &= ~(uintptr_t)PREV_COLLECTING;
        move_object(heap, target, &heap->lists[RH_LIST_UNCOLLECTABLE]);
    }
    return 0;
}

/* Moves unreachable objects with a legacy finalizer, and all they reach, to the list of the uncollectable. Returns
 * their number. */
static size_t set_legacy_apart(struct rh_heap *heap, struct rh_links *unreachable)
{
    struct rh_links *apart = &heap->lists[RH_LIST_UNCOLLECTABLE];
    size_t n = 0;
    for (struct rh_links *l = next_of(unreachable), *after; l != unreachable; l = after) {
        after = next_of(l);
        if (object_of(l)->type->legacy_finalize)
            take_uncollectable(object_of(l), heap);
    }
    for (struct rh_links *l = next_of(apart); l != apart; l = next_of(l), n++)
        traverse(object_of(l), take_uncollectable, heap);
    return n;
}

/* ---- weak references and finalizers ---- */

/* Clears every weak reference to and in the unreachable objects and calls the callbacks of those outside. Returns
 * whether any was called. */
static int handle_weak(struct rh_heap *heap, struct rh_links *unreachable)
{
    struct rh_weak *chain = NULL, **end = &chain;
    for (struct rh_links *l = next_of(unreachable); l != unreachable; l = next_of(l)) {
        struct rh_object *object = object_of(l);
        if (l->prev & PREV_WEAKLY) {
            *end = weak_clear(object, 1);
            while (*end)
                end = &(*end)->next;
        }
        for (uint32_t i = 0; object->type->weak_count && i < object->type->field_count; i++)
            if (object->type->fields[i].kind == RH_FIELD_WEAK)
                weak_unlink((struct rh_weak *)((char *)object + object->type->fields[i].offset));
    }
    if (!chain)
        return 0;
    weak_call(heap, chain);
    return 1;
}

/* Gives each unreachable object's finalizer its one turn. Returns whether any ran. */
static int run_finalizers(struct rh_heap *heap, struct rh_links *unreachable)
{
    struct rh_links *seen = &heap->lists[RH_LIST_FINALIZING];
    int ran = 0;
    while (!list_is_empty(unreachable)) {
        struct rh_object *object = object_of(next_of(unreachable));
        move_object(heap, object, seen);
        if (!object->type->finalize || object->links.prev & PREV_FINALIZED)
            continue;
        ran = 1;
        rh_incref(object);
        object_finalize(object);
        rh_decref(object);
    }
    list_splice(unreachable, seen);
    return ran;
}

/* ---- clearing ---- */

static void keep_in_garbage(struct rh_heap *heap, struct rh_object *object)
{
    if (!heap->garbage)
        heap->garbage = rh_list_new(heap);
    if (heap->garbage)
        rh_list_append(heap->garbage, object); /* without memory it is alive again and found by the next collection */
}

/* Empties the list: each object is cleared, which frees it or an object that holds it; what is still there moves to
 * `survivors`. */
static void clear_unreachable(struct rh_heap *heap, struct rh_links *list, struct rh_links *survivors)
{
    while (!list_is_empty(list)) {
        struct rh_links *first = next_of(list);
        struct rh_object *object = object_of(first);
        rh_incref(object);
        if (heap->debug & RH_DEBUG_SAVEALL)
            keep_in_garbage(heap, object);
        else
            object_clear(object);
        if (next_of(list) == first) {
            first->prev &= ~(uintptr_t)PREV_COLLECTING;
            move_object(heap, object, survivors);
        }
        rh_decref(object);
    }
}

static void keep_uncollectable(struct rh_heap *heap, struct rh_links *survivors)
{
    struct rh_links *list = &heap->lists[RH_LIST_UNCOLLECTABLE];
    for (struct rh_links *l = next_of(list); l != list; l = next_of(l))
        if (heap->debug & RH_DEBUG_SAVEALL || object_of(l)->type->legacy_finalize)
            keep_in_garbage(heap, object_of(l));
    list_splice(survivors, list);
}

/* ---- the collection ---- */

static void gather_candidates(struct rh_heap *heap, int generation)
{
    struct rh_links *candidates = &heap->lists[RH_LIST_CANDIDATES];
    list_splice(candidates, &heap->lists[generation]);
    for (int g = 0; g < generation; g++)
        list_splice(candidates, &heap->lists[g]);
}

/* Puts what survived into its new generation. */
static void promote(struct rh_heap *heap, int generation)
{
    struct rh_links *survivors = &heap->lists[RH_LIST_CANDIDATES];
    int to = generation < RH_OLD ? generation + 1 : RH_OLD;
    for (struct rh_links *l = next_of(survivors); l != survivors; l = next_of(l))
        if (generation_of(l) != to)
            set_generation(l, to);
    list_splice(&heap->lists[to], survivors);
}

static void count_collection(struct rh_heap *heap, int generation)
{
    if (generation < RH_OLD)
        heap->generations[generation + 1].count++;
    for (int g = 0; g <= generation; g++)
        heap->generations[g].count = 0;
}

/* What the quarter rule goes by: how many objects the oldest generation got since it was last collected. */
static void count_long_lived(struct rh_heap *heap, int generation)
{
    if (generation == RH_MIDDLE)
        heap->long_lived_pending += list_length(&heap->lists[RH_LIST_CANDIDATES]);
    if (generation == RH_OLD) {
        heap->long_lived_pending = 0;
        heap->long_lived_total = list_length(&heap->lists[RH_LIST_CANDIDATES]);
    }
}

static size_t collect_candidates(struct rh_heap *heap, int generation)
{
    struct rh_links *survivors = &heap->lists[RH_LIST_CANDIDATES];
    struct rh_links *unreachable = &heap->lists[RH_LIST_UNREACHABLE];

    find_unreachable(heap, survivors, unreachable);
    untrack_idle(heap, survivors, RH_TYPE_TUPLE, tuple_may_untrack);
    if (generation == RH_OLD)
        untrack_idle(heap, survivors, RH_TYPE_DICT, dict_may_untrack);
    count_long_lived(heap, generation);

    size_t uncollectable = set_legacy_apart(heap, unreachable);
    int user_code_ran = handle_weak(heap, unreachable);
    user_code_ran |= run_finalizers(heap, unreachable);
    if (user_code_ran) {
        struct rh_links *dead = &heap->lists[RH_LIST_FINALIZING];
        end_collecting(unreachable);
        find_unreachable(heap, unreachable, dead);
        list_splice(survivors, unreachable);
        list_splice(unreachable, dead);
    }
    size_t collected = list_length(unreachable);
    clear_unreachable(heap, unreachable, survivors);
    keep_uncollectable(heap, survivors);

    struct counts *stats = &heap->generations[generation];
    stats->collections++;
    stats->collected += collected;
    stats->uncollectable += uncollectable;
    return collected + uncollectable;
}

/* Whether the thread is inside a collection already, of this heap or of another whose objects may refer here. */
static int is_collecting(const struct rh_heap *heap)
{
    int found = heap->collecting >= 0;
    if (rh_control.heaps == heap && !heap->next)
        return found;
    control_lock();
    for (const struct rh_heap *h = rh_control.heaps; h; h = h->next)
        found |= h->owner == heap->owner && h->collecting >= 0;
    control_unlock();
    return found;
}

size_t collect(struct rh_heap *heap, int generation)
{
    if (is_collecting(heap))
        return 0;
    heap_enter(heap);
    heap->collecting = generation;
    count_collection(heap, generation);
    gather_candidates(heap, generation);
    size_t found = collect_candidates(heap, generation);
    promote(heap, generation);
    heap->collecting = -1;
    heap_leave(heap);
    return found;
}

size_t rh_collect(struct rh_heap *heap, int generation)
{
    if (generation < RH_YOUNG)
        generation = RH_YOUNG;
    if (generation > RH_OLD)
        generation = RH_OLD;
    safepoint(heap);
    return collect(heap, generation);
}

void collect_when_due(struct rh_heap *heap)
{
    const struct counts *g = heap->generations;
    if (!heap->enabled || !g[0].threshold || heap->collecting >= 0)
        return;
    for (int i = RH_OLD; i >= RH_YOUNG; i--) {
        if (g[i].count <= g[i].threshold)
            continue;
        /* A full collection waits until the oldest generation has grown by a quarter, so that the work stays linear in
         * the number of objects made. */
        if (i == RH_OLD && heap->long_lived_pending < heap->long_lived_total / 4)
            continue;
        collect(heap, i);
        return;
    }
}
