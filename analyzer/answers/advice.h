/* Which reference of a cycle to make weak, and how to say so. */
#ifndef ANALYZER_ADVICE_H
#define ANALYZER_ADVICE_H

#include "../session/names.h"

struct advice {
    uint64_t *edges; /* numbers of the edges to cut */
    ordinal *from;   /* their sources */
    size_t count;
    char text[2 * NAME_SIZE]; /* "make child.parent weak", "break one of 3 references: ..." */
    int is_field;             /* all of them are one field of one type */
};

/* Returns 0 or -1 without memory. Needs session_cycles() and session_values(). */
int advice_for_cycle(const struct session *s, ordinal cycle, struct advice *result);
void advice_release(struct advice *advice);

#endif
