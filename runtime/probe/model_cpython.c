/* The CPython model: interpreters, their lists of containers, and what these lead to (runtime/cpython/MODEL.md).
 *
 * First every list of every interpreter is walked, so that the generation of whatever is met later is known; then the
 * containers are written, and what they, the threads and the interpreter refer to, until nothing new turns up.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../dumpfmt/error.h"
#include "cpython_write.h"
#include "holders.h"

static int cpython_model_find(struct probe *probe, void **state, struct rh_error *err)
{
    struct cpython *c = calloc(1, sizeof *c);
    if (!c)
        return error_set(err, RH_ERR_NO_MEMORY, "not enough memory", "");
    *state = c;
    int found = cpython_find(probe, c);
    for (size_t i = 0; i < c->interpreter_count; i++)
        probe->unsteady |= c->interpreters[i].collecting || c->interpreters[i].adding;
    return found && c->layout->runtime_gc != -1 ? 1 : found; /* 3.8: one heap for all */
}

/* ---- lists ---- */

/* Walks one list. During a collection the low bits of `next` are in use, and objects may be on lists of the collector's
 * own. One that is being added behind the last may not lead on yet: then it is where the list ends. */
static int walk_list(struct reading *r, uint64_t head, unsigned generation, int adding)
{
    struct py_memory *m = r->world.memory;
    int ok = 1;
    uint64_t seen = 0, before[2] = {0, 0}, last = py_u64(m, head + 8, &ok) & ~UINT64_C(3);
    for (uint64_t at = py_u64(m, head, &ok) & ~UINT64_C(3); ok && at != head;) {
        uint64_t object = at + PY_GC_HEAD_SIZE;
        if (object_find(&r->objects, object) && ++seen > r->objects.used)
            break; /* a loop without the head */
        if (!reading_reach(r, object, generation)) {
            if (r->status)
                return r->status;
            ok = adding && (before[0] == last || before[1] == last);
            break;
        }
        before[1] = before[0];
        before[0] = at;
        at = py_u64(m, at, &ok) & ~UINT64_C(3);
        if (!probe_spend(r->probe, 2))
            break;
    }
    if (!ok)
        probe_note(r->probe, SEVERITY_ERROR, "a list of containers is damaged; its rest was left out", head);
    return ok ? 0 : 1;
}

static int walk_lists(struct reading *r, const struct interpreter *interpreter)
{
    int partial = 0;
    for (unsigned g = 0; g <= GENERATION_PERMANENT; g++) {
        uint64_t head =
            interpreter->gc + (g < 3 ? PY_GC_GENERATIONS + g * PY_GC_GENERATION_SIZE : (uint64_t)PY_GC_PERMANENT);
        int status = walk_list(r, head, g, g == 0 && interpreter->adding);
        if (status < 0)
            return status;
        partial |= status;
    }
    return partial;
}

/* ---- heaps ---- */

static void write_generations(struct reading *r, const struct interpreter *interpreter)
{
    struct py_memory *m = r->world.memory;
    int ok = 1;
    for (uint32_t g = 0; g <= GENERATION_PERMANENT; g++) {
        struct generation_record record = {.heap = r->heap, .generation = g, .objects = r->lists[g]};
        if (g < 3) {
            uint64_t at = interpreter->gc + PY_GC_GENERATIONS + g * PY_GC_GENERATION_SIZE;
            uint64_t stats = interpreter->gc + PY_GC_STATS + g * PY_GC_STATS_SIZE;
            record.threshold = py_u32(m, at + PY_GC_GENERATION_THRESHOLD, &ok);
            record.count = py_u32(m, at + PY_GC_GENERATION_COUNT, &ok);
            record.collections = py_u64(m, stats, &ok);
            record.collected = py_u64(m, stats + 8, &ok);
            record.uncollectable = py_u64(m, stats + 16, &ok);
        }
        writer_record(r->probe->writer, SECTION_GENERATIONS, &record);
    }
}

static void write_heap(struct reading *r, const struct interpreter *interpreter, int partial)
{
    char version[32], name[48] = "main";
    uint64_t hex = r->python->version, said;
    int ok = 1;
    /* Before 3.11 only `sys` knows the patch release. */
    uint64_t sys = py_u64(r->world.memory, interpreter->address + (uint64_t)r->world.layout->interp_sysdict, &ok);
    if (hex >> 16 < 0x030b && sys && !py_dict_number(&r->world, sys, "hexversion", &said) && said >> 16 == hex >> 16)
        hex = said;
    if (hex & 0xffff)
        snprintf(version, sizeof version, "%u.%u.%u", (unsigned)(hex >> 24), (unsigned)(hex >> 16) & 255, (unsigned)(hex >> 8) & 255);
    else
        snprintf(version, sizeof version, "%u.%u", (unsigned)(hex >> 24), (unsigned)(hex >> 16) & 255);
    if (interpreter->id)
        snprintf(name, sizeof name, "interpreter %lld", (long long)interpreter->id);
    struct heap_record record = {
        .id = r->heap,
        .runtime = probe_text(r->probe, "cpython"),
        .version = probe_text(r->probe, version),
        .name = probe_text(r->probe, name),
        .collecting = -1,
        .debug = py_u32(r->world.memory, interpreter->gc + PY_GC_DEBUG, &ok),
        .address = interpreter->address,
        .long_lived_total = py_u64(r->world.memory, interpreter->gc + PY_GC_LONG_LIVED_TOTAL, &ok),
        .long_lived_pending = py_u64(r->world.memory, interpreter->gc + PY_GC_LONG_LIVED_PENDING, &ok),
    };
    uint32_t enabled = py_u32(r->world.memory, interpreter->gc + PY_GC_ENABLED, &ok);
    record.flags = (uint16_t)((interpreter->collecting ? HEAP_COLLECTING : 0) | (enabled ? HEAP_ENABLED : 0) |
                              (partial || !ok ? HEAP_PARTIAL : 0));
    writer_record(r->probe->writer, SECTION_HEAPS, &record);
    if (interpreter->collecting)
        probe_note(r->probe, SEVERITY_WARNING,
                   "a collection was under way: generations are mixed, and what it had set aside may be missing",
                   interpreter->gc);
}

