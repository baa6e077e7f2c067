#include "copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../dumpfmt/error.h"
#include "../maps/maps.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define MAPPING_MAX (UINT64_C(64) << 30)   /* larger ones are reservations */
#define READ_ONLY_MAX (UINT64_C(32) << 20) /* of one mapping */
#define SMALL_FILE (UINT64_C(1) << 20)     /* copied whole, also where the process did not touch it */
#define HUGE (UINT64_C(4) << 20)           /* runs that are worth huge pages */
#define PIECE_MAX (UINT64_C(64) << 20)
#define QUEUE_MAX (UINT64_C(1) << 30) /* bytes of one call; the kernel takes no more than 2 GiB */

enum { PAGEMAP_ENTRIES = 8192 };

/* Room for a stretch of the process's memory. Its pages are zero until they are copied. */
struct room {
    uint64_t start, end;
    uint8_t *at;
};

/* A stretch that was copied, or is known to be zero. */
struct extent {
    uint64_t start, end;
    const uint8_t *at;
};

struct copy {
    struct memory_source source;
    struct room *rooms; /* by address */
    size_t room_count, room_capacity;
    struct extent *extents; /* by address once they are settled */
    size_t extent_count, extent_capacity, recent;
    int settled;
    struct process_piece queue[PROCESS_PIECES];
    size_t queued;
    uint64_t queued_bytes;
    struct process_memory *memory;
    uint64_t bytes, at_most, page;
    int maps, fd;
};

/* ---- which pages ---- */

/* Visits the runs of a mapping: pages that are there, and pages that are not. Stops when `run` does not return 0. */
typedef int (*run_function)(struct copy *copy, const struct map_line *line, uint64_t from, uint64_t to, int present);

static int is_anonymous(const struct map_line *line)
{
    return !line->path_length || line->path[0] == '[';
}

static int is_kept(const struct map_line *line)
{
    uint64_t size = line->end - line->start;
    return line->readable && !line->shared && size <= (line->writable ? MAPPING_MAX : READ_ONLY_MAX);
}

static int survey_mapping(struct copy *copy, const struct map_line *line, int pagemap, uint64_t *entries,
                          run_function run)
{
    int is_whole = !is_anonymous(line) && line->end - line->start <= SMALL_FILE, status = 0;
    uint64_t from = line->start, at = from;
    int present = -1; /* of the run that began at `from` */
    if (pagemap < 0 || is_whole)
        return run(copy, line, line->start, line->end, 1);
    while (at < line->end && !status) {
        uint64_t left = (line->end - at) / copy->page, want = left < PAGEMAP_ENTRIES ? left : PAGEMAP_ENTRIES;
        ssize_t n = pread(pagemap, entries, want * 8, (off_t)(at / copy->page * 8));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 8) { /* take the rest to be there */
            for (n = 0; n < (ssize_t)want * 8; n += 8)
                entries[n / 8] = UINT64_C(1) << 63;
        }
        for (ssize_t i = 0; i < n / 8 && !status; i++, at += copy->page) {
            int here = entries[i] >> 62 != 0; /* in memory, or swapped out */
            if (here != present && present >= 0)
                status = run(copy, line, from, at, present);
            from = here != present ? at : from;
            present = here;
        }
    }
    return status || from == line->end ? status : run(copy, line, from, line->end, present);
}

static int survey(struct copy *copy, int maps, int pagemap, run_function run)
{
    struct {
        struct maps_reader reader;
        char buffer[MAPS_BUFFER_SIZE];
        uint64_t entries[PAGEMAP_ENTRIES];
    } *scratch = malloc(sizeof *scratch);
    struct map_line line;
    int status = scratch ? 1 : RH_ERR_NO_MEMORY, stop = 0;
    if (scratch)
        maps_begin(&scratch->reader, maps, scratch->buffer);
    while (status > 0 && !stop && (status = maps_next(&scratch->reader, &line)) > 0)
        if (is_kept(&line))
            stop = survey_mapping(copy, &line, pagemap, scratch->entries, run);
    free(scratch);
    return stop ? stop : status;
}

/* ---- room ---- */

