#include "order.h"

#include <string.h>

#include "array.h"
#include "bits.h"

enum { FEW = 24 }; /* so many are sorted by insertion */

int order_begin(struct order *o, size_t count)
{
    if (o->items && o->count == count) {
        memset(o->ends, 0, (count / 64 + 1) * sizeof *o->ends);
    } else {
        *o = (struct order){.count = count, .random = 0x9e3779b97f4a7c15u ^ count};
        o->items = array_raw(count + 1, sizeof *o->items);
        o->ends = array_new(count / 64 + 1, sizeof *o->ends);
    }
    if (!o->items || !o->ends) {
        order_release(o);
        return -1;
    }
    for (size_t i = 0; i < count; i++)
        o->items[i].row = (ordinal)i;
    bit_set(o->ends, 0);
    bit_set(o->ends, (ordinal)count);
    return 0;
}

void order_release(struct order *o)
{
    array_free(o->items);
    array_free(o->ends);
    memset(o, 0, sizeof *o);
}

static int comes_before(const struct order_item *a, const struct order_item *b)
{
    return a->key != b->key ? a->key < b->key : a->row < b->row;
}

/* The last end at or before a place, and the first behind it. */
static size_t end_before(const uint64_t *ends, size_t place)
{
    size_t word = place / 64;
    uint64_t bits = ends[word] & UINT64_MAX >> (63 - place % 64);
    while (!bits)
        bits = ends[--word]; /* that of 0 is set */
    return word * 64 + 63 - (size_t)__builtin_clzll(bits);
}

static size_t end_behind(const uint64_t *ends, size_t place)
{
    size_t word = ++place / 64;
    uint64_t bits = ends[word] & UINT64_MAX << place % 64;
    while (!bits)
        bits = ends[++word]; /* that of the count is set */
    return word * 64 + (size_t)__builtin_ctzll(bits);
}

static void sort_few(struct order *o, size_t low, size_t high)
{
    for (size_t i = low + 1; i < high; i++) {
        struct order_item item = o->items[i];
        size_t j = i;
        for (; j > low && comes_before(&item, &o->items[j - 1]); j--)
            o->items[j] = o->items[j - 1];
        o->items[j] = item;
    }
    for (size_t i = low; i < high; i++)
        bit_set(o->ends, (ordinal)i);
}

static size_t pick(struct order *o, size_t low, size_t high)
{
    o->random ^= o->random << 13; /* Marsaglia's xorshift, 2003 */
    o->random ^= o->random >> 7;
    o->random ^= o->random << 17;
    return low + (size_t)(o->random % (high - low));
}

/* Of three picked at random, the one in the middle. */
static struct order_item pick_pivot(struct order *o, size_t low, size_t high)
{
    struct order_item a = o->items[pick(o, low, high)], b = o->items[pick(o, low, high)],
                      c = o->items[pick(o, low, high)];
    if (comes_before(&b, &a)) {
        struct order_item t = a;
        a = b;
        b = t;
    }
    return comes_before(&c, &a) ? a : comes_before(&b, &c) ? b : c;
}

/* Parts a stretch in two; no two items are equal, so either side gets one at least. */
static void part(struct order *o, size_t low, size_t high)
{
    struct order_item pivot = pick_pivot(o, low, high);
    size_t i = low, j = high;
    for (;;) {
        while (comes_before(&o->items[i], &pivot))
            i++;
        do
            j--;
        while (comes_before(&pivot, &o->items[j]));
        if (i >= j)
            break;
        struct order_item t = o->items[i];
        o->items[i] = o->items[j];
        o->items[j] = t;
        i++;
    }
    /* The pivot itself stops both walks: what is behind j comes after it or is it. */
    size_t middle = j + 1;
    bit_set(o->ends, (ordinal)(middle < high ? middle : j));
}

ordinal order_at(struct order *o, size_t place)
{
    for (;;) {
        size_t low = end_before(o->ends, place), high = end_behind(o->ends, place);
        if (high - low == 1)
            return o->items[place].row;
        if (high - low <= FEW)
            sort_few(o, low, high);
        else
            part(o, low, high);
    }
}
