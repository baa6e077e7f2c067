/* Snapshots of the running program. */
#ifndef REFHEAP_DUMP_H
#define REFHEAP_DUMP_H

#include <refheap/heap.h>

#ifdef __cplusplus
extern "C" {
#endif

enum rh_dump_flags {
    RH_DUMP_NO_VALUES = 1, /* leave out values, keep names */
    /* Copy the buffers of the program's own types through the kernel, so that a pointer that is wrong for a moment
     * becomes a mark in the file and not a fault: for signal handlers and debuggers. */
    RH_DUMP_GUARDED = 2,
};

/* Writes a snapshot of the calling thread's heaps to `path`: complete, or not at all. Heaps of other threads are named
 * in it as left out. Async-signal-safe: raw system calls and a mapping of its own, no lock waited for, little stack,
 * errno kept. Returns RH_ERR_BUSY when one of the heaps is being changed (in a signal handler that came in the middle
 * of something). */
RH_API int rh_dump(const char *path, unsigned flags, struct rh_error *err);

/* Asks for a dump at the next safe point of a thread that owns a heap: an allocation, a collection, rh_safepoint().
 * Async-signal-safe. Returns RH_ERR_BUSY while an earlier request is open. */
RH_API int rh_dump_request(const char *path, unsigned flags, struct rh_error *err);

/* Waits until the request that is open has been served, at most so long. Returns 0 or the error of the dump;
 * RH_ERR_BUSY when nobody came to a safe point: the text tells a thread that sleeps in the kernel, and will reach none
 * until it wakes, from one that is at work. Not for the thread that owns the heap. */
RH_API int rh_dump_wait(unsigned milliseconds, struct rh_error *err);

/* Dumps from a forked copy of the process: the caller goes on as soon as the fork is done, and the copy writes what the
 * heap was at that instant. Also heaps of other threads are in it, if they were not being changed. Returns 0 and, in
 * *job when it is not NULL, what rh_background_wait() takes. Fails with RH_ERR_BUSY as rh_dump() does, and with
 * RH_ERR_IO when the system cannot fork. */
RH_API int rh_dump_background(const char *path, unsigned flags, int *job, struct rh_error *err);

/* Waits for a background dump and returns its outcome. Jobs nobody waits for are cleared away by the next one. */
RH_API int rh_background_wait(int job, struct rh_error *err);

/* Dumps without a line of code: a program that is linked with the library looks at the environment when it makes its
 * first heap (not when it runs with the privileges of another user).
 *
 *   REFHEAP_DUMP_ON  when: words with commas between, signal:USR2 (a name without SIG, or a number), exit, nomem
 *   REFHEAP_DUMP_TO  where: a path with %p for the process id, %n for a number that counts the dumps, %t for the time
 * in seconds, %% for a percent sign; refheap-%p-%n.refheap when it is not set
 *
 * A signal that reaches a thread that owns no heap is passed on to one that does, which wakes it when it sleeps. If the
 * heap is being changed at that moment, the dump is made at its next safe point. `nomem` dumps once, when an object or
 * a buffer could not be had. What cannot be understood is said in a line on standard error. */

#ifdef __cplusplus
}
#endif
#endif
