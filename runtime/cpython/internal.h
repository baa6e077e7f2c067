/* What the files of this folder share. */
#ifndef CPYTHON_INTERNAL_H
#define CPYTHON_INTERNAL_H

#include "describe.h"

#include "../../dumpfmt/format.h"

enum { OWNED = EDGE_COUNTED, STRONG = EDGE_STRONG, INFERRED = EDGE_STRONG | EDGE_INFERRED, WEAK = EDGE_WEAK };

/* A description under way. */
struct telling {
    struct py_world *w;
    struct py_memory *m;
    const struct py_layout *l;
    uint64_t object;
    const struct py_type *type;
    py_visit *visit;
    void *context;
    int ok;      /* all that was looked for was there */
    int ended;   /* visit said so */
    int scanned; /* some of it is a guess */
    int uncounted;
};

/* A word of known meaning. */
struct py_field {
    int32_t offset;
    unsigned bits; /* 0: the end of a table */
    const char *label;
    uint16_t from, to; /* versions, inclusive; 0: all */
};

/* What is known of one type beyond its kind. */
struct py_own {
    const char *name; /* tp_name */
    enum py_kind kind;
    const struct py_field *fields;
    void (*tell)(struct telling *t);
    int32_t known_size; /* bytes that are told; 0: all that the type has */
};

/* The type's entry, by its tp_name and version; NULL for none. */
const struct py_own *own_of(const char *name);

void tell(struct telling *t, uint64_t target, unsigned bits, enum py_label label, uint64_t number, const char *text);
static inline void tell_named(struct telling *t, uint64_t target, unsigned bits, const char *text)
{
    if (target)
        tell(t, target, bits, PY_LABEL_TEXT, 0, text);
}

/* The word at an offset of the object. */
static inline uint64_t word(struct telling *t, int64_t offset)
{
    return py_u64(t->m, t->object + (uint64_t)offset, &t->ok);
}

/* The reference at an offset of the object; no such field when the offset is -1. */
static inline void tell_word(struct telling *t, int64_t offset, unsigned bits, const char *text)
{
    if (offset != -1)
        tell_named(t, word(t, offset), bits, text);
}

/* A number of words in a row, as items from 0 on. */
void tell_array(struct telling *t, uint64_t address, uint64_t count, unsigned bits, enum py_label label);

/* Whether so many words may be looked at; otherwise the description is broken. */
int may_look(struct telling *t, uint64_t words);

void tell_fields(struct telling *t, const struct py_field *fields);

/* Words from `from` to `to` of the object that could be references. */
void tell_scan(struct telling *t, int64_t from, int64_t to);
void tell_scan_seen(struct telling *t, int64_t from, int64_t to);   /* the collector sees all of it */
void tell_scan_unseen(struct telling *t, int64_t from, int64_t to); /* and none of it */

/* By kind. */
void tell_dict(struct telling *t);
void tell_ordered_dict(struct telling *t);
void tell_set(struct telling *t);
void tell_deque(struct telling *t);
void tell_lru_cache(struct telling *t);
void tell_instance_dict(struct telling *t);
void tell_keys(struct telling *t, uint64_t keys); /* the str in a table of keys, owned */
void tell_type(struct telling *t);
void tell_module(struct telling *t);
void tell_function(struct telling *t);
void tell_cfunction(struct telling *t);
void tell_code(struct telling *t);
void tell_frame(struct telling *t);
void tell_generator(struct telling *t);
void tell_generator_frame(struct telling *t);
void tell_weakref(struct telling *t);
void tell_exception(struct telling *t);

/* The names of a frame's variables, by number; 0 behind them. */
struct frame_names {
    uint64_t tuples[3], counts[3];
};
void frame_names_of(struct telling *t, uint64_t code, struct frame_names *names);
uint64_t frame_name(struct telling *t, const struct frame_names *names, uint64_t i);

/* What an interpreter frame (3.11 on) holds. */
void tell_iframe(struct telling *t, uint64_t iframe, unsigned bits);

/* A table of keys. */
struct dict_keys {
    uint64_t entries, count; /* address of the first entry, and how many are in use */
    uint64_t size, index_bytes, usable;
    unsigned stride, key, value; /* bytes of an entry, and where in it */
    int general;                 /* its keys need not be str, and the collector sees them */
    int64_t references;          /* of the table itself */
};
int dict_keys_read(struct py_world *w, uint64_t address, struct dict_keys *out);

/* What a dict has under a name. Returns 0, or -1 when there is nothing. */
int dict_value(struct py_world *w, uint64_t dict, const char *key, uint64_t *value);

/* Bytes that stand in front of an object: the GC header, and what a class adds. */
uint64_t size_before(const struct py_world *w, const struct py_type *type);

#endif
