#include "session_kept.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../dumpfmt/error.h"
#include "fail.h"
#include "../graph/array.h"

/* ---- the arrays of a group ---- */

enum { SLOTS_MAX = 16, GROUP_SHIFT = 8 };

struct slot {
    void *array; /* where the session has its pointer to the array */
    uint32_t element;
    uint64_t count;
};

struct slots {
    struct slot slot[SLOTS_MAX];
    size_t count;
};

/* Pointers of all types lie in memory alike. */
static const void *array_of(const struct slot *slot)
{
    const void *array;
    memcpy(&array, slot->array, sizeof array);
    return array;
}

static void set_array(const struct slot *slot, const void *array)
{
    memcpy(slot->array, &array, sizeof array);
}

static void add(struct slots *slots, void *array, size_t element, uint64_t count)
{
    slots->slot[slots->count++] = (struct slot){array, (uint32_t)element, count};
}

static void add_column(struct slots *slots, struct column_view *column, ordinal rows)
{
    add(slots, &column->data, column->width ? column->width : 1, column->width ? rows : 0);
}

/* The numbers that say how long a group's arrays are, and others that are no arrays. */
struct numbers {
    uint64_t number[16];
};

static void put_columns(const struct graph *g, uint64_t *to)
{
    const struct column_view *columns[] = {&g->type, &g->heap, &g->size, &g->refcount, &g->internal};
    *to = 0;
    for (int i = 0; i < 5; i++)
        *to |= (uint64_t)columns[i]->width << 8 * i;
}

static void get_columns(struct graph *g, uint64_t from)
{
    struct column_view *columns[] = {&g->type, &g->heap, &g->size, &g->refcount, &g->internal};
    for (int i = 0; i < 5; i++)
        columns[i]->width = (unsigned)(from >> 8 * i & 255);
}

static void put_numbers(const struct session *s, enum kept_group group, struct numbers *n)
{
    const struct graph *g = &s->graph;
    uint64_t *to = n->number;
    memset(n, 0, sizeof *n);
    switch (group) {
    case KEPT_ADDRESSES:
        *to++ = g->index.shift;
        *to++ = g->index.mask;
        *to++ = g->index.key;
        *to++ = g->index.pages;
        *to++ = g->index.objects;
        break;
    case KEPT_GRAPH:
        *to++ = g->objects;
        *to++ = g->edges;
        *to++ = g->dangling;
        *to++ = g->incomplete;
        *to++ = g->bytes;
        *to++ = g->uncounted;
        *to++ = g->not_strong;
        *to++ = g->file_edge != NULL;
        put_columns(g, to);
        break;
    case KEPT_BACK:
        *to++ = g->edges - g->dangling;
        break;
    case KEPT_VALUES:
        *to++ = s->values.count;
        break;
    case KEPT_CYCLES:
        *to++ = s->components.count;
        *to++ = s->components.member_start[s->components.count];
        *to++ = s->cycles.count;
        break;
    case KEPT_DOMINATORS:
        *to++ = s->dominators.virtuals;
        break;
    case KEPT_SUMS:
        *to++ = s->classes.count;
        break;
    default:
        memcpy(to, &s->garbage[group - KEPT_GARBAGE].garbage, 3 * sizeof(struct tally));
        break;
    }
}

static void get_numbers(struct session *s, enum kept_group group, const struct numbers *n)
{
    struct graph *g = &s->graph;
    const uint64_t *from = n->number;
    switch (group) {
    case KEPT_ADDRESSES:
        g->index.shift = (unsigned)*from++;
        g->index.mask = *from++;
        g->index.key = *from++;
        g->index.pages = *from++;
        g->index.objects = *from++;
        break;
    case KEPT_GRAPH:
        g->snapshot = s->snapshot;
        g->objects = (ordinal)*from++;
        g->edges = *from++;
        g->dangling = *from++;
        g->incomplete = *from++;
        g->bytes = *from++;
        g->uncounted = *from++;
        g->not_strong = *from++;
        s->has_file_edges = *from++ != 0;
        get_columns(g, *from);
        break;
    case KEPT_VALUES:
        s->values.count = *from;
        break;
    case KEPT_CYCLES:
        s->components.count = (ordinal)*from++;
        s->members = *from++;
        s->cycles.count = (ordinal)*from++;
        break;
    case KEPT_DOMINATORS:
        s->dominators.objects = g->objects;
        s->dominators.virtuals = (ordinal)*from;
        s->dominators.vertices = g->objects + (ordinal)*from + 1;
        break;
    case KEPT_SUMS:
    case KEPT_BACK:
        break;
    default:
        memcpy(&s->garbage[group - KEPT_GARBAGE].garbage, from, 3 * sizeof(struct tally));
        break;
    }
}

