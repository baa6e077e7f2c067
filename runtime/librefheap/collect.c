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
#include <time.h>

#include "check.h"
#include "traverse.h"

/* ---- between the passes ---- */

/* All lists are whole here: an open request is served, and a signal that comes now dumps. */
static void between_passes(struct rh_heap *heap, const char *pass)
{
    heap_leave(heap);
    safepoint(heap);
#ifdef RH_DEBUG
    if (rh_pass_hook)
        rh_pass_hook(heap, pass);
#else
    (void)pass;
#endif
    heap_enter(heap);
}

/* ---- reachability ---- */

/* What the passes learn on their way over the candidates, so that later passes with nothing to do are left out. */
struct survey {
    struct rh_heap *heap;
    size_t reachable;   /* candidates found alive */
    unsigned type_bits; /* of their types, together: enum type_bits */
    unsigned dead_bits; /* the same of what was found unreachable, */
    size_t unreachable; /* which is as much */
};

/* Targets wait here until their cache lines have come: the passes touch objects in no order the processor could
 * foresee. */
enum { AHEAD = 128 };

struct ahead {
    struct rh_links *waiting[AHEAD];
    unsigned at;
};

/* Takes a target in and gives the one that has waited longest, or NULL while the ring fills. */
static inline struct rh_links *ahead_turn(struct ahead *ahead, struct rh_links *links)
{
    struct rh_links *ready = ahead->waiting[ahead->at];
    if (links)
        __builtin_prefetch(links, 1);
    ahead->waiting[ahead->at] = links;
    ahead->at = (ahead->at + 1) % AHEAD;
    return ready;
}

static void count_references(struct rh_links *list)
{
    for (struct rh_links *l = next_of(list); l != list; l = next_of(l))
        l->prev = (l->prev & PREV_KEPT) | PREV_COLLECTING | (uintptr_t)object_of(l)->refcount << PREV_COUNT_SHIFT;
}

static inline void subtract_one(struct rh_links *l)
{
    if (l && l->prev & PREV_COLLECTING)
        l->prev -= (uintptr_t)1 << PREV_COUNT_SHIFT;
}

static inline int subtract_later(struct rh_object *target, void *ahead)
{
    subtract_one(ahead_turn(ahead, links_of(target)));
    return 0;
}

static void subtract_internal(struct rh_links *list)
{
    struct ahead ahead = {{NULL}, 0};
    for (struct rh_links *l = next_of(list); l != list; l = next_of(l))
        traverse(object_of(l), subtract_later, &ahead);
    for (int i = 0; i < AHEAD; i++)
        subtract_one(ahead_turn(&ahead, NULL));
}

struct marking {
    struct rh_heap *heap;
    struct rh_links *alive;
    struct ahead ahead;
};

/* Judged too early: back to the end of the list, where the pass will come by again. */
static __attribute__((noinline)) void bring_back(struct marking *marking, struct rh_links *l)
{
    l->next &= ~(uintptr_t)NEXT_UNREACHABLE;
    move_object(marking->heap, object_of(l), marking->alive);
    set_scratch_count(l, 1);
}

/* An object that is alive refers to this one. */
static inline void mark_one(struct marking *marking, struct rh_links *l)
{
    if (!l || !(l->prev & PREV_COLLECTING))
        return;
    if (__builtin_expect((l->next & NEXT_UNREACHABLE) != 0, 0))
        bring_back(marking, l);
    else if (scratch_count(l) <= 0)
        set_scratch_count(l, 1);
}

static inline int mark_later(struct rh_object *target, void *context)
{
    struct marking *marking = context;
    mark_one(marking, ahead_turn(&marking->ahead, links_of(target)));
    return 0;
}

/* Walks the list once, from front to end, restoring prev links as it goes. What has no count left goes to `unreachable`
 * until a later object proves it alive. */
static void move_unreachable(struct survey *survey, struct rh_links *list, struct rh_links *unreachable)
{
    struct marking marking = {survey->heap, list, {{NULL}, 0}};
    struct rh_links *before = list;
    do {
        for (struct rh_links *l = next_of(before); l != list; l = next_of(before)) {
            if (scratch_count(l) > 0) {
                struct rh_object *object = object_of(l);
                traverse(object, mark_later, &marking);
                l->prev = (l->prev & PREV_KEPT) | (uintptr_t)before;
                before = l;
                survey->reachable++;
                survey->type_bits |= object->type->flags;
            } else {
                /* next_of(l) stays readable, but its prev is scratch: unlink by hand. */
                survey->heap->hand = object_of(l);
                store_barrier();
                set_next(before, next_of(l));
                l->next |= NEXT_UNREACHABLE;
                list_append(unreachable, l);
                survey->heap->hand = NULL;
            }
        }
        /* Whoever is brought back goes behind `before`: the list's own prev must say so. */
        set_prev(list, before);
        for (int i = 0; i < AHEAD; i++)
            mark_one(&marking, ahead_turn(&marking.ahead, NULL));
    } while (next_of(before) != list);
}

