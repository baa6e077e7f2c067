#include "changes.h"

#include <stdlib.h>

#include "array.h"

/* The group of an object's partner, `groups` when it has none. */
static uint32_t partner_group(const struct pairing *p, uint32_t *const group_of[2], uint32_t groups, int side,
                              ordinal o)
{
    ordinal other = p->partner[side][o];
    return other == ORDINAL_NONE ? groups : group_of[!side][other];
}

void changes_by_group(const struct graph *const g[2], const struct pairing *p, uint32_t *const group_of[2],
                      uint32_t groups, struct change *changes)
{
    for (ordinal o = 0; o < g[0]->objects; o++) {
        if (group_of[0][o] >= groups)
            continue;
        struct change *c = &changes[group_of[0][o]];
        ordinal other = p->partner[0][o];
        c->before++;
        c->before_bytes += graph_size(g[0], o);
        if (other == ORDINAL_NONE) {
            c->gone++;
            c->gone_bytes += graph_size(g[0], o);
        } else if (partner_group(p, group_of, groups, 0, o) == group_of[0][o]) {
            c->stayed++;
            c->grown_bytes += (int64_t)(graph_size(g[1], other) - graph_size(g[0], o));
        } else {
            c->moved_out++;
        }
    }
    for (ordinal o = 0; o < g[1]->objects; o++) {
        if (group_of[1][o] >= groups)
            continue;
        struct change *c = &changes[group_of[1][o]];
        c->after++;
        c->after_bytes += graph_size(g[1], o);
        if (p->partner[1][o] == ORDINAL_NONE) {
            c->new ++;
            c->new_bytes += graph_size(g[1], o);
        } else {
            c->moved_in += partner_group(p, group_of, groups, 1, o) != group_of[1][o];
        }
    }
}

void changes_by_generation(const struct graph *const g[2], const struct pairing *p, uint32_t *const group_of[2],
                           uint32_t groups, struct tally moved[GENERATION_LIMIT][GENERATION_LIMIT])
{
    for (ordinal o = 0; o < g[0]->objects; o++) {
        ordinal other = p->partner[0][o];
        if (other == ORDINAL_NONE || (group_of[0][o] >= groups && group_of[1][other] >= groups))
            continue;
        struct tally *t = &moved[graph_generation(g[0], o)][graph_generation(g[1], other)];
        t->objects++;
        t->bytes += graph_size(g[1], other);
    }
}

static int compare_keys(const void *pa, const void *pb)
{
    const struct attribution *a = pa, *b = pb;
    if (a->held_by != b->held_by)
        return a->held_by < b->held_by ? -1 : 1;
    return a->group < b->group ? -1 : a->group > b->group;
}

static int compare_bytes(const void *pa, const void *pb)
{
    const struct attribution *a = pa, *b = pb;
    if (a->bytes != b->bytes)
        return a->bytes < b->bytes ? 1 : -1;
    if (a->objects != b->objects)
        return a->objects < b->objects ? 1 : -1;
    return compare_keys(a, b);
}

static uint32_t holder(const struct dominators *d, const uint32_t *holder_of, ordinal o)
{
    ordinal above = d->dominator[o];
    if (above < d->objects)
        return holder_of[above];
    return above == dominators_root(d) || above == ORDINAL_NONE ? (uint32_t)HELD_BY_ROOTS : (uint32_t)HELD_BY_CYCLE;
}

int changes_attribute(const struct graph *g, const struct pairing *p, const struct dominators *d,
                      const uint32_t *group_of, uint32_t groups, const uint32_t *holder_of, struct attribution **result,
                      size_t *count)
{
    size_t n = 0, merged = 0;
    for (ordinal o = 0; o < g->objects; o++)
        n += p->partner[1][o] == ORDINAL_NONE && group_of[o] < groups;
    struct attribution *all = array_new(n + 1, sizeof *all);
    *result = all;
    *count = 0;
    if (!all)
        return -1;
    n = 0;
    for (ordinal o = 0; o < g->objects; o++)
        if (p->partner[1][o] == ORDINAL_NONE && group_of[o] < groups)
            all[n++] = (struct attribution){holder(d, holder_of, o), group_of[o], 1, graph_size(g, o)};
    qsort(all, n, sizeof *all, compare_keys);
    for (size_t i = 0; i < n; i++) {
        if (merged && !compare_keys(&all[merged - 1], &all[i])) {
            all[merged - 1].objects++;
            all[merged - 1].bytes += all[i].bytes;
        } else {
            all[merged++] = all[i];
        }
    }
    qsort(all, merged, sizeof *all, compare_bytes);
    *count = merged;
    return 0;
}
