#include "library.h"

#include <stdlib.h>
#include <string.h>

#include <refheap/refheap.h>

struct own {
    RH_OBJECT_HEAD;
    int64_t id;
};

struct node { /* PLAIN to HAND */
    struct own own;
    struct rh_object *a, *b;
    struct rh_weak weak;
};

struct atom {
    struct own own;
    struct rh_weak weak;
};

struct array {
    struct own own;
    struct rh_object **items;
    uint32_t count, room;
};

struct slot {
    uint64_t key;
    struct rh_object *value;
};

struct odd {
    struct own own;
    struct rh_object *fixed[2];
    uintptr_t tagged;
    struct slot *slots;
    uint16_t capacity;
};

struct member {
    struct own own;
    struct rh_object *value;
    struct member *next;
};

struct family {
    struct own own;
    struct member *first;
};

struct bare {
    struct rh_object object;
    struct rh_object *a, *b;
};

static const struct rh_field node_fields[] = {RH_STRONG(struct node, a), RH_STRONG(struct node, b),
                                              RH_WEAK(struct node, weak), RH_VALUE_INT(struct node, own.id)};
static const struct rh_field hand_fields[] = {RH_WEAK(struct node, weak)};
static const struct rh_field atom_fields[] = {RH_WEAK(struct atom, weak)};
static const struct rh_field array_fields[] = {RH_ARRAY_CAPACITY(struct array, items, count, room)};
static const struct rh_field odd_fields[] = {
    RH_FIXED_ARRAY(struct odd, fixed),
    RH_TAGGED(struct odd, tagged, 7, 1),
    RH_TABLE(struct odd, slots, capacity, struct slot, key, value, RH_FIELD_VALUES, 0, 1),
};
static const struct rh_field member_fields[] = {RH_STRONG(struct member, value)};
static const struct rh_field family_fields[] = {RH_CHILDREN(struct family, first, struct member, next)};

static const struct rh_field bare_fields[] = {RH_STRONG(struct bare, a), RH_STRONG(struct bare, b)};

enum { ODD_SLOTS = 3, ADDRESSES = 1 << 13 };

struct library {
    struct world world;
    struct rh_heap *heaps[HEAPS];
    struct rh_type *types[HEAPS][OWN_KINDS];
    void *objects[OBJECTS_MAX]; /* NULL once released, of those whose release is seen */
    /* By address, the last object that was made there. */
    void *addresses[ADDRESSES];
    int at_address[ADDRESSES];
};

static struct library *current; /* for user code, which is given no context */

static struct library *library_of(struct world *w)
{
    return (struct library *)w;
}

static void *need(void *p)
{
    if (!p)
        abort();
    return p;
}

/* ---- objects and their ids ---- */

static size_t address_find(struct library *l, const void *object)
{
    size_t i = (uintptr_t)object / 16 * 0x9e3779b97f4a7c15u >> 51;
    while (l->addresses[i] && l->addresses[i] != object)
        i = (i + 1) % ADDRESSES;
    return i;
}

static int id_of(const void *object)
{
    if (!object)
        return NOBODY;
    size_t i = address_find(current, object);
    return current->addresses[i] ? current->at_address[i] : OBJECTS_MAX;
}

static void know(struct library *l, int id, void *object)
{
    size_t i = address_find(l, object);
    l->addresses[i] = object;
    l->at_address[i] = id;
    l->objects[id] = object;
}

static void *object_of(struct world *w, int id)
{
    return id >= 0 ? library_of(w)->objects[id] : NULL;
}

/* ---- user code ---- */

static void finalized(struct rh_object *object)
{
    int id = (int)((struct own *)object)->id;
    world_log(&current->world, FINALIZED, id, 0);
    current->world.act(&current->world, id, NOBODY);
}

static void legacy_finalized(struct rh_object *object)
{
    int id = (int)((struct own *)object)->id;
    world_log(&current->world, LEGACY_FINALIZED, id, 0);
    current->world.act(&current->world, id, NOBODY);
}

