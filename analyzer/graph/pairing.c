#include "pairing.h"

#include <stdlib.h>
#include <string.h>

#include "array.h"

enum { HEAP_INFERRED = UINT32_MAX, HEAP_ABSENT = UINT32_MAX - 1 };

/* ---- processes and heaps ---- */

static int same_text(const struct snapshot *a, uint32_t x, const struct snapshot *b, uint32_t y)
{
    struct text s = snapshot_string(a, x), t = snapshot_string(b, y);
    return s.length == t.length && !memcmp(s.bytes, t.bytes, s.length);
}

/* The pid of a forked copy is its own, and says nothing of whose copy it is. */
static uint64_t known_pid(const struct process_record *p)
{
    return p->captured == CAPTURED_FORK ? 0 : p->pid;
}

/* A core does not say which host it is of. */
static int may_be_same_host(const struct snapshot *a, const struct process_record *p, const struct snapshot *b,
                            const struct process_record *q)
{
    return !snapshot_string(a, p->host).length || !snapshot_string(b, q->host).length || same_text(a, p->host, b, q->host);
}

static int is_same_process(const struct snapshot *a, const struct snapshot *b)
{
    const struct process_record *p = snapshot_process(a), *q = snapshot_process(b);
    uint64_t x = known_pid(p), y = known_pid(q);
    return (!x || !y || x == y) && p->machine == q->machine && may_be_same_host(a, p, b, q) &&
           same_text(a, p->executable, b, q->executable);
}

static const struct heap_record *heap_at(const struct snapshot *s, uint32_t heap)
{
    return snapshot_record(s, SECTION_HEAPS, heap);
}

/* Serial numbers go up: of the later snapshot, the next one is no lower, or it is another heap in the same place. */
static int is_same_heap(const struct snapshot *a, const struct heap_record *x, const struct snapshot *b,
                        const struct heap_record *y)
{
    int64_t s = snapshot_header(a)->time, t = snapshot_header(b)->time;
    int fits = s < t ? x->next_serial <= y->next_serial : s == t || x->next_serial >= y->next_serial;
    return x->address == y->address && x->next_serial && y->next_serial && fits &&
           same_text(a, x->runtime, b, y->runtime) && same_text(a, x->name, b, y->name);
}

/* Heaps by address. */
struct heap_place {
    uint64_t address;
    uint32_t heap;
};

static int compare_places(const void *pa, const void *pb)
{
    const struct heap_place *a = pa, *b = pb;
    if (a->address != b->address)
        return a->address < b->address ? -1 : 1;
    return a->heap < b->heap ? -1 : a->heap > b->heap;
}

static struct heap_place *place_heaps(const struct snapshot *s, uint32_t count)
{
    struct heap_place *places = array_new((size_t)count + 1, sizeof *places);
    if (!places)
        return NULL;
    for (uint32_t i = 0; i < count; i++) {
        const struct heap_record *h = heap_at(s, i);
        places[i] = (struct heap_place){h ? h->address : 0, i};
    }
    qsort(places, count, sizeof *places, compare_places);
    return places;
}

/* For each heap of `a`, its number in `b`, HEAP_ABSENT when nothing there can be it, or HEAP_INFERRED. A heap without
 * an address can be any; of several at one address, none is known. */
static void match_heaps(const struct snapshot *a, const struct heap_place *in_a, uint32_t n, const struct snapshot *b,
                        const struct heap_place *in_b, uint32_t m, int same_process, uint32_t *match)
{
    for (uint32_t i = 0, k = 0; i < n; i++) {
        uint64_t address = in_a[i].address;
        const struct heap_record *x = heap_at(a, in_a[i].heap);
        int known = same_process && x && address && x->next_serial && !(i && in_a[i - 1].address == address) &&
                    !(i + 1 < n && in_a[i + 1].address == address);
        while (k < m && in_b[k].address < address)
            k++;
        int here = k < m && in_b[k].address == address, several = k + 1 < m && in_b[k + 1].address == address;
        const struct heap_record *y = here ? heap_at(b, in_b[k].heap) : NULL;
        if (!known || several || (y && !is_same_heap(a, x, b, y)))
            match[in_a[i].heap] = HEAP_INFERRED;
        else if (y)
            match[in_a[i].heap] = in_b[k].heap;
        else
            match[in_a[i].heap] = m && !in_b[0].address ? HEAP_INFERRED : HEAP_ABSENT;
    }
}

