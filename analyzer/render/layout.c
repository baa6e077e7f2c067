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
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../dumpfmt/error.h"

enum { CHILD_NO_LAYOUT = 10, CHILD_NO_RENDER };

static void set_limit(int resource, rlim_t value)
{
    struct rlimit limit = {value, value};
    setrlimit(resource, &limit);
}

/* Bytes of address space that are mapped already: the child begins with all of its parent's, which may be a large
 * snapshot. */
static inline size_t mapped_bytes(void)
{
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f && fscanf(f, "%lu", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* The child: never returns. What libgvc has to say goes nowhere. */
static _Noreturn void lay_out(const char *dot, const char *engine, const char *format, FILE *image,
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
    set_limit(RLIMIT_AS, mapped_bytes() + bounds->bytes);
#endif
    set_limit(RLIMIT_CORE, 0);
    GVC_t *context = gvContext();
    Agraph_t *graph = agmemread(dot);
    if (!context || !graph || gvLayout(context, graph, engine))
        _exit(CHILD_NO_LAYOUT);
    if (gvRender(context, graph, format, image) || fflush(image))
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
    return error_format(err, RH_ERR_UNSUPPORTED, hint, "%s could not draw it", engine);
}

/* The first bytes every image of the format has. */
static int looks_right(FILE *image, const char *format)
{
    static const struct {
        const char *format, *magic;
    } magics[] = {{"svg", "<?xml"}, {"png", "\x89PNG"}, {"pdf", "%PDF"}};
    char head[8] = "";
    rewind(image);
    size_t n = fread(head, 1, sizeof head - 1, image);
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
        if (!strcmp(magics[i].format, format))
            return n >= strlen(magics[i].magic) && !memcmp(head, magics[i].magic, strlen(magics[i].magic));
    return n > 0;
}

static int copy(FILE *from, FILE *to, struct rh_error *err)
{
    char piece[1 << 14];
    size_t n;
    rewind(from);
    while ((n = fread(piece, 1, sizeof piece, from)) > 0)
        if (fwrite(piece, 1, n, to) != n)
            break;
    return ferror(from) || ferror(to) ? error_set_os(err, errno, "cannot write the image", "") : 0;
}

int layout_render(const char *dot, const char *engine, const char *format, FILE *to, const struct layout_bounds *bounds,
                  struct rh_error *err)
{
    int status = 0, late, result = 0;
    FILE *image = tmpfile();
    if (!image)
        return error_set_os(err, errno, "cannot create a temporary file for the image", "is there room in /tmp?");
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        lay_out(dot, engine, format, image, bounds);
    if (child < 0)
        result = error_set_os(err, errno, "cannot start the layout", "");
    else if ((late = wait_for(child, bounds->seconds, &status)) != 0 || !WIFEXITED(status) || WEXITSTATUS(status))
        result = explain(status, late, engine, bounds, err);
    else if (!looks_right(image, format))
        result = error_format(err, RH_ERR_UNSUPPORTED, "the .dot file is there; is Graphviz complete?",
                              "Graphviz wrote no %s", format);
    else
        result = copy(image, to, err);
    fclose(image);
    return result;
}
