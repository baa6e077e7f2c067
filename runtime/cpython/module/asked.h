/* A dump that a debugger asks for.
 *
 * A debugger that stops a program anywhere may call almost nothing in it: whatever takes a lock or memory may wait for the
 * very thread that was stopped. So all there is to call is a function without arguments, at a point where the debugger knows
 * that a thread can be started. The rest passes through static memory, and the thread does the work when the interpreter lets
 * it: it takes the GIL as any thread does, waits for the end of a collection, and dumps.
 *
 * The names below are looked up by the GDB extension (gdb/refheap_gdb/interpreter.py); offsets are promised by `version`.
 */
#ifndef CPYTHON_ASKED_H
#define CPYTHON_ASKED_H

#include <stdint.h>

enum { ASKED_VERSION = 1, ASKED_PATH_SIZE = 4096, ASKED_TEXT_SIZE = 360 };

enum asked_state {
    ASKED_IDLE,      /* nobody waits; what follows is of the last time */
    ASKED_WAITING,   /* a thread waits for the GIL, or for the end of a collection */
    ASKED_DUMPING,
    ASKED_WITHDRAWN, /* written by a debugger that gave up: the thread ends without a dump when it gets the GIL */
};

struct refheap_asked {
    char magic[16]; /* "refheap.asked" */
    uint32_t version;
    _Atomic uint32_t state;
    int32_t process; /* whose thread waits: not a forked child's */
    int32_t status;  /* of the dump: 0 or an enum rh_status */
    int32_t os_error;
    uint32_t flags; /* reserved, 0 */
    char text[ASKED_TEXT_SIZE]; /* what went wrong, as in struct rh_error: what, and a hint in brackets */
    char path[ASKED_PATH_SIZE];
};
extern struct refheap_asked refheap_asked;

/* Starts the thread that dumps to refheap_asked.path; takes back an ASKED_WITHDRAWN. Safe where pthread_create() is; needs no
 * GIL; leaves errno alone. Returns 0, or an errno: EBUSY while one waits already, ESRCH when there is no interpreter yet, or
 * none any more. */
int refheap_asked_start(void);

/* Does nothing; called by the thread, which still holds the GIL, when a dump is written or has failed: for a breakpoint. The
 * heap is still what was dumped. */
void refheap_asked_done(void);

#endif
