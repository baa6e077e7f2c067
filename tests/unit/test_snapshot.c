/* Reader and writer: round trip, and every section truncated, flipped and enlarged in turn. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../analyzer/graph/cycles.h"
#include "../../analyzer/graph/graph.h"
#include "../../analyzer/graph/roots.h"
#include "../../dumpfmt/crc32c.h"
#include "../../dumpfmt/pack.h"
#include "../../dumpfmt/snapshot.h"
#include "../support/memory_sink.h"

/* ---- looking at everything ---- */

static uint64_t look;

/* Reads all there is to read, so that a view out of bounds is one the sanitizer sees. */
static void look_at_everything(const struct snapshot *s)
{
    struct graph g;
    struct rh_error err;
    struct value_cursor values = {0};
    for (const struct value_record *r; (r = snapshot_next_value(s, &values));)
        for (uint32_t i = 0; i < r->kept; i++)
            look += ((const uint8_t *)(r + 1))[i];
    for (uint32_t id = 0; id < 1000; id++) {
        struct text t = snapshot_string(s, id);
        for (size_t i = 0; i < t.length; i++)
            look += (uint8_t)t.bytes[i];
    }
    for (uint32_t type = 0; type < snapshot_type_limit(s); type++)
        for (uint32_t field = 0; field < 4; field++)
            look += snapshot_field(s, type, field) ? snapshot_field(s, type, field)->offset : 0;
    if (graph_build(s, &g, &err))
        return;
    struct roots roots;
    struct garbage garbage;
    struct components components;
    struct dominators dominators;
    assert_int_equal(roots_find(&g, &roots), 0);
    assert_int_equal(garbage_find(&g, 2, &garbage), 0);
    assert_int_equal(
        components_find(&g, garbage.fate, 1 << FATE_GARBAGE | 1 << FATE_INVISIBLE, 1 << FATE_DEPENDENT, &components),
        0);
    uint64_t *retained = calloc((size_t)components.count + 1, sizeof *retained);
    assert_int_equal(dominators_build(&g, &garbage, &components, NULL, &dominators), 0);
    assert_int_equal(dominators_of_cycles(&g, &garbage, &components, retained), 0);
    free(retained);
    for (ordinal o = 0; o < g.objects; o++) {
        look += dominators.retained[o];
        for (uint64_t e = g.edge_start[o]; e < g.edge_start[o + 1]; e++) {
            struct edge edge;
            graph_edge(&g, o, e, &edge);
            look += edge.label;
        }
    }
    dominators_release(&dominators);
    components_release(&components);
    garbage_release(&garbage);
    roots_release(&roots);
    graph_release(&g);
}

/* What the analyzer may say of bytes: fine, or an error with section and offset. */
static int judge(const uint8_t *bytes, size_t size, int salvage)
{
    struct snapshot_options options = {.salvage = salvage};
    struct rh_error err = {0};
    struct snapshot *s;
    int status = snapshot_open_memory(bytes, size, &options, &s, &err);
    if (status) {
        assert_true(status == RH_ERR_FORMAT || status == RH_ERR_UNSUPPORTED);
        assert_true(err.what[0] != 0);
        assert_true(size == 0 || err.has_offset);
        assert_true(size == 0 || err.section[0] != 0);
        assert_null(s);
        return status;
    }
    look_at_everything(s);
    snapshot_close(s);
    return 0;
}

/* ---- blocks of a file in memory ---- */

struct bytes {
    uint8_t *at;
    size_t size;
};

static struct bytes copy_of(const struct memory_sink *m)
{
    struct bytes b = {malloc(m->size + 4096), m->size};
    memcpy(b.at, m->bytes, m->size);
    return b;
}

static struct block_header *block_at(struct bytes *b, size_t offset)
{
    return (struct block_header *)(b->at + offset);
}

static size_t block_end(struct bytes *b, size_t offset)
{
    return offset + sizeof(struct block_header) + pad8(block_at(b, offset)->stored_length);
}

