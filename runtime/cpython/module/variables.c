#include "variables.h"

#include <elf.h>

#include "../../../dumpfmt/rawsys.h"

enum { PIECE_SYMBOLS = 256, SYMBOLS_MAX = 1 << 24, NOTES_SIZE = 1024, PAGE = 4096 };

/* ---- the file ---- */

static int read_at(int fd, void *to, size_t size, uint64_t offset)
{
    return raw_pread(fd, to, size, offset) == (long)size ? 0 : -1;
}

static int read_header(int fd, Elf64_Ehdr *header)
{
    const unsigned char *ident = header->e_ident;
    return read_at(fd, header, sizeof *header, 0) || ident[0] != 0x7f || ident[1] != 'E' || ident[2] != 'L' ||
           ident[3] != 'F' || ident[EI_CLASS] != ELFCLASS64 || header->e_phentsize != sizeof(Elf64_Phdr) ||
           header->e_shentsize != sizeof(Elf64_Shdr);
}

static int has_build_id(int fd, const Elf64_Phdr *segment, const struct module_found *module)
{
    _Alignas(8) uint8_t notes[NOTES_SIZE];
    uint8_t id[MAPS_BUILD_ID_MAX];
    size_t size = segment->p_filesz < sizeof notes ? (size_t)segment->p_filesz : sizeof notes;
    return !read_at(fd, notes, size, segment->p_offset) && maps_build_id(notes, size, id) == module->build_id_length &&
           !__builtin_memcmp(id, module->build_id, module->build_id_length);
}

/* Whether it is the file that is mapped; and how it was linked. */
static int check_segments(struct variable_file *file, const Elf64_Ehdr *header, const struct module_found *module)
{
    Elf64_Phdr segment;
    int same = 0, loaded = 0;
    for (unsigned i = 0; i < header->e_phnum; i++) {
        if (read_at(file->fd, &segment, sizeof segment, header->e_phoff + (uint64_t)i * sizeof segment))
            return -1;
        if (segment.p_type == PT_LOAD && !loaded++)
            file->linked = ((segment.p_vaddr - segment.p_offset) & ~(uint64_t)(PAGE - 1)) - module->base;
        if (segment.p_type == PT_NOTE && !same)
            same = has_build_id(file->fd, &segment, module);
    }
    return same && loaded ? 0 : -1;
}

static int find_section(int fd, const Elf64_Ehdr *header, uint32_t type, Elf64_Shdr *section)
{
    for (unsigned i = 0; i < header->e_shnum; i++)
        if (read_at(fd, section, sizeof *section, header->e_shoff + (uint64_t)i * sizeof *section))
            return -1;
        else if (section->sh_type == type && section->sh_entsize == sizeof(Elf64_Sym) && section->sh_link < header->e_shnum)
            return 0;
    return -1;
}

/* ---- symbols ---- */

/* The addresses a symbol covers get it, unless they have one that begins behind it: variables can lie in one another. */
static void offer(const struct variable_file *file, const Elf64_Sym *symbol, struct variable *variables, size_t count)
{
    uint64_t start = symbol->st_value;
    size_t low = 0, high = count;
    while (low < high) { /* the first address from its start on */
        size_t middle = low + (high - low) / 2;
        if (variables[middle].address + file->linked < start)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < count && variables[low].address + file->linked - start < symbol->st_size; low++)
        if (!variables[low].name || variables[low].start < start) {
            variables[low].start = start;
            variables[low].name = symbol->st_name;
        }
}

/* Returns whether there is a variable among the symbols at all. */
static int read_symbols(struct variable_file *file, const Elf64_Shdr *section, struct variable *variables, size_t count)
{
    Elf64_Sym piece[PIECE_SYMBOLS];
    uint64_t symbols = section->sh_size / sizeof *piece;
    int any = 0;
    if (symbols > SYMBOLS_MAX)
        symbols = SYMBOLS_MAX;
    for (uint64_t at = 0; at < symbols; at += PIECE_SYMBOLS) {
        size_t n = symbols - at < PIECE_SYMBOLS ? (size_t)(symbols - at) : PIECE_SYMBOLS;
        if (read_at(file->fd, piece, n * sizeof *piece, section->sh_offset + at * sizeof *piece))
            break;
        for (size_t i = 0; i < n; i++)
            if (ELF64_ST_TYPE(piece[i].st_info) == STT_OBJECT && piece[i].st_size && piece[i].st_shndx != SHN_UNDEF &&
                piece[i].st_name) {
                any = 1;
                offer(file, &piece[i], variables, count);
            }
    }
    return any;
}

static int read_tables(struct variable_file *file, const Elf64_Ehdr *header, struct variable *variables, size_t count)
{
    static const uint32_t kinds[] = {SHT_SYMTAB, SHT_DYNSYM};
    Elf64_Shdr section, names;
    for (int k = 0; k < 2; k++) {
        if (find_section(file->fd, header, kinds[k], &section) ||
            read_at(file->fd, &names, sizeof names, header->e_shoff + (uint64_t)section.sh_link * sizeof names))
            continue;
        file->names = names.sh_offset;
        file->names_size = names.sh_size;
        if (read_symbols(file, &section, variables, count))
            return 0;
    }
    return -1;
}

int variables_find(struct variable_file *file, const struct module_found *module, struct variable *variables, size_t count)
{
    Elf64_Ehdr header;
    int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    *file = (struct variable_file){.fd = (int)raw_openat(AT_FDCWD, module->path, flags, 0)};
    if (file->fd < 0 || !module->build_id_length)
        return -1;
    if (read_header(file->fd, &header) || check_segments(file, &header, module))
        return -1;
    return read_tables(file, &header, variables, count);
}

size_t variables_name(const struct variable_file *file, const struct variable *variable, char name[VARIABLE_NAME_MAX])
{
    size_t n = 0;
    if (!variable->name || variable->name >= file->names_size)
        return 0;
    long got = raw_pread(file->fd, name, VARIABLE_NAME_MAX - 1, file->names + variable->name);
    while (got > 0 && n < (size_t)got && name[n])
        n++;
    name[n] = 0;
    return n;
}

uint64_t variables_offset(const struct variable_file *file, const struct variable *variable)
{
    return variable->address + file->linked - variable->start;
}

void variables_close(struct variable_file *file)
{
    if (file->fd >= 0)
        raw_close(file->fd);
}
