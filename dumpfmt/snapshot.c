/* Opening a snapshot: mapping or reading the bytes, walking the blocks, decoding, resolving ids. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#define ZSTD_STATIC_LINKING_ONLY /* for the magic numbers */
#include <zstd.h>

#include "crc32c.h"
#include "error.h"
#include "snapshot_internal.h"

static const char hint_other_file[] = "give a file that refheap or librefheap wrote";

/* ---- bytes ---- */

static int read_stream(int fd, struct snapshot *s, struct rh_error *err)
{
    size_t capacity = 1 << 20, size = 0;
    uint8_t *bytes = malloc(capacity);
    while (bytes) {
        if (size == capacity) {
            uint8_t *larger = realloc(bytes, capacity *= 2);
            if (!larger)
                break;
            bytes = larger;
        }
        ssize_t n = read(fd, bytes + size, capacity - size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int e = errno;
            free(bytes);
            return error_set_os(err, e, "cannot read it", "");
        }
        if (n == 0) {
            s->bytes = bytes;
            s->size = size;
            s->allocated = 1;
            return 0;
        }
        size += (size_t)n;
    }
    free(bytes);
    return error_set(err, RH_ERR_NO_MEMORY, "not enough memory to read it", "write it to a file first");
}

static int load_bytes(const char *path, struct snapshot *s, struct rh_error *err)
{
    struct stat st;
    int status = 0;
    int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) : dup(STDIN_FILENO);
    if (fd < 0)
        return error_set_os(err, errno, "cannot open it", "check the name and the permissions");
    if (fstat(fd, &st) < 0) {
        status = error_set_os(err, errno, "cannot examine it", "");
    } else if (S_ISDIR(st.st_mode)) {
        status = error_set_os(err, EISDIR, "cannot read it", "name a file in it");
    } else if (S_ISREG(st.st_mode) && st.st_size > 0) {
        void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (map == MAP_FAILED) {
            status = error_set_os(err, errno, "cannot map it", "");
        } else {
            s->bytes = map;
            s->size = (size_t)st.st_size;
            s->mapped = 1;
        }
    } else {
        status = read_stream(fd, s, err);
    }
    close(fd);
    return status;
}

/* ---- headers ---- */

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
        return reject_file(err, "header", 0, hint_other_file, "this is not a refheap snapshot");
    if (have < sizeof *h)
        return reject_file(err, "header", s->size, "take the snapshot again", "the file ends within its header");
    if (h->major != FORMAT_MAJOR || h->minor != FORMAT_MINOR) {
        error_format(err, RH_ERR_UNSUPPORTED, "read it with the refheap that wrote it",
                     "the file is in version %u.%u of the format and this program reads %d.%d", h->major, h->minor,
                     FORMAT_MAJOR, FORMAT_MINOR);
        error_at(err, "header", 8);
        return RH_ERR_UNSUPPORTED;
    }
    if (checksum_is_wrong(h->crc, crc32c(0, h, offsetof(struct file_header, crc))))
        return reject_file(err, "header", 0, "take the snapshot again", "the checksum of the header is wrong");
    if (h->header_length != sizeof *h || h->flags & ~(uint32_t)FILE_NO_VALUES || h->reserved[0] || h->reserved[1] ||
        h->reserved[2] || h->reserved[3])
        return reject_file(err, "header", 12, hint_other_file, "the header has a value the format does not allow");
    s->crc_of_uuid = crc32c(0, h->uuid, sizeof h->uuid);
    return 0;
}

static const char *section_name(unsigned section)
{
    const struct section_info *info = section_info(section);
    return info ? info->name : "unknown";
}

/* What is wrong with a block header by itself and with the bytes it claims, or NULL. */
static const char *judge_block(const struct snapshot *s, uint64_t offset, struct block_header *h)
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
    uint32_t crc = crc32c(s->crc_of_uuid, &unsigned_header, sizeof unsigned_header);
    if (checksum_is_wrong(h->crc, crc32c(crc, s->bytes + offset + sizeof *h, pad8(h->stored_length))))
        return "the checksum of a block is wrong";
    const uint8_t *padding = s->bytes + offset + sizeof *h + h->stored_length;
    for (uint64_t i = h->stored_length; i < pad8(h->stored_length); i++)
        if (*padding++)
            return "padding is not zero";
    info = section_info(h->section);
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

static int append_block(struct snapshot *s, const struct block_header *h, uint64_t offset, struct rh_error *err)
{
    struct block_list *list = &s->blocks[h->section];
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 16;
        struct block_view *items = realloc(list->items, capacity * sizeof *items);
        if (!items)
            return error_set(err, RH_ERR_NO_MEMORY, "not enough memory for the list of blocks", "");
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = (struct block_view){
        .payload = s->bytes + offset + sizeof *h,
        .length = h->raw_length,
        .stored_length = h->stored_length,
        .count = h->count,
        .section = h->section,
        .flags = h->flags,
        .first = h->first,
        .offset = offset,
    };
    s->counts[h->section] += h->count;
    return 0;
}

