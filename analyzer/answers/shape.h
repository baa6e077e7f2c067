/* Cycles that look alike: the same types joined by the same fields in the same way. */
#ifndef ANALYZER_SHAPE_H
#define ANALYZER_SHAPE_H

#include "../session/session.h"

/* A number that is equal for cycles of one shape and, but for accidents of hashing, different for others: two rounds of
 * Weisfeiler and Leman's colouring over types and labels. */
uint64_t shape_of_cycle(const struct session *s, ordinal cycle);

/* For each cycle, the first one of its shape: first[c] <= c. Returns 0 or -1 without memory. */
int shapes_find(const struct session *s, ordinal *first);

/* The source cycles of one shape together. */
struct shape_sum {
    ordinal first; /* cycle */
    uint64_t cycles, objects, retained;
};

/* Those that retain most first, and at least `bytes`. The caller frees them; NULL without memory. */
struct shape_sum *shapes_sum(const struct session *s, uint64_t bytes, size_t *count);

/* The same of those that a collection of `generation` would find; needs session_garbage() of it. */
struct shape_sum *shapes_sum_by(const struct session *s, int generation, uint64_t bytes, size_t *count);

#endif
