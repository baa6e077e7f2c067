#include <stdlib.h>

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

int report_gather(struct report *r)
{
    int status = order_types(r);
    if (!status)
        status = suspects_find(r->s, r->baseline, &r->suspects);
    if (!status)
        status = inquiry_make(r->inv, &r->inquiry);
    return status;
}

void report_release(struct report *r)
{
    suspects_release(&r->suspects);
    inquiry_release(&r->inquiry);
    free(r->by_size);
    free(r->colour);
}
