#include "array.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { HEAD = 64, HUGE_PAGE = 2 << 20 };

/* In front of every array, on a cache line of its own. */
struct head {
    size_t mapped; /* bytes from the head on; 0: from calloc */
};

/* Maps `size` bytes at a multiple of the huge page by mapping more and cutting off both ends. */
static void *map_aligned(size_t size)
{
    if (size > SIZE_MAX - HUGE_PAGE)
        return NULL;
    char *area =
        mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (area == MAP_FAILED)
        return NULL;
    size_t before = -(uintptr_t)area & (HUGE_PAGE - 1), after = HUGE_PAGE - before;
    if (before)
        munmap(area, before);
    if (after)
        munmap(area + before + size, after);
    madvise(area + before, size, MADV_HUGEPAGE);
    return area + before;
}

void *array_new(size_t count, size_t size)
{
    size_t bytes;
    struct head *head;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX / 2)
        return NULL;
    bytes += HEAD;
    if (bytes < HUGE_PAGE) {
        head = aligned_alloc(HEAD, (bytes + HEAD - 1) & ~(size_t)(HEAD - 1));
        if (head)
            __builtin_memset(head, 0, bytes);
    } else {
        bytes = (bytes + 4095) & ~(size_t)4095;
        head = map_aligned(bytes);
        if (head)
            head->mapped = bytes;
    }
    return head ? (char *)head + HEAD : NULL;
}

void array_free(void *array)
{
    if (!array)
        return;
    struct head *head = (struct head *)((char *)array - HEAD);
    if (head->mapped)
        munmap(head, head->mapped);
    else
        free(head);
}
