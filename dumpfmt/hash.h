/* Hashing of numbers that come from untrusted input: the key is drawn at random once a run, so that nobody can choose
 * addresses that all fall into one place of an open-addressing table. Answers never depend on it.
 */
#ifndef DUMPFMT_HASH_H
#define DUMPFMT_HASH_H

#include <stdint.h>
#include <sys/random.h>
#include <time.h>

static inline uint64_t hash_key(void)
{
    static uint64_t key; /* racing threads at worst draw twice, before there is a table */
    if (!key) {
        uint64_t drawn;
        if (getrandom(&drawn, sizeof drawn, GRND_NONBLOCK) != sizeof drawn)
            drawn = (uint64_t)time(0) * 0x9e3779b97f4a7c15u ^ (uint64_t)(uintptr_t)&key;
        key = drawn | 1;
    }
    return key;
}

/* Multiply and fold with the random key: all bits of the result depend on all bits of the value. */
static inline uint64_t hash_word(uint64_t key, uint64_t value)
{
    unsigned __int128 product = (unsigned __int128)(value ^ (key >> 32)) * (key ^ 0x9e3779b97f4a7c14u);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

#endif
