#include "holders.h"

#include "../../../dumpfmt/rawsys.h"
#include "inside.h"
#include "standstill.h"
#include "variables.h"

/* Bytes of data that are looked through. */
#define DATA_MAX (UINT64_C(1) << 30)

struct module_place {
    uint64_t base, data_end;
    size_t path; /* in `paths` */
    uint8_t build_id[MAPS_BUILD_ID_MAX];
    uint32_t build_id_length;
};

/* ---- modules ---- */

void holders_module(void *context, const struct module_found *module)
{
    struct inside *d = context;
    struct holders *h = &d->holders;
    size_t length = strlen(module->path) + 1;
    if (mapping_grow(&h->modules, (h->module_count + 1) * sizeof(struct module_place)) ||
        mapping_grow(&h->paths, h->path_bytes + length)) {
        d->out_of_memory = 1;
        return;
    }
    struct module_place *place = (struct module_place *)h->modules.bytes + h->module_count++;
    *place = (struct module_place){.base = module->base,
                                   .data_end = module->data_end,
                                   .path = h->path_bytes,
                                   .build_id_length = module->build_id_length};
    memcpy(place->build_id, module->build_id, sizeof place->build_id);
    memcpy((char *)h->paths.bytes + h->path_bytes, module->path, length);
    h->path_bytes += length;
}

