/* An exception whose traceback's frame holds the exception: `except Error as e: saved = e` in a language with
 * tracebacks. */
#include "sample.h"

int main(int argc, char **argv)
{
    struct rh_heap *heap = sample_heap("exception and traceback");
    struct rh_object *frame = sample_need(rh_frame_new(heap, "handle_request", NULL));
    struct rh_object *error = sample_need(rh_exception_new(heap, "ConnectionError", "connection reset"));

    rh_dict_put(rh_frame_locals(frame), "payload", sample_need(rh_list_new(heap)));
    rh_exception_pass(error, frame, 42);
    printf("handle_request raised ConnectionError \"connection reset\" at line 42.\n");

    rh_dict_set_text(rh_frame_locals(frame), "saved", error);
    printf("It kept the exception in a local variable, `saved`.\n");
    rh_decref(frame);
    rh_decref(error);
    printf("It returned: exception, traceback, frame and locals hold each other, and the payload.\n");

    int status = sample_end(heap, argc, argv);
    printf("%zu objects leaked.\n", rh_heap_destroy(heap));
    return status;
}
