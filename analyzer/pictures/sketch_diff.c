/* The picture of the difference of two snapshots: what is new and what holds it, and what is gone. */
#include <stdlib.h>
#include <string.h>

#include "../answers/compare.h"
#include "../graph/array.h"
#include "../graph/changes.h"
#include "../render/text.h"
#include "sketch_tree.h"

enum { BEFORE, AFTER, GONE_SHOWN = 8 };

struct difference {
    struct sketch *sk;
    const struct session *side[2];
    struct common_types types;
    struct pairing pairing;
    struct change *changes;
    struct change all;
};

static int compare_sides(struct difference *d)
{
    const struct graph *const g[2] = {&d->side[BEFORE]->graph, &d->side[AFTER]->graph};
    uint32_t *group_of[2] = {NULL, NULL};
    int status = common_types_find(d->side, 2, &d->types);
    if (status)
        return status;
    const struct pairing_side sides[2] = {{g[BEFORE], d->types.of_type[BEFORE]}, {g[AFTER], d->types.of_type[AFTER]}};
    status = pairing_find(sides, &d->pairing);
    d->changes = calloc((size_t)d->types.count + 1, sizeof *d->changes);
    for (int i = 0; i < 2; i++) {
        group_of[i] = malloc(((size_t)g[i]->objects + 1) * sizeof *group_of[i]);
        for (ordinal o = 0; group_of[i] && o < g[i]->objects; o++)
            group_of[i][o] = d->types.of_type[i][graph_type(g[i], o)];
    }
    if (!d->changes || !group_of[0] || !group_of[1])
        status = -1;
    if (!status)
        changes_by_group(g, &d->pairing, group_of, d->types.count, d->changes);
    free(group_of[0]);
    free(group_of[1]);
    for (uint32_t i = 0; !status && i < d->types.count; i++) {
        d->all.new += d->changes[i].new;
        d->all.new_bytes += d->changes[i].new_bytes;
        d->all.gone += d->changes[i].gone;
        d->all.gone_bytes += d->changes[i].gone_bytes;
        d->all.stayed += d->changes[i].stayed;
        d->all.before_bytes += d->changes[i].before_bytes;
        d->all.after_bytes += d->changes[i].after_bytes;
    }
    return status;
}

static void set_title(const struct difference *d)
{
    char title[700], name[NAME_SIZE], n[3][TEXT_NUMBER_SIZE];
    uint64_t before = d->all.before_bytes, after = d->all.after_bytes;
    const char *slash = strrchr(d->side[BEFORE]->path, '/'), *path = slash ? slash + 1 : d->side[BEFORE]->path;
    text_clean(path, strlen(path), 60, name, sizeof name);
    snprintf(title, sizeof title, "since %s: %s new, %s gone, %s stayed", name, text_plural(d->all.new, "object", n[0]),
             text_count(d->all.gone, n[1]), text_count(d->all.stayed, n[2]));
    picture_set_title(&d->sk->picture, title);
    snprintf(title, sizeof title, "%s new, %s gone; the heap %s %s%s", text_size(d->all.new_bytes, n[0]),
             text_size(d->all.gone_bytes, n[1]), after < before ? "shrank by" : "grew by",
             text_size(after < before ? before - after : after - before, n[2]),
             !d->pairing.inferred      ? ""
             : d->pairing.same_process ? "; what is new and gone is inferred from address and type"
                                       : "; of two processes: what is new and gone means little");
    picture_set_remark(&d->sk->picture, title);
}

static int draw_new(struct difference *d, uint64_t depth)
{
    const struct graph *g = &d->side[AFTER]->graph;
    ordinal *new = malloc((size_t)(d->all.new + 1) * sizeof *new);
    size_t count = 0;
    if (!new)
        return -1;
    for (ordinal o = 0; o < g->objects; o++)
        if (d->pairing.partner[AFTER][o] == ORDINAL_NONE)
            new[count++] = o;
    int status = count ? sketch_merged(d->sk, new, count, depth, PICTURE_NEW) : 0;
    free(new);
    return status;
}

static int compare_gone(const void *pa, const void *pb)
{
    const struct change *a = *(const struct change *const *)pa, *b = *(const struct change *const *)pb;
    if (a->gone_bytes != b->gone_bytes)
        return a->gone_bytes < b->gone_bytes ? 1 : -1;
    return a < b ? -1 : a > b;
}

static void draw_gone_node(struct difference *d, const char *title, uint64_t bytes, uint32_t cluster)
{
    char n[TEXT_NUMBER_SIZE];
    struct picture_node node = {.title = (char *)(uintptr_t)title,
                                .detail = (char *)(uintptr_t)text_size(bytes, n),
                                .state = PICTURE_GONE,
                                .folded = 1,
                                .cluster = cluster};
    picture_add_node(&d->sk->picture, &node);
}

static int draw_gone(struct difference *d)
{
    const struct change **order = malloc(((size_t)d->types.count + 1) * sizeof *order);
    uint32_t count = 0, cluster;
    uint64_t rest = 0, rest_bytes = 0;
    char title[NAME_SIZE + 40], name[NAME_SIZE], n[TEXT_NUMBER_SIZE];
    if (!order)
        return -1;
    for (uint32_t i = 0; i < d->types.count; i++)
        if (d->changes[i].gone)
            order[count++] = &d->changes[i];
    if (count) {
        qsort(order, count, sizeof *order, compare_gone);
        cluster = picture_add_cluster(&d->sk->picture, "gone since the earlier snapshot", NULL);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct text type = d->types.name[order[i] - d->changes];
        if (i >= GONE_SHOWN && count > GONE_SHOWN + 1) {
            rest += order[i]->gone;
            rest_bytes += order[i]->gone_bytes;
            continue;
        }
        text_clean(type.bytes, type.length, 80, name, sizeof name);
        snprintf(title, sizeof title, "%s %s", text_count(order[i]->gone, n), name);
        draw_gone_node(d, title, order[i]->gone_bytes, cluster);
    }
    if (rest) {
        snprintf(title, sizeof title, "%s of other types", text_count(rest, n));
        draw_gone_node(d, title, rest_bytes, cluster);
    }
    free(order);
    return 0;
}

int sketch_difference(struct sketch *sk, const struct session *before, uint64_t depth)
{
    struct difference d = {.sk = sk, .side = {before, sk->s}};
    int status = compare_sides(&d);
    if (!status) {
        set_title(&d);
        sk->picture.shape = PICTURE_TREE;
        sk->limit -= GONE_SHOWN + 1; /* which follow */
        status = draw_new(&d, depth);
        sk->limit += GONE_SHOWN + 1;
    }
    if (!status)
        status = draw_gone(&d);
    pairing_release(&d.pairing);
    common_types_release(&d.types);
    free(d.changes);
    return status;
}
