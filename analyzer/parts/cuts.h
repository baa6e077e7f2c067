/* What --cut names: references, all references of a kind, or all references to objects. */
#ifndef ANALYZER_CUTS_H
#define ANALYZER_CUTS_H

#include "../line/command.h"
#include "../graph/what_if.h"

/* What one --cut took away. */
struct cut_record {
    const char *text; /* as it was given */
    uint64_t references;
    uint64_t uncounted; /* weak or borrowed ones: these keep nothing */
    uint64_t objects;   /* that lost all references */
    uint64_t immortal;  /* of them, immortal ones: they do not die */
    uint64_t assumed;   /* of `references`, those of possible roots */
};

/* Zeroed by the caller; room for all edges and objects of the graph. */
struct cuts {
    struct what_if_cuts marks;
    uint32_t *assumed; /* by object: how many possible roots were taken at their word; NULL when none was asked for */
    struct cut_record *records;
    size_t count;
};

/* Marks what the texts of --cut name. Needs session_values(). Returns 0, or STATUS_ERROR after saying why. */
int cuts_read(struct invocation *inv, struct cuts *cuts);
void cuts_release(struct cuts *cuts);

#endif