/* match_heaps() either way. */
static int match_both(const struct snapshot *a, const struct snapshot *b, int same_process, uint32_t *match[2])
{
    uint32_t n = (uint32_t)snapshot_count(a, SECTION_HEAPS), m = (uint32_t)snapshot_count(b, SECTION_HEAPS);
    struct heap_place *in_a = place_heaps(a, n), *in_b = place_heaps(b, m);
    match[0] = array_new((size_t)n + 1, sizeof *match[0]);
    match[1] = array_new((size_t)m + 1, sizeof *match[1]);
    int status = in_a && in_b && match[0] && match[1] ? 0 : -1;
    if (!status) {
        match_heaps(a, in_a, n, b, in_b, m, same_process, match[0]);
        match_heaps(b, in_b, m, a, in_a, n, same_process, match[1]);
    }
    array_free(in_a);
    array_free(in_b);
    return status;
}

/* ---- by serial number ---- */

uint64_t *pairing_serials(const struct graph *g)
{
    uint64_t *serials = array_new((size_t)g->objects + 1, sizeof *serials);
    ordinal *ordinals = array_new(BLOCK_RAW_MAX / 8, sizeof *ordinals);
    if (!serials || !ordinals) {
        array_free(serials);
        array_free(ordinals);
        return NULL;
    }
    for (size_t b = 0; b < snapshot_block_count(g->snapshot, SECTION_OBJECTS); b++) {
        struct objects_view view;
        snapshot_objects(g->snapshot, b, &view);
        if (!view.column[OBJECT_SERIAL].width)
            continue;
        address_index_find_many(&g->index, (const uint64_t *)view.column[OBJECT_ADDRESS].data, view.count, ordinals);
        for (uint32_t i = 0; i < view.count; i++)
            serials[ordinals[i]] = column_get(&view.column[OBJECT_SERIAL], i);
    }
    array_free(ordinals);
    return serials;
}

/* Objects by (heap, serial number); open addressing. */
struct serial_table {
    ordinal *slots; /* ordinal + 1 */
    size_t mask;
};

static size_t serial_hash(uint32_t heap, uint64_t serial)
{
    uint64_t h = (serial ^ (uint64_t)heap << 40) * 0x9e3779b97f4a7c15u;
    return (size_t)(h >> 20 ^ h);
}

/* The slot of (heap, serial), or the empty one where it would go. */
static ordinal *serial_slot(const struct serial_table *t, const struct graph *g, const uint64_t *serials, uint32_t heap,
                            uint64_t serial)
{
    size_t at = serial_hash(heap, serial) & t->mask;
    while (t->slots[at] && (graph_heap(g, t->slots[at] - 1) != heap || serials[t->slots[at] - 1] != serial))
        at = (at + 1) & t->mask;
    return &t->slots[at];
}

/* Objects with serial numbers, each number once. In `serials`, 0 takes the place of one that is there already: its
 * object is known by its address like those without. */
static int serial_table_build(struct serial_table *t, const struct graph *g, uint64_t *serials)
{
    size_t capacity = 16;
    while (capacity < 2 * (size_t)g->objects)
        capacity *= 2;
    t->slots = array_new(capacity, sizeof *t->slots);
    t->mask = capacity - 1;
    if (!t->slots)
        return -1;
    for (ordinal o = 0; o < g->objects; o++) {
        if (!serials[o])
            continue;
        ordinal *slot = serial_slot(t, g, serials, graph_heap(g, o), serials[o]);
        if (*slot)
            serials[o] = 0;
        else
            *slot = o + 1;
    }
    return 0;
}

/* ---- the pairing ---- */

struct match {
    const struct pairing_side *side; /* two */
    uint64_t *serials[2];
    uint32_t *heap[2];         /* match_heaps() either way */
    struct serial_table table; /* of the second */
    struct serial_table first; /* only to find numbers that occur twice */
};

