/* A bit for each object: small enough to stay in the cache where a byte would not. */
#ifndef GRAPH_BITS_H
#define GRAPH_BITS_H

#include "address_index.h"
#include "array.h"

/* Zeroed; NULL without memory; array_free() frees it. */
static inline uint64_t *bits_new(ordinal count)
{
    return array_new((size_t)count / 64 + 1, sizeof(uint64_t));
}

static inline int bit_is_set(const uint64_t *bits, ordinal o)
{
    return bits[o / 64] >> o % 64 & 1;
}

static inline void bit_set(uint64_t *bits, ordinal o)
{
    bits[o / 64] |= UINT64_C(1) << o % 64;
}

#endif
