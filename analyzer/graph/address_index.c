#include "address_index.h"

#include <stdlib.h>
#include <string.h>

#include "../../dumpfmt/hash.h"
#include "array.h"

enum { GRANULES = 512, GRANULE_BITS = 9, SHIFT_MAX = 12, BATCH = 32 };

static size_t home_of(const struct address_index *index, uint64_t page)
{
    return (size_t)hash_word(index->key, page) & index->mask;
}

/* The slot of a page, or the empty one where it would go. */
static struct address_page *slot_of(const struct address_index *index, uint64_t page)
{
    size_t i = home_of(index, page);
    while (index->slots[i].number != ORDINAL_NONE && index->slots[i].page != page)
        i = (i + 1) & index->mask;
    return &index->slots[i];
}

static int make_slots(struct address_index *index, size_t capacity)
{
    index->slots = array_new(capacity, sizeof *index->slots);
    if (!index->slots)
        return -1;
    memset(index->slots, 0xff, capacity * sizeof *index->slots);
    index->mask = capacity - 1;
    return 0;
}

static int grow_slots(struct address_index *index)
{
    struct address_page *old = index->slots;
    size_t capacity = index->mask + 1;
    if (make_slots(index, 2 * capacity)) {
        index->slots = old;
        return -1;
    }
    for (size_t i = 0; i < capacity; i++)
        if (old[i].number != ORDINAL_NONE)
            *slot_of(index, old[i].page) = old[i];
    array_free(old);
    return 0;
}

/* Sorts by 11 bits at a time, leaving out digits that are the same everywhere. `spare` is as long as `values`. */
static void sort_pages(uint64_t *values, uint64_t *spare, size_t count)
{
    uint64_t any = 0, all = UINT64_MAX;
    for (size_t i = 0; i < count; i++) {
        any |= values[i];
        all &= values[i];
    }
    uint64_t varies = any ^ all;
    uint64_t *from = values, *to = spare;
    for (unsigned shift = 0; shift < 64; shift += 11) {
        size_t start[2048] = {0};
        if (!(varies >> shift & 2047))
            continue;
        for (size_t i = 0; i < count; i++)
            start[from[i] >> shift & 2047]++;
        for (size_t d = 0, sum = 0; d < 2048; d++) {
            size_t n = start[d];
            start[d] = sum;
            sum += n;
        }
        for (size_t i = 0; i < count; i++)
            to[start[from[i] >> shift & 2047]++] = from[i];
        uint64_t *swap = from;
        from = to;
        to = swap;
    }
    if (from != values)
        memcpy(values, from, count * sizeof *values);
}

static uint64_t page_of(const struct address_index *index, uint64_t address)
{
    return address >> (index->shift + GRANULE_BITS);
}

/* Collects the pages that occur, in order of first appearance. */
static int find_pages(struct address_index *index, const struct address_run *runs, size_t run_count)
{
    uint64_t last = UINT64_MAX;
    for (size_t r = 0; r < run_count; r++)
        for (size_t i = 0; i < runs[r].count; i++) {
            uint64_t page = page_of(index, runs[r].addresses[i]);
            if (page == last)
                continue;
            last = page;
            struct address_page *slot = slot_of(index, page);
            if (slot->number != ORDINAL_NONE)
                continue;
            *slot = (struct address_page){page, (ordinal)index->pages++, 0};
            if (2 * index->pages > index->mask && grow_slots(index))
                return -1;
        }
    return 0;
}

/* Numbers the pages in order, so that bitmaps lie as the pages do. */
static int order_pages(struct address_index *index)
{
    uint64_t *pages = array_new(index->pages + 1, sizeof *pages);
    uint64_t *spare = array_new(index->pages + 1, sizeof *spare);
    size_t n = 0;
    index->page = pages;
    if (!pages || !spare) {
        array_free(spare);
        return -1;
    }
    for (size_t i = 0; i <= index->mask; i++)
        if (index->slots[i].number != ORDINAL_NONE)
            pages[n++] = index->slots[i].page;
    sort_pages(pages, spare, n);
    array_free(spare);
    for (size_t i = 0; i < n; i++)
        slot_of(index, pages[i])->number = (ordinal)i;
    index->bitmaps = array_new(n + 1, sizeof *index->bitmaps); /* each on a cache line */
    return index->bitmaps ? 0 : -1;
}

static int set_bits(struct address_index *index, const struct address_run *runs, size_t run_count, uint64_t *duplicate)
{
    uint64_t last = UINT64_MAX;
    uint64_t *bitmap = NULL;
    for (size_t r = 0; r < run_count; r++)
        for (size_t i = 0; i < runs[r].count; i++) {
            uint64_t address = runs[r].addresses[i], page = page_of(index, address);
            if (page != last) {
                bitmap = index->bitmaps[slot_of(index, page)->number];
                last = page;
            }
            unsigned granule = (unsigned)(address >> index->shift) % GRANULES;
            uint64_t bit = UINT64_C(1) << granule % 64;
            if (bitmap[granule / 64] & bit) {
                *duplicate = address;
                return ADDRESS_DUPLICATE;
            }
            bitmap[granule / 64] |= bit;
        }
    return 0;
}

