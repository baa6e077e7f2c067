#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../dumpfmt/error.h"
#include "../graph/array.h"
#include "../graph/bits.h"
#include "../graph/parallel.h"
#include "owners.h"
#include "session_kept.h"

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int out_of_memory(struct rh_error *err)
{
    return error_set(err, RH_ERR_NO_MEMORY, "not enough memory for the analysis", "use a machine with more memory");
}

void session_progress(struct session *s, const char *what)
{
    if (s->quiet || now() - s->started < 1000 || !isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r\033[K%s: %s ...", s->path, what);
    s->progress_shown = 1;
}

void session_progress_end(struct session *s)
{
    if (s->progress_shown)
        fputs("\r\033[K", stderr);
    s->progress_shown = 0;
}

int session_open(struct session *s, const char *path, int salvage, struct rh_error *err)
{
    struct snapshot_options options = {.salvage = salvage};
    s->path = path;
    s->started = now();
    s->no_cache |= salvage || !strcmp(path, "-");
    if (!s->no_cache)
        kept_begin(s);
    if (s->kept)
        options.known = kept_identity(s->kept);
    return snapshot_open(path, &options, &s->snapshot, err);
}

void session_close(struct session *s)
{
    kept_end(s);
    array_free(s->values.has);
    array_free(s->values.rank);
    array_free(s->values.place);
    free(s->sums);
    free(s->classes.of_type);
    free(s->classes.record);
    free(s->uncollectable);
    roots_release(&s->roots);
    owners_release(&s->owners);
    for (int n = 0; n < 3; n++)
        garbage_release(&s->garbage[n]);
    cycles_release(&s->cycles);
    dominators_release(&s->dominators);
    components_release(&s->components);
    graph_release(&s->graph);
    snapshot_close(s->snapshot);
}

uint64_t session_bytes(const struct session *s)
{
    uint64_t bytes = 0;
    if (snapshot_complete(s->snapshot))
        return snapshot_trailer(s->snapshot)->object_bytes;
    for (size_t b = 0; b < snapshot_block_count(s->snapshot, SECTION_OBJECTS); b++) {
        struct objects_view view;
        snapshot_objects(s->snapshot, b, &view);
        for (uint32_t i = 0; i < view.count; i++)
            bytes += column_get(&view.column[OBJECT_SIZE], i);
    }
    return bytes;
}

/* ---- classes of types ---- */

int session_same_text(struct text a, struct text b)
{
    return a.length == b.length && !memcmp(a.bytes, b.bytes, a.length);
}

uint64_t session_hash_text(struct text text, uint64_t h)
{
    for (size_t i = 0; i < text.length; i++)
        h = (h ^ (uint8_t)text.bytes[i]) * 0x100000001b3u;
    return h * 0x9e3779b97f4a7c15u;
}

static int find_classes(struct session *s)
{
    const struct snapshot *snap = s->snapshot;
    struct type_classes *c = &s->classes;
    uint32_t types = snapshot_type_limit(snap);
    size_t capacity = 16;
    while (capacity < 2 * (size_t)types + 2)
        capacity *= 2;
    uint32_t *slots = calloc(capacity, sizeof *slots); /* class + 1 */
    c->of_type = calloc((size_t)types + 1, sizeof *c->of_type);
    c->record = calloc((size_t)types + 1, sizeof *c->record);
    int status = slots && c->of_type && c->record ? 0 : -1;
    /* Of a damaged file, objects can have types that are lost: theirs is the one behind the last. */
    uint32_t end = snapshot_complete(snap) ? types : types + 1;
    for (uint32_t t = 0; !status && t < end; t++) {
        static const struct type_record nameless;
        const struct type_record *r = snapshot_type(snap, t);
        if (!r)
            r = &nameless; /* only with salvage */
        struct text name = snapshot_string(snap, r->name), module = snapshot_string(snap, r->module);
        size_t slot = session_hash_text(module, session_hash_text(name, 0)) >> 20 & (capacity - 1);
        for (; slots[slot]; slot = (slot + 1) & (capacity - 1)) {
            const struct type_record *other = c->record[slots[slot] - 1];
            if (session_same_text(snapshot_string(snap, other->name), name) &&
                session_same_text(snapshot_string(snap, other->module), module))
                break;
        }
        if (!slots[slot]) {
            c->record[c->count++] = r;
            slots[slot] = c->count;
        }
        c->of_type[t] = slots[slot] - 1;
    }
    free(slots);
    return status;
}

/* ---- parts ---- */

int session_classes(struct session *s, struct rh_error *err)
{
    if (s->has_classes)
        return 0;
    if (find_classes(s))
        return out_of_memory(err);
    s->has_classes = 1;
    return 0;
}

int session_graph(struct session *s, struct rh_error *err)
{
    if (s->has_graph)
        return 0;
    int status = s->unsettled ? kept_settle(s, err) : 0; /* taken for single objects before */
    if (!status && !(kept_take(s, KEPT_ADDRESSES, 0) && kept_take(s, KEPT_GRAPH, 0))) {
        session_progress(s, "building the object graph");
        status = kept_forget_graph(s, err);
        if (!status)
            status = graph_build(s->snapshot, &s->graph, err);
    } else if (!status) {
        kept_take(s, KEPT_BACK, 0); /* whoever wants it builds it otherwise */
    }
    if (!status)
        status = session_classes(s, err);
    if (!status)
        status = session_roots(s, err);
    s->has_graph = !status;
    return status;
}

int session_roots(struct session *s, struct rh_error *err)
{
    if (!s->has_roots && roots_find(&s->graph, &s->roots))
        return out_of_memory(err);
    s->has_roots = 1;
    return 0;
}

int session_back(struct session *s, struct rh_error *err)
{
    int status = session_graph(s, err);
    return !status && graph_back(&s->graph) ? out_of_memory(err) : status;
}

int session_garbage(struct session *s, int generation, struct rh_error *err)
{
    int status = session_graph(s, err);
    if (status || s->has_garbage[generation])
        return status;
    session_progress(s, "finding garbage");
    if (!kept_take(s, KEPT_GARBAGE + (unsigned)generation, 0) &&
        garbage_find(&s->graph, generation, &s->garbage[generation]))
        return out_of_memory(err);
    s->has_garbage[generation] = 1;
    return 0;
}

int session_owners(struct session *s, struct rh_error *err)
{
    int status = s->has_owners ? 0 : session_graph(s, err);
    if (!status && !s->has_owners && owners_find(s, &s->owners))
        return out_of_memory(err);
    s->has_owners |= !status;
    return status;
}

/* The parts of the garbage that hang together, which everything about cycles rests on. */
static int find_components(struct session *s, struct rh_error *err)
{
    int status = session_garbage(s, 2, err);
    if (status || s->has_components)
        return status;
    session_progress(s, "finding cycles");
    if (components_find(&s->graph, s->garbage[2].fate, 1 << FATE_GARBAGE | 1 << FATE_INVISIBLE, 1 << FATE_DEPENDENT,
                        &s->components))
        return out_of_memory(err);
    s->has_components = 1;
    return 0;
}

/* What cycles keep, and their order. Returns 0, or -1 without memory. */
static int find_cycles(struct session *s)
{
    const struct graph *g = &s->graph;
    const struct garbage *garbage = &s->garbage[2];
    s->uncollectable = calloc((size_t)g->objects + 1, 1);
    uint64_t *retained = NULL;
    int status = !s->uncollectable || garbage_uncollectable(g, garbage, s->uncollectable) == UINT64_MAX ||
                 !(retained = array_new((size_t)s->components.count + 1, sizeof *retained)) ||
                 dominators_of_cycles(g, garbage, &s->components, retained) ||
                 cycles_find(g, garbage, &s->components, retained, s->uncollectable, &s->cycles);
    array_free(retained);
    s->has_cycles = !status;
    return status ? -1 : 0;
}

int session_cycles(struct session *s, struct rh_error *err)
{
    int status = session_garbage(s, 2, err);
    if (!status)
        status = session_owners(s, err);
    if (status || s->has_cycles)
        return status;
    if (kept_take(s, KEPT_CYCLES, 0)) {
        s->has_cycles = 1;
        return 0;
    }
    status = find_components(s, err);
    return status ? status : find_cycles(s) ? out_of_memory(err) : 0;
}

/* Where a search for dominators can begin before it is known what is garbage, it does, and tells that. */
static int search_first(struct session *s, struct spanning *begun)
{
    uint64_t *reached = NULL;
    if (spanning_prepare(&s->graph, begun) || !(reached = bits_new(s->graph.objects)))
        return -1;
    session_progress(s, "searching for what is reached");
    spanning_begin(begun);
    spanning_reached(begun, reached);
    int status = garbage_find_unreached(&s->graph, reached, &s->garbage[2]);
    array_free(reached);
    s->has_garbage[2] = !status;
    return status;
}

static void find_cycles_beside(void *context)
{
    find_cycles(context);
}

int session_dominators(struct session *s, struct rh_error *err)
{
    struct spanning begun = {0};
    int status = session_graph(s, err);
    if (!status && (s->has_dominators || kept_has(s, KEPT_CYCLES)))
        status = session_cycles(s, err);
    if (status || s->has_dominators)
        return status;
    if (kept_take(s, KEPT_DOMINATORS, 0)) {
        s->has_dominators = 1;
        return session_cycles(s, err);
    }
    int has_garbage = s->has_garbage[2] || kept_has(s, KEPT_GARBAGE + 2);
    if (!has_garbage && spanning_can_begin(&s->graph) && search_first(s, &begun))
        status = out_of_memory(err);
    if (!status && !s->has_cycles)
        status = find_components(s, err);
    if (!status) {
        struct beside beside = {0};
        if (!s->has_cycles)
            parallel_begin(&beside, find_cycles_beside, s);
        session_progress(s, "finding what keeps what");
        s->has_dominators = !dominators_build(&s->graph, &s->garbage[2], &s->components, begun.begun ? &begun : NULL,
                                              &s->dominators);
        parallel_end(&beside);
        status = !s->has_dominators || !s->has_cycles ? out_of_memory(err) : session_owners(s, err);
    }
    spanning_release(&begun);
    return status;
}

/* Room for `objects` bits and as many ranks of words. */
static int find_objects_with_values(struct session *s)
{
    struct value_index *v = &s->values;
    size_t words = s->graph.objects / 64 + 1;
    struct value_cursor cursor = {0};
    array_free(v->has);
    array_free(v->rank);
    v->count = 0;
    v->has = array_new(words, sizeof *v->has);
    v->rank = array_new(words, sizeof *v->rank);
    if (!v->has || !v->rank)
        return -1;
    for (const struct value_record *r; (r = snapshot_next_value(s->snapshot, &cursor));) {
        ordinal o = address_index_find(&s->graph.index, r->object);
        if (o != ORDINAL_NONE)
            bit_set(v->has, o);
    }
    for (size_t w = 0; w < words; w++) {
        v->rank[w] = (ordinal)v->count;
        v->count += (uint64_t)__builtin_popcountll(v->has[w]);
    }
    return 0;
}

/* Where the value of an object that has one stands in `place`. */
static uint64_t value_number(const struct value_index *v, ordinal o)
{
    uint64_t below = (UINT64_C(1) << o % 64) - 1;
    return v->rank[o / 64] + (uint64_t)__builtin_popcountll(v->has[o / 64] & below);
}

int session_values(struct session *s, struct rh_error *err)
{
    struct value_index *v = &s->values;
    int status = session_graph(s, err);
    if (status || s->has_values)
        return status;
    if (!kept_take(s, KEPT_VALUES, 0)) {
        struct value_cursor cursor = {0};
        if (find_objects_with_values(s) || !(v->place = array_new(v->count + 1, sizeof *v->place)))
            return out_of_memory(err);
        memset(v->place, 0xff, v->count * sizeof *v->place);
        for (const struct value_record *r; (r = snapshot_next_value(s->snapshot, &cursor));) {
            ordinal o = address_index_find(&s->graph.index, r->object);
            if (o != ORDINAL_NONE && v->place[value_number(v, o)] == UINT64_MAX) /* of several, the first */
                v->place[value_number(v, o)] = cursor.place;
        }
    }
    s->has_values = 1;
    return 0;
}

const struct value_record *session_value(const struct session *s, ordinal o)
{
    if (!s->values.has || !bit_is_set(s->values.has, o))
        return NULL;
    return snapshot_value(s->snapshot, s->values.place[value_number(&s->values, o)]);
}

int session_sums(struct session *s, struct rh_error *err)
{
    const struct graph *g = &s->graph;
    int status = session_dominators(s, err);
    if (status || s->sums || kept_take(s, KEPT_SUMS, 0))
        return status;
    uint32_t *class_of = array_raw((size_t)g->objects + 1, sizeof *class_of);
    s->sums = calloc((size_t)s->classes.count + 1, sizeof *s->sums);
    status = class_of && s->sums ? 0 : -1;
    for (ordinal o = 0; !status && o < g->objects; o++)
        class_of[o] = s->classes.of_type[graph_type(g, o)];
    if (!status)
        status = sums_by_class(g, &s->dominators, class_of, s->classes.count, s->sums);
    array_free(class_of);
    if (!status)
        return 0;
    free(s->sums);
    s->sums = NULL;
    return out_of_memory(err);
}

uint64_t *session_column(const struct session *s, enum object_column column)
{
    uint64_t *values = calloc((size_t)s->graph.objects + 1, sizeof *values);
    for (size_t b = 0; values && b < snapshot_block_count(s->snapshot, SECTION_OBJECTS); b++) {
        struct objects_view view;
        snapshot_objects(s->snapshot, b, &view);
        const uint64_t *address = (const uint64_t *)view.column[OBJECT_ADDRESS].data;
        for (uint32_t i = 0; view.column[column].width && i < view.count; i++)
            values[address_index_find(&s->graph.index, address[i])] = column_get(&view.column[column], i);
    }
    return values;
}
