/* References between what is in the picture, those that lead from one node to another in the same way drawn as one. */
#include <stdlib.h>
#include <string.h>

#include "../render/text.h"
#include "sketch.h"

/* From one fold to another there can be references of any number of names: of more than so many only one edge is drawn,
 * and of more edges than a picture of its nodes can show, those that stand for fewest references are not. */
enum { NAMES_SHOWN = 3, EDGES_A_NODE = 1, EDGES_ALWAYS = 16 };

/* References that are drawn as one. */
struct bundle {
    uint32_t from, to; /* nodes; from is UINT32_MAX for an empty slot */
    uint8_t kind, cut, label_kind;
    uint64_t label; /* what of the label tells bundles apart */
    ordinal object;
    uint64_t number; /* of the first */
    uint64_t count;
    uint64_t names; /* labels that it stands for */
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
    int attribute = edge.kind == LABEL_KEY && ((type && type->flags & TYPE_ATTRIBUTES) || sketch_shown_as(sk, o) != o);
    struct bundle b = {.from = sk->node_of[o] - 1,
                       .to = sk->node_of[edge.to] - 1,
                       .kind = sketch_kind(edge.bits),
                       .cut = (uint8_t)is_cut(sk, number),
                       .label_kind = edge.kind,
                       .object = o,
                       .number = number,
                       .count = 1,
                       .names = 1};
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

/* ---- fewer of them ---- */

static int compare_ends(const void *pa, const void *pb)
{
    const struct bundle *a = pa, *b = pb;
    if (a->from != b->from)
        return a->from < b->from ? -1 : 1;
    if (a->to != b->to)
        return a->to < b->to ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->cut != b->cut)
        return a->cut < b->cut ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

static int compare_numbers(const void *pa, const void *pb)
{
    const struct bundle *a = pa, *b = pb;
    return a->number < b->number ? -1 : a->number > b->number;
}

static int touches_fold(const struct sketch *sk, const struct bundle *b)
{
    return sk->picture.nodes[b->from].folded || sk->picture.nodes[b->to].folded;
}

/* Makes one of those that differ by their names alone, where they are many. Returns how many are left. */
static size_t merge_names(const struct sketch *sk, struct bundle *b, size_t count)
{
    size_t kept = 0;
    if (count)
        qsort(b, count, sizeof *b, compare_ends);
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && b[end].from == b[i].from && b[end].to == b[i].to && b[end].kind == b[i].kind &&
                          b[end].cut == b[i].cut;)
            end++;
        size_t most = touches_fold(sk, &b[i]) ? 1 : NAMES_SHOWN;
        if (sk->unfolded || end - i <= most) {
            memmove(b + kept, b + i, (end - i) * sizeof *b);
            kept += end - i;
            continue;
        }
        struct bundle all = b[i];
        for (size_t k = i + 1; k < end; k++) {
            all.count += b[k].count;
            all.names++;
        }
        b[kept++] = all;
    }
    return kept;
}

/* What a person looks for first comes first: what is to be cut, and what joins single objects; then by number. */
static int compare_weights(const void *pa, const void *pb)
{
    const struct bundle *a = pa, *b = pb;
    if (a->cut != b->cut)
        return a->cut ? -1 : 1;
    if (a->count != b->count)
        return a->count < b->count ? 1 : -1;
    return compare_numbers(pa, pb);
}

/* Nodes that what is kept so far joins have one number. */
static void join(uint32_t *group, size_t nodes, uint32_t a, uint32_t b)
{
    uint32_t from = group[a], to = group[b];
    for (size_t i = 0; from != to && i < nodes; i++)
        group[i] = group[i] == from ? to : group[i];
}

/* Puts those that are kept in front: all between single objects, what joins nodes that nothing else does, and of the
 * others those that stand for most references, up to `most`. */
static size_t choose(const struct sketch *sk, struct bundle *b, size_t count, size_t most)
{
    size_t nodes = sk->picture.node_count, kept = 0;
    uint32_t *group = malloc((nodes + 1) * sizeof *group);
    if (!group)
        return count;
    for (uint32_t i = 0; i < nodes; i++)
        group[i] = i;
    qsort(b, count, sizeof *b, compare_weights);
    for (int turn = 0; turn < 3; turn++)
        for (size_t i = kept; i < count; i++) {
            int joins = group[b[i].from] != group[b[i].to];
            if (turn == 0 ? touches_fold(sk, &b[i]) : turn == 1 ? !joins : kept >= most)
                continue;
            join(group, nodes, b[i].from, b[i].to);
            struct bundle chosen = b[i];
            memmove(b + kept + 1, b + kept, (i - kept) * sizeof *b);
            b[kept++] = chosen;
        }
    free(group);
    return kept;
}

