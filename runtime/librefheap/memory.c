/* A heap's memory: the program's allocator, and what stands before objects. Pages of small objects are in pool.c. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

void *heap_allocate(struct rh_heap *heap, size_t size)
{
    if (heap->allocator.allocate)
        return heap->allocator.allocate(heap->allocator.context, size);
    return malloc(size);
}

void heap_free(struct rh_heap *heap, void *memory)
{
    if (heap->allocator.allocate)
        heap->allocator.release(heap->allocator.context, memory);
    else
        free(memory);
}

char *heap_copy_text(struct rh_heap *heap, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = heap_allocate(heap, size);
    return copy ? memcpy(copy, text, size) : NULL;
}

int heap_grow(struct rh_heap *heap, void *array, size_t count, size_t *capacity, size_t element_size)
{
    void **at = array;
    if (count < *capacity)
        return 0;
    size_t larger = *capacity ? 2 * *capacity : 8;
    void *memory = heap_allocate(heap, larger * element_size);
    if (!memory)
        return RH_ERR_NO_MEMORY;
    if (count)
        memcpy(memory, *at, count * element_size);
    void *old = *at;
    *at = memory;
    *capacity = larger;
    store_barrier();
    heap_free(heap, old);
    return 0;
}

/* ---- objects ---- */

void *object_allocate_slowly(struct rh_type *type, size_t size)
{
    struct rh_heap *heap = type->heap;
    if (!heap->prefix)
        return heap_allocate(heap, size);
    uint32_t site = heap->site_depth ? site_here(heap) : 0;
    struct prefix *prefix = heap_allocate(heap, sizeof *prefix + size);
    if (!prefix)
        return NULL;
    *prefix = (struct prefix){++heap->next_serial, site, 0};
    return prefix + 1;
}

void object_free_slowly(struct rh_object *object, size_t size)
{
#ifdef RH_DEBUG
    debug_free(object, size);
#else
    struct rh_heap *heap = object->type->heap;
    (void)size;
    heap_free(heap, (char *)object - heap->prefix);
#endif
}

uint64_t rh_serial(const void *object)
{
    const struct rh_object *o = object;
    return o->type->heap->prefix ? prefix_of(o)->serial : 0;
}
