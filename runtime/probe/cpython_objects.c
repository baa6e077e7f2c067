/* Objects of CPython, one by one: rows, edges, values. */
#include <stdio.h>
#include <stdlib.h>

#include "../../dumpfmt/error.h"
#include "cpython_write.h"
#include "holders.h"

enum { VALUE_CAP = 256, NO_TYPES_MAX = 1 << 22 };
#define REFCOUNT_MOST (INT64_C(1) << 40)
#define REFCOUNT_LOW (INT64_C(1) << 20)

/* ---- types ---- */

static struct known_type *add_type(struct reading *r, const struct py_type *type)
{
    struct type_table *table = &r->types;
    if (table->count == table->capacity) {
        size_t capacity = table->capacity ? 2 * table->capacity : 256;
        struct known_type **more = realloc(table->items, capacity * sizeof *more);
        if (!more)
            return NULL;
        table->items = more;
        table->capacity = capacity;
    }
    struct known_type *known = calloc(1, sizeof *known);
    if (!known || number_map_add(&table->numbers, type->address, (uint32_t)table->count + 1)) {
        free(known);
        return NULL;
    }
    known->type = *type;
    table->items[table->count++] = known;
    return known;
}

struct known_type *reading_type(struct reading *r, uint64_t address)
{
    struct type_table *table = &r->types;
    struct py_type type;
    if (address == table->last && table->last_type)
        return table->last_type;
    uint32_t number = number_map_get(&table->numbers, address);
    struct known_type *known = number && number != UINT32_MAX ? table->items[number - 1] : NULL;
    if (!number) {
        if (!py_type_read(&r->world, address, &type)) {
            if (!(known = add_type(r, &type)))
                r->status = error_set(r->err, RH_ERR_NO_MEMORY, "not enough memory for the types", "");
        } else if (address && table->numbers.used < NO_TYPES_MAX) {
            number_map_add(&table->numbers, address, UINT32_MAX); /* in vain is no harm: it is asked again */
        }
    }
    if (known) {
        table->last = address;
        table->last_type = known;
    }
    return known;
}

/* Types get their ids as they are written; a type is of the process, not of a heap. */
static uint32_t type_id(struct reading *r, struct known_type *known)
{
    char text[NAME_BYTES];
    const struct py_type *t = &known->type;
    if (known->written)
        return known->id;
    known->written = 1;
    known->id = r->probe->types++;
    long n = py_type_name(&r->world, t, text, sizeof text);
    struct type_record record = {
        .id = known->id,
        .name = n > 0 ? writer_string(r->probe->writer, text, (size_t)n, sizeof text) : 0,
        .address = t->address,
        .basic_size = (uint64_t)t->basic_size,
        .item_size = (uint64_t)t->item_size,
        .heap = FORMAT_NONE,
        .flags = (t->container ? TYPE_CONTAINER : 0) | (t->finalizer ? TYPE_FINALIZER : 0) |
                 (t->legacy_finalizer ? TYPE_LEGACY_FINALIZER : 0) |
                 (t->python_class && t->kind != PY_KIND_DICT && t->kind != PY_KIND_ORDERED_DICT ? TYPE_ATTRIBUTES : 0),
    };
    n = py_type_module(&r->world, t, text, sizeof text);
    record.module = n > 0 ? writer_string(r->probe->writer, text, (size_t)n, sizeof text) : 0;
    writer_record(r->probe->writer, SECTION_TYPES, &record);
    return known->id;
}

/* ---- which objects ---- */

static int put_in_order(struct reading *r, uint64_t address)
{
    if (r->count == r->capacity) {
        size_t capacity = r->capacity ? 2 * r->capacity : 1 << 16;
        uint64_t *more = realloc(r->order, capacity * sizeof *more);
        if (!more)
            return -1;
        r->order = more;
        r->capacity = capacity;
    }
    r->order[r->count++] = address;
    return 0;
}

/* The refcount and type of what stands at an address, if it is an object. A freed block has a link to the next one, or
 * nothing, where the refcount was. */