static int add_room(struct copy *copy, size_t place, uint64_t start, uint64_t end)
{
    if (copy->room_count == copy->room_capacity) {
        size_t capacity = copy->room_capacity ? 2 * copy->room_capacity : 256;
        struct room *more = realloc(copy->rooms, capacity * sizeof *more);
        if (!more)
            return -1;
        copy->rooms = more;
        copy->room_capacity = capacity;
    }
    void *at =
        mmap(NULL, (size_t)(end - start), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        return -1;
    memmove(&copy->rooms[place + 1], &copy->rooms[place], (copy->room_count - place) * sizeof *copy->rooms);
    copy->rooms[place] = (struct room){start, end, at};
    copy->room_count++;
    return 0;
}

/* The place for `from` on, and in *to how far it goes, at most as far as it is. A mapping has one room if it did not
 * change since it was seen first. */
static uint8_t *room_for(struct copy *copy, const struct map_line *line, uint64_t from, uint64_t *to)
{
    size_t low = 0, high = copy->room_count;
    while (low < high) { /* the first that ends behind `from` */
        size_t middle = low + (high - low) / 2;
        if (copy->rooms[middle].end <= from)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == copy->room_count || copy->rooms[low].start > from) {
        uint64_t end = line->end;
        if (low < copy->room_count && copy->rooms[low].start < end)
            end = copy->rooms[low].start;
        if (add_room(copy, low, from, end))
            return NULL;
    }
    const struct room *room = &copy->rooms[low];
    if (room->end < *to)
        *to = room->end;
    return room->at + (from - room->start);
}

static void touch(uint8_t *at, size_t size, uint64_t page)
{
    if (size >= HUGE)
        madvise(at, size, MADV_HUGEPAGE);
    if (madvise(at, size, MADV_POPULATE_WRITE))
        for (volatile uint8_t *p = at; p < at + size; p += page)
            *p = 0;
}

/* A run of a process that goes on: room for it. */
static int prepare_run(struct copy *copy, const struct map_line *line, uint64_t from, uint64_t to, int present)
{
    if (!present)
        return 0;
    copy->bytes += to - from;
    if (copy->bytes > copy->at_most)
        return 1;
    while (from < to) {
        uint64_t end = to;
        uint8_t *at = room_for(copy, line, from, &end);
        if (!at)
            return 1;
        touch(at, (size_t)(end - from), copy->page);
        from = end;
    }
    return 0;
}

static int open_of(pid_t pid, const char *what)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, what);
    return open(path, O_RDONLY | O_CLOEXEC);
}

int copy_prepare(pid_t pid, uint64_t at_most, struct copy **out, struct rh_error *err)
{
    struct copy *copy = calloc(1, sizeof *copy);
    *out = copy;
    if (!copy)
        return error_set(err, RH_ERR_NO_MEMORY, "not enough memory", "");
    copy->at_most = at_most;
    copy->page = (uint64_t)sysconf(_SC_PAGESIZE);
    copy->maps = -1;
    int maps = open_of(pid, "maps"), pagemap = open_of(pid, "pagemap");
    if (maps >= 0 && pagemap >= 0)
        survey(copy, maps, pagemap, prepare_run);
    if (maps >= 0)
        close(maps);
    if (pagemap >= 0)
        close(pagemap);
    return 0;
}

void copy_release(struct copy *copy)
{
    if (!copy)
        return;
    for (size_t i = 0; i < copy->room_count; i++)
        munmap(copy->rooms[i].at, (size_t)(copy->rooms[i].end - copy->rooms[i].start));
    if (copy->maps >= 0)
        close(copy->maps);
    free(copy->rooms);
    free(copy->extents);
    free(copy);
}

/* ---- copying ---- */

static int keep(struct copy *copy, uint64_t start, uint64_t end, const uint8_t *at)
{
    struct extent *last = copy->extent_count ? &copy->extents[copy->extent_count - 1] : NULL;
    if (start == end)
        return 0;
    if (last && last->end == start && last->at + (last->end - last->start) == at) {
        last->end = end;
        return 0;
    }
    if (copy->extent_count == copy->extent_capacity) {
        size_t capacity = copy->extent_capacity ? 2 * copy->extent_capacity : 1024;
        struct extent *more = realloc(copy->extents, capacity * sizeof *more);
        if (!more)
            return -1;
        copy->extents = more;
        copy->extent_capacity = capacity;
    }
    copy->extents[copy->extent_count++] = (struct extent){start, end, at};
    return 0;
}

/* Reads what is queued. Of a piece that cannot be read to its end the rest is left to be read later. */
static int flush(struct copy *copy)
{
    for (size_t i = 0; i < copy->queued;) {
        size_t n = process_read_pieces(copy->memory, &copy->queue[i], copy->queued - i);
        do {
            const struct process_piece *p = &copy->queue[i++];
            size_t there = n < p->size ? n & ~(size_t)(copy->page - 1) : p->size;
            if (keep(copy, p->address, p->address + there, p->to))
                return -1;
            n -= n < p->size ? n : p->size;
        } while (n);
    }
    copy->queued = 0;
    copy->queued_bytes = 0;
    return 0;
}

