/* What holds a set of objects: the shortest paths to all of them, merged by type and label into a tree. */
#ifndef ANALYZER_WAYS_H
#define ANALYZER_WAYS_H

#include "../graph/forest.h"
#include "intern.h"
#include "../session/session.h"

struct ways {
    const struct session *s;
    uint64_t bytes; /* of the set */
    struct intern labels;
    struct merged merged;
    struct forest forest; /* of its nodes; vertex `count` stands over the holders */
};

/* Needs session_cycles() and session_values(). Returns 0 or -1 without memory; to be released in any case. */
int ways_find(const struct session *s, const ordinal *objects, size_t count, struct ways *result);
void ways_release(struct ways *ways);

/* The children of a node, those first below which most bytes of the set are, at most `limit` (0: all) of `*count`. The
 * array has room for *count and is for free(); NULL without memory. */
ordinal *ways_children(const struct ways *ways, uint32_t node, size_t limit, size_t *count);

#endif
