/* The shortest ways to many objects, merged: one search from all roots, then a forest of holders over its tree. */
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "paths.h"

struct merge {
    const struct graph *g;
    const struct roots *roots;
    const struct components *components;
    const uint8_t *set;
    const struct merging *how;
    ordinal *parent; /* in the tree of the search; itself for where it began, ORDINAL_NONE for what it has not met */
    uint64_t *via;   /* the edge from the parent; of a beginning its enum merged_holder */
    ordinal *queue;
    size_t queued, met; /* objects met, and those of the set among them */
    size_t wanted;
    uint8_t *needed;   /* on the way to an object of the set */
    uint32_t *node_of; /* by object */
    struct merged *result;
    uint32_t capacity;
    uint32_t *slots; /* node + 1, by parent, label and class */
    size_t mask;
};

/* ---- the search ---- */

static void meet(struct merge *m, ordinal o, ordinal parent, uint64_t via)
{
    m->parent[o] = parent;
    m->via[o] = via;
    m->queue[m->queued++] = o;
    m->met += m->set[o];
}

/* The best root of an object that is exact, or one that is not. */
static const struct root_record *root_of(const struct merge *m, ordinal o, int exact)
{
    const struct root_entry *first;
    size_t n = roots_of(m->roots, o, &first);
    for (size_t i = 0; i < n; i++)
        if (!(first[i].record->flags & ROOT_EXACT) == !exact)
            return first[i].record;
    return NULL;
}

/* Whether a way can begin at an object, in the way the turn is for. What is left for the last turn only a heap with
 * wrong counts has. */
static int is_beginning(const struct merge *m, ordinal o, enum merged_holder turn)
{
    ordinal component = m->components->component[o];
    switch (turn) {
    case HOLDER_EXACT:
        return root_of(m, o, 1) != NULL;
    case HOLDER_POSSIBLE:
        return root_of(m, o, 0) != NULL;
    case HOLDER_OUTSIDE:
        return graph_is_immortal(m->g, o) || graph_external(m->g, o) > 0;
    case HOLDER_CYCLE:
        return component != ORDINAL_NONE && m->components->cyclic[component] && !m->components->reached[component];
    default:
        return 1;
    }
}

/* Follows what was met from `at` on. */
static void follow(struct merge *m, size_t at)
{
    const struct graph *g = m->g;
    for (; at < m->queued && m->met < m->wanted; at++) {
        ordinal o = m->queue[at];
        for (uint64_t e = g->edge_start[o]; e < g->edge_start[o + 1]; e++) {
            ordinal t = g->target[e];
            if (t != ORDINAL_NONE && edge_is_counted(g->info[e]) && m->parent[t] == ORDINAL_NONE)
                meet(m, t, o, e);
        }
    }
}

static void search(struct merge *m)
{
    memset(m->parent, 0xff, (size_t)m->g->objects * sizeof *m->parent);
    for (int turn = HOLDER_EXACT; turn <= HOLDER_NOTHING && m->met < m->wanted; turn++) {
        size_t first = m->queued;
        for (ordinal o = 0; o < m->g->objects; o++)
            if (m->parent[o] == ORDINAL_NONE && (turn < HOLDER_NOTHING || m->set[o]) &&
                is_beginning(m, o, (enum merged_holder)turn))
                meet(m, o, o, (uint64_t)turn);
        follow(m, first);
    }
}

/* ---- the forest ---- */

static size_t slot_of(const struct merge *m, uint32_t parent, uint32_t label, uint32_t klass)
{
    uint64_t h = (parent * UINT64_C(0x9e3779b97f4a7c15) ^ label) * UINT64_C(0xd6e8feb86659fd93) ^ klass;
    size_t i = (size_t)(h * UINT64_C(0x9e3779b97f4a7c15) >> 20) & m->mask;
    for (; m->slots[i]; i = (i + 1) & m->mask) {
        const struct merged_node *n = &m->result->nodes[m->slots[i] - 1];
        if (n->parent == parent && n->label == label && n->klass == klass)
            break;
    }
    return i;
}

