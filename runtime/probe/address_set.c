#include "address_set.h"

#include <stdlib.h>

#include <refheap/error.h>

#include "../../dumpfmt/hash.h"

/* 4 KiB of addresses: with its number more than a cache line, but only the line with the bit is touched as a rule. */
struct address_page {
    uint64_t number;
    uint64_t bits[8];
};

static size_t slot_of(const struct address_set *set, uint64_t number)
{
    size_t mask = set->slot_count - 1, i = (size_t)hash_word(hash_key(), number) & mask;
    while (set->slots[i] && set->pages[set->slots[i] - 1].number != number)
        i = (i + 1) & mask;
    return i;
}

static int grow_slots(struct address_set *set)
{
    size_t count = set->slot_count ? 2 * set->slot_count : 1024;
    uint32_t *slots = calloc(count, sizeof *slots);
    if (!slots)
        return RH_ERR_NO_MEMORY;
    free(set->slots);
    set->slots = slots;
    set->slot_count = count;
    for (size_t i = 0; i < set->page_count; i++)
        slots[slot_of(set, set->pages[i].number)] = (uint32_t)(i + 1);
    return 0;
}

static int add_page(struct address_set *set, uint64_t number)
{
    if (set->page_count == set->page_capacity) {
        size_t capacity = set->page_capacity ? set->page_capacity + set->page_capacity / 2 : 256;
        struct address_page *pages = capacity > UINT32_MAX ? NULL : realloc(set->pages, capacity * sizeof *pages);
        if (!pages)
            return RH_ERR_NO_MEMORY;
        set->pages = pages;
        set->page_capacity = capacity;
    }
    if (2 * (set->page_count + 1) > set->slot_count && grow_slots(set))
        return RH_ERR_NO_MEMORY;
    set->pages[set->page_count] = (struct address_page){.number = number};
    set->slots[slot_of(set, number)] = (uint32_t)++set->page_count;
    return 0;
}

/* Makes the page of a number the recent one. */
static int find_page(struct address_set *set, uint64_t number)
{
    uint32_t found = set->slot_count ? set->slots[slot_of(set, number)] : 0;
    if (!found && add_page(set, number))
        return RH_ERR_NO_MEMORY;
    set->recent = found ? found - 1 : set->page_count - 1;
    return 0;
}

int address_set_add(struct address_set *set, uint64_t address)
{
    uint64_t number = address >> 12, bit = UINT64_C(1) << (address >> 3 & 63);
    if (set->recent >= set->page_count || set->pages[set->recent].number != number)
        if (find_page(set, number))
            return RH_ERR_NO_MEMORY;
    uint64_t *word = &set->pages[set->recent].bits[address >> 9 & 7];
    if (*word & bit)
        return 0;
    *word |= bit;
    set->used++;
    return 1;
}

void address_set_release(struct address_set *set)
{
    free(set->pages);
    free(set->slots);
    *set = (struct address_set){0};
}
