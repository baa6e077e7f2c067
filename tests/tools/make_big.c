/* make_big OBJECTS PATH [SEED]: writes the snapshot of a heap of any size, the same for the same seed, with 2.8
 * references an object. What real heaps have and algorithms stumble over is in it:
 *
 *   a tree in which everything alive hangs, one list a tenth as long as the heap (a million nodes at most), three hubs
 *   that a tenth of all objects refer to, targets by a power law otherwise; a third of the objects are atomic;
 * addresses that do not go up with the order of making; five in a hundred are garbage: objects that hold themselves,
 * pairs, rings of ten, dense clusters of eight.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../dumpfmt/sink.h"
#include "../../dumpfmt/writer.h"

enum { TYPES = 24, HUBS = 3, BLOCK = 4096, RING = 10, CLUSTER = 8 };

static uint64_t objects, alive, list_length, list_first, seed, blocks, stride;
static uint32_t *refcounts;

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t h = (a ^ seed) * 0x9e3779b97f4a7c15u + b * 0xd6e8feb86659fd93u;
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93u;
    return h ^ h >> 29;
}

/* Blocks of objects lie in an order of their own. */
static uint64_t address_of(uint64_t i)
{
    uint64_t block = i / BLOCK * stride % blocks;
    return 0x7f0000000000 + (block * BLOCK + i % BLOCK) * 64;
}

static int is_atomic(uint64_t i)
{
    return i < alive && 3 * i + 1 >= alive && mix(i, 1) % 2 == 0 && (i < list_first || i >= list_first + list_length);
}

/* A target alive: the earlier, the likelier. */
static uint64_t popular(uint64_t i, uint64_t turn)
{
    double u = (double)(mix(i, turn) >> 11) * 0x1p-53;
    return (uint64_t)((double)alive * u * u * u);
}

static uint64_t first_of_group(uint64_t i, unsigned size)
{
    return alive + (i - alive) / size * size;
}

typedef void (*each_edge)(uint64_t to, void *context);

static void garbage_edges(uint64_t i, each_edge edge, void *context)
{
    uint64_t at = i - alive, quarter = (objects - alive) / 4 / 40 * 40;
    if (at < quarter) { /* holds itself */
        edge(i, context);
    } else if (at < 2 * quarter) {
        edge(alive + (at ^ 1), context);
    } else if (at < 3 * quarter) {
        uint64_t first = first_of_group(i, RING);
        edge(i + 1 < first + RING ? i + 1 : first, context);
    } else {
        uint64_t first = first_of_group(i, CLUSTER), size = objects - first < CLUSTER ? objects - first : CLUSTER;
        for (uint64_t k = 1; k < size && k <= 4; k++)
            edge(first + (i - first + k) % size, context);
        if (size == 1)
            edge(i, context);
    }
    if (mix(i, 9) % 2)
        edge(popular(i, 10), context);
}

static void each_edge_of(uint64_t i, each_edge edge, void *context)
{
    if (i >= alive) {
        garbage_edges(i, edge, context);
        return;
    }
    for (uint64_t child = 3 * i + 1; child <= 3 * i + 3 && child < alive; child++)
        edge(child, context);
    if (is_atomic(i))
        return;
    if (i >= list_first && i + 1 < list_first + list_length)
        edge(i + 1, context);
    for (unsigned hub = 0; hub < HUBS; hub++)
        if (mix(i, 2 + hub) % 7 == 0)
            edge(hub, context);
    for (unsigned turn = 0; turn < 4; turn++)
        if (mix(i, 5 + turn) % 8 < 4)
            edge(popular(i, 20 + turn), context);
}

static void count_edge(uint64_t to, void *unused)
{
    (void)unused;
    refcounts[to]++;
}

static void write_edge(uint64_t to, void *w)
{
    writer_edge(w, address_of(to), EDGE_STRONG, LABEL_FIELD, to & 1);
}

static unsigned generation_of(uint64_t i)
{
    uint64_t roll = mix(i, 30) % 20;
    return roll == 0 ? 0 : roll == 1 ? 1 : 2;
}

