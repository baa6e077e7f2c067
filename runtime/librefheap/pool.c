#include "pool.h"

#include <stdlib.h>

/* What malloc puts before a block; a page and it make exactly POOL_PAGE bytes, so that pages lie without gaps. */
enum { BLOCK_HEAD = 16 };

void pool_unlink(struct pool *pool, struct pool_page *page)
{
    if (page->prev)
        page->prev->next = page->next;
    else
        pool->pages[page->size_class] = page->next;
    if (page->next)
        page->next->prev = page->prev;
    page->next = page->prev = NULL;
}

void pool_link(struct pool *pool, struct pool_page *page)
{
    page->next = pool->pages[page->size_class];
    page->prev = NULL;
    if (page->next)
        page->next->prev = page;
    pool->pages[page->size_class] = page;
}

void *pool_new_page(struct pool *pool, unsigned size_class)
{
    void *memory;
    if (posix_memalign(&memory, POOL_PAGE, POOL_PAGE - BLOCK_HEAD))
        return NULL;
    struct pool_page *page = memory;
    size_t slot = 16 * ((size_t)size_class + 1), head = (sizeof *page + 15) & ~(size_t)15;
    *page = (struct pool_page){.size_class = size_class, .fresh = (char *)memory + head};
    page->end = page->fresh + (POOL_PAGE - BLOCK_HEAD - head) / slot * slot;
    pool_link(pool, page);
    return page;
}

/* Kept when it is the only one with room: an object that comes and goes does not take its page along each time. */
void pool_page_is_empty(struct pool *pool, struct pool_page *page)
{
    if (!page->next && !page->prev)
        return;
    pool_unlink(pool, page);
    free(page);
}

void pool_release(struct pool *pool)
{
    for (int i = 0; i < POOL_SIZES; i++)
        while (pool->pages[i]) {
            struct pool_page *page = pool->pages[i];
            pool_unlink(pool, page);
            free(page);
        }
}
