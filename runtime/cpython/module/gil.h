/* Locks of CPython's that a dump takes for itself: the GILs of interpreters that have one of their own (3.12 on, PEP 684),
 * and the lock of the list of interpreters.
 *
 * CPython takes a GIL for a thread state, and thread states stand in their interpreter's list: one made for the time of a
 * dump would be a thread that the program does not have, and Py_EndInterpreter() ends the whole process when it is not the
 * last. So a GIL is taken here on nobody's behalf, by the protocol of CPython's own take_gil() and drop_gil(): under the
 * GIL's mutex, with the request to drop it set while somebody has it. The protocol has one duty: who was asked drops the
 * GIL and then waits until somebody else has had it, so who asks must take it, or take the request back while the GIL is
 * still held.
 *
 * Nothing here waits: what cannot be had at once is tried again by the caller.
 */
#ifndef CPYTHON_GIL_H
#define CPYTHON_GIL_H

#include "interpreter.h"

/* Whether GILs lie in memory as layout.h says, as far as that of the caller's interpreter `mine` tells, which is held. May
 * run Python code: for the import. */
int gil_is_understood(const struct python *python, uint64_t mine);

/* The GIL an interpreter uses: 0 while it has none, and where all have the same (to 3.11) or it is not known. */
uint64_t gil_of(const struct python *python, uint64_t interpreter);

/* While the list is locked, no interpreter comes or goes, nor does a thread state, and one that is in the list and not
 * ending keeps its GIL. Returns whether it is locked now. */
int gil_lock_list(const struct python *python);
void gil_unlock_list(const struct python *python);

/* Whether an interpreter is about to go. The list is locked. */
int gil_is_ending(const struct python *python, uint64_t interpreter);

enum gil_answer { GIL_HELD, GIL_TAKEN, GIL_NOT_NOW /* it could not even be looked at */ };

/* Takes a GIL when it is free. When it is held, whoever has it is asked for it (`ask`), or any request is taken back. The
 * list is locked. */
enum gil_answer gil_take(const struct python *python, uint64_t gil, int ask);

void gil_give_back(const struct python *python, uint64_t gil);

#endif