/* Makes checksums right again after a change: what the reader says then is about the contents. */
static void fix_checksums(struct bytes *b)
{
    struct file_header *h = (struct file_header *)b->at;
    h->crc = crc32c(0, h, offsetof(struct file_header, crc));
    uint32_t crcs = crc32c(0, &h->crc, sizeof h->crc);
    for (size_t at = sizeof *h; at + sizeof(struct block_header) <= b->size;) {
        struct block_header *block = block_at(b, at);
        size_t end = block_end(b, at);
        if (block->magic != BLOCK_MAGIC || end > b->size || end <= at)
            return;
        if (block->section == SECTION_TRAILER && block->stored_length == sizeof(struct trailer_record))
            ((struct trailer_record *)(block + 1))->crc_of_crcs = crcs;
        block->crc = 0;
        block->crc = crc32c(crc32c(0, h->uuid, 16), block, end - at);
        crcs = crc32c(crcs, &block->crc, sizeof block->crc);
        at = end;
    }
}

/* ---- tests ---- */

static struct memory_sink small;

static int make_small(void **state)
{
    (void)state;
    memory_sink_init(&small);
    return write_everything(&small.sink, 0);
}

static int drop_small(void **state)
{
    (void)state;
    memory_sink_release(&small);
    return 0;
}

static void snapshot__reads_back_what_was_written(void **state)
{
    struct memory_sink m;
    struct snapshot *s;
    struct rh_error err;
    struct graph g;
    (void)state;
    memory_sink_init(&m);
    assert_int_equal(write_everything(&m.sink, 1), 0);
    assert_int_equal(snapshot_open_memory(m.bytes, m.size, NULL, &s, &err), 0);
    assert_true(snapshot_complete(s));
    assert_int_equal(snapshot_count(s, SECTION_OBJECTS), 60000);
    assert_true(snapshot_block_count(s, SECTION_OBJECTS) > 2);
    assert_true(snapshot_block_count(s, SECTION_EDGES) > 2);
    assert_int_equal(snapshot_process(s)->pid, 42);
    assert_int_equal(graph_build(s, &g, &err), 0);
    assert_int_equal(g.objects, 60000);
    assert_int_equal(g.dangling, 12000);
    assert_int_equal(graph_refcount(&g, 3), -2);
    assert_int_equal(graph_refcount(&g, 8), INT64_C(1) << 40);
    assert_int_equal(graph_size(&g, 10), UINT64_C(5) << 32);
    struct edge edge;
    graph_edge(&g, 55555, g.edge_start[55555] + 1, &edge);
    assert_int_equal(edge.kind, LABEL_INDEX);
    assert_int_equal(edge.label, 55555);
    assert_int_equal(edge.bits, EDGE_COUNTED);
    graph_release(&g);
    snapshot_close(s);
    memory_sink_release(&m);
}

static void snapshot__packed_says_the_same(void **state)
{
    struct memory_sink m, packed;
    struct snapshot *s, *p;
    struct graph a, b;
    struct rh_error err;
    (void)state;
    memory_sink_init(&m);
    memory_sink_init(&packed);
    write_everything(&m.sink, 1);
    assert_int_equal(snapshot_open_memory(m.bytes, m.size, NULL, &s, &err), 0);
    assert_int_equal(snapshot_pack(s, 3, &packed.sink, &err), 0);
    assert_true(packed.size < m.size / 2);
    assert_int_equal(snapshot_open_memory(packed.bytes, packed.size, NULL, &p, &err), 0);
    assert_int_equal(graph_build(s, &a, &err), 0);
    assert_int_equal(graph_build(p, &b, &err), 0);
    assert_int_equal(a.edges, b.edges);
    assert_memory_equal(a.target, b.target, a.edges * sizeof *a.target);
    assert_memory_equal(a.info, b.info, a.edges);
    assert_int_equal(a.size.width, b.size.width);
    assert_memory_equal(a.size.data, b.size.data, a.objects * a.size.width);
    graph_release(&a);
    graph_release(&b);
    snapshot_close(s);
    snapshot_close(p);
    memory_sink_release(&m);
    memory_sink_release(&packed);
}

static void writer__reports_the_first_failure_and_stops(void **state)
{
    (void)state;
    for (size_t at = 1; at < small.size; at += 97) {
        struct memory_sink m;
        memory_sink_init(&m);
        m.fail_at = at;
        assert_int_equal(write_everything(&m.sink, 0), RH_ERR_IO);
        assert_int_equal(m.calls_after_failure, 0);
        memory_sink_release(&m);
    }
}

