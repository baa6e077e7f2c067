/* Types and modules of several snapshots under common numbers. */
#ifndef ANALYZER_COMPARE_H
#define ANALYZER_COMPARE_H

#include "../session/session.h"

struct common_types {
    uint32_t **of_type; /* by snapshot, by type id */
    int snapshots;
    uint32_t count;
    struct text *name, *module; /* by type; both live as long as the snapshots */
    uint32_t *module_of;        /* by type: the first type of its module */
};

/* Types of one name and module are one, in whatever snapshot. Needs session_classes() of all. Returns 0 or -1 without
 * memory. */
int common_types_find(const struct session *const *sessions, int count, struct common_types *result);
void common_types_release(struct common_types *types);

#endif
