/* An exception whose traceback's frame holds the exception: `except Error as e: saved = e` in a language with
 * tracebacks. */
#include "sample.h"

struct frame {
    RH_OBJECT_HEAD;
    struct rh_object *locals; /* a dict */
    const char *function;
};

struct traceback {
    RH_OBJECT_HEAD;
    struct frame *frame;
    struct traceback *next;
    int line;
};

struct exception {
    RH_OBJECT_HEAD;
    struct traceback *traceback;
    struct exception *cause;
    const char *message;
};

static const struct rh_field frame_fields[] = {
    RH_STRONG(struct frame, locals),
    RH_VALUE_CSTRING(struct frame, function),
};
static const struct rh_field traceback_fields[] = {
    RH_STRONG(struct traceback, frame),
    RH_STRONG(struct traceback, next),
    RH_VALUE_INT(struct traceback, line),
};
static const struct rh_field exception_fields[] = {
    RH_STRONG(struct exception, traceback),
    RH_STRONG(struct exception, cause),
    RH_VALUE_CSTRING(struct exception, message),
};
static const struct rh_type_spec frame_spec = RH_TYPE_SPEC("frame", struct frame, frame_fields);
static const struct rh_type_spec traceback_spec = RH_TYPE_SPEC("traceback", struct traceback, traceback_fields);
static const struct rh_type_spec exception_spec = RH_TYPE_SPEC("exception", struct exception, exception_fields);

int main(int argc, char **argv)
{
    struct rh_heap *heap = sample_heap("exception and traceback");
    struct frame *frame = sample_need(rh_object_new(sample_type(heap, &frame_spec)));
    struct traceback *traceback = sample_need(rh_object_new(sample_type(heap, &traceback_spec)));
    struct exception *exception = sample_need(rh_object_new(sample_type(heap, &exception_spec)));
    struct rh_object *payload = sample_need(rh_list_new(heap));

    frame->function = "handle_request";
    frame->locals = sample_need(rh_dict_new(heap));
    traceback->line = 42;
    exception->message = "connection reset";
    rh_dict_set_text(frame->locals, "payload", payload);
    rh_assign(&traceback->frame, frame);
    rh_assign(&exception->traceback, traceback);
    printf("handle_request raised \"%s\" at line %d.\n", exception->message, traceback->line);

    rh_dict_set_text(frame->locals, "saved", exception);
    printf("It kept the exception in a local variable, `saved`.\n");
    rh_decref(payload);
    rh_decref(frame);
    rh_decref(traceback);
    rh_decref(exception);
    printf("It returned: exception, traceback, frame and locals hold each other, and the payload.\n");

    int status = sample_end(heap, argc, argv);
    printf("%zu objects leaked.\n", rh_heap_destroy(heap));
    return status;
}
