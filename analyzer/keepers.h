/* Vertices of the dominator tree as keepers: objects, and source cycles as such. All need session_dominators(). */
#ifndef ANALYZER_KEEPERS_H
#define ANALYZER_KEEPERS_H

#include "names.h"

/* The cycle a vertex stands for or is a member of, ORDINAL_NONE for none. */
ordinal keeper_cycle(const struct session *s, ordinal vertex);

/* Its own bytes: of a cycle, those of its members. */
uint64_t keeper_shallow(const struct session *s, ordinal vertex);

/* `dict "config"`, "cycle 3: 2 connection", "all objects" for the super-root. */
const char *keeper_name(const struct session *s, ordinal vertex, char to[NAME_SIZE]);

#endif
