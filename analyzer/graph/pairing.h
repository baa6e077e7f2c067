/* Which object of one snapshot is which of another.
 *
 * Two snapshots of one process share its heaps: those of the same runtime, address and name, unless the later one has
 * made fewer objects. Within such a heap an object is known by its serial number, which is certain; objects of a heap
 * that the other snapshot does not have are new or gone, which is as certain. All others are taken for the same when
 * address and type are, which is inferred: memory is used again. (A heap given up and another of its name made in its
 * place cannot be told from one that lived on, unless its numbers went back.)
 */
#ifndef GRAPH_PAIRING_H
#define GRAPH_PAIRING_H

#include "graph.h"

/* One of the two: its classes of types are numbered for both together. */
struct pairing_side {
    const struct graph *g;
    const uint32_t *class_of; /* by type id */
};

struct pairing {
    ordinal *partner[2]; /* by object of the first: itself in the second, or ORDINAL_NONE; and the other way */
    uint64_t by_serial;  /* pairs known by serial number */
    uint64_t by_address; /* and by address and type */
    uint64_t inferred;   /* objects of both whose being paired, new or gone was inferred */
    int same_process;    /* as far as pid, host, program and machine tell */
};

/* Pairs the objects of two snapshots. Of several with one serial number, the one with the lowest address has it.
 * Returns 0 or -1 without memory. */
int pairing_find(const struct pairing_side side[2], struct pairing *result);
void pairing_release(struct pairing *pairing);

/* Serial numbers by ordinal, 0 for none; NULL without memory. To be freed with array_free(). */
uint64_t *pairing_serials(const struct graph *g);

#endif