/* The arrays of a group, as long as its numbers say. */
static void list_slots(struct session *s, enum kept_group group, struct slots *to)
{
    struct graph *g = &s->graph;
    struct address_index *index = &g->index;
    struct components *c = &s->components;
    to->count = 0;
    switch (group) {
    case KEPT_ADDRESSES:
        add(to, &index->slots, sizeof *index->slots, index->mask + 1);
        add(to, &index->bitmaps, sizeof *index->bitmaps, index->pages);
        add(to, &index->page, sizeof *index->page, index->pages);
        add(to, &index->rank, sizeof *index->rank, index->pages + 1);
        break;
    case KEPT_GRAPH:
        add_column(to, &g->type, g->objects);
        add_column(to, &g->heap, g->objects);
        add_column(to, &g->size, g->objects);
        add_column(to, &g->refcount, g->objects);
        add_column(to, &g->internal, g->objects);
        add(to, &g->state, sizeof *g->state, g->objects);
        add(to, &g->edge_start, sizeof *g->edge_start, (uint64_t)g->objects + 1);
        add(to, &g->target, sizeof *g->target, g->edges);
        add(to, &g->info, sizeof *g->info, g->edges);
        if (s->has_file_edges)
            add(to, &g->file_edge, sizeof *g->file_edge, g->objects);
        break;
    case KEPT_BACK:
        add(to, &g->back->start, sizeof *g->back->start, (uint64_t)g->objects + 1);
        add(to, &g->back->source, sizeof *g->back->source, g->edges - g->dangling);
        add(to, &g->back->info, sizeof *g->back->info, g->edges - g->dangling);
        break;
    case KEPT_VALUES:
        add(to, &s->values.has, sizeof *s->values.has, (uint64_t)g->objects / 64 + 1);
        add(to, &s->values.rank, sizeof *s->values.rank, (uint64_t)g->objects / 64 + 1);
        add(to, &s->values.place, sizeof *s->values.place, s->values.count);
        break;
    case KEPT_CYCLES:
        add(to, &s->uncollectable, 1, g->objects);
        add(to, &c->component, sizeof *c->component, g->objects);
        add(to, &c->member, sizeof *c->member, s->members);
        add(to, &c->member_start, sizeof *c->member_start, (uint64_t)c->count + 1);
        add(to, &c->cyclic, 1, c->count);
        add(to, &c->reached, 1, c->count);
        add(to, &s->cycles.items, sizeof *s->cycles.items, s->cycles.count);
        add(to, &s->cycles.of_component, sizeof *s->cycles.of_component, c->count);
        break;
    case KEPT_DOMINATORS:
        add(to, &s->dominators.dominator, sizeof *s->dominators.dominator, s->dominators.vertices);
        add(to, &s->dominators.retained, sizeof *s->dominators.retained, s->dominators.vertices);
        add(to, &s->dominators.virtual_component, sizeof(ordinal), s->dominators.virtuals);
        break;
    case KEPT_SUMS:
        add(to, &s->sums, sizeof *s->sums, s->classes.count);
        break;
    default:
        add(to, &s->garbage[group - KEPT_GARBAGE].fate, 1, g->objects);
        break;
    }
}

static uint32_t part_id(enum kept_group group, size_t slot)
{
    return (uint32_t)group << GROUP_SHIFT | (uint32_t)slot;
}

/* ---- taking ---- */

void kept_begin(struct session *s)
{
    s->kept = kept_open(s->path);
}

