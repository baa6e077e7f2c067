#include "keepers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

ordinal keeper_cycle(const struct session *s, ordinal vertex)
{
    ordinal objects = s->graph.objects;
    ordinal component =
        vertex < objects ? s->components.component[vertex] : s->dominators.virtual_component[vertex - objects];
    return component == ORDINAL_NONE ? ORDINAL_NONE : s->cycles.of_component[component];
}

uint64_t keeper_shallow(const struct session *s, ordinal vertex)
{
    return vertex < s->graph.objects ? graph_size(&s->graph, vertex) : s->cycles.items[keeper_cycle(s, vertex)].shallow;
}

const char *keeper_name(const struct session *s, ordinal vertex, char to[NAME_SIZE])
{
    char name[NAME_SIZE];
    if (vertex < s->graph.objects)
        return name_full(s, vertex, to);
    if (vertex == dominators_root(&s->dominators)) {
        snprintf(to, NAME_SIZE, "all objects");
        return to;
    }
    ordinal cycle = keeper_cycle(s, vertex);
    snprintf(to, NAME_SIZE, "cycle %" PRI_ORDINAL ": %.200s", cycle + 1, name_cycle(s, cycle, name));
    return to;
}

/* ---- folding ---- */

static int comes_before(const struct dominators *d, ordinal a, ordinal b)
{
    return d->retained[a] != d->retained[b] ? d->retained[a] > d->retained[b] : a < b;
}

static int compare_entries(const void *pa, const void *pb)
{
    const struct keeper_entry *a = pa, *b = pb;
    if (a->together != b->together)
        return a->together < b->together ? 1 : -1;
    if (a->pile != b->pile)
        return a->pile < b->pile ? -1 : 1;
    if (!a->more != !b->more)
        return a->more ? 1 : -1;
    if (a->retained != b->retained)
        return a->retained < b->retained ? 1 : -1;
    return a->vertex < b->vertex ? -1 : a->vertex > b->vertex;
}

static uint32_t pile_of(const struct session *s, ordinal v)
{
    return v < s->graph.objects ? s->classes.of_type[graph_type(&s->graph, v)] : s->classes.count;
}

static void add_to_pile(const struct dominators *d, struct keeper_pile *pile, ordinal v)
{
    ordinal rank = pile->count < KEEPERS_ALIKE ? pile->count : KEEPERS_ALIKE;
    while (rank && comes_before(d, v, pile->first[rank - 1])) {
        if (rank < KEEPERS_ALIKE)
            pile->first[rank] = pile->first[rank - 1];
        rank--;
    }
    if (rank < KEEPERS_ALIKE)
        pile->first[rank] = v;
    pile->count++;
    pile->retained += d->retained[v];
}

int keepers_fold(const struct session *s, struct keeper_pile *piles, const ordinal *children, ordinal count,
                 struct keeper_entry **entries, size_t *entry_count)
{
    const struct dominators *d = &s->dominators;
    size_t capacity = 0, n = 0;
    for (ordinal i = 0; i < count; i++) {
        struct keeper_pile *pile = &piles[pile_of(s, children[i])];
        capacity += pile->count <= KEEPERS_ALIKE;
        add_to_pile(d, pile, children[i]);
    }
    struct keeper_entry *e = malloc((capacity + 1) * sizeof *e);
    for (ordinal i = 0; i < count; i++) {
        uint32_t number = pile_of(s, children[i]);
        struct keeper_pile *pile = &piles[number];
        uint64_t together = pile->retained;
        ordinal alone = pile->count < KEEPERS_ALIKE ? pile->count : KEEPERS_ALIKE;
        for (ordinal a = 0; e && a < alone; a++) {
            ordinal v = pile->first[a];
            e[n++] = (struct keeper_entry){v, 0, number, d->retained[v], together};
            pile->retained -= d->retained[v];
        }
        if (e && pile->count > alone)
            e[n++] = (struct keeper_entry){pile->first[0], pile->count - alone, number, pile->retained, together};
        *pile = (struct keeper_pile){0};
    }
    *entries = e;
    *entry_count = n;
    if (!e)
        return -1;
    qsort(e, n, sizeof *e, compare_entries);
    return 0;
}
