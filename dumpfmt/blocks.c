/* The file header, and the walk over the blocks: judging each, strictly or with salvage, and unpacking compressed ones.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#define ZSTD_STATIC_LINKING_ONLY /* for the magic numbers */
#include <zstd.h>

#include "crc32c.h"
#include "error.h"
#include "snapshot_internal.h"

static const char hint_other_file[] = "give a file that refheap or librefheap wrote";

/* A fuzzer would spend its life on checksums; its build finds all of them right. */
static int checksum_is_wrong(uint32_t stored, uint32_t computed)
{
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
    (void)stored, (void)computed;
    return 0;
#else
    return stored != computed;
#endif
}

static int check_header(struct snapshot *s, struct rh_error *err)
{
    struct file_header *h = &s->header;
    if (s->size == 0)
        return error_set(err, RH_ERR_FORMAT, "the file is empty", "take the snapshot again");
    size_t have = s->size < sizeof *h ? s->size : sizeof *h;
    memcpy(h, s->bytes, have);
    if (memcmp(h->magic, FORMAT_MAGIC, have < 8 ? have : 8))
        return error_set_at(err, RH_ERR_FORMAT, "header", 0, "this is not a refheap snapshot", hint_other_file);
    if (have < sizeof *h)
        return error_set_at(err, RH_ERR_FORMAT, "header", s->size, "the file ends within its header",
                            "take the snapshot again");
    if (h->major != FORMAT_MAJOR) {
        error_format(err, RH_ERR_UNSUPPORTED, "read it with the refheap that wrote it",
                     "the file is in version %u.%u of the format and this program reads %d.x", h->major, h->minor,
                     FORMAT_MAJOR);
        error_at(err, "header", 8);
        return RH_ERR_UNSUPPORTED;
    }
    if (checksum_is_wrong(h->crc, crc32c(0, h, offsetof(struct file_header, crc))))
        return error_set_at(err, RH_ERR_FORMAT, "header", 0, "the checksum of the header is wrong",
                            "take the snapshot again");
    if (h->header_length != sizeof *h || h->flags & ~(uint32_t)FILE_NO_VALUES || h->reserved[0] || h->reserved[1] ||
        h->reserved[2] || h->reserved[3])
        return error_set_at(err, RH_ERR_FORMAT, "header", 12, "the header has a value the format does not allow",
                            hint_other_file);
    s->crc_of_uuid = crc32c(0, h->uuid, sizeof h->uuid);
    return 0;
}

static const char *section_name(unsigned section)
{
    const struct section_info *info = section_info(section);
    return info ? info->name : "unknown";
}

/* What is wrong with a block header by itself and with the bytes it claims, or NULL. */
static const char *judge_block(const struct snapshot *s, uint64_t offset, struct block_header *h, int known)
{
    const struct section_info *info;
    uint64_t left = s->size - offset;
    if (left < sizeof *h)
        return "the file ends within a block header";
    memcpy(h, s->bytes + offset, sizeof *h);
    if (h->magic != BLOCK_MAGIC)
        return "there is no block where one should begin";
    if (h->raw_length == 0 || h->raw_length > BLOCK_RAW_MAX || h->stored_length == 0 ||
        h->stored_length > BLOCK_RAW_MAX || h->count == 0)
        return "a block has an impossible length or count";
    if (pad8(h->stored_length) > left - sizeof *h)
        return "the file ends within a block";
    struct block_header unsigned_header = *h;
    unsigned_header.crc = 0;
    info = section_info(h->section);
    if (known && is_bulk(h->section))
        return NULL;
    uint32_t crc = crc32c(s->crc_of_uuid, &unsigned_header, sizeof unsigned_header);
    if (checksum_is_wrong(h->crc, crc32c(crc, s->bytes + offset + sizeof *h, pad8(h->stored_length))))
        return "the checksum of a block is wrong";
    const uint8_t *padding = s->bytes + offset + sizeof *h + h->stored_length;
    for (uint64_t i = h->stored_length; i < pad8(h->stored_length); i++)
        if (*padding++)
            return "padding is not zero";
    if (h->flags & ~(BLOCK_CRITICAL | BLOCK_CODEC_MASK) || h->reserved ||
        (info && (info->critical != (h->flags & BLOCK_CRITICAL) || h->flags & ~BLOCK_FLAGS_KNOWN)) ||
        (h->section >= 32768 && h->flags & BLOCK_CRITICAL))
        return "a block has flags the format does not allow";
    if ((h->flags & BLOCK_CODEC_MASK) == BLOCK_CODEC_STORED && h->stored_length != h->raw_length)
        return "a stored block has two lengths";
    if (info && (h->flags & BLOCK_CODEC_MASK) == BLOCK_CODEC_ZSTD &&
        h->raw_length > ZSTD_RATIO_FREE + (uint64_t)ZSTD_RATIO_MAX * h->stored_length)
        return "a compressed block claims to be larger than the format allows";
    return NULL;
}

