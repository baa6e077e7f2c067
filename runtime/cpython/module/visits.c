#include "visits.h"

enum { LOOK_AHEAD = 24 };

/* Visits of one target, in the order of targets; `from` is where the search for the next one begins. */
struct visit_group {
    uint64_t target;
    size_t at; /* its place among the visits */
};

void visits_begin(struct visits *v)
{
    v->count = v->next = v->last = v->taken = v->groups = 0;
}

void visits_add(struct visits *v, uint64_t target)
{
    if (mapping_grow(&v->targets, (v->count + 1) * sizeof(uint64_t)))
        v->out_of_memory = 1;
    else
        ((uint64_t *)v->targets.bytes)[v->count++] = target;
    v->last = v->count;
}

static int is_before(const struct visit_group *a, const struct visit_group *b)
{
    return a->target != b->target ? a->target < b->target : a->at < b->at;
}

static void sift(struct visit_group *heap, size_t from, size_t count)
{
    for (size_t i = from, child; (child = 2 * i + 1) < count; i = child) {
        if (child + 1 < count && is_before(&heap[child], &heap[child + 1]))
            child++;
        if (!is_before(&heap[i], &heap[child]))
            return;
        struct visit_group swap = heap[i];
        heap[i] = heap[child];
        heap[child] = swap;
    }
}

/* Heap sort: no memory, no recursion, no bad case. */
static void sort_groups(struct visit_group *all, size_t count)
{
    for (size_t i = count / 2; i--;)
        sift(all, i, count);
    for (size_t i = count; i-- > 1;) {
        struct visit_group swap = all[0];
        all[0] = all[i];
        all[i] = swap;
        sift(all, 0, i);
    }
}

static int make_groups(struct visits *v)
{
    const uint64_t *targets = v->targets.bytes;
    if (mapping_grow(&v->sorted, v->count * sizeof(struct visit_group))) {
        v->out_of_memory = 1;
        return -1;
    }
    struct visit_group *all = v->sorted.bytes;
    for (size_t i = 0; i < v->count; i++)
        if (targets[i])
            all[v->groups++] = (struct visit_group){targets[i], i};
    sort_groups(all, v->groups);
    return 0;
}

/* Searches the sorted visits. The first of equal targets remembers, in its upper half, how many after it are gone, so
 * that a million references to None are no million searches. */
static int take_sorted(struct visits *v, uint64_t target)
{
    if (!v->groups && make_groups(v))
        return 0;
    struct visit_group *all = v->sorted.bytes;
    uint64_t *targets = v->targets.bytes;
    size_t low = 0, high = v->groups;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (all[middle].target < target)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == v->groups || all[low].target != target)
        return 0;
    size_t gone = all[low].at >> 40;
    for (size_t i = low + gone; i < v->groups && all[i].target == target; i++, gone++) {
        uint64_t *visit = &targets[all[i].at & ((UINT64_C(1) << 40) - 1)];
        if (*visit) {
            *visit = 0;
            v->taken++;
            all[low].at = (all[low].at & ((UINT64_C(1) << 40) - 1)) | (uint64_t)(gone + 1) << 40;
            return 1;
        }
    }
    return 0;
}

static int take_at(struct visits *v, size_t at, uint64_t target)
{
    uint64_t *targets = v->targets.bytes;
    if (targets[at] != target)
        return 0;
    targets[at] = 0;
    v->taken++;
    return 1;
}

int visits_take(struct visits *v, uint64_t target)
{
    uint64_t *targets = v->targets.bytes;
    if (v->taken == v->count)
        return 0;
    while (v->next < v->count && !targets[v->next])
        v->next++;
    while (v->last > v->next && !targets[v->last - 1])
        v->last--;
    size_t end = v->next + LOOK_AHEAD < v->last ? v->next + LOOK_AHEAD : v->last;
    for (size_t i = v->next; i < end; i++)
        if (take_at(v, i, target))
            return 1;
    if (end == v->last)
        return 0;
    return take_at(v, v->last - 1, target) || take_sorted(v, target);
}

uint64_t visits_left(const struct visits *v, size_t *at)
{
    const uint64_t *targets = v->targets.bytes;
    if (v->taken == v->count)
        return 0;
    while (*at < v->count)
        if (targets[(*at)++])
            return targets[*at - 1];
    return 0;
}

void visits_release(struct visits *v)
{
    mapping_release(&v->targets);
    mapping_release(&v->sorted);
}
