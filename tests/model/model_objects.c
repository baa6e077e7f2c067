/* The model: references, and what happens when the last one goes. */
#include "model_state.h"

#include <stdlib.h>
#include <string.h>

#include <refheap/refheap.h>

/* ---- lists ---- */

void model_list_insert(struct list *l, int index, int id)
{
    if (l->count == l->room) {
        l->room = l->room ? l->room * 2 : 8;
        l->ids = realloc(l->ids, (size_t)l->room * sizeof *l->ids);
        if (!l->ids)
            abort();
    }
    memmove(l->ids + index + 1, l->ids + index, (size_t)(l->count - index) * sizeof *l->ids);
    l->ids[index] = id;
    l->count++;
}

void model_list_append(struct list *l, int id)
{
    model_list_insert(l, l->count, id);
}

static int list_find(const struct list *l, int id)
{
    for (int i = 0; i < l->count; i++)
        if (l->ids[i] == id)
            return i;
    return -1;
}

void model_list_cut(struct list *l, int index)
{
    l->count--;
    memmove(l->ids + index, l->ids + index + 1, (size_t)(l->count - index) * sizeof *l->ids);
}

static void list_remove(struct list *l, int id)
{
    int index = list_find(l, id);
    if (index >= 0)
        model_list_cut(l, index);
}

/* ---- the lists objects are in ---- */

void model_move_to(struct model *m, int id, struct list *to)
{
    struct thing *t = &m->things[id];
    if (t->list)
        list_remove(t->list, id);
    t->list = to;
    if (to)
        model_list_append(to, id);
}

void model_merge(struct model *m, struct list *from, struct list *to)
{
    while (from != to && from->count)
        model_move_to(m, from->ids[0], to);
}

struct heap *model_heap_of(struct model *m, int id)
{
    return &m->heaps[m->world.heap_of[id]];
}

void model_track(struct model *m, int id)
{
    struct thing *t = &m->things[id];
    if (!t->list)
        model_move_to(m, id, &model_heap_of(m, id)->generations[t->immortal ? RH_PERMANENT : RH_YOUNG]);
}

/* ---- references ---- */

static void destroy(struct model *m, int id);

void model_incref(struct model *m, int id)
{
    if (id >= 0)
        m->things[id].refcount++;
}

void model_decref(struct model *m, int id)
{
    if (id < 0 || --m->things[id].refcount > 0 || m->things[id].immortal)
        return;
    m->things[id].was_tracked = m->things[id].list != NULL;
    model_move_to(m, id, NULL);
    if (model_heap_of(m, id)->dying)
        model_list_append(model_heap_of(m, id)->dying, id);
    else
        destroy(m, id);
}

/* What a field held goes last. */
void model_store(struct model *m, int *field, int value)
{
    int old = *field;
    model_incref(m, value);
    *field = value;
    model_decref(m, old);
}

void model_weak_point(struct model *m, int from, int target)
{
    struct thing *t = &m->things[from];
    if (t->target >= 0)
        list_remove(&m->things[t->target].weaks, from);
    t->target = target;
    if (target >= 0)
        model_list_insert(&m->things[target].weaks, 0, from);
}

/* Without references left, and waiting its turn to be freed. */
int model_is_going(struct model *m, int id)
{
    return m->things[id].refcount <= 0 && !m->things[id].immortal;
}

int model_weak_target(struct model *m, int from)
{
    int target = m->things[from].target;
    return target >= 0 && !model_is_going(m, target) ? target : NOBODY;
}

/* ---- freeing (subtype_dealloc) ---- */

/* What user code drops is freed at once. */
void model_run_user_code(struct model *m, enum event_kind what, int id, int data)
{
    struct list *before = model_heap_of(m, id)->dying;
    model_heap_of(m, id)->dying = NULL;
    world_log(&m->world, what, id, what == CALLED_BACK ? data : 0);
    m->world.act(&m->world, id, data);
    model_heap_of(m, id)->dying = before;
}