static struct known_type *looks_like_object(struct reading *r, uint64_t address, int64_t least, int64_t *refcount)
{
    uint64_t words[2];
    if (address % 8)
        return NULL;
    const void *p = py_view(r->world.memory, address, sizeof words);
    if (!p)
        return NULL;
    memcpy(words, p, sizeof words);
    *refcount = (int64_t)words[0];
    if (*refcount < least || *refcount >= REFCOUNT_MOST || words[1] % 8)
        return NULL;
    return reading_type(r, words[1]);
}

static struct known_object *add_object(struct reading *r, uint64_t address, unsigned generation,
                                       const struct known_type *type, int64_t refcount)
{
    size_t windows = r->objects.windows.used;
    struct known_object *o = object_add(&r->objects, address);
    int immortal;
    if (r->objects.windows.used > windows)
        probe_spend(r->probe, WINDOW); /* a core can have the same bytes stand in a thousand places */
    if (!o || put_in_order(r, address)) {
        r->status = error_set(r->err, RH_ERR_NO_MEMORY, "not enough memory for the set of objects", "");
        return NULL;
    }
    refcount = py_refcount(&r->world, (uint64_t)refcount, &immortal);
    o->unexplained = refcount > INT32_MAX ? INT32_MAX : (int32_t)refcount;
    o->generation = (uint8_t)generation;
    o->heap = (uint16_t)r->heap;
    o->state |= (uint8_t)((immortal ? KNOWN_IMMORTAL : 0) |
                          (py_is_container(&r->world, address, &type->type) ? KNOWN_CONTAINER : 0));
    r->lists[generation]++;
    return o;
}

struct known_object *reading_reach(struct reading *r, uint64_t address, unsigned generation)
{
    struct known_object *o = object_find(&r->objects, address);
    int64_t refcount;
    if (o)
        return o;
    /* On a list an object may be about to leave it: its refcount is zero by then. */
    const struct known_type *type = looks_like_object(r, address, generation == GENERATION_UNTRACKED, &refcount);
    return type ? add_object(r, address, generation, type, refcount) : NULL;
}

/* What a program that is not position-independent has in its heap lies so low that an address could be a refcount. */
static int could_be_address(struct reading *r, int64_t refcount)
{
    int64_t immortal = r->world.layout->immortal;
    if (refcount < REFCOUNT_LOW || refcount % 8 ||
        (immortal > 0 && refcount > immortal - REFCOUNT_LOW && refcount < immortal + REFCOUNT_LOW))
        return 0;
    return py_view(r->world.memory, (uint64_t)refcount, 8) != NULL;
}

static int is_object(struct py_world *w, uint64_t address)
{
    struct reading *r = w->context;
    int64_t refcount;
    return object_find(&r->objects, address) ||
           (looks_like_object(r, address, 1, &refcount) && !could_be_address(r, refcount));
}

static int spend(struct py_world *w, uint64_t words)
{
    struct reading *r = w->context;
    return probe_spend(r->probe, words);
}

void reading_begin(struct reading *r)
{
    r->world = (struct py_world){.layout = r->python->layout,
                                 .memory = &r->memory.memory,
                                 .type_type = r->python->type_type,
                                 .interpreter = r->python->interpreters[0].address,
                                 .is_object = is_object,
                                 .spend = spend,
                                 .context = r};
    py_world_begin(&r->world); /* it was, when it was found */
}

void reading_release(struct reading *r)
{
    object_table_release(&r->objects);
    free(r->order);
    type_table_release(&r->types);
    number_map_release(&r->texts);
    reading_sites_release(r);
}

/* ---- objects ---- */

/* Looks a reference's target up: it has a holder more, and is put on the list when it is new. */
static void settle(struct reading *r, const struct late_reference *late)
{
    struct known_object *o = late->place;
    if (late->target && !(o && o->state & KNOWN_OBJECT))
        o = reading_reach(r, late->target, GENERATION_UNTRACKED);
    if (o && late->counted) {
        o->unexplained -= o->unexplained > INT32_MIN;
        holders_explain(r->probe->holders, late->target);
    }
}

