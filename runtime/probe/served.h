/* Memory that GDB serves over a socket pair: of a remote target, or of anything else that GDB alone can read.
 *
 * This side asks, one request at a time, and GDB answers. Numbers are little-endian:
 *
 *     request  uint32 kind   SERVED_READ or SERVED_FILE
 *              uint32 size   READ: how many bytes, at most SERVED_READ_MAX. FILE: length of the path that follows
 *              uint64 address
 *              path          FILE alone: as the target has it
 *     reply    uint32 kind   as asked
 *              uint32 size   of what follows
 *              bytes         READ: what is there from the address on without a gap, at most what was asked for.
 *                            FILE: the path of the same file on this machine, nothing where there is none
 *
 * There may be a second socket, for what this process forks: two that took turns on one would get each other's answers as
 * soon as one of them is killed.
 *
 * A reply of another form, and the end of the stream, end it for good: what is read after that is not there, and
 * served_intact() says so, lest a snapshot that lacks half its objects be taken for whole. GDB cancels by killing this
 * process. Nothing waits for a time: what lies behind GDB may be slow.
 */
#ifndef PROBE_SERVED_H
#define PROBE_SERVED_H

#include <sys/types.h>

#include "memory.h"

enum { SERVED_READ = 1, SERVED_FILE = 2, SERVED_READ_MAX = 1 << 20, SERVED_PATH_MAX = 4095 };

struct memory_served {
    struct memory_source source;
    int fd, fd_of_child;
    pid_t owner;
    int ended; /* and why: an errno, or 0 for a peer that keeps no rules or has gone */
};

/* The descriptors stay the caller's. fd_of_child: -1 for none. */
void memory_served_init(struct memory_served *memory, int fd, int fd_of_child);

/* For struct probe_options: a file of the target on this machine, and whether all was served as it should be. */
const char *served_file_of(void *context, const char *path, char *to, size_t size);
int served_intact(void *context, struct rh_error *err);

#endif
