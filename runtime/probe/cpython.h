/* CPython as read from outside: what the files of its model share. What is known of its memory stands in
 * runtime/cpython; how a heap becomes a snapshot, in runtime/cpython/MODEL.md.
 */
#ifndef PROBE_CPYTHON_H
#define PROBE_CPYTHON_H

#include "../cpython/threads.h"
#include "probe.h"

enum { INTERPRETERS_MAX = 1024 };

/* ---- finding (model_cpython_find.c) ---- */

struct interpreter {
    uint64_t address, gc;
    int64_t id;
    int collecting;
    int adding; /* a container to the youngest generation */
};

struct cpython {
    const struct py_layout *layout;
    uint64_t runtime, type_type;
    uint64_t traces_state; /* tracemalloc's, 0: not known */
    uint32_t version; /* as Py_Version has it, or its upper half only */
    int size_differs; /* _PyRuntime is not as large as in the release the layout is from */
    size_t interpreter_count;
    struct interpreter interpreters[INTERPRETERS_MAX]; /* by id */
};

/* Looks for CPython. Returns the number of interpreters; 0 when there is none, or (probe->unusable says so) one that
 * cannot be read. */
int cpython_find(struct probe *probe, struct cpython *found);

/* The engine's memory over the probe's. */
struct probe_memory {
    struct py_memory memory; /* first */
    struct probe *probe;
};
void probe_memory_init(struct probe_memory *memory, struct probe *probe);

/* ---- tables (cpython_tables.c) ---- */

/* Numbers by address. */
struct number_map {
    uint64_t *keys; /* 0: empty */
    uint32_t *values;
    size_t capacity, used;
};
/* The value of a key, 0 for none. */
uint32_t number_map_get(const struct number_map *map, uint64_t key);
/* Returns 0, or RH_ERR_NO_MEMORY. The key is not there yet. */
int number_map_add(struct number_map *map, uint64_t key, uint32_t value);
void number_map_release(struct number_map *map);

/* What is known of an object. */
struct known_object {
    int32_t unexplained; /* refcount less references found; saturates */
    uint16_t heap;
    uint8_t generation; /* enum generation */
    uint8_t state;      /* enum known_state; 0: no object */
};
enum { WINDOW = 256 /* places */ };
enum known_state { KNOWN_IMMORTAL = 1, KNOWN_CONTAINER = 2, KNOWN_OBJECT = 4 };

/* Objects by address: a window of places for each page there are objects in. Places stay where they are. */
struct object_table {
    struct number_map windows; /* their numbers + 1 */
    struct known_object **chunks;
    size_t chunk_count, used;
};

/* Where an object is, or will be; NULL when none of its page is known. */
struct known_object *object_place(const struct object_table *table, uint64_t address);
struct known_object *object_find(const struct object_table *table, uint64_t address);
/* Adds one that is not there. NULL without memory. */
struct known_object *object_add(struct object_table *table, uint64_t address);

struct object_cursor {
    size_t window, slot;
    uint64_t address; /* of the object returned last */
};
/* Each object once, in no order; NULL at the end. The cursor begins zeroed. */
struct known_object *object_next(const struct object_table *table, struct object_cursor *cursor);
void object_table_release(struct object_table *table);

/* A type, and what it is in the snapshot. */
struct known_type {
    struct py_type type;
    uint32_t id;
    uint32_t written; /* 1: its record is */
};
struct type_table {
    struct known_type **items; /* by number - 1 */
    size_t count, capacity;
    struct number_map numbers; /* UINT32_MAX: no type stands there */
    uint64_t last;             /* asked for last, and the answer */
    struct known_type *last_type;
};
void type_table_release(struct type_table *table);

#endif
