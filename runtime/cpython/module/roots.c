/* What is not held by objects: by interpreters, by threads, and by the frames that run. */
#include "python.h"

#include "inside.h"

#include "../../../dumpfmt/rawsys.h"

/* Exported by every version, but not part of the limited API. Neither makes an object. */
PyAPI_FUNC(int) PyCode_Addr2Line(PyCodeObject *, int);
PyAPI_FUNC(int) PyFrame_GetLineNumber(PyFrameObject *);

enum { PTHREAD_TID = 720 };

/* Whose roots are being visited. */
struct place {
    struct inside *d;
    uint32_t thread, frame;
};

void inside_root(struct inside *d, const struct py_root *root, uint32_t thread, uint32_t frame)
{
    struct root_record r = {
        .object = root->object,
        .where = root->where,
        .module = FORMAT_NONE,
        .thread = thread,
        .frame = frame,
        .kind = (uint16_t)root->kind,
        .flags = (uint16_t)(ROOT_EXACT | (root->counted ? ROOT_COUNTED : 0)),
        .heap = d->heap,
    };
    enum label_kind kind;
    uint64_t name;
    inside_label(d, root->label, root->number, root->text, &kind, &name);
    r.name = kind == LABEL_STRING ? (uint32_t)name : 0;
    writer_record(d->writer, SECTION_ROOTS, &r);
    inside_meet(d, root->object, root->counted ? 1 : 0);
    holders_exact(d, root->where);
}

static int on_root(void *context, const struct py_root *root)
{
    struct place *place = context;
    place->d->self = root->where;
    if (root->object && inside_is_object(place->d, root->object))
        inside_root(place->d, root, place->thread, place->frame);
    return 0;
}

/* ---- frames ---- */

static uint32_t line_of(struct inside *d, const struct py_frame *frame)
{
    int line = 0;
    if (frame->object)
        line = PyFrame_GetLineNumber((PyFrameObject *)(uintptr_t)frame->object);
    else if (frame->code && frame->instruction)
        line = PyCode_Addr2Line((PyCodeObject *)(uintptr_t)frame->code,
                                (int)(frame->instruction - frame->code - (uint64_t)d->world.layout->code_adaptive));
    return line > 0 ? (uint32_t)line : 0;
}

static void write_frame(struct inside *d, const struct py_frame *frame, uint32_t thread, uint32_t depth)
{
    const struct py_layout *layout = d->world.layout;
    struct frame_record r = {
        .thread = thread,
        .depth = depth,
        .line = line_of(d, frame),
        .pc = frame->instruction,
        .sp = frame->iframe,
        .object = frame->object,
    };
    if (frame->code) {
        int32_t name = layout->code_qualname >= 0 ? layout->code_qualname : layout->code_name;
        r.function = inside_str(d, word_at(frame->code + (uint64_t)name));
        r.file = inside_str(d, word_at(frame->code + (uint64_t)layout->code_filename));
    }
    writer_record(d->writer, SECTION_FRAMES, &r);
}

/* ---- threads ---- */

/* The kernel's name of a thread of this process; 0 when it cannot be read. */
static uint32_t name_of_thread(struct inside *d, uint64_t tid)
{
    char path[64] = "/proc/self/task/", digits[20];
    size_t n = 0, used = 16;
    if (!tid)
        return 0;
    do
        digits[n++] = (char)('0' + tid % 10);
    while (tid /= 10);
    while (n)
        path[used++] = digits[--n];
    __builtin_memcpy(path + used, "/comm", 6);
    long fd = raw_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    long length = raw_read((int)fd, d->text, 64);
    raw_close((int)fd);
    return length > 1 ? writer_string(d->writer, d->text, (size_t)length - 1, 64) : 0;
}

/* As the system numbers it. Before 3.11 there is only pthread_self(), at which the C library keeps the number; what stands
 * there in another library is believed no further than name_of_thread(). */
static uint64_t tid_of_thread(struct inside *d, uint64_t thread, uint64_t current)
{
    int native = 0;
    uint32_t tid = 0;
    uint64_t id = py_thread_id(&d->world, thread, &native);
    if (native)
        return id;
    if (thread == current)
        return (uint64_t)raw_gettid();
    return self_read(NULL, id + PTHREAD_TID, &tid, sizeof tid) ? 0 : tid;
}

static void write_thread(struct inside *d, uint64_t thread, uint64_t current)
{
    struct thread_record r = {.tid = tid_of_thread(d, thread, current)};
    r.name = name_of_thread(d, r.tid);
    if (!r.name)
        r.tid = 0; /* there is no such thread */
    writer_record(d->writer, SECTION_THREADS, &r);

    struct place place = {d, d->threads++, FORMAT_NONE};
    holders_thread(d, place.thread, r.tid);
    py_thread_roots(&d->world, thread, on_root, &place);
    struct py_frame frame;
    uint32_t depth = 0;
    for (int end = py_first_frame(&d->world, thread, &frame); !end && !writer_status(d->writer);
         end = py_next_frame(&d->world, &frame)) {
        write_frame(d, &frame, place.thread, depth++);
        place.frame = d->frames++;
        py_frame_roots(&d->world, &frame, on_root, &place);
    }
}

void inside_roots(struct inside *d, uint64_t interpreter)
{
    struct place place = {d, FORMAT_NONE, FORMAT_NONE};
    if (!d->python->layout_fits) {
        inside_note(d, SEVERITY_WARNING,
                    "this build of CPython lays its interpreters out in its own way: what they hold is not written", interpreter);
        return;
    }
    py_interpreter_roots(&d->world, d->python->runtime, interpreter, on_root, &place);
    for (uint64_t t = py_first_thread(&d->world, interpreter); t; t = py_next_thread(&d->world, t))
        write_thread(d, t, (uintptr_t)PyThreadState_Get());
}
