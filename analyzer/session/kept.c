#include "kept.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../../dumpfmt/crc32c.h"
#include "../../dumpfmt/sink.h"
#include "../graph/ordinal.h"
#include "../graph/parallel.h"

/* The file: a head, a table of parts, the checksums of all chunks, zeros to the next page; then the parts, each from
 * the beginning of a chunk on. Numbers are the machine's own: the file does not travel. */
enum { VERSION = 1, CHUNK_SHIFT = 14, CHUNK = 1 << CHUNK_SHIFT, PAGE = 4096, PARTS_MAX_KEPT = 64 };
static const char magic[8] = "RHINDEX";

struct head {
    char magic[8];
    uint32_t version, ordinal_bits;
    struct snapshot_identity identity;
    uint64_t size, data; /* of the file; where the parts begin */
    uint32_t parts;
    uint32_t crc; /* of head, table and checksums, with this as 0 */
};

struct entry {
    uint32_t id, element;
    uint64_t count, offset;
};

struct kept {
    const uint8_t *bytes;
    size_t size;
    struct head head;
    struct kept_part part[PARTS_MAX_KEPT];
    const uint32_t *crc; /* by chunk */
    uint8_t *checked;    /* by chunk; set by one thread at a time, or to the same value */
};

static uint64_t round_up(uint64_t value, uint64_t to)
{
    return (value + to - 1) / to * to;
}

static uint64_t chunks_of(uint64_t bytes)
{
    return (bytes + CHUNK - 1) / CHUNK;
}

/* ---- where it lies ---- */

static int path_beside(const char *snapshot_path, char *to, size_t size)
{
    int n = snprintf(to, size, "%s.index", snapshot_path);
    return n > 0 && (size_t)n < size ? 0 : -1;
}

/* In the user's cache an index has the name of the file's place on its device. */
static int path_in_cache(const char *snapshot_path, int create, char *to, size_t size)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME"), *below = "";
    struct stat st;
    if (!cache || *cache != '/') {
        cache = home;
        below = "/.cache";
    }
    if (!cache || *cache != '/' || stat(snapshot_path, &st))
        return -1;
    int n = snprintf(to, size, "%s%s/refheap", cache, below);
    if (n < 0 || (size_t)n + 64 > size)
        return -1;
    if (create) {
        char folder[PATH_MAX];
        if (snprintf(folder, sizeof folder, "%s%s", cache, below) < (int)sizeof folder)
            mkdir(folder, 0700);
        mkdir(to, 0700);
    }
    snprintf(to + n, size - (size_t)n, "/%" PRIx64 "-%" PRIx64 ".index", (uint64_t)st.st_dev, (uint64_t)st.st_ino);
    return 0;
}

/* ---- opening ---- */

