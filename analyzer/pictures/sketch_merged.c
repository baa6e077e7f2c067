/* The picture of what holds a set of objects. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../answers/ways.h"
#include "../render/text.h"
#include "sketch_tree.h"

struct holding {
    struct ways ways;
    uint8_t state; /* of objects of the set, or PICTURE_STATES */
};

/* What of the set stands in the node itself. */
static struct tally own_part(const struct ways *h, uint32_t node)
{
    struct tally own = {h->merged.nodes[node].objects, h->merged.nodes[node].bytes};
    for (ordinal i = h->forest.start[node]; i < h->forest.start[node + 1]; i++) {
        own.objects -= h->merged.nodes[h->forest.child[i]].objects;
        own.bytes -= h->merged.nodes[h->forest.child[i]].bytes;
    }
    return own;
}

static uint8_t holder_state(const struct session *s, const struct merged_node *n)
{
    unsigned fate = s->garbage[2].fate[n->first];
    return fate == FATE_GARBAGE || fate == FATE_INVISIBLE ? PICTURE_GARBAGE : PICTURE_ROOT;
}

/* "35 new session", "1.37 KiB together; lead to 35 more, 1.91 KiB". */
static void describe(const struct tree *t, uint32_t number, char title[NAME_SIZE + 40], char detail[160])
{
    const struct session *s = t->sk->s;
    const struct holding *k = t->context;
    const struct merged_node *n = &k->ways.merged.nodes[number];
    struct tally own = own_part(&k->ways, number), on = {n->objects - own.objects, n->bytes - own.bytes};
    char name[NAME_SIZE], count[2][TEXT_NUMBER_SIZE];
    const char *new = k->state == PICTURE_NEW &&own.objects ? "new " : "";
    size_t used = 0;
    detail[0] = 0;
    if (!n->here)
        snprintf(title, NAME_SIZE + 40, "%s", k->ways.labels.text[n->label]);
    else if (n->here == 1)
        snprintf(title, NAME_SIZE + 40, "%s%s", new, sketch_name(s, n->first, name));
    else
        snprintf(title, NAME_SIZE + 40, "%s %s%s", text_count(n->here, count[0]), own.objects == n->here ? new : "",
                 name_type(s, n->first, name));
    if (own.objects && own.objects < n->here)
        used = (size_t)snprintf(detail, 160, "%s of them %s", text_count(own.objects, count[0]),
                                *new ? "new" : "asked for");
    else if (own.objects)
        used =
            (size_t)snprintf(detail, 160, "%s%s", text_size(own.bytes, count[0]), own.objects > 1 ? " together" : "");
    if (on.objects)
        snprintf(detail + used, 160 - used, "%slead%s to %s%s, %s", used ? "\n" : "", n->here > 1 ? "" : "s",
                 text_count(on.objects, count[0]), own.objects ? " more" : "", text_size(on.bytes, count[1]));
}

static uint32_t draw_node(struct tree *t, uint32_t number)
{
    const struct session *s = t->sk->s;
    const struct holding *k = t->context;
    const struct merged_node *n = &k->ways.merged.nodes[number];
    char title[NAME_SIZE + 40], detail[160], tooltip[3 * NAME_SIZE];
    uint64_t own = own_part(&k->ways, number).objects;
    describe(t, number, title, detail);
    snprintf(tooltip, sizeof tooltip, "%s\n%s", title, detail);
    struct picture_node node = {.title = title,
                                .detail = detail,
                                .tooltip = tooltip,
                                .folded = n->here > 1,
                                .state = n->here ? sketch_state(s, n->first) : holder_state(s, n),
                                .focus = own != 0};
    if (own && k->state != PICTURE_STATES)
        node.state = k->state;
    if (n->here == 1) {
        node.address = graph_address(&s->graph, n->first);
        node.badge = "012P-"[graph_generation(&s->graph, n->first)];
        snprintf(tooltip, sizeof tooltip, "%s\nat 0x%" PRIx64 ", generation %s\n%s", title, node.address,
                 text_generation(graph_generation(&s->graph, n->first)), detail);
    }
    return picture_add_node(&t->sk->picture, &node);
}

static int add_leaf(struct tree *t, uint32_t number, uint32_t node, size_t depth)
{
    const struct ways *h = &((struct holding *)t->context)->ways;
    ordinal below = h->forest.start[number + 1] - h->forest.start[number];
    return below ? tree_add(t, &(struct leaf){node, depth, number, h->merged.nodes[number].bytes, below}) : 0;
}

static void draw_rest(struct tree *t, uint32_t parent, const ordinal *children, size_t count)
{
    const struct ways *h = &((struct holding *)t->context)->ways;
    char title[64], detail[64], n[TEXT_NUMBER_SIZE];
    struct tally rest = {0, 0};
    for (size_t i = 0; i < count; i++) {
        rest.objects += h->merged.nodes[children[i]].objects;
        rest.bytes += h->merged.nodes[children[i]].bytes;
    }
    snprintf(title, sizeof title, "%s by other ways", text_plural(rest.objects, "object", n));
    snprintf(detail, sizeof detail, "%s", text_size(rest.bytes, n));
    struct picture_node node = {.title = title,
                                .detail = detail,
                                .state = sketch_state(t->sk->s, h->merged.nodes[children[0]].first),
                                .folded = 1};
    uint32_t number = picture_add_node(&t->sk->picture, &node);
    if (parent != PICTURE_NONE)
        tree_edge(t, parent, number, "", 1, PICTURE_KEEPS);
}

/* Draws the children of a node of the tree; parent PICTURE_NONE: the holders. */
static int draw_children(struct tree *t, uint32_t number, uint32_t parent, size_t depth, size_t room)
{
    const struct ways *h = &((struct holding *)t->context)->ways;
    size_t count;
    ordinal *children = ways_children(h, number, room, &count);
    size_t shown = count > room ? room - 1 : count;
    int status = children ? 0 : -1;
    for (size_t i = 0; !status && i < shown; i++) {
        uint32_t child = (uint32_t)children[i], node = draw_node(t, child);
        if (t->sk->picture.no_memory) {
            status = -1;
            break;
        }
        int from_root = parent != PICTURE_NONE && t->sk->picture.nodes[parent].state == PICTURE_ROOT;
        if (parent != PICTURE_NONE)
            tree_edge(t, parent, node, h->labels.text[h->merged.nodes[child].label], 1,
                      from_root ? PICTURE_ROOT_EDGE : PICTURE_STRONG);
        status = add_leaf(t, child, node, depth);
    }
    if (!status && shown < count)
        draw_rest(t, parent, children + shown, count - shown);
    free(children);
    return status;
}

static int open_holder(struct tree *t, const struct leaf *leaf, size_t room)
{
    return draw_children(t, (uint32_t)leaf->id, leaf->node, leaf->depth + 1, room);
}

int sketch_merged(struct sketch *sk, const ordinal *objects, size_t count, uint64_t depth, uint8_t state)
{
    struct holding k = {.state = state};
    struct tree t = {.sk = sk, .depth_max = (size_t)depth, .open = open_holder, .context = &k};
    sk->picture.shape = PICTURE_TREE;
    int status = ways_find(sk->s, objects, count, &k.ways);
    if (!status)
        status = draw_children(&t, k.ways.merged.count, PICTURE_NONE, 0, TREE_CHILDREN);
    if (!status)
        status = tree_grow(&t);
    else
        free(t.leaves);
    ways_release(&k.ways);
    return status;
}
