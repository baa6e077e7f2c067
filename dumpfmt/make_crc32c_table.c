/* Prints the tables of crc32c.c at build time: table[k][b] is the register after byte b and then k zero bytes
 * ("slicing by 8", Kounavis and Berry 2005). */
#include <stdint.h>
#include <stdio.h>

int main(void)
{
    uint32_t table[8][256];
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t r = b;
        for (int bit = 0; bit < 8; bit++)
            r = r & 1 ? r >> 1 ^ 0x82f63b78 : r >> 1;
        table[0][b] = r;
    }
    for (int k = 1; k < 8; k++)
        for (int b = 0; b < 256; b++)
            table[k][b] = table[k - 1][b] >> 8 ^ table[0][table[k - 1][b] & 255];

    printf("static const uint32_t table[8][256] = {\n");
    for (int k = 0; k < 8; k++) {
        printf("{");
        for (int b = 0; b < 256; b++)
            printf("0x%08x,%s", table[k][b], b % 8 == 7 ? "\n" : "");
        printf("},\n");
    }
    printf("};\n");
    return 0;
}
