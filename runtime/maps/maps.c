#include "maps.h"

#include <elf.h>

#include "../../dumpfmt/rawsys.h"

enum { SEGMENTS_MAX = 256 };

void maps_begin(struct maps_reader *reader, int fd, char *buffer)
{
    *reader = (struct maps_reader){.fd = fd, .buffer = buffer};
}

/* The next line of the file, terminated in place; NULL at the end. A line longer than the buffer is cut. */
static char *next_line(struct maps_reader *r, size_t *length, int *error)
{
    for (;;) {
        for (size_t i = r->at; i < r->used; i++)
            if (r->buffer[i] == '\n') {
                char *line = r->buffer + r->at;
                r->buffer[i] = 0;
                *length = i - r->at;
                r->at = i + 1;
                return line;
            }
        if (r->at) {
            for (size_t i = r->at; i < r->used; i++)
                r->buffer[i - r->at] = r->buffer[i];
            r->used -= r->at;
            r->at = 0;
        }
        if (r->end && r->used) {
            r->buffer[r->used++] = '\n';
            continue;
        }
        if (r->end)
            return NULL;
        if (r->used == MAPS_BUFFER_SIZE - 1) {
            r->used = 0; /* no line of /proc is that long */
            continue;
        }
        long n = raw_read(r->fd, r->buffer + r->used, MAPS_BUFFER_SIZE - 1 - r->used);
        if (n < 0) {
            *error = (int)n;
            return NULL;
        }
        r->used += (size_t)n;
        r->end = n == 0;
    }
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Reads a number and the one character that must follow it. */
static int take_number(const char **at, unsigned base, char after, uint64_t *value)
{
    const char *p = *at;
    *value = 0;
    for (int d; (d = hex_digit(*p)) >= 0 && d < (int)base; p++)
        *value = *value * base + (unsigned)d;
    if (p == *at || (after && *p != after))
        return 0;
    *at = p + (after != 0);
    return 1;
}

/* START-END PERMS OFFSET MAJOR:MINOR INODE [PATH] */
static int parse_line(const char *p, size_t length, struct map_line *line)
{
    const char *end = p + length;
    uint64_t device;
    if (!take_number(&p, 16, '-', &line->start) || !take_number(&p, 16, ' ', &line->end) || end - p < 5)
        return 0;
    line->readable = p[0] == 'r';
    line->writable = p[1] == 'w';
    line->executable = p[2] == 'x';
    line->shared = p[3] == 's';
    p += 5;
    if (!take_number(&p, 16, ' ', &line->offset) || !take_number(&p, 16, ':', &device) ||
        !take_number(&p, 16, ' ', &device) || !take_number(&p, 10, 0, &line->inode))
        return 0;
    while (*p == ' ')
        p++;
    line->path = p;
    line->path_length = (size_t)(end - p);
    return line->start < line->end;
}

int maps_next(struct maps_reader *reader, struct map_line *line)
{
    size_t length;
    int error = 0;
    char *text;
    while ((text = next_line(reader, &length, &error)))
        if (parse_line(text, length, line))
            return 1;
    return error;
}

/* ---- modules ---- */

uint32_t maps_build_id(const uint8_t *notes, size_t size, uint8_t id[MAPS_BUILD_ID_MAX])
{
    for (size_t at = 0; at + sizeof(Elf64_Nhdr) <= size;) {
        const Elf64_Nhdr *note = (const void *)(notes + at);
        size_t name = ((size_t)note->n_namesz + 3) & ~(size_t)3, body = ((size_t)note->n_descsz + 3) & ~(size_t)3;
        at += sizeof *note;
        if (name > size - at || body > size - at - name)
            return 0;
        const uint8_t *text = notes + at;
        if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && text[0] == 'G' && text[1] == 'N' &&
            text[2] == 'U' && note->n_descsz <= MAPS_BUILD_ID_MAX) {
            for (uint32_t i = 0; i < note->n_descsz; i++)
                id[i] = text[name + i];
            return note->n_descsz;
        }
        at += name + body;
    }
    return 0;
}

/* Program headers in memory, read one at a time. */
struct segments {
    uint64_t base;
    maps_read read;
    void *context;
    Elf64_Ehdr header;
};

static int segments_open(struct segments *s)
{
    const unsigned char *ident = s->header.e_ident;
    return s->read(s->context, s->base, &s->header, sizeof s->header) || ident[0] != 0x7f || ident[1] != 'E' ||
           ident[2] != 'L' || ident[3] != 'F' || ident[EI_CLASS] != ELFCLASS64 ||
           s->header.e_phentsize != sizeof(Elf64_Phdr) || s->header.e_phnum > SEGMENTS_MAX;
}

