/* A cycle broken by hand: what a program without a collector does, and what it costs to remember it every time. */
#include "sample.h"

struct window {
    RH_OBJECT_HEAD;
    struct window *dialog, *owner;
    const char *title;
};

static const struct rh_field window_fields[] = {
    RH_STRONG(struct window, dialog),
    RH_STRONG(struct window, owner),
    RH_VALUE_CSTRING(struct window, title),
};
static const struct rh_type_spec window_spec = RH_TYPE_SPEC("window", struct window, window_fields);

static struct window *open_window(struct rh_type *type, const char *title)
{
    struct window *window = sample_need(rh_object_new(type));
    struct window *dialog = sample_need(rh_object_new(type));
    window->title = title;
    dialog->title = "Are you sure?";
    rh_assign(&window->dialog, dialog);
    rh_assign(&dialog->owner, window);
    rh_decref(dialog);
    return window;
}

int main(int argc, char **argv)
{
    struct rh_heap *heap = sample_heap("broken by hand");
    struct rh_type *type = sample_type(heap, &window_spec);

    struct window *careful = open_window(type, "closed with care");
    struct window *careless = open_window(type, "just dropped");
    rh_assign(&careful->dialog, NULL); /* breaks the cycle: the dialog goes, and with it its reference to the window */
    rh_decref(careful);
    rh_decref(careless);
    printf("Closed two windows. One broke its cycle first and is gone; the other leaks with its dialog.\n");

    int status = sample_end(heap, argc, argv);
    printf("%zu objects leaked.\n", rh_heap_destroy(heap));
    return status;
}