static int take_numbers(struct session *s, enum kept_group group)
{
    const struct kept_part *part = kept_find(s->kept, part_id(group, SLOTS_MAX), sizeof(struct numbers));
    if (!part || part->count != 1 || kept_check(s->kept, part))
        return -1;
    get_numbers(s, group, part->data);
    return 0;
}

/* Puts the group's arrays in place; -1 when one is not there, is another, or is wrong. */
static int take_arrays(struct session *s, enum kept_group group, int unchecked)
{
    struct slots slots;
    const struct kept_part *part[SLOTS_MAX];
    list_slots(s, group, &slots);
    for (size_t i = 0; i < slots.count; i++) {
        part[i] = kept_find(s->kept, part_id(group, i), slots.slot[i].element);
        if (!part[i] || part[i]->count != slots.slot[i].count || (!unchecked && kept_check(s->kept, part[i])))
            return -1;
    }
    for (size_t i = 0; i < slots.count; i++)
        set_array(&slots.slot[i], part[i]->data);
    return 0;
}

int kept_has(const struct session *s, enum kept_group group)
{
    return s->borrowed >> group & 1 || (s->kept && !s->kept_is_damaged && snapshot_is_known(s->snapshot) &&
                                        kept_find(s->kept, part_id(group, SLOTS_MAX), sizeof(struct numbers)));
}

int kept_take(struct session *s, enum kept_group group, int unchecked)
{
    unsigned bit = 1u << group;
    if (s->borrowed & bit)
        return unchecked || !(s->unsettled & bit);
    if (!kept_has(s, group) || take_numbers(s, group))
        return 0;
    if (group == KEPT_GRAPH && !s->graph.back && !(s->graph.back = array_new(1, sizeof *s->graph.back)))
        return 0;
    if (group == KEPT_SUMS && !s->has_classes)
        return 0;
    if (take_arrays(s, group, unchecked))
        return 0;
    s->borrowed |= bit;
    s->unsettled |= unchecked ? bit : 0;
    return 1;
}

/* ---- what is wrong after all ---- */

/* Puts a group that belongs to the index out of the way of whoever computes or frees it. */
static void give_back(struct session *s, unsigned group)
{
    struct slots slots;
    if (!(s->borrowed >> group & 1))
        return;
    list_slots(s, (enum kept_group)group, &slots);
    for (size_t i = 0; i < slots.count; i++)
        set_array(&slots.slot[i], NULL);
    s->borrowed &= ~(1u << group);
}

int kept_forget(struct session *s, struct rh_error *err)
{
    if (!s->kept || !snapshot_is_known(s->snapshot) || s->kept_is_damaged)
        return 0;
    s->kept_is_damaged = 1;
    return snapshot_check_known(s->snapshot, err);
}

int kept_forget_graph(struct session *s, struct rh_error *err)
{
    give_back(s, KEPT_BACK);
    give_back(s, KEPT_GRAPH);
    give_back(s, KEPT_ADDRESSES);
    array_free(s->graph.back);
    s->graph.back = NULL;
    return kept_forget(s, err);
}

/* Builds the graph again and puts what is right in the place of what was taken from the index: whoever reads it has the
 * addresses of the arrays. */
static int repair(struct session *s, struct rh_error *err)
{
    struct session fresh = {.snapshot = s->snapshot, .has_file_edges = s->has_file_edges};
    int status = kept_forget(s, err);
    if (!status)
        status = graph_build(s->snapshot, &fresh.graph, err);
    if (!status && s->borrowed >> KEPT_BACK & 1 && graph_back(&fresh.graph))
        status = error_set(err, RH_ERR_NO_MEMORY, "not enough memory for the object graph", "");
    for (unsigned group = KEPT_GRAPH; !status && group <= KEPT_BACK; group++) {
        struct slots right;
        if (!(s->borrowed >> group & 1))
            continue;
        list_slots(&fresh, (enum kept_group)group, &right);
        for (size_t i = 0; !status && i < right.count; i++) {
            const struct kept_part *part =
                kept_find(s->kept, part_id((enum kept_group)group, i), right.slot[i].element);
            if (!part || part->count != right.slot[i].count || kept_repair(s->kept, part, array_of(&right.slot[i])))
                status = error_set(err, RH_ERR_FORMAT, "the index of the snapshot is damaged",
                                   "remove the file beside it that ends in .index, or read with --no-cache");
        }
    }
    graph_release(&fresh.graph);
    return status;
}