static void released(struct rh_object *object)
{
    int id = (int)((struct own *)object)->id;
    world_log(&current->world, RELEASED, id, 0);
    current->objects[id] = NULL;
}

static void called_back(struct rh_object *weakref, struct rh_object *data)
{
    int id = id_of(weakref);
    world_log(&current->world, CALLED_BACK, id, id_of(data));
    current->world.act(&current->world, id, id_of(data));
}

static int hand_traverse(struct rh_object *object, rh_visit visit, void *context)
{
    const struct node *n = (struct node *)object;
    int status = n->a ? visit(n->a, context) : 0;
    return status || !n->b ? status : visit(n->b, context);
}

static void hand_clear(struct rh_object *object)
{
    struct node *n = (struct node *)object;
    rh_assign(&n->a, NULL);
    rh_assign(&n->b, NULL);
}

static void make_types(struct library *l, int h)
{
    struct rh_type_spec specs[OWN_KINDS] = {
        [PLAIN] = RH_TYPE_SPEC("plain", struct node, node_fields),
        [FINAL] = RH_TYPE_SPEC("final", struct node, node_fields),
        [LEGACY] = RH_TYPE_SPEC("legacy", struct node, node_fields),
        [BOTH] = RH_TYPE_SPEC("both", struct node, node_fields),
        [HAND] = RH_TYPE_SPEC("hand", struct node, hand_fields),
        [ATOM] = RH_TYPE_SPEC("atom", struct atom, atom_fields),
        [ARRAY] = RH_TYPE_SPEC("array", struct array, array_fields),
        [ODD] = RH_TYPE_SPEC("odd", struct odd, odd_fields),
        [MEMBER] = RH_TYPE_SPEC("member", struct member, member_fields),
        [FAMILY] = RH_TYPE_SPEC("family", struct family, family_fields),
        [BARE] = RH_TYPE_SPEC("bare", struct bare, bare_fields),
    };
    specs[FINAL].finalize = specs[BOTH].finalize = specs[HAND].finalize = specs[ATOM].finalize = finalized;
    specs[LEGACY].legacy_finalize = specs[BOTH].legacy_finalize = legacy_finalized;
    specs[HAND].traverse = hand_traverse;
    specs[HAND].clear = hand_clear;
    for (int k = 0; k < OWN_KINDS; k++) {
        specs[k].release = is_announced(k) ? released : NULL;
        if (rh_type_create(l->heaps[h], &specs[k], &l->types[h][k], NULL))
            abort();
    }
}

/* ---- making ---- */

static int make(struct world *w, int h, enum kind kind, int length, struct action action)
{
    struct library *l = library_of(w);
    void *object = kind == LIST    ? rh_list_new(l->heaps[h])
                   : kind == TUPLE ? rh_tuple_new(l->heaps[h], (size_t)length)
                   : kind == DICT  ? rh_dict_new(l->heaps[h])
                   : kind == INT   ? rh_int_new(l->heaps[h], w->next_id)
                                   : rh_object_new(l->types[h][kind]);
    int id = world_name(w, h, kind, action);
    know(l, id, need(object));
    if (is_announced(kind))
        ((struct own *)object)->id = id;
    return id;
}

static int make_weakref(struct world *w, int target, int callback, int data, struct action action)
{
    void *object = rh_weakref_new(object_of(w, target), callback ? called_back : NULL, object_of(w, data));
    int id = world_name(w, w->heap_of[target], WEAKREF, action);
    know(library_of(w), id, need(object));
    return id;
}

static void incref(struct world *w, int id)
{
    rh_xincref(object_of(w, id));
}

static void decref(struct world *w, int id)
{
    rh_xdecref(object_of(w, id));
}

/* ---- references ---- */

static int count_children(const struct family *f)
{
    int n = 0;
    for (const struct member *m = f->first; m; m = m->next)
        n++;
    return n;
}

