/* What the samples share: a heap or an exit, and the end of every one of them.
 *
 * Run a sample as it is to read what it does; with a file name it leaves a snapshot there before it ends:
 *
 *     build/samples/two_lists /tmp/two_lists.refheap && build/refheap cycles /tmp/two_lists.refheap
 */
#ifndef SAMPLES_SAMPLE_H
#define SAMPLES_SAMPLE_H

#include <stdio.h>
#include <stdlib.h>

#include <refheap/refheap.h>

static inline struct rh_heap *sample_heap(const char *name)
{
    struct rh_heap_options options = {.name = name};
    struct rh_error err;
    struct rh_heap *heap;
    if (rh_heap_create(&options, &heap, &err)) {
        fprintf(stderr, "%s\n", err.what);
        exit(2);
    }
    return heap;
}

static inline struct rh_type *sample_type(struct rh_heap *heap, const struct rh_type_spec *spec)
{
    struct rh_error err;
    struct rh_type *type;
    if (rh_type_create(heap, spec, &type, &err)) {
        fprintf(stderr, "%s: %s\n", spec->name, err.what);
        exit(2);
    }
    return type;
}

/* Every constructor returns NULL when memory is exhausted; a sample just ends then. */
static inline void *sample_need(void *object)
{
    if (!object) {
        fprintf(stderr, "out of memory\n");
        exit(2);
    }
    return object;
}

/* Where to stop a sample in a debugger: everything has happened, nothing has been collected. */
__attribute__((noinline)) static void sample_pause(struct rh_heap *heap)
{
    __asm__ volatile("" : : "r"(heap) : "memory");
}

/* Leaves a snapshot where the first argument says, then collects and reports what that found. */
static inline int sample_end(struct rh_heap *heap, int argc, char **argv)
{
    struct rh_error err;
    fflush(stdout);
    sample_pause(heap);
    if (argc > 1 && rh_dump(argv[1], 0, &err)) {
        fprintf(stderr, "%s: %s\n", argv[1], err.what);
        return 2;
    }
    size_t found = rh_collect(heap, RH_OLD);
    printf("The collector found %zu unreachable objects.\n", found);
    return 0;
}

#endif
