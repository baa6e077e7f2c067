#include "internal.h"

int builtins_create(struct rh_heap *heap, struct rh_error *err)
{
    int status = scalars_create(heap, err);
    if (!status)
        status = sequences_create(heap, err);
    if (!status)
        status = dicts_create(heap, err);
    if (!status)
        status = classes_create(heap, err);
    if (!status)
        status = weakrefs_create(heap, err);
    if (!status)
        status = sets_create(heap, err);
    if (!status)
        status = exceptions_create(heap, err);
    return status;
}

struct rh_type *rh_builtin_type(struct rh_heap *heap, enum rh_builtin which)
{
    return heap->builtins[which];
}