static struct survey find_unreachable(struct rh_heap *heap, struct rh_links *list, struct rh_links *unreachable)
{
    struct survey survey = {heap, 0, 0, 0, 0};
    count_references(list);
    between_passes(heap, "count");
    subtract_internal(list);
    between_passes(heap, "subtract");
    move_unreachable(&survey, list, unreachable);
    for (struct rh_links *l = next_of(unreachable); l != unreachable; l = next_of(l)) {
        l->next &= ~(uintptr_t)NEXT_UNREACHABLE;
        survey.unreachable++;
        survey.dead_bits |= object_of(l)->type->flags | (l->prev & PREV_WEAKLY ? TYPE_HAS_WEAK : 0);
    }
    return survey;
}

static void end_collecting(struct rh_links *list)
{
    for (struct rh_links *l = next_of(list); l != list; l = next_of(l))
        l->prev &= ~(uintptr_t)PREV_COLLECTING;
}

/* ---- untracking ---- */

/* Takes containers of one builtin type that hold nothing trackable out of the collector's sight. Returns their number.
 */
static size_t untrack_idle(struct rh_heap *heap, struct rh_links *list, enum rh_builtin which,
                           int (*may_untrack)(const struct rh_object *))
{
    struct rh_type *type = heap->builtins[which];
    size_t n = 0;
    for (struct rh_links *l = next_of(list), *after; l != list; l = after) {
        after = next_of(l);
        if (object_of(l)->type == type && may_untrack(object_of(l))) {
            rh_untrack(object_of(l));
            n++;
        }
    }
    return n;
}

/* ---- legacy finalizers ---- */

static int take_uncollectable(struct rh_object *target, void *context)
{
    struct rh_heap *heap = context;
    if (target->links.prev & PREV_COLLECTING) {
        target->links.prev &= ~(uintptr_t)PREV_COLLECTING;
        move_object(heap, target, &heap->lists[RH_LIST_UNCOLLECTABLE]);
    }
    return 0;
}

/* Moves unreachable objects with a legacy finalizer, and all they reach, to the list of the uncollectable. */
static void set_legacy_apart(struct rh_heap *heap, struct rh_links *unreachable)
{
    struct rh_links *apart = &heap->lists[RH_LIST_UNCOLLECTABLE];
    for (struct rh_links *l = next_of(unreachable), *after; l != unreachable; l = after) {
        after = next_of(l);
        if (object_of(l)->type->legacy_finalize)
            take_uncollectable(object_of(l), heap);
    }
    for (struct rh_links *l = next_of(apart); l != apart; l = next_of(l))
        traverse(object_of(l), take_uncollectable, heap);
}

/* ---- weak references and finalizers ---- */

/* Clears every weak reference to and in the unreachable objects and calls the callbacks of those outside. Returns
 * whether any was called; *freed is how many weak references went with their callback: CPython counts them as
 * collected. */
static int handle_weak(struct rh_heap *heap, struct rh_links *unreachable, size_t *freed)
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
    *freed = weak_call(heap, chain, 1);
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

