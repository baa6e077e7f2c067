#include "symbols.h"

#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../maps/maps.h"

enum { NOTES_MAX = 16 };

struct symbol {
    uint64_t address, size; /* as linked */
    const char *name;
};

struct symbols {
    int fd;
    Elf *elf;             /* has the names */
    uint64_t linked;      /* where the file's first byte would be mapped as it was linked */
    struct symbol *items; /* by address */
    size_t count;
};

size_t symbols_build_id(int fd, uint8_t *id)
{
    Elf *elf = elf_version(EV_CURRENT) == EV_NONE ? NULL : elf_begin(fd, ELF_C_READ_MMAP, NULL);
    size_t count = 0, found = 0, notes = 0;
    if (!elf || elf_kind(elf) != ELF_K_ELF || elf_getphdrnum(elf, &count))
        count = 0;
    for (size_t i = 0; i < count && !found; i++) {
        GElf_Phdr p;
        GElf_Nhdr note;
        size_t name, body;
        if (!gelf_getphdr(elf, (int)i, &p) || p.p_type != PT_NOTE || notes++ >= NOTES_MAX)
            continue;
        Elf_Data *data =
            elf_getdata_rawchunk(elf, (int64_t)p.p_offset, p.p_filesz, p.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
        for (size_t at = 0; data && (at = gelf_getnote(data, at, &note, &name, &body)) > 0;)
            if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && note.n_descsz <= MAPS_BUILD_ID_MAX &&
                !memcmp((const char *)data->d_buf + name, "GNU", 4)) {
                found = note.n_descsz;
                memcpy(id, (const char *)data->d_buf + body, found);
            }
    }
    elf_end(elf);
    return found;
}

static int compare_symbols(const void *pa, const void *pb)
{
    const struct symbol *a = pa, *b = pb;
    return a->address < b->address ? -1 : a->address > b->address;
}

static int read_table(struct symbols *s, Elf_Scn *section, const GElf_Shdr *header)
{
    Elf_Data *data = elf_getdata(section, NULL);
    size_t n = data && header->sh_entsize ? data->d_size / header->sh_entsize : 0;
    s->items = n ? calloc(n, sizeof *s->items) : NULL;
    for (size_t i = 0; s->items && i < n; i++) {
        GElf_Sym symbol;
        if (!gelf_getsym(data, (int)i, &symbol) || GELF_ST_TYPE(symbol.st_info) != STT_OBJECT || !symbol.st_size ||
            symbol.st_shndx == SHN_UNDEF)
            continue;
        const char *name = elf_strptr(s->elf, header->sh_link, symbol.st_name);
        if (name && *name)
            s->items[s->count++] = (struct symbol){symbol.st_value, symbol.st_size, name};
    }
    if (s->items)
        qsort(s->items, s->count, sizeof *s->items, compare_symbols);
    return s->count > 0;
}

/* The whole table if there is one, else the dynamic one. */
static void read_tables(struct symbols *s)
{
    static const unsigned kinds[] = {SHT_SYMTAB, SHT_DYNSYM};
    for (int k = 0; k < 2 && !s->count; k++)
        for (Elf_Scn *section = NULL; !s->count && (section = elf_nextscn(s->elf, section));) {
            GElf_Shdr header;
            if (!gelf_getshdr(section, &header) || header.sh_type != kinds[k])
                continue;
            free(s->items);
            s->items = NULL;
            read_table(s, section, &header);
        }
}

static void find_linked(struct symbols *s)
{
    size_t count = 0;
    GElf_Phdr p;
    if (elf_getphdrnum(s->elf, &count))
        return;
    for (size_t i = 0; i < count; i++)
        if (gelf_getphdr(s->elf, (int)i, &p) && p.p_type == PT_LOAD) {
            s->linked = (p.p_vaddr - p.p_offset) & ~UINT64_C(4095);
            return;
        }
}

struct symbols *symbols_open(const char *path, const uint8_t *build_id, size_t length)
{
    uint8_t id[MAPS_BUILD_ID_MAX];
    struct symbols *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (s->fd >= 0 && length && symbols_build_id(s->fd, id) == length && !memcmp(id, build_id, length))
        s->elf = elf_begin(s->fd, ELF_C_READ_MMAP, NULL);
    if (s->elf) {
        find_linked(s);
        read_tables(s);
    }
    if (!s->count) {
        symbols_close(s);
        return NULL;
    }
    return s;
}

void symbols_close(struct symbols *s)
{
    if (!s)
        return;
    elf_end(s->elf);
    if (s->fd >= 0)
        close(s->fd);
    free(s->items);
    free(s);
}

const char *symbols_find(const struct symbols *s, uint64_t base, uint64_t address, uint64_t *offset)
{
    uint64_t linked = address - base + s->linked;
    size_t low = 0, high = s->count;
    while (low < high) { /* the first that begins behind it */
        size_t middle = low + (high - low) / 2;
        if (s->items[middle].address <= linked)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low || linked - s->items[low - 1].address >= s->items[low - 1].size)
        return NULL;
    *offset = linked - s->items[low - 1].address;
    return s->items[low - 1].name;
}

int symbols_address(const struct symbols *s, uint64_t base, const char *name, uint64_t *address)
{
    for (size_t i = 0; i < s->count; i++)
        if (!strcmp(s->items[i].name, name)) {
            *address = s->items[i].address - s->linked + base;
            return 1;
        }
    return 0;
}
