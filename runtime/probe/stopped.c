#include "stopped.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../dumpfmt/error.h"
#include "registers.h"

enum { REGISTERS_SIZE = 1024 };
enum { ROUNDS = 64 }; /* a process that makes threads faster than that is not held */

struct thread {
    pid_t id;
    int signal; /* that was about to be delivered */
};

struct stopped {
    pid_t pid;
    struct thread *threads;
    size_t count;
    struct probe_thread *readings; /* by thread that stands */
    size_t reading_count;
    int memory, maps;
};

static int not_allowed(pid_t pid, int error, struct rh_error *err)
{
    const char *hint =
        "only its owner and root may read a process's memory, and Yama (/proc/sys/kernel/yama/ptrace_scope) "
        "may allow root alone: use sudo";
    if (error == ESRCH || error == ENOENT)
        return error_format(err, RH_ERR_NOT_FOUND, "name a process that runs", "there is no process %d", (int)pid);
    error_format(err, RH_ERR_IO, hint, "process %d may not be read", (int)pid);
    err->os_error = error;
    return RH_ERR_IO;
}

static int is_known(const struct stopped *s, pid_t id)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->threads[i].id == id)
            return 1;
    return 0;
}

/* Seizes a thread and waits until it stands. 1 when it does, 0 when it has ended, or minus an errno. */
static int stop_thread(struct stopped *s, pid_t id)
{
    int status;
    struct thread *more = realloc(s->threads, (s->count + 1) * sizeof *more);
    if (!more)
        return -ENOMEM;
    s->threads = more;
    if (ptrace(PTRACE_SEIZE, id, 0, 0))
        return errno == ESRCH ? 0 : -errno;
    s->threads[s->count++] = (struct thread){id, 0};
    if (ptrace(PTRACE_INTERRUPT, id, 0, 0))
        return errno == ESRCH ? 0 : -errno;
    while (waitpid(id, &status, __WALL) < 0)
        if (errno != EINTR)
            return -errno;
    if (!WIFSTOPPED(status))
        return 0; /* it ended */
    /* Stopped by something else: a signal on its way, to be delivered when the thread goes on. */
    if (status >> 16 != PTRACE_EVENT_STOP)
        s->threads[s->count - 1].signal = WSTOPSIG(status);
    return 1;
}

/* Stops the threads that are not stopped yet; returns how many were new, or minus an errno. */
static int stop_round(struct stopped *s)
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
        status = stop_thread(s, id);
        fresh += status > 0;
    }
    closedir(tasks);
    return status < 0 ? status : fresh;
}

/* The registers of every thread; one that has ended has none. */
static void read_registers(struct stopped *s)
{
    s->readings = calloc(s->count + 1, sizeof *s->readings);
    for (size_t i = 0; s->readings && i < s->count; i++) {
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

static int open_of(pid_t pid, const char *what)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, what);
    return open(path, O_RDONLY | O_CLOEXEC);
}

int stopped_begin(pid_t pid, struct stopped **out, struct rh_error *err)
{
    struct stopped *s = calloc(1, sizeof *s);
    int fresh = 1, rounds = 0;
    *out = NULL;
    if (!s)
        return error_set(err, RH_ERR_NO_MEMORY, "not enough memory", "");
    s->pid = pid;
    s->memory = s->maps = -1;
    while (fresh > 0 && rounds++ < ROUNDS)
        fresh = stop_round(s);
    if (!fresh && s->count) {
        s->memory = open_of(pid, "mem");
        s->maps = open_of(pid, "maps");
        fresh = s->memory < 0 || s->maps < 0 ? -errno : 0;
    }
    if (fresh || !s->count) {
        int status = fresh > 0 ? error_format(err, RH_ERR_BUSY, "stop it first, in a debugger or with SIGSTOP",
                                              "process %d makes threads faster than they can be stopped", (int)pid)
                               : not_allowed(pid, fresh ? -fresh : ESRCH, err);
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

void stopped_end(struct stopped *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->count; i++)
        ptrace(PTRACE_DETACH, s->threads[i].id, 0, (void *)(intptr_t)s->threads[i].signal);
    if (s->memory >= 0)
        close(s->memory);
    if (s->maps >= 0)
        close(s->maps);
    for (size_t i = 0; i < s->reading_count; i++)
        free((void *)(uintptr_t)s->readings[i].registers);
    free(s->readings);
    free(s->threads);
    free(s);
}
