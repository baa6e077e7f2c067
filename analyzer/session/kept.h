/* The index of a snapshot, kept in a file: arrays by number, so that the next command need not compute them.
 *
 * It lies beside the snapshot (SNAPSHOT.index) or, where that cannot be written, under $XDG_CACHE_HOME/refheap (or
 * ~/.cache/refheap). It is believed only when the user owns it and nobody else may write it, when it was made of this
 * very file by this program's arrangement of it, and part by part when the checksums of what is used are right: each
 * chunk of 16 KiB has one, so that a question about one object reads little more than it needs.
 */
#ifndef ANALYZER_KEPT_H
#define ANALYZER_KEPT_H

#include <stddef.h>

#include "../../dumpfmt/snapshot.h"

/* An array of the index: its number, the size of an element, and how many there are. */
struct kept_part {
    uint32_t id, element;
    uint64_t count;
    const void *data;
};

struct kept;

/* Opens the index of a snapshot; NULL when there is none to be believed. It may still be of another file: see
 * kept_identity(). */
struct kept *kept_open(const char *snapshot_path);
void kept_close(struct kept *kept);

/* The snapshot it was made of. */
const struct snapshot_identity *kept_identity(const struct kept *kept);

/* An array of the index, not checked yet; NULL when it is not there or its elements are others. */
const struct kept_part *kept_find(const struct kept *kept, uint32_t id, uint32_t element);

/* Compares a part with its checksums, by all processors; returns 0 or -1. */
int kept_check(struct kept *kept, const struct kept_part *part);

/* The same for the chunks that hold some bytes of the index; those that were right once are not read again. */
int kept_check_bytes(struct kept *kept, const void *first, size_t size);

/* Which chunks were compared, for those who look for themselves: where the chunks begin, a byte for each that is 1 when
 * it was right, and the log2 of their size. */
const uint8_t *kept_chunks(const struct kept *kept, const uint8_t **checked, unsigned *shift);

/* Makes a part writable, to this process alone, and its chunks right: for one that is repaired. */
int kept_repair(struct kept *kept, const struct kept_part *part, const void *data);

/* Writes an index of the parts, beside the snapshot or in the user's cache, in place of an earlier one. A file there
 * that is no index is left alone. Returns 0, or -1 when it could not be kept anywhere. */
int kept_write(const char *snapshot_path, const struct snapshot_identity *identity, const struct kept_part *parts,
               size_t count);

#endif
