/* The librefheap model: control blocks, heaps, their types, lists and roots (control.h says what holds for readers).
 *
 * Lists are walked forward; where a link is broken, the rest is walked backward from the head as far as links agree.
 * Each object is written once, though a list caught between two stores may show it twice.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <refheap/control.h>

#include "../../dumpfmt/error.h"
#include "address_set.h"
#include "fieldtable.h"
#include "holders.h"

enum { BLOCKS_MAX = 64, HEAPS_MAX = 4096, TYPES_MAX = 1 << 24, ROOTS_MAX = 1 << 24, NAME_MAX_BYTES = 4096 };

struct block {
    struct rh_control control; /* a copy, checked */
    uint64_t address;
};

struct heap_found {
    const struct block *block;
    uint64_t address;
};

struct runtime {
    size_t block_count, heap_count;
    struct block blocks[BLOCKS_MAX + 1]; /* and one to look at */
    struct heap_found heaps[HEAPS_MAX];
};

/* ---- finding ---- */

static int layout_is_sane(const struct rh_layout *l)
{
    const uint32_t *words = (const uint32_t *)l;
    for (size_t i = 0; i < sizeof *l / sizeof *words; i++)
        if (words[i] > 1 << 20)
            return 0;
    return l->object_size >= sizeof(struct rh_object) && l->next_mask <= 4095 && l->prev_mask <= 4095 &&
           l->heap_list_count > GENERATION_UNTRACKED && l->heap_list_count <= 64 && l->field_size && l->root_size &&
           l->generation_size;
}

static int accept_block(struct probe *probe, void *context, uint64_t address)
{
    static const char magic[16] = RH_CONTROL_MAGIC;
    struct runtime *runtime = context;
    struct block *block = &runtime->blocks[runtime->block_count];
    const struct rh_control *c = &block->control;
    for (size_t i = 0; i < runtime->block_count; i++)
        if (runtime->blocks[i].address == address)
            return 1; /* found both by name and by magic */
    if (runtime->block_count == BLOCKS_MAX ||
        memory_read(probe->memory, address, &block->control, offsetof(struct rh_control, path)) ||
        memcmp(c->magic, magic, sizeof magic) || (uintptr_t)c->self != address)
        return 0;
    if (c->version != RH_CONTROL_VERSION || c->size != sizeof *c) {
        snprintf(probe->unusable, sizeof probe->unusable,
                 "the control block of librefheap at 0x%llx is of version %u, and version %u is known",
                 (unsigned long long)address, c->version, RH_CONTROL_VERSION);
        return 0;
    }
    if (memory_read(probe->memory, address, &block->control, sizeof block->control) || !layout_is_sane(&c->layout)) {
        snprintf(probe->unusable, sizeof probe->unusable, "the control block of librefheap at 0x%llx is damaged",
                 (unsigned long long)address);
        return 0;
    }
    block->address = address;
    runtime->block_count++;
    return 1;
}

/* Follows the list of heaps until its end, a heap known already, or what cannot be read. */
static void find_heaps(struct probe *probe, struct runtime *runtime, const struct block *block)
{
    int ok = 1;
    for (uint64_t heap = (uintptr_t)block->control.heaps; heap && runtime->heap_count < HEAPS_MAX;) {
        uint64_t next = memory_u64(probe->memory, heap + block->control.layout.heap_next, &ok);
        for (size_t i = 0; i < runtime->heap_count; i++)
            ok &= runtime->heaps[i].address != heap;
        if (!ok)
            return;
        runtime->heaps[runtime->heap_count++] = (struct heap_found){block, heap};
        heap = next;
    }
}

static int runtime_find(struct probe *probe, void **state, struct rh_error *err)
{
    static const char magic[16] = RH_CONTROL_MAGIC;
    struct runtime *runtime = calloc(1, sizeof *runtime);
    if (!runtime)
        return error_set(err, RH_ERR_NO_MEMORY, "not enough memory", "");
    /* By its name; and by what it looks like, which finds those of programs without symbols too. */
    probe_find_symbol(probe, "rh_control", accept_block, runtime);
    probe_search(probe, magic, sizeof magic, accept_block, runtime);
    for (size_t i = 0; i < runtime->block_count; i++)
        find_heaps(probe, runtime, &runtime->blocks[i]);
    *state = runtime;
    return (int)runtime->heap_count;
}