static uint32_t count_bitmap(const uint64_t bitmap[8])
{
    uint32_t n = 0;
    for (int w = 0; w < 8; w++)
        n += (uint32_t)__builtin_popcountll(bitmap[w]);
    return n;
}

static int rank_pages(struct address_index *index)
{
    index->rank = array_new(index->pages + 1, sizeof *index->rank);
    if (!index->rank)
        return -1;
    for (size_t p = 0; p < index->pages; p++)
        index->rank[p + 1] = index->rank[p] + count_bitmap(index->bitmaps[p]);
    for (size_t i = 0; i <= index->mask; i++)
        if (index->slots[i].number != ORDINAL_NONE)
            index->slots[i].rank = index->rank[index->slots[i].number];
    return 0;
}

int address_index_build(struct address_index *index, const struct address_run *runs, size_t run_count,
                        uint64_t *duplicate)
{
    uint64_t any = 0;
    memset(index, 0, sizeof *index);
    index->key = hash_key();
    for (size_t r = 0; r < run_count; r++) {
        for (size_t i = 0; i < runs[r].count; i++)
            any |= runs[r].addresses[i];
        index->objects += runs[r].count;
    }
    index->shift = any ? (unsigned)__builtin_ctzll(any) : 0;
    if (index->shift > SHIFT_MAX)
        index->shift = SHIFT_MAX;
    int status = make_slots(index, 1024);
    if (!status)
        status = find_pages(index, runs, run_count);
    if (!status)
        status = order_pages(index);
    if (!status)
        status = set_bits(index, runs, run_count, duplicate);
    if (!status)
        status = rank_pages(index);
    if (status)
        address_index_release(index);
    return status;
}

void address_index_release(struct address_index *index)
{
    array_free(index->slots);
    array_free(index->bitmaps);
    array_free(index->page);
    array_free(index->rank);
    memset(index, 0, sizeof *index);
}

/* One instruction where the processor has it; chosen once, when the program is loaded. */
#if defined(__x86_64__) && !defined(__clang__) && !defined(__POPCNT__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define WITH_POPCNT __attribute__((target_clones("popcnt", "default")))
#else
#define WITH_POPCNT
#endif

static inline __attribute__((always_inline)) ordinal rank_of(const struct address_index *index,
                                                             const struct address_page *slot, uint64_t address)
{
    if (slot->number == ORDINAL_NONE || address & ((UINT64_C(1) << index->shift) - 1))
        return ORDINAL_NONE;
    const uint64_t *bitmap = index->bitmaps[slot->number];
    unsigned granule = (unsigned)(address >> index->shift) % GRANULES, word = granule / 64;
    uint64_t bit = UINT64_C(1) << granule % 64;
    if (!(bitmap[word] & bit))
        return ORDINAL_NONE;
    ordinal rank = slot->rank + (ordinal)__builtin_popcountll(bitmap[word] & (bit - 1));
    for (unsigned w = 0; w < word; w++)
        rank += (ordinal)__builtin_popcountll(bitmap[w]);
    return rank;
}

WITH_POPCNT
ordinal address_index_find(const struct address_index *index, uint64_t address)
{
    return rank_of(index, slot_of(index, page_of(index, address)), address);
}

WITH_POPCNT
void address_index_find_many(const struct address_index *index, const uint64_t *addresses, size_t count, ordinal *found)
{
    const struct address_page *slots[BATCH];
    for (size_t first = 0; first < count; first += BATCH) {
        size_t n = count - first < BATCH ? count - first : BATCH;
        for (size_t i = 0; i < n; i++)
            __builtin_prefetch(&index->slots[home_of(index, page_of(index, addresses[first + i]))]);
        for (size_t i = 0; i < n; i++) {
            slots[i] = slot_of(index, page_of(index, addresses[first + i]));
            if (slots[i]->number != ORDINAL_NONE)
                __builtin_prefetch(index->bitmaps[slots[i]->number]);
        }
        for (size_t i = 0; i < n; i++)
            found[first + i] = rank_of(index, slots[i], addresses[first + i]);
    }
}

WITH_POPCNT
uint64_t address_index_address(const struct address_index *index, ordinal o)
{
    size_t low = 0, high = index->pages;
    while (high - low > 1) { /* the last page that begins at or before o */
        size_t middle = low + (high - low) / 2;
        if (index->rank[middle] <= o)
            low = middle;
        else
            high = middle;
    }
    ordinal left = o - index->rank[low];
    unsigned word = 0;
    for (; word < 7 && left >= (ordinal)__builtin_popcountll(index->bitmaps[low][word]); word++)
        left -= (ordinal)__builtin_popcountll(index->bitmaps[low][word]);
    uint64_t bits = index->bitmaps[low][word];
    for (; left > 0; left--)
        bits &= bits - 1;
    unsigned granule = word * 64 + (bits ? (unsigned)__builtin_ctzll(bits) : 0);
    return (index->page[low] << GRANULE_BITS | granule) << index->shift;
}
