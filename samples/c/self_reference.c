/* An object that holds itself: the smallest cycle there is. */
#include "sample.h"

int main(int argc, char **argv)
{
    struct rh_heap *heap = sample_heap("self reference");
    struct rh_object *klass = sample_need(rh_class_new(heap, "Widget", NULL));
    struct rh_object *widget = sample_need(rh_instance_new(klass));

    rh_attr_set(widget, "me", widget);
    printf("Made a Widget whose attribute `me` is the Widget itself.\n");
    rh_decref(widget);
    rh_decref(klass);
    printf("Dropped the last outside reference to it: its refcount is still 1.\n");

    int status = sample_end(heap, argc, argv);
    printf("%zu objects leaked.\n", rh_heap_destroy(heap));
    return status;
}
