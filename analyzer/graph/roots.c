#include "roots.h"

#include <stdlib.h>
#include <string.h>

#include "array.h"

static int compare_entries(const void *pa, const void *pb)
{
    const struct root_entry *a = pa, *b = pb;
    if (a->object != b->object)
        return a->object < b->object ? -1 : 1;
    return a->record < b->record ? -1 : a->record > b->record;
}

int roots_find(const struct graph *g, struct roots *r)
{
    memset(r, 0, sizeof *r);
    r->items = array_new((snapshot_count(g->snapshot, SECTION_ROOTS) + 1), sizeof *r->items);
    if (!r->items)
        return -1;
    struct record_cursor cursor = {0, 0};
    for (const struct root_record *record; (record = snapshot_next_record(g->snapshot, SECTION_ROOTS, &cursor));) {
        ordinal o = address_index_find(&g->index, record->object);
        if (o == ORDINAL_NONE)
            r->dangling++;
        else
            r->items[r->count++] = (struct root_entry){o, record};
    }
    qsort(r->items, r->count, sizeof *r->items, compare_entries);
    return 0;
}

void roots_release(struct roots *roots)
{
    array_free(roots->items);
    memset(roots, 0, sizeof *roots);
}

size_t roots_of(const struct roots *roots, ordinal o, const struct root_entry **first)
{
    size_t low = 0, high = roots->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (roots->items[middle].object < o)
            low = middle + 1;
        else
            high = middle;
    }
    *first = &roots->items[low];
    size_t n = 0;
    while (low + n < roots->count && roots->items[low + n].object == o)
        n++;
    return n;
}

uint64_t roots_explained(const struct roots *roots, ordinal o)
{
    const struct root_entry *first;
    size_t n = roots_of(roots, o, &first);
    uint64_t explained = 0;
    for (size_t i = 0; i < n; i++)
        explained += (first[i].record->flags & (ROOT_EXACT | ROOT_COUNTED)) == (ROOT_EXACT | ROOT_COUNTED);
    return explained;
}
