#include "model.h"

#include <stdlib.h>
#include <string.h>

#include <refheap/refheap.h>

/* Ids in the order of a linked list. */
struct list {
    int *ids, count, room;
};

struct thing {
    struct list refs;  /* NOBODY for an empty field */
    struct list weaks; /* who refers here weakly, newest first */
    struct list *list; /* of a generation, or of a collection under way; NULL: untracked */
    int target;        /* of the weak field or the weak reference */
    int callback;
    long refcount;
    int alive, immortal, finalized;
    int was_tracked; /* before it began to go */
    /* scratch of a collection */
    int candidate;
    long external;
};

struct heap {
    int enabled;
    unsigned debug;
    size_t count[3], threshold[3], pending, total;
    uint64_t stats[3][3];
    struct list generations[4];
    struct list *dying; /* while an object of it lets go of its references */
};

struct pin {
    int id, name;
};

struct model {
    struct world world;
    struct heap heaps[HEAPS];
    struct thing things[OBJECTS_MAX];
    struct pin pins[256];
    int pin_count;
    int collecting; /* one heap at a time */
    int stress;     /* RH_GC_STRESS: a full collection before each object */
};

static struct model *model_of(struct world *w)
{
    return (struct model *)w;
}

/* ---- lists ---- */

static void list_insert(struct list *l, int index, int id)
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

static void list_append(struct list *l, int id)
{
    list_insert(l, l->count, id);
}

static int list_find(const struct list *l, int id)
{
    for (int i = 0; i < l->count; i++)
        if (l->ids[i] == id)
            return i;
    return -1;
}

static void list_cut(struct list *l, int index)
{
    l->count--;
    memmove(l->ids + index, l->ids + index + 1, (size_t)(l->count - index) * sizeof *l->ids);
}

static void list_remove(struct list *l, int id)
{
    int index = list_find(l, id);
    if (index >= 0)
        list_cut(l, index);
}

/* ---- the lists objects are in ---- */

static void move_to(struct model *m, int id, struct list *to)
{
    struct thing *t = &m->things[id];
    if (t->list)
        list_remove(t->list, id);
    t->list = to;
    if (to)
        list_append(to, id);
}

static void merge(struct model *m, struct list *from, struct list *to)
{
    while (from != to && from->count)
        move_to(m, from->ids[0], to);
}

static struct heap *heap_of(struct model *m, int id)
{
    return &m->heaps[m->world.heap_of[id]];
}

static void track(struct model *m, int id)
{
    struct thing *t = &m->things[id];
    if (!t->list)
        move_to(m, id, &heap_of(m, id)->generations[t->immortal ? RH_PERMANENT : RH_YOUNG]);
}

/* ---- references ---- */

static void destroy(struct model *m, int id);

static void incref(struct model *m, int id)
{
    if (id >= 0)
        m->things[id].refcount++;
}

static void decref(struct model *m, int id)
{
    if (id < 0 || --m->things[id].refcount > 0 || m->things[id].immortal)
        return;
    m->things[id].was_tracked = m->things[id].list != NULL;
    move_to(m, id, NULL);
    if (heap_of(m, id)->dying)
        list_append(heap_of(m, id)->dying, id);
    else
        destroy(m, id);
}

/* What a field held goes last. */
static void store(struct model *m, int *field, int value)
{
    int old = *field;
    incref(m, value);
    *field = value;
    decref(m, old);
}

static void weak_point(struct model *m, int from, int target)
{
    struct thing *t = &m->things[from];
    if (t->target >= 0)
        list_remove(&m->things[t->target].weaks, from);
    t->target = target;
    if (target >= 0)
        list_insert(&m->things[target].weaks, 0, from);
}

/* Without references left, and waiting its turn to be freed. */
static int is_going(struct model *m, int id)
{
    return m->things[id].refcount <= 0 && !m->things[id].immortal;
}

static int weak_target(struct model *m, int from)
{
    int target = m->things[from].target;
    return target >= 0 && !is_going(m, target) ? target : NOBODY;
}

/* ---- freeing (subtype_dealloc) ---- */

