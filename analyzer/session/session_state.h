/* What a session holds. Commands read it; session.c, which makes it, and session_kept.c, which takes parts of it from a
 * kept index, write it.
 */
#ifndef ANALYZER_SESSION_STATE_H
#define ANALYZER_SESSION_STATE_H

#include "../graph/cycles.h"
#include "../graph/graph.h"
#include "../graph/paths.h"
#include "../graph/roots.h"
#include "../graph/sums.h"
#include "kept.h"

/* Types of one name are one class: those of several heaps, and instances of classes made anew. */
struct type_classes {
    uint32_t *of_type;                 /* by type id */
    const struct type_record **record; /* by class: one of its types */
    uint32_t count;
};

/* Parts of a session that stand in a kept index together. */
enum kept_group {
    KEPT_ADDRESSES, /* the graph's address index */
    KEPT_GRAPH,
    KEPT_BACK,
    KEPT_VALUES,
    KEPT_GARBAGE, /* of generation 0; then 1 and 2 */
    KEPT_GARBAGE_OLDEST = KEPT_GARBAGE + 2,
    KEPT_CYCLES,
    KEPT_DOMINATORS,
    KEPT_SUMS,
    KEPT_GROUPS,
};

/* Where the values of objects stand in the file: those of the objects whose bit is set, in their order. */
struct value_index {
    uint64_t *has; /* bits */
    ordinal *rank; /* by word of `has`: values before it */
    uint64_t *place;
    uint64_t count;
};

/* Objects that are part of another to whoever wrote the program: owners.h. */
struct owners {
    ordinal *of; /* by object: its owner, or ORDINAL_NONE; NULL when nothing is owned */
    ordinal count;
};

struct session_unchecked {
    struct unchecked unchecked;
    struct session *session;
};

struct session {
    const char *path;
    int no_cache; /* no index is read or written; set before opening */
    int quiet;
    struct snapshot *snapshot;

    int has_classes;
    struct type_classes classes;

    int has_graph;
    struct graph graph;
    int has_roots;
    struct roots roots;
    int has_values;
    struct value_index values;

    int has_owners;
    struct owners owners;

    int has_garbage[3];
    struct garbage garbage[3]; /* by generation */

    int has_components, has_cycles;
    uint8_t *uncollectable; /* by ordinal */
    struct components components;
    struct cycles cycles;

    int has_dominators;
    struct dominators dominators; /* of everything */

    struct class_sums *sums; /* by class of type, of all objects; NULL until session_sums() */

    /* The index kept in a file: session_kept.c. */
    struct kept *kept;
    int kept_is_damaged;
    unsigned borrowed, unsettled; /* bits of enum kept_group: taken from it, taken and not checked yet */
    struct session_unchecked late;
    int has_file_edges;
    uint64_t members; /* of components */

    int64_t started; /* for the progress line */
    int progress_shown;
};

#endif
