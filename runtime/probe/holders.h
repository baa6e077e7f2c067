/* Who might hold the objects that no object and no exact root explains.
 *
 * Before the heaps are walked, every word of the data of each module, of the stacks in use, of the registers and of what
 * the runtime names that could be a pointer is noted; while they are walked, it is noted which of these are objects and how many of their
 * references are explained. What is left is written as possible roots, with the variable's name where symbols tell it.
 * The words are few beside the heap, so the walk pays one look-up a reference.
 */
#ifndef PROBE_HOLDERS_H
#define PROBE_HOLDERS_H

#include "probe.h"

struct holders;

/* Memory that holds, though it is neither data nor a stack. */
struct holders_range {
    uint64_t start, end;
    const char *name; /* "memory of an interpreter"; the caller's, until it is written */
};

/* Gathers the words of data, stacks and registers, and of `more` memory that is not among these. Returns NULL without memory;
 * nothing is looked for then. */
struct holders *holders_gather(struct probe *probe, const struct holders_range *more, size_t count);
void holders_release(struct holders *holders);

/* What the walk has found: an object, or one reference to one that something exact explains. */
void holders_object(struct holders *holders, uint64_t address, uint32_t heap, int64_t refcount);
void holders_explain(struct holders *holders, uint64_t object);

/* A word that is an exact root: it explains what it holds, and is no other holder. */
void holders_exact(struct holders *holders, uint64_t where, uint64_t object);

/* Writes the possible roots. */
void holders_write(struct holders *holders, struct probe *probe);

#endif
