#include "crc32c.h"

#include <string.h>

#include "crc32c_table.h"

uint32_t crc32c_by_table(uint32_t crc, const void *data, size_t size)
{
    const uint8_t *p = data;
    crc = ~crc;
    for (; size >= 8; size -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        word ^= crc;
        crc = 0;
        for (int k = 0; k < 8; k++)
            crc ^= table[7 - k][word >> 8 * k & 255];
    }
    for (; size; size--, p++)
        crc = crc >> 8 ^ table[0][(crc ^ *p) & 255];
    return ~crc;
}

#if defined(__x86_64__)

#include <immintrin.h>

/* Multiplies a register by x^(8n) modulo the polynomial, that is, runs it over n zero bytes. `k` is x^(8n - 33): the
 * carryless product of two reflected registers gains a factor x, and the crc instruction over it another x^32. */
__attribute__((target("sse4.2,pclmul"))) static inline uint64_t shift(uint64_t r, uint32_t k)
{
    __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((int64_t)r), _mm_cvtsi64_si128(k), 0);
    return _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

/* The instruction has a latency of three cycles and can start one each cycle, so three runs of LANE bytes go side by
 * side and are joined afterwards. */
__attribute__((target("sse4.2,pclmul"))) static uint32_t crc32c_by_instruction(uint32_t crc, const void *data,
                                                                               size_t size)
{
    enum { LANE = 1024 };
    const uint32_t shift_one = 0x170076fa; /* x^(8 * 1024 - 33) */
    const uint32_t shift_two = 0xa51b6135; /* x^(8 * 2048 - 33) */
    const uint8_t *p = data;
    uint64_t r = (uint32_t)~crc;

    for (; size >= 3 * LANE; size -= 3 * LANE, p += 3 * LANE) {
        uint64_t r1 = 0, r2 = 0;
        for (size_t i = 0; i < LANE; i += 8) {
            uint64_t w0, w1, w2;
            memcpy(&w0, p + i, 8);
            memcpy(&w1, p + i + LANE, 8);
            memcpy(&w2, p + i + 2 * LANE, 8);
            r = _mm_crc32_u64(r, w0);
            r1 = _mm_crc32_u64(r1, w1);
            r2 = _mm_crc32_u64(r2, w2);
        }
        r = shift(r, shift_two) ^ shift(r1, shift_one) ^ r2;
    }
    for (; size >= 8; size -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        r = _mm_crc32_u64(r, word);
    }
    for (; size; size--, p++)
        r = _mm_crc32_u8((uint32_t)r, *p);
    return ~(uint32_t)r;
}

uint32_t crc32c(uint32_t crc, const void *data, size_t size)
{
    if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul"))
        return crc32c_by_instruction(crc, data, size);
    return crc32c_by_table(crc, data, size);
}

#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)

#include <arm_acle.h>

uint32_t crc32c(uint32_t crc, const void *data, size_t size)
{
    const uint8_t *p = data;
    crc = ~crc;
    for (; size >= 8; size -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        crc = __crc32cd(crc, word);
    }
    for (; size; size--, p++)
        crc = __crc32cb(crc, *p);
    return ~crc;
}

#else

uint32_t crc32c(uint32_t crc, const void *data, size_t size)
{
    return crc32c_by_table(crc, data, size);
}

#endif
