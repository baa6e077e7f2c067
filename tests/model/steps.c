#include "steps.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <refheap/refheap.h>

/* ---- doing it ---- */

static void slot_set(struct world *w, int slot, int id)
{
    int old = w->slots[slot];
    w->slots[slot] = id;
    w->ops->decref(w, old);
}

static int room_for(const struct world *w, int objects)
{
    return w->next_id + objects < OBJECTS_MAX;
}

static int has_fields(enum kind kind)
{
    return kind <= HAND || kind == ODD || kind == MEMBER || kind == BARE;
}

static int grows(enum kind kind)
{
    return kind == LIST || kind == ARRAY || kind == FAMILY;
}

/* One more reference, wherever `from` can take one. */
static void link_objects(struct world *w, int from, int to, int index)
{
    enum kind kind = w->kinds[from];
    int count = w->ops->ref_count(w, from);
    if (has_fields(kind)) {
        w->ops->put(w, from, index % count, to);
    } else if (kind == FAMILY) {
        if (w->kinds[to] != MEMBER || w->joined[to] || count >= ITEMS_MAX)
            return;
        w->joined[to] = 1;
        w->ops->append(w, from, to);
    } else if (grows(kind) && count < ITEMS_MAX) {
        w->ops->append(w, from, to);
    } else if (kind == DICT && count < 2 * ITEMS_MAX) {
        w->ops->dict_set(w, from, to, index % 2 ? from : to);
    }
}

void program_cut(struct world *w, int id, int index)
{
    enum kind kind = w->kinds[id];
    int count = w->ops->ref_count(w, id);
    if (count && has_fields(kind))
        w->ops->put(w, id, index % count, NOBODY);
    else if (count && grows(kind))
        w->ops->remove(w, id, index % count);
    else if (count && kind == DICT)
        w->ops->dict_remove(w, id, w->ops->get(w, id, index % count & ~1));
}

static void put(struct world *w, int id, int index, int value)
{
    enum kind kind = w->kinds[id];
    int count = w->ops->ref_count(w, id);
    if (count && (has_fields(kind) || kind == LIST || kind == ARRAY))
        w->ops->put(w, id, index % count, value);
    else if (count && kind == DICT)
        w->ops->dict_set(w, id, w->ops->get(w, id, index % count & ~1), value);
}

static void forget(struct world *w, int id)
{
    enum kind kind = w->kinds[id];
    if (kind == LIST || kind == DICT)
        w->ops->clear(w, id);
    else if (has_fields(kind) || grows(kind))
        for (int i = w->ops->ref_count(w, id); i-- > 0;)
            program_cut(w, id, i);
}

static void collect(struct world *w, int heap, int generation)
{
    world_log(w, RETURNED, heap, (long)w->ops->collect(w, heap, generation));
}

/* User code: finalizers and callbacks. */
void program_act(struct world *w, int self, int data)
{
    const struct action a = w->actions[self];
    const struct action none = {0};
    if (w->quiet || w->acted++ >= ACTIONS_MAX)
        return;
    switch ((enum deed)a.deed) {
    case RESCUE:
        w->ops->incref(w, self);
        slot_set(w, a.slot, self);
        break;
    case FORGET:
        forget(w, self);
        break;
    case LET_GO:
        slot_set(w, a.slot, NOBODY);
        break;
    case WATCH:
        if (room_for(w, 1))
            slot_set(w, a.slot, w->ops->make_weakref(w, self, 1, NOBODY, none));
        break;
    case MAKE:
        if (room_for(w, 1))
            slot_set(w, a.slot, w->ops->make(w, w->heap_of[self], a.other % (DICT + 1), 0, none));
        break;
    case FOLLOW:
        if (has_weak_field(w->kinds[self]))
            slot_set(w, a.slot, w->ops->weak_get(w, self));
        break;
    case GIVE:
        if (w->slots[a.slot] >= 0)
            link_objects(w, w->slots[a.slot], self, a.other);
        break;
    case TAKE:
        if (w->slots[a.slot] >= 0)
            link_objects(w, self, w->slots[a.slot], a.other);
        break;
    case COLLECT:
        collect(w, a.other % w->heap_count, a.slot % 3);
        break;
    case LET_SELF:
        for (int k = 0; k < SLOTS; k++)
            if (w->slots[k] == self)
                slot_set(w, k, NOBODY);
        break;
    case TAKE_DATA:
        w->ops->incref(w, data);
        slot_set(w, a.slot, data);
        break;
    default:
        break;
    }
}

