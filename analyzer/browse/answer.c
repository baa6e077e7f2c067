#include "answer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../line/options.h"

enum { KEPT_MOST = 16 << 20, PIECE = 1 << 16 };

/* Runs the command in the copy; stdout and stderr are the pipe already. */
static int ask(struct invocation *inv, const struct question *q)
{
    const char *arguments[QUESTION_WORDS + 1];
    struct own_word own_words[QUESTION_WORDS];
    char *words[QUESTION_WORDS];
    struct invocation child = {.command = q->command, .argv = arguments, .own_words = own_words};
    for (int i = 0; i < q->count; i++)
        if (!(words[i] = strdup(q->words[i])))
            return STATUS_ERROR;
    if (options_parse(&child, q->count, words))
        return STATUS_ERROR;
    child.session = inv->session;
    child.session.quiet = 1;
    child.out.file = stdout;
    int status = q->command->run(&child);
    return fflush(stdout) ? STATUS_ERROR : status;
}

/* A process of its own, with children of its own that can be stopped with it; when this one is gone, so is it. */
static void become_copy(int out, pid_t parent)
{
    static const int signals[] = {SIGINT,  SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH,
                                  SIGSEGV, SIGBUS,  SIGILL, SIGFPE,  SIGABRT, SIGCHLD};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        signal(signals[i], SIG_DFL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(STATUS_ERROR);
    int null = open("/dev/null", O_RDONLY);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0)
        _exit(STATUS_ERROR);
}

int answer_begin(struct answer *a, struct invocation *inv, const struct question *q)
{
    int ends[2];
    pid_t parent = getpid();
    *a = (struct answer){.fd = -1, .status = -1};
    if (pipe2(ends, O_CLOEXEC))
        return -1;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        become_copy(ends[1], parent);
        _exit(ask(inv, q));
    }
    int saved = errno;
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        errno = saved;
        return -1;
    }
    setpgid(pid, pid); /* whoever comes first */
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    a->pid = pid;
    a->fd = ends[0];
    return 0;
}

/* Takes note that it ended, if it has: a process may be some time in going, and nobody waits for that here. Returns 1
 * when it has not. */
static int is_going(struct answer *a)
{
    int status = 0;
    pid_t gone = waitpid(a->pid, &status, WNOHANG);
    if (gone == 0 || (gone < 0 && errno == EINTR))
        return 1;
    a->pid = 0;
    a->status = gone > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return 0;
}

static void close_pipe(struct answer *a)
{
    if (a->fd >= 0)
        close(a->fd);
    a->fd = -1;
}

static int make_room(struct answer *a)
{
    if (a->room - a->length > PIECE)
        return 0;
    size_t room = a->room ? 2 * a->room : 2 * PIECE;
    char *more = realloc(a->text, room);
    if (!more)
        return -1;
    a->text = more;
    a->room = room;
    return 0;
}

int answer_read(struct answer *a)
{
    if (!a->pid)
        return 0;
    if (a->fd < 0)
        return is_going(a);
    /* A few pieces at a time: there are keys to look after. */
    for (int piece = 0; piece < 16; piece++) {
        if (a->length >= KEPT_MOST || make_room(a)) {
            a->is_long = 1;
            answer_stop(a);
            return 0;
        }
        ssize_t n = read(a->fd, a->text + a->length, PIECE);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return 1;
        if (n <= 0) {
            close_pipe(a);
            return is_going(a);
        }
        a->length += (size_t)n;
    }
    return 1;
}

void answer_stop(struct answer *a)
{
    if (!a->pid)
        return;
    kill(-a->pid, SIGKILL);
    kill(a->pid, SIGKILL); /* should it not have had the time to form a group */
    close_pipe(a);
    is_going(a); /* if it is not gone yet, it will be when this process is */
    a->pid = 0;
    a->status = -1;
}

void answer_release(struct answer *a)
{
    answer_stop(a);
    free(a->text);
    *a = (struct answer){.fd = -1};
}