/* What user code drops is freed at once. */
static void run_user_code(struct model *m, enum event_kind what, int id, int data)
{
    struct list *before = heap_of(m, id)->dying;
    heap_of(m, id)->dying = NULL;
    world_log(&m->world, what, id, what == CALLED_BACK ? data : 0);
    m->world.act(&m->world, id, data);
    heap_of(m, id)->dying = before;
}

/* Runs user code with the object alive for its time. Returns whether that brought the object back. */
static int outlives(struct model *m, int id, enum event_kind what)
{
    m->things[id].refcount = 1;
    if (m->things[id].was_tracked)
        track(m, id);
    run_user_code(m, what, id, NOBODY);
    if (--m->things[id].refcount > 0 || m->things[id].immortal)
        return 1;
    move_to(m, id, NULL);
    return 0;
}

/* PyObject_ClearWeakRefs: all are cleared before any is called. */
static void end_weaks(struct model *m, int id, int silently, struct list *dying)
{
    struct thing *t = &m->things[id];
    struct list calls = {0}, *before = heap_of(m, id)->dying;
    while (t->weaks.count) {
        int w = t->weaks.ids[0];
        weak_point(m, w, NOBODY);
        if (m->things[w].callback && !is_going(m, w) && !silently) {
            incref(m, w);
            list_append(&calls, w);
        }
    }
    for (int i = 0; i < calls.count; i++) {
        int w = calls.ids[i];
        run_user_code(m, CALLED_BACK, w, m->things[w].refs.ids[0]);
        heap_of(m, id)->dying = dying;
        store(m, &m->things[w].refs.ids[0], NOBODY); /* with the callback; the collector keeps both */
        decref(m, w);
        heap_of(m, id)->dying = before;
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
        list_append(dropped, *field);
        *field = NOBODY;
    }
    if (kind == LIST || kind == ARRAY || kind == FAMILY || kind == DICT)
        refs->count = 0;
}

/* Drops all references of an object that goes; what was held by them alone, of its heap, is added to `dying`. */
static void let_go(struct model *m, int id, struct list *dying)
{
    struct list dropped = {0}, *before = heap_of(m, id)->dying;
    detach(m, id, &dropped);
    heap_of(m, id)->dying = dying;
    for (int i = 0; i < dropped.count; i++)
        decref(m, dropped.ids[i]);
    heap_of(m, id)->dying = before;
    free(dropped.ids);
}

static void destroy_all(struct model *m, struct list *dying);

