/* Making objects, dropping references, and freeing.
 *
 * An object whose refcount reaches zero goes to the heap's trash list. One loop works the list off; what dies on
 * the way is put in front of what waits, in the order of the fields, so that objects go in the order a recursive
 * dealloc would give while the stack stays flat. User code (finalizers, callbacks) that frees objects gets its own
 * turn of the loop at once, up to a depth of USER_DEPTH_MAX; CPython's trashcan draws its line at the same number.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "traverse.h"

enum { USER_DEPTH_MAX = 50 };

/* ---- birth ---- */

/* Bytes an object was allocated with. */
static inline size_t size_of(const struct rh_object *object)
{
    const struct rh_type *type = object->type;
    return type->items ? type->size + field_count(object, type->items) * type->item_size : type->size;
}

/* Zeroes what stands behind the head. Small objects by plain stores of 8 bytes: the wide ones of memset() make the
 * loads that soon follow wait. */
static inline void zero_body(struct rh_object *object, size_t size)
{
    if (size > 256) {
        memset(object + 1, 0, size - sizeof *object);
        return;
    }
    char *at = (char *)(object + 1), *end = (char *)object + size;
    for (; end - at >= 8; at += 8) {
        memset(at, 0, 8);
        __asm__("" ::: "memory"); /* or the compiler makes a memset() of the loop */
    }
    for (; at < end; at++)
        *at = 0;
}

static void *object_new(struct rh_type *type, size_t size)
{
    struct rh_heap *heap = type->heap;
    int container = type->flags & TYPE_IS_CONTAINER;
    int generation = container && !(type->flags & TYPE_BORN_UNTRACKED) ? RH_YOUNG : RH_UNTRACKED;

    safepoint(heap);
    if (container) {
        struct counts *young = &heap->generations[0];
        if (++young->count > young->threshold)
            collect_when_due(heap);
    }
    if (__builtin_expect(heap->stress, 0))
        collect(heap, RH_OLD);
    uint32_t busy = heap_enter_briefly(heap);
    struct rh_object *object = object_allocate(type, size);
    if (object) {
        zero_body(object, size);
        object->refcount = 1;
        object->type = type;
        object->links.next = (uintptr_t)generation;
        object->links.prev = 0;
        list_append(&heap->lists[generation], links_of(object));
    } else if (container && heap->generations[0].count) {
        heap->generations[0].count--;
    }
    heap_leave_briefly(heap, busy);
    if (__builtin_expect(!object, 0))
        trigger_no_memory(heap);
    return object;
}

void *rh_object_new(struct rh_type *type)
{
    return object_new(type, type->size);
}

void *rh_object_new_items(struct rh_type *type, size_t items)
{
    size_t more;
    if (__builtin_mul_overflow(items, type->item_size, &more) || more > SIZE_MAX / 2 - type->size)
        return NULL;
    return object_new(type, type->size + more);
}

int rh_buffer_resize(struct rh_heap *heap, void *buffer, size_t old_size, size_t new_size)
{
    void **at = buffer;
    if (new_size == 0) {
        heap_free(heap, *at);
        *at = NULL;
        return 0;
    }
    char *memory = heap_allocate(heap, new_size);
    if (!memory) {
        trigger_no_memory(heap);
        return RH_ERR_NO_MEMORY;
    }
    size_t kept = old_size < new_size ? old_size : new_size;
    if (*at)
        memcpy(memory, *at, kept);
    else
        kept = 0;
    memset(memory + kept, 0, new_size - kept);
    void *old = *at;
    *at = memory; /* the old buffer stays whole until the new one is in place: a dump may come between */
    store_barrier();
    heap_free(heap, old);
    return 0;
}

void rh_assign(void *slot, void *value)
{
    struct rh_object **at = slot;
    struct rh_object *old = *at;
    rh_xincref(value);
    *at = value;
    rh_xdecref(old);
}

/* ---- dropping what an object holds ---- */

/* The array or table is no longer there: no elements, no room. */
static void forget_buffer(struct rh_object *object, const struct rh_field *f)
{
    *(char **)((char *)object + f->offset) = NULL;
    store_barrier();
    memset((char *)object + f->count_offset, 0, f->count_size);
    if (f->capacity_offset)
        memset((char *)object + f->capacity_offset, 0, f->count_size);
}

static void clear_array(struct rh_object *object, const struct rh_field *f)
{
    char *items = read_pointer(object, f->offset);
    size_t count = items ? field_count(object, f) : 0;
    forget_buffer(object, f);
    while (count--) /* from the end, as CPython's lists do */
        rh_xdecref(read_pointer(items, count * f->stride + f->key_offset));
    if (!(f->flags & RH_FIELD_UNOWNED))
        heap_free(object->type->heap, items);
}

