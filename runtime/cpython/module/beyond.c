/* Holders that are neither the data of a module nor on a stack: an interpreter's memory, and what objects of unknown layout
 * have in words that tp_traverse does not visit. */
#include "python.h"

#include "inside.h"

/* ---- interpreters ---- */

/* What an interpreter has in its own memory: that of the main one is data of a module from 3.11 on, others' never. */
void holders_search_interpreter(struct inside *d, uint64_t interpreter)
{
    if (d->python->layout_fits)
        holders_search(d, interpreter, interpreter + (uint64_t)d->world.layout->interp_size,
                       (struct hit){.module = FORMAT_NONE, .thread = FORMAT_NONE, .number = HIT_IN_INTERPRETER});
}

/* ---- objects ---- */

struct scanning {
    struct inside *d;
    uint64_t object;
    uint32_t type;
};

static int is_wanted(struct py_world *world, uint64_t word)
{
    const struct scanning *s = world->context;
    return holders_is_unexplained(s->d, word);
}

static int on_visited(PyObject *target, void *context)
{
    visits_add(context, (uintptr_t)target);
    return 0;
}

/* A scanned word that tp_traverse visited is explained; one that it did not may hold what it leads to. */
static int on_reference(void *context, const struct py_reference *r)
{
    const struct scanning *s = context;
    if (r->bits & EDGE_TRAVERSED && visits_take(&s->d->visits, r->target))
        return 0;
    if (!(r->bits & EDGE_INFERRED) || !holders_is_unexplained(s->d, r->target))
        return 0;
    holders_keep(s->d, (struct hit){.object = r->target,
                                    .where = r->label == PY_LABEL_OFFSET ? s->object + r->number : 0,
                                    .module = FORMAT_NONE,
                                    .thread = FORMAT_NONE,
                                    .number = s->type});
    return 0;
}

void holders_search_objects(struct inside *d)
{
    const uint64_t *objects = d->holders.scanned.bytes;
    struct py_world world = d->world;
    struct scanning s = {.d = d};
    world.is_object = is_wanted;
    world.context = &s;
    for (size_t i = 0; i < d->holders.scanned_count; i++) {
        const struct py_type *known = inside_type(d, objects[i], &s.type);
        if (!known)
            return;
        struct py_type type = *known; /* the table may move */
        s.object = objects[i];
        visits_begin(&d->visits);
        if (inside_is_container(objects[i], &type) && type.traverse)
            ((traverseproc)(uintptr_t)type.traverse)((PyObject *)(uintptr_t)objects[i], on_visited, &d->visits);
        py_references(&world, objects[i], &type, on_reference, &s);
    }
}

/* ---- names ---- */

static size_t put(char *to, size_t used, const char *text)
{
    while (*text && used < INSIDE_TEXT_MAX - 1)
        to[used++] = *text++;
    to[used] = 0;
    return used;
}

uint32_t holders_name(struct inside *d, const struct hit *hit)
{
    if (hit->thread == FORMAT_NONE && hit->number == HIT_IN_INTERPRETER)
        return inside_text(d, "memory of an interpreter");
    if (hit->thread == FORMAT_NONE) {
        size_t used = put(d->text, 0, "memory of ");
        const struct py_type *type = (const struct py_type *)d->types.bytes + hit->number;
        py_type_name(&d->world, type, d->text + used, sizeof d->text - used);
    } else {
        char digits[20];
        uint64_t tid = hit->number;
        size_t n = 0, used = put(d->text, 0, "of thread ");
        do
            digits[n++] = (char)('0' + tid % 10);
        while (tid /= 10);
        while (n)
            d->text[used++] = digits[--n];
        d->text[used] = 0;
    }
    return inside_text(d, d->text);
}
