#include "process.h"

#include <errno.h>
#include <sys/uio.h>

/* What can be read with one call more; or -1 when the call is not to be had. */
static ssize_t read_directly(const struct process_memory *memory, const struct process_piece *pieces, size_t count)
{
    struct iovec to[PROCESS_PIECES], from[PROCESS_PIECES];
    for (size_t i = 0; i < count; i++) {
        to[i] = (struct iovec){pieces[i].to, pieces[i].size};
        from[i] = (struct iovec){(void *)(uintptr_t)pieces[i].address, pieces[i].size};
    }
    ssize_t n = process_vm_readv(memory->thread, to, count, from, count, 0);
    if (n < 0 && (errno == ENOSYS || errno == EPERM))
        return -1;
    return n < 0 ? 0 : n;
}

static size_t read_by_file(const struct process_memory *memory, const struct process_piece *pieces, size_t count)
{
    struct memory_descriptor file;
    size_t done = 0;
    memory_descriptor_init(&file, memory->fd);
    for (size_t i = 0; i < count; i++) {
        size_t n = file.source.read(&file.source, pieces[i].address, pieces[i].to, pieces[i].size);
        done += n;
        if (n < pieces[i].size)
            break;
    }
    return done;
}

size_t process_read_pieces(struct process_memory *memory, const struct process_piece *pieces, size_t count)
{
    ssize_t n = memory->by_file ? -1 : read_directly(memory, pieces, count);
    if (n >= 0)
        return (size_t)n;
    memory->by_file = 1;
    return read_by_file(memory, pieces, count);
}

static size_t process_read(struct memory_source *source, uint64_t address, void *to, size_t size)
{
    struct process_memory *memory = (struct process_memory *)source;
    size_t done = 0;
    /* A call ends early where memory does, and at the size the kernel takes at once. */
    while (done < size) {
        const struct process_piece rest = {address + done, size - done, (char *)to + done};
        size_t n = process_read_pieces(memory, &rest, 1);
        if (!n)
            break;
        done += n;
    }
    return done;
}

void process_memory_init(struct process_memory *memory, pid_t thread, int fd)
{
    *memory = (struct process_memory){.source = {.read = process_read}, .thread = thread, .fd = fd};
}
