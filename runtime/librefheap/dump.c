/* Writing a snapshot from inside the process.
 *
 * Runs anywhere, also in a signal handler inside malloc: raw system calls, a mapping of its own, no lock waited for,
 * nothing large on the stack. The only writes outside that mapping are the snapshot numbers in the heap's types.
 */
#include "../../dumpfmt/error.h"
#include "../../dumpfmt/format.h"
#include "../../dumpfmt/rawsys.h"
#include "dump_internal.h"

/* ---- reading memory that may not be there ---- */

const char *dump_view(struct dump *d, const void *at, size_t size)
{
    if (!d->guarded)
        return at;
    if (size <= COPY_SIZE && !self_read(NULL, (uintptr_t)at, d->copy, size))
        return d->copy;
    d->incomplete = 1;
    return NULL;
}

/* ---- text ---- */

static uint32_t put_text(struct dump *d, const char *text)
{
    return text ? writer_string(d->writer, text, text_length(text), TEXT_CAP) : 0;
}

static void write_note(struct dump *d, const char *text, uint64_t address)
{
    struct diagnostic_record r = {.severity = SEVERITY_NOTE, .address = address, .heap = FORMAT_NONE};
    r.text = put_text(d, text);
    writer_record(d->writer, SECTION_DIAGNOSTICS, &r);
}

/* ---- heaps and types ---- */

/* Objects by generation: as their own bits say, since a collection has them in lists of its own. */
static void count_generations(const struct rh_heap *heap, uint64_t counts[GENERATION_LIMIT])
{
    if (heap->collecting < 0) {
        for (int g = 0; g <= GENERATION_PERMANENT; g++)
            counts[g] = list_length(&heap->lists[g]);
        return;
    }
    for (int i = 0; i < RH_LIST_LIMIT; i++)
        for (struct rh_links *l = next_of(&heap->lists[i]); l != &heap->lists[i]; l = next_of(l))
            counts[generation_of(l)]++;
}

static void write_heap(struct dump *d, const struct rh_heap *heap)
{
    uint64_t counts[GENERATION_LIMIT] = {0};
    count_generations(heap, counts);
    struct heap_record r = {
        .id = d->heap,
        .runtime = put_text(d, "librefheap"),
        .version = put_text(d, REFHEAP_VERSION),
        .name = put_text(d, heap->name),
        .flags = (uint16_t)((heap->collecting >= 0 ? HEAP_COLLECTING : 0) | (heap->enabled ? HEAP_ENABLED : 0)),
        .collecting = (int16_t)heap->collecting,
        .debug = heap->debug,
        .address = (uintptr_t)heap,
        .long_lived_total = heap->long_lived_total,
        .long_lived_pending = heap->long_lived_pending,
        .owner = heap->owner,
        .next_serial = heap->next_serial,
    };
    writer_record(d->writer, SECTION_HEAPS, &r);
    for (uint32_t g = 0; g <= GENERATION_PERMANENT; g++) {
        struct generation_record gr = {.heap = d->heap, .generation = g, .objects = counts[g]};
        if (g < 3) {
            gr.threshold = heap->generations[g].threshold;
            gr.count = heap->generations[g].count;
            gr.collections = heap->generations[g].collections;
            gr.collected = heap->generations[g].collected;
            gr.uncollectable = heap->generations[g].uncollectable;
        }
        writer_record(d->writer, SECTION_GENERATIONS, &gr);
    }
}

static void write_type(struct dump *d, struct rh_type *type)
{
    struct type_record r = {
        .id = d->types,
        .name = put_text(d, type->name),
        .module = put_text(d, type->module),
        .address = (uintptr_t)type,
        .basic_size = type->size,
        .item_size = type->item_size,
        .heap = d->heap,
        .fields = type->field_count,
    };
    r.flags = (type->flags & TYPE_IS_CONTAINER ? TYPE_CONTAINER : 0) | (type->finalize ? TYPE_FINALIZER : 0) |
              (type->legacy_finalize ? TYPE_LEGACY_FINALIZER : 0) | (type->traverse ? TYPE_HAND_TRAVERSED : 0);
    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct rh_field *f = &type->fields[i];
        struct field_record fr = {.type = r.id,
                                  .number = i,
                                  .name = put_text(d, f->name),
                                  .kind = f->kind >= RH_FIELD_INT ? FIELD_VALUE : f->kind,
                                  .offset = f->offset};
        if (f->flags & RH_FIELD_ATTRIBUTES)
            r.flags |= TYPE_ATTRIBUTES;
        writer_record(d->writer, SECTION_FIELDS, &fr);
    }
    writer_record(d->writer, SECTION_TYPES, &r);
    type->snapshot_id = d->types++;
}

/* The sites of a heap as chains of frames: the innermost caller of each is the object's site. */
static void write_sites(struct dump *d, const struct rh_heap *heap)
{
    const struct site_table *t = &heap->sites;
    for (uint32_t i = 0; i < t->count && !writer_status(d->writer); i++) {
        const struct site *s = t->sites[i];
        struct site_record r = {.caller = FORMAT_NONE, .module = FORMAT_NONE};
        if (s->named) {
            r.function = put_text(d, s->named->function);
            r.file = put_text(d, s->named->file);
            r.line = s->named->line;
            writer_record(d->writer, SECTION_SITES, &r);
        }
        for (uint32_t level = s->depth; level--;) {
            r.address = s->address[level];
            writer_record(d->writer, SECTION_SITES, &r);
            r.caller = d->sites + s->depth - 1 - level;
        }
        d->sites += s->named ? 1 : s->depth;
        t->sites[i]->snapshot_id = s->named || s->depth ? d->sites : 0; /* 1 + the id of its innermost frame */
    }
}

