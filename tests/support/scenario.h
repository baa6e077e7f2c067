/* What the tests of scenarios share: a record of what user code did, weak references counted, things in a cycle. */
#ifndef TESTS_SCENARIO_H
#define TESTS_SCENARIO_H

#include "things.h"

/* A record of what happened, in order: words with a space after each. */
void said_clear(void);
void say(const char *word);
const char *said(void);

/* A weak reference with a callback that says `word`. */
struct rh_object *watch(void *object, const char *word);

/* A thing that holds itself: in a cycle of one as soon as the caller drops it. */
struct thing *loop_new(struct rh_type *type, int64_t number);

/* Two things that hold each other. */
struct pair {
    struct thing *one, *two;
};
struct pair pair_new(struct rh_type *one, struct rh_type *two);
void pair_drop(struct pair pair);

/* A type that extends that of things and has nothing of its own: `base` is from things_type(). */
struct rh_type *things_type_from(struct rh_type *base);

/* How many weak references point at the object, weak fields included; *newest (may be NULL) gets the weakref objects
 * among them, as many as there is room for, the latest first. */
size_t weak_references(void *object, struct rh_object **newest, size_t room);

/* Takes the last item of a list: a reference of the caller's. */
void *list_pop(struct rh_object *list);

#endif
