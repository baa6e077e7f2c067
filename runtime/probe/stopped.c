#include "stopped.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../dumpfmt/error.h"
#include "registers.h"

enum { REGISTERS_SIZE = 1024 };
enum { PATIENCE = 3000 }; /* milliseconds to wait for a thread that does not stop */
enum { ROUNDS = 64 };     /* a process that makes threads faster than that is not held */

enum thread_state { SEIZED, STANDS, GONE };

struct thread {
    pid_t id;
    enum thread_state state;
};

struct stopped {
    pid_t pid;
    struct thread *threads;
    size_t count;
    struct probe_thread *readings; /* by thread that stands */
    size_t reading_count;
    int memory, maps, pagemap, root;
};

/* A number that /proc has of a process; 0 for none. `name` is "Uid:" or "TracerPid:". */
static unsigned status_of(pid_t pid, const char *name)
{
    char path[64], line[256];
    unsigned number = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f))
        if (!strncmp(line, name, strlen(name)))
            number = (unsigned)strtoul(line + strlen(name), NULL, 10);
    if (f)
        fclose(f);
    return number;
}

/* Whether a process of this user keeps its user out: its files in /proc are root's then. */
static int keeps_out(pid_t pid)
{
    char path[64];
    struct stat st;
    snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
    if (stat(path, &st) || st.st_uid == geteuid())
        return 0;
    unsigned user = status_of(pid, "Uid:");
    return user && user == geteuid();
}

static int not_allowed(pid_t pid, int error, struct rh_error *err)
{
    const char *hint =
        keeps_out(pid)
            ? "it keeps everybody but root out (PR_SET_DUMPABLE), as programs with secrets do: use sudo"
            : "only its owner and root may read its memory, or root alone (kernel.yama.ptrace_scope): use sudo";
    if (error == ESRCH || error == ENOENT)
        return error_format(err, RH_ERR_NOT_FOUND, "name a process that runs", "there is no process %d", (int)pid);
    unsigned tracer = error == EPERM ? status_of(pid, "TracerPid:") : 0;
    if (tracer && tracer != (unsigned)getpid())
        error_format(err, RH_ERR_IO, "only one debugger at a time can: in GDB, \"refheap capture FILE\" reads it",
                     "process %d is traced by process %u", (int)pid, tracer);
    else
        error_format(err, RH_ERR_IO, hint, "process %d may not be read", (int)pid);
    err->os_error = error;
    return RH_ERR_IO;
}

/* Whether a thread has ended, reaped or not. The kernel refuses to seize one on its way out as it refuses strangers. */
static int has_ended(pid_t pid, pid_t id)
{
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", (int)pid, (int)id);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = 0;
    const char *name_end = strrchr(text, ')');
    return n <= 0 || !name_end || strlen(name_end) < 3 || strchr("ZXx", name_end[2]);
}

static int is_known(const struct stopped *s, pid_t id)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->threads[i].id == id)
            return 1;
    return 0;
}

/* Seizes a thread and tells it to stop. 1 when it was told, 0 when it has ended, or minus an errno. */
static int interrupt_thread(struct stopped *s, pid_t id)
{
    struct thread *more = realloc(s->threads, (s->count + 1) * sizeof *more);
    if (!more)
        return -ENOMEM;
    s->threads = more;
    if (ptrace(PTRACE_SEIZE, id, 0, 0)) {
        int error = errno;
        return error == ESRCH || has_ended(s->pid, id) ? 0 : -error;
    }
    s->threads[s->count++] = (struct thread){id, SEIZED};
    ptrace(PTRACE_INTERRUPT, id, 0, 0); /* fails only for one that has ended: waiting tells */
    return 1;
}

static int64_t milliseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits until a thread stands. A signal that comes first is delivered at once: it would be lost with us if we were
 * killed while we keep it. 0, or -EBUSY for one that the kernel does not let stop. */
static int await_thread(struct thread *t, int64_t deadline)
{
    const struct timespec pause = {0, 100000};
    int status;
    for (;;) {
        pid_t id = waitpid(t->id, &status, __WALL | WNOHANG);
        if (id < 0 && errno == EINTR)
            continue;
        if (id < 0 || (id > 0 && !WIFSTOPPED(status))) {
            t->state = GONE;
            return 0;
        }
        if (id > 0 && status >> 16 == PTRACE_EVENT_STOP) {
            t->state = STANDS;
            return 0;
        }
        if (id > 0)
            ptrace(PTRACE_CONT, t->id, 0, (void *)(intptr_t)WSTOPSIG(status));
        else if (milliseconds() > deadline)
            return -EBUSY;
        else
            nanosleep(&pause, NULL);
    }
}

