/* Random programs on heaps: making them, and running one on the library and on the model side by side. */
#ifndef TESTS_MODEL_PROGRAM_H
#define TESTS_MODEL_PROGRAM_H

#include "world.h"

struct step {
    uint8_t what, a, b, c, d;
    struct action action;
};

struct program {
    int heap_count;
    int count;
    struct step *steps;
};

/* How far a run came, and what the two then disagreed on. Filled in as it goes, so that it can be read after a crash.
 */
struct outcome {
    int step; /* -1: the end, where everything is let go of and the heaps are destroyed */
    char difference[4000];
};

void program_make(struct program *program, uint64_t seed, int steps);
void program_release(struct program *program);

/* Returns 0 when library and model agreed after every step, else -1 with a description. */
int program_run(const struct program *program, struct outcome *outcome);

/* A step in words. */
void step_describe(const struct step *step, char *text, size_t size);

#endif