/* Runs user code with the object alive for its time. Returns whether that brought the object back. */
static int outlives(struct model *m, int id, enum event_kind what)
{
    m->things[id].refcount = 1;
    if (m->things[id].was_tracked)
        model_track(m, id);
    model_run_user_code(m, what, id, NOBODY);
    if (--m->things[id].refcount > 0 || m->things[id].immortal)
        return 1;
    model_move_to(m, id, NULL);
    return 0;
}

/* PyObject_ClearWeakRefs: all are cleared before any is called. */
static void end_weaks(struct model *m, int id, int silently, struct list *dying)
{
    struct thing *t = &m->things[id];
    struct list calls = {0}, *before = model_heap_of(m, id)->dying;
    while (t->weaks.count) {
        int w = t->weaks.ids[0];
        model_weak_point(m, w, NOBODY);
        if (m->things[w].callback && !model_is_going(m, w) && !silently) {
            model_incref(m, w);
            model_list_append(&calls, w);
        }
    }
    for (int i = 0; i < calls.count; i++) {
        int w = calls.ids[i];
        model_run_user_code(m, CALLED_BACK, w, m->things[w].refs.ids[0]);
        model_heap_of(m, id)->dying = dying;
        model_store(m, &m->things[w].refs.ids[0], NOBODY); /* with the callback; the collector keeps both */
        model_decref(m, w);
        model_heap_of(m, id)->dying = before;
    }
    free(calls.ids);
}

/* Where the i-th reference to go is: arrays, also those in an ODD, go from their end. */
static int going(enum kind kind, int i, int count)
{
    if (kind == LIST || kind == TUPLE || kind == ARRAY)
        return count - 1 - i;
    return kind == ODD && i < 2 ? 1 - i : i;
}

/* Takes the references out of an object, in the order in which they are to go. */
static void detach(struct model *m, int id, struct list *dropped)
{
    struct list *refs = &m->things[id].refs;
    enum kind kind = m->world.kinds[id];
    for (int i = 0; i < refs->count; i++) {
        int *field = &refs->ids[going(kind, i, refs->count)];
        model_list_append(dropped, *field);
        *field = NOBODY;
    }
    if (kind == LIST || kind == ARRAY || kind == FAMILY || kind == DICT)
        refs->count = 0;
}

/* Drops all references of an object that goes; what was held by them alone, of its heap, is added to `dying`. */
static void let_go(struct model *m, int id, struct list *dying)
{
    struct list dropped = {0}, *before = model_heap_of(m, id)->dying;
    detach(m, id, &dropped);
    model_heap_of(m, id)->dying = dying;
    for (int i = 0; i < dropped.count; i++)
        model_decref(m, dropped.ids[i]);
    model_heap_of(m, id)->dying = before;
    free(dropped.ids);
}

static void destroy_all(struct model *m, struct list *dying);

static void destroy(struct model *m, int id)
{
    struct thing *t = &m->things[id];
    struct heap *h = model_heap_of(m, id);
    enum kind kind = m->world.kinds[id];
    struct list dying = {0};
    int final = kind == FINAL || kind == BOTH || kind == HAND || kind == ATOM, legacy = kind == LEGACY || kind == BOTH;

    if (final && !t->finalized) {
        t->finalized = is_container(kind); /* others have nowhere to note it */
        if (outlives(m, id, FINALIZED))
            return;
    }
    end_weaks(m, id, 0, &dying);
    if (legacy && outlives(m, id, LEGACY_FINALIZED)) {
        destroy_all(m, &dying);
        return;
    }
    end_weaks(m, id, 1, &dying);

    let_go(m, id, &dying);
    model_weak_point(m, id, NOBODY);
    if (is_announced(kind))
        world_log(&m->world, RELEASED, id, 0);
    t->alive = 0;
    if (is_container(kind) && h->count[0] > 0)
        h->count[0]--;
    destroy_all(m, &dying);
}

static void destroy_all(struct model *m, struct list *dying)
{
    for (int i = 0; i < dying->count; i++)
        destroy(m, dying->ids[i]);
    free(dying->ids);
}

/* Empties an object that stays, one reference after the other. */
void model_empty(struct model *m, int id)
{
    struct list dropped = {0};
    detach(m, id, &dropped);
    for (int i = 0; i < dropped.count; i++)
        model_decref(m, dropped.ids[i]);
    free(dropped.ids);
}
