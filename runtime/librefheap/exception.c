/* cell, frame, traceback and exception: what closures and errors are made of, and the cycles they are known for. */
#include <string.h>

#include "class.h"
#include "table.h"

struct cell_object {
    RH_OBJECT_HEAD;
    struct rh_object *content;
};

struct frame_object {
    RH_OBJECT_HEAD;
    struct rh_object *name; /* of the function */
    struct rh_object *back; /* the caller's frame */
    struct rh_object *locals;
};

struct traceback_object {
    RH_OBJECT_HEAD;
    struct rh_object *next; /* towards where the exception was raised */
    struct rh_object *frame;
    int line;
};

struct exception_object {
    RH_OBJECT_HEAD;
    struct rh_object *name, *message;
    struct rh_object *traceback;
    struct rh_object *cause;
    struct table table; /* attributes */
};

static const struct rh_field cell_fields[] = {RH_STRONG(struct cell_object, content)};
static const struct rh_field frame_fields[] = {
    RH_STRONG(struct frame_object, name),
    RH_STRONG(struct frame_object, back),
    RH_STRONG(struct frame_object, locals),
};
static const struct rh_field traceback_fields[] = {
    RH_STRONG(struct traceback_object, next),
    RH_STRONG(struct traceback_object, frame),
    RH_VALUE_INT(struct traceback_object, line),
};
static const struct rh_field exception_fields[] = {
    RH_STRONG(struct exception_object, name),
    RH_STRONG(struct exception_object, message),
    RH_STRONG(struct exception_object, traceback),
    RH_STRONG(struct exception_object, cause),
    TABLE_FIELDS(struct exception_object, TABLE_ATTRIBUTES),
};

static void exception_clear(struct rh_object *object)
{
    table_clear(object->type->heap, &((struct exception_object *)object)->table);
}

int exceptions_create(struct rh_heap *heap, struct rh_error *err)
{
    static const struct rh_type_spec cell = RH_TYPE_SPEC("cell", struct cell_object, cell_fields);
    static const struct rh_type_spec frame = RH_TYPE_SPEC("frame", struct frame_object, frame_fields);
    static const struct rh_type_spec traceback = RH_TYPE_SPEC("traceback", struct traceback_object, traceback_fields);
    static const struct rh_type_spec exception = RH_TYPE_SPEC("exception", struct exception_object, exception_fields);
    int status = rh_type_create(heap, &cell, &heap->builtins[RH_TYPE_CELL], err);
    if (!status)
        status = rh_type_create(heap, &frame, &heap->builtins[RH_TYPE_FRAME], err);
    if (!status)
        status = rh_type_create(heap, &traceback, &heap->builtins[RH_TYPE_TRACEBACK], err);
    if (!status)
        status = rh_type_create(heap, &exception, &heap->builtins[RH_TYPE_EXCEPTION], err);
    if (!status)
        heap->builtins[RH_TYPE_EXCEPTION]->clear = exception_clear;
    return status;
}

/* ---- cell ---- */

struct rh_object *rh_cell_new(struct rh_heap *heap, void *content)
{
    struct cell_object *cell = rh_object_new(heap->builtins[RH_TYPE_CELL]);
    if (!cell)
        return NULL;
    rh_assign(&cell->content, content);
    return &cell->object;
}

void *rh_cell_get(const struct rh_object *cell)
{
    return ((const struct cell_object *)cell)->content;
}

void rh_cell_set(struct rh_object *cell, void *content)
{
    rh_assign(&((struct cell_object *)cell)->content, content);
}

/* ---- frame and traceback ---- */

struct rh_object *rh_frame_new(struct rh_heap *heap, const char *function, struct rh_object *back)
{
    struct frame_object *frame = rh_object_new(heap->builtins[RH_TYPE_FRAME]);
    if (!frame)
        return NULL;
    frame->name = name_get(heap, function, strlen(function), 1);
    frame->locals = rh_dict_new(heap);
    rh_assign(&frame->back, back);
    if (!frame->name || !frame->locals) {
        rh_decref(frame);
        return NULL;
    }
    return &frame->object;
}

struct rh_object *rh_frame_locals(const struct rh_object *frame)
{
    return ((const struct frame_object *)frame)->locals;
}

struct rh_object *rh_frame_back(const struct rh_object *frame)
{
    return ((const struct frame_object *)frame)->back;
}

struct rh_object *rh_traceback_next(const struct rh_object *traceback)
{
    return ((const struct traceback_object *)traceback)->next;
}

struct rh_object *rh_traceback_frame(const struct rh_object *traceback)
{
    return ((const struct traceback_object *)traceback)->frame;
}

/* ---- exception ---- */

struct rh_object *rh_exception_new(struct rh_heap *heap, const char *name, const char *message)
{
    struct exception_object *exception = rh_object_new(heap->builtins[RH_TYPE_EXCEPTION]);
    if (!exception)
        return NULL;
    exception->name = name_get(heap, name, strlen(name), 1);
    exception->message = rh_str(heap, message ? message : "");
    if (!exception->name || !exception->message) {
        rh_decref(exception);
        return NULL;
    }
    return &exception->object;
}

int rh_exception_pass(struct rh_object *object, struct rh_object *frame, int line)
{
    struct exception_object *exception = (struct exception_object *)object;
    struct rh_heap *heap = rh_heap_of(object);
    struct traceback_object *traceback = rh_object_new(heap->builtins[RH_TYPE_TRACEBACK]);
    if (!traceback)
        return RH_ERR_NO_MEMORY;
    traceback->line = line;
    rh_assign(&traceback->frame, frame);
    rh_assign(&traceback->next, exception->traceback);
    rh_assign(&exception->traceback, traceback);
    rh_decref(traceback);
    return 0;
}

void rh_exception_set_cause(struct rh_object *exception, struct rh_object *cause)
{
    rh_assign(&((struct exception_object *)exception)->cause, cause);
}

struct rh_object *rh_exception_traceback(const struct rh_object *exception)
{
    return ((const struct exception_object *)exception)->traceback;
}

struct table *exception_attributes(const struct rh_object *exception)
{
    return &((struct exception_object *)(uintptr_t)exception)->table;
}
