#include "picture.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

static char *copy_text(struct picture *p, const char *text)
{
    char *copy = text ? strdup(text) : NULL;
    if (text && !copy)
        p->no_memory = 1;
    return copy;
}

/* Room for one more element; NULL when there is no memory. */
static void *grow(struct picture *p, void *items, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return items;
    size_t larger = *room ? 2 * *room : 32;
    void *more = realloc(items, larger * size);
    if (!more) {
        p->no_memory = 1;
        return NULL;
    }
    *room = larger;
    return more;
}

void picture_init(struct picture *p, const char *title)
{
    memset(p, 0, sizeof *p);
    p->title = copy_text(p, title);
}

void picture_release(struct picture *p)
{
    for (size_t i = 0; i < p->node_count; i++) {
        free(p->nodes[i].title);
        free(p->nodes[i].detail);
        free(p->nodes[i].tooltip);
    }
    for (size_t i = 0; i < p->edge_count; i++)
        free(p->edges[i].label);
    for (size_t i = 0; i < p->cluster_count; i++) {
        free(p->clusters[i].title);
        free(p->clusters[i].advice);
    }
    free(p->nodes);
    free(p->edges);
    free(p->clusters);
    free(p->title);
    free(p->remark);
    free(p->left_out);
    memset(p, 0, sizeof *p);
}

void picture_set_title(struct picture *p, const char *title)
{
    free(p->title);
    p->title = copy_text(p, title);
}

void picture_set_remark(struct picture *p, const char *remark)
{
    free(p->remark);
    p->remark = copy_text(p, remark);
}

void picture_set_detail(struct picture *p, uint32_t node, const char *detail)
{
    if (node >= p->node_count)
        return;
    free(p->nodes[node].detail);
    p->nodes[node].detail = copy_text(p, detail);
}

void picture_leave_out(struct picture *p, const char *what)
{
    size_t length = p->left_out ? strlen(p->left_out) + 2 : 0;
    char *longer = realloc(p->left_out, length + strlen(what) + 1);
    if (!longer) {
        p->no_memory = 1;
        return;
    }
    if (length)
        memcpy(longer + length - 2, "; ", 2);
    strcpy(longer + length, what);
    p->left_out = longer;
}

uint32_t picture_add_node(struct picture *p, const struct picture_node *node)
{
    struct picture_node *nodes = grow(p, p->nodes, p->node_count, &p->node_room, sizeof *nodes);
    if (!nodes)
        return 0;
    p->nodes = nodes;
    struct picture_node *n = &nodes[p->node_count];
    *n = *node;
    n->title = copy_text(p, node->title);
    n->detail = copy_text(p, node->detail);
    n->tooltip = copy_text(p, node->tooltip);
    return (uint32_t)p->node_count++;
}

void picture_add_edge(struct picture *p, const struct picture_edge *edge)
{
    struct picture_edge *edges = grow(p, p->edges, p->edge_count, &p->edge_room, sizeof *edges);
    if (!edges)
        return;
    p->edges = edges;
    edges[p->edge_count] = *edge;
    edges[p->edge_count++].label = copy_text(p, edge->label);
}

uint32_t picture_add_cluster(struct picture *p, const char *title, const char *advice)
{
    struct picture_cluster *clusters = grow(p, p->clusters, p->cluster_count, &p->cluster_room, sizeof *clusters);
    if (!clusters)
        return 0;
    p->clusters = clusters;
    clusters[p->cluster_count++] = (struct picture_cluster){copy_text(p, title), copy_text(p, advice), 0};
    return (uint32_t)p->cluster_count;
}

int picture_is_dense(const struct picture *p)
{
    return p->node_count > PICTURE_DOT_NODES || p->edge_count > PICTURE_DOT_EDGES;
}

const char *picture_edge_label(const struct picture_edge *e, char to[PICTURE_LABEL_SIZE])
{
    char number[TEXT_NUMBER_SIZE];
    const char *label = e->label ? e->label : "";
    if (e->count > 1)
        snprintf(to, PICTURE_LABEL_SIZE, "%.256s%s%s", label, *label ? ", " : "",
                 text_plural(e->count, "reference", number));
    else
        snprintf(to, PICTURE_LABEL_SIZE, "%.256s", label);
    return to;
}