static void clear_inline_array(struct rh_object *object, const struct rh_field *f)
{
    for (size_t i = field_count(object, f); i--;) {
        struct rh_object **slot = (struct rh_object **)((char *)object + f->offset + i * f->stride + f->key_offset);
        struct rh_object *item = *slot;
        *slot = NULL;
        rh_xdecref(item);
    }
}

static void clear_children(struct rh_object *object, const struct rh_field *f)
{
    struct rh_object **slot = (struct rh_object **)((char *)object + f->offset);
    struct rh_object *first = *slot, *child = first;
    *slot = NULL;
    while (child) {
        struct rh_object **link = (struct rh_object **)((char *)child + f->value_offset);
        struct rh_object *after = *link;
        *link = NULL;
        rh_decref(child);
        child = after == first ? NULL : after;
    }
}

static void clear_table(struct rh_object *object, const struct rh_field *f)
{
    char *entries = read_pointer(object, f->offset);
    size_t count = entries ? field_count(object, f) : 0;
    forget_buffer(object, f);
    for (size_t i = 0; i < count; i++) {
        const char *entry = entries + i * f->stride;
        if (!entry_is_used(entry, f))
            continue;
        struct rh_object *key = read_pointer(entry, f->key_offset);
        struct rh_object *value = read_pointer(entry, f->value_offset);
        if (f->flags & RH_FIELD_KEYS)
            rh_decref(key);
        if (f->flags & RH_FIELD_VALUES)
            rh_xdecref(value);
    }
    if (!(f->flags & RH_FIELD_UNOWNED))
        heap_free(object->type->heap, entries);
}

static void clear_field(struct rh_object *object, const struct rh_field *f)
{
    void *at = (char *)object + f->offset;
    struct rh_object *old;
    switch (f->kind) {
    case RH_FIELD_STRONG:
        old = *(struct rh_object **)at;
        *(struct rh_object **)at = NULL;
        rh_xdecref(old);
        break;
    case RH_FIELD_TAGGED:
        old = untag(*(uintptr_t *)at, f);
        if (old) {
            *(uintptr_t *)at = 0;
            rh_decref(old);
        }
        break;
    case RH_FIELD_ARRAY:
        clear_array(object, f);
        break;
    case RH_FIELD_INLINE_ARRAY:
        clear_inline_array(object, f);
        break;
    case RH_FIELD_CHILDREN:
        clear_children(object, f);
        break;
    case RH_FIELD_TABLE:
        clear_table(object, f);
        break;
    }
}

static inline void clear_plain(struct rh_object *object)
{
    const struct rh_type *type = object->type;
    for (const struct reference *r = type->references, *end = r + type->reference_count; r < end; r++) {
        struct rh_object **slot = (struct rh_object **)((char *)object + r->offset), *old = *slot;
        if (old) {
            *slot = NULL;
            rh_decref(old);
        }
    }
}

void object_clear(struct rh_object *object)
{
    const struct rh_type *type = object->type;
    if (type->flags & TYPE_IS_PLAIN) {
        clear_plain(object);
        return;
    }
    if (type->clear)
        type->clear(object);
    for (uint32_t i = 0; i < type->reference_count; i++)
        if (type->references[i].field != type->kept)
            clear_field(object, type->references[i].field);
}

/* ---- death ---- */

static void free_buffers(struct rh_object *object)
{
    const struct rh_type *type = object->type;
    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct rh_field *f = &type->fields[i];
        void **slot = (void **)((char *)object + f->offset);
        int buffer = f->kind == RH_FIELD_ARRAY || f->kind == RH_FIELD_TABLE || f->kind == RH_FIELD_BYTES;
        if (buffer && !(f->flags & RH_FIELD_UNOWNED)) {
            heap_free(type->heap, *slot);
            *slot = NULL;
        }
    }
}

void object_discard(struct rh_object *object)
{
    struct rh_type *type = object->type;
    struct rh_heap *heap = type->heap;
    size_t size = size_of(object); /* now: what counts the items may be gone later */
    if (type->weak_count)
        for (uint32_t i = 0; i < type->field_count; i++)
            if (type->fields[i].kind == RH_FIELD_WEAK)
                weak_unlink((struct rh_weak *)((char *)object + type->fields[i].offset));
    if (type->release)
        type->release(object);
    free_buffers(object);
    list_remove(links_of(object));
    if (is_container(object) && heap->generations[0].count)
        heap->generations[0].count--;
    object_free(object, size);
}

struct user_state user_begin(struct rh_heap *heap)
{
    struct user_state state = {heap->busy, heap->queueing};
    if (++heap->user_depth <= USER_DEPTH_MAX)
        heap->queueing = 0;
    store_barrier();
    heap->busy = 0;
    return state;
}

