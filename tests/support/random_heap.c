#include "random_heap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Types that between them use every kind of field. */
struct node {
    RH_OBJECT_HEAD;
    struct rh_object *left, *right, *extra;
    struct rh_object *parent; /* borrowed; only ever the node itself, which outlives the field */
    struct rh_weak friend_;
    int64_t number;
};

struct bag {
    RH_OBJECT_HEAD;
    uint32_t count, room;
    struct rh_object **items;
    struct rh_object *fixed[2];
    uintptr_t tagged;
    const char *name;
};

struct member {
    RH_OBJECT_HEAD;
    struct rh_object *value;
    struct member *next;
};

struct family {
    RH_OBJECT_HEAD;
    struct member *first;
    int closed; /* the list is a ring */
};

struct slot {
    uint64_t key;
    struct rh_object *value;
};

struct map {
    RH_OBJECT_HEAD;
    struct slot *slots;
    uint16_t capacity;
};

static const struct rh_field node_fields[] = {
    RH_STRONG(struct node, left),     RH_STRONG(struct node, right), RH_STRONG(struct node, extra),
    RH_BORROWED(struct node, parent), RH_WEAK(struct node, friend_), RH_VALUE_INT(struct node, number),
};
static const struct rh_field bag_fields[] = {
    RH_ARRAY_CAPACITY(struct bag, items, count, room),
    RH_FIXED_ARRAY(struct bag, fixed),
    RH_TAGGED(struct bag, tagged, 7, 1),
    RH_VALUE_CSTRING(struct bag, name),
};
static const struct rh_field member_fields[] = {RH_STRONG(struct member, value)};
static const struct rh_field family_fields[] = {RH_CHILDREN(struct family, first, struct member, next)};
static const struct rh_field map_fields[] = {
    RH_TABLE(struct map, slots, capacity, struct slot, key, value, RH_FIELD_VALUES, 0, 1)};

enum { NODE, BAG, MEMBER, FAMILY, MAP, OWN_TYPES };
static const struct rh_type_spec specs[OWN_TYPES] = {
    RH_TYPE_SPEC("node", struct node, node_fields),       RH_TYPE_SPEC("bag", struct bag, bag_fields),
    RH_TYPE_SPEC("member", struct member, member_fields), RH_TYPE_SPEC("family", struct family, family_fields),
    RH_TYPE_SPEC("map", struct map, map_fields),
};

struct world {
    struct random_heap *r;
    struct rh_type *types[2][OWN_TYPES];
    struct rh_object *classes[2];
};

uint64_t random_below(struct random_heap *r, uint64_t limit)
{
    r->state ^= r->state << 13; /* xorshift64, Marsaglia 2003 */
    r->state ^= r->state >> 7;
    r->state ^= r->state << 17;
    return (r->state * 0x2545f4914f6cdd1du >> 11) % limit;
}

static void *need(void *p)
{
    if (!p) {
        fprintf(stderr, "out of memory\n");
        exit(3);
    }
    return p;
}

static void hold(struct random_heap *r, void *object)
{
    r->held = need(realloc(r->held, (r->held_count + 1) * sizeof *r->held));
    r->held[r->held_count++] = need(object);
}

static void *any(struct random_heap *r)
{
    return r->held[random_below(r, r->held_count)];
}

/* ---- making ---- */

static void *make_bag(struct world *w, int h)
{
    static const char *const names[] = {"sack", "purse", NULL,
                                        "a name long enough to be worth capping, were it not short"};
    struct bag *bag = need(rh_object_new(w->types[h][BAG]));
    bag->name = names[random_below(w->r, 4)];
    uint32_t room = (uint32_t)random_below(w->r, 6);
    rh_buffer_resize(w->r->heaps[h], &bag->items, 0, room * sizeof *bag->items);
    bag->room = room;
    return bag;
}

static void *make_map(struct world *w, int h)
{
    struct map *map = need(rh_object_new(w->types[h][MAP]));
    uint16_t capacity = (uint16_t)(1 + random_below(w->r, 7));
    rh_buffer_resize(w->r->heaps[h], &map->slots, 0, capacity * sizeof *map->slots);
    map->capacity = capacity;
    return map;
}

static void *make_tuple(struct world *w, int h)
{
    size_t length = random_below(w->r, 5);
    struct rh_object *tuple = need(rh_tuple_new(w->r->heaps[h], length));
    for (size_t i = 0; i < length; i++)
        rh_tuple_set(tuple, i, w->r->held_count ? any(w->r) : NULL);
    return tuple;
}