static void snapshot__rejects_every_truncation(void **state)
{
    (void)state;
    for (size_t size = 0; size < small.size; size++) {
        struct bytes b = copy_of(&small);
        assert_int_equal(judge(b.at, size, 0), RH_ERR_FORMAT);
        if (size >= sizeof(struct file_header))
            judge(b.at, size, 1);
        free(b.at);
    }
}

static void snapshot__rejects_every_flipped_bit(void **state)
{
    struct bytes b = copy_of(&small);
    (void)state;
    for (size_t at = 0; at < small.size; at++)
        for (int bit = 0; bit < 8; bit++) {
            b.at[at] ^= (uint8_t)(1 << bit);
            assert_int_not_equal(judge(b.at, b.size, 0), 0);
            if (bit == 0 && at % 3 == 0)
                judge(b.at, b.size, 1);
            b.at[at] ^= (uint8_t)(1 << bit);
        }
    free(b.at);
}

/* With the checksums made right, a change may be a different snapshot or a bad one, and never more than that. */
static void snapshot__survives_every_changed_byte(void **state)
{
    static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    (void)state;
    for (size_t at = 0; at < small.size; at++)
        for (size_t v = 0; v < sizeof values; v++) {
            struct bytes b = copy_of(&small);
            b.at[at] = values[v];
            fix_checksums(&b);
            judge(b.at, b.size, 0);
            judge(b.at, b.size, 1);
            free(b.at);
        }
}

/* Every length and count of every block, and of the trailer, made too large. */
static void snapshot__rejects_enlarged_lengths_and_counts(void **state)
{
    static const uint64_t more[] = {1, 8, 1 << 16, (1 << 20) + 1, UINT32_MAX};
    (void)state;
    for (size_t at = sizeof(struct file_header); at < small.size;) {
        struct bytes original = copy_of(&small);
        size_t next = block_end(&original, at);
        for (size_t m = 0; m < sizeof more / sizeof *more; m++)
            for (int field = 0; field < 4; field++) {
                struct bytes b = copy_of(&small);
                struct block_header *h = block_at(&b, at);
                if (field == 0)
                    h->raw_length += (uint32_t)more[m];
                if (field == 1)
                    h->stored_length += (uint32_t)more[m];
                if (field == 2)
                    h->count += (uint32_t)more[m];
                if (field == 3)
                    h->first += more[m];
                fix_checksums(&b);
                assert_int_not_equal(judge(b.at, b.size, 0), 0);
                judge(b.at, b.size, 1);
                free(b.at);
            }
        free(original.at);
        at = next;
    }
}

static void snapshot__rejects_bytes_behind_the_trailer(void **state)
{
    struct bytes b = copy_of(&small);
    (void)state;
    memset(b.at + b.size, 0, 8);
    assert_int_equal(judge(b.at, b.size + 8, 0), RH_ERR_FORMAT);
    free(b.at);
}

static void snapshot__rejects_other_versions_and_files(void **state)
{
    struct bytes b = copy_of(&small);
    struct file_header *h = (struct file_header *)b.at;
    (void)state;
    for (uint16_t major = 0; major < 9; major++) {
        h->major = major;
        fix_checksums(&b);
        assert_int_equal(judge(b.at, b.size, 0), major == FORMAT_MAJOR ? 0 : RH_ERR_UNSUPPORTED);
    }
    memcpy(b.at,
           "\x7f"
           "ELF",
           4);
    assert_int_equal(judge(b.at, b.size, 0), RH_ERR_FORMAT);
    free(b.at);
}

static void snapshot__reads_later_minor_versions(void **state)
{
    struct bytes b = copy_of(&small);
    struct file_header *h = (struct file_header *)b.at;
    (void)state;
    for (unsigned minor = 0; minor < 3; minor++) {
        h->minor = (uint16_t)(minor == 2 ? 65535 : minor);
        fix_checksums(&b);
        assert_int_equal(judge(b.at, b.size, 0), 0);
    }
    free(b.at);
}