/* The module an address lies in; FORMAT_NONE for none. */
static uint32_t module_of(const struct holders *h, uint64_t address)
{
    const struct module_place *all = h->modules.bytes;
    size_t low = 0, high = h->module_count;
    while (low < high) { /* the first that begins behind it */
        size_t middle = low + (high - low) / 2;
        if (all[middle].base <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low && address < all[low - 1].data_end ? (uint32_t)low - 1 : FORMAT_NONE;
}

/* ---- data ---- */

/* The part of a mapping that is data of a module: what is mapped of its file, or continues that. Memory shared with other
 * processes holds no objects, and what is a device's is no module's. */
static void search_data(struct inside *d, const struct map_line *line)
{
    struct holders *h = &d->holders;
    uint32_t module = module_of(h, line->start);
    if (!line->readable || !line->writable || line->shared || module == FORMAT_NONE)
        return;
    uint64_t end = ((const struct module_place *)h->modules.bytes)[module].data_end;
    holders_search(d, line->start, line->end < end ? line->end : end, (struct hit){.module = module, .thread = FORMAT_NONE});
}

static void search_mappings(struct inside *d, void (*search)(struct inside *d, const struct map_line *line))
{
    struct map_line line;
    long fd = raw_openat(AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return;
    maps_begin(&d->scratch.maps, (int)fd, d->scratch.maps_buffer);
    while (maps_next(&d->scratch.maps, &line) > 0)
        search(d, &line);
    raw_close((int)fd);
}

/* ---- heaps ---- */

static void find_heaps_in(struct inside *d, const struct object_list *list, size_t from, size_t to, uint32_t heap)
{
    const uint64_t *entries = list->entries.bytes;
    for (size_t i = from; i < to; i++)
        if (id_map_has(&d->holders.heaps, entries[i] & ~(uint64_t)7)) {
            int added;
            uint64_t *of = id_map_at(&d->holders.heaps, entries[i] & ~(uint64_t)7, &added);
            if (of)
                *of = heap;
            else
                d->out_of_memory = 1; /* the map grows before it looks */
        }
}

/* Which heaps the objects are of; the first, unless it is found to be another. */
static void find_heaps(struct inside *d, const struct heap_span *spans, uint32_t heaps)
{
    for (uint32_t heap = 1; heap < heaps && d->holders.hit_count; heap++) {
        find_heaps_in(d, &d->tracked, spans[heap].tracked_from, spans[heap].tracked_to, heap);
        find_heaps_in(d, &d->found, spans[heap - 1].found_to, spans[heap].found_to, heap);
    }
}

/* ---- writing ---- */

static void write_hit(struct inside *d, const struct hit *hit, uint32_t name, uint64_t offset)
{
    struct root_record r = {.object = hit->object,
                            .where = hit->where,
                            .name = name,
                            .module = hit->module,
                            .thread = hit->thread,
                            .frame = FORMAT_NONE,
                            .kind = hit->module != FORMAT_NONE   ? ROOT_GLOBAL
                                    : hit->thread != FORMAT_NONE ? ROOT_STACK
                                                                 : ROOT_RUNTIME,
                            .heap = (uint32_t)id_map_get(&d->holders.heaps, hit->object),
                            .offset = offset};
    writer_record(d->writer, SECTION_ROOTS, &r);
}

static void find_variables(struct inside *d, struct variable_file *file, const struct module_place *place,
                           const struct hit *hits, struct variable *variables, size_t count)
{
    struct module_found *module = &d->scratch.module;
    module->base = place->base;
    module->build_id_length = place->build_id_length;
    memcpy(module->build_id, place->build_id, sizeof module->build_id);
    strcpy(module->path, (const char *)d->holders.paths.bytes + place->path);
    for (size_t i = 0; i < count; i++)
        variables[i] = (struct variable){.address = hits[i].where};
    if (variables_find(file, module, variables, count))
        for (size_t i = 0; i < count; i++)
            variables[i].name = 0;
}

/* The holders in one module, with the names of its variables where its symbols tell them. */
static void write_hits_of_module(struct inside *d, const struct hit *hits, size_t count, struct variable *variables)
{
    const struct module_place *place = (const struct module_place *)d->holders.modules.bytes + hits->module;
    struct variable_file file;
    char name[VARIABLE_NAME_MAX];
    uint32_t text = 0, text_of = 0;
    find_variables(d, &file, place, hits, variables, count);
    for (size_t i = 0; i < count; i++) {
        if (variables[i].name && variables[i].name != text_of) {
            size_t n = variables_name(&file, &variables[i], name);
            text = n ? writer_string(d->writer, name, n, sizeof name) : 0;
            text_of = variables[i].name;
        }
        if (variables[i].name && text)
            write_hit(d, &hits[i], text, variables_offset(&file, &variables[i]));
        else
            write_hit(d, &hits[i], 0, hits[i].where - place->base);
    }
    variables_close(&file);
}

static void write_hits(struct inside *d)
{
    struct holders *h = &d->holders;
    const struct hit *hits = h->hits.bytes;
    struct mapping variables = {NULL, 0};
    for (size_t from = 0, to; from < h->hit_count; from = to) {
        for (to = from; to < h->hit_count && hits[to].module == hits[from].module; to++)
            if (hits[to].module == FORMAT_NONE)
                write_hit(d, &hits[to], holders_name(d, &hits[to]), 0);
        if (hits[from].module == FORMAT_NONE)
            continue;
        if (mapping_grow(&variables, (to - from) * sizeof(struct variable)))
            d->out_of_memory = 1;
        else
            write_hits_of_module(d, hits + from, to - from, variables.bytes);
    }
    mapping_release(&variables);
}

void holders_write(struct inside *d, const struct heap_span *spans, size_t interpreters, uint32_t heaps)
{
    struct holders *h = &d->holders;
    if (mapping_grow(&h->piece, HOLDERS_PIECE)) {
        d->out_of_memory = 1;
        return;
    }
    h->allowed = DATA_MAX;
    search_mappings(d, search_data);
    h->allowed = DATA_MAX; /* stacks and interpreters are not to be missed for large data */
    search_mappings(d, holders_search_stacks);
    h->allowed = DATA_MAX;
    for (size_t i = 0; i < interpreters; i++)
        if (module_of(h, spans[i].still->interpreter) == FORMAT_NONE)
            holders_search_interpreter(d, spans[i].still->interpreter);
    holders_search_objects(d);
    find_heaps(d, spans, heaps);
    write_hits(d);
    if (h->cut)
        inside_note(d, SEVERITY_WARNING, "there is too much data to look through all of it for holders", 0);
}

void holders_release(struct holders *h)
{
    mapping_release(&h->modules);
    mapping_release(&h->paths);
    mapping_release(&h->hits);
    mapping_release(&h->piece);
    mapping_release(&h->stacks);
    mapping_release(&h->scanned);
    id_map_release(&h->exact);
    id_map_release(&h->heaps);
}
