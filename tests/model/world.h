/* What a random program acts on, twice: the library (library.c) and a model of it (model*.c), behind one table of
 * operations. Objects go by the order in which they were made, so that the same program names the same objects in both.
 *
 * Whatever user code the program has (finalizers, callbacks) is an action written down at the object's making, and is
 * carried out by the program on the world it is called from.
 */
#ifndef TESTS_MODEL_WORLD_H
#define TESTS_MODEL_WORLD_H

#include <stddef.h>
#include <stdint.h>

enum { NOBODY = -1, HEAPS = 2, SLOTS = 10, ITEMS_MAX = 12, OBJECTS_MAX = 2000, EVENTS_MAX = 4000, ACTIONS_MAX = 100 };

/* Kinds of objects. PLAIN to HAND have two strong fields and a weak one. */
enum kind {
    PLAIN,
    FINAL,  /* with a finalizer */
    LEGACY, /* with a legacy finalizer */
    BOTH,   /* with both */
    HAND,   /* with a finalizer, and traverse and clear by hand */
    ATOM,   /* a weak field and a finalizer: no container */
    ARRAY,  /* an array outside the object */
    ODD,    /* an inline array of two, a tagged field, a table of three */
    MEMBER, /* one strong field; a child of a FAMILY */
    FAMILY,
    BARE, /* two strong fields and nothing else, release neither */
    OWN_KINDS,
    LIST = OWN_KINDS,
    TUPLE,
    DICT,
    WEAKREF,
    INT,
    KINDS,
};

/* What the user code of an object does. `self` is the object, or the weak reference whose callback it is. */
enum deed {
    NOTHING,
    RESCUE,    /* slot := self */
    FORGET,    /* self's references are dropped */
    LET_GO,    /* slot := empty */
    WATCH,     /* slot := a new weak reference to self, with a callback */
    MAKE,      /* slot := a new object */
    FOLLOW,    /* slot := what self's weak field refers to */
    GIVE,      /* the object in the slot gets a reference to self */
    TAKE,      /* self gets a reference to the object in the slot */
    COLLECT,   /* a collection */
    LET_SELF,  /* each slot that holds self := empty */
    TAKE_DATA, /* slot := the callback's data */
    DEEDS,
};
struct action {
    uint8_t deed, slot, other;
};

enum event_kind { FINALIZED, LEGACY_FINALIZED, CALLED_BACK, RELEASED, RETURNED };
struct event {
    enum event_kind kind;
    int id;
    long value; /* the callback's data, what a function returned */
};

struct world;
typedef void (*world_act)(struct world *world, int self, int data);

struct world {
    const struct world_ops *ops;
    int heap_count;
    int next_id; /* 0 and 1 are the lists of garbage */
    enum kind kinds[OBJECTS_MAX];
    int heap_of[OBJECTS_MAX];
    struct action actions[OBJECTS_MAX];
    char joined[OBJECTS_MAX]; /* a MEMBER that was in a FAMILY, as it can be once */
    int slots[SLOTS];         /* the program's variables: counted references */
    struct event log[EVENTS_MAX];
    int log_count, acted; /* in this step */
    int quiet;            /* actions are not carried out any more */
    world_act act;
};

/* What there is to see of an object. */
struct sight {
    long refcount; /* of an immortal object 0 */
    int immortal, generation, tracked, finalized;
    int weak;                           /* where its weak field or the weak reference points */
    int refs[ITEMS_MAX * 2], ref_count; /* the first of them; a dict's are keys and values in turn */
};
struct heap_sight {
    size_t threshold[3], count[3], freeze_count;
    uint64_t stats[3][3]; /* collections, collected, uncollectable */
    int enabled;
    unsigned debug;
    int has_garbage;
    int *lists[5], list_counts[5]; /* the objects of each generation and those in none */
};

/* Ids in are borrowed, ids out new references unless the comment says otherwise. Whether an operation fits an object is
 * for the program to see to. */
struct world_ops {
    int (*make)(struct world *, int heap, enum kind kind, int length, struct action action);
    int (*make_weakref)(struct world *, int target, int callback, int data, struct action action);
    void (*incref)(struct world *, int id);
    void (*decref)(struct world *, int id);
    int (*ref_count)(struct world *, int id);      /* references it has room for, or holds: a dict two for each entry */
    int (*get)(struct world *, int id, int index); /* borrowed */
    void (*put)(struct world *, int id, int index, int value); /* of a field or item there is; NOBODY empties it */
    void (*append)(struct world *, int id, int value);         /* LIST, ARRAY, FAMILY */
    void (*remove)(struct world *, int id, int index);         /* LIST, ARRAY, FAMILY */
    void (*clear)(struct world *, int id);                     /* LIST, DICT */
    void (*dict_set)(struct world *, int id, int key, int value);
    int (*dict_remove)(struct world *, int id, int key);
    void (*weak_set)(struct world *, int id, int target);
    int (*weak_get)(struct world *, int id);
    size_t (*collect)(struct world *, int heap, int generation);
    void (*enable)(struct world *, int heap, int on);
    void (*set_threshold)(struct world *, int heap, const size_t threshold[3]);
    void (*set_debug)(struct world *, int heap, unsigned flags);
    void (*freeze)(struct world *, int heap, int on);
    void (*track)(struct world *, int id, int on);
    void (*immortalize)(struct world *, int id);
    void (*pin)(struct world *, int id, int name, int on);
    int (*garbage_count)(struct world *, int heap);
    int (*garbage_get)(struct world *, int heap, int index); /* borrowed */
    void (*garbage_clear)(struct world *, int heap);
    size_t (*destroy)(struct world *, int heap);

    int (*is_alive)(struct world *, int id);
    void (*look)(struct world *, int id, struct sight *sight);
    void (*look_heap)(struct world *, int heap, struct heap_sight *sight); /* the lists are freed by the caller */
};

static inline int is_own(enum kind kind)
{
    return kind < OWN_KINDS;
}

static inline int has_weak_field(enum kind kind)
{
    return kind <= ATOM;
}

/* Its release is seen. */
static inline int is_announced(enum kind kind)
{
    return kind < BARE;
}

/* The collector has to know of its like. */
static inline int is_container(enum kind kind)
{
    return kind != ATOM && kind != INT;
}

static inline void world_log(struct world *w, enum event_kind kind, int id, long value)
{
    if (w->log_count < EVENTS_MAX)
        w->log[w->log_count++] = (struct event){kind, id, value};
}

/* Numbers an object just made. */
static inline int world_name(struct world *w, int heap, enum kind kind, struct action action)
{
    int id = w->next_id++;
    w->kinds[id] = kind;
    w->heap_of[id] = heap;
    w->actions[id] = action;
    return id;
}

#endif
