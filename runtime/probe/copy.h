/* A copy of the memory of a process, so that it can go on while its heap is walked.
 *
 * What the process could change is copied: private mappings it may write to, of these the pages it has (by
 * /proc/PID/pagemap; what it never touched reads as zero). So are read-only mappings, the names and tables of programs,
 * as long as they are small, lest the process has ended when they are needed. Everything else - mappings shared with
 * others, large files, reservations of more than 64 GiB - is read from the process when it is asked for, while it runs.
 *
 * The memory for the copy is taken and touched before the process is stopped: first touch costs more than the copy.
 */
#ifndef PROBE_COPY_H
#define PROBE_COPY_H

#include <sys/types.h>

#include <refheap/error.h>

#include "memory.h"
#include "process.h"

struct copy;

/* Looks at a process that runs, and takes memory for as much as there is to be copied, unless that is more than
 * `at_most` bytes. A process that may not be looked at is none of its errors. */
int copy_prepare(pid_t pid, uint64_t at_most, struct copy **out, struct rh_error *err);
void copy_release(struct copy *copy);

/* Copies, while the process stands. `maps` and `pagemap` are descriptors on its /proc files; without the latter (-1)
 * every page is taken to be there. Returns 1, or 0 when there is more than was allowed or no memory for it: the process
 * has to be walked where it stands. */
int copy_take(struct copy *copy, struct process_memory *memory, int maps, int pagemap);

/* Bytes copied, or after a refusal, bytes that would have been, as far as they were counted. */
uint64_t copy_bytes(const struct copy *copy);

/* After copy_take() gave 1, also when the process goes on: the source, the copy's, and a descriptor, the copy's too, on
 * what was mapped. The descriptor of process_memory must stay open. */
struct memory_source *copy_memory(struct copy *copy);
int copy_maps(const struct copy *copy);

#endif
