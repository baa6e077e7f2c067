#include "cycles.h"

#include <stdlib.h>
#include <string.h>

#include "array.h"

static int compare_cycles(const void *pa, const void *pb)
{
    const struct cycle *a = pa, *b = pb;
    if (a->source != b->source)
        return b->source - a->source;
    if (a->retained != b->retained)
        return a->retained < b->retained ? 1 : -1;
    if (a->objects != b->objects)
        return a->objects < b->objects ? 1 : -1;
    /* `component` holds the first member while sorting. */
    return a->component < b->component ? -1 : a->component > b->component;
}

static struct cycle describe(const struct graph *g, const struct garbage *garbage, const struct components *c,
                             const uint8_t *uncollectable, ordinal component)
{
    ordinal first = c->member[c->member_start[component]];
    struct cycle cycle = {
        .component = first,
        .objects = c->member_start[component + 1] - c->member_start[component],
        .source = !c->reached[component],
    };
    for (ordinal m = c->member_start[component]; m < c->member_start[component + 1]; m++) {
        cycle.shallow += graph_size(g, c->member[m]);
        cycle.uncollectable |= uncollectable[c->member[m]];
        cycle.invisible |= garbage->fate[c->member[m]] == FATE_INVISIBLE;
    }
    return cycle;
}

int cycles_find(const struct graph *g, const struct garbage *garbage, const struct components *c,
                const uint64_t *retained, const uint8_t *uncollectable, struct cycles *r)
{
    memset(r, 0, sizeof *r);
    ordinal count = 0;
    for (ordinal i = 0; i < c->count; i++)
        count += c->cyclic[i];
    r->items = array_new((size_t)count + 1, sizeof *r->items);
    r->of_component = array_new((size_t)c->count + 1, sizeof *r->of_component);
    if (!r->items || !r->of_component) {
        cycles_release(r);
        return -1;
    }
    for (ordinal i = 0; i < c->count; i++) {
        r->of_component[i] = ORDINAL_NONE;
        if (!c->cyclic[i])
            continue;
        r->items[r->count] = describe(g, garbage, c, uncollectable, i);
        r->items[r->count].retained = retained[i];
        r->count++;
    }
    qsort(r->items, r->count, sizeof *r->items, compare_cycles);
    for (ordinal i = 0; i < r->count; i++) {
        r->items[i].component = c->component[r->items[i].component];
        r->of_component[r->items[i].component] = i;
    }
    return 0;
}

void cycles_release(struct cycles *cycles)
{
    array_free(cycles->items);
    array_free(cycles->of_component);
    memset(cycles, 0, sizeof *cycles);
}
