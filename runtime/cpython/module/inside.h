/* Writing a snapshot of the interpreters of the process this code runs in.
 *
 * The caller holds the GIL, and the dump those of other interpreters (standstill.h), from the first to the last byte, and
 * nothing here creates a Python object, changes a refcount, or runs Python code: tp_traverse and tp_is_gc are the only
 * functions of the interpreter that are called for objects. Memory comes from mappings. So the heap that is written is the
 * heap that was there.
 */
#ifndef CPYTHON_INSIDE_H
#define CPYTHON_INSIDE_H

#include "../../../dumpfmt/sink.h"
#include "../../../dumpfmt/writer.h"
#include "../../maps/self.h"
#include "../threads.h"
#include "../traces.h"
#include "holders.h"
#include "interpreter.h"
#include "mapping.h"
#include "visits.h"

enum { INSIDE_NO_VALUES = 1, INSIDE_COLLECTION_ENDED = 2 /* called from gc.callbacks */, INSIDE_TEXT_MAX = 4096 };

struct inside_request {
    const char *path;
    unsigned flags;
    unsigned captured; /* enum captured */
    uint64_t caller;   /* where the stack of who asks for it ends; set by inside_dump() */
};

/* Makes a snapshot of every interpreter that stands still, or can be made to. Fails with RH_ERR_BUSY while a collection is
 * under way: its objects hang on lists only the collection knows. */
int inside_dump(const struct python *python, const struct inside_request *request, struct rh_error *err);

/* ---- between the files of this folder ---- */

/* Addresses in order, the generation in the lowest three bits. */
struct object_list {
    struct mapping entries;
    size_t count;
};

struct still;

/* What of the two lists is a heap's: each begins where the heap before it ends. */
struct heap_span {
    const struct still *still;
    size_t tracked_from, tracked_to, found_to;
};

/* Memory that may go while it is read: its pages are copied by the kernel, which knows what is there. */
struct guarded {
    struct py_memory memory; /* first */
    struct guarded_page *pages;
    uint8_t piece[PY_VIEW_MAX]; /* of two pages */
};

/* Where objects were made, as tracemalloc says. */
struct sites {
    struct guarded memory;
    struct py_world world; /* over that memory */
    struct py_traces traces;
    struct id_map tracebacks; /* by address: site id + 1, and one more for those that are broken */
    struct id_map places;     /* by the string id of a file, and line: their number */
    struct id_map frames;     /* by the caller's id + 1, and the number of a place: site id + 1 */
    uint32_t place_count, count;
};

struct inside {
    const struct inside_request *request;
    const struct python *python;
    struct py_world world;
    struct writer *writer;
    int out_of_memory;

    uint32_t heap;          /* id of the heap being written */
    struct census census;   /* every object met, and the counted references to it */
    struct object_list tracked, found; /* what collectors list; what was reached from there */
    size_t found_next;      /* of `found`, the first not written yet */

    struct id_map strings;  /* by address of a str object or of a C string: the string id */
    struct id_map named;    /* str objects whose text was written as a name */
    struct id_map type_ids; /* by address: id + 1 */
    struct mapping types;   /* struct py_type, by id */
    uint32_t type_count;

    struct visits visits; /* of the object being written */
    uint64_t self;        /* that object */
    int self_is_container, self_is_immortal, self_is_dict, self_has_attributes;

    struct holders holders; /* who might hold what is unexplained */
    struct sites sites;

    uint32_t threads, frames; /* numbers handed out */
    uint64_t not_visited, not_visited_example; /* references described that tp_traverse did not visit */
    uint64_t refused, refused_example;         /* words described as references that lead to no object */
    uint64_t unnamed;                          /* visits nothing described */

    struct sink_file file;
    struct self_scratch scratch;
    char text[INSIDE_TEXT_MAX];
    _Alignas(16) char writer_memory[];
};

/* names.c: texts */
uint32_t inside_text(struct inside *d, const char *text);
uint32_t inside_str(struct inside *d, uint64_t str);           /* a str object's text */
uint32_t inside_c_string(struct inside *d, const char *text);  /* the same text is written once */
void inside_name(struct inside *d, uint64_t str); /* its text as a value that is a name */
void inside_note(struct inside *d, enum severity severity, const char *text, uint64_t address);
void inside_note_number(struct inside *d, enum severity severity, const char *text, uint64_t number, uint64_t address);
void inside_label(struct inside *d, enum py_label label, uint64_t number, const char *text, enum label_kind *kind,
                  uint64_t *value);

/* types.c: the type of an object, read and written when first met. Valid until the next call. */
const struct py_type *inside_type(struct inside *d, uint64_t object, uint32_t *id);

/* Whether the collector looks at an object of the type. */
int inside_is_container(uint64_t object, const struct py_type *type);

/* Whether its values under keys are attributes. */
int inside_has_attributes(const struct py_type *type);

/* objects.c: objects */
void inside_meet(struct inside *d, uint64_t object, unsigned references); /* to be written, when it is new */

/* Whether a word that only a layout calls a reference is one. tp_traverse is to be believed, and so is a dict; but what else is
 * read by offsets may be wrong in a build nobody has seen, and the process must not pay for it with its life. Refusals are
 * counted and told. */
int inside_is_object(struct inside *d, uint64_t word);
int inside_list(struct inside *d, uint64_t head, unsigned generation, uint64_t *count, struct rh_error *err);
void inside_write_tracked(struct inside *d, size_t from, size_t to);
void inside_write_found(struct inside *d);
void inside_account(struct inside *d);

/* sites.c: where objects were made */
void inside_find_sites(struct inside *d); /* when tracemalloc is on: where its table is */
uint64_t inside_site(struct inside *d, uint64_t object, const struct py_type *type); /* site id + 1; 0 none */
void inside_sites_end(struct inside *d); /* says what could not be read */
void inside_sites_release(struct inside *d);

/* roots.c: what interpreters and threads hold */
void inside_roots(struct inside *d, uint64_t interpreter);
void inside_root(struct inside *d, const struct py_root *root, uint32_t thread, uint32_t frame);

#endif
