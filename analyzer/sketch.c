#include "sketch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "render/text.h"

enum { ROOTS_SHOWN = 4 };

int sketch_init(struct sketch *sk, const struct session *s, const char *title, int unfolded)
{
    memset(sk, 0, sizeof *sk);
    sk->s = s;
    sk->unfolded = unfolded;
    sk->limit = unfolded ? SKETCH_NODES_UNFOLDED : SKETCH_NODES;
    picture_init(&sk->picture, title);
    sk->node_of = calloc((size_t)s->graph.objects + 1, sizeof *sk->node_of);
    return sk->node_of ? 0 : -1;
}

void sketch_release(struct sketch *sk)
{
    picture_release(&sk->picture);
    free(sk->node_of);
    memset(sk, 0, sizeof *sk);
}

/* ---- nodes ---- */

uint8_t sketch_state(const struct session *s, ordinal o)
{
    static const uint8_t states[] = {
        [FATE_LIVE] = PICTURE_LIVE,
        [FATE_GARBAGE] = PICTURE_GARBAGE,
        [FATE_DEPENDENT] = PICTURE_DEPENDENT,
        [FATE_INVISIBLE] = PICTURE_INVISIBLE,
    };
    return states[s->garbage[2].fate[o]];
}

static char badge_of(unsigned generation)
{
    return "012P-"[generation];
}

uint32_t sketch_object(struct sketch *sk, ordinal o, uint32_t cluster, int focus)
{
    const struct session *s = sk->s;
    const struct graph *g = &s->graph;
    char title[NAME_SIZE], detail[96], tooltip[2 * NAME_SIZE], n1[TEXT_NUMBER_SIZE], n2[TEXT_NUMBER_SIZE];
    if (sk->node_of[o])
        return sk->node_of[o] - 1;
    name_full(s, o, title);
    if (graph_is_immortal(g, o))
        snprintf(detail, sizeof detail, "immortal, %s", text_size(graph_size(g, o), n1));
    else
        snprintf(detail, sizeof detail, "refcount %" PRId64 ", %s", graph_refcount(g, o),
                 text_size(graph_size(g, o), n1));
    snprintf(tooltip, sizeof tooltip, "%.200s\nat 0x%" PRIx64 ", generation %s\n%s\nretains %s", title,
             graph_address(g, o), text_generation(graph_generation(g, o)), detail,
             text_size(s->dominators.retained[o], n2));
    struct picture_node node = {.title = title,
                                .detail = detail,
                                .tooltip = tooltip,
                                .address = graph_address(g, o),
                                .badge = badge_of(graph_generation(g, o)),
                                .state = sketch_state(sk->s, o),
                                .focus = (uint8_t)focus,
                                .cluster = cluster,
                                .beside = PICTURE_NONE};
    uint32_t number = picture_add_node(&sk->picture, &node);
    sk->node_of[o] = number + 1;
    sk->singles++;
    return number;
}

void sketch_group(struct sketch *sk, const ordinal *objects, size_t count, uint32_t cluster)
{
    const struct graph *g = &sk->s->graph;
    char type[NAME_SIZE], title[NAME_SIZE + 40], detail[96], n[TEXT_NUMBER_SIZE];
    uint64_t bytes = 0;
    unsigned generation = graph_generation(g, objects[0]), same = 1;
    if (count == 1) {
        sketch_object(sk, objects[0], cluster, 0);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        bytes += graph_size(g, objects[i]);
        same &= graph_generation(g, objects[i]) == generation;
    }
    snprintf(title, sizeof title, "%s more %s", text_count(count, n), name_type(sk->s, objects[0], type));
    snprintf(detail, sizeof detail, "%s together", text_size(bytes, n));
    struct picture_node node = {.title = title,
                                .detail = detail,
                                .badge = same ? badge_of(generation) : 0,
                                .state = sketch_state(sk->s, objects[0]),
                                .folded = 1,
                                .cluster = cluster,
                                .beside = PICTURE_NONE};
    uint32_t number = picture_add_node(&sk->picture, &node);
    for (size_t i = 0; i < count; i++)
        sk->node_of[objects[i]] = number + 1;
}

void sketch_roots(struct sketch *sk, ordinal o)
{
    const struct session *s = sk->s;
    const struct root_entry *roots;
    size_t n = roots_of(&s->roots, o, &roots);
    char name[NAME_SIZE], more[48], number[TEXT_NUMBER_SIZE];
    if (!sk->node_of[o])
        return;
    for (size_t i = 0; i < n && i <= ROOTS_SHOWN; i++) {
        int last = i == ROOTS_SHOWN;
        snprintf(more, sizeof more, "%s more roots", text_count(n - i, number));
        struct picture_node node = {.title = last ? more : (char *)(uintptr_t)name_root(s, roots[i].record, name),
                                    .detail = roots[i].record->flags & ROOT_EXACT ? NULL : "possibly",
                                    .state = PICTURE_ROOT,
                                    .beside = PICTURE_NONE,
                                    .folded = (uint8_t)last};
        struct picture_edge edge = {.to = sk->node_of[o] - 1, .count = 1, .kind = PICTURE_ROOT_EDGE};
        edge.from = picture_add_node(&sk->picture, &node);
        picture_add_edge(&sk->picture, &edge);
    }
}

int sketch_is_plain_key(struct sketch *sk, ordinal target, uint8_t info)
{
    int plain = !sk->unfolded && info >> LABEL_KIND_SHIFT == LABEL_IS_KEY &&
                !(graph_state(&sk->s->graph, target) & STATE_CONTAINER) && session_value(sk->s, target);
    sk->picture.keys_hidden |= plain;
    return plain;
}