static int segments_get(const struct segments *s, unsigned i, Elf64_Phdr *segment)
{
    return s->read(s->context, s->base + s->header.e_phoff + (uint64_t)i * sizeof *segment, segment, sizeof *segment);
}

static uint32_t read_build_id(const struct segments *s, uint8_t id[MAPS_BUILD_ID_MAX])
{
    Elf64_Phdr segment;
    _Alignas(8) uint8_t notes[1024];
    uint64_t bias = s->base;
    int bias_known = 0;
    for (int pass = 0; pass < 2; pass++)
        for (unsigned i = 0; i < s->header.e_phnum; i++) {
            if (segments_get(s, i, &segment))
                return 0;
            if (pass == 0 && segment.p_type == PT_LOAD && !bias_known) {
                bias = s->base - (segment.p_vaddr & ~(uint64_t)4095);
                bias_known = 1;
            }
            if (pass == 1 && segment.p_type == PT_NOTE) {
                size_t size = segment.p_memsz < sizeof notes ? segment.p_memsz : sizeof notes;
                uint32_t length = 0;
                if (!s->read(s->context, bias + segment.p_vaddr, notes, size))
                    length = maps_build_id(notes, size, id);
                if (length)
                    return length;
            }
        }
    return 0;
}

/* Where a module ends by its program headers; 0 when they cannot be read. */
static uint64_t loaded_end(const struct segments *s)
{
    Elf64_Phdr segment;
    uint64_t low = UINT64_MAX, high = 0;
    for (unsigned i = 0; i < s->header.e_phnum; i++) {
        if (segments_get(s, i, &segment))
            return 0;
        if (segment.p_type != PT_LOAD || segment.p_memsz > UINT64_MAX - segment.p_vaddr)
            continue;
        low = segment.p_vaddr < low ? segment.p_vaddr : low;
        high = segment.p_vaddr + segment.p_memsz > high ? segment.p_vaddr + segment.p_memsz : high;
    }
    low &= ~(uint64_t)4095;
    return high > low ? s->base + (high - low) : 0;
}

/* What has no file and continues a module is its own, as far as its headers say: memory that the program mapped right
 * behind it can be one mapping with it. The headers begin its first mapping, if they are mapped at all. */
static void read_headers(struct module_found *module, int has_header, maps_read read, void *context)
{
    struct segments s = {.base = module->base, .read = read, .context = context};
    module->build_id_length = 0;
    if (!has_header || segments_open(&s))
        return;
    uint64_t loaded = loaded_end(&s);
    if (loaded && loaded < module->data_end)
        module->data_end = loaded > module->end ? loaded : module->end;
    module->build_id_length = read_build_id(&s, module->build_id);
}

static int same_path(const struct module_found *module, const struct map_line *line)
{
    size_t i = 0;
    for (; i < line->path_length && i < MAPS_PATH_MAX - 1; i++)
        if (module->path[i] != line->path[i])
            return 0;
    return module->path[i] == 0;
}

int maps_modules(struct maps_reader *reader, maps_read read, void *read_context, struct module_found *module,
                 void (*found)(void *context, const struct module_found *module), void *context)
{
    struct map_line line;
    int has_code = 0, has_header = 0, status;
    module->path[0] = 0;
    do {
        status = maps_next(reader, &line);
        if (status > 0 && line.path_length && line.path[0] == '/' && module->path[0] && same_path(module, &line)) {
            module->end = module->data_end = line.end;
            has_code |= line.executable;
            continue;
        }
        if (status > 0 && (!line.path_length || line.path[0] != '/')) {
            if (!line.path_length && module->path[0] && line.start == module->data_end)
                module->data_end = line.end;
            continue; /* its data, or memory between two parts of it */
        }
        if (module->path[0] && has_code) {
            read_headers(module, has_header, read, read_context);
            found(context, module);
        }
        if (status > 0) {
            size_t n = line.path_length < MAPS_PATH_MAX - 1 ? line.path_length : MAPS_PATH_MAX - 1;
            for (size_t i = 0; i < n; i++)
                module->path[i] = line.path[i];
            module->path[n] = 0;
            module->base = line.start;
            module->end = module->data_end = line.end;
            has_code = line.executable;
            has_header = line.offset == 0 && line.readable;
        }
    } while (status > 0);
    return status;
}
