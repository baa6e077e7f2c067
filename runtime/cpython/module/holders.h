/* Who might hold the objects that no object and no exact root explains, seen from inside: as probe/holders.h does it from
 * outside, with the same rules and the same names.
 *
 * When all objects are written, the census knows what is unexplained; then memory is looked through for the addresses of
 * such objects, and what is found is written as possible roots. So the walk over the heap pays next to nothing for it. Looked
 * through are
 *
 * - the data of each module, and what an interpreter has in its own memory;
 * - the stacks of the interpreter's threads: the dump's own from its caller on, and those of threads that wait in the
 *   kernel, whose registers are on their stacks. A thread that runs C without a GIL is not looked at;
 * - objects of types whose layout is not known: words of theirs that tp_traverse did not visit. From outside these are
 *   edges, found by scanning; inside no edge is a guess.
 */
#ifndef CPYTHON_HOLDERS_H
#define CPYTHON_HOLDERS_H

#include <stddef.h>
#include <stdint.h>

#include "mapping.h"

struct inside;
struct heap_span;
struct module_found;

/* A word that has the address of an unexplained object. */
struct hit {
    uint64_t object, where;
    uint32_t module; /* FORMAT_NONE: on a stack, in an object or in an interpreter */
    uint32_t thread; /* FORMAT_NONE: in an object or in an interpreter */
    uint64_t number; /* of a thread as the system has it; of the object's type; HIT_IN_INTERPRETER */
};
#define HIT_IN_INTERPRETER UINT64_MAX

enum { HOLDERS_PIECE = 256 << 10 }; /* of memory, looked through at a time */

/* Zeroed is empty. */
struct holders {
    struct mapping modules; /* struct module_place, by number and by address */
    struct mapping paths;
    struct mapping hits; /* struct hit, those of modules by the address of the word */
    struct mapping piece;
    struct mapping stacks;  /* struct stack */
    struct mapping scanned; /* addresses of objects */
    size_t module_count, path_bytes, hit_count, stack_count, scanned_count;
    struct id_map exact; /* places of exact roots */
    struct id_map heaps; /* of the objects in `hits`: number + 1 */
    uint64_t allowed;    /* bytes of data that may still be looked through */
    int cut;
};

/* A module that was written; one after the other. `context` is the struct inside. */
void holders_module(void *context, const struct module_found *module);

/* A word that is an exact root explains what it holds, and is no other holder. */
void holders_exact(struct inside *d, uint64_t where);

/* A thread that was written, by its number and the system's. */
void holders_thread(struct inside *d, uint32_t thread, uint64_t tid);

/* An object that has words whose meaning is not known. */
void holders_scanned(struct inside *d, uint64_t object);

/* Looks for them, and writes them. `spans` has an interpreter each, and what is each heap's. */
void holders_write(struct inside *d, const struct heap_span *spans, size_t interpreters, uint32_t heaps);

void holders_release(struct holders *holders);

/* ---- between hits.c, which keeps what is found, holders.c, stacks.c and beyond.c, which look ---- */

struct map_line;

int holders_is_unexplained(struct inside *d, uint64_t word);
void holders_keep(struct inside *d, struct hit hit);
/* Looks through a range; `hit` says what it is. */
void holders_search(struct inside *d, uint64_t from, uint64_t to, struct hit hit);
void holders_search_stacks(struct inside *d, const struct map_line *line); /* those in a mapping */
void holders_search_interpreter(struct inside *d, uint64_t interpreter);
void holders_search_objects(struct inside *d);
uint32_t holders_name(struct inside *d, const struct hit *hit); /* of what is in no module */

#endif
