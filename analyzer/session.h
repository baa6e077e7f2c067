/* One opened snapshot and what was computed of it so far. Everything is made when first needed. */
#ifndef ANALYZER_SESSION_H
#define ANALYZER_SESSION_H

#include "graph/cycles.h"
#include "graph/graph.h"
#include "graph/paths.h"
#include "graph/roots.h"

/* Types of one name are one class: those of several heaps, and instances of classes made anew. */
struct type_classes {
    uint32_t *of_type;                 /* by type id */
    const struct type_record **record; /* by class: one of its types */
    uint32_t count;
};

struct session {
    const char *path;
    int quiet;
    struct snapshot *snapshot;

    int has_classes;
    struct type_classes classes;

    int has_graph;
    struct graph graph;
    struct roots roots;
    const struct value_record **values; /* by ordinal; NULL until session_values() */

    int has_garbage[3];
    struct garbage garbage[3]; /* by generation */

    int has_cycles;
    uint8_t *uncollectable; /* by ordinal */
    struct components components;
    struct cycles cycles;

    int has_dominators;
    struct dominators dominators; /* of everything */

    int64_t started; /* for the progress line */
    int progress_shown;
};

int session_open(struct session *s, const char *path, int salvage, struct rh_error *err);
void session_close(struct session *s);

/* Each makes sure that part is there; returns 0 or a negative code. */
int session_classes(struct session *s, struct rh_error *err);                 /* classes */
int session_graph(struct session *s, struct rh_error *err);                   /* graph, classes, roots */
int session_back(struct session *s, struct rh_error *err);                    /* graph, with its edges the other way */
int session_garbage(struct session *s, int generation, struct rh_error *err); /* garbage[generation] */
int session_cycles(struct session *s, struct rh_error *err);                  /* components, cycles */
int session_dominators(struct session *s, struct rh_error *err);              /* dominators; garbage[2] and cycles */
int session_values(struct session *s, struct rh_error *err);                  /* values */

/* A column of the objects that the graph does not keep, by ordinal: for free(); NULL without memory. */
uint64_t *session_column(const struct session *s, enum object_column column);

/* The sizes of all objects together, as the file has them: no graph is needed. */
uint64_t session_bytes(const struct session *s);

/* Says on stderr what is being done, once a second has passed and somebody is looking. */
void session_progress(struct session *s, const char *what);
void session_progress_end(struct session *s);

#endif
