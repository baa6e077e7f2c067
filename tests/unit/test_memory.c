/* Every allocation made to fail in turn. Linked with --wrap for malloc and its kin. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../analyzer/graph/audit.h"
#include "../../analyzer/graph/changes.h"
#include "../../analyzer/graph/cycles.h"
#include "../../analyzer/graph/bits.h"
#include "../../analyzer/graph/paths.h"
#include "../../analyzer/graph/what_if.h"
#include "../../analyzer/graph/roots.h"
#include "../../analyzer/graph/routes.h"
#include "../../analyzer/graph/sums.h"
#include "../../dumpfmt/pack.h"
#include "../support/memory_sink.h"
#include "../support/things.h"

static long left; /* allocations until one fails; negative: none does */
static int failed;

static int fails(void)
{
    if (left < 0 || left-- > 0)
        return 0;
    failed = 1;
    left = -1;
    return 1;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
int __real_posix_memalign(void **out, size_t alignment, size_t size);
int __wrap_posix_memalign(void **out, size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

int __wrap_posix_memalign(void **out, size_t alignment, size_t size)
{
    return fails() ? 12 /* ENOMEM */ : __real_posix_memalign(out, alignment, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : __real_aligned_alloc(alignment, size);
}

/* Runs a scenario with the first allocation failing, then the second, and so on until it gets by without a failure. */
static void with_each_failure(int (*scenario)(void))
{
    for (long n = 0;; n++) {
        left = n;
        failed = 0;
        int status = scenario();
        left = -1;
        if (!failed) {
            assert_int_equal(status, 0);
            assert_true(n > 5); /* something was allocated */
            return;
        }
        assert_true(n < 100000);
    }
}

/* ---- librefheap ---- */

static const struct rh_field thing_fields[] = {RH_STRONG(struct thing, a), RH_STRONG(struct thing, b),
                                               RH_WEAK(struct thing, w)};
static const struct rh_type_spec thing_spec = RH_TYPE_SPEC("thing", struct thing, thing_fields);

static int use_builtins(struct rh_heap *heap, struct rh_object *list)
{
    struct rh_object *dict = rh_dict_new(heap), *klass = rh_class_new(heap, "K", NULL);
    struct rh_object *instance = klass ? rh_instance_new(klass) : NULL, *tuple = rh_tuple_new(heap, 2);
    struct rh_object *weakref = instance ? rh_weakref_new(instance, NULL, dict) : NULL;
    char text[16];
    int status = dict && klass && instance && tuple && weakref ? 0 : RH_ERR_NO_MEMORY;
    for (int i = 0; dict && instance && i < 20; i++) {
        snprintf(text, sizeof text, "key%d", i);
        status |= rh_dict_set_text(dict, text, list);
        status |= rh_attr_set(instance, text, dict);
        status |= rh_list_append(list, instance);
    }
    if (tuple) {
        rh_tuple_set(tuple, 0, list);
        status |= rh_list_append(list, tuple);
    }
    if (weakref)
        status |= rh_list_append(list, weakref);
    rh_xdecref(dict);
    rh_xdecref(klass);
    rh_xdecref(instance);
    rh_xdecref(tuple);
    rh_xdecref(weakref);
    return status;
}

static void ignore_phase(enum rh_gc_phase phase, const struct rh_gc_info *info, void *context)
{
    (void)phase, (void)info, (void)context;
}

static void ignore_death(void *context)
{
    (void)context;
}

/* What programs look at themselves with, and the types beside the containers. */
static int use_more(struct rh_heap *heap, struct rh_object *list)
{
    int status = rh_callback_add(heap, ignore_phase, NULL) | rh_at_death(list, ignore_death, NULL);
    struct rh_object *set = rh_set_new(heap), *cell = rh_cell_new(heap, list),
                     *frame = rh_frame_new(heap, "main", NULL), *error = rh_exception_new(heap, "Error", "why"),
                     *objects = rh_get_objects(heap, -1), *referrers = rh_get_referrers(list),
                     *referents = rh_get_referents(list);
    status |= !set || !cell || !frame || !error || !objects || !referrers || !referents;
    if (set)
        for (int i = 0; i < 40; i++)
            status |= rh_set_put(set, rh_int_new(heap, i));
    if (error && frame) {
        status |= rh_exception_pass(error, frame, 3);
        status |= rh_dict_put(rh_frame_locals(frame), "error", rh_list_new(heap));
        status |= rh_attr_put(error, "code", rh_int_new(heap, 7));
        status |= rh_dict_set_text(rh_frame_locals(frame), "saved", error);
    }
    rh_callback_remove(heap, ignore_phase, NULL);
    struct rh_object *all[] = {set, cell, frame, error, objects, referrers, referents};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        rh_xdecref(all[i]);
    return status ? RH_ERR_NO_MEMORY : 0;
}

static unsigned site_depth;

static int use_library(void)
{
    struct rh_heap_options options = {.name = "a heap", .site_depth = site_depth};
    struct rh_heap *heap;
    struct rh_error err = {0};
    struct rh_type *type;
    int status = rh_heap_create(&options, &heap, &err);
    if (status) {
        assert_int_equal(status, RH_ERR_NO_MEMORY);
        assert_true(err.what[0] != 0);
        return status;
    }
    status = rh_type_create(heap, &thing_spec, &type, NULL);
    struct rh_object *list = rh_list_new(heap);
    if (!status && list) {
        struct thing *t = rh_object_new(type);
        status |= use_builtins(heap, list);
        status |= use_more(heap, list);
        if (t) {
            rh_assign(&t->a, t);
            status |= rh_weak_set(&t->w, list);
            status |= rh_pin(t, "pin");
            status |= rh_root_add(heap, "list", &list);
            rh_unpin(t, "pin");
            rh_root_remove(heap, &list);
            rh_decref(t);
        }
        rh_set_debug(heap, RH_DEBUG_SAVEALL);
        rh_collect(heap, RH_OLD);
        rh_set_debug(heap, 0);
    }
    /* The heap is as good as ever. */
    left = -1;
    struct rh_object *after = rh_list_new(heap);
    assert_non_null(after);
    assert_int_equal(rh_list_append(after, after), 0);
    rh_decref(after);
    rh_xdecref(list);
    assert_int_equal(rh_heap_destroy(heap), 0);
    return status;
}

/* From pages, block by block, and with the places objects are made at. */
static void library__survives_each_failed_allocation(void **state)
{
    (void)state;
    with_each_failure(use_library);
    setenv("RH_MALLOC", "1", 1);
    with_each_failure(use_library);
    site_depth = 3;
    with_each_failure(use_library);
    site_depth = 0;
    unsetenv("RH_MALLOC");
}

/* ---- random programs ---- */

enum { SLOTS = 12, OPERATIONS = 60, PROGRAMS = 40 };
static uint64_t dice, program;

static unsigned roll(unsigned limit)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return (unsigned)(dice >> 33) % limit;
}

static struct rh_object *make_something(struct rh_heap *heap, struct rh_object *other)
{
    switch (roll(8)) {
    case 0:
        return rh_dict_new(heap);
    case 1:
        return rh_set_new(heap);
    case 2:
        return rh_cell_new(heap, other);
    case 3:
        return other ? rh_weakref_new(other, NULL, NULL) : rh_list_new(heap);
    case 4:
        return rh_exception_new(heap, "Error", "why");
    case 5:
        return rh_frame_new(heap, "function", NULL);
    case 6:
        return rh_str(heap, "a text that is longer than most");
    default:
        return rh_list_new(heap);
    }
}

static int connect(struct rh_heap *heap, struct rh_object *from, struct rh_object *to)
{
    if (from->type == rh_builtin_type(heap, RH_TYPE_LIST))
        return rh_list_append(from, to);
    if (from->type == rh_builtin_type(heap, RH_TYPE_DICT))
        return roll(2) ? rh_dict_set(from, to, to) : rh_dict_set_text(from, roll(2) ? "one" : "two", to);
    if (from->type == rh_builtin_type(heap, RH_TYPE_SET))
        return rh_set_add(from, to);
    if (from->type == rh_builtin_type(heap, RH_TYPE_EXCEPTION))
        return rh_attr_set(from, "more", to);
    if (from->type == rh_builtin_type(heap, RH_TYPE_CELL))
        rh_cell_set(from, to);
    return 0;
}

static size_t faults;

static void count_fault(void *context, const char *what, const void *object)
{
    (void)context, (void)what, (void)object;
    faults++;
}

/* A program of random operations that takes a failure in its stride: whatever failed, the heap stays sound. */
static int run_program(void)
{
    struct rh_heap *heap;
    struct rh_object *slots[SLOTS] = {NULL};
    int status = rh_heap_create(NULL, &heap, NULL);
    if (status)
        return status;
    dice = program * 0x9e3779b97f4a7c15u + 1;
    rh_set_threshold(heap, (size_t[]){5, 2, 2});
    for (int i = 0; i < OPERATIONS; i++) {
        struct rh_object **slot = &slots[roll(SLOTS)], *other = slots[roll(SLOTS)];
        if (!*slot) {
            *slot = make_something(heap, other);
            status |= !*slot;
        } else if (roll(4) == 0) {
            rh_decref(*slot);
            *slot = NULL;
        } else if (other && roll(8)) {
            status |= connect(heap, *slot, other);
        } else if (roll(2)) {
            rh_set_debug(heap, roll(2) ? RH_DEBUG_SAVEALL : 0);
            rh_collect(heap, (int)roll(3));
        } else {
            struct rh_object *list = rh_get_objects(heap, -1);
            status |= !list;
            rh_xdecref(list);
        }
    }
    left = -1;
    rh_set_trap(count_fault, NULL);
    faults = 0;
    assert_int_equal(rh_heap_check(heap), 0);
    assert_int_equal(faults, 0);
    rh_set_trap(NULL, NULL);
    for (int i = 0; i < SLOTS; i++)
        rh_xdecref(slots[i]);
    rh_set_debug(heap, 0);
    assert_int_equal(rh_heap_destroy(heap), 0);
    return status;
}

static void programs__survive_each_failed_allocation(void **state)
{
    (void)state;
    setenv("RH_MALLOC", "1", 1);
    for (program = 1; program <= PROGRAMS; program++)
        with_each_failure(run_program);
    unsetenv("RH_MALLOC");
}

/* ---- reading and analysing ---- */

static struct memory_sink file;

static struct text no_name(const void *context, ordinal from, uint64_t number)
{
    (void)context, (void)from, (void)number;
    return (struct text){"parent", 6, 6};
}
static const struct cut_naming naming = {.name = no_name};

static void ignore_cut(void *context, ordinal from, uint64_t number)
{
    (void)context, (void)from, (void)number;
}

static uint32_t no_label(void *context, ordinal from, uint64_t edge)
{
    (void)context, (void)from, (void)edge;
    return 0;
}

static uint32_t no_holder(void *context, enum merged_holder kind, ordinal o, const struct root_record *root)
{
    (void)context, (void)o, (void)root;
    return kind;
}

/* Several ways to one object, the ways to all of them merged, and what goes without every other object's references. */
static int ask_why(const struct graph *g, const struct roots *roots, const struct components *components,
                   const uint32_t *classes)
{
    const struct merging how = {no_label, no_holder, NULL, classes};
    struct what_if_cuts cuts = {array_new(g->edges + 1, 1), array_new(g->objects + 1u, sizeof *cuts.outside),
                                array_new(g->objects + 1u, 1)};
    struct what_if outcome = {NULL};
    struct path paths[3];
    struct merged merged = {0};
    size_t count = 0;
    int status = !cuts.edge || !cuts.outside || !cuts.object;
    for (ordinal o = 0; !status && o < g->objects; o += 2)
        cuts.object[o] = 1;
    status = status || what_if_run(g, &cuts, &outcome) || paths_find(g, roots, 5, 3, paths, &count) ||
             paths_merge(g, roots, components, cuts.object, &how, &merged);
    for (size_t i = 0; i < count; i++)
        path_release(&paths[i]);
    merged_release(&merged);
    what_if_release(&outcome);
    array_free(cuts.edge);
    array_free(cuts.outside);
    array_free(cuts.object);
    return status;
}

/* What the search tells of garbage is what the collector's rule says. */
static int begin_search(const struct graph *g, const struct garbage *garbage, struct spanning *spanning)
{
    struct garbage told = {0};
    uint64_t *reached = bits_new(g->objects);
    int status = !reached || spanning_prepare(g, spanning);
    if (!status) {
        spanning_begin(spanning);
        spanning_reached(spanning, reached);
        status = garbage_find_unreached(g, reached, &told);
    }
    if (!status) {
        assert_memory_equal(told.fate, garbage->fate, g->objects);
        assert_memory_equal(&told.garbage, &garbage->garbage, 3 * sizeof told.garbage);
    }
    garbage_release(&told);
    array_free(reached);
    return status;
}

static int analyse(const struct graph *g)
{
    struct garbage garbage = {0};
    struct components components = {0};
    struct dominators dominators = {0};
    struct cycles cycles = {0};
    struct roots roots = {0};
    struct path path = {0};
    struct class_sums sums[2] = {{0}};
    uint32_t *classes = calloc(g->objects + 1u, sizeof *classes);
    uint64_t *owned = calloc(g->objects + 1u, sizeof *owned);
    uint8_t *stuck = calloc(g->objects + 1u, 1);
    struct spanning begun = {0};
    uint64_t *retained = NULL;
    int status =
        !classes || !owned || !stuck || roots_find(g, &roots) || garbage_find(g, 2, &garbage) ||
        garbage_uncollectable(g, &garbage, stuck) == UINT64_MAX ||
        components_find(g, garbage.fate, 1 << FATE_GARBAGE | 1 << FATE_INVISIBLE, 1 << FATE_DEPENDENT, &components) ||
        (spanning_can_begin(g) && begin_search(g, &garbage, &begun)) ||
        dominators_build(g, &garbage, &components, begun.begun ? &begun : NULL, &dominators) ||
        !(retained = calloc(components.count + 1u, sizeof *retained)) ||
        dominators_of_cycles(g, &garbage, &components, retained) ||
        cycles_find(g, &garbage, &components, retained, stuck, &cycles) ||
        sums_by_class(g, &dominators, classes, 1, sums) || sums_owned(g, owned) ||
        path_from_root(g, &roots, 5, &path) || ask_why(g, &roots, &components, classes);
    for (ordinal c = 0; !status && c < cycles.count; c++)
        status = cycles_choose_cut(g, &components, cycles.items[c].component, &naming, ignore_cut, NULL);
    path_release(&path);
    spanning_release(&begun);
    free(retained);
    cycles_release(&cycles);
    dominators_release(&dominators);
    components_release(&components);
    garbage_release(&garbage);
    roots_release(&roots);
    free(classes);
    free(owned);
    free(stuck);
    return status ? -1 : 0;
}

/* The heap beside itself: everything stayed. */
static int compare(const struct graph *g)
{
    struct garbage garbage = {0};
    struct components components = {0};
    struct dominators dominators = {0};
    struct roots roots = {0};
    struct audit audit = {0};
    struct routes routes = {0};
    struct path path = {0}, round = {0};
    struct pairing pairing = {0};
    struct attribution *attributed = NULL;
    size_t count;
    uint32_t *classes = calloc(snapshot_type_limit(g->snapshot) + (size_t)g->objects + 1, sizeof *classes);
    const struct pairing_side sides[] = {{g, classes}, {g, classes}};
    int status =
        !classes || roots_find(g, &roots) || garbage_find(g, 2, &garbage) || audit_find(g, &roots, &garbage, &audit) ||
        routes_find(g, &roots, &routes) || routes_path(&routes, &roots, 5, &path) ||
        components_find(g, garbage.fate, 1 << FATE_GARBAGE | 1 << FATE_INVISIBLE, 1 << FATE_DEPENDENT, &components) ||
        dominators_build(g, &garbage, &components, NULL, &dominators) || path_from_cycle(g, &components, 3, &round) ||
        pairing_find(sides, &pairing) ||
        changes_attribute(g, &pairing, &dominators, classes, 1, classes, &attributed, &count);
    if (!status)
        assert_int_equal(pairing.by_serial + pairing.by_address, g->objects);
    array_free(attributed);
    pairing_release(&pairing);
    path_release(&path);
    path_release(&round);
    routes_release(&routes);
    audit_release(&audit);
    dominators_release(&dominators);
    components_release(&components);
    garbage_release(&garbage);
    roots_release(&roots);
    free(classes);
    return status ? -1 : 0;
}

static int use_analyzer(void)
{
    struct snapshot *s;
    struct graph g;
    struct rh_error err = {0};
    int status = snapshot_open_memory(file.bytes, file.size, NULL, &s, &err);
    if (status) {
        assert_int_equal(status, RH_ERR_NO_MEMORY);
        return status;
    }
    status = graph_build(s, &g, &err);
    if (status) {
        assert_int_equal(status, RH_ERR_NO_MEMORY);
    } else {
        status = analyse(&g);
        if (!status)
            status = compare(&g);
        graph_release(&g);
    }
    snapshot_close(s);
    return status;
}

static void analyzer__survives_each_failed_allocation(void **state)
{
    (void)state;
    memory_sink_init(&file);
    assert_int_equal(write_everything(&file.sink, 0), 0);
    with_each_failure(use_analyzer);
    memory_sink_release(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(library__survives_each_failed_allocation),
        cmocka_unit_test(programs__survive_each_failed_allocation),
        cmocka_unit_test(analyzer__survives_each_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