static int ref_count(struct world *w, int id)
{
    void *o = object_of(w, id);
    switch (w->kinds[id]) {
    case PLAIN:
    case FINAL:
    case LEGACY:
    case BOTH:
    case HAND:
    case BARE:
        return 2;
    case ARRAY:
        return (int)((struct array *)o)->count;
    case ODD:
        return 3 + ODD_SLOTS;
    case MEMBER:
        return 1;
    case FAMILY:
        return count_children(o);
    case LIST:
        return (int)rh_list_length(o);
    case TUPLE:
        return (int)rh_tuple_length(o);
    case DICT:
        return 2 * (int)rh_dict_length(o);
    default:
        return 0;
    }
}

static void *odd_get(const struct odd *o, int index)
{
    if (index < 2)
        return o->fixed[index];
    if (index == 2)
        return o->tagged & 1 ? NULL : (void *)(o->tagged & ~(uintptr_t)7);
    if (index - 3 >= o->capacity)
        return NULL;
    const struct slot *s = &o->slots[index - 3];
    return s->key > 1 ? s->value : NULL;
}

static void odd_put(struct odd *o, int index, void *value)
{
    void *old = odd_get(o, index);
    rh_xincref(value);
    if (index < 2) {
        o->fixed[index] = value;
    } else if (index == 2) {
        o->tagged = value ? (uintptr_t)value | 4 : 5; /* 5: looks like a reference but for its lowest bit */
    } else {
        if (!o->capacity && rh_buffer_resize(rh_heap_of(o), &o->slots, 0, ODD_SLOTS * sizeof *o->slots))
            abort();
        o->capacity = ODD_SLOTS;
        /* What is left behind in a deleted entry is no reference. */
        o->slots[index - 3].key = value ? 7 + (uint64_t)index : 1;
        if (value)
            o->slots[index - 3].value = value;
    }
    rh_xdecref(old);
}

static struct member **child_at(struct family *f, int index)
{
    struct member **link = &f->first;
    while (index-- > 0)
        link = &(*link)->next;
    return link;
}

static void *dict_at(const struct rh_object *dict, int index)
{
    size_t position = 0;
    void *key = NULL, *value = NULL;
    for (int i = 0; i <= index / 2; i++)
        rh_dict_next(dict, &position, &key, &value);
    return index % 2 ? value : key;
}

static void *get_object(struct world *w, int id, int index)
{
    void *o = object_of(w, id);
    switch (w->kinds[id]) {
    case PLAIN:
    case FINAL:
    case LEGACY:
    case BOTH:
    case HAND:
        return index ? ((struct node *)o)->b : ((struct node *)o)->a;
    case BARE:
        return index ? ((struct bare *)o)->b : ((struct bare *)o)->a;
    case ARRAY:
        return ((struct array *)o)->items[index];
    case ODD:
        return odd_get(o, index);
    case MEMBER:
        return ((struct member *)o)->value;
    case FAMILY:
        return *child_at(o, index);
    case LIST:
        return rh_list_get(o, (size_t)index);
    case TUPLE:
        return rh_tuple_get(o, (size_t)index);
    case DICT:
        return dict_at(o, index);
    default:
        return NULL;
    }
}

static int get(struct world *w, int id, int index)
{
    return id_of(get_object(w, id, index));
}

static void put(struct world *w, int id, int index, int value)
{
    void *o = object_of(w, id), *v = object_of(w, value);
    switch (w->kinds[id]) {
    case PLAIN:
    case FINAL:
    case LEGACY:
    case BOTH:
    case HAND:
        rh_assign(index ? &((struct node *)o)->b : &((struct node *)o)->a, v);
        break;
    case BARE:
        rh_assign(index ? &((struct bare *)o)->b : &((struct bare *)o)->a, v);
        break;
    case ARRAY:
        rh_assign(&((struct array *)o)->items[index], v);
        break;
    case ODD:
        odd_put(o, index, v);
        break;
    case MEMBER:
        rh_assign(&((struct member *)o)->value, v);
        break;
    case LIST:
        rh_list_set(o, (size_t)index, v);
        break;
    case TUPLE:
        rh_tuple_set(o, (size_t)index, v);
        break;
    default:
        abort();
    }
}

