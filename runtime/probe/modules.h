/* The modules of a process: what is mapped with code, their data, and their symbols. Part of probe.h, where models find
 * what they need of it.
 */
#ifndef PROBE_MODULES_H
#define PROBE_MODULES_H

#include "probe.h"
#include "symbols.h"

void modules_read(struct probe *probe);
void modules_release(struct probe *probe);

/* Writes them into the snapshot, under the numbers they have in probe->modules. */
void modules_write(struct probe *probe);

/* The number of the module whose data or code an address lies in; FORMAT_NONE for none. */
uint32_t modules_find(const struct probe *probe, uint64_t address);

/* The file on disk that a module can be read from, asked for once; NULL when it is not known. Whether it is the same
 * build is still to be checked. The module's. */
const char *modules_file(struct probe *probe, uint32_t module);

/* A module's symbols, read when they are asked for first; NULL when there are none. The module's. */
const struct symbols *modules_symbols(struct probe *probe, uint32_t module);

#endif
