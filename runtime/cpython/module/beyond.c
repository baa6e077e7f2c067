/* Holders that are not the data of a module: the stacks of threads, and what objects of unknown layout have in words that
 * tp_traverse does not visit. */
#include "python.h"

#include "inside.h"

#include "../../../dumpfmt/rawsys.h"

enum { RED_ZONE = 128, STATE_SIZE = 512 };
#define STACK_MAX (UINT64_C(64) << 20)

struct stack {
    uint64_t tid, sp;
    uint32_t thread;
};

/* ---- stacks ---- */

/* "/proc/self/task/TID/FILE" */
static size_t read_of_thread(uint64_t tid, const char *file, char *to, size_t size)
{
    char path[64] = "/proc/self/task/", digits[20];
    size_t n = 0, used = 16;
    do
        digits[n++] = (char)('0' + tid % 10);
    while (tid /= 10);
    while (n)
        path[used++] = digits[--n];
    strcpy(path + used, file);
    long fd = raw_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    long got = raw_read((int)fd, to, size - 1);
    raw_close((int)fd);
    to[got > 0 ? got : 0] = 0;
    return got > 0 ? (size_t)got : 0;
}

/* The kernel says where a thread that waits in it has its stack: the number before the last. One that runs is not found, and
 * holds in C what it may. */
static uint64_t waiting_at(uint64_t tid)
{
    char state[STATE_SIZE];
    uint64_t sp = 0;
    size_t n = read_of_thread(tid, "/syscall", state, sizeof state), end = n;
    for (int spaces = 0; end && spaces < 1; end--)
        spaces += state[end - 1] == ' ';
    if (!end)
        return 0;
    size_t from = end;
    while (from && state[from - 1] != ' ')
        from--;
    for (size_t i = from; i < end; i++) {
        char c = state[i];
        if (c >= '0' && c <= '9')
            sp = sp << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            sp = sp << 4 | (uint64_t)(c - 'a' + 10);
        else
            sp = 0; /* the x of 0x */
    }
    return sp;
}

void holders_thread(struct inside *d, uint32_t thread, uint64_t tid)
{
    struct holders *h = &d->holders;
    uint64_t sp = tid == (uint64_t)raw_gettid() ? d->request->caller : tid ? waiting_at(tid) : 0;
    if (!sp)
        return;
    if (mapping_grow(&h->stacks, (h->stack_count + 1) * sizeof(struct stack)))
        d->out_of_memory = 1;
    else
        ((struct stack *)h->stacks.bytes)[h->stack_count++] = (struct stack){tid, sp, thread};
}

void holders_search_stacks(struct inside *d, const struct map_line *line)
{
    const struct stack *stacks = d->holders.stacks.bytes;
    for (size_t i = 0; i < d->holders.stack_count; i++) {
        uint64_t sp = stacks[i].sp;
        if (sp < line->start || sp >= line->end || !line->readable || !line->writable)
            continue;
        /* What a leaf function may have below its pointer; below the caller's are only the dump's own. */
        if (stacks[i].tid != (uint64_t)raw_gettid())
            sp = sp - line->start > RED_ZONE ? sp - RED_ZONE : line->start;
        sp = (sp + 7) & ~UINT64_C(7);
        uint64_t end = line->end - sp > STACK_MAX ? sp + STACK_MAX : line->end;
        holders_search(d, sp, end, (struct hit){.module = FORMAT_NONE, .thread = stacks[i].thread, .number = stacks[i].tid});
    }
}

/* ---- interpreters ---- */

/* What an interpreter has in its own memory: that of the main one is data of a module from 3.11 on, others' never. */
void holders_search_interpreter(struct inside *d, uint64_t interpreter)
{
    if (d->python->layout_fits)
        holders_search(d, interpreter, interpreter + (uint64_t)d->world.layout->interp_size,
                       (struct hit){.module = FORMAT_NONE, .thread = FORMAT_NONE, .number = HIT_IN_INTERPRETER});
}

/* ---- objects ---- */

void holders_scanned(struct inside *d, uint64_t object)
{
    struct holders *h = &d->holders;
    if (mapping_grow(&h->scanned, (h->scanned_count + 1) * sizeof object))
        d->out_of_memory = 1;
    else
        ((uint64_t *)h->scanned.bytes)[h->scanned_count++] = object;
}

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