static int is_ours(const struct stat *st)
{
    return S_ISREG(st->st_mode) && st->st_uid == geteuid() && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

static uint32_t crc_of_front(const struct head *head, const uint8_t *bytes, size_t size)
{
    struct head unsigned_head = *head;
    unsigned_head.crc = 0;
    return crc32c(crc32c(0, &unsigned_head, sizeof unsigned_head), bytes + sizeof *head, size - sizeof *head);
}

/* Whether the front of the file is whole and speaks of nothing that is not there. Fills in the table. */
static int read_front(struct kept *k)
{
    struct head *h = &k->head;
    if (k->size < sizeof *h)
        return -1;
    memcpy(h, k->bytes, sizeof *h);
    if (memcmp(h->magic, magic, sizeof magic) || h->version != VERSION || h->ordinal_bits != REFHEAP_ORDINAL_BITS ||
        h->size != k->size || h->parts > PARTS_MAX_KEPT || h->data > k->size || h->data % PAGE)
        return -1;
    uint64_t chunks = chunks_of(k->size - h->data);
    uint64_t front = sizeof *h + h->parts * sizeof(struct entry) + chunks * sizeof(uint32_t);
    if (front > h->data || h->crc != crc_of_front(h, k->bytes, front))
        return -1;
    const struct entry *entry = (const void *)(k->bytes + sizeof *h);
    for (uint32_t i = 0; i < h->parts; i++) {
        uint64_t bytes;
        if (__builtin_mul_overflow(entry[i].element, entry[i].count, &bytes) || entry[i].offset < h->data ||
            (entry[i].offset - h->data) % CHUNK || entry[i].offset > k->size || bytes > k->size - entry[i].offset)
            return -1;
        k->part[i] = (struct kept_part){entry[i].id, entry[i].element, entry[i].count, k->bytes + entry[i].offset};
    }
    k->crc = (const void *)(entry + h->parts);
    k->checked = calloc(chunks + 1, 1);
    return k->checked ? 0 : -1;
}

static struct kept *open_at(const char *path)
{
    struct stat st;
    struct kept *k = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return NULL;
    if (!fstat(fd, &st) && is_ours(&st) && st.st_size > 0 && (k = calloc(1, sizeof *k))) {
        void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        k->bytes = map == MAP_FAILED ? NULL : map;
        k->size = (size_t)st.st_size;
        if (!k->bytes || read_front(k)) {
            kept_close(k);
            k = NULL;
        }
    }
    close(fd);
    return k;
}

struct kept *kept_open(const char *snapshot_path)
{
    char path[PATH_MAX];
    struct kept *k = path_beside(snapshot_path, path, sizeof path) ? NULL : open_at(path);
    if (!k && !path_in_cache(snapshot_path, 0, path, sizeof path))
        k = open_at(path);
    return k;
}

void kept_close(struct kept *k)
{
    if (!k)
        return;
    if (k->bytes)
        munmap((void *)(uintptr_t)k->bytes, k->size);
    free(k->checked);
    free(k);
}

const struct snapshot_identity *kept_identity(const struct kept *k)
{
    return &k->head.identity;
}

const struct kept_part *kept_find(const struct kept *k, uint32_t id, uint32_t element)
{
    for (uint32_t i = 0; i < k->head.parts; i++)
        if (k->part[i].id == id && k->part[i].element == element)
            return &k->part[i];
    return NULL;
}

/* ---- checking ---- */

static int chunk_is_right(const struct kept *k, uint64_t chunk)
{
    uint64_t at = k->head.data + chunk * CHUNK, left = k->size - at;
    return crc32c(0, k->bytes + at, left < CHUNK ? left : CHUNK) == k->crc[chunk];
}

int kept_check_bytes(struct kept *k, const void *first, size_t size)
{
    uint64_t at = (uint64_t)((const uint8_t *)first - k->bytes) - k->head.data;
    uint64_t end = chunks_of(at + size);
    for (uint64_t chunk = at / CHUNK; chunk < end; chunk++) {
        if (k->checked[chunk])
            continue;
        if (!chunk_is_right(k, chunk))
            return -1;
        k->checked[chunk] = 1;
    }
    return 0;
}

struct checking {
    struct kept *kept;
    const struct kept_part *part;
    int wrong;
};

static void check_share(void *context, unsigned number, unsigned parts)
{
    struct checking *c = context;
    uint64_t bytes = c->part->element * c->part->count, chunks = chunks_of(bytes);
    uint64_t first = part_begin(chunks, number, parts) * CHUNK, end = part_begin(chunks, number + 1, parts) * CHUNK;
    end = end < bytes ? end : bytes;
    if (first < end && kept_check_bytes(c->kept, (const uint8_t *)c->part->data + first, end - first))
        __atomic_store_n(&c->wrong, 1, __ATOMIC_RELAXED);
}

int kept_check(struct kept *k, const struct kept_part *part)
{
    struct checking c = {k, part, 0};
    parallel_run(parallel_parts(part->element * part->count / sizeof(uint64_t)), check_share, &c);
    return c.wrong ? -1 : 0;
}

const uint8_t *kept_chunks(const struct kept *k, const uint8_t **checked, unsigned *shift)
{
    *checked = k->checked;
    *shift = CHUNK_SHIFT;
    return k->bytes + k->head.data;
}

int kept_repair(struct kept *k, const struct kept_part *part, const void *data)
{
    uint64_t bytes = part->element * part->count, at = (uint64_t)((const uint8_t *)part->data - k->bytes);
    uint8_t *page = (uint8_t *)(uintptr_t)part->data - at % PAGE;
    if (!bytes)
        return 0;
    if (mprotect(page, bytes + at % PAGE, PROT_READ | PROT_WRITE))
        return -1;
    memcpy((void *)(uintptr_t)part->data, data, bytes);
    memset(k->checked + (at - k->head.data) / CHUNK, 1, chunks_of(bytes));
    return 0;
}

/* ---- writing ---- */

struct writing {
    const struct kept_part *parts;
    size_t count;
    struct entry entry[PARTS_MAX_KEPT];
    struct head head;
    uint64_t first_chunk[PARTS_MAX_KEPT + 1];
    uint32_t *crc;
};

static const uint8_t zeros[CHUNK];

/* What lies between the end of a part and the next chunk is zeros, and counts. */
static void sum_share(void *context, unsigned number, unsigned shares)
{
    struct writing *w = context;
    uint64_t chunks = w->first_chunk[w->count], end = part_begin(chunks, number + 1, shares);
    size_t p = 0;
    for (uint64_t chunk = part_begin(chunks, number, shares); chunk < end; chunk++) {
        while (chunk >= w->first_chunk[p + 1])
            p++;
        uint64_t at = (chunk - w->first_chunk[p]) * CHUNK, left = w->parts[p].element * w->parts[p].count - at;
        uint32_t crc = crc32c(0, (const uint8_t *)w->parts[p].data + at, left < CHUNK ? left : CHUNK);
        w->crc[chunk] = left < CHUNK ? crc32c(crc, zeros, CHUNK - left) : crc;
    }
}

static int lay_out(struct writing *w, const struct snapshot_identity *identity)
{
    for (size_t i = 0; i < w->count; i++)
        w->first_chunk[i + 1] = w->first_chunk[i] + chunks_of(w->parts[i].element * w->parts[i].count);
    uint64_t chunks = w->first_chunk[w->count];
    uint64_t front = sizeof w->head + w->count * sizeof(struct entry) + chunks * sizeof(uint32_t);
    w->crc = malloc(chunks * sizeof *w->crc + 1);
    if (!w->crc)
        return -1;
    memcpy(w->head.magic, magic, sizeof magic);
    w->head.version = VERSION;
    w->head.ordinal_bits = REFHEAP_ORDINAL_BITS;
    w->head.identity = *identity;
    w->head.data = round_up(front, PAGE);
    w->head.size = w->head.data + chunks * CHUNK;
    w->head.parts = (uint32_t)w->count;
    for (size_t i = 0; i < w->count; i++)
        w->entry[i] = (struct entry){w->parts[i].id, w->parts[i].element, w->parts[i].count,
                                     w->head.data + w->first_chunk[i] * CHUNK};
    parallel_run(parallel_parts(chunks * CHUNK / sizeof(uint64_t)), sum_share, w);
    uint32_t crc = crc32c(0, &w->head, sizeof w->head);
    crc = crc32c(crc, w->entry, w->count * sizeof *w->entry);
    w->head.crc = crc32c(crc, w->crc, chunks * sizeof *w->crc);
    return 0;
}

static int write_all(struct sink *to, const struct writing *w)
{
    uint64_t chunks = w->first_chunk[w->count];
    uint64_t front = sizeof w->head + w->count * sizeof(struct entry) + chunks * sizeof(uint32_t);
    int status = to->write(to, &w->head, sizeof w->head) || to->write(to, w->entry, w->count * sizeof *w->entry) ||
                 to->write(to, w->crc, chunks * sizeof *w->crc) || to->write(to, zeros, w->head.data - front);
    for (size_t i = 0; !status && i < w->count; i++) {
        uint64_t bytes = w->parts[i].element * w->parts[i].count;
        status = to->write(to, w->parts[i].data, bytes) || to->write(to, zeros, round_up(bytes, CHUNK) - bytes);
    }
    return status ? -1 : 0;
}

/* Whether a path is free, or holds an index of the user's own. */
static int may_replace(const char *path)
{
    struct stat st;
    char found[sizeof magic] = "";
    if (lstat(path, &st))
        return errno == ENOENT;
    if (!is_ours(&st))
        return 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ssize_t n = fd < 0 ? -1 : read(fd, found, sizeof found);
    if (fd >= 0)
        close(fd);
    return n == sizeof found && !memcmp(found, magic, sizeof magic);
}

/* A cache must not be what fills a disk. */
static int has_room(const char *path, uint64_t size)
{
    char folder[PATH_MAX];
    struct statvfs fs;
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = 0;
    return !statvfs(slash ? folder : ".", &fs) && fs.f_bavail * fs.f_frsize / 4 > size;
}

/* A file without a name in the folder of `path`, so that nothing is left of it when the program is stopped halfway; -1
 * where the file system has no such files. */
static int open_nameless(const char *path)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = 0;
    return open(slash ? folder : ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
}

/* Gives it the name, in place of what had it. */
static int name_file(int fd, const char *path)
{
    char from[64], temporary[PATH_MAX + 32];
    snprintf(from, sizeof from, "/proc/self/fd/%d", fd);
    snprintf(temporary, sizeof temporary, "%s.%d.tmp", path, (int)getpid());
    unlink(temporary);
    if (linkat(AT_FDCWD, from, AT_FDCWD, temporary, AT_SYMLINK_FOLLOW))
        return -1;
    if (!rename(temporary, path))
        return 0;
    unlink(temporary);
    return -1;
}

static int write_nameless(struct sink_file *file, int fd, const char *path, const struct writing *w)
{
    sink_file_use(file, fd);
    int status = write_all(&file->sink, w);
    sink_file_commit(file, NULL);
    if (!status)
        status = name_file(fd, path);
    close(fd);
    return status;
}

static int write_at(const char *path, const struct writing *w)
{
    struct sink_file *file = may_replace(path) && has_room(path, w->head.size) ? malloc(sizeof *file) : NULL;
    if (!file)
        return -1;
    int fd = open_nameless(path);
    int status = fd >= 0 ? write_nameless(file, fd, path, w) : sink_file_open(file, path, NULL);
    if (fd < 0 && !status) {
        file->unsynced = 1; /* what a power failure leaves of it has wrong checksums */
        status = write_all(&file->sink, w);
        if (status)
            sink_file_abort(file);
        else
            status = sink_file_commit(file, NULL);
    }
    free(file);
    return status ? -1 : 0;
}

int kept_write(const char *snapshot_path, const struct snapshot_identity *identity, const struct kept_part *parts,
               size_t count)
{
    char path[PATH_MAX];
    struct writing w = {.parts = parts, .count = count};
    int status = count <= PARTS_MAX_KEPT ? lay_out(&w, identity) : -1;
    if (!status && (path_beside(snapshot_path, path, sizeof path) || write_at(path, &w)))
        status = path_in_cache(snapshot_path, 1, path, sizeof path) || write_at(path, &w) ? -1 : 0;
    free(w.crc);
    return status;
}
