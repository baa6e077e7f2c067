/* Where a writer's bytes go.
 *
 * A sink is one function; tests put their own in place to inject faults. The file sink keeps the promise that a crash
 * or a kill at any moment loses no earlier file and leaves no false one: a regular target is written under a
 * temporary name in the same folder, synced, and renamed when it is complete. Everything here is made of raw system
 * calls and is safe in a signal handler.
 */
#ifndef DUMPFMT_SINK_H
#define DUMPFMT_SINK_H

#include <stddef.h>
#include <stdint.h>

#include <refheap/error.h>

struct sink {
    /* Takes all `size` bytes. Returns 0 or minus an errno; after a failure it is not called again. */
    int (*write)(struct sink *sink, const void *bytes, size_t size);
};

enum { SINK_PATH_MAX = 4096 };

/* 8 KiB: not for the stack of a signal handler. */
struct sink_file {
    struct sink sink; /* first: the two convert into each other */
    int fd;
    int renames; /* the target is a regular file and `temporary` is being written */
    int write_error;
    int unsynced;            /* set it after opening, for a file that may be lost when the power fails */
    uint64_t signals_before; /* mask to put back */
    uint64_t pending_before;
    char path[SINK_PATH_MAX];
    char temporary[SINK_PATH_MAX];
};

/* Opens `path` for writing: a regular or new file under a temporary name, created 0600 and O_EXCL; anything else (a
 * pipe, a device) as it is. A pipe that nobody reads is refused rather than waited for. SIGPIPE and SIGXFSZ are
 * blocked for the calling thread until the sink is committed or aborted, so that a reader that went away or a limit is
 * an error and not the end of the program. */
int sink_file_open(struct sink_file *file, const char *path, struct rh_error *err);

/* A sink over a descriptor that is open already, which stays the caller's. */
void sink_file_use(struct sink_file *file, int fd);

/* Syncs, closes and gives the file its name. On failure the temporary file is gone and an earlier file under the
 * name is untouched. Ends the sink either way. */
int sink_file_commit(struct sink_file *file, struct rh_error *err);

/* Closes and removes what was written. Ends the sink. */
void sink_file_abort(struct sink_file *file);

#endif
