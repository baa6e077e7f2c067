/* Objects: the collectors' lists, what is reached from them, and what each refers to. */
#include "python.h"

#include "inside.h"

#include "../../../dumpfmt/error.h"

enum { VALUE_CAP = 256, AHEAD = 12, GC_FINALIZED = 1, GC_MASK = 7 };

static void append(struct inside *d, struct object_list *list, uint64_t entry)
{
    if (mapping_grow(&list->entries, (list->count + 1) * sizeof entry))
        d->out_of_memory = 1;
    else
        ((uint64_t *)list->entries.bytes)[list->count++] = entry;
}

void inside_meet(struct inside *d, uint64_t object, unsigned references)
{
    int fresh = census_add(&d->census, object, references);
    if (fresh < 0)
        d->out_of_memory = 1;
    else if (fresh)
        append(d, &d->found, object | GENERATION_UNTRACKED);
}

static int is_address(uint64_t word)
{
    return word % 8 == 0 && word >= 0x10000 && word >> 47 == 0;
}

/* A type is an object whose own type says of its instances that they are types. */
static int is_type(struct inside *d, uint64_t type)
{
    uint64_t metatype, flags;
    if (!is_address(type))
        return 0;
    if (id_map_get(&d->type_ids, type))
        return 1;
    return !self_read(NULL, type + PY_TYPE, &metatype, 8) && is_address(metatype) &&
           !self_read(NULL, metatype + PY_TP_FLAGS, &flags, 8) && flags & PY_FLAG_TYPE_SUBCLASS;
}

int inside_is_object(struct inside *d, uint64_t word)
{
    uint64_t head[2];
    if (is_address(word) && (census_has(&d->census, word) || (!self_read(NULL, word, head, sizeof head) && head[0] && is_type(d, head[1]))))
        return 1;
    if (!d->refused++)
        d->refused_example = d->self;
    return 0;
}

/* ---- lists ---- */

int inside_list(struct inside *d, uint64_t head, unsigned generation, uint64_t *count, struct rh_error *err)
{
    uint64_t previous = head;
    *count = 0;
    for (uint64_t node = word_at(head); node != head; node = word_at(node)) {
        if (!node || node & GC_MASK || (word_at(node + 8) & ~(uint64_t)GC_MASK) != previous)
            return error_set_at(err, RH_ERR_UNSUPPORTED, "collector", node, "a list of the collector is broken",
                                "memory was overwritten");
        append(d, &d->tracked, (node + PY_GC_HEAD_SIZE) | generation);
        if (d->out_of_memory)
            return error_set(err, RH_ERR_NO_MEMORY, "not enough memory for the dump's tables", "");
        previous = node;
        ++*count;
    }
    return 0;
}

/* ---- references ---- */

static int on_key(void *context, const struct py_reference *r)
{
    if (r->label == PY_LABEL_KEY)
        inside_name(context, r->number);
    return 0;
}

/* Values are left out, but not the names of attributes: the keys of an instance, and of what is a __dict__. */
static void name_attributes(struct inside *d, const struct py_reference *r)
{
    if (d->self_has_attributes)
        on_key(d, r);
    if (r->label != PY_LABEL_TEXT || (strcmp(r->text, "__dict__") && strcmp(r->text, "__globals__")))
        return;
    struct py_type dict;
    if (!py_type_read(&d->world, word_at(r->target + PY_TYPE), &dict) && dict.kind == PY_KIND_DICT)
        py_references(&d->world, r->target, &dict, on_key, d);
}

static void put_reference(struct inside *d, const struct py_reference *r, unsigned bits)
{
    enum label_kind kind;
    uint64_t label;
    inside_label(d, r->label, r->number, r->text, &kind, &label);
    writer_edge(d->writer, r->target, bits, kind, label);
    inside_meet(d, r->target, bits & EDGE_COUNTED);
    if (d->request->flags & INSIDE_NO_VALUES)
        name_attributes(d, r);
}

/* The constants deep-frozen into the interpreter of 3.11 refer to these without counting it. */
static unsigned without_uncounted(const struct inside *d, uint64_t target, unsigned bits)
{
    int single = target == (uintptr_t)Py_None || target == (uintptr_t)Py_True || target == (uintptr_t)Py_False ||
                 target == (uintptr_t)Py_Ellipsis;
    return d->self_is_immortal && single && d->world.layout->version == 0x030b ? bits & ~(unsigned)EDGE_COUNTED : bits;
}

static int on_described(void *context, const struct py_reference *r)
{
    struct inside *d = context;
    unsigned bits = r->bits & ~(unsigned)EDGE_INFERRED;
    if (bits & EDGE_TRAVERSED && !d->self_is_container)
        bits &= ~(unsigned)EDGE_TRAVERSED; /* the collector does not look at it */
    if (bits & EDGE_TRAVERSED && !visits_take(&d->visits, r->target)) {
        if (!d->not_visited++)
            d->not_visited_example = d->self;
        return 0;
    }
    if (!(bits & EDGE_TRAVERSED) && !d->self_is_dict && !inside_is_object(d, r->target))
        return 0;
    put_reference(d, r, without_uncounted(d, r->target, bits));
    return 0;
}

static int on_visited(PyObject *target, void *context)
{
    visits_add(context, (uintptr_t)target);
    return 0;
}

static void put_unnamed(struct inside *d)
{
    uint64_t target;
    for (size_t at = 0; (target = visits_left(&d->visits, &at));) {
        unsigned bits = without_uncounted(d, target, EDGE_STRONG);
        writer_edge(d->writer, target, bits, LABEL_NONE, 0);
        inside_meet(d, target, bits & EDGE_COUNTED);
        d->unnamed++;
    }
}

