/* Where a command's result goes: standard output, or a file that appears whole or not at all.
 *
 * A regular file is written aside and renamed when the command has succeeded, so a command that fails leaves an earlier
 * file as it was; a symbolic link is followed; a pipe or a device is written as it is.
 */
#ifndef ANALYZER_TARGET_H
#define ANALYZER_TARGET_H

#include <stdio.h>

#include "../../dumpfmt/sink.h"

struct target {
    FILE *stream;      /* to write to, or */
    struct sink *sink; /* the same for a writer */
    struct sink_file *file;
};

enum target_flags {
    TARGET_PRIVATE = 1, /* readable by its owner alone: a snapshot */
};

/* Opens `path`; NULL or "-" is standard output. Refuses to write over `reading`, the file the command reads (or NULL).
 * Returns 0 or an error; then there is nothing to close. */
int target_open(struct target *target, const char *path, const char *reading, int flags, struct rh_error *err);

/* An error when `path` is the file `reading`, by whatever name; either may be NULL. */
int target_refuse(const char *path, const char *reading, struct rh_error *err);

/* Ends the target: commits what was written, or with `failed` forgets it. */
int target_close(struct target *target, int failed, struct rh_error *err);

#endif
