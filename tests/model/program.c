#include "program.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <refheap/refheap.h>

#include "library.h"
#include "model.h"

/* What a step does. Letters in the comments are those of struct step; a slot that is empty, or an object the step does
 * not fit, makes it do nothing. */
enum what {
    NEW,          /* slot c := an object of kind a in heap b */
    NEW_TUPLE,    /* slot c := a tuple in heap b of what is in a slots from d on */
    NEW_WEAKREF,  /* slot a := a weak reference to slot b; c: with a callback; data: slot d */
    RING,         /* objects of kind a in heap b, each referring to the next, c says how many and whether a
                     ring or a chain across heaps, are made and let go of */
    CROWD,        /* slot c := a list in heap b of new objects of kind a */
    LINK,         /* slot a's object gets a reference to slot b's; c: which field */
    PUT,          /* slot a's object: item c := slot b */
    CUT,          /* slot a's object: item c goes */
    CLEAR,        /* slot a's list or dict */
    NUMBER,       /* slot a's dict, a new number := slot b */
    WEAK_SET,     /* slot a's weak field := slot b, which may be empty */
    WEAK_GET,     /* slot a := where slot b's weak field or reference points */
    LOAD,         /* slot a := item c of slot b */
    COPY,         /* slot a := slot b */
    DROP,         /* slot a */
    DROP_ALL,     /* all slots but a */
    COLLECT_NOW,  /* heap a, generation b */
    FREEZE,       /* heap a */
    UNFREEZE,     /* heap a */
    TRACK,        /* slot a */
    UNTRACK,      /* slot a */
    IMMORTALIZE,  /* slot a */
    PIN,          /* slot a, name b */
    UNPIN,        /* slot a, name b */
    ENABLE,       /* heap a */
    DISABLE,      /* heap a */
    THRESHOLD,    /* heap a: b, c, d */
    SAVEALL,      /* heap a: b */
    GARBAGE,      /* slot c := item b of heap a's list of garbage */
    FREE_GARBAGE, /* heap a */
    STEPS,
};

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

static void cut(struct world *w, int id, int index)
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
            cut(w, id, i);
}

static void collect(struct world *w, int heap, int generation)
{
    world_log(w, RETURNED, heap, (long)w->ops->collect(w, heap, generation));
}

/* User code: finalizers and callbacks. */
static void act(struct world *w, int self, int data)
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
        cut(w, one, s->c);
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

static void do_step(struct world *w, const struct step *s)
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

/* ---- comparing ---- */

struct pair {
    struct world *library, *model;
    struct outcome *outcome;
};

__attribute__((format(printf, 2, 3))) static int differ(struct pair *p, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(p->outcome->difference, sizeof p->outcome->difference, format, arguments);
    va_end(arguments);
    return -1;
}

static void add_list(char *text, size_t size, const int *ids, int count)
{
    for (int i = 0; i < count && strlen(text) + 24 < size; i++)
        snprintf(text + strlen(text), size - strlen(text), " %d", ids[i]);
}

static int differ_lists(struct pair *p, const char *what, const int *one, int ones, const int *other, int others)
{
    char a[600] = "", b[600] = "";
    if (ones == others && (!ones || !memcmp(one, other, (size_t)ones * sizeof *one)))
        return 0;
    add_list(a, sizeof a, one, ones);
    add_list(b, sizeof b, other, others);
    return differ(p, "%s: library%s, model%s", what, a, b);
}

static void add_events(char *text, size_t size, const struct world *w)
{
    static const char *const names[] = {"finalized", "legacy", "called", "released", "returned"};
    for (int i = 0; i < w->log_count && strlen(text) + 48 < size; i++) {
        const struct event *e = &w->log[i];
        size_t used = strlen(text);
        snprintf(text + used, size - used, e->kind == CALLED_BACK || e->kind == RETURNED ? " %s %d (%ld)" : " %s %d",
                 names[e->kind], e->id, e->value);
    }
}

