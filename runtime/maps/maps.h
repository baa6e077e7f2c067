/* What is mapped into a process: the lines of /proc/PID/maps, and the modules they make up.
 *
 * Used inside a dump as well as from outside, so it allocates nothing, takes its buffer from the caller, and reads
 * through raw system calls. (libelf would find a build-id too; it cannot be used where malloc cannot.)
 */
#ifndef RUNTIME_MAPS_H
#define RUNTIME_MAPS_H

#include <stddef.h>
#include <stdint.h>

enum { MAPS_BUFFER_SIZE = 16 << 10, MAPS_PATH_MAX = 4096, MAPS_BUILD_ID_MAX = 32 };

struct maps_reader {
    int fd;
    char *buffer; /* MAPS_BUFFER_SIZE bytes, the caller's */
    size_t used, at;
    int end;
};

struct map_line {
    uint64_t start, end, offset, inode;
    int readable, writable, executable, shared;
    const char *path; /* valid until the next call; "" for anonymous memory */
    size_t path_length;
};

/* Reads a file in the form of /proc/PID/maps from an open descriptor, which stays the caller's. */
void maps_begin(struct maps_reader *reader, int fd, char *buffer);

/* 1 with a line, 0 at the end, or a negative errno. Lines that are no maps lines are left out. */
int maps_next(struct maps_reader *reader, struct map_line *line);

/* Reads `size` bytes of the process at `address`. Returns 0 when all of them could be read. */
typedef int (*maps_read)(void *context, uint64_t address, void *to, size_t size);

struct module_found {
    uint64_t base, end;
    uint64_t data_end; /* `end`, or where the memory without a file that continues it ends: its own by its headers */
    char path[MAPS_PATH_MAX]; /* "" when there are no more */
    uint8_t build_id[MAPS_BUILD_ID_MAX];
    uint32_t build_id_length;
};

/* The build-id among the notes of an ELF file, 8-aligned; returns its length, 0 when there is none. */
uint32_t maps_build_id(const uint8_t *notes, size_t size, uint8_t id[MAPS_BUILD_ID_MAX]);

/* Calls `found` for each file that is mapped with code: its lowest and highest address, path, where its data ends, and the
 * build-id in its notes in memory (length 0 when it has none or it cannot be read). `module` is scratch. Returns 0 or a
 * negative errno. */
int maps_modules(struct maps_reader *reader, maps_read read, void *read_context, struct module_found *module,
                 void (*found)(void *context, const struct module_found *module), void *context);

#endif