/* A run of a process that stands: copied. Pages it does not have are zero, and in a file what the file says. */
static int take_run(struct copy *copy, const struct map_line *line, uint64_t from, uint64_t to, int present)
{
    if (!present && !is_anonymous(line))
        return 0;
    copy->bytes += present ? to - from : 0;
    if (copy->bytes > copy->at_most)
        return 1;
    while (from < to) {
        uint64_t end = to - from < PIECE_MAX || !present ? to : from + PIECE_MAX;
        uint8_t *at = room_for(copy, line, from, &end);
        if (!at)
            return 1;
        if (!present && keep(copy, from, end, at))
            return 1;
        if (present) {
            copy->queue[copy->queued++] = (struct process_piece){from, (size_t)(end - from), at};
            copy->queued_bytes += end - from;
        }
        if (copy->queued == PROCESS_PIECES || copy->queued_bytes > QUEUE_MAX)
            if (flush(copy))
                return 1;
        from = end;
    }
    return 0;
}

/* The list of mappings as it is now, to be read when the process has gone on. */
static int keep_maps(struct copy *copy, int maps)
{
    char *buffer = malloc(MAPS_BUFFER_SIZE);
    ssize_t n = -1;
    copy->maps = memfd_create("maps", MFD_CLOEXEC);
    while (buffer && copy->maps >= 0 && (n = read(maps, buffer, MAPS_BUFFER_SIZE)) > 0)
        if (write(copy->maps, buffer, (size_t)n) != n)
            n = -1;
    free(buffer);
    return n || lseek(copy->maps, 0, SEEK_SET) ? -1 : 0;
}

int copy_take(struct copy *copy, struct process_memory *memory, int maps, int pagemap)
{
    if (copy->bytes > copy->at_most)
        return 0;
    copy->bytes = 0;
    copy->memory = memory;
    copy->fd = memory->fd;
    return !keep_maps(copy, maps) && !survey(copy, copy->maps, pagemap, take_run) && !flush(copy) &&
           !lseek(copy->maps, 0, SEEK_SET);
}

uint64_t copy_bytes(const struct copy *copy)
{
    return copy->bytes;
}

int copy_maps(const struct copy *copy)
{
    return copy->maps;
}

/* ---- reading ---- */

static int compare_extents(const void *pa, const void *pb)
{
    const struct extent *a = pa, *b = pb;
    return a->start < b->start ? -1 : a->start > b->start;
}

/* Brings the extents into order, and makes one of those that continue each other. */
static void settle(struct copy *copy)
{
    size_t kept = 0;
    if (copy->extent_count)
        qsort(copy->extents, copy->extent_count, sizeof *copy->extents, compare_extents);
    for (size_t i = 0; i < copy->extent_count; i++) {
        struct extent *e = &copy->extents[i], *last = kept ? &copy->extents[kept - 1] : NULL;
        if (last && last->end == e->start && last->at + (last->end - last->start) == e->at)
            last->end = e->end;
        else
            copy->extents[kept++] = *e;
    }
    copy->extent_count = kept;
    copy->settled = 1;
}

/* The first extent that ends behind the address. */
static const struct extent *extent_at(struct copy *copy, uint64_t address)
{
    const struct extent *recent = &copy->extents[copy->recent];
    size_t low = 0, high = copy->extent_count;
    if (copy->recent < copy->extent_count && recent->start <= address && address < recent->end)
        return recent;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (copy->extents[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    copy->recent = low;
    return low < copy->extent_count ? &copy->extents[low] : NULL;
}

static size_t copy_read(struct memory_source *source, uint64_t address, void *to, size_t size)
{
    struct copy *copy = (struct copy *)source;
    struct memory_descriptor process;
    size_t done = 0;
    memory_descriptor_init(&process, copy->fd);
    while (done < size) {
        uint64_t at = address + done;
        const struct extent *e = extent_at(copy, at);
        int is_copied = e && e->start <= at;
        uint64_t end = is_copied ? e->end : e ? e->start : UINT64_MAX;
        size_t want = size - done < end - at ? size - done : (size_t)(end - at), n = want;
        if (is_copied)
            memcpy((char *)to + done, e->at + (at - e->start), want);
        else
            n = process.source.read(&process.source, at, (char *)to + done, want);
        done += n;
        if (n < want)
            break;
    }
    return done;
}

static const void *copy_view(struct memory_source *source, uint64_t address, size_t size)
{
    struct copy *copy = (struct copy *)source;
    const struct extent *e = extent_at(copy, address);
    return e && e->start <= address && size <= e->end - address ? e->at + (address - e->start) : NULL;
}

struct memory_source *copy_memory(struct copy *copy)
{
    if (!copy->settled)
        settle(copy);
    copy->source = (struct memory_source){.read = copy_read, .view = copy_view};
    return &copy->source;
}