/* Sections this program does not know: skipped when they may be, refused when not. */
static void snapshot__treats_unknown_sections_by_their_critical_bit(void **state)
{
    (void)state;
    for (int critical = 0; critical < 2; critical++) {
        struct bytes b = copy_of(&small);
        for (size_t at = sizeof(struct file_header); at < b.size; at = block_end(&b, at)) {
            struct block_header *h = block_at(&b, at);
            if (h->section == SECTION_DIAGNOSTICS) {
                h->section = critical ? 99 : 40000;
                h->flags = (uint16_t)critical;
            }
            if (h->section == SECTION_TRAILER)
                ((struct trailer_record *)(h + 1))->totals[SECTION_DIAGNOSTICS] = 0;
        }
        fix_checksums(&b);
        assert_int_equal(judge(b.at, b.size, 0), critical ? RH_ERR_UNSUPPORTED : 0);
        free(b.at);
    }
}

/* A file made of false beginnings must not cost its size squared. */
static void snapshot__salvages_hostile_files_in_linear_time(void **state)
{
    size_t size = 8 << 20;
    uint8_t *bytes = calloc(1, size);
    (void)state;
    memcpy(bytes, small.bytes, sizeof(struct file_header));
    for (size_t at = sizeof(struct file_header); at + sizeof(struct block_header) < size; at += 8)
        memcpy(bytes + at, "RHBK\1\0\0\0", 8);
    for (size_t at = sizeof(struct file_header); at + 2 * sizeof(struct block_header) < size; at += 40)
        *(struct block_header *)(bytes + at) = (struct block_header){
            .magic = BLOCK_MAGIC, .section = 2, .raw_length = 1 << 20, .stored_length = 1 << 20, .count = 1};
    struct timespec before, after;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    judge(bytes, size, 1);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    /* 8 MiB squared would take hours; this is a bound against that, not a timing. */
    assert_true(after.tv_sec - before.tv_sec < 60);
    free(bytes);
}

static void salvage__keeps_what_is_whole(void **state)
{
    struct memory_sink m;
    struct snapshot *s;
    struct rh_error err;
    struct graph g;
    struct snapshot_options options = {.salvage = 1};
    (void)state;
    memory_sink_init(&m);
    write_everything(&m.sink, 1);
    struct bytes b = copy_of(&m);
    size_t at = sizeof(struct file_header);
    for (int edges = 0; edges < 2; at = block_end(&b, at))
        edges += block_at(&b, at)->section == SECTION_EDGES;
    b.at[at - 100] ^= 1; /* in the second block of edges */
    assert_int_not_equal(snapshot_open_memory(b.at, b.size, NULL, &s, &err), 0);
    assert_int_equal(snapshot_open_memory(b.at, b.size, &options, &s, &err), 0);
    assert_false(snapshot_complete(s));
    assert_true(snapshot_damage(s)[0] != 0);
    assert_int_equal(snapshot_count(s, SECTION_OBJECTS), 60000);
    assert_int_equal(graph_build(s, &g, &err), 0);
    assert_true(g.incomplete > 0 && g.incomplete < 60000);
    assert_true(g.edges == snapshot_count(s, SECTION_EDGES));
    graph_release(&g);
    snapshot_close(s);
    free(b.at);
    memory_sink_release(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(snapshot__reads_back_what_was_written),
        cmocka_unit_test(snapshot__packed_says_the_same),
        cmocka_unit_test(writer__reports_the_first_failure_and_stops),
        cmocka_unit_test(snapshot__rejects_every_truncation),
        cmocka_unit_test(snapshot__rejects_every_flipped_bit),
        cmocka_unit_test(snapshot__survives_every_changed_byte),
        cmocka_unit_test(snapshot__rejects_enlarged_lengths_and_counts),
        cmocka_unit_test(snapshot__rejects_bytes_behind_the_trailer),
        cmocka_unit_test(snapshot__rejects_other_versions_and_files),
        cmocka_unit_test(snapshot__reads_later_minor_versions),
        cmocka_unit_test(snapshot__treats_unknown_sections_by_their_critical_bit),
        cmocka_unit_test(snapshot__salvages_hostile_files_in_linear_time),
        cmocka_unit_test(salvage__keeps_what_is_whole),
    };
    return cmocka_run_group_tests(tests, make_small, drop_small);
}
