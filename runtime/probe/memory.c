#include "memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../dumpfmt/error.h"

enum {
    PAGE = 4096,
    CHUNK = 64 << 10,
    CHUNKS = 4096, /* 256 MiB at the most */
    PAGES = CHUNK / PAGE,
    FIRST_PAGES = 4, /* read at first of a chunk of a slow source */
};
#define ALL_PAGES ((UINT32_C(1) << PAGES) - 1)

/* A piece of the target, which of its 16 pages were asked for, and which of these are there. */
struct chunk {
    uint64_t address; /* UINT64_MAX: none */
    uint32_t known, present;
    const uint8_t *bytes; /* the source's, or `own` */
    uint8_t *own;
};

struct memory {
    struct memory_source *source;
    uint64_t fetched;
    uint8_t joined[MEMORY_VIEW_MAX]; /* a view that spans chunks */
    struct chunk chunks[CHUNKS];
};

static size_t descriptor_read(struct memory_source *source, uint64_t address, void *to, size_t size)
{
    const struct memory_descriptor *memory = (const struct memory_descriptor *)source;
    size_t done = 0;
    if (address > INT64_MAX - size)
        return 0;
    while (done < size) {
        ssize_t n = pread(memory->fd, (char *)to + done, size - done, (off_t)(address + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    return done;
}

void memory_descriptor_init(struct memory_descriptor *memory, int fd)
{
    memory->source = (struct memory_source){.read = descriptor_read};
    memory->fd = fd;
}

int memory_create(struct memory_source *source, struct memory **out, struct rh_error *err)
{
    struct memory *memory = calloc(1, sizeof *memory);
    *out = memory;
    if (!memory)
        return error_set(err, RH_ERR_NO_MEMORY, "not enough memory", "");
    memory->source = source;
    for (size_t i = 0; i < CHUNKS; i++)
        memory->chunks[i].address = UINT64_MAX;
    return 0;
}

void memory_destroy(struct memory *memory)
{
    if (!memory)
        return;
    for (size_t i = 0; i < CHUNKS; i++)
        free(memory->chunks[i].own);
    free(memory);
}

/* Reads pages of a chunk that were not asked for yet: in one piece when all are there, else from each that is not on to
 * the next. */
static void fetch(struct memory *memory, struct chunk *chunk, unsigned page, unsigned end)
{
    uint32_t asked = (ALL_PAGES >> page << page) & (ALL_PAGES >> (PAGES - end));
    while (page < end) {
        unsigned stop = page;
        while (stop < end && !(chunk->known & 1u << stop))
            stop++;
        size_t from = (size_t)page * PAGE, want = (size_t)(stop - page) * PAGE;
        size_t n = want ? memory->source->read(memory->source, chunk->address + from, chunk->own + from, want) : 0;
        memory->fetched += n;
        for (n /= PAGE; n; n--)
            chunk->present |= 1u << page++;
        page++; /* which failed, or was known */
    }
    chunk->known |= asked;
}

/* Has a page that was not asked for yet. What is looked at of a file's constants is a page here and there, and of a heap
 * all: of a slow source little is read at first, and the rest of a chunk as soon as it is asked for again. */
static void need(struct memory *memory, struct chunk *chunk, unsigned page)
{
    chunk->bytes = chunk->own;
    if (!chunk->own && !(chunk->bytes = chunk->own = malloc(CHUNK)))
        chunk->known = ALL_PAGES;
    else if (memory->source->is_slow && !chunk->known && page + FIRST_PAGES < PAGES)
        fetch(memory, chunk, page, page + FIRST_PAGES);
    else
        fetch(memory, chunk, 0, PAGES);
}

static void begin(struct memory *memory, struct chunk *chunk, uint64_t address)
{
    const uint8_t *view = memory->source->view ? memory->source->view(memory->source, address, CHUNK) : NULL;
    chunk->address = address;
    chunk->known = chunk->present = view ? ALL_PAGES : 0;
    chunk->bytes = view;
}

/* The bytes at `address` up to the end of its chunk that are there, at most `size`. */
static const uint8_t *lookup(struct memory *memory, uint64_t address, size_t *size)
{
    uint64_t base = address & ~(uint64_t)(CHUNK - 1);
    struct chunk *chunk = &memory->chunks[base / CHUNK * 0x9e3779b97f4a7c15u >> 52];
    if (chunk->address != base)
        begin(memory, chunk, base);
    size_t at = (size_t)(address - base), end = at + *size < CHUNK ? at + *size : CHUNK;
    for (size_t page = at / PAGE; page * PAGE < end; page++) {
        if (!(chunk->known & 1u << page))
            need(memory, chunk, (unsigned)page);
        if (!(chunk->present & 1u << page)) {
            if (page * PAGE <= at)
                return NULL;
            end = page * PAGE;
            break;
        }
    }
    *size = end - at;
    return chunk->bytes + at;
}

int memory_read(struct memory *memory, uint64_t address, void *to, size_t size)
{
    char *p = to;
    if (address > UINT64_MAX - size)
        return -1;
    while (size) {
        size_t n = size;
        const uint8_t *from = lookup(memory, address, &n);
        if (!from)
            return -1;
        memcpy(p, from, n);
        p += n;
        address += n;
        size -= n;
    }
    return 0;
}

const void *memory_view(struct memory *memory, uint64_t address, size_t size)
{
    size_t n = size;
    if (size > MEMORY_VIEW_MAX || address > UINT64_MAX - size)
        return NULL;
    const uint8_t *from = lookup(memory, address, &n);
    if (from && n == size)
        return from;
    return from && !memory_read(memory, address, memory->joined, size) ? memory->joined : NULL;
}

uint64_t memory_number(struct memory *memory, uint64_t address, unsigned size, int *ok)
{
    uint64_t value = 0;
    size_t n = size;
    const uint8_t *from = lookup(memory, address, &n);
    if (from && n == size)
        memcpy(&value, from, size);
    else if (memory_read(memory, address, &value, size)) {
        *ok = 0;
        return 0;
    }
    return value;
}

uint64_t memory_u64(struct memory *memory, uint64_t address, int *ok)
{
    return memory_number(memory, address, 8, ok);
}

uint32_t memory_u32(struct memory *memory, uint64_t address, int *ok)
{
    return (uint32_t)memory_number(memory, address, 4, ok);
}

long memory_text(struct memory *memory, uint64_t address, char *to, size_t size)
{
    size_t length = 0;
    while (length + 1 < size) {
        size_t n = size - 1 - length;
        const uint8_t *from = lookup(memory, address + length, &n);
        if (!from) {
            if (!length)
                return -1;
            break;
        }
        const uint8_t *end = memchr(from, 0, n);
        size_t take = end ? (size_t)(end - from) : n;
        memcpy(to + length, from, take);
        length += take;
        if (end)
            break;
    }
    to[length] = 0;
    return (long)length;
}

uint64_t memory_fetched(const struct memory *memory)
{
    return memory->fetched;
}
