#include "array.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
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

/* ---- arrays that were freed ---- */

/* Memory the kernel has given once is worth keeping: to zero it again takes a tenth of what fresh pages cost. A few
 * freed arrays wait here for the next one of about their size. Not under a tool that watches memory. */
#if defined(__SANITIZE_ADDRESS__)
enum { KEPT = 0 };
#else
enum { KEPT = 12 };
#endif
static struct head *kept[KEPT + 1];

/* The smallest that is large enough, and not more than twice as large; NULL when there is none. */
static struct head *take_kept(size_t bytes)
{
    int best = -1;
    for (int i = 0; i < KEPT; i++)
        if (kept[i] && kept[i]->mapped >= bytes && kept[i]->mapped / 2 <= bytes &&
            (best < 0 || kept[i]->mapped < kept[best]->mapped))
            best = i;
    if (best < 0)
        return NULL;
    struct head *head = kept[best];
    kept[best] = NULL;
    memset((char *)head + HEAD, 0, bytes - HEAD);
    return head;
}

/* Returns 0, or -1 when as many are kept as there may be. */
static int keep(struct head *head)
{
    for (int i = 0; i < KEPT; i++)
        if (!kept[i]) {
            kept[i] = head;
            return 0;
        }
    return -1;
}

/* ---- arrays ---- */

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
            memset(head, 0, bytes);
    } else {
        bytes = (bytes + 4095) & ~(size_t)4095;
        head = take_kept(bytes);
        if (!head && (head = map_aligned(bytes)))
            head->mapped = bytes;
    }
    return head ? (char *)head + HEAD : NULL;
}

void array_free(void *array)
{
    if (!array)
        return;
    struct head *head = (struct head *)((char *)array - HEAD);
    if (!head->mapped)
        free(head);
    else if (keep(head))
        munmap(head, head->mapped);
}
