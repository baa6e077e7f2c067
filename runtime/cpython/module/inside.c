/* The whole snapshot: the process, a heap for each interpreter, all that hangs on it. */
#include "inside.h"

#include "../../../dumpfmt/error.h"
#include "../../../dumpfmt/rawsys.h"
#include "standstill.h"

enum { LISTS = GENERATION_PERMANENT + 1 };

/* ---- heaps ---- */

static uint64_t list_head(uint64_t collector, unsigned generation)
{
    return generation == GENERATION_PERMANENT ? collector + PY_GC_PERMANENT
                                              : collector + PY_GC_GENERATIONS + generation * PY_GC_GENERATION_SIZE;
}

static uint32_t name_of(struct inside *d, int64_t id)
{
    char text[48] = "interpreter ", digits[20];
    size_t n = 0, used = 12;
    if (id <= 0)
        return inside_text(d, "main");
    do
        digits[n++] = (char)('0' + id % 10);
    while (id /= 10);
    while (n)
        text[used++] = digits[--n];
    return inside_text(d, text);
}

static void write_heap(struct inside *d, const struct still *still, const uint64_t counts[LISTS])
{
    uint64_t collector = python_collector(d->python, still->interpreter);
    struct heap_record r = {
        .id = d->heap,
        .runtime = inside_text(d, "cpython"),
        .version = inside_text(d, d->python->version),
        .name = name_of(d, still->id),
        .flags = half_at(collector + PY_GC_ENABLED) ? HEAP_ENABLED : 0,
        .collecting = -1,
        .debug = half_at(collector + PY_GC_DEBUG),
        .address = still->interpreter,
        .long_lived_total = word_at(collector + PY_GC_LONG_LIVED_TOTAL),
        .long_lived_pending = word_at(collector + PY_GC_LONG_LIVED_PENDING),
    };
    writer_record(d->writer, SECTION_HEAPS, &r);
    for (uint32_t g = 0; g < LISTS; g++) {
        struct generation_record gr = {.heap = d->heap, .generation = g, .objects = counts[g]};
        if (g < GENERATION_PERMANENT) {
            uint64_t at = list_head(collector, g), stats = collector + PY_GC_STATS + g * PY_GC_STATS_SIZE;
            gr.threshold = half_at(at + PY_GC_GENERATION_THRESHOLD);
            gr.count = half_at(at + PY_GC_GENERATION_COUNT);
            gr.collections = word_at(stats);
            gr.collected = word_at(stats + 8);
            gr.uncollectable = word_at(stats + 16);
        }
        writer_record(d->writer, SECTION_GENERATIONS, &gr);
    }
}

/* Lists a collector's objects and writes its heap. */
static int list_heap(struct inside *d, struct heap_span *span, struct rh_error *err)
{
    uint64_t counts[LISTS], collector = python_collector(d->python, span->still->interpreter);
    int status = 0;
    span->tracked_from = d->tracked.count;
    for (unsigned g = 0; g < LISTS && !status; g++)
        status = inside_list(d, list_head(collector, g), g, &counts[g], err);
    span->tracked_to = d->tracked.count;
    if (!status)
        write_heap(d, span->still, counts);
    return status;
}

/* ---- the whole ---- */

/* All that collectors list is known before anything is followed: so an object of one interpreter that another refers to is
 * written where it belongs. */
static int know_tracked(struct inside *d, struct rh_error *err)
{
    const uint64_t *entries = d->tracked.entries.bytes;
    if (census_expect(&d->census, d->tracked.count + d->tracked.count / 2))
        return error_set(err, RH_ERR_NO_MEMORY, "not enough memory for the dump's tables", "");
    for (size_t i = 0; i < d->tracked.count; i++) {
        if (i + 8 < d->tracked.count)
            census_prefetch(&d->census, entries[i + 8] & ~(uint64_t)7);
        census_add(&d->census, entries[i] & ~(uint64_t)7, 0);
    }
    return 0;
}

/* Why an interpreter is not in the snapshot. */
static void note_left_out(struct inside *d, const struct still *still)
{
    static const char *const why[] = {
        [STILL_BUSY] = "an interpreter was left out: it did not give up its GIL within a second",
        [STILL_COLLECTING] = "an interpreter was left out: a collection was under way in it and did not end within a second",
        [STILL_GONE] = "an interpreter was left out: it was being made, or was ending",
        [STILL_UNKNOWN] = "an interpreter with a GIL of its own was left out: this build of CPython keeps its GIL in its own way",
    };
    inside_note(d, SEVERITY_WARNING, why[still->state], still->interpreter);
}