/* Stops the threads that are not stopped yet; returns how many were new, or minus an errno. */
static int stop_round(struct stopped *s, int64_t deadline)
{
    char path[64];
    int fresh = 0, status = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)s->pid);
    DIR *tasks = opendir(path);
    if (!tasks)
        return -errno;
    for (const struct dirent *entry; status >= 0 && (entry = readdir(tasks));) {
        pid_t id = (pid_t)atoi(entry->d_name);
        if (id <= 0 || is_known(s, id))
            continue;
        status = interrupt_thread(s, id);
        fresh += status > 0;
    }
    closedir(tasks);
    for (size_t i = 0; i < s->count && status >= 0; i++)
        if (s->threads[i].state == SEIZED)
            status = await_thread(&s->threads[i], deadline);
    return status < 0 ? status : fresh;
}

/* The registers of every thread; one that has ended has none. */
static void read_registers(struct stopped *s)
{
    s->readings = calloc(s->count + 1, sizeof *s->readings);
    for (size_t i = 0; s->readings && i < s->count; i++) {
        if (s->threads[i].state != STANDS)
            continue;
        uint64_t *registers = malloc(REGISTERS_SIZE);
        struct iovec to = {registers, REGISTERS_SIZE};
        if (!registers || ptrace(PTRACE_GETREGSET, s->threads[i].id, NT_PRSTATUS, &to)) {
            free(registers);
            continue;
        }
        s->readings[s->reading_count++] =
            thread_of((uint64_t)s->threads[i].id, registers, to.iov_len / sizeof *registers);
    }
}

const struct probe_thread *stopped_threads(const struct stopped *s, size_t *count)
{
    *count = s->reading_count;
    return s->readings;
}

/* A leader that has ended has no memory any more. */
pid_t stopped_thread(const struct stopped *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->threads[i].state == STANDS)
            return s->threads[i].id;
    return 0;
}

static int open_of(const struct stopped *s, const char *what, int flags)
{
    char path[80];
    snprintf(path, sizeof path, "/proc/%d/task/%d/%s", (int)s->pid, (int)stopped_thread(s), what);
    return open(path, flags | O_CLOEXEC);
}

/* Without its memory and mappings there is nothing; the rest is welcome. */
static int open_all(struct stopped *s)
{
    if (!stopped_thread(s))
        return -ESRCH;
    s->memory = open_of(s, "mem", O_RDONLY);
    s->maps = s->memory < 0 ? -1 : open_of(s, "maps", O_RDONLY);
    if (s->maps < 0)
        return -errno;
    s->pagemap = open_of(s, "pagemap", O_RDONLY);
    s->root = open_of(s, "root", O_PATH | O_DIRECTORY);
    return 0;
}

static int explain(pid_t pid, int fresh, struct rh_error *err)
{
    if (fresh > 0)
        return error_format(err, RH_ERR_BUSY, "stop it first, in a debugger or with SIGSTOP",
                            "process %d makes threads faster than they can be stopped", (int)pid);
    if (fresh == -EBUSY)
        return error_format(err, RH_ERR_BUSY, "try again: it waits for a device, or in vfork() for its child",
                            "a thread of process %d cannot be stopped now", (int)pid);
    return not_allowed(pid, -fresh, err);
}

int stopped_begin(pid_t pid, struct stopped **out, struct rh_error *err)
{
    struct stopped *s = calloc(1, sizeof *s);
    int fresh = 1, rounds = 0;
    int64_t deadline = milliseconds() + PATIENCE;
    *out = NULL;
    if (!s)
        return error_set(err, RH_ERR_NO_MEMORY, "not enough memory", "");
    s->pid = pid;
    s->memory = s->maps = s->pagemap = s->root = -1;
    while (fresh > 0 && rounds++ < ROUNDS)
        fresh = stop_round(s, deadline);
    if (!fresh)
        fresh = open_all(s);
    if (fresh) {
        int status = explain(pid, fresh, err);
        stopped_end(s);
        return status;
    }
    read_registers(s);
    *out = s;
    return 0;
}

int stopped_memory(const struct stopped *s)
{
    return s->memory;
}

int stopped_maps(const struct stopped *s)
{
    return s->maps;
}

int stopped_pagemap(const struct stopped *s)
{
    return s->pagemap;
}

int stopped_root(const struct stopped *s)
{
    return s->root;
}

void stopped_resume(struct stopped *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->threads[i].state != GONE)
            ptrace(PTRACE_DETACH, s->threads[i].id, 0, 0);
    s->count = 0;
}

void stopped_end(struct stopped *s)
{
    if (!s)
        return;
    stopped_resume(s);
    const int descriptors[] = {s->memory, s->maps, s->pagemap, s->root};
    for (size_t i = 0; i < sizeof descriptors / sizeof *descriptors; i++)
        if (descriptors[i] >= 0)
            close(descriptors[i]);
    for (size_t i = 0; i < s->reading_count; i++)
        free((void *)(uintptr_t)s->readings[i].registers);
    free(s->readings);
    free(s->threads);
    free(s);
}
