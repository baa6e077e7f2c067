/* Names of the variables of a program or library, from the symbol table of its file, or the dynamic one when it was
 * stripped. For use where malloc, and so libelf, cannot be used: raw system calls, and the memory of the caller.
 */
#ifndef CPYTHON_VARIABLES_H
#define CPYTHON_VARIABLES_H

#include <stddef.h>
#include <stdint.h>

#include "../../maps/maps.h"

enum { VARIABLE_NAME_MAX = 300 };

/* An address whose variable is looked for. */
struct variable {
    uint64_t address;
    uint64_t start; /* of the variable, as linked */
    uint32_t name;  /* where its name stands in the table of names; 0: there is no variable */
};

/* The file of a module. */
struct variable_file {
    int fd;
    uint64_t names, names_size; /* in the file */
    uint64_t linked;            /* less where its first byte is mapped */
};

/* Opens the file of a module and finds the variables of `count` addresses in order, reading its symbols once, a piece at a
 * time. Returns 0, or -1 when it is another build, has no symbols, or cannot be read. */
int variables_find(struct variable_file *file, const struct module_found *module, struct variable *variables, size_t count);

/* The name of a variable that was found, terminated and maybe cut; its length, 0 when it cannot be read. */
size_t variables_name(const struct variable_file *file, const struct variable *variable, char name[VARIABLE_NAME_MAX]);

/* How far behind its variable's start an address lies. */
uint64_t variables_offset(const struct variable_file *file, const struct variable *variable);

void variables_close(struct variable_file *file);

#endif
