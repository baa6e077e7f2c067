/* Dumps by a forked copy of the process: the pause is the fork.
 *
 * The copy is made by the bare system call, with no signal at its end: the program's atfork handlers and its SIGCHLD
 * know nothing of it, and its wait() does not find it.
 */
#include <linux/sched.h>
#include <sys/wait.h>

#include "../../dumpfmt/error.h"
#include "../../dumpfmt/format.h"
#include "../../dumpfmt/rawsys.h"
#include "internal.h"

enum { JOBS = 16, EXIT_STATUS_BASE = 200 };

static int jobs[JOBS]; /* process ids of copies nobody has waited for */

/* Takes a slot that is free, after clearing away the jobs that are done. */
static int *free_slot(void)
{
    int *found = NULL;
    for (int i = 0; i < JOBS; i++) {
        if (jobs[i] && raw_syscall(SYS_wait4, jobs[i], 0, WNOHANG | __WALL, 0, 0, 0) == jobs[i])
            jobs[i] = 0;
        if (!jobs[i])
            found = &jobs[i];
    }
    return found;
}

/* How the copy says what went wrong: an errno, or one of our own codes above EXIT_STATUS_BASE. */
static int exit_status(int status, const struct rh_error *err)
{
    if (!status)
        return 0;
    return err->os_error > 0 && err->os_error < EXIT_STATUS_BASE ? err->os_error : EXIT_STATUS_BASE - status;
}

static void dump_in_copy(const char *path, unsigned flags)
{
    uint64_t all_signals = UINT64_MAX;
    struct rh_error err = {0};
    struct dump_request request = {path, flags, CAPTURED_FORK, 1};
    raw_syscall(SYS_rt_sigprocmask, 0 /* SIG_BLOCK */, (long)&all_signals, 0, sizeof all_signals, 0, 0);
    control_after_fork();
    int status = dump_heaps(&request, &err);
    raw_syscall(SYS_exit_group, exit_status(status, &err), 0, 0, 0, 0, 0);
}

int rh_dump_background(const char *path, unsigned flags, int *job, struct rh_error *err)
{
    if (!control_try_lock())
        return error_set(err, RH_ERR_BUSY, "another dump or a change of heaps is under way", "try again");
    int status = dump_judge_heaps(err);
    int *slot = status ? NULL : free_slot();
    if (!status && !slot)
        status = error_set(err, RH_ERR_BUSY, "too many background dumps are under way", "wait for one of them");
    if (!status) {
        control_before_fork();
        long pid = raw_syscall(SYS_clone, 0, 0, 0, 0, 0, 0);
        if (pid == 0)
            dump_in_copy(path, flags);
        if (pid < 0)
            status = error_set_os(err, (int)-pid, "cannot fork", "use rh_dump()");
        else
            *slot = (int)pid;
        if (pid > 0 && job)
            *job = (int)pid;
    }
    control_unlock();
    return status;
}

int rh_background_wait(int job, struct rh_error *err)
{
    int status = 0, slot = 0;
    while (slot < JOBS && (!job || jobs[slot] != job))
        slot++;
    if (slot == JOBS)
        return error_set(err, RH_ERR_NOT_FOUND, "there is no such background dump", "");
    long done;
    do
        done = raw_syscall(SYS_wait4, job, (long)&status, __WALL, 0, 0, 0);
    while (done == -EINTR);
    jobs[slot] = 0;
    if (done < 0)
        return error_set_os(err, (int)-done, "cannot wait for the background dump", "");
    if (!WIFEXITED(status))
        return error_set(err, RH_ERR_IO, "the background dump was killed", "");
    int code = WEXITSTATUS(status);
    if (code >= EXIT_STATUS_BASE)
        return error_set(err, EXIT_STATUS_BASE - code, "the background dump failed", "");
    return code ? error_set_os(err, code, "the background dump failed", "check the disk and the folder") : 0;
}
