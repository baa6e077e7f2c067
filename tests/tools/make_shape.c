/* make_shape SHAPE OBJECTS PATH: the snapshot of a heap that is all of one kind, for what algorithms stumble over:
 *
 *   in       every object refers to the first        out      the first refers to every object, by as many references
 *   chain    each to the next, held at its head      ring     the same, and the last to the first: all garbage
 *   none     no references                           tail     a chain whose second half is also held from outside
 *   ends     a chain at both ends of the address space
 *   sparse   a chain with a mebibyte between one object and the next
 *   owner    a chain whose objects from the third on refer to the second, too, and of which the third is held as well: a list
 *            whose nodes know it, and an iterator
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../dumpfmt/sink.h"
#include "../../dumpfmt/writer.h"

static uint64_t objects;
static enum shape { IN, OUT, CHAIN, RING, NONE, TAIL, ENDS, SPARSE, OWNER, SHAPES } shape;
static const char *const names[SHAPES] = {"in", "out", "chain", "ring", "none", "tail", "ends", "sparse", "owner"};

static uint64_t address_of(uint64_t i)
{
    if (shape == SPARSE)
        return (i + 1) << 20;
    if (shape == ENDS && i >= objects / 2)
        return UINT64_MAX - 15 - 16 * (objects - 1 - i);
    return 16 * (i + 1);
}

static int is_held(uint64_t i)
{
    switch (shape) {
    case IN:
    case NONE:
        return 1;
    case RING:
        return 0;
    case TAIL:
        return i == 0 || i >= objects / 2;
    case OWNER:
        return i == 0 || i == 2;
    default:
        return i == 0;
    }
}

static uint64_t refcount_of(uint64_t i)
{
    uint64_t held = (uint64_t)is_held(i);
    switch (shape) {
    case IN:
        return held + (i == 0 ? objects : 0);
    case OUT:
        return held + 1;
    case NONE:
        return held;
    case RING:
        return 1;
    case OWNER:
        return held + (i == 1 ? objects - 1 : i > 0);
    default:
        return held + (i > 0);
    }
}

static void write_edge(struct writer *w, uint64_t to)
{
    writer_edge(w, address_of(to), EDGE_STRONG, LABEL_INDEX, to);
}

static void write_edges(struct writer *w, uint64_t i)
{
    if (shape == IN)
        write_edge(w, 0);
    for (uint64_t to = 0; shape == OUT && i == 0 && to < objects; to++)
        write_edge(w, to);
    if (shape == RING)
        write_edge(w, (i + 1) % objects);
    if (shape >= TAIL || shape == CHAIN)
        if (i + 1 < objects)
            write_edge(w, i + 1);
    if (shape == OWNER && i >= 2)
        write_edge(w, 1);
}

static void write_heap(struct writer *w)
{
    struct process_record process = {
        .pid = 1, .captured = CAPTURED_REQUEST, .writer = writer_string(w, "make_shape", 10, 100)};
    struct heap_record heap = {.runtime = writer_string(w, "librefheap", 10, 100), .collecting = -1};
    struct type_record type = {.name = writer_string(w, "node", 4, 100), .flags = TYPE_CONTAINER, .basic_size = 32};
    writer_record(w, SECTION_PROCESS, &process);
    writer_record(w, SECTION_HEAPS, &heap);
    for (uint32_t g = 0; g <= GENERATION_PERMANENT; g++) {
        struct generation_record r = {.generation = g, .threshold = 700};
        writer_record(w, SECTION_GENERATIONS, &r);
    }
    writer_record(w, SECTION_TYPES, &type);
}

int main(int argc, char **argv)
{
    struct sink_file *file = malloc(sizeof *file);
    void *memory = calloc(1, writer_memory_size());
    struct rh_error err;
    if (argc != 4 || !file || !memory)
        return 2;
    while (shape < SHAPES && strcmp(argv[1], names[shape]))
        shape++;
    objects = strtoull(argv[2], NULL, 10);
    if (shape == SHAPES || sink_file_open(file, argv[3], &err))
        return 2;
    struct writer_identity identity = {.time = writer_now()};
    memcpy(identity.uuid, "make_shape\0\0\0\0\0", 15);
    struct writer *w = writer_open(memory, &file->sink, &identity);
    write_heap(w);
    for (uint64_t i = 0; i < objects && !writer_status(w); i++) {
        struct writer_object row = {.address = address_of(i),
                                    .size = 32,
                                    .refcount = (int64_t)refcount_of(i),
                                    .state = 2 | STATE_CONTAINER,
                                    .serial = i + 1};
        writer_object(w, 0, &row);
        write_edges(w, i);
    }
    int status = writer_finish(w, &err);
    if (status)
        sink_file_abort(file);
    else
        status = sink_file_commit(file, &err);
    if (status)
        fprintf(stderr, "%s\n", err.what);
    free(memory);
    free(file);
    return status != 0;
}
