/* The memory of a process that is held still: read in bulk with process_vm_readv, or through its /proc/PID/mem where
 * the system does not have that call (ENOSYS) or does not allow it (EPERM: containers).
 */
#ifndef PROBE_PROCESS_H
#define PROBE_PROCESS_H

#include <sys/types.h>

#include "memory.h"

struct process_memory {
    struct memory_source source;
    pid_t thread; /* one that stands */
    int fd;       /* of its memory; the caller's */
    int by_file;  /* the call is not to be had */
};

void process_memory_init(struct process_memory *memory, pid_t thread, int fd);

struct process_piece {
    uint64_t address;
    size_t size;
    void *to;
};
enum { PROCESS_PIECES = 512 };

/* Reads at most PROCESS_PIECES pieces, one after the other, until one cannot be read to its end. Returns the bytes
 * read. */
size_t process_read_pieces(struct process_memory *memory, const struct process_piece *pieces, size_t count);

#endif