static void report_objects(struct rh_heap *heap, struct rh_links *list, const char *what)
{
    for (struct rh_links *l = next_of(list); l != list; l = next_of(l))
        report(heap, "refheap: %s <%s %p>", what, object_of(l)->type->name, (void *)object_of(l));
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

/* Returns a bit for each generation that held any. */
static int gather_candidates(struct rh_heap *heap, int generation)
{
    struct rh_links *candidates = &heap->lists[RH_LIST_CANDIDATES];
    int held = 0;
    for (int i = 0; i <= generation; i++) {
        int g = i ? i - 1 : generation;
        held |= !list_is_empty(&heap->lists[g]) << g;
        list_splice(candidates, &heap->lists[g]);
    }
    return held;
}

/* Puts what survived into its new generation. `from` has a bit for each generation it may have come from. */
static void promote(struct rh_heap *heap, int generation, int from)
{
    struct rh_links *survivors = &heap->lists[RH_LIST_CANDIDATES];
    int to = generation < RH_OLD ? generation + 1 : RH_OLD;
    if (from & ~(1 << to))
        for (struct rh_links *l = next_of(survivors); l != survivors; l = next_of(l))
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
static void count_long_lived(struct rh_heap *heap, int generation, size_t reachable)
{
    if (generation == RH_MIDDLE)
        heap->long_lived_pending += reachable;
    if (generation == RH_OLD) {
        heap->long_lived_pending = 0;
        heap->long_lived_total = reachable;
    }
}

static void collect_candidates(struct rh_heap *heap, int generation, struct rh_gc_info *info)
{
    struct rh_links *survivors = &heap->lists[RH_LIST_CANDIDATES];
    struct rh_links *unreachable = &heap->lists[RH_LIST_UNREACHABLE];

    struct survey survey = find_unreachable(heap, survivors, unreachable);
    if (survey.type_bits & TYPE_IDLES) {
        survey.reachable -= untrack_idle(heap, survivors, RH_TYPE_TUPLE, tuple_may_untrack);
        if (generation == RH_OLD)
            survey.reachable -= untrack_idle(heap, survivors, RH_TYPE_DICT, dict_may_untrack);
    }
    count_long_lived(heap, generation, survey.reachable);

    between_passes(heap, "move");
    if (survey.dead_bits & TYPE_HAS_LEGACY)
        set_legacy_apart(heap, unreachable);
    if (heap->debug & RH_DEBUG_COLLECTABLE)
        report_objects(heap, unreachable, "collectable");
    between_passes(heap, "legacy");
    size_t freed = 0;
    int user_code_ran = survey.dead_bits & TYPE_HAS_WEAK && handle_weak(heap, unreachable, &freed);
    between_passes(heap, "weak");
    if (survey.dead_bits & TYPE_HAS_FINALIZER)
        user_code_ran |= run_finalizers(heap, unreachable);
    between_passes(heap, "finalize");
    if (user_code_ran) {
        struct rh_links *dead = &heap->lists[RH_LIST_FINALIZING];
        end_collecting(unreachable);
        find_unreachable(heap, unreachable, dead);
        list_splice(survivors, unreachable);
        list_splice(unreachable, dead);
    }
    int as_found = !user_code_ran && !(survey.dead_bits & TYPE_HAS_LEGACY);
    info->collected = (as_found ? survey.unreachable : list_length(unreachable)) + freed;
    between_passes(heap, "second look");
    clear_unreachable(heap, unreachable, survivors);
    between_passes(heap, "clear");
    info->uncollectable = list_length(&heap->lists[RH_LIST_UNCOLLECTABLE]); /* some went with what held them */
    if (heap->debug & RH_DEBUG_UNCOLLECTABLE)
        report_objects(heap, &heap->lists[RH_LIST_UNCOLLECTABLE], "uncollectable");
    keep_uncollectable(heap, survivors);

    struct counts *stats = &heap->generations[generation];
    stats->collections++;
    stats->collected += info->collected;
    stats->uncollectable += info->uncollectable;
}

/* The thread is inside a collection, of one heap: objects of its other heaps may refer there. */
static __thread int thread_collects __attribute__((tls_model("initial-exec")));

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

size_t collect(struct rh_heap *heap, int generation)
{
    if (thread_collects || heap->collecting >= 0)
        return 0;
    thread_collects = 1;
    heap_enter(heap);
    struct rh_gc_info info = {generation, 0, 0};
    callbacks_call(heap, RH_GC_START, &info);
    double start = 0;
    if (heap->debug & RH_DEBUG_STATS) {
        report_collection_start(heap, generation);
        start = seconds_now();
    }
    heap->collecting = generation;
    count_collection(heap, generation);
    int from = gather_candidates(heap, generation);
    collect_candidates(heap, generation, &info);
    promote(heap, generation, from);
    heap->collecting = -1;
#ifdef RH_DEBUG
    if (generation == RH_OLD && !heap->stress)
        rh_heap_check(heap);
#endif
    if (heap->debug & RH_DEBUG_STATS)
        report_collection_stop(heap, info.collected, info.uncollectable, seconds_now() - start);
    callbacks_call(heap, RH_GC_STOP, &info);
    heap_leave(heap);
    thread_collects = 0;
    return info.collected + info.uncollectable;
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
    int oldest = !g[1].threshold ? RH_YOUNG : !g[2].threshold ? RH_MIDDLE : RH_OLD; /* that is turned on */
    for (int i = oldest; i >= RH_YOUNG; i--) {
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
