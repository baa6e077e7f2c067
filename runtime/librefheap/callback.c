/* Callbacks of the program at the start and the stop of a collection. */
#include <string.h>

#include "internal.h"

int rh_callback_add(struct rh_heap *heap, rh_gc_callback callback, void *context)
{
    if (heap_grow(heap, &heap->callbacks, heap->callback_count, &heap->callback_capacity, sizeof *heap->callbacks))
        return RH_ERR_NO_MEMORY;
    heap->callbacks[heap->callback_count++] = (struct callback){callback, context};
    return 0;
}

void rh_callback_remove(struct rh_heap *heap, rh_gc_callback callback, void *context)
{
    for (size_t i = 0; i < heap->callback_count; i++)
        if (heap->callbacks[i].function == callback && heap->callbacks[i].context == context) {
            memmove(&heap->callbacks[i], &heap->callbacks[i + 1],
                    (--heap->callback_count - i) * sizeof *heap->callbacks);
            return;
        }
}

/* A callback may add and remove callbacks, itself too: those that are there are called, each once. */
void callbacks_call(struct rh_heap *heap, enum rh_gc_phase phase, const struct rh_gc_info *info)
{
    if (!heap->callback_count)
        return;
    struct user_state state = user_begin(heap);
    for (size_t i = 0; i < heap->callback_count;) {
        struct callback called = heap->callbacks[i];
        called.function(phase, info, called.context);
        int stayed = i < heap->callback_count && heap->callbacks[i].function == called.function &&
                     heap->callbacks[i].context == called.context;
        i += (size_t)stayed;
    }
    user_end(heap, state);
}