/* Those that stand still; with one collector for all (3.8) there is one heap. */
static size_t list_interpreters(struct inside *d, const struct standstill *standstill, struct heap_span *spans)
{
    size_t count = 0;
    for (size_t i = 0; i < standstill->count; i++)
        if (still_stands(&standstill->all[i]))
            spans[count++].still = &standstill->all[i];
        else
            note_left_out(d, &standstill->all[i]);
    if (standstill->too_many)
        inside_note_number(d, SEVERITY_WARNING, "interpreters were left out: there are more than a dump looks at",
                           standstill->too_many, 0);
    return count;
}

static int write_snapshot(struct inside *d, const struct standstill *standstill, struct heap_span *spans, struct rh_error *err)
{
    int no_values = (d->request->flags & INSIDE_NO_VALUES) != 0, status = 0;
    self_write_process(d->writer, &d->scratch, "refheap for CPython " REFHEAP_VERSION, d->request->captured, no_values);
    self_write_modules(d->writer, &d->scratch, holders_module, d);
    size_t count = list_interpreters(d, standstill, spans), heaps = d->python->shared_collector ? 1 : count;
    for (d->heap = 0; d->heap < heaps && !status; d->heap++)
        status = list_heap(d, &spans[d->heap], err);
    if (status || (status = know_tracked(d, err)))
        return status;
    inside_find_sites(d);
    for (size_t i = 0; i < count; i++) {
        d->heap = (uint32_t)(i < heaps ? i : 0);
        inside_roots(d, spans[i].still->interpreter);
        if (i < heaps)
            inside_write_tracked(d, spans[i].tracked_from, spans[i].tracked_to);
        inside_write_found(d);
        spans[d->heap].found_to = d->found.count;
    }
    inside_account(d);
    holders_write(d, spans, count, (uint32_t)heaps);
    inside_sites_end(d);
    if (d->out_of_memory)
        return error_set(err, RH_ERR_NO_MEMORY, "not enough memory for the dump's tables", "");
    return 0;
}

static void release(struct inside *d)
{
    census_release(&d->census);
    mapping_release(&d->tracked.entries);
    mapping_release(&d->found.entries);
    id_map_release(&d->strings);
    id_map_release(&d->named);
    id_map_release(&d->type_ids);
    mapping_release(&d->types);
    visits_release(&d->visits);
    holders_release(&d->holders);
    inside_sites_release(d);
}

static int dump_to(struct inside *d, const struct standstill *standstill, struct heap_span *spans, struct rh_error *err)
{
    struct writer_identity identity = {.time = writer_now(),
                                       .flags = d->request->flags & INSIDE_NO_VALUES ? FILE_NO_VALUES : 0};
    int status = sink_file_open(&d->file, d->request->path, err);
    if (status)
        return status;
    writer_random_uuid(identity.uuid);
    d->writer = writer_open(d->writer_memory, &d->file.sink, &identity);
    status = write_snapshot(d, standstill, spans, err);
    struct rh_error late;
    int finished = writer_finish(d->writer, &late);
    if (!status && finished) {
        status = finished;
        if (err)
            *err = late;
    }
    if (status) {
        sink_file_abort(&d->file);
        return status;
    }
    return sink_file_commit(&d->file, err);
}

/* What a dump needs memory for from the start. */
struct room {
    struct standstill standstill;
    struct heap_span spans[STANDSTILL_MAX];
};

static int dump_still(struct inside *d, struct room *room, const struct python *python, struct rh_error *err)
{
    int ended = (d->request->flags & INSIDE_COLLECTION_ENDED) != 0;
    int status = standstill_begin(&room->standstill, python, ended, err);
    if (status)
        return status;
    d->python = python;
    d->world = python->world;
    status = dump_to(d, &room->standstill, room->spans, err);
    standstill_end(&room->standstill);
    release(d);
    return status;
}

int inside_dump(const struct python *python, const struct inside_request *request, struct rh_error *err)
{
    size_t size = sizeof(struct inside) + writer_memory_size();
    struct inside_request asked = *request;
    struct inside *d = raw_map(size);
    struct room *room = raw_map(sizeof *room);
    int status = RH_ERR_NO_MEMORY;
    if (d && room) {
        asked.caller = (uintptr_t)__builtin_frame_address(0);
        d->request = &asked;
        status = dump_still(d, room, python, err);
    } else {
        error_set(err, RH_ERR_NO_MEMORY, "not enough memory for the dump's buffers", "");
    }
    if (d)
        raw_unmap(d, size);
    if (room)
        raw_unmap(room, sizeof *room);
    return status;
}