/* ---- accounting ---- */

/* No object can have more references than its refcount: when one has, something was read that is none. */
static void write_accounting(struct reading *r)
{
    char text[160];
    uint64_t negative = 0, first = 0, containers = 0, explained = 0;
    struct object_cursor at = {0};
    for (const struct known_object *o; (o = object_next(&r->objects, &at));) {
        if (o->state & KNOWN_IMMORTAL)
            continue;
        if (o->unexplained < 0) {
            negative++;
            first = !first || at.address < first ? at.address : first;
        }
        containers += o->generation < GENERATION_UNTRACKED;
        explained += o->generation < GENERATION_UNTRACKED && !o->unexplained;
    }
    snprintf(text, sizeof text, "accounting: refcounts of %llu of %llu tracked containers explained exactly",
             (unsigned long long)explained, (unsigned long long)containers);
    probe_note(r->probe, SEVERITY_NOTE, text, 0);
    snprintf(text, sizeof text, "accounting: %llu objects have more references than their refcount",
             (unsigned long long)negative);
    probe_note(r->probe, negative ? SEVERITY_WARNING : SEVERITY_NOTE, text, first);
}

/* ---- all of it ---- */

static int write_heaps(struct reading *r)
{
    const struct cpython *c = r->python;
    size_t heaps = c->layout->runtime_gc != -1 ? 1 : c->interpreter_count;
    uint8_t partial[INTERPRETERS_MAX] = {0};
    size_t ends[INTERPRETERS_MAX];
    uint64_t lists[INTERPRETERS_MAX][4];
    for (size_t i = 0; i < heaps; i++) {
        r->heap = r->first_heap + (uint32_t)i;
        memset(r->lists, 0, sizeof r->lists);
        int status = walk_lists(r, &c->interpreters[i]);
        if (status < 0)
            return status;
        partial[i] = (uint8_t)status;
        memcpy(lists[i], r->lists, sizeof lists[i]);
        ends[i] = r->count;
    }
    for (size_t i = 0; i < heaps; i++) {
        r->heap = r->first_heap + (uint32_t)i;
        r->limit = ends[i];
        int status = reading_write_objects(r);
        if (status)
            return status;
    }
    r->limit = SIZE_MAX;
    for (size_t i = 0; i < c->interpreter_count; i++) {
        if (i < heaps)
            r->heap = r->first_heap + (uint32_t)i;
        int status = reading_write_roots(r, &c->interpreters[i]);
        if (!status)
            status = reading_write_objects(r);
        if (status)
            return status;
    }
    for (size_t i = 0; i < heaps; i++) {
        r->heap = r->first_heap + (uint32_t)i;
        memcpy(r->lists, lists[i], sizeof lists[i]);
        write_generations(r, &c->interpreters[i]);
        write_heap(r, &c->interpreters[i], partial[i]);
    }
    return 0;
}

/* What an interpreter has in its own memory; that of the main one is data from 3.11 on. */
static struct holders *gather_holders(struct probe *probe, const struct cpython *c, struct holders_range ranges[INTERPRETERS_MAX])
{
    for (size_t i = 0; i < c->interpreter_count; i++)
        ranges[i] = (struct holders_range){c->interpreters[i].address,
                                           c->interpreters[i].address + (uint64_t)c->layout->interp_size, "memory of an interpreter"};
    return holders_gather(probe, ranges, c->interpreter_count);
}

static int cpython_model_write(struct probe *probe, void *state, struct rh_error *err)
{
    const struct cpython *c = state;
    if (!c->interpreter_count)
        return 0;
    struct reading *r = calloc(1, sizeof *r);
    struct holders_range ranges[INTERPRETERS_MAX];
    if (!r)
        return error_set(err, RH_ERR_NO_MEMORY, "not enough memory", "");
    r->probe = probe;
    r->python = c;
    r->err = err;
    r->first_heap = probe->heaps;
    probe->heaps += (uint32_t)(c->layout->runtime_gc != -1 ? 1 : c->interpreter_count);
    probe_memory_init(&r->memory, probe);
    reading_begin(r);
    probe->holders = gather_holders(probe, c, ranges);
    reading_find_sites(r);
    int status = write_heaps(r);
    if (!status) {
        write_accounting(r);
        reading_sites_end(r);
        holders_write(probe->holders, probe);
        if (c->size_differs)
            probe_note(probe, SEVERITY_NOTE,
                       "the runtime's struct is not as large as in the release its layout is from; accounting tells "
                       "whether that matters",
                       c->runtime);
    }
    holders_release(probe->holders);
    probe->holders = NULL;
    reading_release(r);
    free(r);
    return status;
}

static const struct model cpython = {"cpython", cpython_model_find, cpython_model_write, free};
PROBE_MODEL(cpython);
