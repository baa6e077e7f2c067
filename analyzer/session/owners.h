/* Objects that are part of another to whoever wrote the program: the `__dict__` in which a Python instance, class or
 * module keeps its attributes. Summaries, traces and pictures show the two as one unless --no-fold is given.
 */
#ifndef ANALYZER_OWNERS_H
#define ANALYZER_OWNERS_H

#include "session.h"

/* Whether an edge leads from an object to its `__dict__`. */
int edge_to_dict(const struct session *s, const struct edge *edge);

/* Finds who owns what: an object that one `__dict__` edge leads to and nothing else holds is its source's, if that is
 * nobody's. One that is shared (a module's, which its functions hold too) stays an object of its own. Wants the graph;
 * commands ask session_owners(). Returns 0, or -1 without memory. */
int owners_find(const struct session *s, struct owners *owners);
void owners_release(struct owners *owners);

/* The owner of an object, ORDINAL_NONE for none. */
static inline ordinal owner_of(const struct session *s, ordinal o)
{
    return s->owners.of ? s->owners.of[o] : ORDINAL_NONE;
}

/* Whether a heap of the snapshot can have such objects: without reading any. */
int owners_possible(const struct session *s);

#endif
