/* The variables of a program or library, by address: from the symbol table of its file, or the dynamic one when it was
 * stripped.
 */
#ifndef PROBE_SYMBOLS_H
#define PROBE_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

struct symbols;

/* Reads the symbols of a file that has the build-id; NULL when it is another build, has none, or cannot be read. */
struct symbols *symbols_open(const char *path, const uint8_t *build_id, size_t build_id_length);
void symbols_close(struct symbols *symbols);

/* The variable that `address` lies in; NULL for none. `base` is where the file is mapped. *offset is from the
 * variable's beginning. */
const char *symbols_find(const struct symbols *symbols, uint64_t base, uint64_t address, uint64_t *offset);

/* The address of a variable; returns 0 when there is none of this name, else 1. */
int symbols_address(const struct symbols *symbols, uint64_t base, const char *name, uint64_t *address);

/* The build-id of an open ELF file; returns its length, at most MAPS_BUILD_ID_MAX, or 0. */
size_t symbols_build_id(int fd, uint8_t *build_id);

#endif
