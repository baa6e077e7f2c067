/* A module-level list that everybody appends to and nobody empties. No cycle, no garbage: a heap that only grows. */
#include "sample.h"

static struct rh_object *audit_log; /* the module's variable */

static void handle_request(struct rh_heap *heap, int number)
{
    struct rh_object *record = sample_need(rh_dict_new(heap));
    struct rh_object *id = sample_need(rh_int_new(heap, number));
    struct rh_object *path = sample_need(rh_str(heap, "/index.html"));
    rh_dict_set_text(record, "id", id);
    rh_dict_set_text(record, "path", path);
    rh_list_append(audit_log, record);
    rh_decref(record);
    rh_decref(id);
    rh_decref(path);
}

int main(int argc, char **argv)
{
    struct rh_heap *heap = sample_heap("forgotten list");
    audit_log = sample_need(rh_list_new(heap));
    rh_root_add(heap, "audit_log", &audit_log);

    for (int i = 0; i < 1000; i++)
        handle_request(heap, i);
    printf("Handled 1000 requests; each left a record in the global list `audit_log`.\n");

    int status = sample_end(heap, argc, argv);
    rh_root_remove(heap, &audit_log);
    rh_decref(audit_log);
    printf("%zu objects leaked.\n", rh_heap_destroy(heap));
    return status;
}
