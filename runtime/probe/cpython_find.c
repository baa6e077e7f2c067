/* Where CPython is in a process, and whether it is one that can be read.
 *
 * `_PyRuntime` and `PyType_Type` are looked up in the symbols that the dynamic linker uses, in the process's own memory:
 * no file on disk is needed, and none is believed.
 */
#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "cpython.h"

enum { SEGMENTS_MAX = 64, DYNAMIC_MAX = 256, CHAIN_MAX = 1 << 16, MODULES_MAX = 4096 };

/* ---- memory ---- */

enum { WINDOW_MOST = 64 << 20, WINDOW_LEAST = 64 << 10 };

/* Where the source has the memory at hand, a large piece around the address becomes the window, so that most of what is
 * read is read without a call. */
static int move_window(struct probe_memory *m, uint64_t address, size_t size)
{
    struct memory_source *source = m->probe->options->source;
    const struct region *r = source->view ? probe_region(m->probe, address) : NULL;
    for (uint64_t piece = WINDOW_MOST; r && piece >= WINDOW_LEAST; piece /= 8) {
        uint64_t from = address & ~(piece - 1), to = from + piece;
        from = from > r->start ? from : r->start;
        to = to < r->end ? to : r->end;
        const void *bytes = address + size <= to ? source->view(source, from, (size_t)(to - from)) : NULL;
        if (bytes) {
            m->memory.start = from;
            m->memory.length = to - from;
            m->memory.bytes = bytes;
            return 1;
        }
    }
    return 0;
}

static const void *view_probe(struct py_memory *memory, uint64_t address, size_t size)
{
    struct probe_memory *m = (struct probe_memory *)memory;
    if (address > UINT64_MAX - size)
        return NULL;
    if (size && move_window(m, address, size))
        return m->memory.bytes + (address - m->memory.start);
    return memory_view(m->probe->memory, address, size);
}

void probe_memory_init(struct probe_memory *m, struct probe *probe)
{
    *m = (struct probe_memory){.memory = {.view = view_probe}, .probe = probe};
}

/* ---- symbols in memory ---- */

struct dynamic {
    uint64_t bias, symbols, strings, gnu_hash;
};

/* The dynamic section of a module that is mapped from `base` on. Returns 0 when it has one. */
static int read_dynamic(struct probe *probe, uint64_t base, struct dynamic *out)
{
    Elf64_Ehdr header;
    Elf64_Phdr segment;
    uint64_t dynamic = 0, size = 0, first = UINT64_MAX;
    if (memory_read(probe->memory, base, &header, sizeof header) || memcmp(header.e_ident, ELFMAG, SELFMAG) ||
        header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_phentsize != sizeof segment)
        return -1;
    for (unsigned i = 0; i < header.e_phnum && i < SEGMENTS_MAX; i++) {
        if (memory_read(probe->memory, base + header.e_phoff + i * sizeof segment, &segment, sizeof segment))
            return -1;
        if (segment.p_type == PT_LOAD && first == UINT64_MAX)
            first = segment.p_vaddr - segment.p_offset;
        if (segment.p_type == PT_DYNAMIC) {
            dynamic = segment.p_vaddr;
            size = segment.p_memsz;
        }
    }
    if (!dynamic || first == UINT64_MAX)
        return -1;
    *out = (struct dynamic){.bias = base - (first & ~UINT64_C(4095))};
    for (uint64_t i = 0; i < size / sizeof(Elf64_Dyn) && i < DYNAMIC_MAX; i++) {
        Elf64_Dyn entry;
        if (memory_read(probe->memory, out->bias + dynamic + i * sizeof entry, &entry, sizeof entry) ||
            entry.d_tag == DT_NULL)
            break;
        /* The dynamic linker may have made an address of it, or left it as it was linked. */
        uint64_t value = entry.d_un.d_ptr >= out->bias ? entry.d_un.d_ptr : entry.d_un.d_ptr + out->bias;
        if (entry.d_tag == DT_SYMTAB)
            out->symbols = value;
        else if (entry.d_tag == DT_STRTAB)
            out->strings = value;
        else if (entry.d_tag == DT_GNU_HASH)
            out->gnu_hash = value;
    }
    return out->symbols && out->strings && out->gnu_hash ? 0 : -1;
}

static uint32_t gnu_hash(const char *name)
{
    uint32_t h = 5381;
    for (; *name; name++)
        h = h * 33 + (unsigned char)*name;
    return h;
}

