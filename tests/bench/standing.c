/* standing OBJECTS DUMP: a heap to be captured (that of bench_heap.c: each object holds three others) and a watch on how
 * long the process stood still.
 *
 * It dumps the heap itself to DUMP twice, says "ready PID DUMP-SECONDS" of the second, and looks at the clock without a
 * pause until a line comes; then it says the longest time in seconds that passed between two looks, and goes on.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
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

static struct node **all;

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

static void build(struct rh_type *type, size_t n)
{
    all = malloc(n * sizeof *all);
    for (size_t i = 0; i < n; i++)
        all[i] = rh_object_new(type);
    for (size_t i = 0; i < n; i++) {
        rh_assign(&all[i]->a, all[(i + 1) % n]);
        rh_assign(&all[i]->b, all[below(n)]);
        rh_assign(&all[i]->c, all[below(n)]);
    }
    for (size_t i = 1; i < n; i++)
        rh_decref(all[i]);
    struct node *first = all[0];
    free(all);
    all = malloc(sizeof *all);
    *all = first;
}

/* Until a line comes, or the end. Returns whether there may be more. */
static int watch(void)
{
    char byte;
    double longest = 0, before = now();
    for (;;) {
        for (int i = 0; i < 1000; i++) {
            double t = now();
            longest = t - before > longest ? t - before : longest;
            before = t;
        }
        ssize_t n = read(STDIN_FILENO, &byte, 1);
        if (n == 0)
            return 0;
        if (n > 0) {
            printf("%.6f\n", longest);
            fflush(stdout);
            return 1;
        }
    }
}

int main(int argc, char **argv)
{
    struct rh_heap *heap;
    struct rh_type *type;
    struct rh_error err;
    double seconds = 0;
    if (argc != 3 || rh_heap_create(NULL, &heap, &err) || rh_type_create(heap, &spec, &type, &err))
        return 2;
    rh_disable(heap);
    build(type, strtoul(argv[1], NULL, 10));
    rh_root_add(heap, "all", (void *)all);
    for (int round = 0; round < 2; round++) {
        double start = now();
        if (rh_dump(argv[2], 0, &err)) {
            fprintf(stderr, "%s\n", err.what);
            return 1;
        }
        seconds = now() - start;
    }
    fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
    printf("ready %d %.6f\n", (int)getpid(), seconds);
    fflush(stdout);
    while (watch())
        ;
    return 0;
}
