/* The memory of a process that died, from its ELF core.
 *
 * Program headers and notes alone are believed: section headers are the first thing a truncated core lacks. Memory that
 * the core leaves out because it stood in a file (the text and constants of programs, by Linux's default) is read from
 * that file, if its build-id is the one the core has in memory, and only where the process could not write. What is
 * nowhere is absent, and never zero.
 */
#ifndef PROBE_CORE_H
#define PROBE_CORE_H

#include "probe.h"

struct core;

struct core_options {
    const char *executable; /* to be used for the program's own file; may be NULL */
    const char *sysroot;    /* in front of the paths of other files; may be NULL */
};

/* What a core says of itself. */
struct core_facts {
    uint64_t pid;               /* 0 unknown */
    uint64_t expected, present; /* bytes of memory: as the core's headers say, as can be read */
    uint64_t from_files;        /* of those present, the ones that files on disk have */
    int truncated;              /* the file ends before its memory does */
    char executable[4096];      /* as it was mapped; "" unknown */
    char command_line[81];      /* its first 80 bytes */
};

int core_open(const char *path, const struct core_options *options, struct core **out, struct rh_error *err);
void core_close(struct core *core);

struct memory_source *core_memory(struct core *core);
const struct core_facts *core_facts(const struct core *core);

/* Its threads, the core's. */
const struct probe_thread *core_threads(const struct core *core, size_t *count);

/* The file on disk that stands in for a mapped one: for probe_options.file_of. */
const char *core_file_of(void *core, const char *path, char *to, size_t size);

/* A descriptor, the core's, on what was mapped, in the form of /proc/PID/maps. */
int core_maps(const struct core *core);

#endif
