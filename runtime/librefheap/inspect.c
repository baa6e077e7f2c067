/* The objects of a generation, and who refers to whom, as lists: for programs that look at themselves. */
#include "internal.h"
#include "traverse.h"

struct rh_object *rh_get_objects(struct rh_heap *heap, int generation)
{
    int first = generation < 0 ? RH_YOUNG : generation, last = generation < 0 ? RH_OLD : generation;
    struct rh_object *found = rh_list_new(heap);
    if (!found || generation < -1 || last > RH_UNTRACKED)
        return found;
    for (int g = first; g <= last; g++)
        for (struct rh_links *l = next_of(&heap->lists[g]); l != &heap->lists[g]; l = next_of(l)) {
            if (object_of(l) == found || object_of(l)->refcount == 0)
                continue;
            if (rh_list_append(found, object_of(l))) {
                rh_decref(found);
                return NULL;
            }
        }
    return found;
}

static int is_target(struct rh_object *target, void *wanted)
{
    return target == wanted;
}

struct rh_object *rh_get_referrers(const void *object)
{
    struct rh_heap *heap = rh_heap_of(object);
    struct rh_object *found = rh_list_new(heap);
    for (int g = RH_YOUNG; found && g <= RH_UNTRACKED; g++)
        for (struct rh_links *l = next_of(&heap->lists[g]); l != &heap->lists[g]; l = next_of(l)) {
            struct rh_object *from = object_of(l);
            if (from == found || from->refcount == 0 || !is_container(from) ||
                !traverse(from, is_target, (void *)(uintptr_t)object))
                continue;
            if (rh_list_append(found, from)) {
                rh_decref(found);
                return NULL;
            }
        }
    return found;
}

static int add_target(struct rh_object *target, void *list)
{
    return rh_list_append(list, target);
}

struct rh_object *rh_get_referents(const void *object)
{
    struct rh_object *found = rh_list_new(rh_heap_of(object));
    if (found && traverse((struct rh_object *)(uintptr_t)object, add_target, found)) {
        rh_decref(found);
        return NULL;
    }
    return found;
}
