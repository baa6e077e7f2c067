/* Ready-made types: none, bool, int, float, str, bytes, tuple, list, dict, set, cell, class, instance, weakref, frame,
 * traceback, exception. */
#ifndef REFHEAP_BUILTINS_H
#define REFHEAP_BUILTINS_H

#include <refheap/object.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The singletons, immortal, borrowed. */
RH_API struct rh_object *rh_none(struct rh_heap *heap);
RH_API struct rh_object *rh_bool(struct rh_heap *heap, int value);

RH_API struct rh_object *rh_int_new(struct rh_heap *heap, int64_t value);
RH_API int64_t rh_int_value(const struct rh_object *object);
RH_API struct rh_object *rh_float_new(struct rh_heap *heap, double value);
RH_API double rh_float_value(const struct rh_object *object);

/* Text of `length` bytes of UTF-8; rh_str() takes a C string. A zero byte follows the text. */
RH_API struct rh_object *rh_str_new(struct rh_heap *heap, const char *text, size_t length);
RH_API struct rh_object *rh_str(struct rh_heap *heap, const char *text);
RH_API const char *rh_str_text(const struct rh_object *str);
RH_API size_t rh_str_length(const struct rh_object *str);
RH_API struct rh_object *rh_bytes_new(struct rh_heap *heap, const void *data, size_t length);

/* A tuple of NULLs, to be filled with rh_tuple_set() before others see it. */
RH_API struct rh_object *rh_tuple_new(struct rh_heap *heap, size_t length);
RH_API void rh_tuple_set(struct rh_object *tuple, size_t index, void *item);
RH_API void *rh_tuple_get(const struct rh_object *tuple, size_t index); /* borrowed; NULL beyond the end */
RH_API size_t rh_tuple_length(const struct rh_object *tuple);

RH_API struct rh_object *rh_list_new(struct rh_heap *heap);
RH_API int rh_list_append(struct rh_object *list, void *item);
RH_API int rh_list_set(struct rh_object *list, size_t index, void *item); /* RH_ERR_NOT_FOUND beyond the end */
RH_API void *rh_list_get(const struct rh_object *list, size_t index);     /* borrowed; NULL beyond the end */
RH_API void rh_list_remove(struct rh_object *list, size_t index);
RH_API void rh_list_clear(struct rh_object *list);
RH_API size_t rh_list_length(const struct rh_object *list);

/* A dict keeps the order of insertion. Keys are equal when they are the same object, or of the same type among int,
 * float, str and bytes with the same value. Like Python's, a dict is tracked only once it holds a container. */
RH_API struct rh_object *rh_dict_new(struct rh_heap *heap);
RH_API int rh_dict_set(struct rh_object *dict, void *key, void *value);
RH_API void *rh_dict_get(const struct rh_object *dict, const void *key); /* borrowed; NULL when absent */
RH_API int rh_dict_remove(struct rh_object *dict, const void *key);      /* RH_ERR_NOT_FOUND when absent */
RH_API void rh_dict_clear(struct rh_object *dict);
RH_API size_t rh_dict_length(const struct rh_object *dict);
RH_API int rh_dict_set_text(struct rh_object *dict, const char *key, void *value);
RH_API void *rh_dict_get_text(const struct rh_object *dict, const char *key); /* borrowed */

/* Steps through the entries: start with *position = 0; returns 0 at the end. Key and value are borrowed. The dict must
 * not be changed meanwhile. */
RH_API int rh_dict_next(const struct rh_object *dict, size_t *position, void **key, void **value);

/* A set keeps the order of insertion too; items are equal as keys of a dict are. */
RH_API struct rh_object *rh_set_new(struct rh_heap *heap);
RH_API int rh_set_add(struct rh_object *set, void *item);
RH_API int rh_set_has(const struct rh_object *set, const void *item);
RH_API int rh_set_remove(struct rh_object *set, const void *item); /* RH_ERR_NOT_FOUND when absent */
RH_API void rh_set_clear(struct rh_object *set);
RH_API size_t rh_set_length(const struct rh_object *set);
RH_API int rh_set_next(const struct rh_object *set, size_t *position, void **item); /* as rh_dict_next() */

