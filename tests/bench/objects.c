/* Objects with two references, of librefheap. */
#include <stdlib.h>

#include <refheap/refheap.h>

#include "objects.h"

struct node {
    RH_OBJECT_HEAD;
    struct node *a, *b;
};
static const struct rh_field fields[] = {RH_STRONG(struct node, a), RH_STRONG(struct node, b)};
static const struct rh_type_spec spec = RH_TYPE_SPEC("node", struct node, fields);

int main(void)
{
    struct rh_heap *heap;
    struct rh_type *type;
    struct node **all = malloc(OBJECTS * sizeof *all);
    if (!all || rh_heap_create(NULL, &heap, NULL) || rh_type_create(heap, &spec, &type, NULL))
        return 1;
    rh_disable(heap); /* the others have no collector */
    for (int round = 0; round < ROUNDS; round++) {
        double start = nanoseconds();
        for (int i = 0; i < OBJECTS; i++)
            all[i] = rh_object_new(type);
        double made = nanoseconds();
        for (int turn = 0; turn < TURNS; turn++)
            for (int i = 0; i < OBJECTS; i++) {
                rh_incref(all[i]);
                USE(all[i]);
                rh_decref(all[i]);
            }
        double referred = nanoseconds();
        for (int i = 0; i < OBJECTS; i++)
            rh_decref(all[i]);
        double freed = nanoseconds();
        for (int i = 0; i < OBJECTS; i++)
            rh_decref(rh_object_new(type));
        say(start, made, referred, freed, nanoseconds());
    }
    free(all);
    return rh_heap_destroy(heap) != 0;
}