/* ---- a heap ---- */

struct heap_reading {
    struct probe *probe;
    const struct block *block;
    const struct rh_layout *layout;
    uint64_t heap;
    uint32_t id;
    int collecting, partial;
    uint64_t lists[5]; /* objects of each generation as written */
    struct type_map types;
    struct address_set objects;
    uint64_t prefix; /* bytes before each object, 0 none */
    uint32_t *sites; /* by number - 1: 1 + the id of the innermost frame, 0 for one that cannot be read */
    uint32_t site_count;
};

static uint64_t heap_number(struct heap_reading *h, uint32_t offset, unsigned size)
{
    int ok = 1;
    uint64_t n = memory_number(h->probe->memory, h->heap + offset, size, &ok);
    h->partial |= !ok;
    return n;
}

static int read_types(struct heap_reading *h)
{
    uint64_t type = heap_number(h, h->layout->heap_types, 8);
    int ok = 1;
    for (size_t n = 0; type && n < TYPES_MAX; n++) {
        if (type_map_find(&h->types, type))
            break; /* a loop */
        int status = remote_type_add(h->probe, h->layout, h->heap, h->id, type, &h->types);
        if (status == RH_ERR_NO_MEMORY)
            return status;
        if (status) {
            h->partial = 1;
            break;
        }
        type = memory_u64(h->probe->memory, type + h->layout->type_next, &ok);
    }
    return 0;
}

/* ---- allocation sites ---- */

enum { SITES_MAX = 1 << 24 };

static uint32_t text_at(struct heap_reading *h, uint64_t address)
{
    char text[NAME_MAX_BYTES];
    if (!address || memory_text(h->probe->memory, address, text, sizeof text) < 0)
        return 0;
    return probe_text(h->probe, text);
}

/* Writes one site, as the chain of frames it is. Returns 1 + the id of the innermost one, 0 when it cannot be read. */
static uint32_t write_site(struct heap_reading *h, uint64_t site)
{
    const struct rh_layout *l = h->layout;
    struct memory *m = h->probe->memory;
    struct site_record r = {.caller = FORMAT_NONE, .module = FORMAT_NONE};
    int ok = 1;
    uint64_t named = memory_u64(m, site + l->site_named, &ok);
    uint32_t depth = memory_u32(m, site + l->site_depth, &ok);
    if (!ok || depth > RH_SITE_DEPTH_MAX || (!named && !depth))
        return 0;
    if (named) { /* a struct rh_site: file, function, line */
        r.file = text_at(h, memory_u64(m, named, &ok));
        r.function = text_at(h, memory_u64(m, named + 8, &ok));
        r.line = memory_u32(m, named + 16, &ok);
        writer_record(h->probe->writer, SECTION_SITES, &r);
        return ++h->probe->sites;
    }
    for (uint32_t level = depth; level--;) {
        r.address = memory_u64(m, site + l->site_address + 8 * (uint64_t)level, &ok);
        writer_record(h->probe->writer, SECTION_SITES, &r);
        r.caller = h->probe->sites++;
    }
    return h->probe->sites;
}

static int read_sites(struct heap_reading *h)
{
    uint64_t table = heap_number(h, h->layout->heap_sites, 8), count = heap_number(h, h->layout->heap_site_count, 4);
    h->prefix = heap_number(h, h->layout->heap_prefix, 8);
    if (h->prefix && h->prefix != h->layout->prefix_size) {
        probe_note(h->probe, SEVERITY_WARNING, "serial numbers and sites of a heap cannot be read", h->heap);
        h->partial = 1;
        h->prefix = 0;
    }
    if (!h->prefix || !count || count > SITES_MAX || !probe_spend(h->probe, count))
        return 0;
    h->sites = calloc(count, sizeof *h->sites);
    if (!h->sites)
        return RH_ERR_NO_MEMORY;
    h->site_count = (uint32_t)count;
    for (uint32_t i = 0; i < h->site_count; i++) {
        int ok = 1;
        uint64_t site = memory_u64(h->probe->memory, table + 8 * (uint64_t)i, &ok);
        h->sites[i] = ok ? write_site(h, site) : 0;
    }
    return 0;
}

