/* Allocation sites: what CPython's tracemalloc knows of where objects were made. */
#include <stdio.h>

#include "../../dumpfmt/error.h"
#include "cpython_write.h"
#include "modules.h"

/* ---- the table ---- */

struct table_search {
    struct reading *r;
    uint32_t most_frames;
};

static int accept_table(struct table_search *s, uint64_t table)
{
    return table && !py_traces_open(&s->r->sites.traces, &s->r->world, table, s->most_frames);
}

static int accept_variable(struct probe *probe, void *context, uint64_t address)
{
    int ok = 1;
    return accept_table(context, memory_u64(probe->memory, address, &ok));
}

/* The variable by its looks, in the data of the library that the runtime stands in. */
static uint64_t search_data(struct reading *r, uint32_t most_frames)
{
    struct probe *probe = r->probe;
    uint32_t number = modules_find(probe, r->python->runtime);
    uint64_t found = 0;
    if (number == FORMAT_NONE)
        return 0;
    const struct probe_module *m = &probe->modules[number];
    for (size_t i = 0; i < probe->region_count; i++) {
        const struct region *region = &probe->regions[i];
        uint64_t from = region->start > m->base ? region->start : m->base;
        uint64_t end = region->end < m->data_end ? region->end : m->data_end;
        if (!region->writable || from >= end)
            continue;
        uint64_t table = py_traces_search(&r->world, from, end - from, m->base, m->data_end, most_frames);
        if (table && found && table != found)
            return 0;
        found = table ? table : found;
    }
    return found;
}

/* From 3.12 on the runtime leads to it; before, a static variable: by name where the file has its symbols. */
static int find_table(struct reading *r, uint32_t most_frames)
{
    struct table_search search = {r, most_frames};
    int32_t offset = r->world.layout->runtime_traces;
    int ok = 1;
    if (offset != -1 && accept_table(&search, py_u64(r->world.memory, r->python->runtime + (uint64_t)offset, &ok)))
        return 1;
    if (offset == -1 && probe_find_symbol(r->probe, "tracemalloc_traces", accept_variable, &search))
        return 1;
    return accept_table(&search, search_data(r, most_frames));
}

void reading_find_sites(struct reading *r)
{
    struct py_traces *t = &r->sites.traces;
    uint32_t most_frames;
    const char *wrong = NULL;
    if (!py_traces_are_on(&r->world, r->python->traces_state, &most_frames))
        return;
    if (!find_table(r, most_frames))
        wrong = "tracemalloc is on, but its table of traces was not found: objects have no allocation sites";
    else if (py_traces_check(t))
        wrong = "tracemalloc's table of traces is damaged, or was being changed: objects have no allocation sites";
    if (wrong) {
        t->table = 0;
        probe_note(r->probe, SEVERITY_WARNING, wrong, r->python->traces_state);
    }
}

/* ---- sites ---- */

/* The number of a key; `fresh` becomes it when there is none. */
static uint32_t number_of(struct reading *r, struct number_map *map, uint64_t key, uint32_t fresh)
{
    uint32_t number = number_map_get(map, key);
    if (number)
        return number;
    if (number_map_add(map, key, fresh))
        r->status = error_set(r->err, RH_ERR_NO_MEMORY, "not enough memory for the allocation sites", "");
    return fresh;
}

/* The site of a frame whose caller is `caller` (id + 1, 0 none): frames that tracebacks have in common are written once. */
static uint32_t site_of_frame(struct reading *r, uint32_t caller, uint64_t file, uint32_t line)
{
    struct site_table *s = &r->sites;
    uint32_t name = reading_label(r, PY_LABEL_STR, file, NULL);
    uint32_t place = number_of(r, &s->places, ((uint64_t)name + 1) << 32 | line, s->place_count + 1);
    s->place_count = place > s->place_count ? place : s->place_count;
    uint32_t site = number_of(r, &s->frames, (uint64_t)caller << 32 | place, r->probe->sites + 1);
    if (site > r->probe->sites) {
        struct site_record record = {
            .caller = caller ? caller - 1 : FORMAT_NONE, .file = name, .line = line, .module = FORMAT_NONE};
        writer_record(r->probe->writer, SECTION_SITES, &record);
        r->probe->sites = site;
    }
    return site;
}

/* Outermost frame first, since a site is of a greater id than its caller. */
static uint32_t site_of_traceback(struct reading *r, uint64_t traceback)
{
    struct py_traces *t = &r->sites.traces;
    uint32_t site = 0, line;
    uint64_t file;
    for (uint32_t i = py_traceback_frames(t, traceback); i-- && !r->status;) {
        py_traceback_frame(t, traceback, i, &file, &line);
        site = site_of_frame(r, site, file, line);
    }
    return site;
}

uint64_t reading_site(struct reading *r, uint64_t object, const struct py_type *type)
{
    struct site_table *s = &r->sites;
    uint64_t traceback = py_traces_find(&s->traces, object, type);
    if (!traceback)
        return 0;
    uint32_t known = number_map_get(&s->tracebacks, traceback);
    if (!known)
        known = number_of(r, &s->tracebacks, traceback, site_of_traceback(r, traceback) + 1);
    return known - 1;
}

void reading_sites_end(struct reading *r)
{
    char text[160];
    if (!r->sites.traces.broken)
        return;
    snprintf(text, sizeof text, "%llu traces of tracemalloc made no sense: objects lack their sites",
             (unsigned long long)r->sites.traces.broken);
    probe_note(r->probe, SEVERITY_WARNING, text, r->sites.traces.table);
}

void reading_sites_release(struct reading *r)
{
    number_map_release(&r->sites.tracebacks);
    number_map_release(&r->sites.places);
    number_map_release(&r->sites.frames);
}