/* ---- the walk over the blocks ---- */

struct walk {
    struct check check;
    uint64_t offset;
    uint32_t sequence; /* of the next block */
    uint32_t crc_of_crcs;
    uint64_t raw_bytes;
    uint64_t next_first[SECTION_TOTALS];
    uint64_t salvage_budget; /* bytes whose checksum may still be computed in vain */
    unsigned lost;           /* stretches that were skipped */
    int has_trailer;
};

static int is_compressed(const struct block_view *block)
{
    return (block->flags & BLOCK_CODEC_MASK) == BLOCK_CODEC_ZSTD;
}

/* Judges a block's place in its section and, when it is stored plain, its payload. */
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
    if (w->check.salvage ? h->first < w->next_first[h->section] : h->first != w->next_first[h->section])
        return reject_file(err, section_name(h->section), w->offset, hint_salvage, "a block is out of order");
    if (h->first > UINT64_MAX - h->count)
        return reject_file(err, section_name(h->section), w->offset, hint_salvage, "a block is out of order");

    struct block_view view = {.payload = s->bytes + w->offset + sizeof *h,
                              .length = h->raw_length,
                              .count = h->count,
                              .section = h->section,
                              .flags = h->flags,
                              .first = h->first,
                              .offset = w->offset};
    int status = is_compressed(&view) ? 0 : check_block(&w->check, &view, err);
    if (status == 0)
        status = append_block(s, h, w->offset, err);
    if (status == 0)
        w->next_first[h->section] = h->first + h->count;
    return status;
}

static int take_trailer(struct snapshot *s, struct walk *w, const struct block_header *h, struct rh_error *err)
{
    const struct trailer_record *t = (const void *)(s->bytes + w->offset + sizeof *h);
    if (h->raw_length != sizeof *t || h->count != 1 || h->first || (h->flags & BLOCK_CODEC_MASK))
        return reject_file(err, "trailer", w->offset, hint_salvage, "the trailer has the wrong shape");
    s->trailer = *t;
    s->trailer_crc = h->crc;
    w->has_trailer = 1;
    if (w->check.salvage)
        return 0;
    if (t->blocks != h->sequence || t->offset != w->offset || checksum_is_wrong(t->crc_of_crcs, w->crc_of_crcs) || t->reserved ||
        t->totals[0] != w->raw_bytes)
        return reject_file(err, "trailer", w->offset, hint_salvage, "the trailer does not match the blocks before it");
    if (w->offset + sizeof *h + sizeof *t != s->size)
        return reject_file(err, "trailer", w->offset + sizeof *h + sizeof *t, "cut the file off there or take it again",
                           "bytes follow the end of the snapshot");
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
        if (!judge_block(s, offset, &h) && h.sequence >= w->sequence)
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
        const char *wrong = judge_block(s, w->offset, &h);
        if (!wrong && !w->check.salvage && h.sequence != w->sequence)
            wrong = "a block is missing";
        if (wrong && !w->check.salvage) {
            int cut = s->size - w->offset < sizeof h;
            return reject_file(err, cut ? "trailer" : section_name(h.section), w->offset, hint_salvage, wrong);
        }
        if (wrong) {
            w->lost++;
            w->offset = find_block(s, w, w->offset + 8);
            continue;
        }
        int status = h.section == SECTION_TRAILER ? take_trailer(s, w, &h, err) : take_block(s, w, &h, err);
        if (status == RH_ERR_NO_MEMORY || (status && !w->check.salvage))
            return status;
        if (status)
            w->lost++;
        else if (w->check.salvage && h.sequence != w->sequence)
            w->lost++;
        w->sequence = h.sequence + 1;
        w->crc_of_crcs = crc32c(w->crc_of_crcs, &h.crc, sizeof h.crc);
        w->raw_bytes += h.raw_length;
        w->offset += sizeof h + pad8(h.stored_length);
    }
    if (!w->has_trailer && !w->check.salvage)
        return reject_file(err, "trailer", s->size, hint_salvage, "the file is truncated: it has no trailer");
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

