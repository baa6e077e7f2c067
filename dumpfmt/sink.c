#include "sink.h"

#include <sys/stat.h>

#include "error.h"
#include "rawsys.h"

enum { AT_CWD = -100, SIG_BLOCK_RAW = 0, SIG_SETMASK_RAW = 2, POLL_OUT = 4, SIGNAL_PIPE = 13, SIGNAL_XFSZ = 25 };
static const uint64_t write_signals = 1ull << (SIGNAL_PIPE - 1) | 1ull << (SIGNAL_XFSZ - 1);

static void block_write_signals(struct sink_file *file)
{
    raw_syscall(SYS_rt_sigprocmask, SIG_BLOCK_RAW, (long)&write_signals, (long)&file->signals_before, 8, 0, 0);
    raw_syscall(SYS_rt_sigpending, (long)&file->pending_before, 8, 0, 0, 0, 0);
}

/* Takes back the signal that a failed write left pending, unless it was pending before, and restores the mask. */
static void restore_write_signals(struct sink_file *file)
{
    uint64_t take = write_signals & ~file->pending_before;
    struct {
        long sec, nsec;
    } none = {0, 0};
    if (file->write_error == -EPIPE || file->write_error == -EFBIG)
        while (raw_syscall(SYS_rt_sigtimedwait, (long)&take, 0, (long)&none, 8, 0, 0) > 0)
            ;
    raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK_RAW, (long)&file->signals_before, 0, 8, 0, 0);
}

static int wait_writable(int fd)
{
    struct {
        int fd;
        short events, revents;
    } one = {fd, POLL_OUT, 0};
    long n = raw_syscall(SYS_ppoll, (long)&one, 1, 0, 0, 8, 0);
    return n < 0 && n != -EINTR ? (int)n : 0;
}

static int file_write(struct sink *sink, const void *bytes, size_t size)
{
    struct sink_file *file = (struct sink_file *)sink;
    const char *p = bytes;
    while (size) {
        long n = raw_write(file->fd, p, size);
        if (n == -EAGAIN)
            n = wait_writable(file->fd);
        if (n < 0) {
            file->write_error = (int)n;
            return (int)n;
        }
        p += n;
        size -= (size_t)n;
    }
    return 0;
}

static size_t text_length(const char *s)
{
    size_t n = 0;
    while (s[n])
        n++;
    return n;
}

static char *put_text(char *to, const char *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        *to++ = from[i];
    return to;
}

static char *put_number(char *to, uint64_t value, unsigned base)
{
    char digits[24];
    int n = 0;
    do
        digits[n++] = "0123456789abcdef"[value % base];
    while (value /= base);
    while (n)
        *to++ = digits[--n];
    return to;
}

/* The folder part of a path with its slash; empty for a bare name. */
static size_t folder_length(const char *path)
{
    size_t n = text_length(path);
    while (n && path[n - 1] != '/')
        n--;
    return n;
}

/* FOLDER/.refheap-PID-RANDOM.tmp: short, so that a target of any length has room for it. */
static int create_temporary(struct sink_file *file)
{
    size_t folder = folder_length(file->path);
    for (int attempt = 0; attempt < 16; attempt++) {
        uint64_t random = 0;
        if (raw_getrandom(&random, sizeof random) != sizeof random)
            random = (uint64_t)(uintptr_t)file + (uint64_t)attempt;
        char *p = put_text(file->temporary, file->path, folder);
        p = put_text(p, ".refheap-", 9);
        p = put_number(p, (uint64_t)raw_getpid(), 10);
        *p++ = '-';
        p = put_number(p, random & 0xffffffff, 16);
        p = put_text(p, ".tmp", 4);
        *p = 0;
        long fd = raw_openat(AT_CWD, file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd != -EEXIST)
            return (int)fd;
    }
    return -EEXIST;
}

/* Opens a target that exists and is no regular file. Without O_NONBLOCK, opening a pipe would wait for a reader that
 * may never come. */
