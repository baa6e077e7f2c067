#include "waste.h"

#include <stdlib.h>
#include <string.h>

#include "../../dumpfmt/hash.h"

/* ---- equal values ---- */

struct values {
    const struct session *s;
    const uint64_t *content; /* hashes of the snapshot; 0 none */
    uint64_t key;
    uint32_t *slots; /* number in `groups` + 1 */
    size_t mask;
    struct duplicate *groups;
    size_t count, capacity;
};

/* Whether an object is a string whose whole value is known, by hash or by its bytes. A number is as small as what would
 * refer to a shared one, and what a container has for a value is its name. */
static int is_known(const struct values *v, ordinal o)
{
    if (graph_state(&v->s->graph, o) & STATE_CONTAINER)
        return 0;
    const struct value_record *r = session_value(v->s, o);
    if (r && r->kind != VALUE_TEXT && r->kind != VALUE_BYTES)
        return 0;
    return v->content[o] || (r && r->kept == r->length);
}

static int is_equal(const struct values *v, ordinal a, ordinal b)
{
    const struct session *s = v->s;
    const struct value_record *x = session_value(s, a), *y = session_value(s, b);
    if (s->classes.of_type[graph_type(&s->graph, a)] != s->classes.of_type[graph_type(&s->graph, b)] ||
        !v->content[a] != !v->content[b])
        return 0;
    if (v->content[a])
        return v->content[a] == v->content[b];
    return x->kind == y->kind && x->length == y->length && !memcmp(x + 1, y + 1, x->kept);
}

static uint64_t hash_value(const struct values *v, ordinal o)
{
    uint64_t h = v->content[o];
    const struct value_record *r = session_value(v->s, o);
    if (h)
        return hash_word(v->key, h);
    h = r->length;
    const uint8_t *bytes = (const uint8_t *)(r + 1);
    for (uint32_t i = 0; i < r->kept; i++)
        h = (h ^ bytes[i]) * 0x100000001b3u;
    return hash_word(v->key, h);
}

static int grow(struct values *v)
{
    size_t capacity = v->capacity ? 2 * v->capacity : 64;
    struct duplicate *more = realloc(v->groups, capacity * sizeof *more);
    if (!more)
        return -1;
    v->groups = more;
    uint32_t *slots = calloc(2 * capacity, sizeof *slots);
    if (!slots)
        return -1;
    free(v->slots);
    v->slots = slots;
    v->mask = 2 * capacity - 1;
    v->capacity = capacity;
    for (size_t g = 0; g < v->count; g++) {
        size_t i = (size_t)hash_value(v, v->groups[g].first) & v->mask;
        while (slots[i])
            i = (i + 1) & v->mask;
        slots[i] = (uint32_t)g + 1;
    }
    return 0;
}

static int add_value(struct values *v, ordinal o, struct class_waste *c)
{
    if (v->count == v->capacity && grow(v))
        return -1;
    size_t i = (size_t)hash_value(v, o) & v->mask;
    while (v->slots[i] && !is_equal(v, v->groups[v->slots[i] - 1].first, o))
        i = (i + 1) & v->mask;
    if (!v->slots[i]) {
        v->groups[v->count++] = (struct duplicate){o, 1, 0};
        v->slots[i] = (uint32_t)v->count;
        return 0;
    }
    struct duplicate *d = &v->groups[v->slots[i] - 1];
    d->count++;
    d->wasted += graph_size(&v->s->graph, o);
    c->duplicates++;
    c->duplicate_bytes += graph_size(&v->s->graph, o);
    return 0;
}

static int compare_duplicates(const void *pa, const void *pb)
{
    const struct duplicate *a = pa, *b = pb;
    if (a->wasted != b->wasted)
        return a->wasted < b->wasted ? 1 : -1;
    return a->first < b->first ? -1 : a->first > b->first;
}

/* ---- room ---- */

/* What an object has beyond its type's own size is taken for the room of its items. */
static void judge_room(const struct session *s, ordinal o, uint64_t used, uint64_t capacity, struct class_waste *c)
{
    const struct type_record *type = snapshot_type(s->snapshot, graph_type(&s->graph, o));
    uint64_t size = graph_size(&s->graph, o), basic = type ? type->basic_size : 0,
             room = size > basic ? size - basic : 0;
    if (!capacity || used > capacity)
        return;
    if (!used) {
        c->empty++;
        c->empty_bytes += size;
    } else if (used <= capacity / SPARSE_PART) {
        c->sparse++;
        c->sparse_bytes += (uint64_t)((unsigned __int128)room * (capacity - used) / capacity);
    }
}

int waste_find(const struct session *s, const uint8_t *chosen, struct waste *w)
{
    uint64_t *used = session_column(s, OBJECT_USED), *capacity = session_column(s, OBJECT_CAPACITY);
    uint64_t *content = session_column(s, OBJECT_HASH);
    struct values v = {.s = s, .content = content, .key = hash_key()};
    *w = (struct waste){.classes = calloc((size_t)s->classes.count + 1, sizeof *w->classes)};
    int status = used && capacity && content && w->classes ? 0 : -1;
    w->has_values = !(snapshot_header(s->snapshot)->flags & FILE_NO_VALUES);
    for (ordinal o = 0; !status && o < s->graph.objects; o++) {
        struct class_waste *c = &w->classes[s->classes.of_type[graph_type(&s->graph, o)]];
        if (!chosen[o])
            continue;
        c->count++;
        w->has_capacities |= capacity[o] != 0;
        judge_room(s, o, used[o], capacity[o], c);
        if (is_known(&v, o))
            status = add_value(&v, o, c);
    }
    w->duplicates = v.groups;
    for (size_t g = 0; !status && g < v.count; g++)
        if (v.groups[g].count > 1)
            w->duplicates[w->duplicate_count++] = v.groups[g];
    if (!status && w->duplicate_count)
        qsort(w->duplicates, w->duplicate_count, sizeof *w->duplicates, compare_duplicates);
    free(used);
    free(capacity);
    free(content);
    free(v.slots);
    if (status)
        waste_release(w);
    return status;
}

void waste_release(struct waste *waste)
{
    free(waste->classes);
    free(waste->duplicates);
    *waste = (struct waste){0};
}
