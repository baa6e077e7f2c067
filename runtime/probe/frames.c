#include "frames.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "modules.h"
#include "unwind.h"

enum { FRAMES_MAX = 1 << 16, SECONDS = 5 };
enum { ASKED_THREADS = 256, ASKED_STACK = 1 << 20, ASKED_STEP = 1 << 16 };
#define CHILD_MEMORY (UINT64_C(2) << 30) /* more than this process has */

struct frames {
    struct frame *items; /* by thread, then depth */
    size_t count, capacity;
    uint32_t first; /* number of the first in the snapshot */
};

/* ---- the child ---- */

static int send_frame(void *context, const struct frame *frame)
{
    const int *to = context;
    const char *from = (const char *)frame;
    for (size_t done = 0; done < sizeof *frame;) {
        ssize_t n = write(*to, from + done, sizeof *frame - done);
        if (n < 0 && errno != EINTR)
            return -1;
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static void set_limit(int resource, rlim_t value)
{
    struct rlimit limit = {value, value};
    setrlimit(resource, &limit);
}

/* Address space of this process as it is. */
static uint64_t own_size(void)
{
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    int n = f ? fscanf(f, "%lu", &pages) : 0;
    if (f)
        fclose(f);
    return n == 1 ? (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE) : UINT64_C(1) << 46;
}

static size_t read_nothing(struct memory_source *source, uint64_t address, void *to, size_t size)
{
    (void)source, (void)address, (void)to, (void)size;
    return 0;
}

static _Noreturn void unwind_in_child(struct probe *probe, int to)
{
    static const int signals[] = {SIGINT, SIGBUS, SIGSEGV, SIGPIPE};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        signal(signals[i], SIG_DFL);
    set_limit(RLIMIT_CPU, SECONDS);
    set_limit(RLIMIT_CORE, 0);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* which take all the address space there is */
    set_limit(RLIMIT_AS, own_size() + CHILD_MEMORY);
#else
    (void)own_size;
#endif
    if (probe->options->source->stays_here)
        probe->options->source->read = read_nothing; /* but for what is in the cache */
    unwind_threads(probe, send_frame, &to);
    _exit(0);
}

/* ---- the parent ---- */

static int64_t milliseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A frame as the child sent it, which is not trusted either: frames of a thread stand together, and ascend. */
static int add_frame(struct frames *frames, const struct probe *probe, struct frame *frame)
{
    const struct frame *last = frames->count ? &frames->items[frames->count - 1] : NULL;
    frame->function[FRAME_NAME_MAX - 1] = 0;
    if (frames->count == FRAMES_MAX || frame->thread >= probe->options->thread_count)
        return -1;
    if (last && (frame->thread < last->thread || (frame->thread == last->thread && frame->depth <= last->depth)))
        return -1;
    if (frames->count == frames->capacity) {
        size_t capacity = frames->capacity ? 2 * frames->capacity : 64;
        struct frame *more = realloc(frames->items, capacity * sizeof *more);
        if (!more)
            return -1;
        frames->items = more;
        frames->capacity = capacity;
    }
    frames->items[frames->count++] = *frame;
    return 0;
}

/* Takes what the child sends until it ends, or time has passed. */
static void receive(struct frames *frames, const struct probe *probe, int from)
{
    int64_t end = milliseconds() + 1000 * SECONDS;
    struct frame frame;
    size_t have = 0;
    for (;;) {
        struct pollfd fd = {.fd = from, .events = POLLIN};
        int64_t left = end - milliseconds();
        if (left <= 0 || (poll(&fd, 1, (int)left) < 0 && errno != EINTR))
            return;
        if (!fd.revents)
            continue;
        ssize_t n = read(from, (char *)&frame + have, sizeof frame - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        have += (size_t)n;
        if (have == sizeof frame && add_frame(frames, probe, &frame))
            return;
        have %= sizeof frame;
    }
}

/* What the child needs and could only ask for together with us: files, and the memory of stacks. */
static void ask_beforehand(struct probe *probe)
{
    for (uint32_t i = 0; i < probe->module_count && i < UNWIND_MODULES_MAX; i++)
        modules_file(probe, i);
    if (!probe->options->source->stays_here)
        return;
    for (size_t i = 0; i < probe->options->thread_count && i < ASKED_THREADS; i++) {
        uint64_t sp = probe->options->threads[i].sp;
        const struct region *stack = probe_stack(probe, sp);
        for (uint64_t at = sp; stack && at < stack->end && at - sp < ASKED_STACK; at += ASKED_STEP)
            memory_view(probe->memory, at, 1);
    }
}

struct frames *frames_gather(struct probe *probe)
{
    int ends[2];
    if (!probe->options->thread_count || !probe->module_count)
        return NULL;
    ask_beforehand(probe);
    struct frames *frames = calloc(1, sizeof *frames);
    if (!frames || pipe(ends)) {
        free(frames);
        return NULL;
    }
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        unwind_in_child(probe, ends[1]);
    }
    close(ends[1]);
    if (child > 0) {
        receive(frames, probe, ends[0]);
        kill(child, SIGKILL);
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    close(ends[0]);
    return frames;
}

void frames_release(struct frames *frames)
{
    if (frames)
        free(frames->items);
    free(frames);
}

void frames_write(struct frames *frames, struct probe *probe)
{
    if (!frames)
        return;
    frames->first = (uint32_t)writer_count(probe->writer, SECTION_FRAMES);
    for (size_t i = 0; i < frames->count; i++) {
        const struct frame *f = &frames->items[i];
        struct frame_record r = {.thread = f->thread,
                                 .depth = f->depth,
                                 .function = probe_text(probe, f->function),
                                 .pc = f->pc,
                                 .sp = f->start};
        writer_record(probe->writer, SECTION_FRAMES, &r);
    }
}

/* The first frame of a thread. */
static size_t first_of(const struct frames *frames, uint32_t thread)
{
    size_t low = 0, high = frames ? frames->count : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (frames->items[middle].thread < thread)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct frame *frames_find(const struct frames *frames, uint32_t thread, uint64_t address, uint32_t *number)
{
    for (size_t i = first_of(frames, thread); frames && i < frames->count && frames->items[i].thread == thread; i++) {
        const struct frame *f = &frames->items[i];
        if (f->start && f->start <= address && address < f->end) {
            *number = frames->first + (uint32_t)i;
            return f;
        }
    }
    return NULL;
}

uint64_t frames_other_stack(const struct frames *frames, struct probe *probe, uint32_t thread)
{
    const struct region *own = probe_stack(probe, probe->options->threads[thread].sp);
    for (size_t i = first_of(frames, thread); frames && i < frames->count && frames->items[i].thread == thread; i++) {
        const struct frame *f = &frames->items[i];
        const struct region *region = f->depth && f->activation ? probe_stack(probe, f->start) : NULL;
        if (region && region != own)
            return f->start;
    }
    return 0;
}
