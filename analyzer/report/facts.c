#include <stdlib.h>
#include <string.h>

#include "../graph/parallel.h"
#include "report.h"

static int compare_classes(const void *pa, const void *pb, void *context)
{
    const struct class_sums *sums = context;
    uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;
    if (sums[a].shallow != sums[b].shallow)
        return sums[a].shallow < sums[b].shallow ? 1 : -1;
    if (sums[a].count != sums[b].count)
        return sums[a].count < sums[b].count ? 1 : -1;
    return a < b ? -1 : a > b;
}

static int order_types(struct report *r)
{
    const struct session *s = r->s;
    r->by_size = malloc(((size_t)s->classes.count + 1) * sizeof *r->by_size);
    r->colour = calloc((size_t)s->classes.count + 1, 1);
    if (!r->by_size || !r->colour)
        return -1;
    for (uint32_t c = 0; c < s->classes.count; c++)
        if (s->sums[c].count)
            r->by_size[r->types++] = c;
    qsort_r(r->by_size, r->types, sizeof *r->by_size, compare_classes, s->sums);
    for (uint32_t i = 0; i < r->types && i < REPORT_COLOURS; i++)
        r->colour[r->by_size[i]] = (uint8_t)(i + 1);
    return 0;
}

/* ---- everything that takes time ---- */

static int find_referrers(struct report *r)
{
    uint32_t classes[PROBLEMS_SHOWN];
    size_t count = 0;
    for (size_t i = 0; i < r->suspects.count && i < PROBLEMS_SHOWN; i++)
        if (r->suspects.items[i].klass != UINT32_MAX)
            classes[count++] = r->suspects.items[i].klass;
    return count ? referrers_find(r->s, classes, count, &r->referrers) : 0;
}

static int find_waste(struct report *r)
{
    size_t objects = r->s->graph.objects;
    uint8_t *chosen = malloc(objects + 1);
    if (chosen)
        memset(chosen, 1, objects + 1);
    int status = chosen ? waste_find(r->s, chosen, &r->waste) : -1;
    free(chosen);
    return status;
}

static int find_the_rest(struct report *r)
{
    struct rh_error err;
    int status = suspects_find(r->s, r->baseline, &r->suspects);
    if (!status)
        status = find_referrers(r);
    if (!status)
        status = type_paths_find(r->s, KEEPERS_DEPTH, &r->paths);
    if (!status)
        status = find_waste(r);
    if (!status)
        r->generations = generations_count(r->s, &err);
    return status || !r->generations ? -1 : 0;
}

/* The audit takes about as long as all the rest, and neither needs the other. Only the rest reads labels and values
 * and asks the session for more. */
struct halves {
    struct report *r;
    int status[2];
};

static void find_half(void *context, unsigned part, unsigned parts)
{
    struct halves *h = context;
    for (unsigned half = part; half < 2; half += parts)
        h->status[half] = half ? find_the_rest(h->r) : inquiry_make(h->r->inv, &h->r->inquiry);
}

int report_gather(struct report *r)
{
    struct halves halves = {.r = r};
    struct rh_error err;
    unsigned parts = parallel_parts(r->s->graph.objects);
    if (order_types(r) || session_back(r->s, &err))
        return -1;
    parallel_run(parts > 2 ? 2 : parts, find_half, &halves);
    return halves.status[0] || halves.status[1] ? -1 : 0;
}

void report_release(struct report *r)
{
    suspects_release(&r->suspects);
    inquiry_release(&r->inquiry);
    referrers_release(r->referrers);
    type_paths_release(&r->paths);
    waste_release(&r->waste);
    free(r->generations);
    free(r->by_size);
    free(r->colour);
}