static void new_tuple(struct world *w, const struct step *s)
{
    int items[SLOTS];
    for (int i = 0; i < s->a; i++) { /* making it may collect, which may empty slots */
        items[i] = w->slots[(s->d + i) % SLOTS];
        w->ops->incref(w, items[i]);
    }
    int tuple = w->ops->make(w, s->b % w->heap_count, TUPLE, s->a, s->action);
    for (int i = 0; i < s->a; i++) {
        w->ops->put(w, tuple, i, items[i]);
        w->ops->decref(w, items[i]);
    }
    slot_set(w, s->c, tuple);
}

static void new_weakref(struct world *w, const struct step *s)
{
    int target = w->slots[s->b], data = w->slots[s->d];
    if (data >= 0 && w->heap_of[data] != w->heap_of[target])
        data = NOBODY;
    w->ops->incref(w, target);
    w->ops->incref(w, data);
    int weakref = w->ops->make_weakref(w, target, s->c, data, s->action);
    w->ops->decref(w, target);
    w->ops->decref(w, data);
    slot_set(w, s->a, weakref);
}

static void new_number(struct world *w, int dict, int value)
{
    const struct action none = {0};
    if (w->ops->ref_count(w, dict) >= 2 * ITEMS_MAX)
        return;
    int number = w->ops->make(w, w->heap_of[dict], INT, 0, none);
    w->ops->dict_set(w, dict, number, value >= 0 ? value : number);
    w->ops->decref(w, number);
}

static void new_ring(struct world *w, const struct step *s)
{
    int made[4], count = 1 + s->c % 4, chain = s->c > 5;
    for (int i = 0; i < count; i++) { /* the step's user code is the last one's */
        enum kind kind = chain && i < count - 1 ? BARE : s->a;
        int heap = (s->b + (chain ? i : 0)) % w->heap_count;
        made[i] = w->ops->make(w, heap, kind, 0, i == count - 1 ? s->action : (struct action){0});
    }
    for (int i = 0; i < count - chain; i++)
        link_objects(w, made[i], made[(i + 1) % count], 0);
    if (has_weak_field(s->a) && w->slots[s->d] >= 0)
        w->ops->weak_set(w, made[count - 1], w->slots[s->d]);
    for (int i = count; i-- > 0;)
        w->ops->decref(w, made[i]);
}

static void new_crowd(struct world *w, const struct step *s)
{
    const struct action none = {0};
    int list = w->ops->make(w, s->b % w->heap_count, LIST, 0, s->action);
    for (int i = 0; i < ITEMS_MAX; i++) {
        int item = w->ops->make(w, s->b % w->heap_count, s->a, 0, none);
        w->ops->append(w, list, item);
        w->ops->decref(w, item);
    }
    slot_set(w, s->c, list);
}

