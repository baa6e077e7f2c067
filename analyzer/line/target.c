#include "target.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../dumpfmt/error.h"

static int is_same_file(const struct stat *st, const char *path)
{
    struct stat other;
    return path && S_ISREG(st->st_mode) && !stat(path, &other) && other.st_dev == st->st_dev &&
           other.st_ino == st->st_ino;
}

int target_refuse(const char *path, const char *reading, struct rh_error *err)
{
    struct stat st;
    if (path && !stat(path, &st) && is_same_file(&st, reading))
        return error_set(err, RH_ERR_ARGUMENT, "it is the snapshot that is read", "write to another file");
    return 0;
}

/* The mode a new file gets from anybody else. */
static mode_t usual_mode(void)
{
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

static int open_file(struct target *t, const char *path, const char *reading, int flags, struct rh_error *err)
{
    char real[PATH_MAX];
    struct stat st;
    int status = target_refuse(path, reading, err);
    if (status)
        return status;
    int exists = stat(path, &st) == 0;
    if (exists && realpath(path, real))
        path = real;
    status = sink_file_open(t->file, path, err);
    if (!status && t->file->renames && (exists || !(flags & TARGET_PRIVATE)))
        fchmod(t->file->fd, exists ? st.st_mode & 07777 : usual_mode());
    return status;
}

int target_open(struct target *t, const char *path, const char *reading, int flags, struct rh_error *err)
{
    int status = 0;
    memset(t, 0, sizeof *t);
    t->file = malloc(sizeof *t->file);
    if (!t->file)
        return error_set(err, RH_ERR_NO_MEMORY, "not enough memory", "");
    t->sink = &t->file->sink;
    if (!path || !strcmp(path, "-")) {
        sink_file_use(t->file, STDOUT_FILENO);
        t->stream = stdout;
        return 0;
    }
    status = open_file(t, path, reading, flags, err);
    if (status) {
        free(t->file);
        return status;
    }
    int copy = dup(t->file->fd);
    t->stream = copy < 0 ? NULL : fdopen(copy, "w");
    if (t->stream)
        return 0;
    status = error_set_os(err, errno, "cannot write it", "");
    if (copy >= 0)
        close(copy);
    sink_file_abort(t->file);
    free(t->file);
    return status;
}

int target_close(struct target *t, int failed, struct rh_error *err)
{
    int is_stdout = t->stream == stdout, broken = ferror(t->stream), status = 0;
    errno = 0;
    if (is_stdout ? fflush(stdout) : fclose(t->stream))
        broken = 1;
    if (broken && !failed)
        status = error_set_os(err, errno ? errno : EIO, "cannot write the result",
                              errno == ENOSPC ? "make room on the disk" : "");
    if (failed || status)
        sink_file_abort(t->file);
    else
        status = sink_file_commit(t->file, err);
    free(t->file);
    return status;
}