static int compare_events(struct pair *p)
{
    const struct world *l = p->library, *m = p->model;
    int same = l->log_count == m->log_count;
    for (int i = 0; same && i < l->log_count; i++)
        same = l->log[i].kind == m->log[i].kind && l->log[i].id == m->log[i].id && l->log[i].value == m->log[i].value;
    if (same)
        return 0;
    char a[1800] = "", b[1800] = "";
    add_events(a, sizeof a, l);
    add_events(b, sizeof b, m);
    return differ(p, "user code:\n  library%s\n  model  %s", a, b);
}

static int compare_object(struct pair *p, int id)
{
    struct sight l, m;
    char what[60];
    p->library->ops->look(p->library, id, &l);
    p->model->ops->look(p->model, id, &m);
#define SAME(field)         \
    if (l.field != m.field) \
    return differ(p, "object %d: " #field ": library %ld, model %ld", id, (long)l.field, (long)m.field)
    SAME(refcount);
    SAME(immortal);
    SAME(generation);
    SAME(tracked);
    SAME(finalized);
    SAME(weak);
#undef SAME
    snprintf(what, sizeof what, "object %d: what it holds", id);
    return differ_lists(p, what, l.refs, l.ref_count, m.refs, m.ref_count);
}

static int by_id(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* The model takes over the order of the library; what it decides shows in the order of finalizers. */
static int compare_generation(struct pair *p, int heap, int g, const struct heap_sight *l, const struct heap_sight *m)
{
    char what[60];
    int *order = malloc(((size_t)l->list_counts[g] + 1) * sizeof *order);
    if (!order)
        abort();
    if (l->list_counts[g]) {
        memcpy(order, l->lists[g], (size_t)l->list_counts[g] * sizeof *order);
        qsort(l->lists[g], (size_t)l->list_counts[g], sizeof *order, by_id);
    }
    if (m->list_counts[g])
        qsort(m->lists[g], (size_t)m->list_counts[g], sizeof *order, by_id);
    snprintf(what, sizeof what, g < RH_UNTRACKED ? "heap %d: generation %d" : "heap %d: untracked", heap, g);
    int status = differ_lists(p, what, l->lists[g], l->list_counts[g], m->lists[g], m->list_counts[g]);
    if (!status && g < RH_UNTRACKED)
        model_reorder(p->model, heap, g, order, l->list_counts[g]);
    free(order);
    return status;
}

static int compare_sights(struct pair *p, int heap, const struct heap_sight *l, const struct heap_sight *m)
{
#define SAME(field)                                                                                \
    if (l->field != m->field)                                                                      \
    return differ(p, "heap %d: " #field ": library %lu, model %lu", heap, (unsigned long)l->field, \
                  (unsigned long)m->field)
    for (int g = 0; g < 5; g++)
        if (compare_generation(p, heap, g, l, m))
            return -1;
    for (int g = 0; g < 3; g++) {
        SAME(threshold[g]);
        SAME(count[g]);
        SAME(stats[g][0]);
        SAME(stats[g][1]);
        SAME(stats[g][2]);
    }
    SAME(freeze_count);
    SAME(enabled);
    SAME(debug);
    SAME(has_garbage);
#undef SAME
    return 0;
}

static int compare_heap(struct pair *p, int heap)
{
    struct heap_sight l, m;
    p->library->ops->look_heap(p->library, heap, &l);
    p->model->ops->look_heap(p->model, heap, &m);
    int status = compare_sights(p, heap, &l, &m);
    for (int g = 0; g < 5; g++) {
        free(l.lists[g]);
        free(m.lists[g]);
    }
    if (status)
        return status;
    int ones = p->library->ops->garbage_count(p->library, heap), others = p->model->ops->garbage_count(p->model, heap);
    if (ones != others)
        return differ(p, "heap %d: garbage: library %d, model %d", heap, ones, others);
    for (int i = 0; i < ones; i++)
        if (p->library->ops->garbage_get(p->library, heap, i) != p->model->ops->garbage_get(p->model, heap, i))
            return differ(p, "heap %d: item %d of the garbage", heap, i);
    return 0;
}

/* First what ran, then who is alive, then what they are like. */
static int compare(struct pair *p)
{
    struct world *l = p->library, *m = p->model;
    if (compare_events(p))
        return -1;
    if (l->next_id != m->next_id)
        return differ(p, "objects made: library %d, model %d", l->next_id, m->next_id);
    if (differ_lists(p, "slots", l->slots, SLOTS, m->slots, SLOTS))
        return -1;
    for (int h = 0; h < l->heap_count; h++)
        if (compare_heap(p, h))
            return -1;
    for (int id = 0; id < m->next_id; id++)
        if (m->ops->is_alive(m, id) && compare_object(p, id))
            return -1;
    l->log_count = m->log_count = l->acted = m->acted = 0;
    return 0;
}

/* ---- running ---- */

static int both(struct pair *p, const struct step *s)
{
    do_step(p->library, s);
    do_step(p->model, s);
    return compare(p);
}

/* References of one heap's object to another's, which are not allowed when a heap is destroyed. */
static void sever(struct world *w, int id)
{
    enum kind kind = w->kinds[id];
    if (has_weak_field(kind))
        w->ops->weak_set(w, id, NOBODY);
    for (int i = w->ops->ref_count(w, id); i-- > 0;) {
        if (i >= w->ops->ref_count(w, id))
            continue;
        int target = w->ops->get(w, id, i);
        if (target < 0 || w->heap_of[target] == w->heap_of[id])
            continue;
        if (kind == TUPLE)
            w->ops->put(w, id, i, NOBODY);
        else if (kind == DICT)
            w->ops->clear(w, id);
        else
            cut(w, id, i);
    }
}

static int sever_all(struct pair *p)
{
    for (int id = HEAPS; id < p->model->next_id; id++) {
        if (!p->model->ops->is_alive(p->model, id))
            continue;
        for (int name = 0; name < 4; name++) /* more than it was pinned */
            for (int i = 0; i < 8 && p->model->ops->is_alive(p->model, id); i++) {
                p->library->ops->pin(p->library, id, name, 0);
                p->model->ops->pin(p->model, id, name, 0);
            }
        if (!p->model->ops->is_alive(p->model, id))
            continue;
        p->library->ops->incref(p->library, id);
        p->model->ops->incref(p->model, id);
        sever(p->library, id);
        sever(p->model, id);
        p->library->ops->decref(p->library, id);
        p->model->ops->decref(p->model, id);
        if (compare(p))
            return -1;
    }
    return 0;
}

static int end(struct pair *p)
{
    p->library->quiet = p->model->quiet = 1;
    if (both(p, &(struct step){.what = DROP_ALL, .a = SLOTS}))
        return -1;
    for (int h = 0; h < p->model->heap_count; h++) {
        uint8_t heap = (uint8_t)h;
        if (both(p, &(struct step){.what = SAVEALL, .a = heap}) ||
            both(p, &(struct step){.what = FREE_GARBAGE, .a = heap}))
            return -1;
    }
    if (sever_all(p))
        return -1;
    for (int h = 0; h < p->model->heap_count; h++)
        if (both(p, &(struct step){.what = COLLECT_NOW, .a = (uint8_t)h, .b = RH_OLD}))
            return -1;
    for (int h = 0; h < p->model->heap_count; h++) {
        size_t one = p->library->ops->destroy(p->library, h), other = p->model->ops->destroy(p->model, h);
        if (one != other)
            return differ(p, "heap %d: leaked: library %zu, model %zu", h, one, other);
    }
    return 0;
}

int program_run(const struct program *program, struct outcome *outcome)
{
    struct pair p = {library_open(program->heap_count, act), model_open(program->heap_count, act), outcome};
    int status = compare(&p);
    for (outcome->step = 0; !status && outcome->step < program->count; outcome->step++)
        status = both(&p, &program->steps[outcome->step]);
    if (status) {
        outcome->step--;
    } else {
        outcome->step = -1;
        status = end(&p);
    }
    library_close(p.library);
    model_close(p.model);
    return status;
}

/* ---- making programs ---- */

struct dice {
    uint64_t state;
};

static unsigned roll(struct dice *d, unsigned limit)
{
    d->state ^= d->state << 13; /* xorshift64, Marsaglia 2003 */
    d->state ^= d->state >> 7;
    d->state ^= d->state << 17;
    return (unsigned)((d->state * 0x2545f4914f6cdd1du >> 11) % limit);
}

/* How often a step comes up, of the sum. */
static const uint8_t weights[STEPS] = {
    [NEW] = 60,     [NEW_TUPLE] = 8, [NEW_WEAKREF] = 14, [LINK] = 70,       [RING] = 10,        [CROWD] = 3,
    [PUT] = 6,      [CUT] = 8,       [CLEAR] = 2,        [NUMBER] = 3,      [WEAK_SET] = 10,    [WEAK_GET] = 4,
    [LOAD] = 10,    [COPY] = 3,      [DROP] = 24,        [DROP_ALL] = 3,    [COLLECT_NOW] = 16, [FREEZE] = 1,
    [UNFREEZE] = 2, [TRACK] = 2,     [UNTRACK] = 2,      [IMMORTALIZE] = 1, [PIN] = 2,          [UNPIN] = 3,
    [ENABLE] = 2,   [DISABLE] = 1,   [THRESHOLD] = 3,    [SAVEALL] = 2,     [GARBAGE] = 2,      [FREE_GARBAGE] = 2,
};

/* What a program is about. */
struct taste {
    unsigned odd_kinds; /* of 100: kinds beside PLAIN, FINAL and LIST */
    unsigned deeds;     /* of 100: user code that does something */
    int rare;           /* with the steps that weigh little */
    int weak;           /* with many weak references */
    int automatic;      /* with collections at small thresholds */
    int two_heaps;
};

static uint8_t choose_kind(struct dice *d, const struct taste *t)
{
    static const uint8_t usual[] = {PLAIN, PLAIN, FINAL, FINAL, LIST, BARE};
    static const uint8_t all[] = {PLAIN,  FINAL,  LEGACY, BOTH, HAND, ATOM, ARRAY, ODD,
                                  MEMBER, MEMBER, FAMILY, BARE, LIST, DICT, INT};
    return roll(d, 100) < t->odd_kinds ? all[roll(d, sizeof all)] : usual[roll(d, sizeof usual)];
}

static struct action choose_action(struct dice *d, const struct taste *t)
{
    struct action a = {0};
    if (roll(d, 100) < t->deeds)
        a = (struct action){(uint8_t)(1 + roll(d, DEEDS - 1)), (uint8_t)roll(d, SLOTS), (uint8_t)roll(d, 60)};
    if (a.deed && t->weak && roll(d, 3) == 0)
        a.deed = FOLLOW;
    if (a.deed && t->two_heaps && roll(d, 3) == 0)
        a.deed = COLLECT;
    return a;
}

static unsigned weight_of(const struct taste *t, int what)
{
    if (weights[what] < 3 && !t->rare)
        return 0;
    if (t->weak && (what == NEW_WEAKREF || what == WEAK_SET))
        return weights[what] * 5u;
    if (t->automatic && (what == RING || what == CROWD))
        return weights[what] * 4u;
    if (t->automatic && (what == COLLECT_NOW || what == DROP_ALL || what == DISABLE || what == SAVEALL))
        return 0;
    return weights[what];
}

static uint8_t choose_what(struct dice *d, const struct taste *t)
{
    unsigned sum = 0;
    for (int i = 0; i < STEPS; i++)
        sum += weight_of(t, i);
    unsigned at = roll(d, sum);
    for (int i = 0;; i++) {
        unsigned weight = weight_of(t, i);
        if (at < weight)
            return (uint8_t)i;
        at -= weight;
    }
}

static struct step choose(struct dice *d, const struct taste *t)
{
    struct step s = {choose_what(d, t),       (uint8_t)roll(d, SLOTS), (uint8_t)roll(d, SLOTS),
                     (uint8_t)roll(d, SLOTS), (uint8_t)roll(d, SLOTS), choose_action(d, t)};
    switch ((enum what)s.what) {
    case NEW:
        s.a = choose_kind(d, t);
        break;
    case RING:
    case CROWD:
        s.a = choose_kind(d, t);
        break;
    case NEW_TUPLE:
        s.a = (uint8_t)roll(d, 4);
        break;
    case NEW_WEAKREF:
        s.c = roll(d, 4) > 0;
        if (s.action.deed && roll(d, 3) == 0)
            s.action.deed = LET_SELF;
        break;
    case COLLECT_NOW:
        s.b = (uint8_t)(roll(d, 5) % 3);
        break;
    case THRESHOLD:
        s.c = (uint8_t)roll(d, 3);
        s.d = (uint8_t)roll(d, 3);
        break;
    case SAVEALL:
        s.b = roll(d, 3) == 0;
        break;
    default:
        break;
    }
    return s;
}

void program_make(struct program *program, uint64_t seed, int steps)
{
    struct dice d = {seed * 0x9e3779b97f4a7c15u + 1};
    for (int i = 0; i < 4; i++)
        roll(&d, 2);
    const struct taste t = {
        .odd_kinds = roll(&d, 2) ? 70 : 10,
        .deeds = roll(&d, 3) * 40,
        .rare = roll(&d, 2) != 0,
        .weak = roll(&d, 4) == 0,
        .automatic = roll(&d, 4) == 0,
        .two_heaps = roll(&d, 3) == 0,
    };
    program->heap_count = 1 + t.two_heaps;
    program->count = steps;
    program->steps = calloc((size_t)steps + 1, sizeof *program->steps);
    if (!program->steps)
        abort();
    for (int i = 0; i < steps; i++)
        program->steps[i] = choose(&d, &t);
    if (t.automatic)
        program->steps[0] = (struct step){.what = THRESHOLD, .b = (uint8_t)(1 + roll(&d, 8))};
}

void program_release(struct program *program)
{
    free(program->steps);
    memset(program, 0, sizeof *program);
}

/* ---- in words ---- */

static const char *const kind_names[KINDS] = {"plain",  "final",  "legacy", "both", "hand",  "atom", "array",   "odd",
                                              "member", "family", "bare",   "list", "tuple", "dict", "weakref", "int"};

static void describe_action(const struct action *a, char *text, size_t size)
{
    static const char *const names[DEEDS] = {"",       "RESCUE", "FORGET", "LET_GO",  "WATCH",    "MAKE",
                                             "FOLLOW", "GIVE",   "TAKE",   "COLLECT", "LET_SELF", "TAKE_DATA"};
    text[0] = 0;
    if (a->deed)
        snprintf(text, size, " that does %s(%d, %d)", names[a->deed], a->slot, a->other);
}

void step_describe(const struct step *s, char *text, size_t size)
{
    static const char *const names[STEPS] = {
        "new",     "new_tuple", "new_weakref", "ring",     "crowd",   "link",         "put",  "cut",
        "clear",   "number",    "weak_set",    "weak_get", "load",    "copy",         "drop", "drop_all",
        "collect", "freeze",    "unfreeze",    "track",    "untrack", "immortalize",  "pin",  "unpin",
        "enable",  "disable",   "threshold",   "saveall",  "garbage", "free_garbage",
    };
    char action[60];
    describe_action(&s->action, action, sizeof action);
    if (s->what == NEW)
        snprintf(text, size, "slot %d = new %s in heap %d%s", s->c, kind_names[s->a], s->b, action);
    else if (s->what == NEW_TUPLE)
        snprintf(text, size, "slot %d = new tuple in heap %d of %d slots from %d", s->c, s->b, s->a, s->d);
    else if (s->what == NEW_WEAKREF)
        snprintf(text, size, "slot %d = new weakref to slot %d%s%s, data slot %d", s->a, s->b,
                 s->c ? ", a callback" : "", action, s->d);
    else if (s->what == RING || s->what == CROWD)
        snprintf(text, size, "%s(%s, %d, %d, %d)%s", names[s->what], kind_names[s->a], s->b, s->c, s->d, action);
    else
        snprintf(text, size, "%s(%d, %d, %d, %d)", names[s->what], s->a, s->b, s->c, s->d);
}