static int decode_blocks(struct snapshot *s, struct walk *w, struct rh_error *err)
{
    size_t size = 0, at = 0;
    for (unsigned section = 1; section < SECTION_TOTALS; section++)
        for (size_t i = 0; i < s->blocks[section].count; i++)
            if (is_compressed(&s->blocks[section].items[i]))
                size += pad8(s->blocks[section].items[i].length);
    if (!size)
        return 0;

    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return error_set(err, RH_ERR_NO_MEMORY, "not enough memory for the unpacked blocks", "");
    s->decoded = memory;
    s->decoded_size = size;
    for (unsigned section = 1; section < SECTION_TOTALS; section++) {
        struct block_list *list = &s->blocks[section];
        for (size_t i = 0; i < list->count; i++) {
            struct block_view *block = &list->items[i];
            if (!is_compressed(block))
                continue;
            uint8_t *to = s->decoded + at;
            int status = 0;
            if (!frames_are_right(block->payload, block->stored_length) ||
                ZSTD_decompress(to, block->length, block->payload, block->stored_length) != block->length)
                status = reject_file(err, section_name(section), block->offset, hint_salvage,
                                     "a compressed block cannot be unpacked");
            block->payload = to;
            at += pad8(block->length);
            if (!status)
                status = check_block(&w->check, block, err);
            if (!status)
                continue;
            if (!w->check.salvage)
                return status;
            w->lost++;
            s->counts[section] -= block->count;
            memmove(block, block + 1, (--list->count - i) * sizeof *block);
            i--;
        }
    }
    return 0;
}

/* ---- opening ---- */

/* Opens the bytes strictly or with salvage; `lost` and `has_trailer` tell how the walk went. */
static int open_bytes(struct snapshot *s, int salvage, struct walk *w, struct rh_error *err)
{
    int status = check_header(s, err);
    if (status)
        return status;
    *w = (struct walk){
        .check = {.salvage = salvage, .no_values = s->header.flags & FILE_NO_VALUES},
        .offset = sizeof(struct file_header),
        .crc_of_crcs = crc32c(0, &s->header.crc, sizeof s->header.crc),
        .salvage_budget = 8 * (uint64_t)s->size,
    };
    if ((status = walk_blocks(s, w, err)) || (status = decode_blocks(s, w, err)))
        return status;
    return resolve_ids(s, &w->check, err);
}

/* Gives back everything but the bytes. */
static void forget_contents(struct snapshot *s)
{
    for (unsigned section = 0; section < SECTION_TOTALS; section++)
        free(s->blocks[section].items);
    free(s->strings);
    free(s->types.types);
    free(s->types.fields);
    free(s->types.first_field);
    if (s->decoded)
        munmap(s->decoded, s->decoded_size);
    *s = (struct snapshot){.bytes = s->bytes, .size = s->size, .mapped = s->mapped, .allocated = s->allocated};
}

static void report_damage(struct snapshot *s, const struct walk *w, const struct rh_error *strict)
{
    int n = snprintf(s->damage, sizeof s->damage, "%s [at section %s, offset %" PRIu64 "]", strict->what,
                     strict->section, strict->offset);
    if (w->lost && n > 0 && (size_t)n < sizeof s->damage)
        snprintf(s->damage + n, sizeof s->damage - (size_t)n, "; %u part%s of the file could not be read", w->lost,
                 w->lost == 1 ? "" : "s");
}

/* A file is whole when it opens strictly; salvage is for those that do not. */
static int open_snapshot(struct snapshot *s, const struct snapshot_options *options, struct snapshot **out,
                         struct rh_error *err)
{
    struct rh_error strict = {0};
    struct walk w;
    int status = open_bytes(s, 0, &w, &strict);
    s->complete = !status;
    if (status == RH_ERR_FORMAT && options && options->salvage) {
        forget_contents(s);
        status = open_bytes(s, 1, &w, err);
        report_damage(s, &w, &strict);
    } else if (status && err) {
        *err = strict;
    }
    if (status) {
        snapshot_close(s);
        return status;
    }
    *out = s;
    return 0;
}

int snapshot_open(const char *path, const struct snapshot_options *options, struct snapshot **out, struct rh_error *err)
{
    struct snapshot *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return error_set(err, RH_ERR_NO_MEMORY, "not enough memory", "");
    int status = load_bytes(path, s, err);
    if (status) {
        snapshot_close(s);
        return status;
    }
    return open_snapshot(s, options, out, err);
}

int snapshot_open_memory(const void *bytes, size_t size, const struct snapshot_options *options, struct snapshot **out,
                         struct rh_error *err)
{
    struct snapshot *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return error_set(err, RH_ERR_NO_MEMORY, "not enough memory", "");
    s->bytes = bytes;
    s->size = size;
    return open_snapshot(s, options, out, err);
}

void snapshot_close(struct snapshot *s)
{
    if (!s)
        return;
    forget_contents(s);
    if (s->mapped)
        munmap((void *)(uintptr_t)s->bytes, s->size);
    if (s->allocated)
        free((void *)(uintptr_t)s->bytes);
    free(s);
}
