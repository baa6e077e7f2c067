/* What the files of librefheap share. */
#ifndef LIBREFHEAP_INTERNAL_H
#define LIBREFHEAP_INTERNAL_H

#include <refheap/refheap.h>

#include "links.h"
#include "pool.h"

enum type_bits {
    TYPE_IS_CONTAINER = 1,
    TYPE_BORN_UNTRACKED = 2, /* tracked only once they hold what may be tracked: dict */
    TYPE_IDLES = 4,          /* untracked by the collector when they hold nothing that may be tracked: tuple, dict */
    TYPE_IS_PLAIN = 8,       /* instances hold simple references and nothing else to take care of when they die */
    TYPE_KEEPS_SIZE = 16,    /* what counts the items of an instance never changes */
    TYPE_HAS_FINALIZER = 32,
    TYPE_HAS_LEGACY = 64, /* finalizer */
    TYPE_HAS_WEAK = 128,  /* fields */
};

/* A field that holds counted references, for the inner loops. */
struct reference {
    uint32_t offset;
    uint32_t kind;
    const struct rh_field *field;
};

struct rh_type {
    struct rh_type *next; /* in the heap's list; changed by single stores */
    struct rh_heap *heap;
    const struct rh_type *base;
    const char *name, *module;
    size_t size, item_size;
    uint32_t flags; /* enum type_bits */
    uint32_t field_count;
    const struct rh_field *fields;
    uint32_t reference_count;
    uint32_t weak_count;
    uint32_t snapshot_id; /* while a dump is written */
    struct reference *references;
    const struct rh_field *items; /* the inline array that item_size counts, or NULL */
    const struct rh_field *kept;  /* the field with RH_FIELD_KEPT, or NULL */

    int (*traverse)(struct rh_object *, rh_visit, void *);
    void (*clear)(struct rh_object *); /* instead of clearing by table, when set */
    void (*finalize)(struct rh_object *);
    void (*legacy_finalize)(struct rh_object *);
    void (*release)(struct rh_object *);
};

/* What the gc module keeps of a generation. */
struct counts {
    size_t threshold, count;
    uint64_t collections, collected, uncollectable;
};

struct root {
    char *name;
    struct rh_object **slot;  /* declared: where the reference is */
    struct rh_object *object; /* pinned: the reference */
    uint32_t kind;            /* enum root_kind of the format */
    uint32_t reserved;
};

/* What stands before each object of a heap that numbers its objects or records where they were made. */
struct prefix {
    uint64_t serial;
    uint32_t site; /* number in the heap's table of sites, from 1 on; 0 none */
    uint32_t reserved;
};
_Static_assert(sizeof(struct prefix) == 16, "objects stay 16-aligned");

/* A place where objects are made: what RH_AT() names, or return addresses. */
struct site {
    const struct rh_site *named; /* NULL: the addresses say it */
    uint32_t depth;
    uint32_t next;        /* in its hash chain */
    uint32_t snapshot_id; /* while a dump is written */
    uint64_t address[];
};

struct site_table {
    struct site **sites; /* by number - 1 */
    uint32_t count, capacity;
    uint32_t *chains;
    uint32_t chain_count; /* a power of two, or 0 */
};

struct callback {
    rh_gc_callback function;
    void *context;
};

/* rh_at_death(): a weak reference with somebody to tell. */
struct death {
    struct rh_weak weak; /* first; its owner is death_mark */
    struct death *newer, *older;
    void (*callback)(void *context);
    void *context;
};

struct weak_entry {
    struct rh_object *target;
    struct rh_weak *first;
};

/* A hash table of targets by address; linear probing, no tombstones. */
struct weak_table {
    struct weak_entry *entries;
    size_t capacity, used;
};

struct none_object {
    RH_OBJECT_HEAD;
};

struct bool_object {
    RH_OBJECT_HEAD;
    uint8_t value;
};

struct rh_heap {
    struct rh_links lists[RH_LIST_LIMIT]; /* 16-aligned, as the flag bits in links take */
    struct rh_heap *next;
    struct rh_object *hand; /* an object between two lists */
    struct rh_allocator allocator;
    size_t prefix; /* bytes before each object: sizeof(struct prefix) or 0 */
    struct pool pool;
    unsigned site_depth;
    struct site_table sites;
    char *name;
    struct rh_type *types;
    struct root *roots;
    size_t root_count, root_capacity;
    struct counts generations[3];
    uint64_t long_lived_total, long_lived_pending;
    uint64_t next_serial;
    uint64_t owner;     /* thread id */
    int32_t collecting; /* generation, or -1 */
    uint32_t enabled, debug;
    volatile uint32_t busy; /* > 0 while objects or lists are not fit to be dumped */

    int queueing;   /* freed objects wait in the trash rather than go at once */
    int user_depth; /* of user code run while freeing */
    struct rh_links *trash_at;

