/* Dumps on a signal and at exit.
 *
 * A signal handler can do nothing to an interpreter that may be anywhere; it wakes a thread that sleeps from the start.
 * That thread takes the GIL as any Python thread does, so it gets it between two bytecodes or while the others wait or
 * sleep in C; it waits for a collection to end, and dumps.
 */
#ifndef CPYTHON_TRIGGER_H
#define CPYTHON_TRIGGER_H

#include "inside.h"

struct trigger_request {
    int signal; /* 0: none */
    int on_exit, on_no_memory;
    unsigned flags; /* of inside_request */
    const char *pattern; /* as pattern.h says; copied */
};

/* Replaces what an earlier call asked for. The caller holds the GIL. Returns 0 or minus an errno. */
int trigger_set(const struct python *python, const struct trigger_request *request);

/* Dumps now for an event, when it was asked for; says on stderr when it fails. The caller holds the GIL. */
void trigger_exit(void);
void trigger_no_memory(void);

/* A collection has ended, and all objects are in the collector's lists again. The caller holds the GIL. */
void trigger_collected(void);

/* In a forked child: the thread is not there any more. Returns 0 or minus an errno. */
int trigger_forked(void);

#endif
