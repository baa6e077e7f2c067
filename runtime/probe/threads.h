/* Threads whose registers somebody else has read: GDB, which alone may ask for those of what it holds.
 *
 * Text, a line a thread: its id, in decimal, then its registers in hexadecimal, in the order in which Linux hands them
 * out on this machine (registers.h), as many as are known; "-" for one that is not, which reads as 0.
 */
#ifndef PROBE_THREADS_H
#define PROBE_THREADS_H

#include "probe.h"

struct threads {
    struct probe_thread *items;
    size_t count;
};

/* Reads a descriptor, which stays the caller's, to its end. Fails on what is no such text, naming the line; what was
 * read is released with threads_release() either way. */
int threads_read(int fd, struct threads *threads, struct rh_error *err);
void threads_release(struct threads *threads);

#endif