static size_t leave_out_some(struct sketch *sk, struct bundle *b, size_t count)
{
    char text[128], n[TEXT_NUMBER_SIZE];
    size_t most = EDGES_A_NODE * sk->picture.node_count + EDGES_ALWAYS;
    uint64_t references = 0;
    if (sk->unfolded || count <= most)
        return count;
    size_t kept = choose(sk, b, count, most);
    for (size_t i = kept; i < count; i++)
        references += b[i].count;
    if (references) {
        snprintf(text, sizeof text, "%s to and from folded objects", text_plural(references, "reference", n));
        picture_leave_out(&sk->picture, text);
    }
    return kept;
}

static void draw_bundle(struct sketch *sk, const struct bundle *b)
{
    struct edge edge;
    char name[NAME_SIZE], names[NAME_SIZE + 40], n[TEXT_NUMBER_SIZE];
    const char *label;
    graph_edge(&sk->s->graph, b->object, b->number, &edge);
    if (sketch_shown_as(sk, b->object) != b->object)
        label = name_attribute(sk->s, &edge, name);
    else
        label = b->count == 1 ? name_edge(sk->s, &edge, name) : name_edge_group(sk->s, &edge, name);
    if (b->names > 1) {
        snprintf(names, sizeof names, "%s%sand %s", label, *label ? " " : "",
                 text_plural(b->names - 1, "other name", n));
        label = names;
    }
    uint32_t cluster = sk->picture.nodes[b->from].cluster;
    struct picture_edge drawn = {
        .from = b->from,
        .to = b->to,
        .aside = b->cut && cluster && sk->picture.clusters[cluster - 1].falls,
        .label = (char *)(uintptr_t)label,
        .count = b->count,
        .kind = b->kind,
        .cut = b->cut,
    };
    picture_add_edge(&sk->picture, &drawn);
}

/* ---- all of them ---- */

/* Between an object and what is one with it there is nothing to draw. */
static int is_inside(const struct sketch *sk, ordinal o, ordinal to)
{
    return sketch_shown_as(sk, to) == o && to != o;
}

static int bundle_edges(struct sketch *sk, ordinal o, struct bundles *t)
{
    const struct graph *g = &sk->s->graph;
    for (uint64_t e = graph_begin(g, o); e < graph_end(g, o); e++) {
        ordinal to = graph_target(g, e);
        if (to == ORDINAL_NONE || !sk->node_of[to] || is_inside(sk, o, to))
            continue;
        struct bundle b = make_bundle(sk, o, e), *slot = bundle_slot(t, &b);
        if (slot->from != UINT32_MAX) {
            slot->count++;
            continue;
        }
        *slot = b;
        if (++t->used * 2 > t->capacity && grow_bundles(t))
            return -1;
    }
    return 0;
}

/* Those there are, without the empty slots. */
static size_t gather(struct bundles *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->capacity; i++)
        if (t->slots[i].from != UINT32_MAX)
            t->slots[n++] = t->slots[i];
    return n;
}

static int compare_ordinals(const void *pa, const void *pb)
{
    ordinal a = *(const ordinal *)pa, b = *(const ordinal *)pb;
    return a < b ? -1 : a > b;
}

int sketch_edges(struct sketch *sk)
{
    struct bundles t = {NULL, 0, 0};
    if (sk->picture.no_memory) /* there may be fewer nodes than were drawn */
        return -1;
    int status = grow_bundles(&t);
    if (sk->drawn_count)
        qsort(sk->drawn, sk->drawn_count, sizeof *sk->drawn, compare_ordinals);
    for (size_t i = 0; !status && i < sk->drawn_count; i++)
        status = bundle_edges(sk, sk->drawn[i], &t);
    if (!status) {
        size_t count = leave_out_some(sk, t.slots, merge_names(sk, t.slots, gather(&t)));
        if (count)
            qsort(t.slots, count, sizeof *t.slots, compare_numbers);
        for (size_t i = 0; i < count; i++)
            draw_bundle(sk, &t.slots[i]);
    }
    free(t.slots);
    return status;
}
