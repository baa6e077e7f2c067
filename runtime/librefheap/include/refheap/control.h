/* The control block: how a debugger or a core reader finds its way, with no symbol but this one, and how it asks for a
 * dump.
 *
 * There is one in each copy of the library. It is found by the symbol rh_control, or by looking for its magic followed
 * by its own address. Everything a reader needs to know of the library's structures is in `layout`, so a reader works
 * with libraries older and newer than itself as long as `version` is one it knows.
 *
 * A reader may come at any instant, also in the middle of a collection. What holds then: every object is in one of its
 * heap's lists, or is the one in the heap's `hand`; the `next` links (under their mask) lead through each list and end
 * at the head of some list of the same heap; an object may be met twice; its generation is what its own bits say, until
 * the collection ends.
 *
 * To ask for a dump: write the path, then the flags, then request = done + 1. At its next safe point the program dumps,
 * stores status and os_error, sets done = request, and calls rh_dump_done(), which does nothing: a place for a
 * breakpoint.
 */
#ifndef REFHEAP_CONTROL_H
#define REFHEAP_CONTROL_H

#include <refheap/object.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RH_CONTROL_MAGIC "librefheap.ctrl"
#define RH_CONTROL_VERSION 2

/* Return addresses kept of a site. */
enum { RH_SITE_DEPTH_MAX = 16 };

/* Lists of a heap, by index. The first five are generations as enum rh_generation numbers them. */
enum rh_list {
    RH_LIST_CANDIDATES = 5, /* under collection, not yet judged or found alive */
    RH_LIST_UNREACHABLE,
    RH_LIST_UNCOLLECTABLE,
    RH_LIST_FINALIZING, /* unreachable, its finalizer has had its turn */
    RH_LIST_TRASH,      /* refcount zero, about to be freed */
    RH_LIST_LIMIT,
};

/* Offsets in bytes unless said otherwise. */
struct rh_layout {
    uint32_t object_size;
    uint32_t object_refcount, object_type, object_links;
    uint32_t next_mask;       /* flag bits in `next` */
    uint32_t generation_mask; /* those of them that are the generation */
    uint32_t prev_mask;
    uint32_t finalized_bit; /* in `prev` */

    uint32_t heap_next, heap_name, heap_hand, heap_busy;
    uint32_t heap_lists, heap_list_count; /* heads of struct rh_links; links point at links */
    uint32_t heap_types;                  /* first type */
    uint32_t heap_roots, heap_root_count;
    uint32_t heap_garbage;                      /* a list object, or NULL */
    uint32_t heap_generations, generation_size; /* three of them */
    uint32_t generation_threshold, generation_count, generation_collections, generation_collected,
        generation_uncollectable;
    uint32_t heap_collecting; /* int32: generation being collected, -1 for none */
    uint32_t heap_enabled, heap_debug;
    uint32_t heap_long_lived_total, heap_long_lived_pending;
    uint32_t heap_owner, heap_next_serial;
    uint32_t heap_prefix;                 /* size_t: bytes before each object; 0 none */
    uint32_t heap_sites, heap_site_count; /* pointers to sites, uint32 */
    uint32_t prefix_size, prefix_serial,
        prefix_site; /* from the prefix's start; uint64, and uint32: site number, from 1 */
    uint32_t site_named, site_depth, site_address; /* a struct rh_site or NULL; uint32; uint64 each, innermost first */

    uint32_t root_size, root_name, root_slot, root_object, root_kind;

    uint32_t type_next, type_heap, type_name, type_module;
    uint32_t type_size, type_item_size, type_fields, type_field_count;
    uint32_t type_traverse, type_finalize, type_legacy_finalize; /* functions, or NULL */

    uint32_t field_size; /* of struct rh_field, whose offsets follow */
    uint32_t field_name, field_kind, field_flags, field_count_size, field_offset, field_count_offset;
    uint32_t field_capacity_offset, field_stride, field_key_offset, field_value_offset, field_mask, field_other;
};

/* The part up to `path` has these offsets for ever; `layout` is as long as `version` says. */
struct rh_control {
    char magic[16];
    uint32_t version;
    uint32_t size; /* of this struct */
    const struct rh_control *self;
    struct rh_heap *heaps;
    volatile uint32_t request, done; /* offsets 40, 44: a request is open while they differ */
    uint32_t request_flags;          /* 48: enum rh_dump_flags */
    int32_t status;                  /* 52: of the last dump, enum rh_status */
    int32_t os_error;                /* 56: errno of it, or 0 */
    uint32_t lock;                   /* 60 */
    int64_t immortal;                /* 64: refcounts from here on belong to immortal objects */
    char library[32];                /* 72: name and version */
    char path[4096];                 /* 104: where to dump to */
    struct rh_layout layout;         /* 4200 */
};

extern RH_API struct rh_control rh_control;

/* Called after each dump that was asked for through the control block. Does nothing. */
RH_API void rh_dump_done(void);

/* Dumps at once to the path in the control block, as rh_dump() would: for a debugger that calls into the program.
 * Returns 0 or a negative code. */
RH_API int rh_dump_now(void);

#ifdef __cplusplus
}
#endif
#endif
