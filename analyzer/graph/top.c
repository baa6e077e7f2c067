#include "top.h"

#include <stdlib.h>

static void swap(ordinal *a, ordinal *b)
{
    ordinal t = *a;
    *a = *b;
    *b = t;
}

/* Lets the item at `at` sink in a heap whose top is what comes last. */
static void sink(ordinal *items, size_t count, size_t at, top_compare *compare, void *context)
{
    for (;;) {
        size_t below = 2 * at + 1;
        if (below >= count)
            return;
        if (below + 1 < count && compare(&items[below + 1], &items[below], context) > 0)
            below++;
        if (compare(&items[below], &items[at], context) <= 0)
            return;
        swap(&items[below], &items[at]);
        at = below;
    }
}

size_t top_sort(ordinal *items, size_t count, size_t limit, top_compare *compare, void *context)
{
    size_t kept = limit && limit < count ? limit : count;
    if (kept < count) {
        for (size_t i = kept / 2; i-- > 0;)
            sink(items, kept, i, compare, context);
        for (size_t i = kept; i < count; i++)
            if (compare(&items[i], &items[0], context) < 0) {
                swap(&items[i], &items[0]);
                sink(items, kept, 0, compare, context);
            }
    }
    qsort_r(items, kept, sizeof *items, compare, context);
    return kept;
}
