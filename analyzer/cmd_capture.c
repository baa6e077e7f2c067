/* capture: a snapshot of a process that does not take part, read from outside. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../dumpfmt/error.h"
#include "../runtime/probe/probe.h"
#include "commands.h"
#include "options.h"
#include "render/text.h"

enum { OWN_MEMORY_FD, OWN_MAPS_FD, OWN_PROCESS };

static const struct own_option own[] = {
    {"memory-fd", "FD", "an open descriptor of the stopped process's /proc/PID/mem"},
    {"maps-fd", "FD", "an open descriptor of its /proc/PID/maps"},
    {"process", "PID", "its process id, to be noted in the snapshot"},
    {NULL, NULL, NULL},
};

/* A descriptor number that is open, or -1. */
static int open_descriptor(const char *text)
{
    uint64_t fd;
    if (!text || parse_number(text, &fd) || fd > INT32_MAX || fcntl((int)fd, F_GETFD) < 0)
        return -1;
    return (int)fd;
}

/* What /proc says of the process; "" where it says nothing. Only what is shown: nothing rests on it. */
static void read_about(uint64_t pid, const char *what, char *to, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%" PRIu64 "/%s", pid, what);
    ssize_t n = -1;
    if (!strcmp(what, "exe")) {
        n = readlink(path, to, size - 1);
    } else {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
            n = read(fd, to, size - 1);
            close(fd);
        }
    }
    while (n > 0 && !to[n - 1])
        n--;
    for (ssize_t i = 0; i < n; i++)
        if (!to[i])
            to[i] = ' ';
    to[n > 0 ? n : 0] = 0;
}

/* Memory the process really has, in bytes, with what is swapped out; 0 when /proc does not say. */
static uint64_t resident_memory(uint64_t pid)
{
    char status[8192];
    uint64_t sum = 0, kib;
    read_about(pid, "status", status, sizeof status);
    static const char *const lines[] = {"VmRSS:", "VmSwap:"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const char *line = strstr(status, lines[i]);
        if (line && sscanf(line + strlen(lines[i]), "%" SCNu64, &kib) == 1)
            sum += kib << 10;
    }
    return sum;
}

static int show_progress(void *context, uint64_t objects)
{
    struct session *s = context;
    char text[64], n[TEXT_NUMBER_SIZE];
    snprintf(text, sizeof text, "%s objects", text_count(objects, n));
    session_progress(s, text);
    return 0;
}

static int capture(struct invocation *inv, const struct probe_options *options, const char *target)
{
    struct probe *probe;
    struct rh_error err;
    struct target to;
    int status = probe_open(options, &probe, &err);
    if (!status) {
        status = target_open(&to, target, NULL, TARGET_PRIVATE, &err);
        if (!status && (status = probe_write(probe, to.sink, &err)))
            target_close(&to, 1, NULL);
        else if (!status)
            status = target_close(&to, 0, &err);
        probe_close(probe);
    }
    session_progress_end(&inv->session);
    return status ? fail(status == RH_ERR_NOT_FOUND ? NULL : target, &err) : STATUS_FINE;
}

/* Says what was written, by reading it back: the file has to open like any other. */
static int report(struct invocation *inv, const char *target)
{
    struct rh_error err;
    char n1[TEXT_NUMBER_SIZE], n2[TEXT_NUMBER_SIZE];
    struct stat st;
    if (!strcmp(target, "-") || stat(target, &st) || !S_ISREG(st.st_mode))
        return STATUS_FINE; /* it went by */
    if (session_open(&inv->session, target, 0, &err))
        return fail(target, &err);
    const struct snapshot *s = inv->session.snapshot;
    if (inv->out.format == OUTPUT_JSON) {
        begin_json(inv);
        json_bool(&inv->out.json, "complete", 1);
        json_end(&inv->out.json);
    } else {
        fprintf(inv->out.file, "%s: %s, %s\n", target, text_plural(snapshot_count(s, SECTION_OBJECTS), "object", n1),
                text_plural(snapshot_count(s, SECTION_EDGES), "edge", n2));
    }
    return STATUS_FINE;
}

static int run(struct invocation *inv)
{
    const char *target = inv->options.output, *pid_text = inv->own[OWN_PROCESS];
    char executable[4096] = "", command_line[4096] = "";
    struct memory_descriptor memory;
    struct utsname host;
    uint64_t pid = 0;
    int bad_pid = pid_text && (parse_number(pid_text, &pid) || !pid || pid > INT32_MAX);
    int memory_fd = open_descriptor(inv->own[OWN_MEMORY_FD]), maps_fd = open_descriptor(inv->own[OWN_MAPS_FD]);
    if (!target)
        return fail_usage(inv->command, "name the file to write: -o FILE");
    if (memory_fd < 0 || maps_fd < 0)
        return fail_usage(inv->command, "--memory-fd and --maps-fd must be open descriptors");
    if (bad_pid)
        return fail_usage(inv->command, "--process must be a process id");
    if (pid) {
        read_about(pid, "exe", executable, sizeof executable);
        read_about(pid, "cmdline", command_line, sizeof command_line);
    }
    memory_descriptor_init(&memory, memory_fd);
    inv->session.path = target;
    inv->session.quiet = inv->options.quiet;
    struct probe_options options = {
        .source = &memory.source,
        .maps_fd = maps_fd,
        .pid = pid,
        .resident = pid ? resident_memory(pid) : 0,
        .executable = executable,
        .command_line = command_line,
        .host = uname(&host) == 0 ? host.nodename : NULL,
        .captured = CAPTURED_LIVE,
        .no_values = inv->options.no_values,
        .progress = show_progress,
        .progress_context = &inv->session,
    };
    int status = capture(inv, &options, target);
    return status ? status : report(inv, target);
}

const struct command cmd_capture = {
    .name = "capture",
    .summary = "take a snapshot of a stopped process from outside",
    .arguments = "--memory-fd FD --maps-fd FD -o FILE",
    .help = "Reads the heaps out of a stopped process through descriptors somebody handed over, as GDB does, without\n"
            "running any of its code, and writes a snapshot. FILE - is standard output.",
    .takes = OPT_JSON | OPT_OUTPUT | OPT_QUIET | OPT_NO_VALUES,
    .writes_file = 1,
    .own = own,
    .run = run,
};
