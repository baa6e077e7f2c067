/* A picture of a graph, before it is laid out: nodes, edges, what they mean. No snapshot is needed to draw one.
 *
 * dot_write() turns it into Graphviz's language; layout_render() (layout.h) makes an image of that.
 */
#ifndef RENDER_PICTURE_H
#define RENDER_PICTURE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum picture_state {
    PICTURE_LIVE,
    PICTURE_GARBAGE,
    PICTURE_DEPENDENT,
    PICTURE_INVISIBLE,
    PICTURE_ROOT,
    PICTURE_STATES
};

struct picture_node {
    char *title;      /* "Session alice" */
    char *detail;     /* "refs 3, 1.2 KiB"; may be NULL */
    char *tooltip;    /* may be NULL */
    char badge;       /* generation: '0', '1', '2', 'P' permanent, '-' untracked; 0 for none */
    uint8_t state;    /* enum picture_state */
    uint8_t folded;   /* stands for several objects */
    uint8_t focus;    /* what the picture is about */
    uint32_t cluster; /* number of its cluster, or 0 */
};

enum picture_kind {
    PICTURE_STRONG,
    PICTURE_OWNED,
    PICTURE_INFERRED,
    PICTURE_WEAK,
    PICTURE_BORROWED,
    PICTURE_ROOT_EDGE
};

struct picture_edge {
    uint32_t from, to;
    char *label;
    uint64_t count; /* references it stands for */
    uint8_t kind;   /* enum picture_kind */
    uint8_t cut;    /* the reference worth cutting */
};

struct picture {
    char *title;
    struct picture_node *nodes;
    size_t node_count, node_room;
    struct picture_edge *edges;
    size_t edge_count, edge_room;
    char **clusters; /* titles; cluster n is clusters[n - 1] */
    size_t cluster_count, cluster_room;
    unsigned no_memory;
    int keys_hidden; /* keys that labels show anyway were not drawn: the legend says so */
};

void picture_init(struct picture *picture, const char *title);
void picture_release(struct picture *picture);

/* Each copies its texts, which must be clean (text_clean). Returns the node's number. */
uint32_t picture_add_node(struct picture *picture, const struct picture_node *node);

void picture_add_edge(struct picture *picture, const struct picture_edge *edge);

/* A frame around nodes that belong together. Returns its number. */
uint32_t picture_add_cluster(struct picture *picture, const char *title);

/* What every DOT text of a picture begins with. */
#define DOT_FIRST_LINE "digraph refheap {\n"

/* The parts of such a text, for a graph too large to be a picture first: the head, then nodes (numbered as they like)
 * and edges, then "}". */
void dot_write_head(FILE *file);
void dot_write_node(FILE *file, size_t number, const struct picture_node *node);
void dot_write_edge(FILE *file, const struct picture_edge *edge);

/* Writes the picture in DOT. Returns 0 or -1 when writing fails. */
int dot_write(const struct picture *picture, FILE *file);

#endif
