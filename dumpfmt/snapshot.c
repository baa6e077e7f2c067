/* Opening a snapshot: mapping or reading its bytes, and the choice between strict and salvage. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "snapshot_internal.h"

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
            s->identity = (struct snapshot_identity){
                .device = st.st_dev,
                .inode = st.st_ino,
                .size = (uint64_t)st.st_size,
                .modified = {st.st_mtim.tv_sec, st.st_mtim.tv_nsec},
                .changed = {st.st_ctim.tv_sec, st.st_ctim.tv_nsec},
            };
        }
    } else {
        status = read_stream(fd, s, err);
    }
    close(fd);
    return status;
}

/* ---- opening ---- */

static int open_bytes(struct snapshot *s, int salvage, unsigned *parts_lost, struct rh_error *err)
{
    struct check check = {.salvage = salvage, .known = s->known};
    int status = read_blocks(s, &check, parts_lost, err);
    return status ? status : resolve_ids(s, &check, err);
}

/* Gives back everything but the bytes. */
static void forget_contents(struct snapshot *s)
{
    for (unsigned section = 0; section < SECTION_TOTALS; section++) {
        for (size_t i = 0; i < s->blocks[section].count; i++)
            free(s->blocks[section].items[i].unpacked);
        free(s->blocks[section].items);
    }
    free(s->strings);
    free(s->types.types);
    free(s->types.fields);
    free(s->types.first_field);
    *s = (struct snapshot){
        .bytes = s->bytes, .size = s->size, .mapped = s->mapped, .allocated = s->allocated, .identity = s->identity};
}

static void report_damage(struct snapshot *s, unsigned parts_lost, const struct rh_error *strict)
{
    int n = snprintf(s->damage, sizeof s->damage, "%s [at section %s, offset %" PRIu64 "]", strict->what,
                     strict->section, strict->offset);
    if (parts_lost && n > 0 && (size_t)n < sizeof s->damage)
        snprintf(s->damage + n, sizeof s->damage - (size_t)n, "; %u part%s of the file could not be read", parts_lost,
                 parts_lost == 1 ? "" : "s");
}

/* Whether the bytes are those of a known file. What is left to compare when it is open is the trailer. */
static int seems_known(const struct snapshot *s, const struct snapshot_identity *known)
{
    struct snapshot_identity own = s->identity;
    own.trailer_crc = known ? known->trailer_crc : 0;
    return s->mapped && known && !memcmp(&own, known, sizeof own);
}

static int open_known(struct snapshot *s, const struct snapshot_identity *known)
{
    unsigned parts_lost;
    s->known = 1;
    if (!open_bytes(s, 0, &parts_lost, NULL) && s->trailer_crc == known->trailer_crc)
        return 0;
    forget_contents(s);
    return -1;
}

/* A file is whole when it opens strictly; salvage is for those that do not. */
static int open_snapshot(struct snapshot *s, const struct snapshot_options *options, struct snapshot **out,
                         struct rh_error *err)
{
    struct rh_error strict = {0};
    unsigned parts_lost = 0;
    const struct snapshot_identity *known = options ? options->known : NULL;
    int status = seems_known(s, known) && !open_known(s, known) ? 0 : open_bytes(s, 0, &parts_lost, &strict);
    s->identity.trailer_crc = s->trailer_crc;
    s->complete = !status;
    if (status == RH_ERR_FORMAT && options && options->salvage) {
        forget_contents(s);
        status = open_bytes(s, 1, &parts_lost, err);
        report_damage(s, parts_lost, &strict);
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

int snapshot_identity(const struct snapshot *s, struct snapshot_identity *identity)
{
    *identity = s->identity;
    return s->mapped && s->complete ? 0 : -1;
}

int snapshot_is_known(const struct snapshot *s)
{
    return s->known;
}

int snapshot_is_damaged_late(const struct snapshot *s)
{
    return s->damaged_late;
}

int snapshot_check_known(const struct snapshot *s, struct rh_error *err)
{
    struct snapshot *again;
    int status = snapshot_open_memory(s->bytes, s->size, NULL, &again, err);
    snapshot_close(again);
    return status;
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