    struct weak_table weak;
    struct name_table *names;
    struct death *deaths; /* the newest */
    struct rh_object *garbage;
    struct callback *callbacks;
    size_t callback_count, callback_capacity;
    rh_report report;
    void *report_context;
    int stress; /* RH_GC_STRESS: collect at every allocation */
#ifdef RH_DEBUG
    void *owner_mark;
    struct quarantine *quarantine;
#endif
    struct rh_type *builtins[RH_BUILTIN_LIMIT];
    int destroying;
    _Alignas(16) struct prefix none_prefix;
    struct none_object none;
    _Alignas(16) struct prefix false_prefix;
    struct bool_object false_object;
    _Alignas(16) struct prefix true_prefix;
    struct bool_object true_object;
};

#ifdef RH_DEBUG
void debug_check_thread(const struct rh_heap *heap);
void debug_free(struct rh_object *object, size_t size);
void *debug_thread(void); /* tells threads apart */
#endif

static inline void heap_enter(struct rh_heap *heap)
{
#ifdef RH_DEBUG
    debug_check_thread(heap);
#endif
    heap->busy++;
    store_barrier();
}

static inline void heap_leave(struct rh_heap *heap)
{
    store_barrier();
    heap->busy--;
}

/* The same where nothing in between changes `busy` for good: what was read is put back, and the processor need not wait
 * for its own store. */
static inline uint32_t heap_enter_briefly(struct rh_heap *heap)
{
#ifdef RH_DEBUG
    debug_check_thread(heap);
#endif
    uint32_t busy = heap->busy;
    heap->busy = busy + 1;
    store_barrier();
    return busy;
}

static inline void heap_leave_briefly(struct rh_heap *heap, uint32_t busy)
{
    store_barrier();
    heap->busy = busy;
}

/* Takes an object from its list to the end of another. */
static inline void move_object(struct rh_heap *heap, struct rh_object *object, struct rh_links *to)
{
    heap->hand = object;
    list_remove(links_of(object));
    list_append(to, links_of(object));
    heap->hand = NULL;
}

static inline int is_container(const struct rh_object *object)
{
    return object->type->flags & TYPE_IS_CONTAINER;
}

static inline int is_tracked(const struct rh_object *object)
{
    return generation_of(&object->links) != RH_UNTRACKED;
}

/* Whether an object could be part of a cycle now or later; CPython's _PyObject_GC_MAY_BE_TRACKED. */
static inline int may_be_tracked(const struct rh_object *object)
{
    struct rh_type *type = object->type;
    return is_container(object) && (type != type->heap->builtins[RH_TYPE_TUPLE] || is_tracked(object));
}

/* ---- memory (memory.c) ---- */

void *heap_allocate(struct rh_heap *heap, size_t size); /* not zeroed; NULL when there is none */
void heap_free(struct rh_heap *heap, void *memory);
char *heap_copy_text(struct rh_heap *heap, const char *text);

/* Makes room for one more element of an array of `count`. Returns 0 or RH_ERR_NO_MEMORY. */
int heap_grow(struct rh_heap *heap, void *array, size_t count, size_t *capacity, size_t element_size);

void *object_allocate_slowly(struct rh_type *type, size_t size);
void object_free_slowly(struct rh_object *object, size_t size);

/* Whether objects of this size come from pages: those whose size can be told when they are freed. */
static inline int is_pooled(const struct rh_type *type, size_t size)
{
    return type->flags & TYPE_KEEPS_SIZE && size <= type->heap->pool.slot_most;
}

/* Memory for an object of a type, the prefix before it filled in; its head is not. */
static inline struct rh_object *object_allocate(struct rh_type *type, size_t size)
{
    return is_pooled(type, size) ? pool_allocate(&type->heap->pool, size) : object_allocate_slowly(type, size);
}

/* `size` is what it was allocated with; it need not be right for a type without TYPE_KEEPS_SIZE. */
static inline void object_free(struct rh_object *object, size_t size)
{
    if (is_pooled(object->type, size))
        pool_free(&object->type->heap->pool, object);
    else
        object_free_slowly(object, size);
}

/* ---- allocation sites (site.c) ---- */

/* The number of the site an object is being made at; 0 when memory is exhausted. */
uint32_t site_here(struct rh_heap *heap);
void sites_destroy(struct rh_heap *heap);

static inline struct prefix *prefix_of(const struct rh_object *object)
{
    return (struct prefix *)(uintptr_t)object - 1;
}

/* ---- reports (report.c) ---- */

void report(struct rh_heap *heap, const char *format, ...) __attribute__((format(printf, 2, 3)));
unsigned report_flags_of(const char *text); /* what RH_GC_DEBUG says */
void report_collection_start(struct rh_heap *heap, int generation);
void report_collection_stop(struct rh_heap *heap, size_t collected, size_t uncollectable, double seconds);
void report_leaks(struct rh_heap *heap);

/* ---- callbacks (callback.c) ---- */

void callbacks_call(struct rh_heap *heap, enum rh_gc_phase phase, const struct rh_gc_info *info);

/* ---- objects (object.c) ---- */

