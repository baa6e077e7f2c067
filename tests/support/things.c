#include "things.h"

#include <stdlib.h>

void (*thing_finalizer)(struct thing *);
void (*thing_released)(struct thing *);

static const struct rh_field fields[] = {
    RH_STRONG(struct thing, a),
    RH_STRONG(struct thing, b),
    RH_WEAK(struct thing, w),
    RH_VALUE_INT(struct thing, number),
};

static void finalize(struct rh_object *object)
{
    if (thing_finalizer)
        thing_finalizer((struct thing *)object);
}

static void release(struct rh_object *object)
{
    if (thing_released)
        thing_released((struct thing *)object);
}

struct rh_heap *things_heap(void)
{
    struct rh_heap *heap;
    if (rh_heap_create(NULL, &heap, NULL))
        abort();
    rh_disable(heap);
    thing_finalizer = thing_released = NULL;
    return heap;
}

struct rh_type *things_type(struct rh_heap *heap, enum thing_kind kind)
{
    struct rh_type_spec spec = RH_TYPE_SPEC("thing", struct thing, fields);
    struct rh_type *type;
    if (kind == FINALIZED)
        spec.finalize = finalize;
    if (kind == LEGACY)
        spec.legacy_finalize = finalize;
    spec.release = release;
    if (rh_type_create(heap, &spec, &type, NULL))
        abort();
    return type;
}

struct thing *thing_new(struct rh_type *type, int64_t number, struct thing *a, struct thing *b)
{
    struct thing *thing = rh_object_new(type);
    if (!thing)
        abort();
    thing->number = number;
    rh_assign(&thing->a, a);
    rh_assign(&thing->b, b);
    return thing;
}

static int count(struct rh_object *object, void *context)
{
    *(size_t *)context += object->refcount < RH_IMMORTAL;
    return 0;
}

size_t objects_in(struct rh_heap *heap, int generation)
{
    size_t n = 0;
    rh_heap_visit(heap, generation, count, &n);
    return n;
}

size_t objects_alive(struct rh_heap *heap)
{
    size_t n = 0;
    for (int g = RH_YOUNG; g <= RH_UNTRACKED; g++)
        rh_heap_visit(heap, g, count, &n);
    return n;
}