static void read_prefix(struct heap_reading *h, uint64_t object, struct writer_object *row)
{
    int ok = 1;
    uint64_t prefix = object - h->prefix;
    row->serial = memory_u64(h->probe->memory, prefix + h->layout->prefix_serial, &ok);
    uint32_t site = memory_u32(h->probe->memory, prefix + h->layout->prefix_site, &ok);
    row->site = ok && site && site <= h->site_count ? h->sites[site - 1] : 0;
}

/* What an address in a list turned out to be. */
enum verdict { OBJECT_WRITTEN, OBJECT_SEEN, OBJECT_BAD };

static int write_object(struct heap_reading *h, uint64_t object, uint64_t next, uint64_t prev, int list,
                        enum verdict *verdict, struct rh_error *err)
{
    const struct rh_layout *l = h->layout;
    int ok = 1;
    *verdict = OBJECT_BAD;
    int64_t refcount = (int64_t)memory_u64(h->probe->memory, object + l->object_refcount, &ok);
    uint64_t type_address = memory_u64(h->probe->memory, object + l->object_type, &ok);
    const struct remote_type *type = ok ? type_map_find(&h->types, type_address) : NULL;
    unsigned generation = (unsigned)(next & l->generation_mask);
    if (!type || generation > GENERATION_UNTRACKED || object % 8)
        return 0;
    *verdict = OBJECT_SEEN;
    int added = address_set_add(&h->objects, object);
    if (added < 0)
        return error_set(err, added, "not enough memory for the set of objects", "");
    if (!added)
        return 0;
    *verdict = OBJECT_WRITTEN;
    if (!(type->flags & TYPE_CONTAINER))
        generation = GENERATION_UNTRACKED; /* damaged: no collector tracks what refers to nothing */
    struct writer_object row = {.address = object, .refcount = refcount};
    row.state = generation | (type->flags & TYPE_CONTAINER ? STATE_CONTAINER : 0) |
                (refcount >= h->block->control.immortal ? STATE_IMMORTAL : 0) |
                (prev & l->finalized_bit ? STATE_FINALIZED : 0) |
                (list == RH_LIST_TRASH || !refcount ? STATE_DYING : 0);
    if (h->prefix)
        read_prefix(h, object, &row);
    if (!(row.state & STATE_IMMORTAL))
        holders_object(h->probe->holders, object, h->id, refcount);
    remote_object_write(h->probe, l, type, h->id, &row);
    h->lists[generation]++;
    return probe_tick(h->probe, err);
}

static int is_list_head(const struct heap_reading *h, uint64_t links)
{
    uint64_t first = h->heap + h->layout->heap_lists;
    return links >= first && links < first + h->layout->heap_list_count * sizeof(struct rh_links);
}

/* Walks a list in one direction until a head, an address seen before where none may be, or something broken. *broken is
 * the object whose link leads astray, the list's head, or 0. */
static int walk_list(struct heap_reading *h, int list, int backward, uint64_t *broken, struct rh_error *err)
{
    const struct rh_layout *l = h->layout;
    uint64_t head = h->heap + l->heap_lists + (uint64_t)list * sizeof(struct rh_links);
    uint64_t mask = backward ? l->prev_mask : l->next_mask;
    int ok = 1;
    uint64_t links = memory_u64(h->probe->memory, head + (backward ? 8 : 0), &ok) & ~mask;
    uint64_t seen_in_a_row = 0, last = head;
    *broken = ok ? 0 : head;
    while (ok && !is_list_head(h, links)) {
        uint64_t next = memory_u64(h->probe->memory, links, &ok);
        uint64_t prev = memory_u64(h->probe->memory, links + 8, &ok);
        enum verdict verdict = OBJECT_BAD;
        int status = ok ? write_object(h, links - l->object_links, next, prev, list, &verdict, err) : 0;
        if (status)
            return status;
        /* Lists caught in the middle of a splice share a tail; a walk that meets only what is known is in one, or in a
         * loop. */
        seen_in_a_row = verdict == OBJECT_SEEN ? seen_in_a_row + 1 : 0;
        if (verdict == OBJECT_BAD || seen_in_a_row > h->objects.used) {
            *broken = last;
            return 0;
        }
        last = links - l->object_links;
        if (backward && verdict == OBJECT_SEEN)
            return 0; /* met the part walked forward */
        links = (backward ? prev : next) & ~mask;
    }
    return 0;
}