static void write_heap(struct writer *w)
{
    struct heap_record heap = {.runtime = writer_string(w, "librefheap", 10, 100), .collecting = -1};
    writer_record(w, SECTION_HEAPS, &heap);
    for (uint32_t g = 0; g <= GENERATION_PERMANENT; g++) {
        struct generation_record r = {.generation = g, .threshold = 700};
        writer_record(w, SECTION_GENERATIONS, &r);
    }
    for (uint32_t t = 0; t < TYPES; t++) {
        char name[32];
        int n = snprintf(name, sizeof name, "Type%02u", t);
        struct type_record r = {.id = t,
                                .name = writer_string(w, name, (size_t)n, 100),
                                .flags = TYPE_CONTAINER,
                                .basic_size = 48,
                                .fields = 2};
        for (uint32_t f = 0; f < 2; f++) {
            struct field_record field = {.type = t,
                                         .number = f,
                                         .name = writer_string(w, f ? "right" : "left", f ? 5 : 4, 100),
                                         .kind = FIELD_STRONG,
                                         .offset = 32 + 8 * f};
            writer_record(w, SECTION_FIELDS, &field);
        }
        writer_record(w, SECTION_TYPES, &r);
    }
}

static void write_object(struct writer *w, uint64_t i)
{
    int atomic = is_atomic(i);
    struct writer_object row = {.address = address_of(i),
                                .size = 48 + mix(i, 31) % 5 * 16,
                                .type = (uint32_t)(mix(i, 32) % TYPES * (mix(i, 33) % TYPES) / TYPES),
                                .refcount = (int64_t)refcounts[i],
                                .serial = i + 1};
    row.state = atomic ? GENERATION_UNTRACKED : generation_of(i) | STATE_CONTAINER;
    if (i < alive && (i < HUBS || mix(i, 34) % 1000 == 0))
        row.refcount++; /* held from elsewhere */
    writer_object(w, 0, &row);
    each_edge_of(i, write_edge, w);
}

int main(int argc, char **argv)
{
    struct sink_file *file = malloc(sizeof *file);
    void *memory = calloc(1, writer_memory_size());
    struct rh_error err;
    if (argc < 3 || !file || !memory)
        return 2;
    objects = strtoull(argv[1], NULL, 10);
    seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    alive = (objects - objects / 20) & ~UINT64_C(1);
    list_length = objects / 10 < 1000000 ? objects / 10 : 1000000;
    list_first = alive / 3;
    blocks = (objects + BLOCK - 1) / BLOCK;
    for (stride = blocks / 3 * 2 + 1; stride > 1 && blocks % stride == 0;)
        stride--;
    while (stride > 1) { /* until it and the number of blocks have no factor in common */
        uint64_t a = blocks, b = stride;
        while (b) {
            uint64_t rest = a % b;
            a = b;
            b = rest;
        }
        if (a == 1)
            break;
        stride--;
    }
    refcounts = calloc(objects + 1, sizeof *refcounts);
    if (!refcounts)
        return 2;
    for (uint64_t i = 0; i < objects; i++)
        each_edge_of(i, count_edge, NULL);
    if (sink_file_open(file, argv[2], &err)) {
        fprintf(stderr, "%s\n", err.what);
        return 1;
    }
    struct writer_identity identity = {.time = writer_now()};
    memcpy(identity.uuid, "make_big\0\0\0\0\0\0\0", 15);
    struct writer *w = writer_open(memory, &file->sink, &identity);
    struct process_record process = {
        .pid = 1, .captured = CAPTURED_REQUEST, .writer = writer_string(w, "make_big", 8, 100)};
    writer_record(w, SECTION_PROCESS, &process);
    write_heap(w);
    for (uint64_t i = 0; i < objects && !writer_status(w); i++)
        write_object(w, i);
    int status = writer_finish(w, &err);
    if (status)
        sink_file_abort(file);
    else
        status = sink_file_commit(file, &err);
    if (status)
        fprintf(stderr, "%s\n", err.what);
    free(refcounts);
    free(memory);
    free(file);
    return status != 0;
}
