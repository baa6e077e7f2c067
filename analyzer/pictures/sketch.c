#include "sketch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../session/owners.h"
#include "../render/text.h"

enum { ROOTS_SHOWN = 4, REFERRERS_LOOKED_AT = 2000, REFERENCES_OF_OWNER = 64 };

int sketch_init(struct sketch *sk, const struct session *s, const char *title, int unfolded, size_t limit)
{
    memset(sk, 0, sizeof *sk);
    sk->s = s;
    sk->unfolded = unfolded;
    sk->limit = limit ? limit : unfolded ? SKETCH_NODES_UNFOLDED : SKETCH_NODES;
    picture_init(&sk->picture, title);
    sk->node_of = calloc((size_t)s->graph.objects + 1, sizeof *sk->node_of);
    return sk->node_of ? 0 : -1;
}

void sketch_release(struct sketch *sk)
{
    picture_release(&sk->picture);
    free(sk->node_of);
    free(sk->drawn);
    memset(sk, 0, sizeof *sk);
}

int sketch_end(struct sketch *sk)
{
    char text[128], n[2][TEXT_NUMBER_SIZE];
    if (sk->left.objects) {
        snprintf(text, sizeof text, "%s, %s", text_plural(sk->left.objects, "more object", n[0]),
                 text_size(sk->left.bytes, n[1]));
        picture_leave_out(&sk->picture, text);
    }
    if (sk->left_roots) {
        snprintf(text, sizeof text, "%s", text_plural(sk->left_roots, "more root", n[0]));
        picture_leave_out(&sk->picture, text);
    }
    return sk->picture.no_memory ? -1 : 0;
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

/* Of many referrers the first ones are looked at. */
static ordinal dict_of(const struct session *s, ordinal o)
{
    const struct graph *g = &s->graph;
    struct text type = type_name(s, o);
    if (type.length != 4 || memcmp(type.bytes, "dict", 4) || !owners_possible(s) || graph_back(g))
        return ORDINAL_NONE;
    uint64_t first = graph_back_begin(g, o), end = graph_back_end(g, o);
    for (uint64_t b = first; b < end && b < first + REFERRERS_LOOKED_AT; b++) {
        ordinal from = graph_source(g, b);
        if (graph_degree(g, from) > REFERENCES_OF_OWNER) /* what has a __dict__ has few other references */
            continue;
        for (uint64_t e = graph_begin(g, from); e < graph_end(g, from); e++) {
            struct edge edge;
            if (graph_target(g, e) != o)
                continue;
            graph_edge(g, from, e, &edge);
            if (edge_to_dict(s, &edge))
                return from;
        }
    }
    return ORDINAL_NONE;
}

const char *sketch_name(const struct session *s, ordinal o, char to[NAME_SIZE])
{
    char name[NAME_SIZE];
    ordinal owner = dict_of(s, o);
    if (owner == ORDINAL_NONE)
        return name_full(s, o, to);
    snprintf(to, NAME_SIZE, "dict of %.240s", name_full(s, owner, name));
    return to;
}

ordinal sketch_shown_as(const struct sketch *sk, ordinal o)
{
    ordinal owner = sk->unfolded ? ORDINAL_NONE : owner_of(sk->s, o);
    return owner == ORDINAL_NONE ? o : owner;
}

ordinal sketch_part(const struct sketch *sk, ordinal o)
{
    const struct graph *g = &sk->s->graph;
    if (sk->unfolded || !sk->s->owners.of)
        return ORDINAL_NONE;
    for (uint64_t e = graph_begin(g, o); e < graph_end(g, o); e++) {
        ordinal t = graph_target(g, e);
        if (t != ORDINAL_NONE && owner_of(sk->s, t) == o)
            return t;
    }
    return ORDINAL_NONE;
}

static void stand_in(struct sketch *sk, ordinal o, uint32_t node)
{
    if (sk->drawn_count == sk->drawn_room) {
        size_t room = sk->drawn_room ? 2 * sk->drawn_room : 64;
        ordinal *more = realloc(sk->drawn, room * sizeof *more);
        if (!more) {
            sk->picture.no_memory = 1;
            return;
        }
        sk->drawn = more;
        sk->drawn_room = room;
    }
    sk->drawn[sk->drawn_count++] = o;
    sk->node_of[o] = node + 1;
}

/* The same for what is one with it; returns the bytes of both. */
static uint64_t stand_in_whole(struct sketch *sk, ordinal o, uint32_t node)
{
    ordinal part = sketch_part(sk, o);
    stand_in(sk, o, node);
    if (part == ORDINAL_NONE)
        return graph_size(&sk->s->graph, o);
    stand_in(sk, part, node);
    return graph_size(&sk->s->graph, o) + graph_size(&sk->s->graph, part);
}

static char badge_of(unsigned generation)
{
    return "012P-"[generation];
}

int sketch_has_room(const struct sketch *sk)
{
    return sk->picture.node_count < sk->limit - sk->limit / 4;
}

uint32_t sketch_object(struct sketch *sk, ordinal o, uint32_t cluster, int focus)
{
    const struct session *s = sk->s;
    const struct graph *g = &s->graph;
    char title[NAME_SIZE], detail[128], tooltip[3 * NAME_SIZE], n1[TEXT_NUMBER_SIZE], n2[TEXT_NUMBER_SIZE];
    o = sketch_shown_as(sk, o);
    if (sk->node_of[o])
        return sk->node_of[o] - 1;
    uint32_t number = (uint32_t)sk->picture.node_count;
    uint64_t bytes = stand_in_whole(sk, o, number);
    sketch_name(s, o, title);
    text_size(bytes, n1);
    if (graph_is_immortal(g, o))
        snprintf(detail, sizeof detail, "immortal, %s", n1);
    else
        snprintf(detail, sizeof detail, "refcount %" PRId64 ", %s", graph_refcount(g, o), n1);
    snprintf(tooltip, sizeof tooltip, "%s\nat 0x%" PRIx64 ", generation %s\n%s%s\nretains %s", title,
             graph_address(g, o), text_generation(graph_generation(g, o)), detail,
             bytes == graph_size(g, o) ? "" : " with its __dict__", text_size(s->dominators.retained[o], n2));
    struct picture_node node = {.title = title,
                                .detail = detail,
                                .tooltip = tooltip,
                                .address = graph_address(g, o),
                                .badge = badge_of(graph_generation(g, o)),
                                .state = sketch_state(sk->s, o),
                                .focus = (uint8_t)focus,
                                .cluster = cluster};
    return picture_add_node(&sk->picture, &node);
}

static void leave_out(struct sketch *sk, const ordinal *objects, size_t count)
{
    sk->left.objects += count;
    for (size_t i = 0; i < count; i++)
        sk->left.bytes += graph_size(&sk->s->graph, objects[i]);
}

void sketch_group(struct sketch *sk, const ordinal *objects, size_t count, uint32_t cluster, const char *what)
{
    const struct graph *g = &sk->s->graph;
    char type[NAME_SIZE], title[NAME_SIZE + 40], detail[96], tooltip[2 * NAME_SIZE], n[TEXT_NUMBER_SIZE];
    uint64_t bytes = 0;
    unsigned generation = graph_generation(g, objects[0]), same = 1;
    if (sk->picture.node_count >= sk->limit) {
        leave_out(sk, objects, count);
        return;
    }
    if (count == 1) {
        sketch_object(sk, objects[0], cluster, 0);
        return;
    }
    uint32_t number = (uint32_t)sk->picture.node_count;
    for (size_t i = 0; i < count; i++) {
        bytes += stand_in_whole(sk, objects[i], number);
        same &= graph_generation(g, objects[i]) == generation;
    }
    snprintf(title, sizeof title, "%s more %s", text_count(count, n), what ? what : name_type(sk->s, objects[0], type));
    snprintf(detail, sizeof detail, "%s together", text_size(bytes, n));
    snprintf(tooltip, sizeof tooltip, "%s\n%s", title, detail);
    struct picture_node node = {.title = title,
                                .detail = detail,
                                .tooltip = tooltip,
                                .badge = same ? badge_of(generation) : 0,
                                .state = sketch_state(sk->s, objects[0]),
                                .folded = 1,
                                .cluster = cluster};
    picture_add_node(&sk->picture, &node);
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
        if (sk->picture.node_count >= sk->limit) {
            sk->left_roots += n - i;
            return;
        }
        int last = i == ROOTS_SHOWN;
        snprintf(more, sizeof more, "%s more roots", text_count(n - i, number));
        struct picture_node node = {.title = last ? more : (char *)(uintptr_t)name_root(s, roots[i].record, name),
                                    .detail = roots[i].record->flags & ROOT_EXACT ? NULL : "possibly",
                                    .state = PICTURE_ROOT,
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