static void *make_object(struct world *w, int h)
{
    struct rh_heap *heap = w->r->heaps[h];
    char text[48];
    switch (random_below(w->r, 16)) {
    case 0:
    case 1:
    case 2:
        return rh_list_new(heap);
    case 3:
    case 4:
        return rh_dict_new(heap);
    case 5:
        return make_tuple(w, h);
    case 6:
        return rh_int_new(heap, (int64_t)random_below(w->r, 1000) - 500);
    case 7:
        snprintf(text, sizeof text, "text %u", (unsigned)random_below(w->r, 100));
        return rh_str(heap, text);
    case 8:
        return rh_instance_new(w->classes[h]);
    case 9:
        return make_bag(w, h);
    case 10:
        return need(rh_object_new(w->types[h][FAMILY]));
    case 11:
        return make_map(w, h);
    case 12:
        return w->r->held_count ? rh_weakref_new(any(w->r), NULL, any(w->r)) : rh_float_new(heap, 1.5);
    default: {
        struct node *node = need(rh_object_new(w->types[h][NODE]));
        node->number = (int64_t)w->r->held_count;
        return node;
    }
    }
}

/* ---- joining ---- */

static void join_bag(struct random_heap *r, struct bag *bag, struct rh_object *to)
{
    if (bag->count < bag->room) {
        rh_incref(to);
        bag->items[bag->count] = to;
        bag->count++;
    } else if (random_below(r, 2) || bag->tagged) {
        rh_assign(&bag->fixed[random_below(r, 2)], to);
    } else {
        rh_incref(to);
        bag->tagged = (uintptr_t)to | (random_below(r, 2) ? 4 : 2);
    }
}

static void join_family(struct world *w, struct family *family, struct rh_object *to)
{
    struct member *member = need(rh_object_new(w->types[rh_heap_of(family) == w->r->heaps[1]][MEMBER]));
    rh_assign(&member->value, to);
    if (family->first) {
        member->next = family->first->next ? family->first->next : family->closed ? family->first : NULL;
        family->first->next = member;
    } else {
        family->closed = (int)random_below(w->r, 2);
        member->next = family->closed ? member : NULL;
        family->first = member;
    }
}

static void join_map(struct random_heap *r, struct map *map, struct rh_object *to)
{
    struct slot *slot = &map->slots[random_below(r, map->capacity)];
    if (slot->key > 1)
        rh_decref(slot->value);
    rh_incref(to);
    slot->value = to;
    slot->key = 2 + random_below(r, 100);
    if (random_below(r, 8) == 0) { /* deleted, with what it held left behind as programs do */
        slot->key = 1;
        rh_decref(to);
    }
}

static void join_node(struct random_heap *r, struct node *node, struct rh_object *to)
{
    switch (random_below(r, 6)) {
    case 0:
        rh_assign(&node->left, to);
        break;
    case 1:
        rh_assign(&node->right, to);
        break;
    case 2:
        rh_assign(&node->extra, to);
        break;
    case 3:
        rh_weak_set(&node->friend_, to);
        break;
    case 4:
        node->parent = &node->object;
        break;
    default:
        rh_assign(&node->left, to);
        rh_assign(&node->right, to);
    }
}

static int is_type(const struct rh_object *o, const char *name)
{
    return !strcmp(rh_type_name(o->type), name);
}

static void join(struct world *w, struct rh_object *from, struct rh_object *to)
{
    static const char *const names[] = {"peer", "next", "owner", "cache"};
    char text[24];
    if (is_type(from, "list")) {
        rh_list_append(from, to);
    } else if (is_type(from, "dict") && random_below(w->r, 3)) {
        snprintf(text, sizeof text, "key%u", (unsigned)random_below(w->r, 8));
        rh_dict_set_text(from, text, to);
        if (random_below(w->r, 6) == 0) {
            struct rh_object *key = need(rh_str(rh_heap_of(from), text));
            rh_dict_remove(from, key);
            rh_decref(key);
        }
    } else if (is_type(from, "dict")) {
        rh_dict_set(from, to, from);
    } else if (is_type(from, "Thing")) {
        rh_attr_set(from, names[random_below(w->r, 4)], to);
    } else if (is_type(from, "node")) {
        join_node(w->r, (struct node *)from, to);
    } else if (is_type(from, "bag")) {
        join_bag(w->r, (struct bag *)from, to);
    } else if (is_type(from, "family")) {
        join_family(w, (struct family *)from, to);
    } else if (is_type(from, "map")) {
        join_map(w->r, (struct map *)from, to);
    }
}

