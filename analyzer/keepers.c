#include "keepers.h"

#include <inttypes.h>
#include <stdio.h>

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
