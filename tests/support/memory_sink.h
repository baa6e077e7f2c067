/* A sink that keeps what is written in memory, and can be told to fail. */
#ifndef TESTS_MEMORY_SINK_H
#define TESTS_MEMORY_SINK_H

#include "../../dumpfmt/sink.h"

struct memory_sink {
    struct sink sink;
    uint8_t *bytes; /* 8-aligned */
    size_t size, room;
    size_t fail_at; /* bytes after which a write fails with ENOSPC; 0 never */
    unsigned calls_after_failure;
    int failed;
};

void memory_sink_init(struct memory_sink *sink);
void memory_sink_release(struct memory_sink *sink);

/* Writes a snapshot that has every section the format names, edges of every kind and label, values of every kind, and
 * enough objects that edges cross blocks when `many` is set. Returns writer_finish()'s answer. */
int write_everything(struct sink *sink, int many);

#endif
