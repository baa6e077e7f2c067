#include "core.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/procfs.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../dumpfmt/error.h"
#include "../../dumpfmt/format.h"
#include "../maps/maps.h"
#include "registers.h"
#include "symbols.h"

enum { SEGMENTS_MAX = 1 << 20, FILES_MAX = 1 << 20, THREADS_MAX = 1 << 16, DISKS_MAX = 4096, PATH_SIZE = 4096 };

/* A stretch of the process's memory. */
struct segment {
    uint64_t start, size;
    uint64_t offset, held; /* where in the core, and how much of it is there */
    uint64_t written;      /* how much of it was to be there; the rest stood in a file */
    unsigned flags;        /* PF_* */
};

/* A stretch of a file that was mapped. */
struct mapped {
    uint64_t start, end, offset;
    const char *path;
    int disk; /* number of the file on disk that stands in, or -1 */
};

/* A file on disk that is the one that was mapped. */
struct disk {
    char *path; /* its own */
    const uint8_t *bytes;
    size_t size;
};

struct core {
    struct memory_source source;
    struct core_facts facts;
    struct core_options options;
    const uint8_t *bytes;
    size_t size;
    struct segment *segments; /* by address */
    size_t segment_count;
    struct mapped *mapped; /* by address */
    size_t mapped_count;
    struct disk *disks;
    size_t disk_count;
    struct probe_thread *threads;
    size_t thread_count;
    char *notes; /* a copy of the note that has the paths */
    int maps;
};

/* ---- reading ---- */