static int is_right(struct session *s, enum kept_group group)
{
    struct slots slots;
    list_slots(s, group, &slots);
    for (size_t i = 0; i < slots.count; i++) {
        const struct kept_part *part = kept_find(s->kept, part_id(group, i), slots.slot[i].element);
        if (!part || kept_check(s->kept, part))
            return 0;
    }
    return 1;
}

int kept_settle(struct session *s, struct rh_error *err)
{
    int status = 0;
    for (unsigned group = 0; group < KEPT_GROUPS && !status; group++) {
        if (!(s->unsettled >> group & 1) || is_right(s, (enum kept_group)group))
            continue;
        if (group == KEPT_GRAPH || group == KEPT_BACK)
            status = repair(s, err);
        else
            status = kept_forget(s, err);
        if (!status && group != KEPT_GRAPH && group != KEPT_BACK)
            give_back(s, group); /* it will be computed when it is asked for */
    }
    if (!status)
        s->unsettled = 0;
    s->graph.unchecked = s->unsettled ? s->graph.unchecked : NULL;
    return status;
}

static void check_when_read(struct unchecked *unchecked, const void *first, size_t size)
{
    struct session *s = ((struct session_unchecked *)unchecked)->session;
    struct rh_error err;
    if (!kept_check_bytes(s->kept, first, size))
        return;
    if (repair(s, &err)) {
        fail(s->path, &err);
        exit(STATUS_ERROR);
    }
}

void kept_watch(struct session *s)
{
    s->late = (struct session_unchecked){.unchecked.check = check_when_read, .session = s};
    s->late.unchecked.base = kept_chunks(s->kept, &s->late.unchecked.checked, &s->late.unchecked.shift);
    s->graph.unchecked = &s->late.unchecked;
}

/* ---- keeping ---- */

unsigned kept_there(const struct session *s)
{
    unsigned there = s->has_graph ? 1u << KEPT_ADDRESSES | 1u << KEPT_GRAPH : 0;
    there |= s->graph.back && s->graph.back->start ? 1u << KEPT_BACK : 0;
    there |= s->has_values ? 1u << KEPT_VALUES : 0;
    for (unsigned n = 0; n < 3; n++)
        there |= s->has_garbage[n] ? 1u << (KEPT_GARBAGE + n) : 0;
    there |= s->has_cycles ? 1u << KEPT_CYCLES : 0;
    there |= s->has_dominators ? 1u << KEPT_DOMINATORS : 0;
    return there | (s->sums ? 1u << KEPT_SUMS : 0);
}

void kept_store(struct session *s, unsigned groups, const struct snapshot_identity *identity)
{
    struct kept_part parts[KEPT_GROUPS * SLOTS_MAX];
    struct numbers numbers[KEPT_GROUPS];
    size_t count = 0;
    s->has_file_edges = s->graph.file_edge != NULL;
    s->members = s->has_cycles || s->borrowed >> KEPT_CYCLES & 1 ? s->components.member_start[s->components.count] : 0;
    for (unsigned group = 0; group < KEPT_GROUPS; group++) {
        struct slots slots;
        if (!(groups >> group & 1))
            continue;
        put_numbers(s, (enum kept_group)group, &numbers[group]);
        parts[count++] =
            (struct kept_part){part_id((enum kept_group)group, SLOTS_MAX), sizeof *numbers, 1, &numbers[group]};
        list_slots(s, (enum kept_group)group, &slots);
        for (size_t i = 0; i < slots.count; i++)
            parts[count++] = (struct kept_part){part_id((enum kept_group)group, i), slots.slot[i].element,
                                                slots.slot[i].count, array_of(&slots.slot[i])};
    }
    kept_write(s->path, identity, parts, count);
}

void kept_end(struct session *s)
{
    for (unsigned group = KEPT_GROUPS; group-- > 0;)
        give_back(s, group);
    kept_close(s->kept);
    s->kept = NULL;
}
