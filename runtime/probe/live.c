#include "live.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../dumpfmt/error.h"
#include "copy.h"
#include "stopped.h"

struct live {
    struct stopped *stopped;
    struct copy *copy;
    struct process_memory memory;
    uint64_t bytes;
    int held, maps;
};

int live_open(pid_t pid, uint64_t copy_at_most, struct live **out, struct rh_error *err)
{
    struct live *live = calloc(1, sizeof *live);
    *out = NULL;
    if (!live)
        return error_set(err, RH_ERR_NO_MEMORY, "not enough memory", "");
    int status = copy_prepare(pid, copy_at_most, &live->copy, err);
    if (!status)
        status = stopped_begin(pid, &live->stopped, err);
    if (status) {
        live_close(live);
        return status;
    }
    const struct stopped *s = live->stopped;
    process_memory_init(&live->memory, stopped_thread(s), stopped_memory(s));
    live->held = !copy_take(live->copy, &live->memory, stopped_maps(s), stopped_pagemap(s));
    live->bytes = copy_bytes(live->copy);
    if (live->held) {
        copy_release(live->copy);
        live->copy = NULL;
        live->maps = stopped_maps(s);
        lseek(live->maps, 0, SEEK_SET);
    } else {
        stopped_resume(live->stopped);
        live->maps = copy_maps(live->copy);
    }
    *out = live;
    return 0;
}

void live_close(struct live *live)
{
    if (!live)
        return;
    stopped_end(live->stopped);
    copy_release(live->copy);
    free(live);
}

struct memory_source *live_memory(struct live *live)
{
    return live->held ? &live->memory.source : copy_memory(live->copy);
}

int live_maps(const struct live *live)
{
    return live->maps;
}

const struct probe_thread *live_threads(const struct live *live, size_t *count)
{
    return stopped_threads(live->stopped, count);
}

int live_is_held(const struct live *live)
{
    return live->held;
}

uint64_t live_bytes(const struct live *live)
{
    return live->bytes;
}

const char *live_file_of(void *context, const char *path, char *to, size_t size)
{
    const struct live *live = context;
    int root = stopped_root(live->stopped);
    int n = root < 0 ? -1 : snprintf(to, size, "/proc/self/fd/%d%s", root, path);
    return n > 0 && (size_t)n < size ? to : NULL;
}
