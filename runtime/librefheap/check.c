/* Looking a heap over for mistakes of the program: rh_heap_check(), and what the debug build does besides. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "traverse.h"

/* ---- saying it ---- */

static rh_trap trap_function;
static void *trap_context;

void rh_set_trap(rh_trap function, void *context)
{
    trap_function = function;
    trap_context = context;
}

void trap(const char *what, const void *object)
{
    if (trap_function) {
        trap_function(trap_context, what, object);
        return;
    }
    static const char before[] = "refheap: ";
    if (write(STDERR_FILENO, before, sizeof before - 1) < 0 || write(STDERR_FILENO, what, strlen(what)) < 0 ||
        write(STDERR_FILENO, "\n", 1) < 0)
        what = NULL; /* there is nobody to tell */
#ifdef RH_DEBUG
    __builtin_trap();
#endif
}

static char *put_text(char *to, const char *end, const char *text)
{
    while (*text && to < end)
        *to++ = *text++;
    *to = 0;
    return to;
}

static char *put_number(char *to, const char *end, uint64_t number, unsigned base)
{
    char digits[24];
    int n = 0;
    do
        digits[n++] = "0123456789abcdef"[number % base];
    while (number /= base);
    while (n && to < end)
        *to++ = digits[--n];
    *to = 0;
    return to;
}

/* "<type 0xADDRESS>" */
static char *put_object(char *to, const char *end, const struct rh_object *object)
{
    to = put_text(to, end, "<");
    to = put_text(to, end, object->type->name);
    to = put_text(to, end, " 0x");
    to = put_number(to, end, (uintptr_t)object, 16);
    return put_text(to, end, ">");
}

void rh_refcount_trap(const void *object, const char *file, unsigned line)
{
    char text[TRAP_TEXT], *to = text;
    const char *end = text + sizeof text - 1;
    int64_t count = ((const struct rh_object *)object)->refcount;
    to = put_text(to, end,
                  count == POISON_WORD ? "an object is used after it was freed: 0x"
                                       : "a refcount falls below zero: object 0x");
    to = put_number(to, end, (uintptr_t)object, 16);
    to = put_text(to, end, ", at ");
    to = put_text(to, end, file);
    to = put_text(to, end, ":");
    put_number(to, end, line, 10);
    trap(text, object);
}

/* ---- all objects of a heap ---- */

/* The objects by address, open addressing; with each the references to it that were found. */
struct seen {
    struct rh_object *object;
    int64_t references;
};

struct census {
    struct rh_heap *heap;
    struct seen *slots;
    size_t mask, faults;
    struct rh_object *at; /* whose references are looked at */
};

static struct seen *find_seen(const struct census *c, const void *object)
{
    size_t i = (size_t)((uintptr_t)object * 0x9e3779b97f4a7c15u >> 20) & c->mask;
    while (c->slots[i].object && c->slots[i].object != object)
        i = (i + 1) & c->mask;
    return &c->slots[i];
}

static void each_object(struct census *c, void (*look)(struct census *, struct rh_object *))
{
    for (int i = 0; i < RH_LIST_LIMIT; i++)
        for (struct rh_links *l = next_of(&c->heap->lists[i]); l != &c->heap->lists[i]; l = next_of(l))
            look(c, object_of(l));
}

static void enter(struct census *c, struct rh_object *object)
{
    find_seen(c, object)->object = object;
}

/* ---- references ---- */

static void fault(struct census *c, const char *before, const struct rh_object *object, const char *after)
{
    char text[TRAP_TEXT];
    const char *end = text + sizeof text - 1;
    c->faults++;
    put_text(put_object(put_text(text, end, before), end, object), end, after);
    trap(text, object);
}

static int count_reference(struct rh_object *target, void *context)
{
    struct census *c = context;
    struct seen *seen = find_seen(c, target);
    if (seen->object == target) {
        seen->references++;
        return 0;
    }
    for (const struct rh_heap *h = rh_control.heaps; h; h = h->next) /* it may be of another heap */
        if (h != c->heap)
            return 0;
    fault(c, "a reference leads to no object: held by ", c->at, "");
    return 0;
}

static void count_references_of(struct census *c, struct rh_object *object)
{
    c->at = object;
    traverse(object, count_reference, c);
}

static void judge_count(struct census *c, struct rh_object *object)
{
    if (object->refcount < find_seen(c, object)->references)
        fault(c, "a refcount is lower than the references to ", object, ": it will be freed while in use");
}

/* ---- fields ---- */

/* Bytes of the struct that a field speaks for. */
static size_t extent_of(const struct rh_type *type, const struct rh_field *f)
{
    switch (f->kind) {
    case RH_FIELD_WEAK:
        return sizeof(struct rh_weak);
    case RH_FIELD_INLINE_ARRAY:
    case RH_FIELD_TEXT:
    case RH_FIELD_NAME:
    case RH_FIELD_DATA:
        return f->flags & RH_FIELD_FIXED ? (size_t)f->count_offset * f->stride : type->size - f->offset;
    case RH_FIELD_NOTHING:
        return 0;
    default:
        return 8;
    }
}

