/* Numbers of objects: their ranks by address.
 *
 * 32 bits while they fit, which is nearly always: half the memory of most arrays. A program built with
 * -DREFHEAP_ORDINAL_BITS=64 (make ORDINALS=64) takes heaps of more than 2^32 - 2 objects.
 */
#ifndef GRAPH_ORDINAL_H
#define GRAPH_ORDINAL_H

#include <inttypes.h>
#include <stdint.h>

#ifndef REFHEAP_ORDINAL_BITS
#define REFHEAP_ORDINAL_BITS 32
#endif

#if REFHEAP_ORDINAL_BITS == 64
typedef uint64_t ordinal;
#define ORDINAL_NONE UINT64_MAX
#define PRI_ORDINAL PRIu64
#else
typedef uint32_t ordinal;
#define ORDINAL_NONE UINT32_MAX
#define PRI_ORDINAL PRIu32
#endif

/* Whether they can number what the analysis numbers: vertices, virtual nodes among them, and, in rows.h, rows, two
 * words a unit, whose heads share a word with two bits. `most` edges lead out of one object. */
static inline int ordinals_suffice(uint64_t objects, uint64_t edges, uint64_t most)
{
    return objects < ORDINAL_NONE / 4 && most < ORDINAL_NONE / 4 && edges / 2 + 3 * objects + 4 < ORDINAL_NONE;
}

#endif
