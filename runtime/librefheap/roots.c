/* Declared roots and pins. */
#include <string.h>

#include "internal.h"

enum { KIND_DECLARED = 1, KIND_PIN = 3 }; /* as FORMAT.md 3.9 numbers them */

static int add_root(struct rh_heap *heap, const char *name, struct rh_object **slot, struct rh_object *object,
                    uint32_t kind)
{
    int status = RH_ERR_NO_MEMORY;
    char *copy = NULL;
    heap_enter(heap);
    if (heap->root_count == heap->root_capacity) {
        size_t capacity = heap->root_capacity ? 2 * heap->root_capacity : 8;
        struct root *roots = heap_allocate(heap, capacity * sizeof *roots), *old = heap->roots;
        if (!roots)
            goto out;
        if (old)
            memcpy(roots, old, heap->root_count * sizeof *roots);
        heap->roots = roots;
        heap->root_capacity = capacity;
        store_barrier();
        heap_free(heap, old);
    }
    copy = heap_copy_text(heap, name ? name : "");
    if (!copy)
        goto out;
    heap->roots[heap->root_count] = (struct root){copy, slot, object, kind, 0};
    store_barrier();
    heap->root_count++;
    status = 0;
out:
    heap_leave(heap);
    return status;
}

static void remove_root(struct rh_heap *heap, size_t i)
{
    heap_enter(heap);
    char *name = heap->roots[i].name;
    heap->roots[i] = heap->roots[heap->root_count - 1];
    store_barrier();
    heap->root_count--;
    heap_free(heap, name);
    heap_leave(heap);
}

int rh_root_add(struct rh_heap *heap, const char *name, void *slot)
{
    return add_root(heap, name, slot, NULL, KIND_DECLARED);
}

void rh_root_remove(struct rh_heap *heap, void *slot)
{
    for (size_t i = heap->root_count; i-- > 0;)
        if (heap->roots[i].slot == slot) {
            remove_root(heap, i);
            return;
        }
}

int rh_pin(void *object, const char *name)
{
    int status = add_root(rh_heap_of(object), name, NULL, object, KIND_PIN);
    if (!status)
        rh_incref(object);
    return status;
}

void rh_unpin(void *object, const char *name)
{
    struct rh_heap *heap = rh_heap_of(object);
    for (size_t i = heap->root_count; i-- > 0;)
        if (heap->roots[i].object == object && !strcmp(heap->roots[i].name, name ? name : "")) {
            remove_root(heap, i);
            rh_decref(object);
            return;
        }
}