static int is_covered(const struct rh_type *type, size_t offset)
{
    for (uint32_t i = 0; i < type->field_count; i++) {
        const struct rh_field *f = &type->fields[i];
        if (offset + 8 > f->offset && offset < f->offset + extent_of(type, f))
            return 1;
    }
    return 0;
}

static void fault_at(struct census *c, const struct rh_object *object, size_t offset)
{
    char text[TRAP_TEXT], *to = text;
    const char *end = text + sizeof text - 1;
    to = put_text(to, end, "the table of type ");
    to = put_text(to, end, object->type->name);
    to = put_text(to, end, " misses a reference: at offset ");
    to = put_number(to, end, offset, 10);
    to = put_text(to, end, " of ");
    put_object(to, end, object);
    c->faults++;
    trap(text, object);
}

/* A word of the struct that is the address of an object, and that no field gives account of. Hand-written types are
 * left out: their clear() may well keep what traverse() does not show. */
static void judge_fields(struct census *c, struct rh_object *object)
{
    const struct rh_type *type = object->type;
    if (type->traverse || type->clear)
        return;
    for (size_t offset = sizeof *object; offset + 8 <= type->size; offset += 8) {
        uintptr_t word = (uintptr_t)read_pointer(object, offset);
        if (word && word % 8 == 0 && find_seen(c, (const void *)word)->object == (const void *)word &&
            !is_covered(type, offset))
            fault_at(c, object, offset);
    }
}

size_t rh_heap_check(struct rh_heap *heap)
{
    struct census c = {.heap = heap};
    size_t objects = 0, capacity = 64;
    for (int i = 0; i < RH_LIST_LIMIT; i++)
        objects += list_length(&heap->lists[i]);
    while (capacity < 2 * objects)
        capacity *= 2;
    c.mask = capacity - 1;
    c.slots = calloc(capacity, sizeof *c.slots);
    if (c.slots) {
        heap_enter(heap);
        each_object(&c, enter);
        each_object(&c, count_references_of);
        each_object(&c, judge_count);
        each_object(&c, judge_fields);
        heap_leave(heap);
    }
    free(c.slots);
    return c.faults;
}

/* ---- the debug build ---- */

#ifdef RH_DEBUG

static __thread char thread_mark __attribute__((tls_model("initial-exec")));

void *debug_thread(void)
{
    return &thread_mark;
}

void debug_check_thread(const struct rh_heap *heap)
{
    char text[TRAP_TEXT], *to = text;
    const char *end = text + sizeof text - 1;
    if (!heap->owner_mark || heap->owner_mark == &thread_mark)
        return;
    to = put_text(to, end, "the heap ");
    to = put_text(to, end, heap->name ? heap->name : "");
    put_text(to, end, " is used by a thread that does not own it; rh_heap_adopt() hands it over");
    trap(text, NULL);
}

/* Freed objects, oldest first, before their memory is given back. */
enum { QUARANTINE = 4096 };
struct kept {
    struct rh_object *object;
    struct rh_type *type;
    size_t size;
};
struct quarantine {
    struct kept kept[QUARANTINE];
    size_t first, count;
};

static void release_oldest(struct rh_heap *heap)
{
    struct quarantine *q = heap->quarantine;
    struct kept *k = &q->kept[q->first];
    const uint64_t *word = (const uint64_t *)k->object;
    int changed = 0;
    for (size_t i = 0; i < k->size / 8; i++)
        changed |= word[i] != (uint64_t)POISON_WORD;
    if (changed) {
        char text[TRAP_TEXT], *to = text;
        const char *end = text + sizeof text - 1;
        to = put_text(to, end, "an object of type ");
        to = put_text(to, end, k->type->name);
        put_text(to, end, " was changed after it was freed");
        trap(text, k->object);
    }
    heap_free(heap, (char *)k->object - heap->prefix);
    q->first = (q->first + 1) % QUARANTINE;
    q->count--;
}

void debug_free(struct rh_object *object, size_t size)
{
    struct rh_heap *heap = object->type->heap;
    struct quarantine *q = heap->quarantine;
    if (!q)
        heap->quarantine = q = calloc(1, sizeof *q);
    if (!q) {
        heap_free(heap, (char *)object - heap->prefix);
        return;
    }
    if (q->count == QUARANTINE)
        release_oldest(heap);
    q->kept[(q->first + q->count++) % QUARANTINE] = (struct kept){object, object->type, size & ~(size_t)7};
    for (size_t i = 0; i < size / 8; i++)
        ((uint64_t *)object)[i] = (uint64_t)POISON_WORD;
}

/* All of it, before the types go. */
void debug_release(struct rh_heap *heap)
{
    while (heap->quarantine && heap->quarantine->count)
        release_oldest(heap);
    free(heap->quarantine);
    heap->quarantine = NULL;
}

void (*rh_pass_hook)(struct rh_heap *heap, const char *pass);

#endif
