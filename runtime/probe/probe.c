#include "probe.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../dumpfmt/error.h"
#include "../maps/maps.h"
#include "frames.h"
#include "modules.h"

extern const struct model *const __start_probe_models[], *const __stop_probe_models[];

enum { SEARCH_PIECE = 1 << 20, TICK = 65536, TICK_WORDS = 1 << 22 };

/* Bytes to look through for a runtime. Initialized data of modules is where a static block lives; the rest can be
 * terabytes that were never touched (a sanitizer's shadow), and to read those makes the kernel give the process page
 * tables for them. */
#define SEARCH_FILES (UINT64_C(4) << 30)
#define SEARCH_ELSEWHERE (UINT64_C(256) << 20)

/* ---- what is mapped ---- */

static int add_region(struct probe *probe, const struct map_line *line, size_t *capacity)
{
    if (probe->region_count == *capacity) {
        *capacity = *capacity ? 2 * *capacity : 64;
        struct region *regions = realloc(probe->regions, *capacity * sizeof *regions);
        if (!regions)
            return RH_ERR_NO_MEMORY;
        probe->regions = regions;
    }
    const struct region *before = probe->region_count ? &probe->regions[probe->region_count - 1] : NULL;
    int is_file = line->path_length && line->path[0] == '/';
    int continues = before && before->kind && before->end == line->start && !line->path_length;
    probe->regions[probe->region_count++] = (struct region){
        .start = line->start,
        .end = line->end,
        .offset = line->offset,
        .readable = line->readable,
        .writable = line->writable,
        .executable = line->executable,
        .kind = is_file     ? REGION_FILE
                : continues ? REGION_BSS
                            : REGION_ELSEWHERE,
    };
    return 0;
}

static int read_regions(struct probe *probe, struct rh_error *err)
{
    char *buffer = malloc(MAPS_BUFFER_SIZE);
    struct maps_reader reader;
    struct map_line line;
    size_t capacity = 0;
    int status = buffer ? 1 : RH_ERR_NO_MEMORY;
    if (buffer)
        maps_begin(&reader, probe->options->maps_fd, buffer);
    while (status > 0 && (status = maps_next(&reader, &line)) > 0)
        if (add_region(probe, &line, &capacity))
            status = RH_ERR_NO_MEMORY;
    free(buffer);
    if (status == RH_ERR_NO_MEMORY)
        return error_set(err, status, "not enough memory for the list of mappings", "");
    if (status < 0)
        return error_set_os(err, -status, "cannot read what is mapped into the process", "is it still alive?");
    if (!probe->region_count)
        return error_set(err, RH_ERR_FORMAT, "the list of mappings is empty", "is the process still alive?");
    return 0;
}

static void show_progress(struct probe *probe)
{
    const struct probe_options *options = probe->options;
    uint64_t objects = probe->writer ? writer_count(probe->writer, SECTION_OBJECTS) : 0;
    if (options->progress && options->progress(options->progress_context, objects))
        probe->stopped = 1;
}

/* ---- searching ---- */

static int search_region(struct probe *probe, const struct region *region, const void *pattern, size_t size,
                         uint8_t *piece, uint64_t *allowed, int (*found)(struct probe *, void *, uint64_t),
                         void *context)
{
    int accepted = 0;
    uint64_t first;
    memcpy(&first, pattern, sizeof first);
    for (uint64_t at = region->start; at < region->end && *allowed && !probe->stopped;) {
        uint64_t left = region->end - at;
        size_t want = left < SEARCH_PIECE ? (size_t)left : SEARCH_PIECE;
        *allowed -= want < *allowed ? want : *allowed;
        show_progress(probe);
        size_t n = probe->options->source->read(probe->options->source, at, piece, want);
        for (size_t i = 0; i + size <= n; i += 8) {
            uint64_t word;
            memcpy(&word, piece + i, sizeof word);
            if (word == first && !memcmp(piece + i, pattern, size))
                accepted += found(probe, context, at + i);
        }
        probe->searched += n;
        if (n < want)
            at += (n & ~(uint64_t)4095) + 4096; /* past the page that is not there */
        else if (want == SEARCH_PIECE)
            at += want - ((size + 7) & ~(size_t)7) + 8; /* a pattern may lie across two pieces */
        else
            break;
    }
    return accepted;
}

int probe_search(struct probe *probe, const void *pattern, size_t size,
                 int (*found)(struct probe *probe, void *context, uint64_t address), void *context)
{
    uint8_t *piece = malloc(SEARCH_PIECE);
    int accepted = 0;
    if (!piece)
        return 0;
    for (int kind = REGION_FILE; kind >= REGION_ELSEWHERE && !accepted; kind--) {
        uint64_t allowed = kind == REGION_FILE ? SEARCH_FILES : SEARCH_ELSEWHERE;
        for (size_t i = 0; i < probe->region_count; i++) {
            const struct region *region = &probe->regions[i];
            if (region->readable && region->writable && (int)region->kind == kind)
                accepted += search_region(probe, region, pattern, size, piece, &allowed, found, context);
        }
    }
    free(piece);
    return accepted;
}

/* ---- opening ---- */

static int find_runtimes(struct probe *probe, struct rh_error *err)
{
    int heaps = 0, n = 0;
    for (const struct model *const *m = __start_probe_models; m < __stop_probe_models && n < 16; m++, n++) {
        int found = (*m)->find(probe, &probe->found[n], err);
        if (found < 0)
            return found;
        heaps += found;
    }
    if (heaps)
        return 0;
    if (*probe->unusable)
        return error_set(err, RH_ERR_UNSUPPORTED, probe->unusable, "read it with a refheap of its age");
    return error_format(err, RH_ERR_NOT_FOUND, "is this program linked with librefheap, and has it made a heap yet?",
                        "no heap found: no runtime that is known in %zu mappings, %llu KiB of writable memory searched",
                        probe->region_count, (unsigned long long)(probe->searched >> 10));
}

