/* The stacks of threads, as holders. */
#include "python.h"

#include "inside.h"

#include "../../../dumpfmt/rawsys.h"

enum { RED_ZONE = 128, STATE_SIZE = 512 };
#define STACK_MAX (UINT64_C(64) << 20)

struct stack {
    uint64_t tid, sp;
    uint32_t thread;
};

/* "/proc/self/task/TID/FILE" */
static size_t read_of_thread(uint64_t tid, const char *file, char *to, size_t size)
{
    char path[64] = "/proc/self/task/", digits[20];
    size_t n = 0, used = 16;
    do
        digits[n++] = (char)('0' + tid % 10);
    while (tid /= 10);
    while (n)
        path[used++] = digits[--n];
    strcpy(path + used, file);
    long fd = raw_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    long got = raw_read((int)fd, to, size - 1);
    raw_close((int)fd);
    to[got > 0 ? got : 0] = 0;
    return got > 0 ? (size_t)got : 0;
}

/* The kernel says where a thread that waits in it has its stack: the number before the last. One that runs is not found, and
 * holds in C what it may. */
static uint64_t waiting_at(uint64_t tid)
{
    char state[STATE_SIZE];
    uint64_t sp = 0;
    size_t n = read_of_thread(tid, "/syscall", state, sizeof state), end = n;
    for (int spaces = 0; end && spaces < 1; end--)
        spaces += state[end - 1] == ' ';
    if (!end)
        return 0;
    size_t from = end;
    while (from && state[from - 1] != ' ')
        from--;
    for (size_t i = from; i < end; i++) {
        char c = state[i];
        if (c >= '0' && c <= '9')
            sp = sp << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            sp = sp << 4 | (uint64_t)(c - 'a' + 10);
        else
            sp = 0; /* the x of 0x */
    }
    return sp;
}

void holders_thread(struct inside *d, uint32_t thread, uint64_t tid)
{
    struct holders *h = &d->holders;
    uint64_t sp = tid == (uint64_t)raw_gettid() ? d->request->caller : tid ? waiting_at(tid) : 0;
    if (!sp)
        return;
    if (mapping_grow(&h->stacks, (h->stack_count + 1) * sizeof(struct stack)))
        d->out_of_memory = 1;
    else
        ((struct stack *)h->stacks.bytes)[h->stack_count++] = (struct stack){tid, sp, thread};
}

void holders_search_stacks(struct inside *d, const struct map_line *line)
{
    const struct stack *stacks = d->holders.stacks.bytes;
    for (size_t i = 0; i < d->holders.stack_count; i++) {
        uint64_t sp = stacks[i].sp;
        if (sp < line->start || sp >= line->end || !line->readable || !line->writable)
            continue;
        /* What a leaf function may have below its pointer; below the caller's are only the dump's own. */
        if (stacks[i].tid != (uint64_t)raw_gettid())
            sp = sp - line->start > RED_ZONE ? sp - RED_ZONE : line->start;
        sp = (sp + 7) & ~UINT64_C(7);
        uint64_t end = line->end - sp > STACK_MAX ? sp + STACK_MAX : line->end;
        holders_search(d, sp, end, (struct hit){.module = FORMAT_NONE, .thread = stacks[i].thread, .number = stacks[i].tid});
    }
}