/* ---- edges ---- */

/* References that are drawn as one. */
struct bundle {
    uint32_t from, to; /* nodes; from is UINT32_MAX for an empty slot */
    uint8_t kind, cut, label_kind;
    uint64_t label; /* what of the label tells bundles apart */
    ordinal object;
    uint64_t number; /* of the first */
    uint64_t count;
};

uint8_t sketch_kind(unsigned bits)
{
    if (bits & EDGE_WEAK)
        return PICTURE_WEAK;
    if (!(bits & EDGE_COUNTED))
        return PICTURE_BORROWED;
    if (bits & EDGE_INFERRED)
        return PICTURE_INFERRED;
    return bits & EDGE_TRAVERSED ? PICTURE_STRONG : PICTURE_OWNED;
}

static int is_cut(const struct sketch *sk, uint64_t number)
{
    size_t low = 0, high = sk->cut_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sk->cut[middle] < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < sk->cut_count && sk->cut[low] == number;
}

static struct bundle make_bundle(const struct sketch *sk, ordinal o, uint64_t number)
{
    const struct graph *g = &sk->s->graph;
    struct edge edge;
    graph_edge(g, o, number, &edge);
    const struct type_record *type = snapshot_type(sk->s->snapshot, graph_type(g, o));
    int attribute = edge.kind == LABEL_KEY && type && type->flags & TYPE_ATTRIBUTES;
    struct bundle b = {.from = sk->node_of[o] - 1,
                       .to = sk->node_of[edge.to] - 1,
                       .kind = sketch_kind(edge.bits),
                       .cut = (uint8_t)is_cut(sk, number),
                       .label_kind = edge.kind,
                       .object = o,
                       .number = number,
                       .count = 1};
    if (edge.kind == LABEL_FIELD || edge.kind == LABEL_STRING || attribute)
        b.label = edge.label;
    if (edge.kind == LABEL_ELEMENT)
        b.label = edge.label >> LABEL_ELEMENT_SHIFT;
    return b;
}

static int same_bundle(const struct bundle *a, const struct bundle *b)
{
    return a->from == b->from && a->to == b->to && a->kind == b->kind && a->cut == b->cut &&
           a->label_kind == b->label_kind && a->label == b->label;
}

struct bundles {
    struct bundle *slots;
    size_t capacity, used;
};

static struct bundle *bundle_slot(const struct bundles *t, const struct bundle *b)
{
    uint64_t h = ((uint64_t)b->from << 32 | b->to) * 0x9e3779b97f4a7c15u;
    h ^= (b->label * 8 + b->kind + b->label_kind * 64u + b->cut * 1024u) * 0xd6e8feb86659fd93u;
    size_t i = (size_t)(h >> 24) & (t->capacity - 1);
    while (t->slots[i].from != UINT32_MAX && !same_bundle(&t->slots[i], b))
        i = (i + 1) & (t->capacity - 1);
    return &t->slots[i];
}

static int grow_bundles(struct bundles *t)
{
    struct bundles larger = {.capacity = t->capacity ? 2 * t->capacity : 256, .used = t->used};
    larger.slots = malloc(larger.capacity * sizeof *larger.slots);
    if (!larger.slots)
        return -1;
    for (size_t i = 0; i < larger.capacity; i++)
        larger.slots[i].from = UINT32_MAX;
    for (size_t i = 0; i < t->capacity; i++)
        if (t->slots[i].from != UINT32_MAX)
            *bundle_slot(&larger, &t->slots[i]) = t->slots[i];
    free(t->slots);
    *t = larger;
    return 0;
}

static int compare_bundles(const void *pa, const void *pb)
{
    const struct bundle *a = pa, *b = pb;
    if ((a->from == UINT32_MAX) != (b->from == UINT32_MAX))
        return a->from == UINT32_MAX ? 1 : -1;
    return a->number < b->number ? -1 : a->number > b->number;
}

static void draw_bundle(struct sketch *sk, const struct bundle *b)
{
    struct edge edge;
    char name[NAME_SIZE];
    graph_edge(&sk->s->graph, b->object, b->number, &edge);
    struct picture_edge drawn = {
        .from = b->from,
        .to = b->to,
        .label =
            (char *)(uintptr_t)(b->count == 1 ? name_edge(sk->s, &edge, name) : name_edge_group(sk->s, &edge, name)),
        .count = b->count,
        .kind = b->kind,
        .cut = b->cut,
    };
    picture_add_edge(&sk->picture, &drawn);
}

int sketch_edges(struct sketch *sk)
{
    const struct graph *g = &sk->s->graph;
    struct bundles t = {NULL, 0, 0};
    int status = grow_bundles(&t);
    for (ordinal o = 0; !status && o < g->objects; o++) {
        if (!sk->node_of[o])
            continue;
        for (uint64_t e = graph_begin(g, o); !status && e < graph_end(g, o); e++) {
            if (graph_target(g, e) == ORDINAL_NONE || !sk->node_of[graph_target(g, e)])
                continue;
            struct bundle b = make_bundle(sk, o, e), *slot = bundle_slot(&t, &b);
            if (slot->from != UINT32_MAX) {
                slot->count++;
                continue;
            }
            *slot = b;
            if (++t.used * 2 > t.capacity)
                status = grow_bundles(&t);
        }
    }
    if (!status) {
        qsort(t.slots, t.capacity, sizeof *t.slots, compare_bundles);
        for (size_t i = 0; i < t.used; i++)
            draw_bundle(sk, &t.slots[i]);
    }
    free(t.slots);
    return status;
}