/* Every word of the process looked at twice, and some to spare. */
static uint64_t words_at_most(const struct probe *probe)
{
    uint64_t bytes = probe->options->resident;
    for (size_t i = 0; !probe->options->resident && i < probe->region_count; i++)
        if (probe->regions[i].readable)
            bytes += probe->regions[i].end - probe->regions[i].start;
    return bytes / sizeof(uint64_t) * 5 / 2 + (1 << 20); /* the half: windows of objects, see cpython_objects.c */
}

int probe_open(const struct probe_options *options, struct probe **out, struct rh_error *err)
{
    struct probe *probe = calloc(1, sizeof *probe);
    *out = NULL;
    if (!probe)
        return error_set(err, RH_ERR_NO_MEMORY, "not enough memory", "");
    probe->options = options;
    int status = memory_create(options->source, &probe->memory, err);
    if (!status)
        status = read_regions(probe, err);
    probe->budget = words_at_most(probe);
    if (!status) {
        modules_read(probe);
        status = find_runtimes(probe, err);
    }
    if (!status && probe->stopped)
        status = error_set(err, RH_ERR_IO, "the capture was interrupted", "");
    if (status == RH_ERR_NOT_FOUND && options->intact && options->intact(options->intact_context, err))
        status = RH_ERR_IO; /* it was not looked for everywhere */
    if (status) {
        probe_close(probe);
        return status;
    }
    *out = probe;
    return 0;
}

void probe_close(struct probe *probe)
{
    int n = 0;
    if (!probe)
        return;
    for (const struct model *const *m = __start_probe_models; m < __stop_probe_models && n < 16; m++, n++)
        if (probe->found[n])
            (*m)->release(probe->found[n]);
    modules_release(probe);
    memory_destroy(probe->memory);
    free(probe->regions);
    free(probe);
}

/* ---- writing ---- */

int probe_spend(struct probe *probe, uint64_t words)
{
    if (words > probe->budget) {
        if (probe->budget)
            probe_note(probe, SEVERITY_ERROR,
                       "objects claim more than the process has memory for; the rest was left out", 0);
        probe->budget = 0;
        return 0;
    }
    probe->budget -= words;
    probe->spent += words;
    if (probe->spent >= TICK_WORDS) {
        probe->spent = 0;
        show_progress(probe);
    }
    return !probe->stopped;
}

int probe_tick(struct probe *probe, struct rh_error *err)
{
    uint64_t objects = writer_count(probe->writer, SECTION_OBJECTS);
    if (objects % TICK && !probe->stopped)
        return 0;
    show_progress(probe);
    if (probe->stopped)
        return error_set(err, RH_ERR_IO, "the capture was interrupted", "");
    return writer_status(probe->writer) ? RH_ERR_IO : 0;
}

static void write_process(struct probe *probe)
{
    const struct probe_options *o = probe->options;
    struct process_record r = {
        .pid = o->pid,
        .command_line = o->no_values ? 0 : probe_text(probe, o->command_line),
        .executable = probe_text(probe, o->executable),
        .captured = (uint16_t)o->captured,
        .writer = probe_text(probe, "refheap capture " REFHEAP_VERSION),
        .host = probe_text(probe, o->host),
        .machine = MACHINE_HERE,
        .objects_damaged = probe->damaged,
        .memory_expected = o->memory_expected,
        .memory_present = o->memory_present,
    };
    writer_record(probe->writer, SECTION_PROCESS, &r);
}

static void write_threads(struct probe *probe)
{
    for (size_t i = 0; i < probe->options->thread_count; i++) {
        const struct probe_thread *t = &probe->options->threads[i];
        const struct region *stack = probe_stack(probe, t->sp);
        struct thread_record r = {.tid = t->tid, .stack_low = t->sp, .stack_high = stack ? stack->end : t->sp};
        writer_record(probe->writer, SECTION_THREADS, &r);
    }
}

int probe_write(struct probe *probe, struct sink *sink, struct rh_error *err)
{
    struct writer_identity identity = {.time = writer_now(), .flags = probe->options->no_values ? FILE_NO_VALUES : 0};
    void *memory = calloc(1, writer_memory_size());
    int n = 0, status = 0;
    if (!memory)
        return error_set(err, RH_ERR_NO_MEMORY, "not enough memory", "");
    writer_random_uuid(identity.uuid);
    probe->writer = writer_open(memory, sink, &identity);
    modules_write(probe);
    probe->frames = frames_gather(probe);
    frames_write(probe->frames, probe);
    if (*probe->unusable)
        probe_note(probe, SEVERITY_WARNING, probe->unusable, 0);
    for (const struct model *const *m = __start_probe_models; !status && m < __stop_probe_models && n < 16; m++, n++)
        if (probe->found[n])
            status = (*m)->write(probe, probe->found[n], err);
    write_threads(probe);
    write_process(probe);
    if (!status && probe->options->intact)
        status = probe->options->intact(probe->options->intact_context, err);
    if (!status || writer_status(probe->writer))
        status = writer_finish(probe->writer, err);
    frames_release(probe->frames);
    free(memory);
    probe->frames = NULL;
    probe->writer = NULL;
    return status;
}
