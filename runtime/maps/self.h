/* What a process says of itself in its own dump: the process section and the modules mapped. Raw system calls only, as
 * everything a dump does from inside. */
#ifndef RUNTIME_SELF_H
#define RUNTIME_SELF_H

#include "../../dumpfmt/writer.h"
#include "maps.h"

enum { SELF_TEXT_CAP = 4096 };

/* Scratch, too large for the stack of a signal handler. */
struct self_scratch {
    struct maps_reader maps;
    struct module_found module;
    char maps_buffer[MAPS_BUFFER_SIZE];
    char text[SELF_TEXT_CAP];
};

/* `library` is the name and version of what writes, `captured` one of enum captured. */
void self_write_process(struct writer *w, struct self_scratch *scratch, const char *library, unsigned captured,
                        int no_values);

/* Writes the modules, in the order of their addresses. `also` is told of each when it is written, unless it is NULL. */
void self_write_modules(struct writer *w, struct self_scratch *scratch,
                        void (*also)(void *context, const struct module_found *module), void *context);

/* Reads what is there of this process's memory from an address on; returns how many bytes. Where process_vm_readv is not
 * allowed, by /proc/self/mem. */
size_t self_read_part(uint64_t address, void *to, size_t size);

/* Reads memory of this process that may not be there; a maps_read, `context` is unused. */
int self_read(void *context, uint64_t address, void *to, size_t size);

#endif