/* A symbol that the module defines, through its hash table. Returns 0 when found. */
static int find_symbol(struct probe *probe, const struct dynamic *d, const char *name, uint64_t *address, uint64_t *size)
{
    struct memory *m = probe->memory;
    int ok = 1;
    uint32_t buckets = memory_u32(m, d->gnu_hash, &ok), offset = memory_u32(m, d->gnu_hash + 4, &ok);
    uint32_t bloom = memory_u32(m, d->gnu_hash + 8, &ok), hash = gnu_hash(name);
    if (!ok || !buckets)
        return -1;
    uint64_t bucket_table = d->gnu_hash + 16 + 8 * (uint64_t)bloom, chains = bucket_table + 4 * (uint64_t)buckets;
    uint32_t i = memory_u32(m, bucket_table + 4 * (uint64_t)(hash % buckets), &ok);
    if (!ok || i < offset)
        return -1;
    for (unsigned n = 0; n < CHAIN_MAX; n++, i++) {
        char found[64];
        Elf64_Sym symbol;
        uint32_t chain = memory_u32(m, chains + 4 * (uint64_t)(i - offset), &ok);
        if (!ok)
            return -1;
        if ((chain | 1) == (hash | 1) && !memory_read(m, d->symbols + i * sizeof symbol, &symbol, sizeof symbol) &&
            symbol.st_shndx != SHN_UNDEF && memory_text(m, d->strings + symbol.st_name, found, sizeof found) > 0 &&
            !strcmp(found, name)) {
            *address = d->bias + symbol.st_value;
            *size = symbol.st_size;
            return 0;
        }
        if (chain & 1)
            return -1;
    }
    return -1;
}

/* ---- which version ---- */

#define DEBUG_COOKIE "xdebugpy"
enum { DEBUG_FREE_THREADED = 16, DEBUG_INTERPRETERS_HEAD = 40, DEBUG_INTERPRETER_GC = 80 };

static int refuse(struct probe *probe, const char *what)
{
    snprintf(probe->unusable, sizeof probe->unusable,
             "the process runs %.60s; CPython 3.8 to 3.13 can be read, with their global interpreter lock", what);
    return 0;
}

/* From 3.11 on the number is exported; before, it shows in the size of the runtime's struct. Returns 1 when the layout
 * is known. */
static int find_version(struct probe *probe, const struct dynamic *d, struct cpython *c, uint64_t size)
{
    uint64_t address, ignored;
    unsigned count;
    char text[80];
    int ok = 1;
    const struct py_layout *all = py_layouts(&count);
    if (!find_symbol(probe, d, "Py_Version", &address, &ignored)) {
        c->version = memory_u32(probe->memory, address, &ok);
        c->layout = ok ? py_layout_of(c->version >> 16) : NULL;
        if (!c->layout) {
            snprintf(text, sizeof text, "CPython %u.%u", c->version >> 24, c->version >> 16 & 255);
            return refuse(probe, ok ? text : "a CPython whose version cannot be read");
        }
        c->size_differs = size != (uint64_t)c->layout->runtime_size;
    } else {
        for (unsigned i = 0; i < count && !c->layout; i++)
            if (all[i].version < 0x030b && (uint64_t)all[i].runtime_size == size)
                c->layout = &all[i];
        if (!c->layout)
            return refuse(probe, "a CPython of an unknown version");
        c->version = c->layout->version << 16;
    }
    char cookie[8];
    if (c->layout->version >= 0x030d && !memory_read(probe->memory, c->runtime, cookie, sizeof cookie) &&
        !memcmp(cookie, DEBUG_COOKIE, sizeof cookie)) {
        if (memory_u64(probe->memory, c->runtime + DEBUG_FREE_THREADED, &ok))
            return refuse(probe, "a free-threaded CPython, which has no lists of objects");
        if (memory_u64(probe->memory, c->runtime + DEBUG_INTERPRETERS_HEAD, &ok) !=
                (uint64_t)c->layout->runtime_interp_head ||
            memory_u64(probe->memory, c->runtime + DEBUG_INTERPRETER_GC, &ok) != (uint64_t)c->layout->interp_gc)
            return refuse(probe, "a build of CPython 3.13 whose layout is not known");
    }
    return 1;
}

/* Each list of generations is a ring: what the head's next or prev leads to leads back. Not both, maybe: the process may
 * stand between two of the stores that change one. */
