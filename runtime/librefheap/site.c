/* Where objects are made: a place the program names with RH_AT(), or the return addresses of the callers. Each place is
 * kept once. */
#include <execinfo.h>
#include <string.h>

#include "internal.h"

static __thread const struct rh_site *current_site __attribute__((tls_model("initial-exec")));

const struct rh_site *rh_site_set(const struct rh_site *site)
{
    const struct rh_site *before = current_site;
    current_site = site;
    return before;
}

/* The library's code stands in a section of its own (see the Makefile), whose bounds the linker knows. */
extern const char __start_rh_text[] __attribute__((weak, visibility("hidden")));
extern const char __stop_rh_text[] __attribute__((weak, visibility("hidden")));

static int is_own_code(const void *address)
{
    return (const char *)address >= __start_rh_text && (const char *)address < __stop_rh_text;
}

/* The return addresses outside the library, innermost first. How many frames of the library itself lie on top depends
 * on what was inlined: all are left out. */
static uint32_t walk_stack(const struct rh_heap *heap, uint64_t *to)
{
    enum { OWN_FRAMES_MAX = 12 };
    void *frames[RH_SITE_DEPTH_MAX + OWN_FRAMES_MAX];
    int n = backtrace(frames, (int)(heap->site_depth + OWN_FRAMES_MAX)), first = 0;
    while (first < n && is_own_code(frames[first]))
        first++;
    uint32_t depth = 0;
    for (int i = first; i < n && depth < heap->site_depth; i++)
        to[depth++] = (uintptr_t)frames[i];
    return depth;
}

static uint64_t hash_of(const struct rh_site *named, const uint64_t *address, uint32_t depth)
{
    uint64_t h = (uintptr_t)named;
    for (uint32_t i = 0; i < depth; i++)
        h = (h ^ address[i]) * 0x9e3779b97f4a7c15u;
    return h * 0x9e3779b97f4a7c15u >> 24;
}

static int grow_chains(struct rh_heap *heap)
{
    struct site_table *t = &heap->sites;
    uint32_t count = t->chain_count ? 2 * t->chain_count : 64;
    uint32_t *chains = heap_allocate(heap, count * sizeof *chains);
    if (!chains)
        return RH_ERR_NO_MEMORY;
    memset(chains, 0, count * sizeof *chains);
    for (uint32_t i = 0; i < t->count; i++) {
        struct site *s = t->sites[i];
        uint32_t *chain = &chains[hash_of(s->named, s->address, s->depth) & (count - 1)];
        s->next = *chain;
        *chain = i + 1;
    }
    heap_free(heap, t->chains);
    t->chains = chains;
    t->chain_count = count;
    return 0;
}

static uint32_t add_site(struct rh_heap *heap, const struct rh_site *named, const uint64_t *address, uint32_t depth)
{
    struct site_table *t = &heap->sites;
    size_t capacity = t->capacity;
    if (t->count == UINT32_MAX - 1 || (t->count >= t->chain_count && grow_chains(heap)) ||
        heap_grow(heap, &t->sites, t->count, &capacity, sizeof *t->sites))
        return 0;
    t->capacity = (uint32_t)capacity;
    struct site *s = heap_allocate(heap, sizeof *s + depth * sizeof *s->address);
    if (!s)
        return 0;
    uint32_t *chain = &t->chains[hash_of(named, address, depth) & (t->chain_count - 1)];
    s->named = named;
    s->depth = depth;
    s->next = *chain;
    memcpy(s->address, address, depth * sizeof *address);
    t->sites[t->count] = s;
    store_barrier();
    *chain = ++t->count;
    return t->count;
}

uint32_t site_here(struct rh_heap *heap)
{
    struct site_table *t = &heap->sites;
    const struct rh_site *named = current_site;
    uint64_t address[RH_SITE_DEPTH_MAX];
    uint32_t depth = named ? 0 : walk_stack(heap, address);
    if (t->chain_count)
        for (uint32_t i = t->chains[hash_of(named, address, depth) & (t->chain_count - 1)]; i;
             i = t->sites[i - 1]->next) {
            const struct site *s = t->sites[i - 1];
            if (s->named == named && s->depth == depth && !memcmp(s->address, address, depth * sizeof *address))
                return i;
        }
    return add_site(heap, named, address, depth);
}

void sites_destroy(struct rh_heap *heap)
{
    struct site_table *t = &heap->sites;
    for (uint32_t i = 0; i < t->count; i++)
        heap_free(heap, t->sites[i]);
    heap_free(heap, t->sites);
    heap_free(heap, t->chains);
    *t = (struct site_table){NULL, 0, 0, NULL, 0};
}
