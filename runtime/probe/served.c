#include "served.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../dumpfmt/error.h"

struct request {
    uint32_t kind, size;
    uint64_t address;
};

struct reply {
    uint32_t kind, size;
};

static int end(struct memory_served *memory, int error)
{
    memory->ended = error ? error : -1;
    return -1;
}

static int socket_of(const struct memory_served *memory)
{
    return getpid() == memory->owner ? memory->fd : memory->fd_of_child;
}

static int send_all(struct memory_served *memory, const void *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = send(socket_of(memory), (const char *)bytes + done, size - done, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return end(memory, errno);
        done += (size_t)n;
    }
    return 0;
}

static int receive_all(struct memory_served *memory, void *to, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = recv(socket_of(memory), (char *)to + done, size - done, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return end(memory, n ? errno : 0);
        done += (size_t)n;
    }
    return 0;
}

/* Sends a request, with `path` behind it unless that is NULL, and takes at most `room` bytes of reply. Returns how many
 * there were; 0 also when the stream has ended. */
static size_t ask(struct memory_served *memory, const struct request *request, const char *path, void *to, size_t room)
{
    struct reply reply;
    if (memory->ended || send_all(memory, request, sizeof *request) ||
        (path && send_all(memory, path, request->size)) || receive_all(memory, &reply, sizeof reply))
        return 0;
    if (reply.kind != request->kind || reply.size > room) {
        end(memory, 0);
        return 0;
    }
    return receive_all(memory, to, reply.size) ? 0 : reply.size;
}

static size_t served_read(struct memory_source *source, uint64_t address, void *to, size_t size)
{
    struct memory_served *memory = (struct memory_served *)source;
    size_t done = 0;
    while (done < size) {
        size_t want = size - done < SERVED_READ_MAX ? size - done : SERVED_READ_MAX;
        const struct request request = {SERVED_READ, (uint32_t)want, address + done};
        size_t n = ask(memory, &request, NULL, (char *)to + done, want);
        done += n;
        if (n < want)
            break;
    }
    return done;
}

void memory_served_init(struct memory_served *memory, int fd, int fd_of_child)
{
    *memory = (struct memory_served){
        .source = {.read = served_read, .is_slow = 1, .stays_here = fd_of_child < 0},
        .fd = fd,
        .fd_of_child = fd_of_child,
        .owner = getpid(),
    };
}

const char *served_file_of(void *context, const char *path, char *to, size_t size)
{
    size_t length = strlen(path);
    const struct request request = {SERVED_FILE, (uint32_t)length, 0};
    if (length > SERVED_PATH_MAX || !size)
        return NULL;
    size_t n = ask(context, &request, path, to, size - 1);
    to[n] = 0;
    return n && strlen(to) == n ? to : NULL;
}

int served_intact(void *context, struct rh_error *err)
{
    const struct memory_served *memory = context;
    if (!memory->ended)
        return 0;
    if (memory->ended > 0)
        return error_set_os(err, memory->ended, "the memory that is served over a socket cannot be read", "");
    return error_set(err, RH_ERR_IO, "whoever serves the memory has stopped, or does not keep to the protocol", "");
}