static int append_block(struct snapshot *s, const struct block_view *block, struct rh_error *err)
{
    struct block_list *list = &s->blocks[block->section];
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 16;
        struct block_view *items = realloc(list->items, capacity * sizeof *items);
        if (!items)
            return error_set(err, RH_ERR_NO_MEMORY, "not enough memory for the list of blocks", "");
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = *block;
    s->counts[block->section] += block->count;
    return 0;
}

/* ---- compressed payloads ---- */

/* One frame that is no skippable one, then skippable ones alone. */
static int frames_are_right(const uint8_t *p, size_t size)
{
    for (int first = 1; size; first = 0) {
        uint32_t magic;
        if (size < sizeof magic)
            return 0;
        memcpy(&magic, p, sizeof magic);
        int skippable = (magic & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START;
        size_t n = ZSTD_findFrameCompressedSize(p, size);
        if (first && ZSTD_getDictID_fromFrame(p, size))
            return 0;
        if (skippable == first || (!skippable && magic != ZSTD_MAGICNUMBER) || ZSTD_isError(n) || n > size || !n)
            return 0;
        p += n;
        size -= n;
    }
    return 1;
}

/* Unpacks a block into memory of its own, which the block then owns. */
static int unpack_block(struct block_view *block, struct rh_error *err)
{
    block->unpacked = malloc(block->length);
    if (!block->unpacked)
        return error_set(err, RH_ERR_NO_MEMORY, "not enough memory for the unpacked blocks", "");
    if (!frames_are_right(block->payload, block->stored_length) ||
        ZSTD_decompress(block->unpacked, block->length, block->payload, block->stored_length) != block->length)
        return error_set_at(err, RH_ERR_FORMAT, section_name(block->section), block->offset,
                            "a compressed block cannot be unpacked", HINT_SALVAGE);
    block->payload = block->unpacked;
    return 0;
}

/* ---- blocks of known files ---- */

static pthread_mutex_t late_lock = PTHREAD_MUTEX_INITIALIZER;

int check_late(struct snapshot *s, struct block_view *block)
{
    pthread_mutex_lock(&late_lock);
    if (block->late == 1) {
        struct check check = {.salvage = 1, .no_values = s->header.flags & FILE_NO_VALUES}; /* a block by itself */
        struct block_header h;
        struct block_view ready = *block;
        ready.payload = s->bytes + block->offset + sizeof h;
        int status = judge_block(s, block->offset, &h, 0) ? -1 : 0;
        if (!status && (h.flags & BLOCK_CODEC_MASK) == BLOCK_CODEC_ZSTD)
            status = unpack_block(&ready, NULL);
        block->unpacked = ready.unpacked;
        if (!status)
            status = check_block(&check, &ready, NULL);
        block->payload = ready.payload;
        s->damaged_late |= status != 0;
        __atomic_store_n(&block->late, status ? 2 : 0, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&late_lock);
    return block->late ? -1 : 0;
}

/* ---- the walk over the blocks ---- */

struct walk {
    struct check *check;
    uint64_t offset;
    uint32_t sequence; /* of the next block */
    uint32_t crc_of_crcs;
    uint64_t raw_bytes;
    uint64_t next_first[SECTION_TOTALS];
    uint64_t salvage_budget; /* bytes whose checksum may still be computed in vain */
    unsigned lost;           /* stretches that were skipped */
    int has_trailer;
};

/* Judges a block's place in its section and its payload. */
static int take_block(struct snapshot *s, struct walk *w, const struct block_header *h, struct rh_error *err)
{
    int known = section_info(h->section) != NULL;
    if (!known && h->flags & BLOCK_CRITICAL) {
        error_format(err, RH_ERR_UNSUPPORTED, "read it with a newer refheap",
                     "section %u is not known to this program and may not be skipped", h->section);
        error_at(err, "unknown", w->offset);
        return RH_ERR_UNSUPPORTED;
    }
    if (!known)
        return 0;
    if (w->check->salvage ? h->first < w->next_first[h->section] : h->first != w->next_first[h->section])
        return error_set_at(err, RH_ERR_FORMAT, section_name(h->section), w->offset, "a block is out of order",
                            HINT_SALVAGE);
    if (h->first > UINT64_MAX - h->count)
        return error_set_at(err, RH_ERR_FORMAT, section_name(h->section), w->offset, "a block is out of order",
                            HINT_SALVAGE);

    struct block_view block = {.payload = s->bytes + w->offset + sizeof *h,
                               .length = h->raw_length,
                               .stored_length = h->stored_length,
                               .count = h->count,
                               .section = h->section,
                               .flags = h->flags,
                               .first = h->first,
                               .offset = w->offset};
    int status = 0;
    if (w->check->known && is_bulk(h->section)) {
        block.late = 1; /* until somebody wants it */
    } else {
        status = (h->flags & BLOCK_CODEC_MASK) == BLOCK_CODEC_ZSTD ? unpack_block(&block, err) : 0;
        if (status == 0)
            status = check_block(w->check, &block, err);
    }
    if (status == 0)
        status = append_block(s, &block, err);
    if (status)
        free(block.unpacked);
    else
        w->next_first[h->section] = h->first + h->count;
    return status;
}

static int take_trailer(struct snapshot *s, struct walk *w, const struct block_header *h, struct rh_error *err)
{
    const struct trailer_record *t = (const void *)(s->bytes + w->offset + sizeof *h);
    if (h->raw_length != sizeof *t || h->count != 1 || h->first || (h->flags & BLOCK_CODEC_MASK))
        return error_set_at(err, RH_ERR_FORMAT, "trailer", w->offset, "the trailer has the wrong shape", HINT_SALVAGE);
    s->trailer = *t;
    s->trailer_crc = h->crc;
    w->has_trailer = 1;
    if (w->check->salvage)
        return 0;
    if (t->blocks != h->sequence || t->offset != w->offset || checksum_is_wrong(t->crc_of_crcs, w->crc_of_crcs) ||
        t->reserved || t->totals[0] != w->raw_bytes)
        return error_set_at(err, RH_ERR_FORMAT, "trailer", w->offset, "the trailer does not match the blocks before it",
                            HINT_SALVAGE);
    if (w->offset + sizeof *h + sizeof *t != s->size)
        return error_set_at(err, RH_ERR_FORMAT, "trailer", w->offset + sizeof *h + sizeof *t,
                            "bytes follow the end of the snapshot", "cut the file off there or take it again");
    return 0;
}

/* Finds the next whole block at or after `offset`; the end of the file when there is none. */
static uint64_t find_block(const struct snapshot *s, struct walk *w, uint64_t offset)
{
    for (offset = pad8(offset); offset + sizeof(struct block_header) <= s->size; offset += 8) {
        struct block_header h;
        uint32_t magic;
        memcpy(&magic, s->bytes + offset, sizeof magic);
        if (magic != BLOCK_MAGIC)
            continue;
        if (!judge_block(s, offset, &h, 0) && h.sequence >= w->sequence)
            return offset;
        /* A file full of false beginnings must not cost its size squared. */
        uint64_t cost = h.magic == BLOCK_MAGIC && h.stored_length <= BLOCK_RAW_MAX ? h.stored_length : 64;
        if (cost > w->salvage_budget)
            return s->size;
        w->salvage_budget -= cost;
    }
    return s->size;
}

static int walk_blocks(struct snapshot *s, struct walk *w, struct rh_error *err)
{
    while (!w->has_trailer && w->offset < s->size) {
        struct block_header h;
        const char *wrong = judge_block(s, w->offset, &h, w->check->known);
        if (!wrong && !w->check->salvage && h.sequence != w->sequence)
            wrong = "a block is missing";
        if (wrong && !w->check->salvage) {
            int cut = s->size - w->offset < sizeof h;
            return error_set_at(err, RH_ERR_FORMAT, cut ? "trailer" : section_name(h.section), w->offset, wrong,
                                HINT_SALVAGE);
        }
        if (wrong) {
            w->lost++;
            w->offset = find_block(s, w, w->offset + 8);
            continue;
        }
        int status = h.section == SECTION_TRAILER ? take_trailer(s, w, &h, err) : take_block(s, w, &h, err);
        if (status == RH_ERR_NO_MEMORY || (status && !w->check->salvage))
            return status;
        if (status)
            w->lost++;
        else if (w->check->salvage && h.sequence != w->sequence)
            w->lost++;
        w->sequence = h.sequence + 1;
        w->crc_of_crcs = crc32c(w->crc_of_crcs, &h.crc, sizeof h.crc);
        w->raw_bytes += h.raw_length;
        w->offset += sizeof h + pad8(h.stored_length);
    }
    if (!w->has_trailer && !w->check->salvage)
        return error_set_at(err, RH_ERR_FORMAT, "trailer", s->size, "the file is truncated: it has no trailer",
                            HINT_SALVAGE);
    return 0;
}

int read_blocks(struct snapshot *s, struct check *check, unsigned *parts_lost, struct rh_error *err)
{
    int status = check_header(s, err);
    if (status)
        return status;
    check->no_values = s->header.flags & FILE_NO_VALUES;
    struct walk w = {
        .check = check,
        .offset = sizeof(struct file_header),
        .crc_of_crcs = crc32c(0, &s->header.crc, sizeof s->header.crc),
        .salvage_budget = 8 * (uint64_t)s->size,
    };
    status = walk_blocks(s, &w, err);
    *parts_lost = w.lost;
    return status;
}
