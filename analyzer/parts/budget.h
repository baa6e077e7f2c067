/* What `check` is asked to hold a snapshot to. */
#ifndef ANALYZER_BUDGET_H
#define ANALYZER_BUDGET_H

#include "../line/command.h"

enum budget_what {
    BUDGET_GARBAGE,   /* what a full collection would find */
    BUDGET_INVISIBLE, /* and what it cannot see */
    BUDGET_OBJECTS,   /* of a type */
    BUDGET_GROWTH,    /* of a type, against the baseline */
    BUDGET_FORBIDDEN, /* objects of a type, or of a type in a generation */
    BUDGET_OVER,      /* objects with more references than holders */
    BUDGET_UNDER,     /* and with fewer */
};

enum budget_unit { UNIT_OBJECTS, UNIT_BYTES, UNIT_PERCENT };

struct budget {
    enum budget_what what;
    enum budget_unit unit;
    uint64_t limit;
    char *type;     /* name or pattern; NULL for all objects */
    int generation; /* or GENERATION_ANY */
};

struct budgets {
    struct budget *items;
    size_t count;
};

extern const struct own_option budget_options[];

/* Understands the command's own options, which are budget_options. Returns 0, -1 without memory, or STATUS_ERROR after
 * saying why. */
int budgets_read(struct invocation *inv, struct budgets *result);
void budgets_release(struct budgets *budgets);

/* "garbage", "objects", ... as in JSON. */
const char *budget_what_name(enum budget_what what);

#endif
