/* A CPython heap on its way into a snapshot. */
#ifndef PROBE_CPYTHON_WRITE_H
#define PROBE_CPYTHON_WRITE_H

#include "../cpython/traces.h"
#include "cpython.h"

enum { LATE = 16, NAME_BYTES = 512 };

/* A reference that was written, but whose target has not been looked up. */
struct late_reference {
    uint64_t target; /* 0: none */
    struct known_object *place; /* as object_place() had it */
    int counted;
};

/* Where objects were made, as tracemalloc says. */
struct site_table {
    struct py_traces traces;
    struct number_map tracebacks; /* by address: site id + 2, or 1 for those that are broken */
    struct number_map places;     /* by the string id of a file, and line: their number */
    struct number_map frames;     /* by the caller's id + 1, and the number of a place: site id + 1 */
    uint32_t place_count;
};

struct reading {
    struct probe *probe;
    const struct cpython *python;
    struct probe_memory memory;
    struct py_world world;
    struct object_table objects;
    struct type_table types;
    struct number_map texts; /* string ids by what they were made of: see reading_label() */
    struct site_table sites;
    uint64_t *order;         /* objects to be written, those of lists first */
    size_t count, capacity, next, limit;
    uint32_t heap;          /* being written */
    uint32_t first_heap;    /* of this process's interpreters */
    struct rh_error *err;
    int status;             /* of what a callback could not return */
    uint64_t lists[5];      /* objects of the heap by generation */
    /* Targets lie anywhere, and so do their places in the table: each is looked up when LATE others were asked for. */
    struct late_reference late[LATE];
    unsigned references; /* so far */
};

void reading_begin(struct reading *r); /* of which probe, python, memory and err are set */
void reading_release(struct reading *r);

/* The type an object has, or NULL: no type object stands there. */
struct known_type *reading_type(struct reading *r, uint64_t address);

/* Puts an object on the list of those to be written, if it is none of them yet and could be one. A bare word has to
 * look more like one than what a layout vouches for. Returns what is known of it, NULL when it is none. */
struct known_object *reading_reach(struct reading *r, uint64_t address, unsigned generation);

/* Writes the objects that are on the list and not written, and all they lead to. */
int reading_write_objects(struct reading *r);

/* When tracemalloc is on: finds its table and looks at all of it, or says why not. */
void reading_find_sites(struct reading *r);
/* Site id + 1 of an object, 0 for none. */
uint64_t reading_site(struct reading *r, uint64_t object, const struct py_type *type);
/* Says what could not be read. */
void reading_sites_end(struct reading *r);
void reading_sites_release(struct reading *r);

/* Writes what an interpreter and its threads hold, as exact roots, and puts it on the list. */
int reading_write_roots(struct reading *r, const struct interpreter *interpreter);

/* The string id of a label. */
uint32_t reading_label(struct reading *r, enum py_label label, uint64_t number, const char *text);

#endif