/* Drops what the fields of an object hold; the object itself stays. */
void object_clear(struct rh_object *object);

/* Frees the object's memory and buffers and nothing else: no finalizer, no references dropped. */
void object_discard(struct rh_object *object);

/* Bracket calls of user code (finalizers, callbacks) from inside the library: the heap is not busy there, and objects
 * freed there go at once, up to a depth. Return and take what has to be restored. */
struct user_state {
    uint32_t busy;
    int queueing;
};
struct user_state user_begin(struct rh_heap *heap);
void user_end(struct rh_heap *heap, struct user_state state);

/* Runs the finalizer of an object whose refcount is not zero, once. */
void object_finalize(struct rh_object *object);

/* ---- builtin types ---- */

int builtins_create(struct rh_heap *heap, struct rh_error *err); /* builtins.c */
int scalars_create(struct rh_heap *heap, struct rh_error *err);
int sequences_create(struct rh_heap *heap, struct rh_error *err);
int dicts_create(struct rh_heap *heap, struct rh_error *err);
int classes_create(struct rh_heap *heap, struct rh_error *err);
int weakrefs_create(struct rh_heap *heap, struct rh_error *err);
int sets_create(struct rh_heap *heap, struct rh_error *err);
int exceptions_create(struct rh_heap *heap, struct rh_error *err);
void type_unregister(struct rh_type *type); /* type.c */
void type_destroy(struct rh_type *type);

/* Whether a tuple or dict holds nothing that may be tracked (sequence.c, dict.c). */
int tuple_may_untrack(const struct rh_object *tuple);
int dict_may_untrack(const struct rh_object *dict);

/* The interned str with this text: a new reference, NULL without memory. NULL without an error when `create` is 0 and
 * there is none. */
struct rh_object *name_get(struct rh_heap *heap, const char *text, size_t length, int create);
void names_destroy(struct rh_heap *heap);

/* ---- weak references (weak.c) ---- */

void weak_unlink(struct rh_weak *weak);

/* Clears all weak references to an object. Returns those that want their callback called, chained through
 * `next`, each owner with a reference added; weak_call() calls them, drops it, and returns how many went with that.
 * With `judging`, for the collector, owners that are themselves being collected are left out, and those called keep
 * their data. */
struct rh_weak *weak_clear(struct rh_object *target, int judging);
size_t weak_call(struct rh_heap *heap, struct rh_weak *chain, int judging);

/* Clears all weak references to an object and calls nobody. */
void weak_forget(struct rh_object *target);
void weak_table_destroy(struct rh_heap *heap);

/* What the owner of a weak reference of rh_at_death() is: no object. */
extern struct rh_object death_mark;
void death_call(struct rh_heap *heap, struct rh_weak *weak);
void deaths_call_all(struct rh_heap *heap);

/* The first of the weak references to an object, or NULL. */
struct rh_weak *weak_first(const struct rh_object *target);

/* ---- collector (collect.c) ---- */

/* Runs an automatic collection when thresholds say so; called with the count of generation 0 already raised. */
void collect_when_due(struct rh_heap *heap);
size_t collect(struct rh_heap *heap, int generation);

/* ---- control block (control.c) ---- */

void control_add_heap(struct rh_heap *heap);
void control_remove_heap(struct rh_heap *heap);

/* The lock of the list of heaps. Held for moments only; a dump tries it and goes on without. */
void control_lock(void);
int control_try_lock(void);
void control_unlock(void);

/* A thread is serving a request. */
extern int control_serving;

/* Around a fork: its caller, and the copy, which has the caller's heaps. */
void control_before_fork(void);
void control_after_fork(void);

/* Serves an open request for a dump, if this is a safe point. */
void control_serve(struct rh_heap *heap);

/* Other threads ask, a debugger asks: what belongs to a request is written before its number. */
static inline int control_request_is_open(void)
{
    uint32_t done = __atomic_load_n(&rh_control.done, __ATOMIC_RELAXED);
    return __atomic_load_n(&rh_control.request, __ATOMIC_ACQUIRE) != done;
}

static inline void safepoint(struct rh_heap *heap)
{
    if (__builtin_expect(control_request_is_open(), 0))
        control_serve(heap);
}

/* ---- dump (dump.c) ---- */

struct dump_request {
    const char *path;
    unsigned flags;
    unsigned captured; /* enum captured of the format */
    int everyone;      /* heaps of other threads too: nothing moves, in a forked copy */
};
int dump_heaps(const struct dump_request *request, struct rh_error *err);

/* Whether the calling thread's heaps may be dumped at this instant: 0, RH_ERR_BUSY or RH_ERR_NOT_FOUND. Under the lock.
 */
int dump_judge_heaps(struct rh_error *err);

/* ---- dumps the environment asks for (trigger.c) ---- */

void trigger_arm(void);                       /* once, with the first heap */
void trigger_heap_going(void);                /* a heap is about to be destroyed */
void trigger_no_memory(struct rh_heap *heap); /* an allocation failed; the heap is not busy */

#endif
