/* What views share: made once, before anything is shown. */
#include <stdlib.h>
#include <string.h>

#include "../../dumpfmt/error.h"
#include "../answers/generations.h"
#include "../graph/array.h"
#include "../answers/shape.h"
#include "view.h"

static int compare_names(const void *pa, const void *pb, void *session)
{
    uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;
    struct text x = class_name(session, a), y = class_name(session, b);
    int order = memcmp(x.bytes, y.bytes, x.length < y.length ? x.length : y.length);
    if (order)
        return order;
    if (x.length != y.length)
        return x.length < y.length ? -1 : 1;
    return a < b ? -1 : a > b;
}

static int rank_classes(struct atlas *a)
{
    uint32_t classes = a->s->classes.count;
    uint32_t *order = malloc(((size_t)classes + 1) * sizeof *order);
    a->class_order = malloc(((size_t)classes + 1) * sizeof *a->class_order);
    if (order && a->class_order) {
        for (uint32_t c = 0; c < classes; c++)
            order[c] = c;
        qsort_r(order, classes, sizeof *order, compare_names, a->s);
        for (uint32_t i = 0; i < classes; i++)
            a->class_order[order[i]] = i;
    }
    int status = order && a->class_order ? 0 : -1;
    free(order);
    return status;
}

static int find_shapes(struct atlas *a)
{
    ordinal cycles = a->s->cycles.count;
    a->shape = malloc(((size_t)cycles + 1) * sizeof *a->shape);
    a->alike = calloc((size_t)cycles + 1, sizeof *a->alike);
    if (!a->shape || !a->alike || shapes_find(a->s, a->shape))
        return -1;
    for (ordinal c = 0; c < cycles; c++)
        a->alike[a->shape[c]]++;
    return 0;
}

int atlas_make(struct atlas *a, struct session *s, struct rh_error *err)
{
    *a = (struct atlas){.s = s};
    int status = session_dominators(s, err);
    if (!status)
        status = session_sums(s, err);
    if (!status)
        status = session_back(s, err);
    if (!status)
        status = session_values(s, err);
    if (status)
        return status;
    if (!(a->generations = generations_count(s, err)))
        return -1;
    session_progress(s, "sorting cycles by shape");
    if (forest_build(s->dominators.dominator, s->dominators.vertices, &a->keeps) || rank_classes(a) || find_shapes(a))
        return error_set(err, RH_ERR_NO_MEMORY, "not enough memory for browsing", "use a machine with more memory");
    return 0;
}

void atlas_release(struct atlas *a)
{
    forest_release(&a->keeps);
    free(a->class_order);
    free(a->shape);
    free(a->alike);
    free(a->generations);
    memset(a, 0, sizeof *a);
}
