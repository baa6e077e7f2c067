/* Two dicts that hold each other, and the strings that go with them. */
#include "sample.h"

int main(int argc, char **argv)
{
    struct rh_heap *heap = sample_heap("two dicts");
    struct rh_object *order = sample_need(rh_dict_new(heap));
    struct rh_object *customer = sample_need(rh_dict_new(heap));
    struct rh_object *name = sample_need(rh_str(heap, "Ada"));

    rh_dict_set_text(customer, "name", name);
    rh_dict_set_text(customer, "last_order", order);
    rh_dict_set_text(order, "customer", customer);
    rh_decref(name);
    printf("order['customer'] is the customer, customer['last_order'] the order.\n");
    rh_decref(order);
    rh_decref(customer);
    printf("Dropped both: two dicts leak, and with them the keys and the name.\n");

    int status = sample_end(heap, argc, argv);
    printf("%zu objects leaked.\n", rh_heap_destroy(heap));
    return status;
}
