#include "threads.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../dumpfmt/error.h"
#include "registers.h"

enum { REGISTERS_MAX = 64, LINE_SIZE = 2048, THREADS_MAX = 1 << 16 };

/* Takes the registers of one line, of which `text` is what follows the thread's id; -1 when it is none. */
static int parse_registers(const char *text, uint64_t registers[REGISTERS_MAX], size_t *count)
{
    for (*count = 0;; text += strcspn(text, " \n")) {
        char *end;
        text += strspn(text, " ");
        if (!*text || *text == '\n')
            return 0;
        if (*count == REGISTERS_MAX)
            return -1;
        registers[*count] = 0;
        if (text[0] != '-' || !strchr(" \n", text[1])) {
            registers[*count] = strtoull(text, &end, 16);
            if (end == text || !strchr(" \n", *end) || *text == '-')
                return -1;
        }
        ++*count;
    }
}

static int add(struct threads *threads, uint64_t tid, const uint64_t *registers, size_t count)
{
    if ((threads->count & (threads->count - 1)) == 0) { /* room for powers of two */
        size_t room = threads->count ? 2 * threads->count : 1;
        struct probe_thread *more = realloc(threads->items, room * sizeof *more);
        if (!more)
            return -1;
        threads->items = more;
    }
    uint64_t *own = malloc((count + 1) * sizeof *own);
    if (!own)
        return -1;
    memcpy(own, registers, count * sizeof *own);
    threads->items[threads->count++] = thread_of(tid, own, count);
    return 0;
}

int threads_read(int fd, struct threads *threads, struct rh_error *err)
{
    uint64_t registers[REGISTERS_MAX];
    char line[LINE_SIZE];
    int copy = dup(fd), status = 0;
    FILE *f = copy < 0 ? NULL : fdopen(copy, "r");
    *threads = (struct threads){NULL, 0};
    if (!f) {
        status = error_set_os(err, errno, "cannot read the list of threads", "");
        if (copy >= 0)
            close(copy);
        return status;
    }
    while (!status && fgets(line, sizeof line, f)) {
        char *rest;
        size_t count;
        unsigned long long tid = strtoull(line, &rest, 10);
        if (rest == line || !strchr(line, '\n') || parse_registers(rest, registers, &count) ||
            threads->count == THREADS_MAX)
            status = error_format(err, RH_ERR_FORMAT, "", "line %zu of the list of threads is none", threads->count + 1);
        else if (add(threads, tid, registers, count))
            status = error_set(err, RH_ERR_NO_MEMORY, "not enough memory for the list of threads", "");
    }
    if (!status && ferror(f))
        status = error_set_os(err, errno, "cannot read the list of threads", "");
    fclose(f);
    return status;
}

void threads_release(struct threads *threads)
{
    for (size_t i = 0; i < threads->count; i++)
        free((void *)(uintptr_t)threads->items[i].registers);
    free(threads->items);
    *threads = (struct threads){NULL, 0};
}
