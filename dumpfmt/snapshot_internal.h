/* What the parts of the reader share: snapshot.c opens, blocks.c walks, check.c judges payloads, resolve.c judges the
 * whole and resolves ids, view.c hands out. */
#ifndef DUMPFMT_SNAPSHOT_INTERNAL_H
#define DUMPFMT_SNAPSHOT_INTERNAL_H

#include "snapshot.h"

struct block_list {
    struct block_view *items;
    size_t count, capacity;
};

/* Type ids to records, and each type's slice of `fields`, by number. */
struct type_table {
    const struct type_record **types;
    const struct field_record **fields;
    uint64_t *first_field;
    uint32_t limit;
};

struct snapshot {
    const uint8_t *bytes;
    size_t size;
    int mapped, allocated;             /* how `bytes` is to be given back */
    struct snapshot_identity identity; /* of a file that is mapped */
    int known, damaged_late;

    struct file_header header;
    struct process_record process;
    struct trailer_record trailer;
    uint32_t trailer_crc;
    uint32_t crc_of_uuid;
    int complete;
    char damage[200];

    struct block_list blocks[SECTION_TOTALS];
    uint64_t counts[SECTION_TOTALS];

    const struct string_record **strings;
    uint32_t string_limit;
    struct type_table types;
};

/* Sums and limits gathered from payloads, compared with the trailer at the end. */
struct check {
    int salvage;
    int known; /* objects, edges and values are taken on trust */
    uint64_t object_bytes;
    uint64_t degrees;
    uint64_t claimed;                  /* 1 + the highest number of an edge that rows so far speak of */
    uint32_t string_limit, type_limit; /* 1 + the largest id used or defined */
    uint32_t strings_defined_limit, types_defined_limit;
    uint64_t heap_limit, module_limit, thread_limit, frame_limit, site_limit;
    int no_values;
};

/* Checks one decoded payload against FORMAT.md section 3 and adds to `check` (check.c). */
int check_block(struct check *check, const struct block_view *block, struct rh_error *err);

/* Fills the tables of strings and types and checks what spans blocks, once all of them were taken (resolve.c). */
int resolve_ids(struct snapshot *s, const struct check *check, struct rh_error *err);

/* Walks the blocks, judges and decodes them, strictly or with salvage (blocks.c). *parts_lost counts stretches of the
 * file that were not read. */
int read_blocks(struct snapshot *s, struct check *check, unsigned *parts_lost, struct rh_error *err);

/* Whether a section is one of those that known files are not checked for again. */
static inline int is_bulk(unsigned section)
{
    return section == SECTION_OBJECTS || section == SECTION_EDGES || section == SECTION_VALUES;
}

/* Checks, and unpacks, a block that was left alone when the file was opened (blocks.c). 0 when it is right. */
int check_late(struct snapshot *s, struct block_view *block);

/* What to do about a file that is damaged. */
#define HINT_SALVAGE "take the snapshot again, or read what is whole with --salvage"

#endif
