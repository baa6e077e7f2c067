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

/* How good an end of a path an object is: 3 exact root, 2 possible root, 1 held from outside by nobody knows whom, 0
 * none. */
static int quality(const struct graph *g, const struct roots *roots, ordinal o)
{
    const struct root_entry *first;
    size_t n = roots_of(roots, o, &first);
    for (size_t i = 0; i < n; i++)
        if (first[i].record->flags & ROOT_EXACT)
            return 3;
    return n ? 2 : graph_is_immortal(g, o) || graph_external(g, o) > 0;
}

static int keep_path(const ordinal *toward, ordinal from, ordinal o, struct path *result)
{
    size_t length = 1;
    for (ordinal at = from; at != o; at = toward[at])
        length++;
    result->step = array_new(length, sizeof *result->step);
    if (!result->step)
        return -1;
    for (ordinal at = from; result->length < length; at = toward[at])
        result->step[result->length++] = at;
    return 0;
}

/* Breadth first from the object over who refers to it. The first object of the best quality met is nearest. */
int path_from_root(const struct graph *g, const struct roots *roots, ordinal o, struct path *result)
{
    size_t n = (size_t)g->objects + 1, head = 0, tail = 0;
    ordinal *toward = array_new(n, sizeof *toward), *queue = array_new(n, sizeof *queue);
    ordinal best = ORDINAL_NONE;
    int best_quality = 0, status = toward && queue ? 0 : -1;
    memset(result, 0, sizeof *result);
    if (!status) {
        memset(toward, 0xff, n * sizeof *toward);
        toward[o] = o;
        queue[tail++] = o;
    }
    while (!status && head < tail && best_quality < 3) {
        ordinal at = queue[head++];
        int q = quality(g, roots, at);
        if (q > best_quality) {
            best_quality = q;
            best = at;
        }
        for (uint64_t b = g->back_start[at]; b < g->back_start[at + 1]; b++) {
            ordinal s = g->source[b];
            if (toward[s] != ORDINAL_NONE || !edge_is_counted(g->source_info[b]))
                continue;
            toward[s] = at;
            queue[tail++] = s;
        }
    }
    if (!status && best_quality)
        status = keep_path(toward, best, o, result);
    array_free(toward);
    array_free(queue);
    return status;
}

void path_release(struct path *path)
{
    array_free(path->step);
    memset(path, 0, sizeof *path);
}