/* The segment an address lies in, NULL for none. */
static const struct segment *segment_at(const struct core *core, uint64_t address)
{
    size_t low = 0, high = core->segment_count;
    while (low < high) { /* the first that begins behind it */
        size_t middle = low + (high - low) / 2;
        if (core->segments[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    const struct segment *s = low ? &core->segments[low - 1] : NULL;
    return s && address - s->start < s->size ? s : NULL;
}

static const struct mapped *mapped_at(const struct core *core, uint64_t address)
{
    size_t low = 0, high = core->mapped_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (core->mapped[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    const struct mapped *m = low ? &core->mapped[low - 1] : NULL;
    return m && address < m->end ? m : NULL;
}

/* Bytes of the file on disk that stand for what the core left out at `address`, at most `size`. */
static size_t disk_bytes(const struct core *core, uint64_t address, size_t size, const uint8_t **from)
{
    const struct mapped *m = mapped_at(core, address);
    if (!m || m->disk < 0)
        return 0;
    const struct disk *d = &core->disks[m->disk];
    uint64_t at = m->offset + (address - m->start), left = m->end - address;
    if (at >= d->size)
        return 0;
    *from = d->bytes + at;
    size = size < left ? size : (size_t)left;
    return size < d->size - at ? size : (size_t)(d->size - at);
}

static size_t core_read(struct memory_source *source, uint64_t address, void *to, size_t size)
{
    const struct core *core = (const struct core *)source;
    size_t done = 0;
    while (done < size) {
        uint64_t at = address + done;
        const struct segment *s = segment_at(core, at);
        const uint8_t *from = NULL;
        size_t n = 0;
        if (!s)
            break;
        uint64_t within = at - s->start, left = s->size - within;
        if (within < s->held) {
            from = core->bytes + s->offset + within;
            n = (size_t)(s->held - within);
        } else if (within >= s->written && !(s->flags & PF_W)) {
            n = disk_bytes(core, at, left < size - done ? (size_t)left : size - done, &from);
        }
        if (!n)
            break;
        n = n < size - done ? n : size - done;
        memcpy((char *)to + done, from, n);
        done += n;
    }
    return done;
}

static const void *core_view(struct memory_source *source, uint64_t address, size_t size)
{
    const struct core *core = (const struct core *)source;
    const struct segment *s = segment_at(core, address);
    uint64_t within = s ? address - s->start : 0;
    return s && within < s->held && size <= s->held - within ? core->bytes + s->offset + within : NULL;
}

/* ---- program headers ---- */

static int compare_segments(const void *pa, const void *pb)
{
    const struct segment *a = pa, *b = pb;
    return a->start < b->start ? -1 : a->start > b->start;
}

static int damaged(struct rh_error *err, const char *what)
{
    return error_set(err, RH_ERR_FORMAT, what, "was it copied whole? a core that ends early is read as far as it goes");
}

static int read_segments(struct core *core, Elf *elf, struct rh_error *err)
{
    size_t count;
    if (elf_getphdrnum(elf, &count) || !count || count > SEGMENTS_MAX)
        return damaged(err, "the core has no program headers");
    core->segments = calloc(count, sizeof *core->segments);
    if (!core->segments)
        return error_set(err, RH_ERR_NO_MEMORY, "not enough memory for the core's segments", "");
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr p;
        if (!gelf_getphdr(elf, (int)i, &p))
            return damaged(err, "the core ends within its program headers");
        if (p.p_type != PT_LOAD || !p.p_memsz || p.p_vaddr > UINT64_MAX - p.p_memsz)
            continue;
        uint64_t there = p.p_offset < core->size ? core->size - p.p_offset : 0;
        uint64_t held = p.p_filesz < p.p_memsz ? p.p_filesz : p.p_memsz;
        core->facts.truncated |= held > there;
        core->segments[core->segment_count++] =
            (struct segment){p.p_vaddr, p.p_memsz, p.p_offset, held < there ? held : there, held, p.p_flags};
    }
    qsort(core->segments, core->segment_count, sizeof *core->segments, compare_segments);
    for (size_t i = 1; i < core->segment_count; i++)
        if (core->segments[i].start - core->segments[i - 1].start < core->segments[i - 1].size)
            return damaged(err, "segments of the core overlap");
    return core->segment_count ? 0 : damaged(err, "the core holds no memory");
}

/* ---- notes ---- */

/* NT_FILE: how many, the unit of offsets; start, end and offset of each; then the paths. */
static int read_files(struct core *core, const char *note, size_t size)
{
    uint64_t head[2], row[3];
    if (core->notes || size < sizeof head || !(core->notes = malloc(size + 1)))
        return 0;
    memcpy(core->notes, note, size);
    core->notes[size] = 0;
    memcpy(head, note, sizeof head);
    uint64_t count = head[0];
    if (count > FILES_MAX || count > (size - sizeof head) / sizeof row)
        return 0;
    core->mapped = calloc(count + 1, sizeof *core->mapped);
    if (!core->mapped)
        return -1;
    const char *path = core->notes + sizeof head + count * sizeof row;
    for (uint64_t i = 0; i < count && path < core->notes + size; i++, path += strlen(path) + 1) {
        memcpy(row, note + sizeof head + i * sizeof row, sizeof row);
        const struct mapped *before = core->mapped_count ? &core->mapped[core->mapped_count - 1] : NULL;
        if (row[0] < row[1] && (!before || before->end <= row[0]) && row[2] <= UINT64_MAX / 2 / (head[1] | 1))
            core->mapped[core->mapped_count++] = (struct mapped){row[0], row[1], row[2] * head[1], path, -1};
    }
    return 0;
}

static void read_process(struct core *core, const char *note, size_t size)
{
    struct elf_prpsinfo info;
    if (size < sizeof info)
        return;
    memcpy(&info, note, sizeof info);
    core->facts.pid = info.pr_pid > 0 ? (uint64_t)info.pr_pid : 0;
    memcpy(core->facts.command_line, info.pr_psargs, sizeof info.pr_psargs);
    size_t n = strnlen(core->facts.command_line, sizeof core->facts.command_line - 1);
    while (n && core->facts.command_line[n - 1] == ' ')
        core->facts.command_line[--n] = 0;
}

static void read_thread(struct core *core, const char *note, size_t size)
{
    struct elf_prstatus status;
    struct probe_thread *more = realloc(core->threads, (core->thread_count + 1) * sizeof *more);
    uint64_t *registers = malloc(sizeof status.pr_reg);
    if (more)
        core->threads = more;
    if (!more || !registers || size < sizeof status || core->thread_count == THREADS_MAX) {
        free(registers);
        return;
    }
    memcpy(&status, note, sizeof status);
    memcpy(registers, &status.pr_reg, sizeof status.pr_reg);
    core->threads[core->thread_count++] =
        thread_of((uint64_t)status.pr_pid, registers, sizeof status.pr_reg / sizeof *registers);
}

static int read_notes(struct core *core, Elf *elf)
{
    size_t count, at = 0, name, body;
    uint64_t allowed = core->size; /* of notes, which may overlap */
    if (elf_getphdrnum(elf, &count))
        return 0;
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr p;
        GElf_Nhdr note;
        if (!gelf_getphdr(elf, (int)i, &p) || p.p_type != PT_NOTE || p.p_offset > core->size)
            continue;
        uint64_t there = core->size - p.p_offset, size = p.p_filesz < there ? p.p_filesz : there;
        if (size > allowed)
            break;
        allowed -= size;
        Elf_Data *data =
            elf_getdata_rawchunk(elf, (int64_t)p.p_offset, size, p.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
        for (at = 0; data && (at = gelf_getnote(data, at, &note, &name, &body)) > 0;) {
            const char *desc = (const char *)data->d_buf + body;
            int is_core = note.n_namesz == 5 && !memcmp((const char *)data->d_buf + name, "CORE", 5);
            if (is_core && note.n_type == NT_FILE && read_files(core, desc, note.n_descsz))
                return -1;
            if (is_core && note.n_type == NT_PRPSINFO)
                read_process(core, desc, note.n_descsz);
            if (is_core && note.n_type == NT_PRSTATUS)
                read_thread(core, desc, note.n_descsz);
        }
    }
    return 0;
}

/* ---- what was mapped ---- */

/* gcore leaves out of the program headers what it leaves out of the core: files that were mapped and not written to.
 * The note has them. */
static int add_unlisted(struct core *core)
{
    size_t listed = core->segment_count;
    struct segment *all = realloc(core->segments, (2 * listed + core->mapped_count + 1) * sizeof *all);
    if (!all)
        return -1;
    core->segments = all;
    for (size_t i = 0, at = 0; i < core->mapped_count; i++) {
        const struct mapped *m = &core->mapped[i];
        uint64_t from = m->start;
        while (at < listed && all[at].start + all[at].size <= from)
            at++;
        /* Between the segments that lie in the file's stretch. */
        for (size_t next = at; from < m->end; next++) {
            uint64_t to = next < listed && all[next].start < m->end ? all[next].start : m->end;
            if (from < to)
                all[core->segment_count++] = (struct segment){from, to - from, 0, 0, 0, PF_R | PF_X};
            from = to < m->end ? all[next].start + all[next].size : m->end;
        }
    }
    qsort(all, core->segment_count, sizeof *all, compare_segments);
    return 0;
}

/* Writes the lines of /proc/PID/maps: segments, cut where files begin and end. */
static int write_maps(struct core *core, struct rh_error *err)
{
    core->maps = memfd_create("maps", MFD_CLOEXEC);
    FILE *f = core->maps < 0 ? NULL : fdopen(dup(core->maps), "w");
    if (!f)
        return error_set_os(err, errno, "cannot list what was mapped", "");
    for (size_t i = 0; i < core->segment_count; i++) {
        const struct segment *s = &core->segments[i];
        const struct mapped *m = mapped_at(core, s->start);
        uint64_t offset = m ? m->offset + (s->start - m->start) : 0;
        fprintf(f, "%" PRIx64 "-%" PRIx64 " %c%c%cp %08" PRIx64 " 00:00 %d %.*s\n", s->start, s->start + s->size,
                s->flags & PF_R ? 'r' : '-', s->flags & PF_W ? 'w' : '-', s->flags & PF_X ? 'x' : '-', offset,
                m != NULL, m ? PATH_SIZE : 0, m ? m->path : "");
    }
    if (fclose(f) || lseek(core->maps, 0, SEEK_SET))
        return error_set_os(err, errno, "cannot list what was mapped", "");
    return 0;
}

/* ---- files on disk ---- */

static int read_exactly(void *context, uint64_t address, void *to, size_t size)
{
    return core_read(context, address, to, size) == size ? 0 : -1;
}

/* Takes a file in place of a module, if it is the same build. */
static int take_disk(struct core *core, const char *file, const struct module_found *module)
{
    uint8_t id[MAPS_BUILD_ID_MAX];
    struct stat st;
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), taken = 0;
    if (fd < 0)
        return 0;
    if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0 && module->build_id_length &&
        symbols_build_id(fd, id) == module->build_id_length && !memcmp(id, module->build_id, module->build_id_length)) {
        void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        struct disk *more =
            map == MAP_FAILED ? NULL : realloc(core->disks, (core->disk_count + 1) * sizeof *core->disks);
        if (more) {
            core->disks = more;
            core->disks[core->disk_count] = (struct disk){strdup(file), map, (size_t)st.st_size};
            for (size_t i = 0; i < core->mapped_count; i++)
                if (!strcmp(core->mapped[i].path, module->path))
                    core->mapped[i].disk = (int)core->disk_count;
            core->disk_count++;
            taken = 1;
        } else if (map != MAP_FAILED) {
            munmap(map, (size_t)st.st_size);
        }
    }
    close(fd);
    return taken;
}

static void find_disk(void *context, const struct module_found *module)
{
    struct core *core = context;
    char path[2 * PATH_SIZE];
    if (core->disk_count == DISKS_MAX)
        return;
    if (core->options.executable && take_disk(core, core->options.executable, module)) {
        snprintf(core->facts.executable, sizeof core->facts.executable, "%s", module->path);
        return;
    }
    snprintf(path, sizeof path, "%s%s", core->options.sysroot ? core->options.sysroot : "", module->path);
    take_disk(core, path, module);
}

static int find_disks(struct core *core, struct rh_error *err)
{
    struct {
        struct maps_reader reader;
        struct module_found module;
        char buffer[MAPS_BUFFER_SIZE];
    } *scratch = malloc(sizeof *scratch);
    if (!scratch)
        return error_set(err, RH_ERR_NO_MEMORY, "not enough memory", "");
    maps_begin(&scratch->reader, core->maps, scratch->buffer);
    maps_modules(&scratch->reader, read_exactly, core, &scratch->module, find_disk, core);
    lseek(core->maps, 0, SEEK_SET);
    free(scratch);
    return 0;
}

/* ---- opening ---- */

static void count_memory(struct core *core)
{
    struct core_facts *f = &core->facts;
    for (size_t i = 0; i < core->segment_count; i++) {
        const struct segment *s = &core->segments[i];
        const uint8_t *from;
        f->expected += s->size;
        f->present += s->held;
        for (uint64_t at = s->written; at < s->size && !(s->flags & PF_W);) {
            size_t n = disk_bytes(core, s->start + at, (size_t)(s->size - at), &from);
            if (!n)
                break;
            f->from_files += n;
            at += n;
        }
    }
    f->present += f->from_files;
    if (!*f->executable && core->mapped_count)
        snprintf(f->executable, sizeof f->executable, "%s", core->mapped[0].path);
}

static int check_kind(Elf *elf, struct rh_error *err)
{
    GElf_Ehdr header;
    if (!elf || elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &header))
        return error_set(err, RH_ERR_FORMAT, "this is not an ELF file", "give the core that the kernel or gcore wrote");
    if (header.e_type != ET_CORE)
        return error_set(err, RH_ERR_FORMAT, "this is an ELF file, but not a core",
                         "give the core; the program goes with --exe");
    if (gelf_getclass(elf) != ELFCLASS64 || header.e_machine != MACHINE_HERE)
        return error_set(err, RH_ERR_UNSUPPORTED, "the core is of another kind of machine",
                         "read it with refheap on such a machine; 64-bit processes alone are known");
    return 0;
}

static int map_file(struct core *core, int fd, struct rh_error *err)
{
    struct stat st;
    if (fstat(fd, &st))
        return error_set_os(err, errno, "cannot examine it", "");
    if (!S_ISREG(st.st_mode) || !st.st_size)
        return error_set(err, RH_ERR_FORMAT, S_ISREG(st.st_mode) ? "the file is empty" : "it is not a regular file",
                         "write the core to a file first");
    void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
        return error_set_os(err, errno, "cannot map it", "");
    core->bytes = map;
    core->size = (size_t)st.st_size;
    return 0;
}

int core_open(const char *path, const struct core_options *options, struct core **out, struct rh_error *err)
{
    struct core *core = calloc(1, sizeof *core);
    *out = NULL;
    if (!core)
        return error_set(err, RH_ERR_NO_MEMORY, "not enough memory", "");
    core->source = (struct memory_source){.read = core_read, .view = core_view};
    core->options = *options;
    core->maps = -1;
    elf_version(EV_CURRENT);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    int status = fd < 0 ? error_set_os(err, errno, "cannot open it", "check the name and the permissions")
                        : map_file(core, fd, err);
    Elf *elf = status ? NULL : elf_begin(fd, ELF_C_READ_MMAP, NULL);
    if (!status)
        status = check_kind(elf, err);
    if (!status)
        status = read_segments(core, elf, err);
    if (!status && (read_notes(core, elf) || add_unlisted(core)))
        status = error_set(err, RH_ERR_NO_MEMORY, "not enough memory for the core's notes", "");
    elf_end(elf);
    if (fd >= 0)
        close(fd);
    if (!status)
        status = write_maps(core, err);
    if (!status)
        status = find_disks(core, err);
    if (status) {
        core_close(core);
        return status;
    }
    count_memory(core);
    *out = core;
    return 0;
}

void core_close(struct core *core)
{
    if (!core)
        return;
    for (size_t i = 0; i < core->thread_count; i++)
        free((void *)(uintptr_t)core->threads[i].registers);
    free(core->threads);
    for (size_t i = 0; i < core->disk_count; i++) {
        free(core->disks[i].path);
        munmap((void *)(uintptr_t)core->disks[i].bytes, core->disks[i].size);
    }
    if (core->bytes)
        munmap((void *)(uintptr_t)core->bytes, core->size);
    if (core->maps >= 0)
        close(core->maps);
    free(core->segments);
    free(core->mapped);
    free(core->disks);
    free(core->notes);
    free(core);
}

struct memory_source *core_memory(struct core *core)
{
    return &core->source;
}

const struct core_facts *core_facts(const struct core *core)
{
    return &core->facts;
}

int core_maps(const struct core *core)
{
    return core->maps;
}

const struct probe_thread *core_threads(const struct core *core, size_t *count)
{
    *count = core->thread_count;
    return core->threads;
}

const char *core_file_of(void *context, const char *path, char *to, size_t size)
{
    const struct core *core = context;
    (void)to, (void)size;
    for (size_t i = 0; i < core->mapped_count; i++)
        if (core->mapped[i].disk >= 0 && !strcmp(core->mapped[i].path, path))
            return core->disks[core->mapped[i].disk].path;
    return NULL;
}
