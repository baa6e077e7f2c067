#include "ways.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../graph/array.h"
#include "../graph/top.h"
#include "../session/names.h"

static uint32_t label_of(void *context, ordinal from, uint64_t number)
{
    struct ways *h = context;
    struct edge edge;
    char label[NAME_SIZE];
    graph_edge(&h->s->graph, from, number, &edge);
    return intern_text(&h->labels, name_edge_group(h->s, &edge, label));
}

static uint32_t holder_of(void *context, enum merged_holder kind, ordinal o, const struct root_record *root)
{
    struct ways *h = context;
    char name[NAME_SIZE], text[NAME_SIZE + 16];
    if (root)
        snprintf(text, sizeof text, "%s%s", name_root(h->s, root, name), kind == HOLDER_EXACT ? "" : " (possibly)");
    else if (kind == HOLDER_OUTSIDE && graph_is_immortal(&h->s->graph, o))
        snprintf(text, sizeof text, "the runtime (immortal)");
    else if (kind == HOLDER_OUTSIDE)
        snprintf(text, sizeof text, "references from outside the heap that nothing explains");
    else
        snprintf(text, sizeof text, "%s", kind == HOLDER_CYCLE ? "garbage cycles" : "nothing");
    return intern_text(&h->labels, text);
}

int ways_find(const struct session *s, const ordinal *objects, size_t count, struct ways *h)
{
    const struct merging how = {label_of, holder_of, h, s->classes.of_type};
    memset(h, 0, sizeof *h);
    h->s = s;
    uint8_t *set = array_new((size_t)s->graph.objects + 1, 1);
    int status = set && intern_text(&h->labels, "") == 0 ? 0 : -1; /* label 0: none */
    for (size_t i = 0; !status && i < count; i++) {
        set[objects[i]] = 1;
        h->bytes += graph_size(&s->graph, objects[i]);
    }
    if (!status)
        status = paths_merge(&s->graph, &s->roots, &s->components, set, &how, &h->merged);
    array_free(set);
    ordinal *parent = status ? NULL : array_new((size_t)h->merged.count + 1, sizeof *parent);
    if (!parent)
        return -1;
    for (uint32_t i = 0; i < h->merged.count; i++)
        parent[i] = h->merged.nodes[i].parent == MERGED_NONE ? ORDINAL_NONE : h->merged.nodes[i].parent;
    status = forest_build(parent, h->merged.count, &h->forest);
    array_free(parent);
    return status;
}

void ways_release(struct ways *h)
{
    forest_release(&h->forest);
    merged_release(&h->merged);
    intern_release(&h->labels);
}

static int compare_nodes(const void *pa, const void *pb, void *context)
{
    const struct merged *m = context;
    uint32_t x = *(const uint32_t *)pa, y = *(const uint32_t *)pb;
    const struct merged_node *a = &m->nodes[x], *b = &m->nodes[y];
    if (a->bytes != b->bytes)
        return a->bytes < b->bytes ? 1 : -1;
    if (a->objects != b->objects)
        return a->objects < b->objects ? 1 : -1;
    return x < y ? -1 : x > y;
}

ordinal *ways_children(const struct ways *h, uint32_t node, size_t limit, size_t *count)
{
    union {
        const void *in;
        void *out;
    } context = {&h->merged};
    *count = h->forest.start[node + 1] - h->forest.start[node];
    ordinal *children = malloc((*count + 1) * sizeof *children);
    if (!children)
        return NULL;
    memcpy(children, h->forest.child + h->forest.start[node], *count * sizeof *children);
    top_sort(children, *count, limit, compare_nodes, context.out);
    return children;
}
