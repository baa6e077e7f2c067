/* Doubly linked lists of objects, readable from outside at every instant.
 *
 * A link's low four bits are flags of the object it belongs to, not of the one it points at. A debugger may stop the
 * program between any two stores, so the order of stores matters: `next` links always lead to the head of some list,
 * and an object on its way from one list to another stands in the heap's hand. `prev` links hold scratch counts during
 * the reachability pass of a collection.
 */
#ifndef LIBREFHEAP_LINKS_H
#define LIBREFHEAP_LINKS_H

#include <refheap/object.h>

enum {
    LINK_BITS = 15,
    /* in next */
    NEXT_GENERATION = 7,
    NEXT_UNREACHABLE = 8, /* tentatively; only during the reachability pass */
    /* in prev */
    PREV_FINALIZED = 1,
    PREV_COLLECTING = 2,                      /* candidate of the collection under way, not found alive */
    PREV_WEAKLY = 4,                          /* the heap's table of weak references knows this object */
    PREV_COUNT_SHIFT = 4,                     /* where the scratch count stands */
    PREV_KEPT = PREV_FINALIZED | PREV_WEAKLY, /* all but the scratch */
};

/* Keeps the compiler from moving stores across; the processor's order does not matter to a stopped thread. */
static inline void store_barrier(void)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static inline struct rh_links *links_of(struct rh_object *object)
{
    return &object->links;
}

static inline struct rh_object *object_of(struct rh_links *links)
{
    return (struct rh_object *)((char *)links - offsetof(struct rh_object, links));
}

static inline struct rh_links *next_of(const struct rh_links *links)
{
    return (struct rh_links *)(links->next & ~(uintptr_t)LINK_BITS);
}

static inline struct rh_links *prev_of(const struct rh_links *links)
{
    return (struct rh_links *)(links->prev & ~(uintptr_t)LINK_BITS);
}

static inline void set_next(struct rh_links *links, const struct rh_links *to)
{
    links->next = (links->next & LINK_BITS) | (uintptr_t)to;
}

static inline void set_prev(struct rh_links *links, const struct rh_links *to)
{
    links->prev = (links->prev & LINK_BITS) | (uintptr_t)to;
}

static inline void list_init(struct rh_links *head)
{
    head->next = head->prev = (uintptr_t)head;
}

static inline int list_is_empty(const struct rh_links *head)
{
    return next_of(head) == head;
}

static inline void list_insert_after(struct rh_links *at, struct rh_links *links)
{
    struct rh_links *after = next_of(at);
    set_next(links, after);
    set_prev(links, at);
    store_barrier();
    set_next(at, links);
    set_prev(after, links);
    store_barrier();
}

static inline void list_append(struct rh_links *head, struct rh_links *links)
{
    list_insert_after(prev_of(head), links);
}

static inline void list_remove(struct rh_links *links)
{
    struct rh_links *before = prev_of(links), *after = next_of(links);
    store_barrier();
    set_next(before, after);
    set_prev(after, before);
    store_barrier();
}

/* Moves everything from one list to the end of another. In between, both may show the same objects. */
static inline void list_splice(struct rh_links *to, struct rh_links *from)
{
    if (list_is_empty(from))
        return;
    struct rh_links *first = next_of(from), *last = prev_of(from), *end = prev_of(to);
    set_prev(first, end);
    set_next(last, to);
    store_barrier();
    set_next(end, first);
    set_prev(to, last);
    store_barrier();
    list_init(from);
}

static inline size_t list_length(const struct rh_links *head)
{
    size_t n = 0;
    for (struct rh_links *l = next_of(head); l != head; l = next_of(l))
        n++;
    return n;
}

static inline int generation_of(const struct rh_links *links)
{
    return (int)(links->next & NEXT_GENERATION);
}

static inline void set_generation(struct rh_links *links, int generation)
{
    links->next = (links->next & ~(uintptr_t)NEXT_GENERATION) | (uintptr_t)generation;
}

static inline int64_t scratch_count(const struct rh_links *links)
{
    return (int64_t)links->prev >> PREV_COUNT_SHIFT;
}

static inline void set_scratch_count(struct rh_links *links, int64_t count)
{
    links->prev = (links->prev & LINK_BITS) | (uintptr_t)count << PREV_COUNT_SHIFT;
}

#endif
