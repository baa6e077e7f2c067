/* What CPython's interpreters, threads and running frames hold. */
#include <stdlib.h>

#include "cpython_write.h"
#include "holders.h"

enum { THREADS_MAX = 1 << 16, FRAMES_MAX = 1 << 20, PTHREAD_TID = 720, TEXT_BYTES = 512 };

struct root_place {
    struct reading *r;
    uint32_t thread, frame;
};

static int write_root(void *context, const struct py_root *root)
{
    const struct root_place *place = context;
    struct reading *r = place->r;
    struct known_object *o = reading_reach(r, root->object, GENERATION_UNTRACKED);
    if (r->status)
        return r->status;
    if (!o)
        return 0; /* a word that was not set yet */
    if (root->counted)
        o->unexplained -= o->unexplained > INT32_MIN;
    if (root->where)
        holders_exact(r->probe->holders, root->where, root->object);
    else if (root->counted)
        holders_explain(r->probe->holders, root->object);
    struct root_record record = {
        .object = root->object,
        .where = root->where,
        .name = reading_label(r, root->label, root->number, root->text),
        .module = FORMAT_NONE,
        .thread = place->thread,
        .frame = place->frame,
        .kind = (uint16_t)root->kind,
        .flags = (uint16_t)(ROOT_EXACT | (root->counted ? ROOT_COUNTED : 0)),
        .heap = r->heap,
    };
    writer_record(r->probe->writer, SECTION_ROOTS, &record);
    return 0;
}

/* The number of a thread among those of the capture. Before 3.11 there is only pthread_self(), at which the C library
 * keeps the number that the system knows. */
static uint32_t thread_number(struct reading *r, uint64_t thread)
{
    const struct probe_options *options = r->probe->options;
    int native, ok = 1;
    uint64_t id = py_thread_id(&r->world, thread, &native);
    if (!native)
        id = py_u32(r->world.memory, id + PTHREAD_TID, &ok);
    for (size_t i = 0; ok && i < options->thread_count; i++)
        if (options->threads[i].tid == id)
            return (uint32_t)i;
    return FORMAT_NONE;
}

static uint32_t text_of_str(struct reading *r, uint64_t code, int32_t offset)
{
    char text[TEXT_BYTES];
    uint64_t whole;
    int ok = 1;
    uint64_t str = py_u64(r->world.memory, code + (uint64_t)offset, &ok);
    long n = ok && str ? py_str(&r->world, str, text, sizeof text, &whole) : -1;
    return n > 0 ? writer_string(r->probe->writer, text, (size_t)n, sizeof text) : 0;
}

static void write_frame(struct reading *r, const struct py_frame *frame, struct root_place *place, uint32_t depth)
{
    const struct py_layout *l = r->world.layout;
    struct frame_record record = {
        .thread = place->thread,
        .depth = depth,
        .function = text_of_str(r, frame->code, l->code_qualname != -1 ? l->code_qualname : l->code_name),
        .file = text_of_str(r, frame->code, l->code_filename),
        .object = frame->object,
    };
    place->frame = FORMAT_NONE;
    if (place->thread == FORMAT_NONE)
        return; /* a frame is of a thread of the capture */
    place->frame = (uint32_t)writer_count(r->probe->writer, SECTION_FRAMES);
    writer_record(r->probe->writer, SECTION_FRAMES, &record);
}

static int write_frames(struct reading *r, uint64_t thread, struct root_place *place)
{
    struct py_frame frame;
    uint32_t depth = 0;
    for (int end = py_first_frame(&r->world, thread, &frame); !end && depth < FRAMES_MAX;
         end = py_next_frame(&r->world, &frame)) {
        write_frame(r, &frame, place, depth++);
        py_frame_roots(&r->world, &frame, write_root, place);
        if (r->status || !probe_spend(r->probe, 64))
            break;
    }
    return r->status;
}

int reading_write_roots(struct reading *r, const struct interpreter *interpreter)
{
    struct root_place place = {r, FORMAT_NONE, FORMAT_NONE};
    uint64_t thread = py_first_thread(&r->world, interpreter->address);
    py_interpreter_roots(&r->world, r->python->runtime, interpreter->address, write_root, &place);
    for (int n = 0; thread && n < THREADS_MAX && !r->status; n++) {
        place.thread = thread_number(r, thread);
        place.frame = FORMAT_NONE;
        py_thread_roots(&r->world, thread, write_root, &place);
        write_frames(r, thread, &place);
        thread = py_next_thread(&r->world, thread);
    }
    return r->status;
}
