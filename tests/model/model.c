#include "model_state.h"

#include <stdlib.h>
#include <string.h>

#include <refheap/refheap.h>

/* ---- the operations ---- */

static int make(struct world *w, int h, enum kind kind, int length, struct action action)
{
    static const int fields[KINDS] = {[PLAIN] = 2, [FINAL] = 2,  [LEGACY] = 2,  [BOTH] = 2, [HAND] = 2,
                                      [ODD] = 6,   [MEMBER] = 1, [WEAKREF] = 1, [BARE] = 2};
    struct model *m = model_of(w);
    if (is_container(kind))
        model_make_room(m, h);
    if (m->stress)
        model_collect(w, h, 2);
    int id = world_name(w, h, kind, action);
    struct thing *t = &m->things[id];
    t->alive = 1;
    t->refcount = 1;
    t->target = NOBODY;
    for (int i = 0; i < fields[kind] + length; i++)
        model_list_append(&t->refs, NOBODY);
    if (is_container(kind) && kind != DICT)
        model_track(m, id);
    return id;
}

static int make_weakref(struct world *w, int target, int callback, int data, struct action action)
{
    struct model *m = model_of(w);
    int id = make(w, w->heap_of[target], WEAKREF, 0, action);
    m->things[id].callback = callback;
    model_weak_point(m, id, target);
    model_store(m, &m->things[id].refs.ids[0], data);
    return id;
}

static void op_incref(struct world *w, int id)
{
    model_incref(model_of(w), id);
}

static void op_decref(struct world *w, int id)
{
    model_decref(model_of(w), id);
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
    model_store(m, &m->things[id].refs.ids[index], value);
}

static void append(struct world *w, int id, int value)
{
    struct model *m = model_of(w);
    model_incref(m, value);
    if (w->kinds[id] == FAMILY)
        model_list_insert(&m->things[id].refs, 0, value);
    else
        model_list_append(&m->things[id].refs, value);
}

static void op_remove(struct world *w, int id, int index)
{
    struct model *m = model_of(w);
    int old = m->things[id].refs.ids[index];
    model_list_cut(&m->things[id].refs, index);
    model_decref(m, old);
}

static void clear(struct world *w, int id)
{
    model_empty(model_of(w), id);
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
    if (model_may_be_tracked(m, key) || model_may_be_tracked(m, value))
        model_track(m, id);
    if (at >= 0) {
        model_store(m, &m->things[id].refs.ids[at + 1], value);
        return;
    }
    model_incref(m, key);
    model_incref(m, value);
    model_list_append(&m->things[id].refs, key);
    model_list_append(&m->things[id].refs, value);
}

static int dict_remove(struct world *w, int id, int key)
{
    struct model *m = model_of(w);
    int at = find_key(m, id, key);
    if (at < 0)
        return RH_ERR_NOT_FOUND;
    int value = m->things[id].refs.ids[at + 1];
    model_list_cut(&m->things[id].refs, at);
    model_list_cut(&m->things[id].refs, at);
    model_decref(m, key);
    model_decref(m, value);
    return 0;
}

static void weak_set(struct world *w, int id, int target)
{
    model_weak_point(model_of(w), id, target);
}

static int weak_get(struct world *w, int id)
{
    int target = model_weak_target(model_of(w), id);
    model_incref(model_of(w), target);
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
        model_merge(m, &generations[g], &generations[RH_PERMANENT]);
        m->heaps[h].count[g] = 0;
    }
    for (int i = 0; !on && i < generations[RH_PERMANENT].count;) {
        int id = generations[RH_PERMANENT].ids[i];
        if (m->things[id].immortal)
            i++;
        else
            model_move_to(m, id, &generations[RH_OLD]);
    }
}

static void op_track(struct world *w, int id, int on)
{
    struct model *m = model_of(w);
    if (!is_container(w->kinds[id]))
        return;
    if (on)
        model_track(m, id);
    else
        model_move_to(m, id, NULL);
}

static void immortalize(struct world *w, int id)
{
    struct model *m = model_of(w);
    if (m->things[id].immortal)
        return;
    m->things[id].immortal = 1;
    if (m->things[id].list)
        model_move_to(m, id, &model_heap_of(m, id)->generations[RH_PERMANENT]);
}

static void pin(struct world *w, int id, int name, int on)
{
    struct model *m = model_of(w);
    if (on && m->pin_count < 256) {
        model_incref(m, id);
        m->pins[m->pin_count++] = (struct pin){id, name};
    }
    for (int i = 0; !on && i < m->pin_count; i++)
        if (m->pins[i].id == id && m->pins[i].name == name) {
            m->pins[i] = m->pins[--m->pin_count];
            model_decref(m, id);
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
    model_empty(model_of(w), h);
}

static size_t destroy_heap(struct world *w, int h)
{
    struct model *m = model_of(w);
    size_t leaked = 0;
    if (m->things[h].alive)
        model_decref(m, h);
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
    struct heap *heap = model_heap_of(m, id);
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
            model_list_append(&untracked, id);
    for (int g = 0; g < 4; g++) {
        for (int i = 0; i < heap->generations[g].count; i++)
            model_list_append(&copies[g], heap->generations[g].ids[i]);
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
