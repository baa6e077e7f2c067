/* Allocation sites: what tracemalloc knows of where objects were made. */
#include "inside.h"

#include "../../../dumpfmt/rawsys.h"

enum { TRIES = 3, PAGE = 4096, PAGES = 4096 };

/* ---- memory that may go ---- */

/* What is looked for one after the other lies near by, so few pages are copied twice. */
struct guarded_page {
    uint64_t address; /* 0: none */
    uint8_t bytes[PAGE];
};

static const uint8_t *page_of(struct guarded *g, uint64_t address)
{
    struct guarded_page *p = &g->pages[(address / PAGE ^ address / PAGE / PAGES) % PAGES];
    uint64_t start = address & ~(uint64_t)(PAGE - 1);
    if (p->address != start) {
        p->address = 0;
        if (self_read(NULL, start, p->bytes, PAGE))
            return NULL;
        p->address = start;
    }
    return p->bytes + (address - start);
}

static const void *view_guarded(struct py_memory *memory, uint64_t address, size_t size)
{
    struct guarded *g = (struct guarded *)memory;
    size_t first = PAGE - address % PAGE;
    if (size > sizeof g->piece || address > UINT64_MAX - size)
        return NULL;
    const uint8_t *from = page_of(g, address);
    if (!from || size <= first)
        return from;
    __builtin_memcpy(g->piece, from, first);
    if (!(from = page_of(g, address + first)))
        return NULL;
    __builtin_memcpy(g->piece + first, from, size - first);
    return g->piece;
}

static void forget_pages(struct guarded *g)
{
    for (unsigned i = 0; i < PAGES; i++)
        g->pages[i].address = 0;
}

/* ---- the table ---- */

/* The runtime leads to it from 3.12 on; a static variable that has no symbol does before. What is read while a thread without
 * the GIL changes it may make no sense: then it is looked at again. */
static int find_table(struct inside *d, uint32_t most_frames)
{
    const struct python *python = d->python;
    struct sites *s = &d->sites;
    int32_t offset = s->world.layout->runtime_traces;
    int ok = 1;
    uint64_t table = offset == -1 ? 0 : py_u64(&s->memory.memory, python->runtime + (uint64_t)offset, &ok);
    if (table && !py_traces_open(&s->traces, &s->world, table, most_frames))
        return 0;
    table = py_traces_search(&s->world, python->data, python->data_end - python->data, python->library,
                             python->library_end, most_frames);
    return table && !py_traces_open(&s->traces, &s->world, table, most_frames) ? 0 : -1;
}

void inside_find_sites(struct inside *d)
{
    struct sites *s = &d->sites;
    uint32_t most_frames;
    if (!py_traces_are_on(&d->world, d->python->traces_state, &most_frames))
        return;
    if (!(s->memory.pages = raw_map(PAGES * sizeof *s->memory.pages))) {
        d->out_of_memory = 1;
        return;
    }
    s->memory.memory.view = view_guarded;
    s->world = d->world;
    s->world.memory = &s->memory.memory;
    int status = -1;
    for (int i = 0; status && i < TRIES; i++) {
        if (i)
            forget_pages(&s->memory);
        status = find_table(d, most_frames);
    }
    if (status) {
        s->traces.table = 0;
        inside_note(d, SEVERITY_WARNING, "tracemalloc is on, but its table of traces was not found: objects have no allocation sites",
                    d->python->traces_state);
    }
}

/* ---- sites ---- */

static uint64_t *number_at(struct inside *d, struct id_map *map, uint64_t key)
{
    int added;
    uint64_t *number = id_map_at(map, key, &added);
    if (!number)
        d->out_of_memory = 1;
    return number;
}

/* The site of a frame whose caller is `caller` (id + 1, 0 none): frames that tracebacks have in common are written once. */
static uint64_t site_of_frame(struct inside *d, uint64_t caller, uint64_t file, uint32_t line)
{
    struct sites *s = &d->sites;
    uint32_t name = inside_str(d, file);
    uint64_t *place = number_at(d, &s->places, ((uint64_t)name + 1) << 32 | line);
    if (!place)
        return 0;
    if (!*place)
        *place = ++s->place_count;
    uint64_t *site = number_at(d, &s->frames, caller << 32 | *place);
    if (!site)
        return 0;
    if (!*site) {
        struct site_record r = {
            .caller = caller ? (uint32_t)(caller - 1) : FORMAT_NONE, .file = name, .line = line, .module = FORMAT_NONE};
        writer_record(d->writer, SECTION_SITES, &r);
        *site = ++s->count;
    }
    return *site;
}

/* Outermost frame first, since a site is of a greater id than its caller. */
static uint64_t site_of_traceback(struct inside *d, uint64_t traceback)
{
    struct py_traces *t = &d->sites.traces;
    uint64_t site = 0, file;
    uint32_t line;
    for (uint32_t i = py_traceback_frames(t, traceback); i--;) {
        py_traceback_frame(t, traceback, i, &file, &line);
        site = site_of_frame(d, site, file, line);
    }
    return site;
}

uint64_t inside_site(struct inside *d, uint64_t object, const struct py_type *type)
{
    struct sites *s = &d->sites;
    uint64_t traceback = py_traces_find(&s->traces, object, type);
    uint64_t *known = traceback ? number_at(d, &s->tracebacks, traceback) : NULL;
    if (!known)
        return 0;
    if (!*known)
        *known = site_of_traceback(d, traceback) + 1;
    return *known - 1;
}

void inside_sites_end(struct inside *d)
{
    struct sites *s = &d->sites;
    if (!s->traces.table)
        return;
    forget_pages(&s->memory);
    if (py_traces_moved(&s->traces))
        inside_note(d, SEVERITY_WARNING, "tracemalloc's table was changed meanwhile: some objects lack their allocation sites",
                    s->traces.table);
    if (s->traces.broken)
        inside_note_number(d, SEVERITY_WARNING, "traces of tracemalloc made no sense, or were being changed: objects lack their sites",
                           s->traces.broken, s->traces.table);
}

void inside_sites_release(struct inside *d)
{
    if (d->sites.memory.pages)
        raw_unmap(d->sites.memory.pages, PAGES * sizeof *d->sites.memory.pages);
    id_map_release(&d->sites.tracebacks);
    id_map_release(&d->sites.places);
    id_map_release(&d->sites.frames);
}
