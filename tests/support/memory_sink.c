#include "memory_sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../dumpfmt/writer.h"

static int memory_write(struct sink *sink, const void *bytes, size_t size)
{
    struct memory_sink *m = (struct memory_sink *)sink;
    m->calls_after_failure += (unsigned)m->failed;
    if (m->fail_at && m->size + size > m->fail_at) {
        m->failed = 1;
        return -ENOSPC;
    }
    if (m->size + size > m->room) {
        m->room = 2 * (m->size + size);
        m->bytes = realloc(m->bytes, m->room);
    }
    memcpy(m->bytes + m->size, bytes, size);
    m->size += size;
    return 0;
}

void memory_sink_init(struct memory_sink *m)
{
    memset(m, 0, sizeof *m);
    m->sink.write = memory_write;
}

void memory_sink_release(struct memory_sink *m)
{
    free(m->bytes);
}

enum { FIRST = 0x1000, STEP = 0x20 };

static uint32_t text(struct writer *w, const char *s)
{
    return writer_string(w, s, strlen(s), 64);
}

static void write_tables(struct writer *w)
{
    struct process_record process = {.pid = 42,
                                     .command_line = text(w, "prog --flag"),
                                     .executable = text(w, "/bin/prog"),
                                     .captured = CAPTURED_SIGNAL,
                                     .writer = text(w, "test"),
                                     .host = text(w, "host")};
    struct module_record module = {
        .base = 0x400000, .end = 0x500000, .path = text(w, "/bin/prog"), .build_id_length = 3, .build_id = {1, 2, 3}};
    struct thread_record thread = {.tid = 7, .name = text(w, "main"), .stack_low = 0x7000, .stack_high = 0x8000};
    struct frame_record frame = {.function = text(w, "main"), .file = text(w, "main.c"), .line = 10, .pc = 0x400100};
    struct site_record outer = {.caller = FORMAT_NONE,
                                .function = text(w, "main"),
                                .file = text(w, "main.c"),
                                .line = 1,
                                .module = 0,
                                .address = 0x400010};
    struct site_record inner = {.caller = 0, .function = text(w, "make"), .line = 2, .module = FORMAT_NONE};
    struct diagnostic_record note = {.severity = SEVERITY_NOTE, .text = text(w, "all is well"), .heap = FORMAT_NONE};
    writer_record(w, SECTION_PROCESS, &process);
    writer_record(w, SECTION_MODULES, &module);
    writer_record(w, SECTION_THREADS, &thread);
    writer_record(w, SECTION_FRAMES, &frame);
    writer_record(w, SECTION_SITES, &outer);
    writer_record(w, SECTION_SITES, &inner);
    writer_record(w, SECTION_DIAGNOSTICS, &note);
    for (uint32_t h = 0; h < 2; h++) {
        struct heap_record heap = {.id = h,
                                   .runtime = text(w, "test"),
                                   .version = text(w, "1"),
                                   .name = text(w, "heap"),
                                   .flags = HEAP_ENABLED,
                                   .collecting = -1,
                                   .address = 0x9000 + h};
        writer_record(w, SECTION_HEAPS, &heap);
        for (uint32_t g = 0; g < 4; g++) {
            struct generation_record gen = {.heap = h, .generation = g, .threshold = 700, .objects = 3};
            writer_record(w, SECTION_GENERATIONS, &gen);
        }
    }
    struct type_record list = {.id = 0,
                               .name = text(w, "list"),
                               .module = text(w, "builtins"),
                               .flags = TYPE_CONTAINER,
                               .basic_size = 40,
                               .item_size = 8,
                               .heap = FORMAT_NONE,
                               .fields = 2};
    struct type_record old = {.id = 1,
                              .name = text(w, "relic"),
                              .flags = TYPE_CONTAINER | TYPE_LEGACY_FINALIZER,
                              .basic_size = 48,
                              .heap = 0};
    struct field_record first = {.type = 0, .number = 0, .name = text(w, "next"), .kind = FIELD_STRONG, .offset = 32};
    struct field_record second = {.type = 0, .number = 1, .name = text(w, "items"), .kind = FIELD_ARRAY, .offset = 40};
    writer_record(w, SECTION_TYPES, &list);
    writer_record(w, SECTION_TYPES, &old);
    writer_record(w, SECTION_TYPES, &list); /* an id may be defined again, with the same contents */
    writer_record(w, SECTION_FIELDS, &first);
    writer_record(w, SECTION_FIELDS, &second);
}

