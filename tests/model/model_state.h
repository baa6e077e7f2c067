/* The model's inside: what it knows of each object and heap, and what its parts do for each other. */
#ifndef TESTS_MODEL_STATE_H
#define TESTS_MODEL_STATE_H

#include "model.h"

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

static inline struct model *model_of(struct world *w)
{
    return (struct model *)w;
}

/* Each is described where it is defined. model_objects.c: */
void model_list_insert(struct list *l, int index, int id);
void model_list_append(struct list *l, int id);
void model_list_cut(struct list *l, int index);
void model_move_to(struct model *m, int id, struct list *to);
void model_merge(struct model *m, struct list *from, struct list *to);
struct heap *model_heap_of(struct model *m, int id);
void model_track(struct model *m, int id);
void model_incref(struct model *m, int id);
void model_decref(struct model *m, int id);
void model_store(struct model *m, int *field, int value);
void model_weak_point(struct model *m, int from, int target);
int model_is_going(struct model *m, int id);
int model_weak_target(struct model *m, int from);
void model_run_user_code(struct model *m, enum event_kind what, int id, int data);
void model_empty(struct model *m, int id);

/* model_collect.c: */
int model_may_be_tracked(struct model *m, int id);
size_t model_collect(struct world *w, int h, int generation);
void model_make_room(struct model *m, int h);

#endif
