/* What the clean programs share. Each does something useful with librefheap, holds every reference where a reader can
 * know of it, and leaks nothing; so an audit of it, taken anywhere, must find nothing over and nothing under.
 *
 * Run with a number N it stops at every N-th of its points, says "at POINT" and waits for a line.
 */
#ifndef TESTS_CLEAN_H
#define TESTS_CLEAN_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <refheap/refheap.h>

static long clean_every, clean_points;

static inline void clean_begin(int argc, char **argv)
{
    clean_every = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
}

/* A point to be stopped at; on the main thread alone. */
__attribute__((noinline)) static void clean_point(void)
{
    char byte = 0;
    clean_points++;
    if (!clean_every || clean_points % clean_every)
        return;
    printf("at %ld\n", clean_points);
    fflush(stdout);
    while (byte != '\n' && read(STDIN_FILENO, &byte, 1) == 1)
        ;
}

static inline struct rh_heap *clean_heap(const char *name)
{
    struct rh_heap_options options = {.name = name};
    struct rh_heap *heap;
    if (rh_heap_create(&options, &heap, NULL))
        exit(2);
    return heap;
}

static inline struct rh_type *clean_type(struct rh_heap *heap, const struct rh_type_spec *spec)
{
    struct rh_type *type;
    if (rh_type_create(heap, spec, &type, NULL))
        exit(2);
    return type;
}

static inline void *need(void *object)
{
    if (!object)
        exit(2);
    return object;
}

static inline unsigned next_random(unsigned *state)
{
    *state = *state * 1103515245u + 12345u;
    return *state >> 16;
}

/* 0 when the heap was left as it should be. */
static inline int clean_end(struct rh_heap *heap)
{
    size_t leaked = rh_heap_destroy(heap);
    printf("points %ld, leaked %zu\n", clean_points, leaked);
    return leaked != 0;
}

#endif