static void append(struct world *w, int id, int value)
{
    void *o = object_of(w, id), *v = object_of(w, value);
    struct array *a = o;
    if (w->kinds[id] == LIST) {
        if (rh_list_append(o, v))
            abort();
        return;
    }
    rh_incref(v);
    if (w->kinds[id] == FAMILY) {
        ((struct member *)v)->next = ((struct family *)o)->first;
        ((struct family *)o)->first = v;
        return;
    }
    if (a->count == a->room) {
        if (rh_buffer_resize(rh_heap_of(a), &a->items, a->room * sizeof *a->items, (a->room + 3) * sizeof *a->items))
            abort();
        a->room += 3;
    }
    a->items[a->count++] = v;
}

static void op_remove(struct world *w, int id, int index)
{
    void *o = object_of(w, id), *old;
    if (w->kinds[id] == LIST) {
        rh_list_remove(o, (size_t)index);
    } else if (w->kinds[id] == FAMILY) {
        struct member **link = child_at(o, index);
        old = *link;
        *link = (*link)->next;
        rh_decref(old);
    } else {
        struct array *a = o;
        old = a->items[index];
        a->count--;
        memmove(a->items + index, a->items + index + 1, (a->count - (unsigned)index) * sizeof *a->items);
        rh_decref(old);
    }
}

static void clear(struct world *w, int id)
{
    if (w->kinds[id] == LIST)
        rh_list_clear(object_of(w, id));
    else
        rh_dict_clear(object_of(w, id));
}

static void dict_set(struct world *w, int id, int key, int value)
{
    if (rh_dict_set(object_of(w, id), object_of(w, key), object_of(w, value)))
        abort();
}

static int dict_remove(struct world *w, int id, int key)
{
    return rh_dict_remove(object_of(w, id), object_of(w, key));
}

static struct rh_weak *weak_field(struct world *w, int id)
{
    if (w->kinds[id] == ATOM)
        return &((struct atom *)object_of(w, id))->weak;
    return &((struct node *)object_of(w, id))->weak;
}

static void weak_set(struct world *w, int id, int target)
{
    if (rh_weak_set(weak_field(w, id), object_of(w, target)))
        abort();
}

static int weak_get(struct world *w, int id)
{
    return id_of(w->kinds[id] == WEAKREF ? rh_weakref_get(object_of(w, id)) : rh_weak_get(weak_field(w, id)));
}

/* ---- the heap ---- */

static struct rh_heap *heap_at(struct world *w, int h)
{
    return library_of(w)->heaps[h];
}

static size_t collect(struct world *w, int h, int generation)
{
    return rh_collect(heap_at(w, h), generation);
}

static void enable(struct world *w, int h, int on)
{
    if (on)
        rh_enable(heap_at(w, h));
    else
        rh_disable(heap_at(w, h));
}

static void set_threshold(struct world *w, int h, const size_t threshold[3])
{
    rh_set_threshold(heap_at(w, h), threshold);
}

static void set_debug(struct world *w, int h, unsigned flags)
{
    rh_set_debug(heap_at(w, h), flags);
}

static void freeze(struct world *w, int h, int on)
{
    if (on)
        rh_freeze(heap_at(w, h));
    else
        rh_unfreeze(heap_at(w, h));
}

static void track(struct world *w, int id, int on)
{
    if (on)
        rh_track(object_of(w, id));
    else
        rh_untrack(object_of(w, id));
}

static void immortalize(struct world *w, int id)
{
    rh_immortalize(object_of(w, id));
}

static void pin(struct world *w, int id, int name, int on)
{
    static const char *const names[] = {"one", "two", "three", "four"};
    if (!on)
        rh_unpin(object_of(w, id), names[name]);
    else if (rh_pin(object_of(w, id), names[name]))
        abort();
}

static struct rh_object *garbage_of(struct world *w, int h)
{
    struct rh_object *list = rh_garbage(heap_at(w, h));
    if (list)
        know(library_of(w), h, list);
    return list;
}

static int garbage_count(struct world *w, int h)
{
    const struct rh_object *list = garbage_of(w, h);
    return list ? (int)rh_list_length(list) : 0;
}