static void write_values(struct writer *w)
{
    int64_t number = -5;
    double real = 2.5;
    writer_value(w, FIRST, VALUE_NONE, "", 0, 0);
    writer_value(w, FIRST + STEP, VALUE_BOOL, "\1", 1, 1);
    writer_value(w, FIRST + 2 * STEP, VALUE_INTEGER, &number, 8, 8);
    writer_value(w, FIRST + 3 * STEP, VALUE_LARGE_INTEGER, "-0xabc", 6, 6);
    writer_value(w, FIRST + 4 * STEP, VALUE_FLOAT, &real, 8, 8);
    writer_value(w, FIRST + 5 * STEP, VALUE_TEXT, "capped", 6, 600);
    writer_value(w, FIRST + 6 * STEP, VALUE_BYTES, "\0\xff", 2, 2);
    writer_value(w, FIRST + 7 * STEP, VALUE_NAME, "peer", 4, 4);
}

static void write_object_edges(struct writer *w, uint64_t n, uint64_t count)
{
    uint64_t next = FIRST + (n + 1) % count * STEP, other = FIRST + n * 7 % count * STEP;
    writer_edge(w, next, EDGE_STRONG, LABEL_FIELD, 0);
    writer_edge(w, other, EDGE_COUNTED, LABEL_INDEX, n);
    if (n % 3 == 0)
        writer_edge(w, other, EDGE_WEAK, LABEL_NONE, 0);
    if (n % 3 == 1)
        writer_edge(w, next, EDGE_STRONG | EDGE_INFERRED, LABEL_KEY, other);
    if (n % 5 == 0) {
        writer_edge(w, other, 0, LABEL_STRING, text(w, "label"));
        writer_edge(w, other, EDGE_STRONG, LABEL_ELEMENT, UINT64_C(1) << LABEL_ELEMENT_SHIFT | n);
        writer_edge(w, 0xdead0000 + n * 8, EDGE_STRONG, LABEL_IS_KEY, 0); /* dangles */
    }
}

int write_everything(struct sink *sink, int many)
{
    struct writer_identity identity = {.uuid = {1, 2, 3, 4}, .time = 1234567890};
    uint64_t count = many ? 60000 : 12;
    void *memory = calloc(1, writer_memory_size());
    struct writer *w = writer_open(memory, sink, &identity);
    struct rh_error err;
    write_tables(w);
    for (uint64_t n = 0; n < count; n++) {
        struct writer_object object = {
            .address = FIRST + n * STEP,
            .size = n % 11 == 10 ? UINT64_C(5) << 32 : 40 + n % 7,
            .refcount = n % 4 == 3 ? -2 : (int64_t)(n % 9 == 8 ? UINT64_C(1) << 40 : 1 + n % 3),
            .type = (uint32_t)(n % 2),
            .state = (uint32_t)(n % 5) | STATE_CONTAINER | (n % 6 == 5 ? STATE_IMMORTAL : 0),
            .serial = n % 2 ? n : 0,
            .site = n % 3,
            .used = n,
            .capacity = 2 * n,
            .hash = n * 31,
        };
        writer_object(w, n < count / 2 ? 0 : 1, &object);
        write_object_edges(w, n, count);
    }
    struct root_record root = {.object = FIRST,
                               .where = 0x600000,
                               .name = text(w, "root"),
                               .module = 0,
                               .thread = 0,
                               .frame = 0,
                               .kind = ROOT_DECLARED,
                               .flags = ROOT_EXACT | ROOT_COUNTED};
    writer_record(w, SECTION_ROOTS, &root);
    write_values(w);
    int status = writer_finish(w, &err);
    free(memory);
    return status;
}