void user_end(struct rh_heap *heap, struct user_state state)
{
    heap->busy = state.busy;
    store_barrier();
    heap->queueing = state.queueing;
    heap->user_depth--;
}

void object_finalize(struct rh_object *object)
{
    struct rh_heap *heap = object->type->heap;
    if (!object->type->finalize || object->links.prev & PREV_FINALIZED)
        return;
    if (is_container(object)) /* CPython notes it in the collector's head alone, which atomic objects do not have */
        object->links.prev |= PREV_FINALIZED;
    struct user_state state = user_begin(heap);
    object->type->finalize(object);
    user_end(heap, state);
}

/* Lets user code see an object that is about to go, alive once more. Returns 1 when it was brought back for good.
 * A tracked one is young meanwhile and stays so, as in CPython. */
static int revive(struct rh_object *object, void (*code)(struct rh_object *))
{
    struct rh_heap *heap = object->type->heap;
    int generation = is_tracked(object) ? RH_YOUNG : RH_UNTRACKED;
    object->refcount = 1;
    set_generation(links_of(object), generation);
    move_object(heap, object, &heap->lists[generation]);
    code(object);
    if (--object->refcount > 0)
        return 1;
    heap->hand = object;
    list_remove(links_of(object));
    list_insert_after(&heap->lists[RH_LIST_TRASH], links_of(object));
    heap->hand = NULL;
    return 0;
}

static void legacy_finalize(struct rh_object *object)
{
    struct rh_heap *heap = object->type->heap;
    struct user_state state = user_begin(heap);
    object->type->legacy_finalize(object);
    user_end(heap, state);
}

static inline int object_is_plain(const struct rh_object *object)
{
    return object->type->flags & TYPE_IS_PLAIN && !(object->links.prev & PREV_WEAKLY);
}

/* The end of an object that holds nothing any more, and has no code to run. */
static inline void discard_plain(struct rh_heap *heap, struct rh_object *object)
{
    list_remove(links_of(object));
    if (is_container(object) && heap->generations[0].count)
        heap->generations[0].count--;
    object_free(object, size_of(object));
}

/* The way of most objects: one that holds references and nothing else is taken apart where it is. What dies with it
 * goes to the trash. */
static void destroy_plain(struct rh_heap *heap, struct rh_object *object)
{
    clear_plain(object);
    discard_plain(heap, object);
}

/* Tears down the first object of the trash. */
static void destroy(struct rh_object *object)
{
    struct rh_type *type = object->type;
    struct rh_heap *heap = type->heap;
    heap->trash_at = &heap->lists[RH_LIST_TRASH];
    if (object_is_plain(object)) {
        destroy_plain(heap, object);
        return;
    }
    if (type->finalize && !(object->links.prev & PREV_FINALIZED) && revive(object, object_finalize))
        return;
    if (object->links.prev & PREV_WEAKLY)
        weak_call(heap, weak_clear(object, 0), 0);
    if (type->legacy_finalize && revive(object, legacy_finalize))
        return;
    if (object->links.prev & PREV_WEAKLY)
        weak_forget(object); /* made by the legacy finalizer */
    object_clear(object);
    struct rh_object *kept = type->kept ? read_pointer(object, type->kept->offset) : NULL;
    object_discard(object);
    rh_xdecref(kept);
}

static void throw_away(struct rh_heap *heap, struct rh_object *object)
{
    heap->hand = object;
    list_remove(links_of(object));
    list_insert_after(heap->trash_at, links_of(object));
    heap->hand = NULL;
    heap->trash_at = links_of(object);
}

/* Works off the trash that the death of one object leaves behind. */
static __attribute__((noinline)) void drop_with_what_it_holds(struct rh_heap *heap, struct rh_object *object)
{
    struct rh_links *trash = &heap->lists[RH_LIST_TRASH];
    struct rh_links *stop = next_of(trash), *at_before = heap->trash_at;
    heap->trash_at = trash;
    heap->queueing = 1;
    throw_away(heap, object); /* out of its generation: what it lets go of may collect, from another heap */
    while (next_of(trash) != stop)
        destroy(object_of(next_of(trash)));
    heap->queueing = 0;
    heap->trash_at = at_before;
}

static inline int holds_nothing(const struct rh_object *object)
{
    const struct rh_type *type = object->type;
    for (uint32_t i = 0; i < type->reference_count; i++)
        if (read_pointer(object, type->references[i].offset))
            return 0;
    return 1;
}

void rh_object_drop(struct rh_object *object)
{
    struct rh_heap *heap = object->type->heap;
    uint32_t busy = heap_enter_briefly(heap);
    if (heap->queueing)
        throw_away(heap, object);
    else if (object_is_plain(object) && holds_nothing(object))
        discard_plain(heap, object);
    else
        drop_with_what_it_holds(heap, object);
    heap_leave_briefly(heap, busy);
}