static void write_roots(struct dump *d, const struct rh_heap *heap)
{
    for (size_t i = 0; i < heap->root_count; i++) {
        const struct root *root = &heap->roots[i];
        const char *slot = root->slot ? dump_view(d, root->slot, sizeof(void *)) : NULL;
        struct rh_object *object = root->slot ? (slot ? *(struct rh_object *const *)slot : NULL) : root->object;
        if (!object)
            continue;
        struct root_record r = {.object = (uintptr_t)object,
                                .where = (uintptr_t)root->slot,
                                .name = put_text(d, root->name),
                                .module = FORMAT_NONE,
                                .thread = FORMAT_NONE,
                                .frame = FORMAT_NONE,
                                .kind = (uint16_t)root->kind,
                                .flags = ROOT_EXACT | ROOT_COUNTED,
                                .heap = d->heap};
        writer_record(d->writer, SECTION_ROOTS, &r);
    }
    if (heap->garbage) {
        struct root_record r = {.object = (uintptr_t)heap->garbage,
                                .where = (uintptr_t)&heap->garbage,
                                .name = put_text(d, "garbage"),
                                .module = FORMAT_NONE,
                                .thread = FORMAT_NONE,
                                .frame = FORMAT_NONE,
                                .kind = ROOT_RUNTIME,
                                .flags = ROOT_EXACT | ROOT_COUNTED,
                                .heap = d->heap};
        writer_record(d->writer, SECTION_ROOTS, &r);
    }
}

/* ---- the whole ---- */

static void write_objects(struct dump *d, struct rh_heap *heap)
{
    for (int list = 0; list < RH_LIST_LIMIT; list++) {
        struct rh_links *head = &heap->lists[list];
        unsigned state = list == RH_LIST_TRASH ? STATE_DYING : 0;
        for (struct rh_links *l = next_of(head); l != head && !writer_status(d->writer); l = next_of(l))
            dump_object(d, object_of(l), state);
    }
}

static void write_snapshot(struct dump *d)
{
    self_write_process(d->writer, &d->self, rh_control.library, d->request->captured,
                       (d->request->flags & RH_DUMP_NO_VALUES) != 0);
    self_write_modules(d->writer, &d->self, NULL, NULL);
    for (struct rh_heap *heap = rh_control.heaps; heap; heap = heap->next) {
        if (heap->owner != d->thread && (!d->request->everyone || heap->busy)) {
            write_note(d, "a heap of another thread was left out", (uintptr_t)heap);
            continue;
        }
        write_heap(d, heap);
        for (struct rh_type *type = heap->types; type; type = type->next)
            write_type(d, type);
        write_sites(d, heap);
        write_roots(d, heap);
        write_objects(d, heap);
        d->heap++;
    }
}

int dump_judge_heaps(struct rh_error *err)
{
    uint64_t thread = (uint64_t)raw_gettid();
    int mine = 0, busy = 0;
    for (struct rh_heap *heap = rh_control.heaps; heap; heap = heap->next)
        if (heap->owner == thread) {
            mine++;
            busy += heap->busy != 0;
        }
    if (!mine)
        return error_set(err, RH_ERR_NOT_FOUND, "no heap belongs to this thread",
                         "dump from the thread that uses the heap");
    if (busy)
        return error_set(err, RH_ERR_BUSY, "the heap is being changed at this moment",
                         "ask for a dump at the next safe point");
    return 0;
}

static int dump_locked(struct dump *d, const char *path, struct rh_error *err)
{
    struct writer_identity identity = {.time = writer_now(),
                                       .flags = d->request->flags & RH_DUMP_NO_VALUES ? FILE_NO_VALUES : 0};
    int status = sink_file_open(&d->file, path, err);
    if (status)
        return status;
    writer_random_uuid(identity.uuid);
    d->writer = writer_open(d->writer_memory, &d->file.sink, &identity);
    write_snapshot(d);
    status = writer_finish(d->writer, err);
    if (status) {
        sink_file_abort(&d->file);
        return status;
    }
    return sink_file_commit(&d->file, err);
}

int dump_heaps(const struct dump_request *request, struct rh_error *err)
{
    if (!control_try_lock())
        return error_set(err, RH_ERR_BUSY, "another dump or a change of heaps is under way", "try again");
    int status = dump_judge_heaps(err);
    if (!status) {
        size_t size = sizeof(struct dump) + writer_memory_size();
        struct dump *d = raw_map(size);
        if (d) {
            d->request = request;
            d->thread = (uint64_t)raw_gettid();
            d->guarded = (request->flags & RH_DUMP_GUARDED) != 0;
            status = dump_locked(d, request->path, err);
            raw_unmap(d, size);
        } else {
            status = error_set(err, RH_ERR_NO_MEMORY, "not enough memory for the dump's buffers", "");
        }
    }
    control_unlock();
    return status;
}
