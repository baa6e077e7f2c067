#include "baseline.h"

#include <stdlib.h>
#include <string.h>

#include "../../dumpfmt/error.h"
#include "../../dumpfmt/hash.h"

static int same_text(struct text a, struct text b)
{
    return a.length == b.length && !memcmp(a.bytes, b.bytes, a.length);
}

/* ---- types ---- */

static uint32_t class_hash(const struct session *s, uint32_t klass)
{
    struct text name = snapshot_string(s->snapshot, s->classes.record[klass]->name);
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < name.length; i++)
        h = (h ^ (uint8_t)name.bytes[i]) * 0x100000001b3u;
    return (uint32_t)(h * 0x9e3779b97f4a7c15u >> 32);
}

static int same_class(const struct session *a, uint32_t x, const struct session *b, uint32_t y)
{
    const struct type_record *s = a->classes.record[x], *t = b->classes.record[y];
    return same_text(snapshot_string(a->snapshot, s->name), snapshot_string(b->snapshot, t->name)) &&
           same_text(snapshot_string(a->snapshot, s->module), snapshot_string(b->snapshot, t->module));
}

/* For each class of the earlier snapshot, that of the same name in the later one; UINT32_MAX for none. */
static uint32_t *match_classes(const struct session *before, const struct session *now)
{
    size_t capacity = 16;
    while (capacity < 2 * (size_t)now->classes.count + 2)
        capacity *= 2;
    uint32_t *slots = calloc(capacity, sizeof *slots); /* class + 1 */
    uint32_t *match = malloc(((size_t)before->classes.count + 1) * sizeof *match);
    for (uint32_t c = 0; slots && match && c < now->classes.count; c++) {
        size_t i = class_hash(now, c) & (capacity - 1);
        while (slots[i])
            i = (i + 1) & (capacity - 1);
        slots[i] = c + 1;
    }
    for (uint32_t c = 0; slots && match && c < before->classes.count; c++) {
        size_t i = class_hash(before, c) & (capacity - 1);
        while (slots[i] && !same_class(before, c, now, slots[i] - 1))
            i = (i + 1) & (capacity - 1);
        match[c] = slots[i] ? slots[i] - 1 : UINT32_MAX;
    }
    if (!slots) {
        free(match);
        match = NULL;
    }
    free(slots);
    return match;
}

static void count_before(struct baseline *b, const uint32_t *match)
{
    const struct session *s = &b->session;
    for (ordinal o = 0; o < s->graph.objects; o++) {
        uint32_t klass = match[s->classes.of_type[graph_type(&s->graph, o)]];
        if (klass == UINT32_MAX)
            continue;
        b->before[klass].objects++;
        b->before[klass].bytes += graph_size(&s->graph, o);
    }
}

/* ---- identity ---- */

/* Snapshots of one process have objects in common: it has the same number, and its heaps the same addresses. */
static int same_process(const struct session *a, const struct session *b)
{
    const struct heap_record *x = snapshot_record(a->snapshot, SECTION_HEAPS, 0);
    const struct heap_record *y = snapshot_record(b->snapshot, SECTION_HEAPS, 0);
    return snapshot_process(a->snapshot)->pid == snapshot_process(b->snapshot)->pid && x && y &&
           x->address == y->address;
}

static int all_have_one(const uint64_t *serial, ordinal objects)
{
    for (ordinal o = 0; o < objects; o++)
        if (!serial[o])
            return 0;
    return 1;
}

static void infer(struct baseline *b, const struct session *now, const uint32_t *match)
{
    const struct graph *before = &b->session.graph, *g = &now->graph;
    for (ordinal o = 0; o < g->objects; o++) {
        ordinal was = address_index_find(&before->index, graph_address(g, o));
        b->was_there[o] = was != ORDINAL_NONE && match[b->session.classes.of_type[graph_type(before, was)]] ==
                                                     now->classes.of_type[graph_type(g, o)];
    }
}

/* Serial numbers count within one heap. */
static int find_serials(struct baseline *b, const struct session *now, const uint64_t *before, const uint64_t *after)
{
    const struct graph *earlier = &b->session.graph, *later = &now->graph;
    size_t mask = 15;
    while (mask < 2 * (size_t)earlier->objects)
        mask = 2 * mask + 1;
    ordinal *slots = calloc(mask + 1, sizeof *slots); /* object + 1 */
    uint64_t key = hash_key();
    if (!slots)
        return -1;
    for (ordinal o = 0; o < earlier->objects; o++) {
        size_t i = (size_t)hash_word(key, before[o]) & mask;
        while (slots[i] &&
               (before[slots[i] - 1] != before[o] || graph_heap(earlier, slots[i] - 1) != graph_heap(earlier, o)))
            i = (i + 1) & mask; /* in a damaged file a number may occur twice */
        slots[i] = o + 1;
    }
    for (ordinal o = 0; o < later->objects; o++) {
        size_t i = (size_t)hash_word(key, after[o]) & mask;
        while (slots[i] &&
               (before[slots[i] - 1] != after[o] || graph_heap(earlier, slots[i] - 1) != graph_heap(later, o)))
            i = (i + 1) & mask;
        b->was_there[o] = slots[i] != 0;
    }
    free(slots);
    return 0;
}

static int identify(struct baseline *b, const struct session *now, const uint32_t *match)
{
    if (!same_process(&b->session, now))
        return 0;
    uint64_t *before = session_column(&b->session, OBJECT_SERIAL), *after = session_column(now, OBJECT_SERIAL);
    int status = before && after && b->was_there ? 0 : -1;
    if (!status && all_have_one(before, b->session.graph.objects) && all_have_one(after, now->graph.objects)) {
        b->identity = IDENTITY_SERIAL;
        status = find_serials(b, now, before, after);
    } else if (!status) {
        b->identity = IDENTITY_INFERRED;
        infer(b, now, match);
    }
    free(before);
    free(after);
    return status;
}

int baseline_open(struct baseline *b, const char *path, int salvage, struct session *now, struct rh_error *err)
{
    b->session.quiet = now->quiet;
    int status = session_open(&b->session, path, salvage, err);
    if (!status)
        status = session_graph(&b->session, err);
    if (status)
        return status;
    uint32_t *match = match_classes(&b->session, now);
    b->before = calloc((size_t)now->classes.count + 1, sizeof *b->before);
    b->was_there = calloc((size_t)now->graph.objects + 1, 1);
    status = match && b->before ? identify(b, now, match) : -1;
    if (!status)
        count_before(b, match);
    free(match);
    if (status)
        return error_set(err, RH_ERR_NO_MEMORY, "not enough memory to compare the snapshots", "");
    return 0;
}

void baseline_release(struct baseline *b)
{
    free(b->was_there);
    free(b->before);
    if (b->session.snapshot)
        session_close(&b->session);
    *b = (struct baseline){0};
}

const char *baseline_identity(const struct baseline *b)
{
    static const char *const names[] = {"none", "serial", "inferred"};
    return names[b->identity];
}
