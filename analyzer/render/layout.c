#include "layout.h"

#include <errno.h>
#include <fcntl.h>
#include <graphviz/gvc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../dumpfmt/error.h"

enum { CHILD_NO_FILE = 10, CHILD_NO_LAYOUT, CHILD_NO_RENDER };

static void set_limit(int resource, rlim_t value)
{
    struct rlimit limit = {value, value};
    setrlimit(resource, &limit);
}

/* The child: never returns. What libgvc has to say goes nowhere. */
static _Noreturn void lay_out(const char *dot_path, const char *engine, const char *format, int image_fd,
                              const struct layout_bounds *bounds)
{
    int null = open("/dev/null", O_RDWR);
    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
    }
    signal(SIGINT, SIG_DFL);
    set_limit(RLIMIT_CPU, bounds->seconds);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* which take all the address space there is */
    set_limit(RLIMIT_AS, bounds->bytes);
#endif
    set_limit(RLIMIT_CORE, 0);
    FILE *in = fopen(dot_path, "re"), *out = fdopen(image_fd, "w");
    if (!in || !out)
        _exit(CHILD_NO_FILE);
    GVC_t *context = gvContext();
    Agraph_t *graph = agread(in, NULL);
    if (!context || !graph || gvLayout(context, graph, engine))
        _exit(CHILD_NO_LAYOUT);
    if (gvRender(context, graph, format, out) || fflush(out))
        _exit(CHILD_NO_RENDER);
    _exit(0);
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits for the child, and no longer than the bound: time it spends asleep does not count against its processor limit.
 */
static int wait_for(pid_t child, unsigned seconds, int *status)
{
    int64_t end = now_ms() + 1000 * (int64_t)seconds;
    struct timespec pause = {0, 2000000};
    for (;;) {
        pid_t done = waitpid(child, status, WNOHANG);
        if (done == child)
            return 0;
        if (done < 0 && errno != EINTR)
            return -1;
        if (now_ms() > end) {
            kill(child, SIGKILL);
            waitpid(child, status, 0);
            return 1;
        }
        nanosleep(&pause, NULL);
        if (pause.tv_nsec < 20000000)
            pause.tv_nsec += 1000000;
    }
}

static int explain(int status, int late, const char *engine, const struct layout_bounds *bounds, struct rh_error *err)
{
    static const char hint[] = "the .dot file is there; draw less of it, or lay it out yourself";
    if (late || (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU) ||
        (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL))
        return error_format(err, RH_ERR_UNSUPPORTED, hint, "%s took longer than %u seconds", engine, bounds->seconds);
    if (WIFSIGNALED(status))
        return error_format(err, RH_ERR_UNSUPPORTED, hint, "%s died of signal %d", engine, WTERMSIG(status));
    if (WEXITSTATUS(status) == CHILD_NO_FILE)
        return error_format(err, RH_ERR_IO, hint, "the .dot file cannot be read back");
    return error_format(err, RH_ERR_UNSUPPORTED, hint, "%s could not draw it", engine);
}

/* The first bytes every image of the format has. */
static int looks_right(const char *path, const char *format)
{
    static const struct {
        const char *format, *magic;
    } magics[] = {{"svg", "<?xml"}, {"png", "\x89PNG"}, {"pdf", "%PDF"}};
    char head[8] = "";
    FILE *f = fopen(path, "re");
    if (!f)
        return 0;
    size_t n = fread(head, 1, sizeof head - 1, f);
    fclose(f);
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
        if (!strcmp(magics[i].format, format))
            return n >= strlen(magics[i].magic) && !memcmp(head, magics[i].magic, strlen(magics[i].magic));
    return n > 0;
}

int layout_render(const char *dot_path, const char *engine, const char *format, const char *image_path,
                  const struct layout_bounds *bounds, struct rh_error *err)
{
    char temporary[4200];
    int status = 0, late;
    if (snprintf(temporary, sizeof temporary, "%s.XXXXXX", image_path) >= (int)sizeof temporary)
        return error_set(err, RH_ERR_ARGUMENT, "the name of the image is too long", "use a shorter one");
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return error_set_os(err, errno, "cannot create the image", "choose a folder that can be written");
    mode_t mask = umask(0);
    umask(mask);
    fchmod(fd, 0666 & ~mask);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        lay_out(dot_path, engine, format, fd, bounds);
    close(fd);
    int result = 0;
    if (child < 0) {
        result = error_set_os(err, errno, "cannot start the layout", "");
    } else if ((late = wait_for(child, bounds->seconds, &status)) != 0 || !WIFEXITED(status) || WEXITSTATUS(status)) {
        result = explain(status, late, engine, bounds, err);
    } else if (!looks_right(temporary, format)) {
        result = error_format(err, RH_ERR_UNSUPPORTED, "the .dot file is there; is Graphviz complete?",
                              "Graphviz wrote no %s", format);
    } else if (rename(temporary, image_path)) {
        result = error_set_os(err, errno, "cannot name the image", "");
    }
    if (result)
        unlink(temporary);
    return result;
}
