/* Reading a snapshot, as FORMAT.md lays it out.
 *
 * Opening maps the file (or takes bytes in memory), checks everything FORMAT.md section 4 names in one linear pass,
 * and decodes compressed blocks. After that the snapshot is trusted: the views handed out are valid until
 * snapshot_close(), and no further check is made of them.
 *
 * The one thing not checked here is that object addresses are unique; that falls out of building an index.
 *
 * With `salvage`, a damaged or truncated file is read as far as its blocks are whole; snapshot_complete() is then 0,
 * and elements may be missing in the middle of a section.
 */
#ifndef DUMPFMT_SNAPSHOT_H
#define DUMPFMT_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include <refheap/error.h>

#include "format.h"

struct snapshot;

/* What tells a file from another, and from itself before it was changed. */
struct snapshot_identity {
    uint64_t device, inode, size;
    int64_t modified[2], changed[2]; /* seconds and nanoseconds */
    uint64_t trailer_crc;
};

struct snapshot_options {
    int salvage;
    /* NULL, or a file that was found whole before. If it is this one, what was checked then is not checked again: its
     * objects, edges and values are read when somebody wants them, and unpacked then. */
    const struct snapshot_identity *known;
};

/* Opens a file. A pipe or other file that cannot be mapped is read into memory; "-" is standard input. */
int snapshot_open(const char *path, const struct snapshot_options *options, struct snapshot **out,
                  struct rh_error *err);

/* Opens bytes in memory, 8-aligned, which must outlive the snapshot. */
int snapshot_open_memory(const void *bytes, size_t size, const struct snapshot_options *options, struct snapshot **out,
                         struct rh_error *err);

void snapshot_close(struct snapshot *s);

/* What identifies an opened file. -1 for one that nothing does: a pipe, bytes in memory, a damaged file. */
int snapshot_identity(const struct snapshot *s, struct snapshot_identity *identity);

/* 1 when the file was the one that options.known described. */
int snapshot_is_known(const struct snapshot *s);

/* 1 when a part of a known file, read late, turned out to be damaged: its elements were left out. */
int snapshot_is_damaged_late(const struct snapshot *s);

/* Checks of a known file what opening it took on trust. */
int snapshot_check_known(const struct snapshot *s, struct rh_error *err);

/* What the file says of itself. process is never NULL (a salvaged file without one gives zeros). */
const struct file_header *snapshot_header(const struct snapshot *s);
const struct process_record *snapshot_process(const struct snapshot *s);
uint64_t snapshot_file_size(const struct snapshot *s);
uint32_t snapshot_trailer_crc(const struct snapshot *s);
const struct trailer_record *snapshot_trailer(const struct snapshot *s); /* zeros when there was none */

/* 1 when the whole file was read and every check passed. */
int snapshot_complete(const struct snapshot *s);

/* With salvage: one line on what was lost, "" when nothing was. */
const char *snapshot_damage(const struct snapshot *s);

/* Elements present in a section. */
uint64_t snapshot_count(const struct snapshot *s, enum section section);

/* Bytes of text; not terminated, and any bytes at all. */
struct text {
    const char *bytes;
    size_t length;
    uint64_t full_length; /* of what the program had; greater when it was capped */
};

/* The text of a string id; {"", 0, 0} for id 0 and for one that is unknown. */
struct text snapshot_string(const struct snapshot *s, uint32_t id);

/* Element `index` of a section of fixed elements, NULL when there is none. Constant time for the sections up to a
 * few blocks, logarithmic in the number of blocks otherwise. */
const void *snapshot_record(const struct snapshot *s, enum section section, uint64_t index);

/* Walks the elements of such a section that are there. Start with a zeroed cursor; returns NULL at the end. */
struct record_cursor {
    size_t block;
    uint32_t done;
};
const void *snapshot_next_record(const struct snapshot *s, enum section section, struct record_cursor *cursor);

/* Types by id, and their fields by number; NULL when undefined. */
uint32_t snapshot_type_limit(const struct snapshot *s);
const struct type_record *snapshot_type(const struct snapshot *s, uint32_t id);
const struct field_record *snapshot_field(const struct snapshot *s, uint32_t type, uint32_t number);

/* A block of any section, in file order. */
struct block_view {
    const uint8_t *payload; /* decoded */
    uint32_t length;        /* of the decoded payload */
    uint32_t stored_length;
    uint32_t count;
    uint16_t section;
    uint16_t flags;
    uint64_t first;
    uint64_t offset;   /* of the block header in the file */
    uint8_t *unpacked; /* memory of the reader that the payload is in, or NULL */
    uint8_t late;      /* of a known file: 1 not checked yet, 2 damaged */
};
size_t snapshot_block_count(const struct snapshot *s, enum section section);
const struct block_view *snapshot_block(const struct snapshot *s, enum section section, size_t index);

/* A column of a block; width 0 for one that is not there, which reads as zero. */
struct column_view {
    const uint8_t *data;
    unsigned width;
};

static inline uint64_t column_get(const struct column_view *column, uint64_t row)
{
    switch (column->width) {
    case 1:
        return column->data[row];
    case 2:
        return ((const uint16_t *)column->data)[row];
    case 4:
        return ((const uint32_t *)column->data)[row];
    case 8:
        return ((const uint64_t *)column->data)[row];
    default:
        return 0;
    }
}

/* Tells the processor that a row will be wanted soon. */
static inline void column_fetch(const struct column_view *column, uint64_t row)
{
    __builtin_prefetch(column->data + column->width * row);
}

static inline int64_t column_get_signed(const struct column_view *column, uint64_t row)
{
    uint64_t value = column_get(column, row);
    unsigned unused = 64 - 8 * column->width;
    return column->width ? (int64_t)(value << unused) >> unused : 0;
}

struct objects_view {
    uint32_t heap, count;
    uint64_t first, first_edge;
    struct column_view column[OBJECT_COLUMN_LIMIT];
};
void snapshot_objects(const struct snapshot *s, size_t block, struct objects_view *out);

struct edges_view {
    uint32_t count;
    uint64_t first;
    const uint64_t *target;
    struct column_view info, label;
};
void snapshot_edges(const struct snapshot *s, size_t block, struct edges_view *out);

/* Edges from index `first` on that lie in one block. Only in a salvaged file can `count` be 0: then the edges up to
 * `first + missing` are lost (missing is at most `want`). */
struct edge_run {
    struct edges_view edges;
    uint32_t at;    /* row in `edges` of the first one */
    uint64_t count; /* at most `want` */
    uint64_t missing;
    size_t block; /* pass it in again for the next run: sequential reading costs no search */
};
void snapshot_edge_run(const struct snapshot *s, uint64_t first, uint64_t want, struct edge_run *run);

/* Walks the records of section 10 in file order. Start with a zeroed cursor; returns NULL at the end. The kept bytes
 * follow the record. */
struct value_cursor {
    size_t block;
    uint32_t done, at;
    uint64_t place; /* of the record that was returned: for snapshot_value() */
};
const struct value_record *snapshot_next_value(const struct snapshot *s, struct value_cursor *cursor);
const struct value_record *snapshot_value(const struct snapshot *s, uint64_t place);

#endif
