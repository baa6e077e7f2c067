/* Who might hold the objects that no object and no exact root explains, seen from inside: as probe/holders.h does it from
 * outside, with the same rules and the same names.
 *
 * When all objects are written, the census knows what is unexplained; then the data of each module is looked through for
 * the addresses of such objects, and what is found is written as possible roots. So the walk over the heap pays nothing
 * for it.
 */
#ifndef CPYTHON_HOLDERS_H
#define CPYTHON_HOLDERS_H

#include <stddef.h>
#include <stdint.h>

#include "mapping.h"

struct inside;
struct heap_span;
struct module_found;

/* Zeroed is empty. */
struct holders {
    struct mapping modules; /* struct module_place, by number and by address */
    struct mapping paths;
    struct mapping hits; /* struct hit, by address of the word */
    struct mapping piece;
    size_t module_count, path_bytes, hit_count;
    struct id_map exact; /* places of exact roots */
    struct id_map heaps; /* of the objects in `hits`: number + 1 */
    uint64_t allowed;    /* bytes of data that may still be looked through */
    int cut;
};

/* A module that was written; one after the other. `context` is the struct inside. */
void holders_module(void *context, const struct module_found *module);

/* A word that is an exact root explains what it holds, and is no other holder. */
void holders_exact(struct inside *d, uint64_t where);

/* Looks for them, and writes them. `spans` has what is each heap's. */
void holders_write(struct inside *d, const struct heap_span *spans, uint32_t heaps);

void holders_release(struct holders *holders);

#endif
