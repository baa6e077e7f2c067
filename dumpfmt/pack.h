/* Writing a snapshot again, compressed. */
#ifndef DUMPFMT_PACK_H
#define DUMPFMT_PACK_H

#include <refheap/error.h>

#include "sink.h"
#include "snapshot.h"

/* Writes the same snapshot (same uuid, same elements, blocks in the same order) with its blocks compressed where that
 * makes them smaller. Blocks of sections this program does not know are left out. The snapshot must be complete. */
int snapshot_pack(const struct snapshot *snapshot, int level, struct sink *sink, struct rh_error *err);

#endif
