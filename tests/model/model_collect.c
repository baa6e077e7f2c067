/* The model: its collector. */
#include "model_state.h"

#include <stdlib.h>
#include <string.h>

#include <refheap/refheap.h>

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
            model_move_to(m, id, unreachable);
    }
    for (int i = 0; i < young->count; i++)
        for (int k = 0; k < m->things[young->ids[i]].refs.count; k++) {
            int target = m->things[young->ids[i]].refs.ids[k];
            if (target >= 0 && m->things[target].list == unreachable)
                model_move_to(m, target, young);
        }
}

int model_may_be_tracked(struct model *m, int id)
{
    enum kind kind = m->world.kinds[id];
    return is_container(kind) && (kind != TUPLE || m->things[id].list);
}

/* No container in it. A tuple with empty items is still being made. */
static int is_plain(struct model *m, int id)
{
    for (int i = 0; i < m->things[id].refs.count; i++) {
        int target = m->things[id].refs.ids[i];
        if (target < 0 || model_may_be_tracked(m, target))
            return 0;
    }
    return 1;
}

static void untrack_kind(struct model *m, struct list *young, enum kind kind)
{
    for (int i = 0; i < young->count;) {
        int id = young->ids[i];
        if (m->world.kinds[id] == kind && is_plain(m, id))
            model_move_to(m, id, NULL);
        else
            i++;
    }
}

static void move_legacy(struct model *m, struct list *unreachable, struct list *finalizers)
{
    for (int i = 0; i < unreachable->count;) {
        int id = unreachable->ids[i];
        if (m->world.kinds[id] == LEGACY || m->world.kinds[id] == BOTH)
            model_move_to(m, id, finalizers);
        else
            i++;
    }
    for (int i = 0; i < finalizers->count; i++)
        for (int k = 0; k < m->things[finalizers->ids[i]].refs.count; k++) {
            int target = m->things[finalizers->ids[i]].refs.ids[k];
            if (target >= 0 && m->things[target].list == unreachable)
                model_move_to(m, target, finalizers);
        }
}

/* Returns how many weak references went with their callback. */
static size_t handle_weakrefs(struct model *m, struct list *unreachable)
{
    struct list calls = {0};
    size_t freed = 0;
    for (int i = 0; i < unreachable->count; i++) {
        int id = unreachable->ids[i];
        model_weak_point(m, id, NOBODY);
        while (m->things[id].weaks.count) {
            int w = m->things[id].weaks.ids[0];
            model_weak_point(m, w, NOBODY);
            if (!m->things[w].callback || m->things[w].list == unreachable || model_is_going(m, w))
                continue;
            model_incref(m, w);
            model_list_append(&calls, w);
        }
    }
    for (int i = 0; i < calls.count; i++) {
        int w = calls.ids[i];
        model_run_user_code(m, CALLED_BACK, w, m->things[w].refs.ids[0]);
        model_decref(m, w);
        freed += !m->things[w].alive || model_is_going(m, w);
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
        model_move_to(m, id, &seen);
        if (m->things[id].finalized || !(kind == FINAL || kind == BOTH || kind == HAND))
            continue;
        m->things[id].finalized = 1;
        model_incref(m, id);
        model_run_user_code(m, FINALIZED, id, NOBODY);
        model_decref(m, id);
    }
    model_merge(m, &seen, unreachable);
    free(seen.ids);
}

static void save(struct model *m, int h, int id)
{
    struct thing *garbage = &m->things[h];
    if (!garbage->alive) {
        garbage->alive = 1;
        garbage->refcount = 1;
        m->heaps[h].count[0]++;
        model_track(m, h);
    }
    model_incref(m, id);
    model_list_append(&garbage->refs, id);
}

static void delete_garbage(struct model *m, int h, struct list *unreachable, struct list *old)
{
    while (unreachable->count) {
        int id = unreachable->ids[0];
        if (m->heaps[h].debug & RH_DEBUG_SAVEALL) {
            save(m, h, id);
        } else {
            model_incref(m, id);
            model_empty(m, id);
            model_decref(m, id);
        }
        if (m->things[id].list == unreachable)
            model_move_to(m, id, old);
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
        model_merge(m, &heap->generations[g], young);

    deduce_unreachable(m, young, &unreachable);
    untrack_kind(m, young, TUPLE);
    if (generation == 1)
        heap->pending += (size_t)young->count;
    if (generation == 2) {
        untrack_kind(m, young, DICT);
        heap->pending = 0;
        heap->total = (size_t)young->count;
    }
    model_merge(m, young, old);

    move_legacy(m, &unreachable, &finalizers);
    collected = handle_weakrefs(m, &unreachable);
    finalize_garbage(m, &unreachable);
    deduce_unreachable(m, &unreachable, &final_unreachable);
    model_merge(m, &unreachable, old);
    collected += (size_t)final_unreachable.count;
    delete_garbage(m, h, &final_unreachable, old);
    uncollectable = (size_t)finalizers.count;
    for (int i = 0; i < finalizers.count; i++) {
        int id = finalizers.ids[i];
        if (heap->debug & RH_DEBUG_SAVEALL || m->world.kinds[id] == LEGACY || m->world.kinds[id] == BOTH)
            save(m, h, id);
    }
    model_merge(m, &finalizers, old);

    heap->stats[generation][0]++;
    heap->stats[generation][1] += collected;
    heap->stats[generation][2] += uncollectable;
    free(unreachable.ids);
    free(finalizers.ids);
    free(final_unreachable.ids);
    return collected + uncollectable;
}

size_t model_collect(struct world *w, int h, int generation)
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
void model_make_room(struct model *m, int h)
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
