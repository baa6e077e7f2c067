/* From addresses to ordinals, in address order.
 *
 * The address space is cut into pages of 512 granules (a granule is the largest power of two that divides every
 * address). Pages that hold objects get a bitmap of 64 bytes and the number of objects before them; the ordinal of an
 * address is its rank. No sorting of objects is needed, a lookup touches two cache lines, and objects get ordinals in
 * address order even from a shuffled file.
 */
#ifndef GRAPH_ADDRESS_INDEX_H
#define GRAPH_ADDRESS_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "ordinal.h"

struct address_page {
    uint64_t page;
    ordinal number; /* of the page, in address order; ORDINAL_NONE: the slot is empty */
    ordinal rank;   /* objects in lower pages */
};

struct address_index {
    unsigned shift;             /* log2 of the granule */
    struct address_page *slots; /* open addressing by page */
    size_t mask;
    uint64_t key; /* of the hash */
    /* By number of page, in address order: */
    uint64_t (*bitmaps)[8];
    uint64_t *page;
    ordinal *rank; /* pages + 1 */
    size_t pages;
    uint64_t objects;
};

/* A run of addresses; the index is built over several. */
struct address_run {
    const uint64_t *addresses;
    size_t count;
};

enum { ADDRESS_DUPLICATE = 1 };

/* Builds the index. Returns 0, -1 when memory is exhausted, or ADDRESS_DUPLICATE with the address in *duplicate. */
int address_index_build(struct address_index *index, const struct address_run *runs, size_t run_count,
                        uint64_t *duplicate);
void address_index_release(struct address_index *index);

/* The ordinal of an address, ORDINAL_NONE when no object has it. */
ordinal address_index_find(const struct address_index *index, uint64_t address);

/* The same for many at once, which is several times faster: their cache misses overlap. */
void address_index_find_many(const struct address_index *index, const uint64_t *addresses, size_t count,
                             ordinal *found);

/* The address of an object: the way back. */
uint64_t address_index_address(const struct address_index *index, ordinal o);

#endif
