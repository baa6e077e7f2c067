/* What is mapped where. */
#include "probe.h"

#define BELOW_STACK (UINT64_C(1) << 20) /* how far an overflow may have gone */

/* The first region that ends behind an address. */
static size_t region_above(const struct probe *probe, uint64_t address)
{
    size_t low = 0, high = probe->region_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (probe->regions[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The region an address lies in, or the number of regions. */
static size_t region_at(const struct probe *probe, uint64_t address)
{
    size_t r = region_above(probe, address);
    return r < probe->region_count && probe->regions[r].start <= address ? r : probe->region_count;
}

uint64_t probe_room(const struct probe *probe, uint64_t address)
{
    size_t r = region_at(probe, address);
    if (r == probe->region_count)
        return 0;
    while (r + 1 < probe->region_count && probe->regions[r + 1].start == probe->regions[r].end)
        r++;
    return probe->regions[r].end - address;
}

const struct region *probe_region(const struct probe *probe, uint64_t address)
{
    size_t r = region_at(probe, address);
    return r == probe->region_count ? NULL : &probe->regions[r];
}

const struct region *probe_stack(const struct probe *probe, uint64_t sp)
{
    size_t r = region_above(probe, sp);
    while (r < probe->region_count && probe->regions[r].start <= sp + BELOW_STACK) {
        if (probe->regions[r].readable && probe->regions[r].writable)
            return &probe->regions[r];
        r++; /* a guard */
    }
    return NULL;
}
