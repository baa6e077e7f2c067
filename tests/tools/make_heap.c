/* make_heap SHAPE SIZE FOLDER REFHEAP: builds a heap (SHAPE is a seed for a random one, or `chain`, `list`), and leaves
 * in FOLDER
 *
 *   dump.refheap    what the library wrote of it
 *   probe.refheap   what `refheap capture` read of the same heap from outside
 *   truth.0 .1 .2   the addresses a collection of each generation finds unreachable, by the library's own collector,
 * each run in a forked copy of this process
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

struct link {
    RH_OBJECT_HEAD;
    struct link *next;
};

static const struct rh_field link_fields[] = {RH_STRONG(struct link, next)};
static const struct rh_type_spec link_spec = RH_TYPE_SPEC("link", struct link, link_fields);

/* A chain of links, each held by the one before, or a list of them. Two thirds of the chain's length from its head it
 * bites its own tail, so that dropping the head leaves a cycle. */
static void build_large(struct random_heap *r, const char *shape, size_t size)
{
    struct rh_type *type;
    memset(r, 0, sizeof *r);
    r->heap_count = 1;
    if (rh_heap_create(NULL, &r->heaps[0], NULL) || rh_type_create(r->heaps[0], &link_spec, &type, NULL))
        exit(3);
    rh_disable(r->heaps[0]);
    struct link *first = rh_object_new(type), *last = first, *middle = first;
    struct rh_object *list = rh_list_new(r->heaps[0]);
    for (size_t i = 1; i < size; i++) {
        struct link *link = rh_object_new(type);
        if (!strcmp(shape, "chain"))
            rh_assign(&last->next, link);
        else
            rh_list_append(list, link);
        rh_decref(link);
        last = link;
        if (i == size / 3)
            middle = link;
    }
    if (!strcmp(shape, "chain"))
        rh_assign(&last->next, middle);
    else
        rh_list_append(list, list);
    rh_decref(first);
    rh_decref(list);
}

int main(int argc, char **argv)
{
    struct random_heap r;
    struct rh_error err;
    char path[4096];
    if (argc != 5)
        return 2;
    if (argv[1][0] >= '0' && argv[1][0] <= '9')
        random_heap_build(&r, strtoull(argv[1], NULL, 10), strtoull(argv[2], NULL, 10));
    else
        build_large(&r, argv[1], strtoull(argv[2], NULL, 10));
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