static int grow(struct merge *m)
{
    struct merged *r = m->result;
    uint32_t capacity = m->capacity ? 2 * m->capacity : 64;
    struct merged_node *more = capacity > r->count ? array_new(capacity, sizeof *more) : NULL;
    uint32_t *slots = more ? array_new(4 * (size_t)capacity, sizeof *slots) : NULL;
    if (!slots) {
        array_free(more);
        return -1;
    }
    if (r->count)
        memcpy(more, r->nodes, r->count * sizeof *more);
    array_free(r->nodes);
    array_free(m->slots);
    r->nodes = more;
    m->slots = slots;
    m->mask = 4 * (size_t)capacity - 1;
    m->capacity = capacity;
    for (uint32_t i = 0; i < r->count; i++)
        slots[slot_of(m, r->nodes[i].parent, r->nodes[i].label, r->nodes[i].klass)] = i + 1;
    return 0;
}

/* The node of this kind below `parent`; MERGED_NONE without memory. */
static uint32_t find_node(struct merge *m, uint32_t parent, uint32_t label, uint32_t klass, ordinal first)
{
    struct merged *r = m->result;
    if (label == MERGED_NONE || (r->count == m->capacity && grow(m)))
        return MERGED_NONE;
    size_t slot = slot_of(m, parent, label, klass);
    if (!m->slots[slot]) {
        r->nodes[r->count++] = (struct merged_node){.parent = parent, .label = label, .klass = klass, .first = first};
        m->slots[slot] = r->count;
    }
    return m->slots[slot] - 1;
}

static uint32_t place(struct merge *m, ordinal o)
{
    const struct merging *how = m->how;
    uint32_t klass = how->class_of_type[graph_type(m->g, o)], above, label;
    if (m->parent[o] == o) {
        enum merged_holder kind = (enum merged_holder)m->via[o];
        const struct root_record *root = kind <= HOLDER_POSSIBLE ? root_of(m, o, kind == HOLDER_EXACT) : NULL;
        above = find_node(m, MERGED_NONE, how->holder_of(how->context, kind, o, root), MERGED_NONE, o);
        return above == MERGED_NONE ? above : find_node(m, above, 0, klass, o);
    }
    above = m->node_of[m->parent[o]];
    label = how->label_of(how->context, m->parent[o], m->via[o]);
    const struct merged_node *n = &m->result->nodes[above];
    return n->label == label && n->klass == klass ? above : find_node(m, above, label, klass, o);
}

static int build(struct merge *m)
{
    struct merged *r = m->result;
    for (size_t i = m->queued; i-- > 0;) {
        ordinal o = m->queue[i];
        m->needed[o] |= m->set[o];
        m->needed[m->parent[o]] |= m->needed[o];
    }
    for (size_t i = 0; i < m->queued; i++) {
        ordinal o = m->queue[i];
        if (!m->needed[o])
            continue;
        uint32_t node = place(m, o);
        if (node == MERGED_NONE)
            return -1;
        m->node_of[o] = node;
        r->nodes[node].here++;
        r->nodes[node].objects += m->set[o];
        r->nodes[node].bytes += m->set[o] ? graph_size(m->g, o) : 0;
    }
    for (uint32_t i = r->count; i-- > 0;) {
        struct merged_node *n = &r->nodes[i];
        if (n->parent == MERGED_NONE)
            continue;
        r->nodes[n->parent].objects += n->objects;
        r->nodes[n->parent].bytes += n->bytes;
    }
    return 0;
}

int paths_merge(const struct graph *g, const struct roots *roots, const struct components *components,
                const uint8_t *set, const struct merging *how, struct merged *result)
{
    size_t n = (size_t)g->objects + 1;
    struct merge m = {.g = g, .roots = roots, .components = components, .set = set, .how = how, .result = result};
    memset(result, 0, sizeof *result);
    m.parent = array_new(n, sizeof *m.parent);
    m.via = array_new(n, sizeof *m.via);
    m.queue = array_new(n, sizeof *m.queue);
    m.needed = array_new(n, 1);
    m.node_of = array_new(n, sizeof *m.node_of);
    int status = m.parent && m.via && m.queue && m.needed && m.node_of ? 0 : -1;
    if (!status) {
        for (ordinal o = 0; o < g->objects; o++)
            m.wanted += set[o];
        search(&m);
        status = build(&m);
    }
    array_free(m.parent);
    array_free(m.via);
    array_free(m.queue);
    array_free(m.needed);
    array_free(m.node_of);
    array_free(m.slots);
    if (status)
        merged_release(result);
    return status;
}

void merged_release(struct merged *merged)
{
    array_free(merged->nodes);
    memset(merged, 0, sizeof *merged);
}
