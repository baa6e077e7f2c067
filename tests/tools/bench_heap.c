/* bench_heap OBJECTS PATH ROUNDS: times the library's dump beside a plain write of as many bytes to the same folder,
 * the pause of a dump by a forked copy, and the collector. Prints a line a round: dump-seconds write-seconds bytes
 * pause-seconds first-collection-seconds second-collection-seconds; the last two are -1 but in the last round.
 *
 * The heap: each object holds three others, one of them the next of a long list; every sixteenth is garbage with its
 * neighbour.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <refheap/refheap.h>

struct node {
    RH_OBJECT_HEAD;
    struct node *a, *b, *c;
};

static const struct rh_field fields[] = {RH_STRONG(struct node, a), RH_STRONG(struct node, b),
                                         RH_STRONG(struct node, c)};
static const struct rh_type_spec spec = RH_TYPE_SPEC("node", struct node, fields);

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint64_t state = 88172645463325252u;
static size_t below(size_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % n;
}

/* Writes what `path` holds to a file beside it, in pieces as large as a block, synced and renamed as the dump does. */
static double plain_write(const char *path, const char *contents, size_t size)
{
    char other[4096], final[4096];
    snprintf(other, sizeof other, "%s.plain.tmp", path);
    snprintf(final, sizeof final, "%s.plain", path);
    double start = now();
    int fd = open(other, O_WRONLY | O_CREAT | O_EXCL, 0600);
    for (size_t at = 0; at < size;) {
        size_t n = size - at < 1 << 20 ? size - at : 1 << 20;
        ssize_t done = write(fd, contents + at, n);
        if (done <= 0)
            exit(1);
        at += (size_t)done;
    }
    fsync(fd);
    close(fd);
    rename(other, final);
    double seconds = now() - start;
    unlink(final);
    return seconds;
}

int main(int argc, char **argv)
{
    struct rh_heap *heap;
    struct rh_type *type;
    struct rh_error err;
    if (argc != 4 || rh_heap_create(NULL, &heap, &err) || rh_type_create(heap, &spec, &type, &err))
        return 2;
    size_t n = strtoul(argv[1], NULL, 10);
    struct node **all = malloc(n * sizeof *all);
    rh_disable(heap);
    for (size_t i = 0; i < n; i++)
        all[i] = rh_object_new(type);
    for (size_t i = 0; i < n; i++) {
        int dead = i % 32 < 2; /* a pair that holds only itself */
        rh_assign(&all[i]->a, dead ? all[i ^ 1] : all[(i + 1) % n % 32 < 2 ? (i + 3) % n : (i + 1) % n]);
        for (struct node **slot = &all[i]->b; slot <= &all[i]->c; slot++) {
            size_t to = below(n);
            rh_assign(slot, dead ? all[i] : all[to % 32 < 2 ? i : to]);
        }
    }
    for (size_t i = 0; i < n; i++)
        if (i % 32 < 2)
            rh_decref(all[i]);

    for (long round = strtol(argv[3], NULL, 10); round > 0; round--) {
        double start = now();
        if (rh_dump(argv[2], 0, &err)) {
            fprintf(stderr, "%s\n", err.what);
            return 1;
        }
        double dump = now() - start;
        struct stat st;
        stat(argv[2], &st);
        size_t size = (size_t)st.st_size;
        char *contents = malloc(size);
        int fd = open(argv[2], O_RDONLY);
        if (read(fd, contents, size) != (ssize_t)size)
            return 1;
        close(fd);
        double plain = plain_write(argv[2], contents, size);
        free(contents);
        double collect = -1, again = -1;
        if (round == 1) { /* the last round: the garbage is gone afterwards */
            start = now();
            rh_collect(heap, RH_OLD);
            collect = now() - start;
            start = now();
            rh_collect(heap, RH_OLD);
            again = now() - start;
        }
        /* Last: the pages it shares with its copy are written anew one by one afterwards. */
        int job;
        start = now();
        if (rh_dump_background(argv[2], 0, &job, &err))
            return 1;
        double pause = now() - start;
        if (rh_background_wait(job, &err))
            return 1;
        printf("%.6f %.6f %zu %.6f %.6f %.6f\n", dump, plain, size, pause, collect, again);
    }
    return 0;
}