static int open_special(const char *path)
{
    long fd = raw_openat(AT_CWD, path, O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
    if (fd >= 0)
        raw_syscall(SYS_fcntl, fd, F_SETFL, O_WRONLY, 0, 0, 0);
    return (int)fd;
}

int sink_file_open(struct sink_file *file, const char *path, struct rh_error *err)
{
    struct stat st;
    size_t length = text_length(path);

    file->sink.write = file_write;
    file->fd = -1;
    file->renames = 0;
    file->write_error = 0;
    file->unsynced = 0;
    file->temporary[0] = 0;
    if (length == 0)
        return error_set(err, RH_ERR_ARGUMENT, "the name of the file to write is empty", "give a path");
    if (length + 64 > SINK_PATH_MAX)
        return error_set(err, RH_ERR_ARGUMENT, "the name of the file to write is too long", "use a shorter path");
    put_text(file->path, path, length + 1);

    long found = raw_syscall(SYS_newfstatat, AT_CWD, (long)path, (long)&st, 0, 0, 0);
    if (found == 0 && S_ISDIR(st.st_mode))
        return error_set_os(err, EISDIR, "cannot write it", "name a file in it");
    if (found == 0 && !S_ISREG(st.st_mode)) {
        file->fd = open_special(path);
        if (file->fd == -ENXIO)
            return error_set_os(err, ENXIO, "cannot write: nobody reads this pipe", "start the reader first");
    } else {
        file->fd = create_temporary(file);
        file->renames = file->fd >= 0;
    }
    if (file->fd < 0)
        return error_set_os(err, -file->fd, "cannot create a file there", "choose a folder that can be written");
    block_write_signals(file);
    return 0;
}

void sink_file_use(struct sink_file *file, int fd)
{
    file->sink.write = file_write;
    file->fd = fd;
    file->renames = 0;
    file->write_error = 0;
    file->unsynced = 0;
    file->path[0] = 0;
    file->temporary[0] = 0;
    block_write_signals(file);
}

static void sync_folder(struct sink_file *file)
{
    size_t folder = folder_length(file->path);
    /* `temporary` is free once the rename is done, and holds any folder `path` has. */
    put_text(file->temporary, folder ? file->path : "./", folder ? folder : 2)[0] = 0;
    long fd = raw_openat(AT_CWD, file->temporary, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0)
        return;
    raw_syscall(SYS_fsync, fd, 0, 0, 0, 0, 0);
    raw_close((int)fd);
}

int sink_file_commit(struct sink_file *file, struct rh_error *err)
{
    long status = 0;
    if (file->renames && !file->unsynced) {
        status = raw_syscall(SYS_fsync, file->fd, 0, 0, 0, 0, 0);
        if (status == -EINVAL || status == -EROFS)
            status = 0; /* a file system that cannot sync */
    }
    if (file->path[0]) {
        long closed = raw_close(file->fd);
        if (status == 0 && closed != -EINTR)
            status = closed;
    }
    if (file->renames && status == 0) {
        status = raw_syscall(SYS_renameat, AT_CWD, (long)file->temporary, AT_CWD, (long)file->path, 0, 0);
        if (status == 0 && !file->unsynced)
            sync_folder(file);
    }
    if (file->renames && status < 0)
        raw_syscall(SYS_unlinkat, AT_CWD, (long)file->temporary, 0, 0, 0, 0);
    restore_write_signals(file);
    file->fd = -1;
    if (status < 0)
        return error_set_os(err, (int)-status, "cannot finish the file", "check the disk and the folder");
    return 0;
}

void sink_file_abort(struct sink_file *file)
{
    if (file->fd < 0)
        return;
    if (file->path[0])
        raw_close(file->fd);
    if (file->renames)
        raw_syscall(SYS_unlinkat, AT_CWD, (long)file->temporary, 0, 0, 0, 0);
    restore_write_signals(file);
    file->fd = -1;
}
