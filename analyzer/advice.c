#include "advice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static struct text field_name(const void *context, uint32_t type, uint32_t field)
{
    const struct session *s = context;
    const struct field_record *f = snapshot_field(s->snapshot, type, field);
    return snapshot_string(s->snapshot, f ? f->name : 0);
}

static void describe(const struct session *s, struct advice *a)
{
    char type[NAME_SIZE], label[NAME_SIZE], target[NAME_SIZE];
    struct edge edge;
    a->is_field = a->count > 0;
    for (size_t i = 0; i < a->count; i++)
        a->is_field &= graph_info(&s->graph, a->edges[i]) >> LABEL_KIND_SHIFT == LABEL_FIELD &&
                       s->classes.of_type[graph_type(&s->graph, a->from[i])] ==
                           s->classes.of_type[graph_type(&s->graph, a->from[0])];
    if (!a->count)
        return;
    graph_edge(&s->graph, a->from[0], a->edges[0], &edge);
    name_type(s, a->from[0], type);
    if (a->is_field) {
        for (size_t i = 1; i < a->count; i++) {
            struct edge other;
            graph_edge(&s->graph, a->from[i], a->edges[i], &other);
            a->is_field &= other.label == edge.label;
        }
    }
    int attribute = edge.kind == LABEL_KEY && name_edge(s, &edge, label)[0] == '.';
    if (a->is_field || attribute)
        snprintf(a->text, sizeof a->text, "make %.120s%.120s weak", type, name_edge(s, &edge, label));
    else if (edge.kind == LABEL_IS_KEY)
        snprintf(a->text, sizeof a->text, "drop the key of %.120s", type);
    else
        snprintf(a->text, sizeof a->text, "drop %.120s%.100s -> %.120s", type, name_edge(s, &edge, label),
                 edge.to == ORDINAL_NONE ? "?" : name_full(s, edge.to, target));
    if (a->count > 1 && !a->is_field)
        snprintf(a->text + strlen(a->text), sizeof a->text - strlen(a->text), " and %zu more", a->count - 1);
}

int advice_for_cycle(const struct session *s, ordinal cycle, struct advice *a)
{
    struct gathering gathering = {a, 0};
    memset(a, 0, sizeof *a);
    if (cycles_choose_cut(&s->graph, &s->components, s->cycles.items[cycle].component, field_name, s, keep_edge,
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
