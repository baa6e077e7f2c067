/* capture: a snapshot of a process that does not take part, or of its core, read from outside. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../dumpfmt/error.h"
#include "../runtime/probe/core.h"
#include "../runtime/probe/live.h"
#include "../runtime/probe/probe.h"
#include "../runtime/probe/served.h"
#include "../runtime/probe/threads.h"
#include "line/commands.h"
#include "session/free_memory.h"
#include "session/mapped.h"
#include "line/options.h"
#include "render/text.h"

enum { OWN_PID, OWN_CORE, OWN_EXE, OWN_SYSROOT, OWN_MEMORY_FD, OWN_MEMORY_SOCKET, OWN_MAPS_FD, OWN_THREADS_FD, OWN_PROCESS, OWN_COPY };

/* How often a process is looked at again whose heap is being collected or added to; each time after a longer while. */
enum { TRIES = 60, TRY_AGAIN_MS = 2 };

static const struct own_option own[] = {
    {"pid", "PID", "a process, which stands still while its memory is copied"},
    {"core", "CORE", "the core of one that died"},
    {"exe", "FILE", "the program the core is of, where it is not at its place"},
    {"sysroot", "DIR", "where the files are that the core speaks of, instead of /"},
    {"memory-fd", "FD", "an open descriptor of the stopped process's /proc/PID/mem"},
    {"memory-socket", "FD[,FD]", "a socket over which GDB serves what it alone can read, and another for a child"},
    {"maps-fd", "FD", "an open descriptor of its /proc/PID/maps"},
    {"threads-fd", "FD", "an open descriptor of a list of its threads and their registers"},
    {"process", "PID", "its process id, to be noted in the snapshot"},
    {"copy-at-most", "MIB", "hold still a process with more memory until all is written (half of what is free)"},
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

/* Whether what is written there may have to wait for somebody. */
static int may_wait(const char *target)
{
    struct stat st;
    return !strcmp(target, "-") || (!stat(target, &st) && !S_ISREG(st.st_mode));
}

/* To its target, which appears whole or not at all. */
static int write_there(struct probe *probe, const char *target, struct rh_error *err)
{
    struct target to;
    int status = target_open(&to, target, NULL, TARGET_PRIVATE, err);
    if (!status && (status = probe_write(probe, to.sink, err)))
        target_close(&to, 1, NULL);
    else if (!status)
        status = target_close(&to, 0, err);
    return status;
}

static int copy_there(FILE *from, const char *target, struct rh_error *err)
{
    struct target to;
    char piece[1 << 16];
    size_t n;
    int status = target_open(&to, target, NULL, TARGET_PRIVATE, err), broken = 0;
    if (status)
        return status;
    rewind(from);
    while (!broken && (n = fread(piece, 1, sizeof piece, from)) > 0)
        broken = to.sink->write(to.sink, piece, n);
    status = broken         ? error_set_os(err, -broken, "cannot write the snapshot", "")
             : ferror(from) ? error_set_os(err, EIO, "cannot read the temporary file", "")
                            : 0;
    if (status)
        target_close(&to, 1, NULL);
    else
        status = target_close(&to, 0, err);
    return status;
}

/* To a temporary file first: who reads the target may be the very process that stands still. */
static int write_aside(struct probe *probe, struct live **held, const char *target, struct rh_error *err)
{
    struct sink_file *sink = malloc(sizeof *sink);
    FILE *aside = tmpfile();
    int status = !sink    ? error_set(err, RH_ERR_NO_MEMORY, "not enough memory", "")
                 : !aside ? error_set_os(err, errno, "cannot make a temporary file", "write to a file instead")
                          : 0;
    if (!status) {
        sink_file_use(sink, fileno(aside));
        status = probe_write(probe, &sink->sink, err);
        if (status)
            sink_file_abort(sink);
        else
            status = sink_file_commit(sink, err);
    }
    live_close(*held);
    *held = NULL;
    if (!status)
        status = copy_there(aside, target, err);
    if (aside)
        fclose(aside);
    free(sink);
    return status;
}

/* `held` is a process that stands still until it is closed; or NULL. */
/* With `again`: a heap that is being collected or added to right now is not written; *again is set. */
static int capture(struct invocation *inv, const struct probe_options *options, const char *target, struct live **held,
                   int *again)
{
    struct probe *probe;
    struct rh_error err;
    int status = probe_open(options, &probe, &err);
    if (!status && again && probe->unsteady) {
        probe_close(probe);
        *again = 1;
        return STATUS_FINE;
    }
    if (!status) {
        status = held && may_wait(target) ? write_aside(probe, held, target, &err) : write_there(probe, target, &err);
        probe_close(probe);
    }
    session_progress_end(&inv->session);
    return status ? fail(status == RH_ERR_NOT_FOUND ? NULL : target, &err) : STATUS_FINE;
}

/* A file as the process has it: in its own root, which a container's is not ours. */
static const char *file_of_process(void *context, const char *path, char *to, size_t size)
{
    const uint64_t *pid = context;
    int n = snprintf(to, size, "/proc/%" PRIu64 "/root%s", *pid, path);
    return n > 0 && (size_t)n < size ? to : NULL;
}

/* What /proc says of a process. */
struct about {
    char executable[4096], command_line[4096];
};

static void describe_process(struct probe_options *options, struct about *about)
{
    *about->executable = *about->command_line = 0;
    if (options->pid) {
        read_about(options->pid, "exe", about->executable, sizeof about->executable);
        read_about(options->pid, "cmdline", about->command_line, sizeof about->command_line);
        options->resident = resident_memory(options->pid);
        options->file_of = file_of_process;
        options->file_context = &options->pid;
    }
    options->executable = about->executable;
    options->command_line = about->command_line;
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

/* ---- the places memory comes from ---- */

/* Half of what is free: the walk needs memory too, and so do others. */
static int copy_limit(const struct invocation *inv, uint64_t *limit)
{
    uint64_t mib;
    *limit = free_memory() / 2;
    if (!inv->own[OWN_COPY])
        return 0;
    if (parse_number(inv->own[OWN_COPY], &mib) || mib > UINT64_MAX >> 20)
        return -1;
    *limit = mib << 20;
    return 0;
}

static int from_process(struct invocation *inv, struct probe_options *options, const char *target)
{
    struct about about;
    struct live *live;
    struct rh_error err;
    uint64_t limit;
    char n1[TEXT_NUMBER_SIZE], n2[TEXT_NUMBER_SIZE];
    if (parse_number(inv->own[OWN_PID], &options->pid) || !options->pid || options->pid > INT32_MAX)
        return fail_usage(inv->command, "--pid must be a process id");
    if (copy_limit(inv, &limit))
        return fail_usage(inv->command, "--copy-at-most must be a number of MiB");
    describe_process(options, &about);
    for (int left = TRIES;; left--) {
        int again = 0;
        if (live_open((pid_t)options->pid, limit, &live, &err))
            return fail(NULL, &err);
        options->source = live_memory(live);
        options->maps_fd = live_maps(live);
        options->threads = live_threads(live, &options->thread_count);
        options->file_of = live_file_of;
        options->file_context = live;
        if (live_is_held(live) && !inv->options.quiet)
            fprintf(stderr, "refheap: process %" PRIu64 " stands still until its snapshot is written: %s or more of it "
                            "would have to be copied, and %s are allowed (--copy-at-most)\n",
                    options->pid, text_size(live_bytes(live), n1), text_size(limit, n2));
        int status = capture(inv, options, target, live_is_held(live) ? &live : NULL, left ? &again : NULL);
        live_close(live);
        if (!again)
            return status;
        poll(NULL, 0, TRY_AGAIN_MS * (TRIES + 1 - left)); /* a collection of a large heap takes a while */
    }
}

/* Memory served by a debugger, of a process that is not on this machine, maybe: its id means nothing here. */
static int from_server(struct invocation *inv, struct probe_options *options, const char *target)
{
    struct memory_served served;
    char first[16] = "";
    const char *sockets = inv->own[OWN_MEMORY_SOCKET], *comma = strchr(sockets, ',');
    snprintf(first, sizeof first, "%.*s", comma ? (int)(comma - sockets) : (int)strlen(sockets), sockets);
    int fd = open_descriptor(first), fd_of_child = comma ? open_descriptor(comma + 1) : -1;
    if (fd < 0 || (comma && fd_of_child < 0))
        return fail_usage(inv->command, "--memory-socket must be an open descriptor or two");
    memory_served_init(&served, fd, fd_of_child);
    options->source = &served.source;
    options->file_of = served_file_of;
    options->intact = served_intact;
    options->file_context = options->intact_context = &served;
    options->executable = inv->own[OWN_EXE];
    options->host = NULL;
    options->captured = inv->own[OWN_CORE] ? CAPTURED_CORE : CAPTURED_LIVE;
    return capture(inv, options, target, NULL, NULL);
}

static int from_descriptor(struct invocation *inv, struct probe_options *options, const char *target, int fd)
{
    struct memory_descriptor memory;
    struct about about;
    memory_descriptor_init(&memory, fd);
    options->source = &memory.source;
    describe_process(options, &about);
    return capture(inv, options, target, NULL, NULL);
}

/* What stands still because a debugger holds it. */
static int from_debugger(struct invocation *inv, struct probe_options *options, const char *target)
{
    struct threads threads = {NULL, 0};
    struct rh_error err;
    const char *pid = inv->own[OWN_PROCESS], *listed = inv->own[OWN_THREADS_FD];
    int served = inv->own[OWN_MEMORY_SOCKET] != NULL, memory_fd = open_descriptor(inv->own[OWN_MEMORY_FD]);
    int threads_fd = open_descriptor(listed);
    options->maps_fd = open_descriptor(inv->own[OWN_MAPS_FD]);
    if ((!served && memory_fd < 0) || options->maps_fd < 0 || (listed && threads_fd < 0))
        return fail_usage(inv->command, "name what to read: --pid PID or --core CORE");
    if (pid && (parse_number(pid, &options->pid) || !options->pid || options->pid > INT32_MAX))
        return fail_usage(inv->command, "--process must be a process id");
    int status = listed && threads_read(threads_fd, &threads, &err) ? fail(NULL, &err) : STATUS_FINE;
    options->threads = threads.items;
    options->thread_count = threads.count;
    if (!status)
        status = served ? from_server(inv, options, target) : from_descriptor(inv, options, target, memory_fd);
    threads_release(&threads);
    return status;
}

static int from_core(struct invocation *inv, struct probe_options *options, const char *target)
{
    const struct core_options how = {inv->own[OWN_EXE], inv->own[OWN_SYSROOT]};
    struct core *core;
    struct rh_error err;
    char n1[TEXT_NUMBER_SIZE], n2[TEXT_NUMBER_SIZE];
    guard_mapped(&inv->own[OWN_CORE], inv->own[OWN_EXE] ? 2 : 1); /* --exe stands behind it */
    if (core_open(inv->own[OWN_CORE], &how, &core, &err))
        return fail(inv->own[OWN_CORE], &err);
    const struct core_facts *facts = core_facts(core);
    options->source = core_memory(core);
    options->maps_fd = core_maps(core);
    options->threads = core_threads(core, &options->thread_count);
    options->file_of = core_file_of;
    options->file_context = core;
    options->pid = facts->pid;
    options->executable = facts->executable;
    options->command_line = facts->command_line;
    options->host = NULL; /* a core does not say */
    options->captured = CAPTURED_CORE;
    options->resident = facts->present;
    options->memory_expected = facts->expected;
    options->memory_present = facts->present;
    if (facts->truncated)
        fprintf(stderr, "refheap: %s: the core ends early: %s of %s of memory are there\n", inv->own[OWN_CORE],
                text_size(facts->present, n1), text_size(facts->expected, n2));
    int status = capture(inv, options, target, NULL, NULL);
    core_close(core);
    return status;
}

static int run(struct invocation *inv)
{
    const char *target = inv->options.output;
    struct utsname host;
    struct probe_options options = {
        .host = uname(&host) == 0 ? host.nodename : NULL,
        .captured = CAPTURED_LIVE,
        .no_values = inv->options.no_values,
        .progress = show_progress,
        .progress_context = &inv->session,
    };
    if (!target)
        return fail_usage(inv->command, "name the file to write: -o FILE");
    int by_debugger = inv->own[OWN_MEMORY_FD] || inv->own[OWN_MEMORY_SOCKET];
    int ways = (inv->own[OWN_PID] != NULL) + (inv->own[OWN_CORE] && !inv->own[OWN_MEMORY_SOCKET]) +
               (inv->own[OWN_MEMORY_FD] != NULL) + (inv->own[OWN_MEMORY_SOCKET] != NULL);
    if (ways > 1)
        return fail_usage(inv->command, "--pid, --core and --memory-fd are three ways: take one");
    if (!inv->own[OWN_CORE] && ((inv->own[OWN_EXE] && !inv->own[OWN_MEMORY_SOCKET]) || inv->own[OWN_SYSROOT]))
        return fail_usage(inv->command, "--exe and --sysroot go with --core");
    inv->session.path = target;
    inv->session.quiet = inv->options.quiet;
    int status = by_debugger          ? from_debugger(inv, &options, target)
                 : inv->own[OWN_PID]  ? from_process(inv, &options, target)
                 : inv->own[OWN_CORE] ? from_core(inv, &options, target)
                                      : fail_usage(inv->command, "name what to read: --pid PID or --core CORE");
    return status ? status : report(inv, target);
}

const struct command cmd_capture = {
    .name = "capture",
    .summary = "take a snapshot of a process, or of a core, from outside",
    .arguments = "(--pid PID | --core CORE [--exe FILE] [--sysroot DIR]) -o FILE",
    .help =
        "Reads the heaps out of a process, or out of the core of one that died, without running any of its code, and\n"
        "writes a snapshot. The process stands still while its memory is copied, and goes on then, or when refheap is\n"
        "killed; one with more memory than there is to spare stands still until the snapshot is written. What a core\n"
        "leaves out because it stood in a file is read from that file, if it is the same build. FILE - is standard output.\n"
        "GDB hands over descriptors of what it has stopped (--memory-fd, --maps-fd, --threads-fd), or serves its memory.",
    .takes = OPT_JSON | OPT_OUTPUT | OPT_QUIET | OPT_NO_VALUES,
    .writes_file = 1,
    .own = own,
    .run = run,
};
