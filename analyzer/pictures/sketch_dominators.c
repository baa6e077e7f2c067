/* The picture of the dominator tree. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../graph/forest.h"
#include "../answers/keepers.h"
#include "../render/text.h"
#include "sketch_tree.h"

struct keeping {
    struct forest forest;
    struct keeper_pile *piles;
    ordinal start;
};

static uint64_t retained_at(const struct session *s, const struct keeping *k)
{
    return s->dominators.retained[k->start];
}

static uint8_t state_of(const struct session *s, ordinal vertex)
{
    if (vertex < s->graph.objects)
        return sketch_state(s, vertex);
    if (vertex == dominators_root(&s->dominators))
        return PICTURE_LIVE;
    return s->cycles.items[keeper_cycle(s, vertex)].invisible ? PICTURE_INVISIBLE : PICTURE_GARBAGE;
}

static uint16_t part_of(uint64_t part, uint64_t whole)
{
    return whole ? (uint16_t)((unsigned __int128)part * PICTURE_WHOLE / whole) : 0;
}

/* `first` is that nothing of the type stands before it. */
static void name_entry(const struct session *s, const struct keeper_entry *e, int first, char to[NAME_SIZE + 40])
{
    char name[NAME_SIZE], n[TEXT_NUMBER_SIZE];
    if (!e->more && e->vertex < s->graph.objects)
        snprintf(to, NAME_SIZE + 40, "%s", sketch_name(s, e->vertex, name));
    else if (!e->more)
        snprintf(to, NAME_SIZE + 40, "%s", keeper_name(s, e->vertex, name));
    else if (e->vertex < s->graph.objects)
        snprintf(to, NAME_SIZE + 40, "%s%s %s", text_count(e->more, n), first ? "" : " more",
                 name_type(s, e->vertex, name));
    else
        snprintf(to, NAME_SIZE + 40, "%s", text_plural(e->more, first ? "cycle" : "more cycle", n));
}

static uint32_t draw_entry(struct tree *t, const struct keeper_entry *e, int first, int focus)
{
    const struct session *s = t->sk->s;
    const struct keeping *k = t->context;
    const struct graph *g = &s->graph;
    char title[NAME_SIZE + 40], detail[96], tooltip[2 * NAME_SIZE], n[2][TEXT_NUMBER_SIZE];
    int is_object = !e->more && e->vertex < g->objects;
    name_entry(s, e, first, title);
    snprintf(detail, sizeof detail, "%s %s, %s", e->more ? "retain" : "retains", text_size(e->retained, n[0]),
             text_share(text_share_of(e->retained, g->bytes), n[1]));
    if (is_object)
        snprintf(tooltip, sizeof tooltip, "%.200s\nat 0x%" PRIx64 ", generation %s\nrefcount %" PRId64 ", %s\n%s",
                 title, graph_address(g, e->vertex), text_generation(graph_generation(g, e->vertex)),
                 graph_refcount(g, e->vertex), text_size(graph_size(g, e->vertex), n[0]), detail);
    else
        snprintf(tooltip, sizeof tooltip, "%.200s\n%s", title, detail);
    struct picture_node node = {.title = title,
                                .detail = detail,
                                .tooltip = tooltip,
                                .state = state_of(s, e->vertex),
                                .folded = e->more != 0,
                                .focus = (uint8_t)focus};
    if (is_object) {
        node.address = graph_address(g, e->vertex);
        node.badge = "012P-"[graph_generation(g, e->vertex)];
    }
    node.bar[node.state] = part_of(e->retained, retained_at(s, k));
    return picture_add_node(&t->sk->picture, &node);
}

static void draw_rest(struct tree *t, uint32_t parent, const struct keeper_entry *entries, size_t count)
{
    char title[64], detail[64], n[TEXT_NUMBER_SIZE];
    uint64_t objects = 0, retained = 0;
    for (size_t i = 0; i < count; i++) {
        objects += entries[i].more ? entries[i].more : 1;
        retained += entries[i].retained;
    }
    snprintf(title, sizeof title, "%s of other types", text_count(objects, n));
    snprintf(detail, sizeof detail, "retain %s", text_size(retained, n));
    struct picture_node node = {
        .title = title, .detail = detail, .state = state_of(t->sk->s, entries[0].vertex), .folded = 1};
    node.bar[node.state] = part_of(retained, retained_at(t->sk->s, t->context));
    tree_edge(t, parent, picture_add_node(&t->sk->picture, &node), "", 1, PICTURE_KEEPS);
}

