/* random_heap SEED SIZE FOLDER REFHEAP: builds a random heap, and leaves in FOLDER
 *
 *   dump.refheap    what the library wrote of it
 *   probe.refheap   what `refheap capture` read of the same heap from outside
 *   truth.0 .1 .2   the addresses a collection of each generation finds unreachable, by the library's own collector, each run in a
 *                   forked copy of this process
 */
#include "../support/random_heap.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int finished_well(pid_t child)
{
    int status;
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Collects in a copy of the process, keeping what is found, and writes its addresses. */
static int write_truth(struct random_heap *r, int generation, const char *path)
{
    fflush(NULL);
    pid_t child = fork();
    if (child)
        return child > 0 && finished_well(child) ? 0 : -1;
    FILE *f = fopen(path, "w");
    if (!f)
        _exit(1);
    for (int h = 0; h < r->heap_count; h++) {
        rh_heap_adopt(r->heaps[h]); /* the copy's thread has another id */
        rh_set_debug(r->heaps[h], RH_DEBUG_SAVEALL);
    }
    /* All heaps before any address is written: what one collection does must not matter to the other. */
    size_t found = 0, written = 0;
    for (int h = 0; h < r->heap_count; h++)
        found += rh_collect(r->heaps[h], generation);
    for (int h = 0; h < r->heap_count; h++) {
        const struct rh_object *garbage = rh_garbage(r->heaps[h]);
        size_t length = garbage ? rh_list_length(garbage) : 0;
        written += length;
        for (size_t i = 0; i < length; i++)
            fprintf(f, "0x%" PRIxPTR "\n", (uintptr_t)rh_list_get(garbage, i));
    }
    _exit(fclose(f) || found != written);
}

static int probe(const char *refheap, const char *path)
{
    char fds[2][16], name[64];
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        raise(SIGSTOP);
        _exit(0);
    }
    int status;
    if (child < 0 || waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status))
        return -1;
    snprintf(name, sizeof name, "/proc/%d/mem", (int)child);
    int memory = open(name, O_RDONLY);
    snprintf(name, sizeof name, "/proc/%d/maps", (int)child);
    int maps = open(name, O_RDONLY);
    snprintf(fds[0], sizeof fds[0], "%d", memory);
    snprintf(fds[1], sizeof fds[1], "%d", maps);
    pid_t reader = fork();
    if (reader == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDOUT_FILENO);
        execl(refheap, refheap, "capture", "--memory-fd", fds[0], "--maps-fd", fds[1], "-o", path, (char *)NULL);
        _exit(127);
    }
    int well = reader > 0 && finished_well(reader);
    close(memory);
    close(maps);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return well ? 0 : -1;
}

int main(int argc, char **argv)
{
    struct random_heap r;
    struct rh_error err;
    char path[4096];
    if (argc != 5)
        return 2;
    random_heap_build(&r, strtoull(argv[1], NULL, 10), strtoull(argv[2], NULL, 10));
    snprintf(path, sizeof path, "%s/dump.refheap", argv[3]);
    if (rh_dump(path, 0, &err)) {
        fprintf(stderr, "dump: %s\n", err.what);
        return 1;
    }
    snprintf(path, sizeof path, "%s/probe.refheap", argv[3]);
    if (probe(argv[4], path)) {
        fprintf(stderr, "the probe failed\n");
        return 1;
    }
    for (int n = 0; n < 3; n++) {
        snprintf(path, sizeof path, "%s/truth.%d", argv[3], n);
        if (write_truth(&r, n, path)) {
            fprintf(stderr, "the collection of generation %d failed\n", n);
            return 1;
        }
    }
    random_heap_destroy(&r);
    return 0;
}