/* A cell holds one object, or none: what closures share. */
RH_API struct rh_object *rh_cell_new(struct rh_heap *heap, void *content);
RH_API void *rh_cell_get(const struct rh_object *cell); /* borrowed; NULL when empty */
RH_API void rh_cell_set(struct rh_object *cell, void *content);

/* A frame of a function under execution: its caller's frame (or NULL), its name, and its local variables, a dict. */
RH_API struct rh_object *rh_frame_new(struct rh_heap *heap, const char *function, struct rh_object *back);
RH_API struct rh_object *rh_frame_locals(const struct rh_object *frame); /* borrowed */
RH_API struct rh_object *rh_frame_back(const struct rh_object *frame);   /* borrowed */

/* An exception: a class name, a message, what it arose from, and the traceback: its frames, outermost first. Each frame
 * it passes through on its way out is put in front. It has attributes (rh_attr_set). */
RH_API struct rh_object *rh_exception_new(struct rh_heap *heap, const char *name, const char *message);
RH_API int rh_exception_pass(struct rh_object *exception, struct rh_object *frame, int line);
RH_API void rh_exception_set_cause(struct rh_object *exception, struct rh_object *cause);
RH_API struct rh_object *rh_exception_traceback(const struct rh_object *exception); /* borrowed; NULL: none */
RH_API struct rh_object *rh_traceback_next(const struct rh_object *traceback);      /* borrowed; NULL at the end */
RH_API struct rh_object *rh_traceback_frame(const struct rh_object *traceback);     /* borrowed */

/* A class names its instances: they show up under its name. base may be NULL; attributes not found on an instance are
 * looked for in its class and on through the bases. */
RH_API struct rh_object *rh_class_new(struct rh_heap *heap, const char *name, struct rh_object *base);
RH_API struct rh_object *rh_instance_new(struct rh_object *klass);
RH_API int rh_is_instance(const void *object, const struct rh_object *klass); /* of the class or one that extends it */

/* Attributes by name: of a class, an instance or an exception any; of another object the counted fields of its type's
 * table. NULL removes one; rh_attr_get() borrows, and returns NULL when there is none. rh_attr_set() returns 0,
 * RH_ERR_NO_MEMORY, or RH_ERR_NOT_FOUND when there is nothing to remove or no such field. */
RH_API int rh_attr_set(void *object, const char *name, void *value);
RH_API void *rh_attr_get(const void *object, const char *name);

/* The same for values that were made to be put there: the caller's reference is taken over, also when it fails. A value
 * of NULL is memory that ran out, and returned as such.
 *
 *     rh_attr_put(user, "name", rh_str(heap, "Ada"));
 */
RH_API int rh_attr_put(void *object, const char *name, void *value);
RH_API int rh_dict_put(struct rh_object *dict, const char *key, void *value);
RH_API int rh_list_put(struct rh_object *list, void *item);
RH_API int rh_set_put(struct rh_object *set, void *item);

/* A weak reference as an object. callback, which may be NULL, is called once when the target is gone, unless the
 * reference itself goes first; `data` is kept (counted) for it and may be NULL. */
typedef void (*rh_weakref_callback)(struct rh_object *weakref, struct rh_object *data);
RH_API struct rh_object *rh_weakref_new(void *object, rh_weakref_callback callback, void *data);
RH_API void *rh_weakref_get(const struct rh_object *weakref); /* a new reference, or NULL when the target is gone */

enum rh_builtin {
    RH_TYPE_NONE,
    RH_TYPE_BOOL,
    RH_TYPE_INT,
    RH_TYPE_FLOAT,
    RH_TYPE_STR,
    RH_TYPE_NAME, /* interned str: the name of an attribute */
    RH_TYPE_BYTES,
    RH_TYPE_TUPLE,
    RH_TYPE_LIST,
    RH_TYPE_DICT,
    RH_TYPE_CLASS,
    RH_TYPE_WEAKREF,
    RH_TYPE_SET,
    RH_TYPE_CELL,
    RH_TYPE_FRAME,
    RH_TYPE_TRACEBACK,
    RH_TYPE_EXCEPTION,
    RH_BUILTIN_LIMIT,
};
RH_API struct rh_type *rh_builtin_type(struct rh_heap *heap, enum rh_builtin which);

#ifdef __cplusplus
}
#endif
#endif
