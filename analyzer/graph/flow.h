/* The graph that dominators are of: rows of objects, and of the virtual nodes of cycles behind them.
 *
 * Vertices are numbered as in dominators.h. What the super-root leads to is marked ROW_START.
 */
#ifndef GRAPH_FLOW_H
#define GRAPH_FLOW_H

#include "components.h"
#include "rows.h"

struct flow {
    struct edge_rows rows;
    const struct components *components; /* once there are virtual nodes */
    ordinal virtuals;
    ordinal *virtual_component; /* by virtual node, ascending: the component it stands for */
    ordinal *virtual_of;        /* by component: its virtual node, or ORDINAL_NONE */
};

/* Virtual nodes for the components of what is dead, with their rows: for source cycles, or with `gates` for all cycles.
 * With gates, objects have rows only when they are dead (`fate` is not FATE_LIVE), and an edge into a cycle from
 * outside leads to its gate. Without, those of rows_lay_all() are made when they were not. Returns 0, or -1 without
 * memory. */
int flow_lay_virtuals(const struct graph *g, const uint8_t *fate, const struct components *components, int gates,
                      struct flow *flow);
void flow_release(struct flow *flow);

/* Where the row of a vertex begins. */
static inline ordinal flow_place(const struct flow *f, ordinal vertex)
{
    if (vertex < f->rows.objects)
        return row_place(&f->rows, vertex);
    ordinal i = vertex - f->rows.objects, members = f->components->member_start[f->virtual_component[i]];
    return f->rows.places + (members + 1) / 2 + i;
}

/* The gate or virtual node of the cycle that an object is a member of, or ORDINAL_NONE. */
static inline ordinal flow_virtual_of(const struct flow *f, ordinal o)
{
    ordinal component = f->components->component[o];
    return component == ORDINAL_NONE ? ORDINAL_NONE : f->virtual_of[component];
}

#endif
