#include "fold.h"

#include <stdlib.h>

static int compare_signatures(const void *pa, const void *pb)
{
    const struct alike *a = pa, *b = pb;
    if (a->signature != b->signature)
        return a->signature < b->signature ? -1 : 1;
    return a->first < b->first ? -1 : a->first > b->first;
}

static int compare_first(const void *pa, const void *pb)
{
    const struct alike *a = pa, *b = pb;
    return a->first < b->first ? -1 : a->first > b->first;
}

static int compare_counts(const void *pa, const void *pb)
{
    const struct alike *a = pa, *b = pb;
    if (a->count != b->count)
        return a->count < b->count ? 1 : -1;
    return compare_first(a, b);
}

size_t fold_alike(struct alike *things, size_t count, int by_count)
{
    size_t merged = 0;
    qsort(things, count, sizeof *things, compare_signatures);
    for (size_t i = 0; i < count; i++) {
        if (merged && things[merged - 1].signature == things[i].signature)
            things[merged - 1].count += things[i].count;
        else
            things[merged++] = things[i];
    }
    qsort(things, merged, sizeof *things, by_count ? compare_counts : compare_first);
    return merged;
}

uint64_t fold_mix(uint64_t h, uint64_t value)
{
    h = (h ^ value) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 29;
}
