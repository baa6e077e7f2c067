/* Which references of a cycle to make weak.
 *
 * Fields are declared once for a whole type, so the advice worth having is a field: "make child.parent weak". The edges
 * of the component are grouped by type of source and field; a group is an answer when the component has no cycle
 * without it. Among answers, a name that says "back pointer" wins, then fields that hold one object over arrays and
 * collections, then the fewer edges. Where the cycle runs through items of containers alone, single references are named instead.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "array.h"
#include "cycles.h"

enum { GROUPS_TRIED = 24, GROUPS_MAX = 4096, SLOTS = 4 * GROUPS_MAX };

struct group {
    uint32_t type;
    uint8_t kind;
    uint64_t field; /* number, string id, or address of the name */
    uint64_t edges;
    ordinal from; /* of its first edge */
    uint64_t number;
    int rank; /* lower is better */
};

/* The component's own edges, renumbered: member i of the component is vertex i. */
struct local {
    const struct graph *g;
    const struct components *c;
    const struct cut_naming *naming;
    const ordinal *members;
    ordinal count, component;
    struct group *groups;
    size_t group_count;
    uint32_t *slots;    /* groups by hash: number + 1, or 0 */
    uint32_t *group_of; /* by local edge */
    ordinal *to;
    uint64_t *start; /* count + 1 */
    uint64_t *number;
    uint64_t edges;
};

