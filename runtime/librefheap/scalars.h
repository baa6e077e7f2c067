/* Atomic builtin objects, and what makes two of them the same key. */
#ifndef LIBREFHEAP_SCALARS_H
#define LIBREFHEAP_SCALARS_H

#include "internal.h"

struct int_object {
    RH_OBJECT_HEAD;
    int64_t value;
};

struct float_object {
    RH_OBJECT_HEAD;
    double value;
};

/* str, name and bytes. */
struct text_object {
    RH_OBJECT_HEAD;
    uint64_t hash; /* 0 until asked for */
    size_t length;
    char text[1]; /* and a zero byte after the last */
};

uint64_t text_hash(const char *text, size_t length);
uint64_t key_hash(const struct rh_object *key);
int key_equal(const struct rh_object *a, const struct rh_object *b);
int is_text(const struct rh_object *object);

#endif