static void settle_later(struct reading *r, uint64_t target, int counted)
{
    struct late_reference *late = &r->late[r->references++ % LATE];
    settle(r, late);
    *late = (struct late_reference){target, target ? object_place(&r->objects, target) : NULL, counted};
    __builtin_prefetch(late->place, 1);
}

static void settle_all(struct reading *r)
{
    for (int i = 0; i < LATE; i++)
        settle_later(r, 0, 0);
}

static int write_edge(void *context, const struct py_reference *reference)
{
    static const uint8_t kinds[] = {LABEL_NONE,   LABEL_INDEX,  LABEL_KEY,    LABEL_IS_KEY,
                                    LABEL_STRING, LABEL_STRING, LABEL_STRING, LABEL_STRING};
    struct reading *r = context;
    uint64_t label = reference->number;
    settle_later(r, reference->target, reference->bits & EDGE_COUNTED);
    if (r->status)
        return 1;
    if (kinds[reference->label] == LABEL_STRING)
        label = reading_label(r, reference->label, reference->number, reference->text);
    writer_edge(r->probe->writer, reference->target, reference->bits, kinds[reference->label], label);
    return 0;
}

static void write_value(struct reading *r, uint64_t object, const struct py_type *type)
{
    char bytes[VALUE_CAP];
    struct py_value value;
    py_name(&r->world, object, type, bytes, sizeof bytes, &value);
    if (!value.kind && !r->probe->options->no_values)
        py_value(&r->world, object, type, bytes, sizeof bytes, &value);
    if (value.kind)
        writer_value(r->probe->writer, object, value.kind, bytes, value.kept, value.length);
}

static int write_object(struct reading *r, uint64_t address)
{
    struct known_object *o = object_find(&r->objects, address);
    int ok = 1, estimate = 0;
    uint64_t stored = py_u64(r->world.memory, address + PY_REFCOUNT, &ok);
    struct known_type *known = reading_type(r, py_u64(r->world.memory, address + PY_TYPE, &ok));
    if (!known || !o)
        return r->status;
    const struct py_type *type = &known->type;
    unsigned generation = o->generation, state = o->state;
    struct writer_object row = {.address = address, .refcount = (int64_t)stored, .type = type_id(r, known)};
    row.size = py_size(&r->world, address, type, &estimate);
    row.site = reading_site(r, address, type);
    py_used(&r->world, address, type, &row.used, &row.capacity);
    row.state = generation | (state & KNOWN_CONTAINER ? STATE_CONTAINER : 0) |
                (state & KNOWN_IMMORTAL ? STATE_IMMORTAL : 0) | (estimate ? STATE_SIZE_ESTIMATED : 0) |
                (stored ? 0 : STATE_DYING);
    if (state & KNOWN_CONTAINER && py_u64(r->world.memory, address + (uint64_t)PY_GC_PREV, &ok) & 1)
        row.state |= STATE_FINALIZED;
    if (!(state & KNOWN_IMMORTAL))
        holders_object(r->probe->holders, address, r->heap, row.refcount);
    writer_object(r->probe->writer, r->heap, &row);
    enum py_extent extent = py_references(&r->world, address, type, write_edge, r);
    if (r->status)
        return r->status;
    if (extent == PY_BROKEN)
        writer_object_mark(r->probe->writer, STATE_EDGES_INCOMPLETE);
    write_value(r, address, type);
    return probe_tick(r->probe, r->err);
}

/* What writing an object soon will look at. */
static void fetch_object(struct reading *r, uint64_t address)
{
    __builtin_prefetch(object_place(&r->objects, address));
    __builtin_prefetch(py_view(r->world.memory, address, 1));
}

int reading_write_objects(struct reading *r)
{
    enum { AHEAD = 8 };
    for (;;) {
        if (r->next >= r->count || r->next >= r->limit)
            settle_all(r); /* which may put more on the list */
        if (r->next >= r->count || r->next >= r->limit)
            return r->status;
        if (r->next + AHEAD < r->count)
            fetch_object(r, r->order[r->next + AHEAD]);
        int status = write_object(r, r->order[r->next++]);
        if (status)
            return status;
    }
}
