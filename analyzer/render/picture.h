/* A picture of a graph, before it is laid out: nodes, edges, what they mean. No snapshot is needed to draw one.
 *
 * dot_write() turns it into Graphviz's language; layout_render() (layout.h) makes an image of that, which svg_finish()
 * (svg.h) makes fit to be looked at in a browser.
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
    PICTURE_NEW,  /* between two snapshots: came, */
    PICTURE_GONE, /* and went */
    PICTURE_STATES
};

enum { PICTURE_NONE = UINT32_MAX, PICTURE_WHOLE = 1000 };

struct picture_node {
    char *title;      /* `Session "alice"` */
    char *detail;     /* "refcount 3, 1.2 KiB", lines of it; may be NULL */
    char *tooltip;    /* lines; may be NULL */
    uint64_t address; /* of the object it stands for: what it is linked by; 0 for none */
    char badge;       /* generation: '0', '1', '2', 'P' permanent, '-' untracked; 0 for none */
    uint8_t state;    /* enum picture_state */
    uint8_t folded;   /* stands for several objects */
    uint8_t focus;    /* what the picture is about */
    uint32_t cluster; /* number of its cluster, or 0 */
    /* Numbers of earlier nodes + 1 that it should stand beside, or below, or 0. */
    uint32_t beside, below;
    /* A bar below the text, parts of PICTURE_WHOLE by state; all 0 for none. */
    uint16_t bar[PICTURE_STATES];
};

enum picture_kind {
    PICTURE_STRONG,
    PICTURE_OWNED,
    PICTURE_INFERRED,
    PICTURE_WEAK,
    PICTURE_BORROWED,
    PICTURE_ROOT_EDGE,
    PICTURE_KEEPS, /* no reference: the target is there because of the source alone */
    PICTURE_KINDS
};

struct picture_edge {
    uint32_t from, to;
    char *label;
    uint64_t count; /* references it stands for */
    uint8_t kind;   /* enum picture_kind */
    uint8_t cut;    /* the reference worth cutting */
    uint8_t aside;  /* has no say in where its ends stand */
};

struct picture_cluster {
    char *title;
    char *advice;  /* what to do about it; may be NULL */
    uint8_t falls; /* a hierarchy, but for the references to cut: these have no say in where things stand */
};

enum picture_shape {
    PICTURE_GRAPH,
    PICTURE_TREE,   /* grows to the right: room for long names */
    PICTURE_FRAMES, /* clusters that have nothing to do with each other */
};

struct picture {
    char *title;
    char *remark;   /* what to know of it besides, or NULL */
    char *left_out; /* what is not drawn, or NULL */
    uint8_t shape;  /* enum picture_shape */
    uint8_t bare;   /* without title and legend: what is around it has them */
    struct picture_node *nodes;
    size_t node_count, node_room;
    struct picture_edge *edges;
    size_t edge_count, edge_room;
    struct picture_cluster *clusters; /* cluster n is clusters[n - 1] */
    size_t cluster_count, cluster_room;
    unsigned no_memory;
    int keys_hidden; /* keys that labels show anyway were not drawn: the legend says so */
};

void picture_init(struct picture *picture, const char *title);
void picture_release(struct picture *picture);

/* Texts are copied, and must be clean (text_clean). */
void picture_set_title(struct picture *picture, const char *title);

void picture_set_remark(struct picture *picture, const char *remark);

/* Replaces the lines below a node's title. */
void picture_set_detail(struct picture *picture, uint32_t node, const char *detail);

/* Adds to what is said of things that are not drawn. */
void picture_leave_out(struct picture *picture, const char *what);

/* Returns the node's number. */
uint32_t picture_add_node(struct picture *picture, const struct picture_node *node);

void picture_add_edge(struct picture *picture, const struct picture_edge *edge);

/* A frame around nodes that belong together. Returns its number. */
uint32_t picture_add_cluster(struct picture *picture, const char *title, const char *advice);

/* dot is the best to read, and grows out of all bounds with what it is given: 60 s and 3 GB for some hundred nodes with
 * random edges. A picture beyond these is laid out by sfdp, with straight thin edges behind the nodes and without their
 * names, which would cover each other. */
enum { PICTURE_DOT_NODES = 150, PICTURE_DOT_EDGES = 400 };
int picture_is_dense(const struct picture *picture);

/* What every DOT text of a picture begins with. */
#define DOT_FIRST_LINE "digraph refheap {\n"

/* The parts of such a text, for a graph too large to be a picture first: the head, then nodes (numbered as they like)
 * and edges, then "}". */
void dot_write_head(FILE *file);
void dot_write_node(FILE *file, size_t number, const struct picture_node *node);
void dot_write_edge(FILE *file, size_t number, const struct picture_edge *edge);

/* Writes the picture in DOT. Returns 0 or -1 when writing fails. */
int dot_write(const struct picture *picture, FILE *file);

/* How a state is called in classes and legends: "garbage", "dependent" and so on; and for people. */
const char *picture_state_name(unsigned state);

/* The label of an edge with the number of references it stands for. */
enum { PICTURE_LABEL_SIZE = 320 };
const char *picture_edge_label(const struct picture_edge *edge, char to[PICTURE_LABEL_SIZE]);

#endif
