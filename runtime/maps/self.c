#include "self.h"

#include "../../dumpfmt/rawsys.h"

static long read_file_of_memory(uint64_t address, void *to, size_t size)
{
    long fd = raw_openat(-100, "/proc/self/mem", O_RDONLY | O_CLOEXEC, 0), n;
    if (fd < 0)
        return fd;
    n = raw_pread((int)fd, to, size, address);
    raw_close((int)fd);
    return n;
}

size_t self_read_part(uint64_t address, void *to, size_t size)
{
    struct {
        void *base;
        size_t length;
    } local = {to, size}, remote = {(void *)(uintptr_t)address, size};
    long n = raw_syscall(SYS_process_vm_readv, raw_getpid(), (long)&local, 1, (long)&remote, 1, 0);
    if (n == -ENOSYS || n == -EPERM)
        n = read_file_of_memory(address, to, size);
    return n > 0 ? (size_t)n : 0;
}

int self_read(void *context, uint64_t address, void *to, size_t size)
{
    (void)context;
    return self_read_part(address, to, size) == size ? 0 : -1;
}

static uint32_t put_text(struct writer *w, const char *text)
{
    size_t n = 0;
    while (text[n])
        n++;
    return writer_string(w, text, n, SELF_TEXT_CAP);
}

/* Reads a small file of /proc whole, as far as it fits in the text; returns its length. */
static size_t read_small(struct self_scratch *s, const char *path)
{
    long fd = raw_openat(-100, path, O_RDONLY | O_CLOEXEC, 0), n;
    size_t used = 0;
    if (fd < 0)
        return 0;
    while (used < SELF_TEXT_CAP && (n = raw_read((int)fd, s->text + used, SELF_TEXT_CAP - used)) > 0)
        used += (size_t)n;
    raw_close((int)fd);
    return used;
}

static uint32_t put_command_line(struct writer *w, struct self_scratch *s)
{
    size_t n = read_small(s, "/proc/self/cmdline");
    while (n && !s->text[n - 1])
        n--;
    for (size_t i = 0; i < n; i++)
        if (!s->text[i])
            s->text[i] = ' ';
    return writer_string(w, s->text, n, SELF_TEXT_CAP);
}

void self_write_process(struct writer *w, struct self_scratch *s, const char *library, unsigned captured, int no_values)
{
    struct process_record r = {
        .pid = (uint64_t)raw_getpid(), .captured = (uint16_t)captured, .machine = MACHINE_HERE};
    r.writer = put_text(w, library);
    if (!no_values)
        r.command_line = put_command_line(w, s);
    long n = raw_syscall(SYS_readlinkat, -100, (long)"/proc/self/exe", (long)s->text, SELF_TEXT_CAP, 0, 0);
    if (n > 0)
        r.executable = writer_string(w, s->text, (size_t)n, SELF_TEXT_CAP);
    struct {
        char system[65], node[65], rest[4][65];
    } *name = (void *)s->text;
    if (raw_syscall(SYS_uname, (long)name, 0, 0, 0, 0, 0) == 0)
        r.host = put_text(w, name->node);
    writer_record(w, SECTION_PROCESS, &r);
}

struct module_writing {
    struct writer *writer;
    void (*also)(void *context, const struct module_found *module);
    void *context;
};

static void write_module(void *context, const struct module_found *found)
{
    const struct module_writing *writing = context;
    struct module_record r = {.base = found->base, .end = found->data_end, .build_id_length = found->build_id_length};
    r.path = put_text(writing->writer, found->path);
    __builtin_memcpy(r.build_id, found->build_id, found->build_id_length);
    writer_record(writing->writer, SECTION_MODULES, &r);
    if (writing->also)
        writing->also(writing->context, found);
}

void self_write_modules(struct writer *w, struct self_scratch *s,
                        void (*also)(void *context, const struct module_found *module), void *context)
{
    struct module_writing writing = {w, also, context};
    long fd = raw_openat(-100, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return;
    maps_begin(&s->maps, (int)fd, s->maps_buffer);
    maps_modules(&s->maps, self_read, NULL, &s->module, write_module, &writing);
    raw_close((int)fd);
}
