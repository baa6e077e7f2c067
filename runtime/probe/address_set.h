/* A set of 8-aligned addresses, most of which lie near each other: a bitmap for each page that has one.
 */
#ifndef PROBE_ADDRESS_SET_H
#define PROBE_ADDRESS_SET_H

#include <stddef.h>
#include <stdint.h>

/* Zero is the empty set. */
struct address_set {
    struct address_page *pages;
    size_t page_count, page_capacity;
    uint32_t *slots; /* number of a page + 1, by hash */
    size_t slot_count;
    size_t recent; /* page that was asked for last */
    uint64_t used;
};

/* 1 when added, 0 when it was there, or RH_ERR_NO_MEMORY. The lowest three bits do not count. */
int address_set_add(struct address_set *set, uint64_t address);
void address_set_release(struct address_set *set);

#endif
