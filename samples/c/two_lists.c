/* Two lists that hold each other. */
#include "sample.h"

int main(int argc, char **argv)
{
    struct rh_heap *heap = sample_heap("two lists");
    struct rh_object *a = sample_need(rh_list_new(heap));
    struct rh_object *b = sample_need(rh_list_new(heap));

    rh_list_append(a, b);
    rh_list_append(b, a);
    printf("Put list b into list a, and a into b.\n");
    rh_decref(a);
    rh_decref(b);
    printf("Dropped both: each is still held by the other.\n");

    int status = sample_end(heap, argc, argv);
    printf("%zu objects leaked.\n", rh_heap_destroy(heap));
    return status;
}
