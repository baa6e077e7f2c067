/* rh_at_death(): somebody to tell when an object has died, at the latest when its heap goes. A weak reference that
 * belongs to no object: its owner is a mark. */
#include "internal.h"

struct rh_object death_mark;

static void unlink_death(struct rh_heap *heap, struct death *d)
{
    if (d->newer)
        d->newer->older = d->older;
    else
        heap->deaths = d->older;
    if (d->older)
        d->older->newer = d->newer;
}

int rh_at_death(void *object, void (*callback)(void *context), void *context)
{
    struct rh_heap *heap = rh_heap_of(object);
    struct death *d = heap_allocate(heap, sizeof *d);
    if (!d)
        return RH_ERR_NO_MEMORY;
    *d = (struct death){.older = heap->deaths, .callback = callback, .context = context};
    if (rh_weak_set(&d->weak, object)) {
        heap_free(heap, d);
        return RH_ERR_NO_MEMORY;
    }
    d->weak.owner = &death_mark;
    if (d->older)
        d->older->newer = d;
    heap->deaths = d;
    return 0;
}

int rh_not_at_death(void *object, void (*callback)(void *context), void *context)
{
    struct rh_heap *heap = rh_heap_of(object);
    for (struct rh_weak *w = weak_first(object); w; w = w->next) {
        struct death *d = (struct death *)w;
        if (w->owner != &death_mark || d->callback != callback || d->context != context)
            continue;
        weak_unlink(w);
        unlink_death(heap, d);
        heap_free(heap, d);
        return 1;
    }
    return 0;
}

void death_call(struct rh_heap *heap, struct rh_weak *weak)
{
    struct death called = *(struct death *)weak;
    unlink_death(heap, (struct death *)weak);
    heap_free(heap, weak);
    struct user_state state = user_begin(heap);
    called.callback(called.context);
    user_end(heap, state);
}

void deaths_call_all(struct rh_heap *heap)
{
    while (heap->deaths) {
        weak_unlink(&heap->deaths->weak);
        death_call(heap, &heap->deaths->weak);
    }
}
