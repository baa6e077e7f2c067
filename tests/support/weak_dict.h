/* A cache that does not keep alive what it holds, as a program would build it from a dict and weak references with
 * callbacks: what Python has as WeakValueDictionary and WeakKeyDictionary.
 *
 * Each entry's reference takes the entry away when its object dies, unless the entry has been replaced meanwhile. While
 * the cache is iterated over this waits for the end, so that positions stay good; an entry whose object has died is
 * not seen any more all the same. Keys by weak reference go by identity; other keys as in a dict.
 */
#ifndef TESTS_WEAK_DICT_H
#define TESTS_WEAK_DICT_H

#include <refheap/refheap.h>

enum weak_side { WEAK_VALUES, WEAK_KEYS };

struct weak_dict {
    RH_OBJECT_HEAD;
    struct rh_object *entries; /* WEAK_VALUES: key to weakref. WEAK_KEYS: address to a tuple of weakref and value */
    struct rh_object *self;    /* weakref to the cache, which callbacks are given */
    struct rh_object *waiting; /* list of weakrefs whose entries are to go at the end of an iteration */
    int64_t side, iterating;
};

struct rh_type *weak_dict_type(struct rh_heap *heap);
struct weak_dict *weak_dict_new(struct rh_type *type, enum weak_side side);

/* All that is handed out is a new reference; NULL when there is none. */
int weak_dict_set(struct weak_dict *dict, void *key, void *value);
void *weak_dict_get(const struct weak_dict *dict, const void *key);
void *weak_dict_default(struct weak_dict *dict, void *key, void *value); /* what is there, or now is */
int weak_dict_remove(struct weak_dict *dict, const void *key);           /* RH_ERR_NOT_FOUND when absent */
int weak_dict_pop(struct weak_dict *dict, void **key, void **value);     /* the last entry; RH_ERR_NOT_FOUND */
void weak_dict_clear(struct weak_dict *dict);
size_t weak_dict_length(const struct weak_dict *dict);
void weak_dict_update(struct weak_dict *dict, struct weak_dict *from);
void weak_dict_update_from(struct weak_dict *dict, struct rh_object *plain);

/* Between begin and end, next steps through the entries whose objects live; 0 at the end. */
void weak_dict_begin(struct weak_dict *dict);
int weak_dict_next(const struct weak_dict *dict, size_t *position, void **key, void **value);
void weak_dict_end(struct weak_dict *dict);

#endif
