#include "modules.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../maps/maps.h"

enum { SYMBOLS_MAX = 4096 /* modules whose files are read */ };

static int read_memory(void *context, uint64_t address, void *to, size_t size)
{
    return memory_read(context, address, to, size);
}

static void keep_module(void *context, const struct module_found *found)
{
    struct probe *probe = context;
    struct probe_module *more = realloc(probe->modules, (probe->module_count + 1) * sizeof *more);
    char *path = strdup(found->path);
    if (more)
        probe->modules = more;
    if (!more || !path) {
        free(path);
        return;
    }
    struct probe_module *m = &probe->modules[probe->module_count++];
    *m = (struct probe_module){.base = found->base,
                               .end = found->end,
                               .data_end = found->data_end,
                               .path = path,
                               .build_id_length = found->build_id_length};
    memcpy(m->build_id, found->build_id, found->build_id_length);
}

void modules_read(struct probe *probe)
{
    struct {
        struct maps_reader reader;
        struct module_found module;
        char buffer[MAPS_BUFFER_SIZE];
    } *scratch = malloc(sizeof *scratch);
    if (scratch && lseek(probe->options->maps_fd, 0, SEEK_SET) == 0) {
        maps_begin(&scratch->reader, probe->options->maps_fd, scratch->buffer);
        maps_modules(&scratch->reader, read_memory, probe->memory, &scratch->module, keep_module, probe);
    }
    free(scratch);
}

void modules_release(struct probe *probe)
{
    for (uint32_t i = 0; i < probe->module_count; i++) {
        free(probe->modules[i].path);
        free(probe->modules[i].file);
        symbols_close(probe->modules[i].symbols);
    }
    free(probe->modules);
}

void modules_write(struct probe *probe)
{
    for (uint32_t i = 0; i < probe->module_count; i++) {
        const struct probe_module *m = &probe->modules[i];
        struct module_record r = {.base = m->base,
                                  .end = m->data_end,
                                  .path = probe_text(probe, m->path),
                                  .build_id_length = m->build_id_length};
        memcpy(r.build_id, m->build_id, m->build_id_length);
        writer_record(probe->writer, SECTION_MODULES, &r);
    }
}

/* Modules stand in the order of addresses. */
uint32_t modules_find(const struct probe *probe, uint64_t address)
{
    uint32_t low = 0, high = probe->module_count;
    while (low < high) { /* the first that begins behind it */
        uint32_t middle = low + (high - low) / 2;
        if (probe->modules[middle].base <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low && address < probe->modules[low - 1].data_end ? low - 1 : FORMAT_NONE;
}

const char *modules_file(struct probe *probe, uint32_t module)
{
    char path[8192];
    const struct probe_options *o = probe->options;
    struct probe_module *m = &probe->modules[module];
    if (!m->file_tried && module < SYMBOLS_MAX) {
        const char *file = o->file_of ? o->file_of(o->file_context, m->path, path, sizeof path) : NULL;
        m->file = file ? strdup(file) : NULL;
        m->file_tried = 1;
    }
    return m->file;
}

const struct symbols *modules_symbols(struct probe *probe, uint32_t module)
{
    struct probe_module *m = &probe->modules[module];
    const char *file = m->symbols_tried ? NULL : modules_file(probe, module);
    if (file)
        m->symbols = symbols_open(file, m->build_id, m->build_id_length);
    m->symbols_tried = 1;
    return m->symbols;
}

int probe_find_symbol(struct probe *probe, const char *name,
                      int (*found)(struct probe *probe, void *context, uint64_t address), void *context)
{
    int accepted = 0;
    for (uint32_t i = 0; i < probe->module_count; i++) {
        const struct symbols *symbols = modules_symbols(probe, i);
        uint64_t address;
        if (symbols && symbols_address(symbols, probe->modules[i].base, name, &address))
            accepted += found(probe, context, address);
    }
    return accepted;
}
