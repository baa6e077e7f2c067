/* A live process to be probed: stopped, copied and let go; or, when it is too large for that, held until the end. */
#ifndef PROBE_LIVE_H
#define PROBE_LIVE_H

#include <sys/types.h>

#include "probe.h"

struct live;

/* Stops a process, copies its memory if that is `copy_at_most` bytes or less, and lets it go on. */
int live_open(pid_t pid, uint64_t copy_at_most, struct live **out, struct rh_error *err);

/* Lets it go on, if it does not yet. */
void live_close(struct live *live);

struct memory_source *live_memory(struct live *live);

/* A descriptor, the process's, in the form of /proc/PID/maps. */
int live_maps(const struct live *live);

/* Its threads as they stood, the process's. */
const struct probe_thread *live_threads(const struct live *live, size_t *count);

/* Whether it stands still until live_close(), and how many bytes were copied, or were too many. */
int live_is_held(const struct live *live);
uint64_t live_bytes(const struct live *live);

/* The file a mapped one can be read from: in the process's own root, which a container's is not ours. For
 * probe_options.file_of. */
const char *live_file_of(void *live, const char *path, char *to, size_t size);

#endif