static void write_references(struct inside *d, uint64_t object, const struct py_type *type)
{
    visits_begin(&d->visits);
    if (d->self_is_container && type->traverse)
        ((traverseproc)(uintptr_t)type->traverse)((PyObject *)(uintptr_t)object, on_visited, &d->visits);
    if (py_references(&d->world, object, type, on_described, d) == PY_SCANNED)
        holders_scanned(d, object);
    put_unnamed(d);
    d->out_of_memory |= d->visits.out_of_memory;
}

/* ---- an object ---- */

int inside_is_container(uint64_t object, const struct py_type *type)
{
    inquiry ask = (inquiry)(uintptr_t)word_at(type->address + PY_TP_IS_GC);
    return type->container && (!ask || ask((PyObject *)(uintptr_t)object));
}

static void write_values(struct inside *d, uint64_t object, const struct py_type *type)
{
    struct py_value value = {.kind = 0};
    if (!(d->request->flags & INSIDE_NO_VALUES))
        py_value(&d->world, object, type, d->text, VALUE_CAP, &value);
    if (!value.kind)
        py_name(&d->world, object, type, d->text, VALUE_CAP, &value);
    if (value.kind)
        writer_value(d->writer, object, value.kind, d->text, value.kept, value.length);
}

static void write_object(struct inside *d, uint64_t object, unsigned generation)
{
    int immortal = 0, estimate = 0;
    struct writer_object row = {.address = object, .state = generation};
    const struct py_type *known = inside_type(d, object, &row.type);
    if (!known)
        return;
    struct py_type type = *known; /* the table may move */
    d->self = object;
    d->self_is_container = inside_is_container(object, &type);
    d->self_is_dict = type.kind == PY_KIND_DICT;
    d->self_has_attributes = inside_has_attributes(&type);
    row.refcount = py_refcount(&d->world, word_at(object), &immortal);
    d->self_is_immortal = immortal;
    row.size = py_size(&d->world, object, &type, &estimate);
    row.site = inside_site(d, object, &type);
    py_used(&d->world, object, &type, &row.used, &row.capacity);
    row.state |= (immortal ? STATE_IMMORTAL : 0) | (estimate ? STATE_SIZE_ESTIMATED : 0);
    if (d->self_is_container) {
        row.state |= STATE_CONTAINER;
        if (word_at(object + (uint64_t)PY_GC_PREV) & GC_FINALIZED)
            row.state |= STATE_FINALIZED;
    }
    writer_object(d->writer, d->heap, &row);
    write_references(d, object, &type);
    write_values(d, object, &type);
}

static void write_range(struct inside *d, const struct object_list *list, size_t from, size_t to)
{
    for (size_t i = from; i < to && !d->out_of_memory && !writer_status(d->writer); i++) {
        const uint64_t *entries = list->entries.bytes; /* it may move */
        if (i + AHEAD < to)
            __builtin_prefetch((const char *)(uintptr_t)(entries[i + AHEAD] & ~(uint64_t)GC_MASK) - PY_GC_HEAD_SIZE);
        write_object(d, entries[i] & ~(uint64_t)GC_MASK, entries[i] & GC_MASK);
    }
}

void inside_write_tracked(struct inside *d, size_t from, size_t to)
{
    write_range(d, &d->tracked, from, to);
}

/* In the order they were met; writing one may meet more. */
void inside_write_found(struct inside *d)
{
    while (d->found_next < d->found.count && !d->out_of_memory && !writer_status(d->writer)) {
        size_t end = d->found.count;
        write_range(d, &d->found, d->found_next, end);
        d->found_next = end;
    }
}

/* ---- accounting ---- */

/* What cannot be in a true dump: more references to an object than its refcount says. */
void inside_account(struct inside *d)
{
    const uint64_t *slots = d->census.slots.bytes;
    uint64_t negative = 0, example = 0, containers = 0, explained = 0;
    for (size_t i = 0; i < d->census.capacity; i++) {
        if (i + AHEAD < d->census.capacity)
            __builtin_prefetch((const void *)(uintptr_t)census_object(slots[i + AHEAD]));
        if (!slots[i])
            continue;
        uint64_t object = census_object(slots[i]), references = slots[i] & CENSUS_MANY;
        int immortal = 0;
        int64_t refcount = py_refcount(&d->world, word_at(object), &immortal);
        if (immortal || references == CENSUS_MANY)
            continue;
        if (refcount < (int64_t)references && !negative++)
            example = object;
        if (word_at(word_at(object + PY_TYPE) + PY_TP_FLAGS) & PY_FLAG_HAVE_GC) {
            containers++;
            explained += refcount == (int64_t)references;
        }
    }
    if (negative)
        inside_note_number(d, SEVERITY_WARNING, "objects have more references to them than their refcount says", negative,
                           example);
    if (d->not_visited)
        inside_note_number(d, SEVERITY_NOTE, "references were expected that tp_traverse does not visit", d->not_visited,
                           d->not_visited_example);
    if (d->refused)
        inside_note_number(d, SEVERITY_WARNING, "words were expected to be references and lead to no object", d->refused,
                           d->refused_example);
    inside_note_number(d, SEVERITY_NOTE, "containers were looked at for their refcount", containers, 0);
    inside_note_number(d, SEVERITY_NOTE, "of them have a refcount that references and exact roots explain", explained, 0);
}
