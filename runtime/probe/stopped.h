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

/* Descriptors, the holder's, of its memory, of what is mapped, of which pages it has (-1 where the system does not
 * say), and of its root folder. That of the memory stays with these mappings, whatever the process becomes. */
int stopped_memory(const struct stopped *stopped);
int stopped_maps(const struct stopped *stopped);
int stopped_pagemap(const struct stopped *stopped);
int stopped_root(const struct stopped *stopped);

/* A thread that stands. */
pid_t stopped_thread(const struct stopped *stopped);

/* Its threads, the holder's. */
const struct probe_thread *stopped_threads(const struct stopped *stopped, size_t *count);

/* Lets it go on; what was read of it and the descriptors stay. */
void stopped_resume(struct stopped *stopped);

/* Lets it go on, and forgets it. */
void stopped_end(struct stopped *stopped);

#endif
