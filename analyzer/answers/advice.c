#include "advice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../session/owners.h"

struct gathering {
    struct advice *advice;
    int no_memory;
};

static void keep_edge(void *context, ordinal from, uint64_t number)
{
    struct gathering *g = context;
    struct advice *a = g->advice;
    if ((a->count & (a->count - 1)) == 0) { /* room for powers of two */
        size_t room = a->count ? 2 * a->count : 1;
        uint64_t *edges = realloc(a->edges, room * sizeof *edges);
        if (edges)
            a->edges = edges;
        ordinal *sources = realloc(a->from, room * sizeof *sources);
        if (sources)
            a->from = sources;
        if (!edges || !sources) {
            g->no_memory = 1;
            return;
        }
    }
    a->edges[a->count] = number;
    a->from[a->count++] = from;
}

static struct text edge_name(const void *context, ordinal from, uint64_t number)
{
    const struct session *s = context;
    const struct value_record *key;
    const struct field_record *f;
    struct edge edge;
    ordinal o;
    graph_edge(&s->graph, from, number, &edge);
    switch (edge.kind) {
    case LABEL_FIELD:
        f = snapshot_field(s->snapshot, graph_type(&s->graph, from), (uint32_t)edge.label);
        return snapshot_string(s->snapshot, f ? f->name : 0);
    case LABEL_STRING:
        return snapshot_string(s->snapshot, (uint32_t)edge.label);
    case LABEL_KEY:
        o = address_index_find(&s->graph.index, edge.label);
        key = o == ORDINAL_NONE ? NULL : session_value(s, o);
        return key ? (struct text){(const char *)(key + 1), key->kept, key->length} : (struct text){NULL, 0, 0};
    default:
        return (struct text){NULL, 0, 0};
    }
}

/* Whose reference it is to a person: that of the owner where a `__dict__` holds it. */
static ordinal holder_of(const struct session *s, ordinal from)
{
    ordinal owner = owner_of(s, from);
    return owner == ORDINAL_NONE ? from : owner;
}

/* Whether all edges chosen are one field, or one attribute, of one type. */
static int is_one_field(const struct session *s, const struct advice *a)
{
    struct edge first, other;
    uint32_t klass = 0;
    for (size_t i = 0; i < a->count; i++) {
        uint32_t k = s->classes.of_type[graph_type(&s->graph, holder_of(s, a->from[i]))];
        graph_edge(&s->graph, a->from[i], a->edges[i], i ? &other : &first);
        if (i && (k != klass || other.kind != first.kind || other.label != first.label))
            return 0;
        klass = k;
    }
    if (!a->count)
        return 0;
    char label[NAME_SIZE];
    int attribute = owner_of(s, a->from[0]) != ORDINAL_NONE || name_edge(s, &first, label)[0] == '.';
    return first.kind == LABEL_FIELD || first.kind == LABEL_STRING || (first.kind == LABEL_KEY && attribute);
}

/* What Python itself names, and a variable of a frame, is let go of: neither can be a weak reference. */
static int is_let_go(const struct session *s, const struct edge *edge)
{
    struct text name = edge_name(s, edge->from, edge->number), type = type_name(s, edge->from);
    return edge->kind == LABEL_STRING && ((name.length > 2 && !memcmp(name.bytes, "__", 2)) ||
                                          (type.length == 5 && !memcmp(type.bytes, "frame", 5)));
}

static void describe(const struct session *s, struct advice *a)
{
    char type[NAME_SIZE], label[NAME_SIZE], target[NAME_SIZE];
    struct edge edge;
    a->is_field = is_one_field(s, a);
    if (!a->count)
        return;
    graph_edge(&s->graph, a->from[0], a->edges[0], &edge);
    name_type(s, holder_of(s, a->from[0]), type);
    if (owner_of(s, a->from[0]) != ORDINAL_NONE)
        name_attribute(s, &edge, label);
    else
        snprintf(label, sizeof label, "%s", name_edge(s, &edge, target));
    if (a->is_field && is_let_go(s, &edge))
        snprintf(a->text, sizeof a->text, "drop %.120s%.120s", type, label);
    else if (a->is_field || (edge.kind == LABEL_KEY && label[0] == '.'))
        snprintf(a->text, sizeof a->text, "make %.120s%.120s weak", type, label);
    else if (edge.kind == LABEL_IS_KEY)
        snprintf(a->text, sizeof a->text, "drop the key of %.120s", type);
    else
        snprintf(a->text, sizeof a->text, "drop %.120s%.100s -> %.120s", type, label,
                 edge.to == ORDINAL_NONE ? "?" : name_full(s, edge.to, target));
    if (a->count > 1 && !a->is_field)
        snprintf(a->text + strlen(a->text), sizeof a->text - strlen(a->text), " and %zu more", a->count - 1);
}

int advice_for_cycle(const struct session *s, ordinal cycle, struct advice *a)
{
    struct gathering gathering = {a, 0};
    const struct cut_naming naming = {edge_name, s, s->owners.of};
    memset(a, 0, sizeof *a);
    if (cycles_choose_cut(&s->graph, &s->components, s->cycles.items[cycle].component, &naming, keep_edge,
                          &gathering) ||
        gathering.no_memory) {
        advice_release(a);
        return -1;
    }
    describe(s, a);
    return 0;
}

void advice_release(struct advice *advice)
{
    free(advice->edges);
    free(advice->from);
    advice->edges = NULL;
    advice->from = NULL;
    advice->count = 0;
}
