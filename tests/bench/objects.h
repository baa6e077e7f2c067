/* What the three programs that make objects do, and how they say it: one line of nanoseconds each,
 * new-one-of-many reference-taken-and-dropped free-one-of-many made-and-freed-at-once
 */
#ifndef BENCH_OBJECTS_H
#define BENCH_OBJECTS_H

#include <stdio.h>
#include <time.h>

enum { OBJECTS = 1000000, ROUNDS = 5, TURNS = 10 };

static inline double nanoseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* What the compiler may not leave out. */
#define USE(pointer) __asm__ volatile("" : : "r"(pointer) : "memory")

static inline void say(double start, double made, double referred, double freed, double again)
{
    printf("%.2f %.2f %.2f %.2f\n", (made - start) / OBJECTS, (referred - made) / OBJECTS / TURNS,
           (freed - referred) / OBJECTS, (again - freed) / OBJECTS);
}

#endif
