#include "array.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

enum { HEAD = 64, HUGE_PAGE = 2 << 20 };

/* In front of every array, on a cache line of its own. */
struct head {
    size_t mapped; /* bytes from the head on, whole huge pages; 0: from the heap */
};

/* ---- memory that was freed ---- */

/* What the kernel gives it clears first, and on a virtual machine it may have to be fetched from further away: memory
 * given once is worth keeping. What was freed waits here in whole huge pages, is cut to what is wanted, and grows when
 * it is too small. Not under a tool that watches memory. */
#if defined(__SANITIZE_ADDRESS__)
enum { KEEPS = 0, WAITING = 32 };
#else
enum { KEEPS = 1, WAITING = 32 };
#endif

struct extent {
    char *at;
    size_t size;
};
static struct extent waiting[WAITING];
static int waiting_count;
static pthread_mutex_t waiting_lock = PTHREAD_MUTEX_INITIALIZER;

/* Reserves `size` bytes at a multiple of the huge page by mapping more and cutting off both ends. */
static char *map_aligned(size_t size)
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

static void let_wait(char *at, size_t size)
{
    for (int i = 0; i < waiting_count; i++) {
        struct extent *e = &waiting[i];
        if (e->at + e->size != at && at + size != e->at)
            continue;
        at = at < e->at ? at : e->at;
        size += e->size;
        *e = waiting[--waiting_count];
        i = -1; /* it may touch another now */
    }
    if (KEEPS && waiting_count < WAITING)
        waiting[waiting_count++] = (struct extent){at, size};
    else
        munmap(at, size);
}

/* Makes an extent larger: its pages move, only what is added is new. Returns NULL when it cannot be done; the extent is
 * as it was then. */
static char *grow(struct extent e, size_t size)
{
    char *to = map_aligned(size);
    if (!to)
        return NULL;
    char *moved = mremap(e.at, e.size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to);
    return moved == MAP_FAILED ? NULL : moved; /* whose `to` is then, kernels do not agree on: it is left alone */
}

/* `size` bytes of memory; the first *used of them were used before. */
static char *take(size_t size, size_t *used)
{
    int best = -1, largest = -1;
    *used = 0;
    for (int i = 0; i < waiting_count; i++) {
        if (waiting[i].size >= size && (best < 0 || waiting[i].size < waiting[best].size))
            best = i;
        if (largest < 0 || waiting[i].size > waiting[largest].size)
            largest = i;
    }
    if (best >= 0) {
        struct extent e = waiting[best];
        waiting[best] = waiting[--waiting_count];
        if (e.size > size)
            let_wait(e.at + size, e.size - size);
        *used = size;
        return e.at;
    }
    char *grown = largest >= 0 ? grow(waiting[largest], size) : NULL;
    if (!grown)
        return map_aligned(size);
    *used = waiting[largest].size;
    waiting[largest] = waiting[--waiting_count];
    return grown;
}

/* ---- arrays ---- */

static void *make(size_t count, size_t size, int zero)
{
    size_t bytes, used;
    struct head *head;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX / 2)
        return NULL;
    bytes += HEAD;
    if (bytes < HUGE_PAGE) {
        head = aligned_alloc(HEAD, (bytes + HEAD - 1) & ~(size_t)(HEAD - 1));
        if (!head)
            return NULL;
        memset(head, 0, zero ? bytes : sizeof *head);
    } else {
        bytes = (bytes + HUGE_PAGE - 1) & ~(size_t)(HUGE_PAGE - 1);
        pthread_mutex_lock(&waiting_lock);
        head = (struct head *)take(bytes, &used);
        pthread_mutex_unlock(&waiting_lock);
        if (!head)
            return NULL;
        if (zero)
            memset(head, 0, used);
        head->mapped = bytes;
    }
    return (char *)head + HEAD;
}

void *array_new(size_t count, size_t size)
{
    return make(count, size, 1);
}

void *array_raw(size_t count, size_t size)
{
    return make(count, size, 0);
}

void array_cut(void *array, size_t count, size_t size)
{
    struct head *head = (struct head *)((char *)array - HEAD);
    size_t keep = (HEAD + count * size + HUGE_PAGE - 1) & ~(size_t)(HUGE_PAGE - 1);
    if (head->mapped <= keep)
        return;
    munmap((char *)head + keep, head->mapped - keep);
    head->mapped = keep;
}

void array_touch(void *array, size_t first, size_t count, size_t size)
{
    const struct head *head = (struct head *)((char *)array - HEAD);
    if (!head->mapped)
        return;
    uintptr_t from = (uintptr_t)array + first * size, page = (uintptr_t)sysconf(_SC_PAGESIZE);
    size_t before = from & (page - 1);
    /* Kernels from before 5.14 do not know how; then pages are made when they are written. */
    madvise((void *)(from - before), count * size + before, MADV_POPULATE_WRITE);
}

void array_free(void *array)
{
    if (!array)
        return;
    struct head *head = (struct head *)((char *)array - HEAD);
    if (!head->mapped) {
        free(head);
        return;
    }
    pthread_mutex_lock(&waiting_lock);
    let_wait((char *)head, head->mapped);
    pthread_mutex_unlock(&waiting_lock);
}
