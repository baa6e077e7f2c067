/* Writing a snapshot, as FORMAT.md lays it out, in one pass and in bounded memory.
 *
 * The caller gives the memory (writer_memory_size() bytes, 16-aligned, zeroed) and the sink; the writer calls neither
 * malloc nor stdio and is safe in a signal handler. It holds one block of each section and writes a block whenever
 * one is full. Blocks are stored plain; compression is for tools that run elsewhere.
 *
 * Errors stick: after the first, every call does nothing, and writer_finish() reports it.
 *
 * Objects and edges are streams: writer_object() begins an object, and the writer_edge() calls up to the next one are
 * its references.
 */
#ifndef DUMPFMT_WRITER_H
#define DUMPFMT_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include <refheap/error.h>

#include "format.h"
#include "sink.h"

struct writer; /* lives at the start of the caller's memory */

struct writer_identity {
    uint8_t uuid[16]; /* writer_random_uuid() */
    int64_t time;     /* writer_now() */
    uint32_t flags;   /* enum file_flags */
};

/* One row of section 8. Zero is a fit value for all but the address. */
struct writer_object {
    uint64_t address;
    uint64_t size;
    int64_t refcount;
    uint32_t type;
    uint32_t state; /* enum object_state */
    uint64_t serial;
    uint64_t site; /* site id + 1 */
    uint64_t used, capacity;
    uint64_t hash;
};

size_t writer_memory_size(void);

void writer_random_uuid(uint8_t uuid[16]);
int64_t writer_now(void);

/* Begins a file. `memory` and `sink` stay the caller's and must outlive the writer. */
struct writer *writer_open(void *memory, struct sink *sink, const struct writer_identity *identity);

/* Writes a string and returns its id: 0 for the empty one. At most `cap` bytes are kept; a cut falls between UTF-8
 * characters. */
uint32_t writer_string(struct writer *w, const char *text, size_t length, size_t cap);

/* Writes a string whose id was reserved before. */
uint32_t writer_reserve_string(struct writer *w);
void writer_define_string(struct writer *w, uint32_t id, const char *text, size_t length, size_t cap);

/* Writes one element of a section of fixed elements; `record` is the section's struct. */
void writer_record(struct writer *w, enum section section, const void *record);

/* Writes an element of section 10. The kept bytes may be fewer than `length`; they must fit in a block. */
void writer_value(struct writer *w, uint64_t object, enum value_kind kind, const void *bytes, uint32_t kept,
                  uint64_t length);

/* Adds `count` elements of `stride` bytes to the size of an object. Returns 0, or 1 and leaves the size when that is
 * more than an address space holds: the count is wrong, and the size an estimate (STATE_SIZE_ESTIMATED). */
static inline int writer_add_room(uint64_t *size, uint64_t count, uint64_t stride)
{
    uint64_t more, most = UINT64_C(1) << 47;
    if (__builtin_mul_overflow(count, stride, &more) || more > most || *size + more > most)
        return 1;
    *size += more;
    return 0;
}

void writer_object(struct writer *w, uint32_t heap, const struct writer_object *object);
void writer_edge(struct writer *w, uint64_t target, unsigned bits, enum label_kind kind, uint64_t label);

/* Sets a state bit of the object begun last (that some of its references could not be read, say). */
void writer_object_mark(struct writer *w, unsigned state);

/* What was written so far, for progress and totals. */
uint64_t writer_count(const struct writer *w, enum section section);
uint64_t writer_bytes(const struct writer *w);

/* 0, or minus the errno of the sink's first failure; a caller may stop early. */
int writer_status(const struct writer *w);

/* Writes what is held and the trailer. Returns 0 or the first error. */
int writer_finish(struct writer *w, struct rh_error *err);

#endif
