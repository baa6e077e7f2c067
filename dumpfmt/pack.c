#include "pack.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "crc32c.h"
#include "error.h"

struct packing {
    struct sink *sink;
    int status; /* 0 or minus errno */
    uint64_t offset;
    uint32_t sequence;
    uint32_t crc_of_uuid, crc_of_crcs;
    ZSTD_CCtx *zstd;
    int level;
    uint8_t *out;
    size_t out_size;
};

static int compare_offsets(const void *a, const void *b)
{
    uint64_t x = (*(const struct block_view *const *)a)->offset, y = (*(const struct block_view *const *)b)->offset;
    return x < y ? -1 : x > y;
}

/* All blocks in the order of the file; *count of them. */
static const struct block_view **blocks_in_order(const struct snapshot *s, size_t *count)
{
    size_t n = 0;
    for (unsigned section = 1; section < SECTION_TOTALS; section++)
        n += snapshot_block_count(s, section);
    const struct block_view **blocks = malloc((n + 1) * sizeof *blocks);
    *count = n;
    n = 0;
    for (unsigned section = 1; blocks && section < SECTION_TOTALS; section++)
        for (size_t b = 0; b < snapshot_block_count(s, section); b++)
            blocks[n++] = snapshot_block(s, section, b);
    if (blocks)
        qsort(blocks, n, sizeof *blocks, compare_offsets);
    return blocks;
}

static void emit(struct packing *p, const void *bytes, size_t size)
{
    if (!p->status)
        p->status = p->sink->write(p->sink, bytes, size);
    p->offset += size;
}

static void emit_block(struct packing *p, struct block_header *header, const void *payload)
{
    static const uint8_t zeros[8];
    size_t padding = pad8(header->stored_length) - header->stored_length;
    header->sequence = p->sequence++;
    header->crc = header->reserved = 0;
    uint32_t crc = crc32c(p->crc_of_uuid, header, sizeof *header);
    crc = crc32c(crc, payload, header->stored_length);
    header->crc = crc32c(crc, zeros, padding);
    p->crc_of_crcs = crc32c(p->crc_of_crcs, &header->crc, sizeof header->crc);
    emit(p, header, sizeof *header);
    emit(p, payload, header->stored_length);
    emit(p, zeros, padding);
}

static void pack_block(struct packing *p, const struct block_view *block)
{
    struct block_header header = {
        .magic = BLOCK_MAGIC,
        .section = block->section,
        .flags = block->flags & BLOCK_CRITICAL,
        .raw_length = block->length,
        .stored_length = block->length,
        .count = block->count,
        .first = block->first,
    };
    size_t n = ZSTD_compressCCtx(p->zstd, p->out, p->out_size, block->payload, block->length, p->level);
    int allowed = !ZSTD_isError(n) && block->length <= ZSTD_RATIO_FREE + (uint64_t)ZSTD_RATIO_MAX * n;
    if (!allowed || n >= block->length) {
        emit_block(p, &header, block->payload);
        return;
    }
    header.stored_length = (uint32_t)n;
    header.flags |= BLOCK_CODEC_ZSTD;
    emit_block(p, &header, p->out);
}

static void pack_trailer(struct packing *p, const struct snapshot *s)
{
    struct trailer_record trailer = *snapshot_trailer(s);
    struct block_header header = {
        .magic = BLOCK_MAGIC,
        .section = SECTION_TRAILER,
        .flags = BLOCK_CRITICAL,
        .raw_length = sizeof trailer,
        .stored_length = sizeof trailer,
        .count = 1,
    };
    trailer.blocks = p->sequence;
    trailer.offset = p->offset;
    trailer.crc_of_crcs = p->crc_of_crcs;
    emit_block(p, &header, &trailer);
}

int snapshot_pack(const struct snapshot *s, int level, struct sink *sink, struct rh_error *err)
{
    struct packing p = {.sink = sink, .level = level, .out_size = ZSTD_compressBound(BLOCK_RAW_MAX)};
    size_t count;
    if (!snapshot_complete(s))
        return error_set(err, RH_ERR_FORMAT, "only a whole snapshot can be packed", "take it again");
    const struct block_view **blocks = blocks_in_order(s, &count);
    p.out = malloc(p.out_size);
    p.zstd = ZSTD_createCCtx();
    int status = blocks && p.out && p.zstd ? 0 : error_set(err, RH_ERR_NO_MEMORY, "not enough memory", "");
    if (!status) {
        const struct file_header *header = snapshot_header(s);
        p.crc_of_uuid = crc32c(0, header->uuid, sizeof header->uuid);
        p.crc_of_crcs = crc32c(0, &header->crc, sizeof header->crc);
        emit(&p, header, sizeof *header);
        for (size_t i = 0; i < count && !p.status; i++)
            pack_block(&p, blocks[i]);
        pack_trailer(&p, s);
        if (p.status)
            status =
                error_set_os(err, -p.status, "cannot write the snapshot", "check the disk or the reader of the pipe");
    }
    free(blocks);
    free(p.out);
    ZSTD_freeCCtx(p.zstd);
    return status;
}
