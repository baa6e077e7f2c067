#include "keepers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../render/text.h"

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

/* ---- as a table ---- */

const struct column keeper_columns[KEEPER_COLUMNS] = {
    {"address", "address", CELL_ADDRESS},
    {"type", "type", CELL_TEXT},
    {"generation", "generation", CELL_GENERATION},
    {"shallow", "shallow", CELL_SIZE},
    {"retained", "retained", CELL_SIZE},
    {"share", "share", CELL_SHARE},
    {"children", "children", CELL_COUNT},
    {"cycle", "cycle", CELL_NUMBER},
    {"label", "label", CELL_TEXT},
};

void keeper_cells(const struct session *s, ordinal v, uint64_t children, char name[NAME_SIZE],
                  struct cell cells[KEEPER_COLUMNS])
{
    const struct graph *g = &s->graph;
    int is_object = v < g->objects;
    ordinal cycle = keeper_cycle(s, v);
    struct text type = is_object ? type_name(s, v) : (struct text){0};
    const struct cell filled[KEEPER_COLUMNS] = {
        [KEEPER_ADDRESS] = is_object ? cell_number(graph_address(g, v)) : cell_null(),
        [KEEPER_TYPE] = is_object ? cell_bytes(type.bytes, type.length) : cell_text("(cycle)"),
        [KEEPER_GENERATION] = is_object ? cell_number(graph_generation(g, v)) : cell_null(),
        [KEEPER_SHALLOW] = cell_number(keeper_shallow(s, v)),
        [KEEPER_RETAINED] = cell_number(s->dominators.retained[v]),
        [KEEPER_SHARE] = cell_number(text_share_of(s->dominators.retained[v], g->bytes)),
        [KEEPER_CHILDREN] = cell_number(children),
        [KEEPER_CYCLE] = cycle == ORDINAL_NONE ? cell_null() : cell_number(cycle + UINT64_C(1)),
        [KEEPER_LABEL] = cell_text(is_object ? name_object(s, v, name) : name_cycle(s, cycle, name)),
    };
    memcpy(cells, filled, sizeof filled);
}
