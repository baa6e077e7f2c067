/* Weak references: a table from targets to the references that point at them, and weakref objects with callbacks. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static size_t slot_of(const struct weak_table *table, const struct rh_object *target)
{
    uint64_t h = (uint64_t)(uintptr_t)target * 0x9e3779b97f4a7c15u;
    return (size_t)(h >> 20) & (table->capacity - 1);
}

/* The entry of a target, or the empty one where it would go. */
static struct weak_entry *find_entry(const struct weak_table *table, const struct rh_object *target)
{
    size_t i = slot_of(table, target);
    while (table->entries[i].target && table->entries[i].target != target)
        i = (i + 1) & (table->capacity - 1);
    return &table->entries[i];
}

static int grow_table(struct rh_heap *heap)
{
    struct weak_table *table = &heap->weak, larger = {NULL, table->capacity ? 2 * table->capacity : 16, table->used};
    larger.entries = heap_allocate(heap, larger.capacity * sizeof *larger.entries);
    if (!larger.entries)
        return RH_ERR_NO_MEMORY;
    memset(larger.entries, 0, larger.capacity * sizeof *larger.entries);
    for (size_t i = 0; i < table->capacity; i++)
        if (table->entries[i].target)
            *find_entry(&larger, table->entries[i].target) = table->entries[i];
    heap_free(heap, table->entries);
    *table = larger;
    return 0;
}

/* Empties an entry and moves up those that probed past it. */
static void remove_entry(struct weak_table *table, struct weak_entry *entry)
{
    size_t mask = table->capacity - 1, hole = (size_t)(entry - table->entries);
    entry->target->links.prev &= ~(uintptr_t)PREV_WEAKLY;
    for (size_t i = (hole + 1) & mask; table->entries[i].target; i = (i + 1) & mask) {
        size_t home = slot_of(table, table->entries[i].target);
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            table->entries[hole] = table->entries[i];
            hole = i;
        }
    }
    table->entries[hole] = (struct weak_entry){NULL, NULL};
    table->used--;
}

void weak_unlink(struct rh_weak *weak)
{
    if (!weak->target)
        return;
    struct rh_heap *heap = weak->target->type->heap;
    if (weak->next)
        weak->next->prev = weak->prev;
    if (weak->prev) {
        weak->prev->next = weak->next;
    } else {
        struct weak_entry *entry = find_entry(&heap->weak, weak->target);
        entry->first = weak->next;
        if (!entry->first)
            remove_entry(&heap->weak, entry);
    }
    weak->target = NULL;
    weak->next = weak->prev = NULL;
}

int rh_weak_set(struct rh_weak *weak, void *object)
{
    struct rh_object *target = object;
    weak_unlink(weak);
    if (!target)
        return 0;
    struct rh_heap *heap = target->type->heap;
    struct weak_table *table = &heap->weak;
    heap_enter(heap);
    int status = table->used * 4 >= table->capacity * 3 ? grow_table(heap) : 0;
    if (!status) {
        struct weak_entry *entry = find_entry(table, target);
        if (!entry->target) {
            entry->target = target;
            target->links.prev |= PREV_WEAKLY;
            table->used++;
        }
        weak->prev = NULL;
        weak->next = entry->first;
        if (weak->next)
            weak->next->prev = weak;
        entry->first = weak;
        weak->target = target;
    }
    heap_leave(heap);
    return status;
}

struct rh_weak *weak_first(const struct rh_object *target)
{
    if (!(target->links.prev & PREV_WEAKLY))
        return NULL;
    return find_entry(&target->type->heap->weak, target)->first;
}

void *rh_weak_get(const struct rh_weak *weak)
{
    if (!weak->target || weak->target->refcount == 0)
        return NULL;
    rh_incref(weak->target);
    return weak->target;
}

void weak_table_destroy(struct rh_heap *heap)
{
    heap_free(heap, heap->weak.entries);
    heap->weak = (struct weak_table){NULL, 0, 0};
}

/* ---- weakref objects ---- */

struct weakref_object {
    RH_OBJECT_HEAD;
    struct rh_weak target;
    struct rh_object *data;
    rh_weakref_callback callback;
};

static const struct rh_field weakref_fields[] = {
    RH_WEAK(struct weakref_object, target),
    RH_STRONG(struct weakref_object, data),
};

int weakrefs_create(struct rh_heap *heap, struct rh_error *err)
{
    static const struct rh_type_spec spec = RH_TYPE_SPEC("weakref", struct weakref_object, weakref_fields);
    return rh_type_create(heap, &spec, &heap->builtins[RH_TYPE_WEAKREF], err);
}

struct rh_object *rh_weakref_new(void *object, rh_weakref_callback callback, void *data)
{
    struct rh_heap *heap = rh_heap_of(object);
    struct weakref_object *weakref = rh_object_new(heap->builtins[RH_TYPE_WEAKREF]);
    if (!weakref)
        return NULL;
    if (rh_weak_set(&weakref->target, object)) {
        rh_decref(weakref);
        return NULL;
    }
    weakref->target.owner = &weakref->object;
    weakref->callback = callback;
    rh_xincref(data);
    weakref->data = data;
    return &weakref->object;
}

void *rh_weakref_get(const struct rh_object *weakref)
{
    return rh_weak_get(&((const struct weakref_object *)weakref)->target);
}

static int wants_call(const struct rh_weak *weak, const struct rh_object *target, int judging)
{
    const struct weakref_object *owner = (const struct weakref_object *)weak->owner;
    if (weak->owner == &death_mark)
        return 1;
    if (!owner || !owner->callback || owner->object.refcount == 0)
        return 0;
    int same_heap = owner->object.type->heap == target->type->heap;
    return !(judging && same_heap && owner->object.links.prev & PREV_COLLECTING);
}

struct rh_weak *weak_clear(struct rh_object *target, int judging)
{
    struct weak_table *table = &target->type->heap->weak;
    struct weak_entry *entry = find_entry(table, target);
    struct rh_weak *weak = entry->first, *chain = NULL, **end = &chain;
    remove_entry(table, entry);
    while (weak) {
        struct rh_weak *after = weak->next;
        int call = wants_call(weak, target, judging);
        weak->target = NULL;
        weak->next = weak->prev = NULL;
        if (call) {
            if (weak->owner != &death_mark)
                rh_incref(weak->owner);
            *end = weak;
            end = &weak->next;
        }
        weak = after;
    }
    return chain;
}

size_t weak_call(struct rh_heap *heap, struct rh_weak *chain, int judging)
{
    size_t freed = 0;
    while (chain) {
        struct rh_weak *weak = chain;
        struct weakref_object *owner = (struct weakref_object *)weak->owner;
        chain = weak->next;
        weak->next = NULL;
        if (weak->owner == &death_mark) {
            death_call(heap, weak);
            continue;
        }
        rh_weakref_callback callback = owner->callback;
        owner->callback = NULL;
        if (callback) {
            struct user_state state = user_begin(heap);
            callback(&owner->object, owner->data);
            user_end(heap, state);
            if (!judging) /* CPython's collector keeps it too */
                rh_assign(&owner->data, NULL);
        }
        freed += owner->object.refcount == 1;
        rh_decref(owner);
    }
    return freed;
}

void weak_forget(struct rh_object *target)
{
    struct weak_table *table = &target->type->heap->weak;
    struct weak_entry *entry = find_entry(table, target);
    while (entry->target == target)
        weak_unlink(entry->first);
}
