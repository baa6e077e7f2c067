#include "forest.h"

#include <string.h>

#include "array.h"

int forest_build(const ordinal *parent, ordinal vertices, struct forest *f)
{
    size_t n = (size_t)vertices + 1; /* one more for the roots */
    f->vertices = vertices;
    f->start = array_new(n + 2, sizeof *f->start);
    f->child = array_new(n, sizeof *f->child);
    if (!f->start || !f->child) {
        forest_release(f);
        return -1;
    }
    /* Counts stand two places ahead, so that after summing start[v + 1] is where v's children begin, and after placing,
     * end. */
    for (ordinal v = 0; v < vertices; v++)
        f->start[(size_t)(parent[v] == ORDINAL_NONE ? vertices : parent[v]) + 2]++;
    for (size_t i = 0; i < n; i++)
        f->start[i + 2] += f->start[i + 1];
    for (ordinal v = 0; v < vertices; v++)
        f->child[f->start[(size_t)(parent[v] == ORDINAL_NONE ? vertices : parent[v]) + 1]++] = v;
    return 0;
}

void forest_release(struct forest *f)
{
    array_free(f->start);
    array_free(f->child);
    memset(f, 0, sizeof *f);
}

int forest_sum_outermost(const struct forest *f, ordinal limit, const uint32_t *class_of, uint32_t classes,
                         const uint64_t *value, uint64_t *sums)
{
    uint32_t *open = array_new((size_t)classes + 1, sizeof *open); /* ancestors of each class */
    ordinal *path = array_new((size_t)f->vertices + 2, sizeof *path);
    ordinal *next = array_new((size_t)f->vertices + 2, sizeof *next);
    size_t depth = 0;
    int status = open && path && next ? 0 : -1;
    if (!status) {
        path[0] = f->vertices;
        next[0] = f->start[f->vertices];
    }
    while (!status) {
        ordinal v = path[depth];
        if (next[depth] < f->start[v + 1]) {
            ordinal child = f->child[next[depth]++];
            if (child < limit && !open[class_of[child]]++)
                sums[class_of[child]] += value[child];
            path[++depth] = child;
            next[depth] = f->start[child];
            continue;
        }
        if (v < limit)
            open[class_of[v]]--;
        if (depth-- == 0)
            break;
    }
    array_free(open);
    array_free(path);
    array_free(next);
    return status;
}
