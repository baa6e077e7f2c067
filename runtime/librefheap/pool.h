/* Memory for small objects: pages of slots of one size, so that making and freeing an object are a few instructions,
 * and objects made together lie together. A page whose last object is freed goes back, but for one of each size.
 *
 * Not for heaps with an allocator of their own or a prefix before their objects, not under a tool that watches memory,
 * and not in the debug build: there each object is a block by itself.
 */
#ifndef LIBREFHEAP_POOL_H
#define LIBREFHEAP_POOL_H

#include <stddef.h>
#include <stdint.h>

enum {
    POOL_PAGE = 1 << 14, /* pages begin at multiples of it */
    POOL_SIZES = 16,     /* slots of 16, 32, ... bytes */
    POOL_SLOT_MAX = 16 * POOL_SIZES,
};

struct pool_page {
    struct pool_page *next, *prev; /* of those with room */
    void *free;                    /* slots given back, each linked through its first word */
    char *fresh, *end;             /* slots never used yet */
    uint32_t used, size_class;
};

struct pool {
    struct pool_page *pages[POOL_SIZES]; /* with room */
    size_t slot_most;                    /* the largest size served; 0 when everything goes to malloc */
};

void *pool_new_page(struct pool *pool, unsigned size_class);
void pool_page_is_empty(struct pool *pool, struct pool_page *page);
void pool_unlink(struct pool *pool, struct pool_page *page);
void pool_link(struct pool *pool, struct pool_page *page);

static inline int pool_page_is_full(const struct pool_page *page)
{
    return !page->free && page->fresh == page->end;
}

/* `size` is at most POOL_SLOT_MAX. NULL without memory. */
static inline void *pool_allocate(struct pool *pool, size_t size)
{
    unsigned size_class = (unsigned)((size - 1) / 16);
    struct pool_page *page = pool->pages[size_class];
    void *slot;
    if (__builtin_expect(!page, 0) && !(page = pool_new_page(pool, size_class)))
        return NULL;
    if ((slot = page->free)) {
        page->free = *(void **)slot;
    } else {
        slot = page->fresh;
        page->fresh += 16 * (size_class + 1);
    }
    page->used++;
    if (__builtin_expect(pool_page_is_full(page), 0))
        pool_unlink(pool, page);
    return slot;
}

static inline void pool_free(struct pool *pool, void *slot)
{
    struct pool_page *page = (struct pool_page *)((uintptr_t)slot & ~(uintptr_t)(POOL_PAGE - 1));
    int was_full = pool_page_is_full(page);
    *(void **)slot = page->free;
    page->free = slot;
    page->used--;
    if (__builtin_expect(was_full, 0))
        pool_link(pool, page);
    if (__builtin_expect(!page->used, 0))
        pool_page_is_empty(pool, page);
}

/* Gives back the pages that are kept. All objects are gone. */
void pool_release(struct pool *pool);

#endif