static int garbage_get(struct world *w, int h, int index)
{
    return id_of(rh_list_get(garbage_of(w, h), (size_t)index));
}

static void garbage_clear(struct world *w, int h)
{
    struct rh_object *list = garbage_of(w, h);
    if (list)
        rh_list_clear(list);
}

static size_t destroy(struct world *w, int h)
{
    struct library *l = library_of(w);
    size_t leaked = rh_heap_destroy(l->heaps[h]);
    l->heaps[h] = NULL;
    return leaked;
}

/* ---- looking ---- */

static int is_alive(struct world *w, int id)
{
    return object_of(w, id) != NULL;
}

static void look(struct world *w, int id, struct sight *s)
{
    struct rh_object *o = object_of(w, id);
    memset(s, 0, sizeof *s);
    s->immortal = rh_refcount(o) >= RH_IMMORTAL;
    s->refcount = s->immortal ? 0 : rh_refcount(o);
    s->generation = rh_generation_of(o);
    s->tracked = rh_is_tracked(o);
    s->finalized = rh_is_finalized(o);
    s->weak = NOBODY;
    if (has_weak_field(w->kinds[id])) {
        s->weak = id_of(weak_field(w, id)->target);
    } else if (w->kinds[id] == WEAKREF) {
        void *target = rh_weakref_get(o);
        s->weak = id_of(target);
        rh_xdecref(target);
    }
    s->ref_count = ref_count(w, id);
    if (s->ref_count > ITEMS_MAX * 2)
        s->ref_count = ITEMS_MAX * 2;
    for (int i = 0; i < s->ref_count; i++)
        s->refs[i] = get(w, id, i);
}

struct listing {
    int *ids, count;
};

static int list_object(struct rh_object *object, void *context)
{
    struct listing *l = context;
    l->ids = need(realloc(l->ids, (size_t)(l->count + 1) * sizeof *l->ids));
    l->ids[l->count++] = id_of(object);
    return 0;
}

static void look_heap(struct world *w, int h, struct heap_sight *s)
{
    struct rh_heap *heap = heap_at(w, h);
    struct rh_stats stats[3];
    memset(s, 0, sizeof *s);
    rh_get_threshold(heap, s->threshold);
    rh_get_count(heap, s->count);
    rh_get_stats(heap, stats);
    for (int g = 0; g < 3; g++) {
        s->stats[g][0] = stats[g].collections;
        s->stats[g][1] = stats[g].collected;
        s->stats[g][2] = stats[g].uncollectable;
    }
    s->freeze_count = rh_freeze_count(heap);
    s->enabled = rh_is_enabled(heap);
    s->debug = rh_get_debug(heap);
    s->has_garbage = garbage_of(w, h) != NULL;
    for (int g = 0; g < 5; g++) {
        struct listing l = {0};
        rh_heap_visit(heap, g, list_object, &l);
        s->lists[g] = l.ids;
        s->list_counts[g] = l.count;
    }
}

static const struct world_ops ops = {
    make,          make_weakref, incref,   decref,      ref_count,   get,      put,           append,
    op_remove,     clear,        dict_set, dict_remove, weak_set,    weak_get, collect,       enable,
    set_threshold, set_debug,    freeze,   track,       immortalize, pin,      garbage_count, garbage_get,
    garbage_clear, destroy,      is_alive, look,        look_heap,
};

struct world *library_open(int heap_count, world_act act)
{
    struct library *l = need(calloc(1, sizeof *l));
    l->world.ops = &ops;
    l->world.act = act;
    l->world.next_id = HEAPS;
    l->world.heap_count = heap_count;
    for (int k = 0; k < SLOTS; k++)
        l->world.slots[k] = NOBODY;
    current = l;
    for (int h = 0; h < HEAPS; h++) {
        l->world.kinds[h] = LIST;
        l->world.heap_of[h] = h;
        if (h >= heap_count)
            continue;
        if (rh_heap_create(NULL, &l->heaps[h], NULL))
            abort();
        make_types(l, h);
    }
    return &l->world;
}

void library_close(struct world *world)
{
    free(library_of(world));
    current = NULL;
}
