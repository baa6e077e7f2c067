/* Making interpreters stand still for a dump, or for a look at them.
 *
 * Whoever has a GIL has all interpreters that use it: all there are to 3.11, and later those that were made to share it.
 * Interpreters with GILs of their own run on, and are made to stand still by taking theirs, too (gil.h). No thread is
 * made for it, and no object.
 *
 * Deadlock cannot be: a GIL that is not given up within a second is done without, and one dump at a time is made in a
 * process. Who has to wait for another dump lets go of the GIL meanwhile, so that the other can have it.
 */
#ifndef CPYTHON_STANDSTILL_H
#define CPYTHON_STANDSTILL_H

#include <stddef.h>

#include <refheap/error.h>

#include "interpreter.h"

enum { STANDSTILL_MAX = 1024 /* interpreters; more are not looked at */ };

enum still_state {
    STILL,            /* it uses the GIL of the caller, or its own was taken */
    STILL_TAKEN,      /* the first of those whose GIL was taken: gives it back */
    STILL_BUSY,       /* its GIL was not given up */
    STILL_COLLECTING, /* a collection was under way, which let go of its GIL, and did not end */
    STILL_GONE,       /* it is being made, or is ending */
    STILL_UNKNOWN,    /* it is not known where its GIL is */
};

struct still {
    uint64_t interpreter, gil;
    int64_t id;
    enum still_state state;
};

/* Large: the caller has it in a mapping, zeroed. */
struct standstill {
    const struct python *python;
    size_t count;
    uint64_t too_many;               /* interpreters for which there was no room */
    struct still all[STANDSTILL_MAX]; /* by id */
};

/* The caller has its GIL, and may lose it for a while before this returns. Fails with RH_ERR_BUSY while a collection is
 * under way in an interpreter that uses it: its objects hang on lists only the collection knows. One that has just ended
 * in the interpreter of the caller, and only has its callbacks still to call (`ended`), is none. */
int standstill_begin(struct standstill *standstill, const struct python *python, int ended, struct rh_error *err);

/* Pairs with a begin that succeeded. */
void standstill_end(struct standstill *standstill);

static inline int still_stands(const struct still *still)
{
    return still->state == STILL || still->state == STILL_TAKEN;
}

/* Whether begin would fail because of a collection. */
int standstill_is_collecting(const struct python *python, int ended);

#endif