static int gc_is_sane(struct probe *probe, uint64_t gc)
{
    struct memory *m = probe->memory;
    int ok = 1;
    for (unsigned g = 0; g < 4; g++) {
        uint64_t head = gc + (g < 3 ? PY_GC_GENERATIONS + g * PY_GC_GENERATION_SIZE : PY_GC_PERMANENT);
        uint64_t next = memory_u64(m, head, &ok) & ~UINT64_C(3), prev = memory_u64(m, head + 8, &ok) & ~UINT64_C(3);
        uint64_t back = memory_u64(m, next + 8, &ok) & ~UINT64_C(3), on = memory_u64(m, prev, &ok) & ~UINT64_C(3);
        if (!ok || (back != head && on != head && prev != head && !memory_u32(m, gc + PY_GC_COLLECTING, &ok)))
            return 0;
    }
    return 1;
}

/* Whether a container is being put at the end of the youngest list: the list's last one is not followed by its head. */
static int is_adding(struct probe *probe, uint64_t gc)
{
    int ok = 1;
    uint64_t head = gc + PY_GC_GENERATIONS, last = memory_u64(probe->memory, head + 8, &ok) & ~UINT64_C(3);
    return (memory_u64(probe->memory, last, &ok) & ~UINT64_C(3)) != head || !ok;
}

static void find_interpreters(struct probe *probe, struct cpython *c, struct py_world *w)
{
    for (uint64_t at = py_first_interpreter(w, c->runtime); at && c->interpreter_count < INTERPRETERS_MAX;
         at = py_next_interpreter(w, at)) {
        struct interpreter found = {at, py_gc_state(w, c->runtime, at), py_interpreter_id(w, at), 0, 0};
        int ok = 1;
        size_t i = c->interpreter_count;
        for (size_t k = 0; k < i; k++)
            if (c->interpreters[k].address == at)
                return; /* a loop */
        if (!gc_is_sane(probe, found.gc))
            return;
        /* 3.8: one collector for all of them, which is the main interpreter's heap */
        for (; i && c->interpreters[i - 1].id > found.id; i--)
            c->interpreters[i] = c->interpreters[i - 1];
        found.collecting = memory_u32(probe->memory, found.gc + PY_GC_COLLECTING, &ok) != 0;
        found.adding = is_adding(probe, found.gc);
        c->interpreters[i] = found;
        c->interpreter_count++;
    }
}

static void find_traces(struct probe *probe, const struct dynamic *d, struct cpython *c)
{
    uint64_t ignored;
    if (c->layout->runtime_traces_state != -1)
        c->traces_state = c->runtime + (uint64_t)c->layout->runtime_traces_state;
    else if (find_symbol(probe, d, "_Py_tracemalloc_config", &c->traces_state, &ignored))
        c->traces_state = 0;
}

static int read_module(struct probe *probe, const struct dynamic *d, struct cpython *c)
{
    uint64_t size, ignored;
    if (find_symbol(probe, d, "PyType_Type", &c->type_type, &ignored))
        return 0;
    if (find_symbol(probe, d, "_PyRuntime", &c->runtime, &size))
        return refuse(probe, "a CPython older than 3.7");
    if (!find_version(probe, d, c, size))
        return 0;
    struct probe_memory memory;
    probe_memory_init(&memory, probe);
    struct py_world world = {.layout = c->layout, .memory = &memory.memory, .type_type = c->type_type};
    if (!py_first_interpreter(&world, c->runtime) || py_world_begin(&world))
        return 0; /* not started yet, or a second copy that nobody uses */
    find_interpreters(probe, c, &world);
    find_traces(probe, d, c);
    if (!c->interpreter_count)
        refuse(probe, "a CPython whose collector is not where it should be");
    return (int)c->interpreter_count;
}

int cpython_find(struct probe *probe, struct cpython *c)
{
    int found = 0;
    for (size_t i = 0, modules = 0; i < probe->region_count && !found && modules < MODULES_MAX; i++) {
        const struct region *r = &probe->regions[i];
        struct dynamic dynamic;
        if (r->kind != REGION_FILE || r->offset || !r->readable)
            continue;
        modules++;
        if (!read_dynamic(probe, r->start, &dynamic)) {
            *c = (struct cpython){0};
            found = read_module(probe, &dynamic, c);
        }
    }
    return found;
}
