/* CRC32C (Castagnoli), as FORMAT.md section 1 defines it. Safe in a signal handler. */
#ifndef DUMPFMT_CRC32C_H
#define DUMPFMT_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Extends `crc`, the CRC32C of what came before (0 at the start), by `size` bytes. Uses the processor's instruction
 * where there is one. */
uint32_t crc32c(uint32_t crc, const void *data, size_t size);

/* The same by table alone; what every processor can do, and the oracle of the other. */
uint32_t crc32c_by_table(uint32_t crc, const void *data, size_t size);

#endif