/* A step on what is in slot a, which is not empty, and maybe in slot b. */
static void do_to_object(struct world *w, const struct step *s, int one, int other)
{
    enum kind kind = w->kinds[one];
    switch ((enum what)s->what) {
    case LINK:
        if (other >= 0)
            link_objects(w, one, other, s->c);
        break;
    case PUT:
        if (other >= 0)
            put(w, one, s->c, other);
        break;
    case CUT:
        program_cut(w, one, s->c);
        break;
    case CLEAR:
        if (kind != LIST && kind != DICT)
            break;
        w->ops->incref(w, one); /* what goes may empty the slot */
        w->ops->clear(w, one);
        w->ops->decref(w, one);
        break;
    case NUMBER:
        if (kind == DICT && room_for(w, 1))
            new_number(w, one, other);
        break;
    case WEAK_SET:
        if (has_weak_field(kind))
            w->ops->weak_set(w, one, other);
        break;
    case TRACK:
    case UNTRACK:
        w->ops->track(w, one, s->what == TRACK);
        break;
    case IMMORTALIZE:
        w->ops->immortalize(w, one);
        break;
    case PIN:
    case UNPIN:
        w->ops->pin(w, one, s->b % 4, s->what == PIN);
        break;
    default:
        break;
    }
}

static void load(struct world *w, int slot, int from, int index)
{
    int count = w->ops->ref_count(w, from), id = count ? w->ops->get(w, from, index % count) : NOBODY;
    w->ops->incref(w, id);
    slot_set(w, slot, id);
}

static void take_garbage(struct world *w, const struct step *s)
{
    int heap = s->a % w->heap_count, count = w->ops->garbage_count(w, heap);
    if (!count)
        return;
    int id = w->ops->garbage_get(w, heap, s->b % count);
    w->ops->incref(w, id);
    slot_set(w, s->c, id);
}

static void set_threshold(struct world *w, const struct step *s)
{
    const size_t threshold[3] = {s->b, s->c + 1u, s->d + 1u};
    w->ops->set_threshold(w, s->a % w->heap_count, threshold);
}

void program_do_step(struct world *w, const struct step *s)
{
    int heap = s->a % w->heap_count;
    switch ((enum what)s->what) {
    case NEW:
        if (room_for(w, 1))
            slot_set(w, s->c, w->ops->make(w, s->b % w->heap_count, s->a, 0, s->action));
        break;
    case NEW_TUPLE:
        if (room_for(w, 1))
            new_tuple(w, s);
        break;
    case NEW_WEAKREF:
        if (room_for(w, 1) && w->slots[s->b] >= 0)
            new_weakref(w, s);
        break;
    case RING:
        if (room_for(w, 100))
            new_ring(w, s);
        break;
    case CROWD:
        if (room_for(w, 300))
            new_crowd(w, s);
        break;
    case WEAK_GET:
        if (w->slots[s->b] >= 0 && (has_weak_field(w->kinds[w->slots[s->b]]) || w->kinds[w->slots[s->b]] == WEAKREF))
            slot_set(w, s->a, w->ops->weak_get(w, w->slots[s->b]));
        break;
    case LOAD:
        if (w->slots[s->b] >= 0)
            load(w, s->a, w->slots[s->b], s->c);
        break;
    case COPY:
        w->ops->incref(w, w->slots[s->b]);
        slot_set(w, s->a, w->slots[s->b]);
        break;
    case DROP:
        slot_set(w, s->a, NOBODY);
        break;
    case DROP_ALL:
        for (int k = 0; k < SLOTS; k++)
            if (k != s->a)
                slot_set(w, k, NOBODY);
        break;
    case COLLECT_NOW:
        collect(w, heap, s->b);
        break;
    case FREEZE:
    case UNFREEZE:
        w->ops->freeze(w, heap, s->what == FREEZE);
        break;
    case ENABLE:
    case DISABLE:
        w->ops->enable(w, heap, s->what == ENABLE);
        break;
    case THRESHOLD:
        set_threshold(w, s);
        break;
    case SAVEALL:
        w->ops->set_debug(w, heap, s->b ? RH_DEBUG_SAVEALL : 0);
        break;
    case GARBAGE:
        take_garbage(w, s);
        break;
    case FREE_GARBAGE:
        w->ops->garbage_clear(w, heap);
        break;
    default:
        if (w->slots[s->a] >= 0)
            do_to_object(w, s, w->slots[s->a], w->slots[s->b]);
    }
}
