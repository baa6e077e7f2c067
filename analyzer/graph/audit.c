#include "audit.h"

#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "bits.h"

/* Counted edges into an object that are known for sure. */
static int64_t known_internal(const struct graph *g, ordinal o)
{
    int64_t known = 0;
    for (uint64_t b = g->back->start[o]; b < g->back->start[o + 1]; b++)
        known += edge_is_counted(g->back->info[b]) && !(g->back->info[b] & EDGE_INFERRED);
    return known;
}

static int compare_modules(const void *pa, const void *pb)
{
    const struct module_record *const *a = pa, *const *b = pb;
    return (*a)->base < (*b)->base ? -1 : (*a)->base > (*b)->base;
}

static ordinal first_from(const struct graph *g, uint64_t address)
{
    ordinal low = 0, high = g->objects;
    while (low < high) {
        ordinal middle = low + (high - low) / 2;
        if (graph_address(g, middle) < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Objects that stand in a module's own memory, as variables do: nothing frees them, and who made them need not have
 * counted the references they began with. `result` has room for a bit an object. */
static int find_static(const struct graph *g, uint64_t *result)
{
    size_t count = (size_t)snapshot_count(g->snapshot, SECTION_MODULES), n = 0;
    const struct module_record **modules = array_raw(count + 1, sizeof *modules), *m;
    struct record_cursor cursor = {0, 0};
    ordinal at = 0;
    if (!modules)
        return -1;
    while (n < count && (m = snapshot_next_record(g->snapshot, SECTION_MODULES, &cursor)))
        modules[n++] = m;
    qsort(modules, n, sizeof *modules, compare_modules);
    for (size_t i = 0; i < n; i++) {
        ordinal first = first_from(g, modules[i]->base);
        for (at = first > at ? first : at; at < g->objects && graph_address(g, at) < modules[i]->end; at++)
            bit_set(result, at);
    }
    array_free(modules);
    return 0;
}

/* Whether what is short of an object's refcount is due to objects that are being taken apart: their references are
 * given back one by one before they are gone. */
static int is_being_dropped(const struct graph *g, ordinal o, int64_t missing)
{
    for (uint64_t b = g->back->start[o]; b < g->back->start[o + 1] && missing > 0; b++)
        missing -= edge_is_counted(g->back->info[b]) && g->state[graph_source(g, b)] & STATE_DYING;
    return missing <= 0;
}

static enum audit_class judge(const struct graph *g, const struct audit *a, ordinal o, int has_possible)
{
    if (g->state[o] & (STATE_IMMORTAL | STATE_DAMAGED | STATE_DYING) || bit_is_set(a->is_static, o))
        return AUDIT_NOT_AUDITABLE;
    int64_t unexplained = audit_unexplained(g, a, o);
    if (unexplained > 0)
        return has_possible ? AUDIT_POSSIBLY_OVER : AUDIT_OVER;
    if (unexplained == 0)
        return AUDIT_CLEAN;
    if (is_being_dropped(g, o, -unexplained))
        return AUDIT_NOT_AUDITABLE;
    return known_internal(g, o) + (int64_t)a->explained[o] > graph_refcount(g, o) ? AUDIT_UNDER : AUDIT_POSSIBLY_UNDER;
}

/* Objects and roots in one walk: both stand in the order of ordinals. */
static void judge_all(const struct graph *g, const struct roots *roots, struct audit *a)
{
    size_t r = 0;
    for (ordinal o = 0; o < g->objects; o++) {
        int has_possible = 0;
        for (; r < roots->count && roots->items[r].object == o; r++) {
            unsigned flags = roots->items[r].record->flags;
            a->explained[o] += (flags & (ROOT_EXACT | ROOT_COUNTED)) == (ROOT_EXACT | ROOT_COUNTED);
            has_possible |= !(flags & ROOT_EXACT);
        }
        a->class_of[o] = (uint8_t)judge(g, a, o, has_possible);
        a->count[a->class_of[o]]++;
    }
    for (uint64_t e = 0; e < g->edges; e++)
        a->inferred += edge_is_counted(g->info[e]) && g->info[e] & EDGE_INFERRED && g->target[e] != ORDINAL_NONE;
}

/* ---- pinned cycles ---- */

enum { HELD = 0, LOOSE = 1 };

/* Live objects that nothing with a known reason to live reaches are LOOSE. */
static int find_loose(const struct graph *g, const struct audit *a, const struct garbage *garbage, uint8_t *part)
{
    ordinal *stack = array_new((size_t)g->objects + 1, sizeof *stack);
    size_t used = 0;
    if (!stack)
        return -1;
    for (ordinal o = 0; o < g->objects; o++) {
        int known = graph_is_immortal(g, o) || graph_generation(g, o) == GENERATION_PERMANENT || a->explained[o] ||
                    bit_is_set(a->is_static, o);
        part[o] = garbage->fate[o] == FATE_LIVE && !known ? LOOSE : HELD;
        if (garbage->fate[o] == FATE_LIVE && known)
            stack[used++] = o;
    }
    while (used) {
        ordinal o = stack[--used];
        for (uint64_t e = g->edge_start[o]; e < g->edge_start[o + 1]; e++) {
            ordinal t = g->target[e];
            if (t == ORDINAL_NONE || !edge_is_counted(g->info[e]) || part[t] == HELD)
                continue;
            part[t] = HELD;
            stack[used++] = t;
        }
    }
    array_free(stack);
    return 0;
}

static struct pinned describe(const struct graph *g, const struct audit *a, ordinal component)
{
    const struct components *c = &a->components;
    struct pinned p = {.component = component, .objects = c->member_start[component + 1] - c->member_start[component]};
    for (ordinal m = c->member_start[component]; m < c->member_start[component + 1]; m++) {
        ordinal o = c->member[m];
        p.bytes += graph_size(g, o);
        if (a->class_of[o] == AUDIT_OVER || a->class_of[o] == AUDIT_POSSIBLY_OVER)
            p.unexplained += (uint64_t)audit_unexplained(g, a, o);
    }
    return p;
}

static int compare_pinned(const void *pa, const void *pb, void *context)
{
    const struct components *c = context;
    const struct pinned *a = pa, *b = pb;
    if (a->bytes != b->bytes)
        return a->bytes < b->bytes ? 1 : -1;
    if (a->objects != b->objects)
        return a->objects < b->objects ? 1 : -1;
    ordinal x = c->member[c->member_start[a->component]], y = c->member[c->member_start[b->component]];
    return x < y ? -1 : x > y;
}

static int find_pinned(const struct graph *g, const struct garbage *garbage, struct audit *a)
{
    uint8_t *part = array_new((size_t)g->objects + 1, 1);
    int status =
        part && !find_loose(g, a, garbage, part) && !components_find(g, part, 1 << LOOSE, 0, &a->components) ? 0 : -1;
    array_free(part);
    if (status)
        return status;
    a->pinned = array_new((size_t)a->components.count + 1, sizeof *a->pinned);
    if (!a->pinned)
        return -1;
    for (ordinal i = 0; i < a->components.count; i++)
        if (a->components.cyclic[i]) {
            struct pinned p = describe(g, a, i);
            if (p.unexplained)
                a->pinned[a->pinned_count++] = p;
        }
    qsort_r(a->pinned, a->pinned_count, sizeof *a->pinned, compare_pinned, &a->components);
    return 0;
}

int audit_find(const struct graph *g, const struct roots *roots, const struct garbage *garbage, struct audit *a)
{
    size_t n = (size_t)g->objects + 1;
    memset(a, 0, sizeof *a);
    a->class_of = array_new(n, 1);
    a->explained = array_new(n, sizeof *a->explained);
    a->is_static = bits_new(g->objects);
    int status = a->class_of && a->explained && a->is_static && !find_static(g, a->is_static) ? graph_back(g) : -1;
    if (!status) {
        judge_all(g, roots, a);
        status = find_pinned(g, garbage, a);
    }
    if (status)
        audit_release(a);
    return status;
}

void audit_release(struct audit *audit)
{
    array_free(audit->class_of);
    array_free(audit->explained);
    array_free(audit->is_static);
    array_free(audit->pinned);
    components_release(&audit->components);
    memset(audit, 0, sizeof *audit);
}