static int walk_lists(struct heap_reading *h, struct rh_error *err)
{
    for (int list = 0; list < (int)h->layout->heap_list_count; list++) {
        uint64_t broken;
        int status = walk_list(h, list, 0, &broken, err);
        if (!status && broken) {
            probe_note(h->probe, SEVERITY_ERROR,
                       h->collecting < 0
                           ? "a list of objects is damaged behind this one; its rest was read from the other end"
                           : "a list of objects is damaged behind this one; its rest is lost",
                       broken);
            h->partial = 1;
            if (h->collecting < 0) /* prev links are scratch during a collection */
                status = walk_list(h, list, 1, &broken, err);
        }
        if (status)
            return status;
    }
    /* An object on its way between two lists. */
    uint64_t hand = heap_number(h, h->layout->heap_hand, 8);
    if (!hand)
        return 0;
    int ok = 1;
    enum verdict verdict;
    uint64_t next = memory_u64(h->probe->memory, hand + h->layout->object_links, &ok);
    uint64_t prev = memory_u64(h->probe->memory, hand + h->layout->object_links + 8, &ok);
    return ok ? write_object(h, hand, next, prev, GENERATION_UNTRACKED, &verdict, err) : 0;
}

/* ---- roots ---- */

static void write_root(struct heap_reading *h, uint64_t object, uint64_t slot, uint32_t name, uint32_t kind)
{
    struct root_record r = {
        .object = object,
        .where = slot,
        .name = name,
        .module = FORMAT_NONE,
        .thread = FORMAT_NONE,
        .frame = FORMAT_NONE,
        .kind = (uint16_t)kind,
        .flags = ROOT_EXACT | ROOT_COUNTED,
        .heap = h->id,
    };
    if (!object)
        return;
    writer_record(h->probe->writer, SECTION_ROOTS, &r);
    holders_exact(h->probe->holders, slot, object);
}

static void read_roots(struct heap_reading *h)
{
    const struct rh_layout *l = h->layout;
    struct memory *m = h->probe->memory;
    uint64_t roots = heap_number(h, l->heap_roots, 8), count = heap_number(h, l->heap_root_count, 8);
    if (count > ROOTS_MAX) {
        probe_note(h->probe, SEVERITY_WARNING, "the table of roots is damaged", roots);
        count = 0;
    }
    for (uint64_t i = 0; i < count; i++) {
        char name[NAME_MAX_BYTES] = "";
        uint64_t at = roots + i * l->root_size;
        int ok = 1;
        uint64_t text = memory_u64(m, at + l->root_name, &ok), slot = memory_u64(m, at + l->root_slot, &ok);
        uint64_t object = memory_u64(m, at + l->root_object, &ok);
        uint32_t kind = memory_u32(m, at + l->root_kind, &ok);
        if (ok && slot)
            object = memory_u64(m, slot, &ok);
        if (!ok || kind < ROOT_DECLARED || kind >= ROOT_KIND_LIMIT) {
            probe_note(h->probe, SEVERITY_WARNING, "a root cannot be read", at);
            continue;
        }
        memory_text(m, text, name, sizeof name);
        write_root(h, object, slot, probe_text(h->probe, name), kind);
    }
    write_root(h, heap_number(h, l->heap_garbage, 8), h->heap + l->heap_garbage, probe_text(h->probe, "garbage"),
               ROOT_RUNTIME);
}

