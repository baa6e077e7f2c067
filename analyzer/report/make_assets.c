/* make_assets NAME=FILE...: prints a header with each file as an array of characters, its size, and its hash as a
 * content security policy names it (SHA-256 in base64). Part of the build, not of the program.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- SHA-256 (FIPS 180-4) ---- */

/* The first 32 bits of the fractional parts of roots of the first primes, worked out rather than written down. */
static uint32_t fraction(unsigned prime, int cube)
{
    /* The largest x with x^2 <= prime * 2^64, or x^3 <= prime * 2^96: all of it below 2^111. */
    unsigned __int128 low = 0, high = (unsigned __int128)1 << 37;
    while (high - low > 1) {
        unsigned __int128 x = (low + high) / 2;
        int below = cube ? x * x * x <= (unsigned __int128)prime << 96 : x * x <= (unsigned __int128)prime << 64;
        if (below)
            low = x;
        else
            high = x;
    }
    return (uint32_t)low;
}

static uint32_t turn(uint32_t x, int by)
{
    return x >> by | x << (32 - by);
}

static void sha256_block(uint32_t state[8], const uint32_t k[64], const uint8_t block[64])
{
    uint32_t w[64], s[8];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8 |
               block[4 * i + 3];
    for (int i = 16; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + (turn(a, 7) ^ turn(a, 18) ^ a >> 3) + w[i - 7] + (turn(b, 17) ^ turn(b, 19) ^ b >> 10);
    }
    memcpy(s, state, sizeof s);
    for (int i = 0; i < 64; i++) {
        uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]), majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
        uint32_t t = s[7] + (turn(s[4], 6) ^ turn(s[4], 11) ^ turn(s[4], 25)) + choice + k[i] + w[i];
        uint32_t u = (turn(s[0], 2) ^ turn(s[0], 13) ^ turn(s[0], 22)) + majority;
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += t;
        s[0] = t + u;
    }
    for (int i = 0; i < 8; i++)
        state[i] += s[i];
}

static void sha256(const uint8_t *data, size_t size, uint8_t hash[32])
{
    uint32_t state[8], k[64];
    uint8_t block[64];
    unsigned n = 0;
    for (unsigned prime = 2; n < 64; prime++) {
        unsigned divisor = 2;
        while (prime % divisor)
            divisor++;
        if (divisor != prime)
            continue;
        if (n < 8)
            state[n] = fraction(prime, 0);
        k[n++] = fraction(prime, 1);
    }
    size_t whole = size / 64 * 64, left = size - whole;
    for (size_t i = 0; i < whole; i += 64)
        sha256_block(state, k, data + i);
    memset(block, 0, sizeof block);
    memcpy(block, data + whole, left);
    block[left] = 0x80;
    if (left >= 56) {
        sha256_block(state, k, block);
        memset(block, 0, sizeof block);
    }
    for (int i = 0; i < 8; i++)
        block[56 + i] = (uint8_t)((uint64_t)size * 8 >> (56 - 8 * i));
    sha256_block(state, k, block);
    for (int i = 0; i < 32; i++)
        hash[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
}

static void put_base64(const uint8_t hash[32])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (int i = 0; i < 32; i += 3) {
        uint32_t three =
            (uint32_t)hash[i] << 16 | (i + 1 < 32 ? (uint32_t)hash[i + 1] << 8 : 0) | (i + 2 < 32 ? hash[i + 2] : 0);
        for (int d = 0; d < 4; d++)
            putchar(i + d - 1 < 32 ? digits[three >> (18 - 6 * d) & 63] : '=');
    }
}

/* ---- arrays ---- */

static int put_asset(char *name, const char *path)
{
    static uint8_t data[1 << 20];
    uint8_t hash[32];
    FILE *f = fopen(path, "rb");
    size_t size = f ? fread(data, 1, sizeof data, f) : 0;
    if (!f || ferror(f) || !feof(f)) {
        fprintf(stderr, "make_assets: cannot read %s whole\n", path);
        return -1;
    }
    fclose(f);
    printf("static const char %s[] = {", name);
    for (size_t i = 0; i < size; i++)
        printf("%s%d,", i % 20 ? "" : "\n    ", (signed char)data[i]);
    printf("0};\n");
    for (char *p = name; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    sha256(data, size, hash);
    printf("enum { %s_SIZE = %zu };\n#define %s_HASH \"sha256-", name, size, name);
    put_base64(hash);
    puts("\"");
    return 0;
}

int main(int argc, char **argv)
{
    puts("/* Made by make_assets.c. */");
    for (int i = 1; i < argc; i++) {
        char *path = strchr(argv[i], '=');
        if (!path)
            return 2;
        *path++ = 0;
        if (put_asset(argv[i], path))
            return 1;
    }
    return 0;
}
