#include "owners.h"

#include <string.h>

#include "../graph/array.h"

static const char dict_label[] = "__dict__";

int edge_to_dict(const struct session *s, const struct edge *edge)
{
    if (edge->kind != LABEL_STRING || !edge_is_counted(edge->bits) || edge->to == ORDINAL_NONE)
        return 0;
    struct text label = snapshot_string(s->snapshot, (uint32_t)edge->label);
    return label.length == sizeof dict_label - 1 && !memcmp(label.bytes, dict_label, label.length);
}

static int is_owned(const struct graph *g, ordinal o)
{
    return !graph_is_immortal(g, o) && graph_internal(g, o) == 1 && graph_refcount(g, o) == 1;
}

int owners_find(const struct session *s, struct owners *owners)
{
    const struct graph *g = &s->graph;
    memset(owners, 0, sizeof *owners);
    if (!owners_possible(s))
        return 0;
    owners->of = array_raw((size_t)g->objects + 1, sizeof *owners->of);
    if (!owners->of)
        return -1;
    memset(owners->of, 0xff, ((size_t)g->objects + 1) * sizeof *owners->of);
    for (ordinal o = 0; o < g->objects; o++)
        for (uint64_t e = graph_begin(g, o), end = graph_end(g, o); e < end; e++) {
            struct edge edge;
            ordinal t = graph_target(g, e);
            if (t == ORDINAL_NONE || t == o || graph_info(g, e) >> LABEL_KIND_SHIFT != LABEL_STRING || !is_owned(g, t))
                continue;
            graph_edge(g, o, e, &edge);
            if (edge_to_dict(s, &edge))
                owners->of[t] = o;
        }
    /* An owner is nobody's: of a chain every other one is taken apart. */
    for (ordinal o = 0; o < g->objects; o++) {
        if (owners->of[o] == ORDINAL_NONE)
            continue;
        if (owners->of[owners->of[o]] != ORDINAL_NONE)
            owners->of[o] = ORDINAL_NONE;
        else
            owners->count++;
    }
    return 0;
}

void owners_release(struct owners *owners)
{
    array_free(owners->of);
    memset(owners, 0, sizeof *owners);
}

int owners_possible(const struct session *s)
{
    struct record_cursor cursor = {0, 0};
    const struct heap_record *h;
    while ((h = snapshot_next_record(s->snapshot, SECTION_HEAPS, &cursor))) {
        struct text runtime = snapshot_string(s->snapshot, h->runtime);
        if (runtime.length == 7 && !memcmp(runtime.bytes, "cpython", 7))
            return 1;
    }
    return 0;
}