static ordinal local_of(const struct local *l, ordinal o)
{
    ordinal low = 0, high = l->count;
    while (high - low > 1) {
        ordinal middle = low + (high - low) / 2;
        if (l->members[middle] <= o)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static int is_inner(const struct local *l, uint64_t e)
{
    ordinal t = l->g->target[e];
    return t != ORDINAL_NONE && edge_is_counted(l->g->info[e]) && l->c->component[t] == l->component;
}

/* The object whose attributes another holds under its keys: itself, its owner, or none. */
static ordinal attributes_of(const struct local *l, ordinal o)
{
    const struct type_record *type = snapshot_type(l->g->snapshot, graph_type(l->g, o));
    if (type && type->flags & TYPE_ATTRIBUTES)
        return o;
    return l->naming->owner ? l->naming->owner[o] : ORDINAL_NONE;
}

/* What all references of one field have in common: the field, the attribute's name, the array. Items and keys of
 * containers have nothing; they are one group that is never an answer. */
static struct group group_key(const struct local *l, ordinal from, uint64_t number)
{
    const struct graph *g = l->g;
    struct group group = {
        .type = graph_type(g, from), .kind = g->info[number] >> LABEL_KIND_SHIFT, .from = from, .number = number};
    struct edge edge;
    switch (group.kind) {
    case LABEL_FIELD:
    case LABEL_STRING:
    case LABEL_ELEMENT:
        graph_edge(g, from, number, &edge);
        group.field = group.kind == LABEL_ELEMENT ? edge.label >> LABEL_ELEMENT_SHIFT : edge.label;
        break;
    case LABEL_KEY:
        group.kind = LABEL_NONE;
        if (attributes_of(l, from) != ORDINAL_NONE) {
            graph_edge(g, from, number, &edge);
            group.type = graph_type(g, attributes_of(l, from));
            group.kind = LABEL_KEY;
            group.field = edge.label;
        }
        break;
    default:
        group.kind = LABEL_NONE;
    }
    return group;
}

/* The number of an edge's group. When there are more groups than fit, the rest share the last one. */
static uint32_t find_group(struct local *l, const struct group *key)
{
    uint64_t hash = ((uint64_t)key->type << 32 ^ key->field << 8 ^ key->kind) * 0x9e3779b97f4a7c15u;
    uint32_t slot = (uint32_t)(hash >> 40) % SLOTS;
    for (; l->slots[slot]; slot = (slot + 1) % SLOTS) {
        struct group *found = &l->groups[l->slots[slot] - 1];
        if (found->type == key->type && found->kind == key->kind && found->field == key->field) {
            found->edges++;
            return l->slots[slot] - 1;
        }
    }
    if (l->group_count == GROUPS_MAX) {
        l->groups[GROUPS_MAX - 1].edges++;
        return GROUPS_MAX - 1;
    }
    l->groups[l->group_count] = *key;
    l->groups[l->group_count].edges = 1;
    l->slots[slot] = (uint32_t)++l->group_count;
    return (uint32_t)l->group_count - 1;
}

static int localize(struct local *l)
{
    const struct graph *g = l->g;
    for (ordinal i = 0; i < l->count; i++)
        for (uint64_t e = g->edge_start[l->members[i]]; e < g->edge_start[l->members[i] + 1]; e++)
            l->edges += (uint64_t)is_inner(l, e);
    l->groups = array_new(GROUPS_MAX, sizeof *l->groups);
    l->slots = array_new(SLOTS, sizeof *l->slots);
    l->group_of = array_new(l->edges + 1, sizeof *l->group_of);
    l->to = array_new(l->edges + 1, sizeof *l->to);
    l->number = array_new(l->edges + 1, sizeof *l->number);
    l->start = array_new((size_t)l->count + 1, sizeof *l->start);
    if (!l->groups || !l->slots || !l->group_of || !l->to || !l->number || !l->start)
        return -1;
    uint64_t n = 0;
    for (ordinal i = 0; i < l->count; i++) {
        l->start[i] = n;
        for (uint64_t e = g->edge_start[l->members[i]]; e < g->edge_start[l->members[i] + 1]; e++) {
            if (!is_inner(l, e))
                continue;
            struct group key = group_key(l, l->members[i], e);
            l->group_of[n] = find_group(l, &key);
            l->to[n] = local_of(l, g->target[e]);
            l->number[n++] = e;
        }
    }
    l->start[l->count] = n;
    return 0;
}

/* Whether the component is free of cycles without one group of edges: Kahn's algorithm. */
static int is_acyclic_without(const struct local *l, uint32_t group, uint32_t *degree, ordinal *queue)
{
    ordinal n = 0;
    memset(degree, 0, l->count * sizeof *degree);
    for (uint64_t e = 0; e < l->edges; e++)
        degree[l->to[e]] += l->group_of[e] != group;
    for (ordinal i = 0; i < l->count; i++)
        if (!degree[i])
            queue[n++] = i;
    for (ordinal i = 0; i < n; i++)
        for (uint64_t e = l->start[queue[i]]; e < l->start[queue[i] + 1]; e++)
            if (l->group_of[e] != group && --degree[l->to[e]] == 0)
                queue[n++] = l->to[e];
    return n == l->count;
}

static int looks_weak(struct text name)
{
    static const char *const words[] = {"parent", "owner", "back",     "prev",     "up",       "container",
                                        "weak",   "self",  "delegate", "observer", "listener", "traceback"};
    for (size_t w = 0; w < sizeof words / sizeof *words; w++) {
        size_t n = strlen(words[w]);
        for (size_t i = 0; i + n <= name.length; i++)
            if (!strncasecmp(name.bytes + i, words[w], n))
                return 1;
    }
    return 0;
}

/* Python's own names, `__class__` and the like: few of them can be made weak. */
static int is_special(struct text name)
{
    return name.length > 4 && !memcmp(name.bytes, "__", 2) && !memcmp(name.bytes + name.length - 2, "__", 2);
}

/* Whether an object of the component refers to it by items alone, as a list does. Who holds such a collection owns it:
 * nothing else would keep it, and in Python nothing can refer to it weakly. */
static int is_collection(const struct local *l, ordinal o)
{
    ordinal at = local_of(l, o);
    for (uint64_t e = l->start[at]; e < l->start[at + 1]; e++)
        if (l->groups[l->group_of[e]].kind != LABEL_NONE)
            return 0;
    return l->start[at] < l->start[at + 1];
}

static int rank_group(const struct local *l, const struct group *group)
{
    const struct cut_naming *naming = l->naming;
    if (group->kind == LABEL_ELEMENT || group->kind == LABEL_NONE)
        return 2;
    struct text name = naming->name(naming->context, group->from, group->number);
    if (looks_weak(name))
        return 0;
    return is_special(name) ? 3 : is_collection(l, l->g->target[group->number]) ? 2 : 1;
}

static int compare_groups(const void *pa, const void *pb)
{
    const struct group *const *a = pa, *const *b = pb;
    if ((*a)->rank != (*b)->rank)
        return (*a)->rank - (*b)->rank;
    if ((*a)->edges != (*b)->edges)
        return (*a)->edges < (*b)->edges ? -1 : 1;
    return (*a)->number < (*b)->number ? -1 : (*a)->number > (*b)->number;
}

/* The best group that is an answer, or GROUPS_MAX. */
static uint32_t choose_group(struct local *l, uint32_t *degree, ordinal *queue)
{
    uint32_t chosen = GROUPS_MAX;
    struct group **order = array_new(l->group_count + 1, sizeof *order);
    for (size_t i = 0; order && i < l->group_count; i++) {
        l->groups[i].rank = rank_group(l, &l->groups[i]);
        order[i] = &l->groups[i];
    }
    if (order)
        qsort(order, l->group_count, sizeof *order, compare_groups);
    for (size_t i = 0; order && i < l->group_count && i < GROUPS_TRIED && chosen == GROUPS_MAX; i++)
        if (order[i]->kind != LABEL_NONE && is_acyclic_without(l, (uint32_t)(order[i] - l->groups), degree, queue))
            chosen = (uint32_t)(order[i] - l->groups);
    array_free(order);
    return chosen;
}

/* Without one group that does it: the edges that lead back into the path of a depth-first search. */
static void cut_back_edges(const struct local *l, ordinal *path, uint64_t *next, uint8_t *seen,
                           void (*cut)(void *, ordinal, uint64_t), void *context)
{
    enum { NEW, ON_PATH, DONE };
    ordinal depth = 0;
    memset(seen, NEW, l->count);
    path[0] = 0;
    next[0] = l->start[0];
    seen[0] = ON_PATH;
    for (;;) {
        ordinal v = path[depth];
        if (next[depth] == l->start[v + 1]) {
            seen[v] = DONE;
            if (depth-- == 0)
                return;
            continue;
        }
        uint64_t e = next[depth]++;
        ordinal t = l->to[e];
        if (seen[t] == ON_PATH) {
            cut(context, l->members[v], l->number[e]);
        } else if (seen[t] == NEW) {
            path[++depth] = t;
            next[depth] = l->start[t];
            seen[t] = ON_PATH;
        }
    }
}

int cycles_choose_cut(const struct graph *g, const struct components *c, ordinal component,
                      const struct cut_naming *naming, void (*cut)(void *context, ordinal from, uint64_t number),
                      void *context)
{
    struct local l = {.g = g,
                      .c = c,
                      .naming = naming,
                      .members = c->member + c->member_start[component],
                      .count = c->member_start[component + 1] - c->member_start[component],
                      .component = component};
    uint32_t *degree = array_new((size_t)l.count + 1, sizeof *degree);
    ordinal *queue = array_new((size_t)l.count + 1, sizeof *queue);
    uint64_t *next = array_new((size_t)l.count + 1, sizeof *next);
    int status = degree && queue && next ? localize(&l) : -1;
    if (!status) {
        uint32_t group = choose_group(&l, degree, queue);
        if (group == GROUPS_MAX)
            cut_back_edges(&l, queue, next, (uint8_t *)degree, cut, context);
        else
            for (ordinal i = 0; i < l.count; i++)
                for (uint64_t e = l.start[i]; e < l.start[i + 1]; e++)
                    if (l.group_of[e] == group)
                        cut(context, l.members[i], l.number[e]);
    }
    array_free(degree);
    array_free(queue);
    array_free(next);
    array_free(l.groups);
    array_free(l.slots);
    array_free(l.group_of);
    array_free(l.to);
    array_free(l.number);
    array_free(l.start);
    return status;
}
