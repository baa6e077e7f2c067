/* Prints a snapshot in the canonical text of tests/CANONICAL.md, through the C reader. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../../dumpfmt/snapshot.h"

static const struct snapshot *snap;

static void put_hex(const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    if (!n)
        putchar('-');
    for (size_t i = 0; i < n; i++)
        printf("%02x", p[i]);
}

static void put_text(uint32_t id)
{
    struct text t = snapshot_string(snap, id);
    putchar(' ');
    put_hex(t.bytes, t.length);
    if (t.full_length > t.length)
        printf("+%" PRIu64, t.full_length);
}

static void put_head(void)
{
    const struct file_header *h = snapshot_header(snap);
    const struct process_record *p = snapshot_process(snap);
    printf("header %u %u ", h->major, h->minor);
    put_hex(h->uuid, 16);
    printf(" %" PRId64 " %u\n", h->time, h->flags);
    printf("process %" PRIu64, p->pid);
    put_text(p->command_line);
    put_text(p->executable);
    printf(" %u", p->captured);
    put_text(p->writer);
    put_text(p->host);
    printf(" %u %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", p->machine, p->runtime_bytes,
           p->known_bytes, p->memory_expected, p->memory_present, p->objects_damaged);
}

static void put_module(const void *element)
{
    const struct module_record *r = element;
    printf("module 0x%" PRIx64 " 0x%" PRIx64, r->base, r->end);
    put_text(r->path);
    putchar(' ');
    put_hex(r->build_id, r->build_id_length);
    putchar('\n');
}

static void put_heap(const void *element)
{
    const struct heap_record *r = element;
    printf("heap %u", r->id);
    put_text(r->runtime);
    put_text(r->version);
    put_text(r->name);
    printf(" %u %d %u 0x%" PRIx64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", r->flags, r->collecting,
           r->debug, r->address, r->long_lived_total, r->long_lived_pending, r->owner, r->next_serial);
}

static void put_generation(const void *element)
{
    const struct generation_record *r = element;
    printf("generation %u %u %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", r->heap,
           r->generation, r->threshold, r->count, r->collections, r->collected, r->uncollectable, r->objects);
}

static void put_types(void)
{
    for (uint32_t id = 0; id < snapshot_type_limit(snap); id++) {
        const struct type_record *r = snapshot_type(snap, id);
        if (!r)
            continue;
        printf("type %u", id);
        put_text(r->name);
        put_text(r->module);
        printf(" %u 0x%" PRIx64 " %" PRIu64 " %" PRIu64 " %u %u\n", r->flags, r->address, r->basic_size, r->item_size,
               r->heap, r->fields);
        for (uint32_t n = 0; n < r->fields; n++) {
            const struct field_record *f = snapshot_field(snap, id, n);
            if (!f)
                continue;
            printf("field %u %u", id, n);
            put_text(f->name);
            printf(" %u %" PRIu64 "\n", f->kind, f->offset);
        }
    }
}

static void put_edge(uint64_t target, unsigned info, uint64_t label)
{
    printf("edge 0x%" PRIx64 " %u", target, info);
    unsigned kind = info >> LABEL_KIND_SHIFT;
    if (kind == LABEL_STRING)
        put_text((uint32_t)label);
    else
        printf(" %" PRIu64, kind == LABEL_NONE || kind == LABEL_IS_KEY ? 0 : label);
    putchar('\n');
}

static void put_edges(uint64_t first, uint64_t degree, struct edge_run *run)
{
    while (degree) {
        snapshot_edge_run(snap, first, degree, run);
        for (uint64_t i = run->at; i < run->at + run->count; i++)
            put_edge(run->edges.target[i], (unsigned)column_get(&run->edges.info, i), column_get(&run->edges.label, i));
        first += run->count + run->missing;
        degree -= run->count + run->missing;
    }
}

static void put_objects(void)
{
    struct edge_run run = {0};
    for (size_t b = 0; b < snapshot_block_count(snap, SECTION_OBJECTS); b++) {
        struct objects_view v;
        snapshot_objects(snap, b, &v);
        uint64_t edge = v.first_edge;
        for (uint32_t i = 0; i < v.count; i++) {
            uint64_t degree = column_get(&v.column[OBJECT_DEGREE], i);
            printf("object %u 0x%" PRIx64 " %" PRIu64 " %" PRIu64 " %" PRId64, v.heap,
                   column_get(&v.column[OBJECT_ADDRESS], i), column_get(&v.column[OBJECT_TYPE], i),
                   column_get(&v.column[OBJECT_SIZE], i), column_get_signed(&v.column[OBJECT_REFCOUNT], i));
            for (unsigned c = OBJECT_STATE; c < OBJECT_COLUMN_LIMIT; c++)
                printf(" %" PRIu64, column_get(&v.column[c], i));
            putchar('\n');
            put_edges(edge, degree, &run);
            edge += degree;
        }
    }
}

static void put_values(void)
{
    struct value_cursor cursor = {0};
    for (const struct value_record *r; (r = snapshot_next_value(snap, &cursor));) {
        printf("value 0x%" PRIx64 " %u %" PRIu64 " ", r->object, r->kind, r->length);
        put_hex(r + 1, r->kept);
        putchar('\n');
    }
}

static void put_root(const void *element)
{
    const struct root_record *r = element;
    printf("root 0x%" PRIx64 " 0x%" PRIx64, r->object, r->where);
    put_text(r->name);
    printf(" %u %u %u %u %u %u %" PRIu64 "\n", r->module, r->thread, r->frame, r->kind, r->flags, r->heap, r->offset);
}

static void put_thread(const void *element)
{
    const struct thread_record *r = element;
    printf("thread %" PRIu64, r->tid);
    put_text(r->name);
    printf(" %" PRIu64 " %" PRIu64 "\n", r->stack_low, r->stack_high);
}

static void put_frame(const void *element)
{
    const struct frame_record *r = element;
    printf("frame %u %u", r->thread, r->depth);
    put_text(r->function);
    put_text(r->file);
    printf(" %u %" PRIu64 " %" PRIu64 " 0x%" PRIx64 "\n", r->line, r->pc, r->sp, r->object);
}

static void put_site(const void *element)
{
    const struct site_record *r = element;
    printf("site %u", r->caller);
    put_text(r->function);
    put_text(r->file);
    printf(" %u %u 0x%" PRIx64 "\n", r->line, r->module, r->address);
}

static void put_diagnostic(const void *element)
{
    const struct diagnostic_record *r = element;
    printf("diagnostic %u", r->severity);
    put_text(r->text);
    printf(" 0x%" PRIx64 " %u\n", r->address, r->heap);
}

static void each(enum section section, void (*put)(const void *))
{
    struct record_cursor cursor = {0};
    for (const void *r; (r = snapshot_next_record(snap, section, &cursor));)
        put(r);
}

int main(int argc, char **argv)
{
    struct rh_error err;
    struct snapshot *s;
    struct snapshot_options options = {.salvage = argc > 2 && !strcmp(argv[2], "--salvage")};
    if (argc < 2)
        return 2;
    if (snapshot_open(argv[1], &options, &s, &err)) {
        fprintf(stderr, "%s: %s [at section %s, offset %" PRIu64 "]\n", argv[1], err.what, err.section, err.offset);
        return 2;
    }
    snap = s;
    put_head();
    each(SECTION_MODULES, put_module);
    each(SECTION_HEAPS, put_heap);
    each(SECTION_GENERATIONS, put_generation);
    put_types();
    put_objects();
    put_values();
    each(SECTION_ROOTS, put_root);
    each(SECTION_THREADS, put_thread);
    each(SECTION_FRAMES, put_frame);
    each(SECTION_SITES, put_site);
    each(SECTION_DIAGNOSTICS, put_diagnostic);
    const struct trailer_record *t = snapshot_trailer(s);
    printf("trailer %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", t->object_bytes,
           t->totals[SECTION_OBJECTS], t->totals[SECTION_EDGES], t->totals[SECTION_VALUES], t->totals[SECTION_ROOTS]);
    snapshot_close(s);
    return 0;
}
