/* Naming objects on the command line. */
#ifndef ANALYZER_SELECT_H
#define ANALYZER_SELECT_H

#include "command.h"

/* Objects, ascending. */
struct selection {
    ordinal *objects;
    size_t count;
};

/* Resolves 0xADDRESS, @RANK, root:NAME (one object) or type:NAME, sql:CONDITION, garbage, cycle:ID (several). A set may
 * be empty; an object that is not there is an error. Returns 0, or STATUS_ERROR after saying why. */
int select_objects(struct invocation *inv, const char *text, struct selection *result);

/* The same for exactly one object. */
int select_object(struct invocation *inv, const char *text, ordinal *result);

/* A vertex of the dominator tree: one object, or a source cycle. Needs session_dominators(). */
int select_keeper(struct invocation *inv, const char *text, ordinal *vertex);

/* Leaves in a set those that --type, --heap and --generation let through; one object is not a set. */
void select_filter(struct invocation *inv, const char *text, struct selection *selection);
int select_names_one(const char *text);
void select_release(struct selection *selection);

#endif
