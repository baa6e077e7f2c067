/* A process held still while its memory is read.
 *
 * Every thread is seized and interrupted (PTRACE_SEIZE sends no signal); when the holder ends, whatever ends it, the
 * kernel lets them go on. Signals that arrived meanwhile are delivered when they do.
 */
#ifndef PROBE_STOPPED_H
#define PROBE_STOPPED_H

#include <stdint.h>
#include <sys/types.h>

#include <refheap/error.h>

#include "probe.h"

struct stopped;

/* Stops all threads of a process. Fails, with the reason and what to do, and nothing stopped, when it is not allowed.
 */
int stopped_begin(pid_t pid, struct stopped **out, struct rh_error *err);

/* Descriptors, the holder's, of its memory and of what is mapped. */
int stopped_memory(const struct stopped *stopped);
int stopped_maps(const struct stopped *stopped);

/* Its threads, the holder's. */
const struct probe_thread *stopped_threads(const struct stopped *stopped, size_t *count);

/* Lets it go on. */
void stopped_end(struct stopped *stopped);

#endif
