/* why, for a set of objects: the shortest paths to all of them, merged by type and label. */
#ifndef ANALYZER_WHY_SET_H
#define ANALYZER_WHY_SET_H

#include "../line/command.h"
#include "../line/select.h"

/* Shows the tree of holders. Needs session_cycles() and session_values(). Returns an enum command_status, after saying
 * why when it is STATUS_ERROR. */
int why_set(struct invocation *inv, const struct selection *set, size_t depth_max);

#endif
