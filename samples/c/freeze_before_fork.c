/* Freeze before fork: a server that loads its data and forks its workers shares its memory with them, until somebody
 * writes to it. A collection in a worker writes to every container it looks at, and so copies all of their pages.
 * rh_freeze() before the fork takes what is there out of all collections. Measured twice: pages of its own that one
 * worker has after a full collection. */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sample.h"

enum { RECORDS = 200000 };

/* KiB of memory that is this process's alone and was written to. */
static long private_dirty(void)
{
    char line[256];
    long kib = -1;
    FILE *f = fopen("/proc/self/smaps_rollup", "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "Private_Dirty: %ld kB", &kib) == 1)
            break;
    if (f)
        fclose(f);
    return kib;
}

/* Forks a worker that collects; returns by how much its own memory grew with that. */
static long worker_copies(struct rh_heap *heap)
{
    int answer[2];
    long kib = -1;
    if (pipe(answer))
        return -1;
    pid_t worker = fork();
    if (worker == 0) {
        long before = private_dirty();
        rh_collect(heap, RH_OLD);
        kib = private_dirty() - before;
        ssize_t written = write(answer[1], &kib, sizeof kib);
        _exit(written != sizeof kib);
    }
    close(answer[1]);
    if (read(answer[0], &kib, sizeof kib) != sizeof kib)
        kib = -1;
    close(answer[0]);
    waitpid(worker, NULL, 0);
    return kib;
}

int main(int argc, char **argv)
{
    struct rh_heap *heap = sample_heap("freeze before fork");
    struct rh_object *records = sample_need(rh_list_new(heap));
    rh_root_add(heap, "records", &records);
    for (int i = 0; i < RECORDS; i++) {
        struct rh_object *record = sample_need(rh_list_new(heap));
        rh_list_put(record, sample_need(rh_int_new(heap, i)));
        rh_list_put(records, record);
    }
    rh_collect(heap, RH_OLD);
    printf("Loaded %d records.\n", RECORDS);
    fflush(stdout);

    long without = worker_copies(heap);
    rh_freeze(heap);
    long with = worker_copies(heap);
    printf("A worker that collects copies %ld KiB without freezing, and %ld KiB with.\n", without, with);

    int status = sample_end(heap, argc, argv);
    rh_root_remove(heap, &records);
    rh_decref(records);
    printf("%zu objects leaked.\n", rh_heap_destroy(heap));
    return status;
}