static void destroy(struct model *m, int id)
{
    struct thing *t = &m->things[id];
    struct heap *h = heap_of(m, id);
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
    weak_point(m, id, NOBODY);
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
static void empty(struct model *m, int id)
{
    struct list dropped = {0};
    detach(m, id, &dropped);
    for (int i = 0; i < dropped.count; i++)
        decref(m, dropped.ids[i]);
    free(dropped.ids);
}

/* ---- the collector (gcmodule.c) ---- */

/* After this `unreachable` has what only other objects of `young` refer to, in the order it was in; `young` has the
 * rest: first what is held from elsewhere, then what that leads to. */
static void deduce_unreachable(struct model *m, struct list *young, struct list *unreachable)
{
    for (int i = 0; i < young->count; i++) {
        struct thing *t = &m->things[young->ids[i]];
        t->candidate = 1;
        t->external = t->refcount;
    }
    for (int i = 0; i < young->count; i++)
        for (int k = 0; k < m->things[young->ids[i]].refs.count; k++) {
            int target = m->things[young->ids[i]].refs.ids[k];
            if (target >= 0 && m->things[target].candidate)
                m->things[target].external--;
        }
    for (int i = 0; i < young->count; i++)
        m->things[young->ids[i]].candidate = 0;
    for (int i = 0; i < young->count;) {
        int id = young->ids[i];
        if (m->things[id].external)
            i++;
        else
            move_to(m, id, unreachable);
    }
    for (int i = 0; i < young->count; i++)
        for (int k = 0; k < m->things[young->ids[i]].refs.count; k++) {
            int target = m->things[young->ids[i]].refs.ids[k];
            if (target >= 0 && m->things[target].list == unreachable)
                move_to(m, target, young);
        }
}

static int may_be_tracked(struct model *m, int id)
{
    enum kind kind = m->world.kinds[id];
    return is_container(kind) && (kind != TUPLE || m->things[id].list);
}

/* No container in it. A tuple with empty items is still being made. */
static int is_plain(struct model *m, int id)
{
    for (int i = 0; i < m->things[id].refs.count; i++) {
        int target = m->things[id].refs.ids[i];
        if (target < 0 || may_be_tracked(m, target))
            return 0;
    }
    return 1;
}

static void untrack_kind(struct model *m, struct list *young, enum kind kind)
{
    for (int i = 0; i < young->count;) {
        int id = young->ids[i];
        if (m->world.kinds[id] == kind && is_plain(m, id))
            move_to(m, id, NULL);
        else
            i++;
    }
}

static void move_legacy(struct model *m, struct list *unreachable, struct list *finalizers)
{
    for (int i = 0; i < unreachable->count;) {
        int id = unreachable->ids[i];
        if (m->world.kinds[id] == LEGACY || m->world.kinds[id] == BOTH)
            move_to(m, id, finalizers);
        else
            i++;
    }
    for (int i = 0; i < finalizers->count; i++)
        for (int k = 0; k < m->things[finalizers->ids[i]].refs.count; k++) {
            int target = m->things[finalizers->ids[i]].refs.ids[k];
            if (target >= 0 && m->things[target].list == unreachable)
                move_to(m, target, finalizers);
        }
}

/* Returns how many weak references went with their callback. */
static size_t handle_weakrefs(struct model *m, struct list *unreachable)
{
    struct list calls = {0};
    size_t freed = 0;
    for (int i = 0; i < unreachable->count; i++) {
        int id = unreachable->ids[i];
        weak_point(m, id, NOBODY);
        while (m->things[id].weaks.count) {
            int w = m->things[id].weaks.ids[0];
            weak_point(m, w, NOBODY);
            if (!m->things[w].callback || m->things[w].list == unreachable || is_going(m, w))
                continue;
            incref(m, w);
            list_append(&calls, w);
        }
    }
    for (int i = 0; i < calls.count; i++) {
        int w = calls.ids[i];
        run_user_code(m, CALLED_BACK, w, m->things[w].refs.ids[0]);
        decref(m, w);
        freed += !m->things[w].alive || is_going(m, w);
    }
    free(calls.ids);
    return freed;
}

static void finalize_garbage(struct model *m, struct list *unreachable)
{
    struct list seen = {0};
    while (unreachable->count) {
        int id = unreachable->ids[0];
        enum kind kind = m->world.kinds[id];
        move_to(m, id, &seen);
        if (m->things[id].finalized || !(kind == FINAL || kind == BOTH || kind == HAND))
            continue;
        m->things[id].finalized = 1;
        incref(m, id);
        run_user_code(m, FINALIZED, id, NOBODY);
        decref(m, id);
    }
    merge(m, &seen, unreachable);
    free(seen.ids);
}

static void save(struct model *m, int h, int id)
{
    struct thing *garbage = &m->things[h];
    if (!garbage->alive) {
        garbage->alive = 1;
        garbage->refcount = 1;
        m->heaps[h].count[0]++;
        track(m, h);
    }
    incref(m, id);
    list_append(&garbage->refs, id);
}

static void delete_garbage(struct model *m, int h, struct list *unreachable, struct list *old)
{
    while (unreachable->count) {
        int id = unreachable->ids[0];
        if (m->heaps[h].debug & RH_DEBUG_SAVEALL) {
            save(m, h, id);
        } else {
            incref(m, id);
            empty(m, id);
            decref(m, id);
        }
        if (m->things[id].list == unreachable)
            move_to(m, id, old);
    }
}

static size_t collect(struct model *m, int h, int generation)
{
    struct heap *heap = &m->heaps[h];
    struct list *young = &heap->generations[generation], *old = generation < 2 ? young + 1 : young;
    struct list unreachable = {0}, finalizers = {0}, final_unreachable = {0};
    size_t collected, uncollectable;

    if (generation < 2)
        heap->count[generation + 1]++;
    for (int g = 0; g <= generation; g++)
        heap->count[g] = 0;
    for (int g = 0; g < generation; g++)
        merge(m, &heap->generations[g], young);

    deduce_unreachable(m, young, &unreachable);
    untrack_kind(m, young, TUPLE);
    if (generation == 1)
        heap->pending += (size_t)young->count;
    if (generation == 2) {
        untrack_kind(m, young, DICT);
        heap->pending = 0;
        heap->total = (size_t)young->count;
    }
    merge(m, young, old);

    move_legacy(m, &unreachable, &finalizers);
    collected = handle_weakrefs(m, &unreachable);
    finalize_garbage(m, &unreachable);
    deduce_unreachable(m, &unreachable, &final_unreachable);
    merge(m, &unreachable, old);
    collected += (size_t)final_unreachable.count;
    delete_garbage(m, h, &final_unreachable, old);
    uncollectable = (size_t)finalizers.count;
    for (int i = 0; i < finalizers.count; i++) {
        int id = finalizers.ids[i];
        if (heap->debug & RH_DEBUG_SAVEALL || m->world.kinds[id] == LEGACY || m->world.kinds[id] == BOTH)
            save(m, h, id);
    }
    merge(m, &finalizers, old);

    heap->stats[generation][0]++;
    heap->stats[generation][1] += collected;
    heap->stats[generation][2] += uncollectable;
    free(unreachable.ids);
    free(finalizers.ids);
    free(final_unreachable.ids);
    return collected + uncollectable;
}

static size_t model_collect(struct world *w, int h, int generation)
{
    struct model *m = model_of(w);
    size_t found = 0;
    if (!m->collecting) {
        m->collecting = 1;
        found = collect(m, h, generation);
        m->collecting = 0;
    }
    return found;
}

/* A container is about to be made. */
static void make_room(struct model *m, int h)
{
    struct heap *heap = &m->heaps[h];
    heap->count[0]++;
    if (heap->count[0] <= heap->threshold[0] || !heap->threshold[0] || !heap->enabled || m->collecting)
        return;
    for (int g = 2; g >= 0; g--)
        if (heap->count[g] > heap->threshold[g] && (g < 2 || heap->pending >= heap->total / 4)) {
            model_collect(&m->world, h, g);
            return;
        }
}

/* ---- the operations ---- */

static int make(struct world *w, int h, enum kind kind, int length, struct action action)
{
    static const int fields[KINDS] = {[PLAIN] = 2, [FINAL] = 2,  [LEGACY] = 2,  [BOTH] = 2, [HAND] = 2,
                                      [ODD] = 6,   [MEMBER] = 1, [WEAKREF] = 1, [BARE] = 2};
    struct model *m = model_of(w);
    if (is_container(kind))
        make_room(m, h);
    if (m->stress)
        model_collect(w, h, 2);
    int id = world_name(w, h, kind, action);
    struct thing *t = &m->things[id];
    t->alive = 1;
    t->refcount = 1;
    t->target = NOBODY;
    for (int i = 0; i < fields[kind] + length; i++)
        list_append(&t->refs, NOBODY);
    if (is_container(kind) && kind != DICT)
        track(m, id);
    return id;
}

static int make_weakref(struct world *w, int target, int callback, int data, struct action action)
{
    struct model *m = model_of(w);
    int id = make(w, w->heap_of[target], WEAKREF, 0, action);
    m->things[id].callback = callback;
    weak_point(m, id, target);
    store(m, &m->things[id].refs.ids[0], data);
    return id;
}

static void op_incref(struct world *w, int id)
{
    incref(model_of(w), id);
}

static void op_decref(struct world *w, int id)
{
    decref(model_of(w), id);
}

static int ref_count(struct world *w, int id)
{
    return w->kinds[id] == WEAKREF ? 0 : model_of(w)->things[id].refs.count; /* its data is not to be had */
}

static int get(struct world *w, int id, int index)
{
    return model_of(w)->things[id].refs.ids[index];
}

static void put(struct world *w, int id, int index, int value)
{
    struct model *m = model_of(w);
    store(m, &m->things[id].refs.ids[index], value);
}

static void append(struct world *w, int id, int value)
{
    struct model *m = model_of(w);
    incref(m, value);
    if (w->kinds[id] == FAMILY)
        list_insert(&m->things[id].refs, 0, value);
    else
        list_append(&m->things[id].refs, value);
}

static void op_remove(struct world *w, int id, int index)
{
    struct model *m = model_of(w);
    int old = m->things[id].refs.ids[index];
    list_cut(&m->things[id].refs, index);
    decref(m, old);
}

static void clear(struct world *w, int id)
{
    empty(model_of(w), id);
}

static int find_key(struct model *m, int id, int key)
{
    for (int i = 0; i < m->things[id].refs.count; i += 2)
        if (m->things[id].refs.ids[i] == key)
            return i;
    return -1;
}

static void dict_set(struct world *w, int id, int key, int value)
{
    struct model *m = model_of(w);
    int at = find_key(m, id, key);
    if (may_be_tracked(m, key) || may_be_tracked(m, value))
        track(m, id);
    if (at >= 0) {
        store(m, &m->things[id].refs.ids[at + 1], value);
        return;
    }
    incref(m, key);
    incref(m, value);
    list_append(&m->things[id].refs, key);
    list_append(&m->things[id].refs, value);
}

static int dict_remove(struct world *w, int id, int key)
{
    struct model *m = model_of(w);
    int at = find_key(m, id, key);
    if (at < 0)
        return RH_ERR_NOT_FOUND;
    int value = m->things[id].refs.ids[at + 1];
    list_cut(&m->things[id].refs, at);
    list_cut(&m->things[id].refs, at);
    decref(m, key);
    decref(m, value);
    return 0;
}

static void weak_set(struct world *w, int id, int target)
{
    weak_point(model_of(w), id, target);
}

static int weak_get(struct world *w, int id)
{
    int target = weak_target(model_of(w), id);
    incref(model_of(w), target);
    return target;
}

static void enable(struct world *w, int h, int on)
{
    model_of(w)->heaps[h].enabled = on;
}

static void set_threshold(struct world *w, int h, const size_t threshold[3])
{
    memcpy(model_of(w)->heaps[h].threshold, threshold, 3 * sizeof *threshold);
}

static void set_debug(struct world *w, int h, unsigned flags)
{
    model_of(w)->heaps[h].debug = flags;
}

static void freeze(struct world *w, int h, int on)
{
    struct model *m = model_of(w);
    struct list *generations = m->heaps[h].generations;
    for (int g = 0; on && g < 3; g++) {
        merge(m, &generations[g], &generations[RH_PERMANENT]);
        m->heaps[h].count[g] = 0;
    }
    for (int i = 0; !on && i < generations[RH_PERMANENT].count;) {
        int id = generations[RH_PERMANENT].ids[i];
        if (m->things[id].immortal)
            i++;
        else
            move_to(m, id, &generations[RH_OLD]);
    }
}

static void op_track(struct world *w, int id, int on)
{
    struct model *m = model_of(w);
    if (!is_container(w->kinds[id]))
        return;
    if (on)
        track(m, id);
    else
        move_to(m, id, NULL);
}

static void immortalize(struct world *w, int id)
{
    struct model *m = model_of(w);
    if (m->things[id].immortal)
        return;
    m->things[id].immortal = 1;
    if (m->things[id].list)
        move_to(m, id, &heap_of(m, id)->generations[RH_PERMANENT]);
}

static void pin(struct world *w, int id, int name, int on)
{
    struct model *m = model_of(w);
    if (on && m->pin_count < 256) {
        incref(m, id);
        m->pins[m->pin_count++] = (struct pin){id, name};
    }
    for (int i = 0; !on && i < m->pin_count; i++)
        if (m->pins[i].id == id && m->pins[i].name == name) {
            m->pins[i] = m->pins[--m->pin_count];
            decref(m, id);
            return;
        }
}

static int garbage_count(struct world *w, int h)
{
    return model_of(w)->things[h].refs.count;
}

static int garbage_get(struct world *w, int h, int index)
{
    return model_of(w)->things[h].refs.ids[index];
}

static void garbage_clear(struct world *w, int h)
{
    empty(model_of(w), h);
}

static size_t destroy_heap(struct world *w, int h)
{
    struct model *m = model_of(w);
    size_t leaked = 0;
    if (m->things[h].alive)
        decref(m, h);
    model_collect(w, h, RH_OLD);
    for (int id = HEAPS; id < w->next_id; id++)
        leaked += m->things[id].alive && w->heap_of[id] == h && !m->things[id].immortal;
    return leaked;
}

/* ---- looking ---- */

static int is_alive(struct world *w, int id)
{
    return model_of(w)->things[id].alive;
}

static int generation_of(struct model *m, int id)
{
    struct heap *heap = heap_of(m, id);
    const struct list *list = m->things[id].list;
    return list ? (int)(list - heap->generations) : RH_UNTRACKED;
}

static void look(struct world *w, int id, struct sight *s)
{
    struct model *m = model_of(w);
    const struct thing *t = &m->things[id];
    memset(s, 0, sizeof *s);
    s->immortal = t->immortal;
    s->refcount = t->immortal ? 0 : t->refcount;
    s->generation = generation_of(m, id);
    s->tracked = t->list != NULL;
    s->finalized = t->finalized;
    s->weak = t->target;
    s->ref_count = ref_count(w, id);
    if (s->ref_count > ITEMS_MAX * 2)
        s->ref_count = ITEMS_MAX * 2;
    for (int i = 0; i < s->ref_count; i++)
        s->refs[i] = t->refs.ids[i];
}

static void look_heap(struct world *w, int h, struct heap_sight *s)
{
    struct model *m = model_of(w);
    const struct heap *heap = &m->heaps[h];
    memset(s, 0, sizeof *s);
    memcpy(s->threshold, heap->threshold, sizeof s->threshold);
    memcpy(s->count, heap->count, sizeof s->count);
    memcpy(s->stats, heap->stats, sizeof s->stats);
    s->freeze_count = (size_t)heap->generations[RH_PERMANENT].count;
    s->enabled = heap->enabled;
    s->debug = heap->debug;
    s->has_garbage = m->things[h].alive;
    struct list untracked = {0}, copies[4] = {{0}};
    for (int id = 0; id < w->next_id; id++)
        if (m->things[id].alive && w->heap_of[id] == h && !m->things[id].list)
            list_append(&untracked, id);
    for (int g = 0; g < 4; g++) {
        for (int i = 0; i < heap->generations[g].count; i++)
            list_append(&copies[g], heap->generations[g].ids[i]);
        s->lists[g] = copies[g].ids;
        s->list_counts[g] = copies[g].count;
    }
    s->lists[RH_UNTRACKED] = untracked.ids;
    s->list_counts[RH_UNTRACKED] = untracked.count;
}

static const struct world_ops ops = {
    make,          make_weakref, op_incref, op_decref,   ref_count,   get,      put,           append,
    op_remove,     clear,        dict_set,  dict_remove, weak_set,    weak_get, model_collect, enable,
    set_threshold, set_debug,    freeze,    op_track,    immortalize, pin,      garbage_count, garbage_get,
    garbage_clear, destroy_heap, is_alive,  look,        look_heap,
};

struct world *model_open(int heap_count, world_act act)
{
    struct model *m = calloc(1, sizeof *m);
    if (!m)
        abort();
    m->world.ops = &ops;
    m->world.act = act;
    m->world.next_id = HEAPS;
    m->world.heap_count = heap_count;
    m->stress = getenv("RH_GC_STRESS") != NULL;
    for (int k = 0; k < SLOTS; k++)
        m->world.slots[k] = NOBODY;
    for (int h = 0; h < HEAPS; h++) {
        m->world.kinds[h] = LIST;
        m->world.heap_of[h] = h;
        m->things[h].target = NOBODY;
        m->heaps[h].enabled = h < heap_count;
        m->heaps[h].threshold[0] = 700;
        m->heaps[h].threshold[1] = m->heaps[h].threshold[2] = 10;
    }
    return &m->world;
}

void model_close(struct world *world)
{
    struct model *m = model_of(world);
    for (int id = 0; id < world->next_id; id++) {
        free(m->things[id].refs.ids);
        free(m->things[id].weaks.ids);
    }
    for (int h = 0; h < HEAPS; h++)
        for (int g = 0; g < 4; g++)
            free(m->heaps[h].generations[g].ids);
    free(m);
}

void model_reorder(struct world *world, int heap, int generation, const int *ids, int count)
{
    if (count)
        memcpy(model_of(world)->heaps[heap].generations[generation].ids, ids, (size_t)count * sizeof *ids);
}
