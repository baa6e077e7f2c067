/* Things that look alike, shown once with the number of them. */
#ifndef ANALYZER_FOLD_H
#define ANALYZER_FOLD_H

#include <stddef.h>
#include <stdint.h>

struct alike {
    uint64_t signature; /* equal for things that look alike */
    size_t first;       /* number of the thing; after folding, of the first of them */
    uint64_t count;     /* 1; after folding, how many there are */
};

/* Merges those with one signature. Returns how many are left, in the order of their first, or with `by_count` the most
 * frequent in front. */
size_t fold_alike(struct alike *things, size_t count, int by_count);

/* Puts another value into a hash. */
uint64_t fold_mix(uint64_t hash, uint64_t value);

#endif