/* Shapes: at random, a ring, a list, all into one hub, or near neighbours. */
static void join_some(struct world *w, unsigned shape, size_t count)
{
    struct random_heap *r = w->r;
    struct rh_object *hub = any(r);
    for (size_t i = 0; i < count; i++) {
        size_t at = random_below(r, r->held_count);
        struct rh_object *from = r->held[at], *to = any(r);
        if (shape == 1)
            to = r->held[(at + 1) % r->held_count];
        else if (shape == 2 && at + 1 < r->held_count)
            to = r->held[at + 1];
        else if (shape == 3)
            to = random_below(r, 2) ? hub : to;
        else if (shape == 4)
            to = r->held[(at + random_below(r, 4)) % r->held_count];
        join(w, from, to);
    }
}

/* ---- ageing and letting go ---- */

static void drop_some(struct random_heap *r, uint64_t of_hundred)
{
    for (size_t i = 0; i < r->held_count;) {
        if (random_below(r, 100) < of_hundred) {
            void *object = r->held[i];
            r->held[i] = r->held[--r->held_count];
            rh_decref(object);
        } else {
            i++;
        }
    }
}

static void age(struct random_heap *r)
{
    struct rh_heap *heap = r->heaps[random_below(r, (uint64_t)r->heap_count)];
    switch (random_below(r, 12)) {
    case 0:
        rh_freeze(heap);
        break;
    case 1:
        rh_untrack(any(r));
        break;
    case 2:
        rh_collect(heap, RH_OLD);
        break;
    case 3:
    case 4:
        rh_collect(heap, RH_MIDDLE);
        break;
    case 5:
        if (random_below(r, 4) == 0)
            rh_immortalize(any(r));
        break;
    case 6:
    case 7:
    case 8:
        rh_collect(heap, RH_YOUNG);
        break;
    }
}

static void make_heap(struct world *w, int h)
{
    struct rh_heap_options options = {.name = h ? "second" : "first"};
    if (w->r->seed % 3 == 1) /* numbered, and with sites: what stands before the objects moves them */
        options.flags = RH_HEAP_SERIALS;
    if (w->r->seed % 3 == 2)
        options.site_depth = 1 + (unsigned)(w->r->seed % 5);
    struct random_heap *r = w->r;
    if (rh_heap_create(&options, &r->heaps[h], NULL))
        need(NULL);
    rh_disable(r->heaps[h]);
    for (int t = 0; t < OWN_TYPES; t++)
        if (rh_type_create(r->heaps[h], &specs[t], &w->types[h][t], NULL))
            need(NULL);
    w->classes[h] = need(rh_class_new(r->heaps[h], "Thing", NULL));
    hold(r, w->classes[h]);
    rh_none(r->heaps[h]);
}

void random_heap_build(struct random_heap *r, uint64_t seed, size_t size)
{
    struct world w = {.r = r};
    memset(r, 0, sizeof *r);
    r->seed = seed;
    r->state = seed * 0x9e3779b97f4a7c15u + 1;
    r->size = size;
    r->heap_count = 1 + (int)(random_below(r, 3) == 0);
    for (int h = 0; h < r->heap_count; h++)
        make_heap(&w, h);

    size_t made = 0, batch = 1 + size / (1 + random_below(r, 12));
    unsigned density = 1 + (unsigned)random_below(r, 3);
    while (made < size) {
        for (size_t i = 0; i < batch && made < size; i++, made++)
            hold(r, make_object(&w, (int)random_below(r, (uint64_t)r->heap_count)));
        join_some(&w, (unsigned)random_below(r, 5), batch * density);
        /* The classes stay held: instances of a dropped class cannot be made. */
        age(r);
        age(r);
    }
    /* Let go without collecting: what is garbage now is what the test asks about. */
    for (int i = 0; i < 4 && r->held_count; i++) {
        rh_assign(&r->rooted[i], any(r));
        rh_root_add(rh_heap_of(r->rooted[i]), i % 2 ? "a root" : "another root", &r->rooted[i]);
    }
    drop_some(r, 20 + random_below(r, 80));
}

size_t random_heap_destroy(struct random_heap *r)
{
    size_t leaked = 0;
    for (int i = 0; i < 4; i++) {
        if (r->rooted[i])
            rh_root_remove(rh_heap_of(r->rooted[i]), &r->rooted[i]);
        rh_xdecref(r->rooted[i]);
    }
    drop_some(r, 100);
    free(r->held);
    r->held = NULL;
    /* Two heaps may refer to each other, and then neither may go first. */
    for (int h = 0; h < r->heap_count; h++)
        rh_collect(r->heaps[h], RH_OLD);
    if (r->heap_count == 1)
        leaked = rh_heap_destroy(r->heaps[0]);
    return leaked;
}