static uint32_t heap_match(const struct match *m, int side, ordinal o)
{
    const struct graph *g = m->side[side].g;
    uint32_t heap = graph_heap(g, o);
    return heap < snapshot_count(g->snapshot, SECTION_HEAPS) ? m->heap[side][heap] : HEAP_INFERRED;
}

/* Whether an object's serial number says which one it is of the other snapshot, if any. */
static int is_numbered(const struct match *m, int side, ordinal o)
{
    return m->serials[side][o] && heap_match(m, side, o) != HEAP_INFERRED;
}

/* Whether its heap is not in the other snapshot, so that it cannot be either. */
static int is_absent(const struct match *m, int side, ordinal o)
{
    return m->serials[side][o] && heap_match(m, side, o) == HEAP_ABSENT;
}

static void pair(struct pairing *r, ordinal a, ordinal b)
{
    r->partner[0][a] = b;
    r->partner[1][b] = a;
}

static void pair_by_serial(const struct match *m, struct pairing *r)
{
    const struct graph *a = m->side[0].g, *b = m->side[1].g;
    for (ordinal o = 0; o < a->objects; o++) {
        uint32_t heap = heap_match(m, 0, o);
        if (!m->serials[0][o] || heap >= HEAP_ABSENT)
            continue;
        ordinal slot = *serial_slot(&m->table, b, m->serials[1], heap, m->serials[0][o]);
        if (slot && heap_match(m, 1, slot - 1) == graph_heap(a, o)) {
            pair(r, o, slot - 1);
            r->by_serial++;
        }
    }
}

/* What has no partner yet, unless numbers say that it has none. */
static void pair_by_address(const struct match *m, struct pairing *r)
{
    const struct graph *a = m->side[0].g, *b = m->side[1].g;
    for (ordinal o = 0; o < a->objects; o++) {
        int numbered = is_numbered(m, 0, o);
        ordinal other = address_index_find(&b->index, graph_address(a, o));
        int fits = r->partner[0][o] == ORDINAL_NONE && other != ORDINAL_NONE && r->partner[1][other] == ORDINAL_NONE &&
                   !(numbered && is_numbered(m, 1, other)) && !is_absent(m, 0, o) && !is_absent(m, 1, other) &&
                   m->side[0].class_of[graph_type(a, o)] == m->side[1].class_of[graph_type(b, other)];
        if (fits) {
            pair(r, o, other);
            r->by_address++;
            r->inferred += numbered + is_numbered(m, 1, other);
        }
        r->inferred += !numbered;
    }
    for (ordinal o = 0; o < b->objects; o++)
        r->inferred += !is_numbered(m, 1, o);
}

int pairing_find(const struct pairing_side side[2], struct pairing *r)
{
    const struct snapshot *a = side[0].g->snapshot, *b = side[1].g->snapshot;
    struct match m = {.side = side};
    int status = 0;
    memset(r, 0, sizeof *r);
    r->same_process = is_same_process(a, b);
    status = match_both(a, b, r->same_process, m.heap);
    for (int i = 0; i < 2; i++) {
        size_t n = (size_t)side[i].g->objects + 1;
        m.serials[i] = pairing_serials(side[i].g);
        r->partner[i] = array_new(n, sizeof *r->partner[i]);
        if (!m.serials[i] || !r->partner[i])
            status = -1;
        else
            memset(r->partner[i], 0xff, n * sizeof *r->partner[i]);
    }
    if (!status)
        status = serial_table_build(&m.first, side[0].g, m.serials[0]);
    if (!status)
        status = serial_table_build(&m.table, side[1].g, m.serials[1]);
    if (!status) {
        pair_by_serial(&m, r);
        pair_by_address(&m, r);
    }
    for (int i = 0; i < 2; i++) {
        array_free(m.heap[i]);
        array_free(m.serials[i]);
    }
    array_free(m.first.slots);
    array_free(m.table.slots);
    if (status)
        pairing_release(r);
    return status;
}

void pairing_release(struct pairing *pairing)
{
    array_free(pairing->partner[0]);
    array_free(pairing->partner[1]);
    memset(pairing, 0, sizeof *pairing);
}
