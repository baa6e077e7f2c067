/* What attributes need to know of classes, instances and exceptions. */
#ifndef LIBREFHEAP_CLASS_H
#define LIBREFHEAP_CLASS_H

#include "internal.h"

struct table;

/* The attributes of a class or an instance; NULL for any other object. */
struct table *class_attributes(const struct rh_object *object);

/* What the class of an instance, or the bases of a class, have under a name: borrowed, NULL when nothing. */
struct rh_object *class_lookup(const struct rh_object *object, const char *name);

struct table *exception_attributes(const struct rh_object *exception);

#endif