/* What keeps next to nothing is not opened. */
static int add_leaf(struct tree *t, ordinal vertex, uint32_t node, size_t depth)
{
    const struct keeping *k = t->context;
    uint64_t retained = t->sk->s->dominators.retained[vertex];
    ordinal children = k->forest.start[vertex + 1] - k->forest.start[vertex];
    if (!children || (!t->sk->unfolded && retained < retained_at(t->sk->s, k) / 100))
        return 0;
    return tree_add(t, &(struct leaf){node, depth, vertex, retained, children});
}

/* Of many of one type, those that keep next to nothing have nothing to say by themselves. */
static size_t fold_small(const struct tree *t, struct keeper_entry *entries, size_t count)
{
    uint64_t least = retained_at(t->sk->s, t->context) / 200;
    size_t kept = 0;
    for (size_t i = 0, end; i < count; i = end) {
        struct keeper_entry *fold = NULL;
        for (end = i; end < count && entries[end].pile == entries[i].pile; end++)
            fold = entries[end].more ? &entries[end] : fold;
        for (size_t k = i; k < end; k++) {
            if (fold && &entries[k] != fold && entries[k].retained < least && !t->sk->unfolded) {
                fold->more++;
                fold->retained += entries[k].retained;
            } else {
                entries[kept++] = entries[k];
            }
        }
    }
    return kept;
}

/* Types that keep next to nothing together are one node at the end, if they are several. */
static size_t leave_small(const struct tree *t, const struct keeper_entry *entries, size_t count, size_t shown)
{
    uint64_t least = retained_at(t->sk->s, t->context) / 1000;
    size_t n = 0;
    while (n < shown && entries[n].together >= least)
        n++;
    return n && count - n > 1 ? n : shown;
}

static int open_keeper(struct tree *t, const struct leaf *leaf, size_t room)
{
    const struct keeping *k = t->context;
    ordinal vertex = (ordinal)leaf->id;
    struct keeper_entry *entries;
    size_t count;
    int status = keepers_fold(t->sk->s, k->piles, k->forest.child + k->forest.start[vertex],
                              k->forest.start[vertex + 1] - k->forest.start[vertex], &entries, &count);
    count = status ? 0 : fold_small(t, entries, count);
    size_t shown = count > room ? room - 1 : count;
    if (!t->sk->unfolded)
        shown = leave_small(t, entries, count, shown);
    for (size_t i = 0; !status && i < shown; i++) {
        uint32_t node = draw_entry(t, &entries[i], !i || entries[i - 1].pile != entries[i].pile, 0);
        tree_edge(t, leaf->node, node, "", 1, PICTURE_KEEPS);
        if (!entries[i].more)
            status = add_leaf(t, entries[i].vertex, node, leaf->depth + 1);
    }
    if (!status && shown < count)
        draw_rest(t, leaf->node, entries + shown, count - shown);
    free(entries);
    return status;
}

int sketch_dominators(struct sketch *sk, ordinal start, uint64_t depth)
{
    const struct session *s = sk->s;
    struct keeping k = {.start = start};
    struct tree t = {.sk = sk, .depth_max = (size_t)depth, .open = open_keeper, .context = &k};
    k.piles = calloc((size_t)s->classes.count + 1, sizeof *k.piles);
    sk->picture.shape = PICTURE_TREE;
    int status = k.piles ? forest_build(s->dominators.dominator, s->dominators.vertices, &k.forest) : -1;
    if (!status) {
        struct keeper_entry first = {.vertex = start, .retained = retained_at(s, &k)};
        status = add_leaf(&t, start, draw_entry(&t, &first, 1, 1), 0);
    }
    if (!status)
        status = tree_grow(&t);
    else
        free(t.leaves);
    forest_release(&k.forest);
    free(k.piles);
    return status;
}
