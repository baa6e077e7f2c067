#include "modules.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../maps/maps.h"

enum { SYMBOLS_MAX = 4096 /* modules whose files are read */, SEGMENTS_MAX = 256, PAGE = 4096 };

static int read_memory(void *context, uint64_t address, void *to, size_t size)
{
    return memory_read(context, address, to, size);
}

/* Where a module ends by its program headers, which begin its first mapping; 0 when they cannot be read. */
static uint64_t loaded_end(struct probe *probe, uint64_t base)
{
    Elf64_Ehdr header;
    Elf64_Phdr segment;
    uint64_t low = UINT64_MAX, high = 0;
    if (memory_read(probe->memory, base, &header, sizeof header) || memcmp(header.e_ident, ELFMAG, SELFMAG) ||
        header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_phentsize != sizeof segment || header.e_phnum > SEGMENTS_MAX)
        return 0;
    for (unsigned i = 0; i < header.e_phnum; i++) {
        if (memory_read(probe->memory, base + header.e_phoff + i * sizeof segment, &segment, sizeof segment))
            return 0;
        if (segment.p_type != PT_LOAD || segment.p_memsz > UINT64_MAX - segment.p_vaddr)
            continue;
        low = segment.p_vaddr < low ? segment.p_vaddr : low;
        high = segment.p_vaddr + segment.p_memsz > high ? segment.p_vaddr + segment.p_memsz : high;
    }
    low &= ~(uint64_t)(PAGE - 1);
    return high > low ? base + (high - low) : 0;
}

/* Where the data of a module ends. What has no file and continues it is its own, as far as its headers say: memory that
 * the program mapped right behind it can be one mapping with it. */
static uint64_t data_end(struct probe *probe, uint64_t base, uint64_t mapped_end)
{
    const struct region *r;
    uint64_t end = mapped_end, loaded = loaded_end(probe, base);
    while ((r = probe_region(probe, end)) && r->start == end && r->kind == REGION_BSS)
        end = r->end;
    if (loaded && loaded < end)
        end = loaded;
    return end > mapped_end ? end : mapped_end;
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
                               .data_end = data_end(probe, found->base, found->end),
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
