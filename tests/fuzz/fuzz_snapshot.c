/* Fuzz target: any bytes as a snapshot, opened strictly and with salvage, and everything computed of what opens. Built
 * with checksums that are always right, so that the fuzzer gets behind them.
 */
#include <stdlib.h>
#include <string.h>

#include "../../analyzer/graph/bits.h"
#include "../../analyzer/graph/audit.h"
#include "../../analyzer/graph/census.h"
#include "../../analyzer/graph/changes.h"
#include "../../analyzer/graph/cycles.h"
#include "../../analyzer/graph/roots.h"
#include "../../analyzer/graph/routes.h"
#include "../../analyzer/graph/sums.h"
#include "../../dumpfmt/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct text no_name(const void *context, ordinal from, uint64_t number)
{
    (void)context, (void)from, (void)number;
    return (struct text){"", 0, 0};
}
static const struct cut_naming naming = {.name = no_name};

static void ignore_cut(void *context, ordinal from, uint64_t number)
{
    struct edge edge;
    graph_edge(context, from, number, &edge);
}

/* The audit, ways to objects, and the heap beside itself. */
static void compare(const struct graph *g, const struct roots *roots, const struct garbage *garbage,
                    const struct components *components, const struct dominators *all)
{
    struct audit audit;
    struct routes routes;
    struct pairing pairing;
    struct attribution *attributed;
    struct census census = {0};
    size_t count;
    uint32_t *classes = calloc(snapshot_type_limit(g->snapshot) + (size_t)g->objects + 1, sizeof *classes);
    const struct pairing_side sides[] = {{g, classes}, {g, classes}};
    const struct census_filter all_objects = {-1, -1};
    if (audit_find(g, roots, garbage, &audit) || routes_find(g, roots, &routes) || pairing_find(sides, &pairing) ||
        changes_attribute(g, &pairing, all, classes, 1, classes, &attributed, &count))
        abort();
    census_take(g->snapshot, &all_objects, classes, &census);
    if (census.objects != g->objects || pairing.by_serial + pairing.by_address != g->objects || count)
        abort(); /* everything stayed */
    for (ordinal o = 0; o < g->objects && o < 4; o++) {
        struct path path, round;
        if (routes_path(&routes, roots, o, &path) || path_from_cycle(g, components, o, &round))
            abort();
        path_release(&path);
        path_release(&round);
    }
    array_free(attributed);
    audit_release(&audit);
    routes_release(&routes);
    pairing_release(&pairing);
    free(classes);
}

/* What the search tells of garbage is what the collector's rule says. */
static int begin_search(const struct graph *g, const struct garbage *garbage, struct spanning *spanning)
{
    struct garbage told;
    uint64_t *reached = bits_new(g->objects);
    if (!reached || spanning_prepare(g, spanning))
        return -1;
    spanning_begin(spanning);
    spanning_reached(spanning, reached);
    if (garbage_find_unreached(g, reached, &told))
        return -1;
    if (memcmp(told.fate, garbage->fate, g->objects) || memcmp(&told.garbage, &garbage->garbage, 3 * sizeof told.garbage))
        abort();
    garbage_release(&told);
    array_free(reached);
    return 0;
}

static void analyse(const struct graph *g)
{
    struct garbage garbage;
    struct components components;
    struct dominators all;
    struct spanning begun = {0};
    uint64_t *retained;
    struct cycles cycles;
    struct roots roots;
    uint8_t *stuck = calloc(g->objects + 1u, 1);
    uint32_t *classes = calloc(g->objects + 1u, sizeof *classes);
    struct class_sums sums[1] = {{0}};
    if (roots_find(g, &roots) || garbage_find(g, 2, &garbage) ||
        garbage_uncollectable(g, &garbage, stuck) == UINT64_MAX ||
        components_find(g, garbage.fate, 1 << FATE_GARBAGE | 1 << FATE_INVISIBLE, 1 << FATE_DEPENDENT, &components) ||
        (spanning_can_begin(g) && begin_search(g, &garbage, &begun)) ||
        dominators_build(g, &garbage, &components, begun.begun ? &begun : NULL, &all) ||
        !(retained = calloc(components.count + 1u, sizeof *retained)) ||
        dominators_of_cycles(g, &garbage, &components, retained) ||
        cycles_find(g, &garbage, &components, retained, stuck, &cycles) || sums_by_class(g, &all, classes, 1, sums))
        abort(); /* only memory can be short, and the inputs are small */
    if (all.retained[dominators_root(&all)] != g->bytes)
        abort(); /* what the super-root retains is everything */
    for (ordinal c = 0; c < cycles.count; c++)
        if (cycles_choose_cut(g, &components, cycles.items[c].component, &naming, ignore_cut,
                              (void *)(uintptr_t)g))
            abort();
    for (ordinal o = 0; o < g->objects && o < 4; o++) {
        struct path path;
        if (path_from_root(g, &roots, o, &path))
            abort();
        path_release(&path);
    }
    compare(g, &roots, &garbage, &components, &all);
    cycles_release(&cycles);
    dominators_release(&all);
    free(retained);
    components_release(&components);
    garbage_release(&garbage);
    roots_release(&roots);
    free(stuck);
    free(classes);
}

static void open_bytes(const uint8_t *data, size_t size, int salvage)
{
    struct snapshot_options options = {.salvage = salvage};
    struct snapshot *s;
    struct graph g;
    struct value_cursor cursor = {0};
    if (snapshot_open_memory(data, size, &options, &s, NULL))
        return;
    for (const struct value_record *r; (r = snapshot_next_value(s, &cursor));)
        if (r->kept && ((const uint8_t *)(r + 1))[r->kept - 1] == 0 && r->length < r->kept)
            abort();
    if (!graph_build(s, &g, NULL)) {
        analyse(&g);
        graph_release(&g);
    }
    snapshot_close(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *aligned = aligned_alloc(8, (size + 8) & ~(size_t)7);
    memcpy(aligned, data, size);
    open_bytes(aligned, size, 0);
    open_bytes(aligned, size, 1);
    free(aligned);
    return 0;
}
