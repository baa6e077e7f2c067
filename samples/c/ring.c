/* A ring of nodes, each holding the next: a run queue that was thrown away without being taken apart. */
#include "sample.h"

struct task {
    RH_OBJECT_HEAD;
    struct task *next;
    const char *name;
};

static const struct rh_field task_fields[] = {
    RH_STRONG(struct task, next),
    RH_VALUE_CSTRING(struct task, name),
};
static const struct rh_type_spec task_spec = RH_TYPE_SPEC("task", struct task, task_fields);

enum { TASKS = 5 };

int main(int argc, char **argv)
{
    static const char *const names[TASKS] = {"read", "parse", "plan", "run", "reply"};
    struct rh_heap *heap = sample_heap("ring");
    struct rh_type *task_type = sample_type(heap, &task_spec);
    struct task *ring[TASKS];

    for (int i = 0; i < TASKS; i++) {
        ring[i] = sample_need(rh_object_new(task_type));
        ring[i]->name = names[i];
    }
    for (int i = 0; i < TASKS; i++)
        rh_assign(&ring[i]->next, ring[(i + 1) % TASKS]);
    for (int i = 0; i < TASKS; i++)
        rh_decref(ring[i]);
    printf("Made a ring of %d tasks and dropped it: each is held by the one before.\n", TASKS);

    int status = sample_end(heap, argc, argv);
    printf("%zu objects leaked.\n", rh_heap_destroy(heap));
    return status;
}