/* ---- the whole heap ---- */

static void write_generations(struct heap_reading *h)
{
    const struct rh_layout *l = h->layout;
    for (uint32_t g = 0; g <= GENERATION_PERMANENT; g++) {
        struct generation_record r = {.heap = h->id, .generation = g, .objects = h->lists[g]};
        uint32_t at = l->heap_generations + g * l->generation_size;
        if (g < 3) {
            r.threshold = heap_number(h, at + l->generation_threshold, 8);
            r.count = heap_number(h, at + l->generation_count, 8);
            r.collections = heap_number(h, at + l->generation_collections, 8);
            r.collected = heap_number(h, at + l->generation_collected, 8);
            r.uncollectable = heap_number(h, at + l->generation_uncollectable, 8);
        }
        writer_record(h->probe->writer, SECTION_GENERATIONS, &r);
    }
}

static void write_heap_record(struct heap_reading *h)
{
    const struct rh_layout *l = h->layout;
    char name[NAME_MAX_BYTES] = "", version[sizeof h->block->control.library + 1] = "";
    uint64_t text = heap_number(h, l->heap_name, 8);
    if (text)
        memory_text(h->probe->memory, text, name, sizeof name);
    memcpy(version, h->block->control.library, sizeof h->block->control.library);
    const char *space = strchr(version, ' ');
    struct heap_record r = {
        .id = h->id,
        .runtime = probe_text(h->probe, "librefheap"),
        .version = probe_text(h->probe, space ? space + 1 : version),
        .name = probe_text(h->probe, name),
        .collecting = (int16_t)h->collecting,
        .debug = (uint32_t)heap_number(h, l->heap_debug, 4),
        .address = h->heap,
        .long_lived_total = heap_number(h, l->heap_long_lived_total, 8),
        .long_lived_pending = heap_number(h, l->heap_long_lived_pending, 8),
        .owner = heap_number(h, l->heap_owner, 8),
        .next_serial = heap_number(h, l->heap_next_serial, 8),
    };
    r.flags = (uint16_t)((h->collecting >= 0 ? HEAP_COLLECTING : 0) |
                         (heap_number(h, l->heap_enabled, 4) ? HEAP_ENABLED : 0) | (h->partial ? HEAP_PARTIAL : 0));
    writer_record(h->probe->writer, SECTION_HEAPS, &r);
}

static int read_heap(struct probe *probe, const struct block *block, uint64_t heap, struct rh_error *err)
{
    struct heap_reading h = {
        .probe = probe, .block = block, .layout = &block->control.layout, .heap = heap, .id = probe->heaps++};
    h.collecting = (int32_t)heap_number(&h, h.layout->heap_collecting, 4);
    if (h.collecting < -1 || h.collecting > 2) {
        h.partial = 1;
        h.collecting = -1;
    }
    int status = read_types(&h) ? error_set(err, RH_ERR_NO_MEMORY, "not enough memory for the types", "") : 0;
    if (!status && read_sites(&h))
        status = error_set(err, RH_ERR_NO_MEMORY, "not enough memory for the allocation sites", "");
    if (!status)
        status = walk_lists(&h, err);
    if (!status) {
        read_roots(&h);
        write_generations(&h);
        write_heap_record(&h);
    }
    type_map_release(&h.types);
    address_set_release(&h.objects);
    free(h.sites);
    return status;
}

static int runtime_write(struct probe *probe, void *state, struct rh_error *err)
{
    const struct runtime *runtime = state;
    int status = 0;
    probe->holders = holders_gather(probe, NULL, 0);
    for (size_t i = 0; i < runtime->heap_count && !status; i++)
        status = read_heap(probe, runtime->heaps[i].block, runtime->heaps[i].address, err);
    if (!status)
        holders_write(probe->holders, probe);
    holders_release(probe->holders);
    probe->holders = NULL;
    return status;
}

static const struct model librefheap = {"librefheap", runtime_find, runtime_write, free};
PROBE_MODEL(librefheap);
