/* Somebody else's memory, wherever it comes from.
 *
 * A source is one function. Over it lies a cache, since what is walked is many small pieces: it assumes that the
 * memory does not change, which holds for a stopped process and a core. Nothing read here is trusted.
 */
#ifndef PROBE_MEMORY_H
#define PROBE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include <refheap/error.h>

struct memory_source {
    /* Reads at most `size` bytes at `address` and returns how many could be read from there on without a gap. */
    size_t (*read)(struct memory_source *source, uint64_t address, void *to, size_t size);

    /* Where the source has the memory at hand: `size` bytes at `address`, valid as long as the source is; NULL when
     * they have to be read. May be NULL itself. */
    const void *(*view)(struct memory_source *source, uint64_t address, size_t size);

    int is_slow;    /* what is read counts by the byte: no more is read ahead than pays */
    int stays_here; /* it cannot be read by a forked copy of this process: it is a conversation */
};

/* Reads through an open descriptor of /proc/PID/mem, which stays the caller's. */
struct memory_descriptor {
    struct memory_source source;
    int fd;
};
void memory_descriptor_init(struct memory_descriptor *memory, int fd);

struct memory; /* a cache over a source, which must outlive it */

int memory_create(struct memory_source *source, struct memory **out, struct rh_error *err);
void memory_destroy(struct memory *memory);

enum { MEMORY_VIEW_MAX = 4096 };

/* `size` bytes at `address`, valid until the next call; NULL when they are not all there. At most MEMORY_VIEW_MAX. */
const void *memory_view(struct memory *memory, uint64_t address, size_t size);

/* Copies; returns 0 when all of it was there, -1 otherwise. */
int memory_read(struct memory *memory, uint64_t address, void *to, size_t size);

/* Numbers of the target, 0 when they cannot be read; *ok is cleared then (and left alone otherwise). */
uint64_t memory_u64(struct memory *memory, uint64_t address, int *ok);
uint32_t memory_u32(struct memory *memory, uint64_t address, int *ok);

/* An unsigned number of 1, 2, 4 or 8 bytes. */
uint64_t memory_number(struct memory *memory, uint64_t address, unsigned size, int *ok);

/* Reads a string that ends with a zero byte into `to` (terminated, cut at size - 1). Returns its length as read, -1
 * when nothing can be read. */
long memory_text(struct memory *memory, uint64_t address, char *to, size_t size);

/* Bytes fetched from the source so far. */
uint64_t memory_fetched(const struct memory *memory);

#endif
