#include "flow.h"

#include <string.h>

#include "array.h"
#include "parallel.h"

/* How far ahead in the edges the places of targets are fetched. */
enum { FETCH = 24 };

/* ---- objects ---- */

int flow_is_start(const struct graph *g, const uint8_t *fate, ordinal o)
{
    if (graph_is_immortal(g, o) || graph_internal(g, o) == 0)
        return 1;
    if (!fate)
        return graph_external(g, o) > 0;
    return fate[o] == FATE_LIVE && (graph_external(g, o) > 0 || graph_generation(g, o) == GENERATION_PERMANENT);
}

static ordinal head_of(const struct graph *g, const uint8_t *fate, ordinal o, ordinal successors)
{
    return FLOW_FRESH | (flow_is_start(g, fate, o) ? FLOW_START : 0) | successors;
}

struct laying {
    struct flow *flow;
    const uint8_t *fate;
};

static void lay_part_of_objects(void *context, unsigned part, unsigned parts)
{
    const struct laying *laying = context;
    struct flow *f = laying->flow;
    const struct graph *g = f->g;
    ordinal end = (ordinal)part_begin(f->objects, part + 1, parts);
    for (ordinal o = (ordinal)part_begin(f->objects, part, parts); o < end; o++) {
        ordinal *row = flow_row(f, flow_place(f, o)), used = 0;
        for (uint64_t e = g->edge_start[o]; e < g->edge_start[o + 1]; e++) {
            ordinal to = g->target[e], soon = g->target[e + FETCH < g->edges ? e + FETCH : e];
            if (soon != ORDINAL_NONE)
                __builtin_prefetch(&g->edge_start[soon]);
            if (to != ORDINAL_NONE && edge_is_counted(g->info[e]))
                row[++used] = flow_place(f, to);
        }
        row[0] = head_of(g, laying->fate, o, used);
    }
}

/* Room for the rows of objects, and for as many virtual nodes as there can be: every object a cycle of its own. What is
 * not written takes no memory. */
static int make_room(const struct graph *g, struct flow *f)
{
    f->g = g;
    f->objects = g->objects;
    f->object_places = (ordinal)((g->edges + 1) / 2) + g->objects;
    f->words = array_raw(2 * ((size_t)f->object_places + 2 * (size_t)g->objects + 1), sizeof *f->words);
    return f->words ? 0 : -1;
}

int flow_lay_objects(const struct graph *g, const uint8_t *fate, struct flow *f)
{
    struct laying laying = {f, fate};
    if (make_room(g, f))
        return -1;
    parallel_run(parallel_parts(g->objects), lay_part_of_objects, &laying);
    return 0;
}

/* ---- virtual nodes ---- */

static int find_virtuals(struct flow *f, const struct components *c, int gates)
{
    f->components = c;
    f->virtual_component = array_new((size_t)c->count + 1, sizeof *f->virtual_component);
    f->virtual_of = array_new((size_t)c->count + 1, sizeof *f->virtual_of);
    if (!f->virtual_component || !f->virtual_of)
        return -1;
    for (ordinal i = 0; i < c->count; i++) {
        f->virtual_of[i] = ORDINAL_NONE;
        if (!c->cyclic[i] || (c->reached[i] && !gates))
            continue;
        f->virtual_of[i] = f->objects + f->virtuals;
        f->virtual_component[f->virtuals++] = i;
    }
    return 0;
}

static void lay_members(struct flow *f)
{
    const struct components *c = f->components;
    for (ordinal v = 0; v < f->virtuals; v++) {
        ordinal *row = flow_row(f, flow_place(f, f->objects + v)), used = 0, component = f->virtual_component[v];
        for (ordinal i = c->member_start[component]; i < c->member_start[component + 1]; i++)
            row[++used] = flow_place(f, c->member[i]);
        row[0] = FLOW_FRESH | (c->reached[component] ? 0 : FLOW_START) | used;
    }
}

/* Where an edge between dead objects leads: into another cycle by its gate. */
static ordinal through_gate(const struct flow *f, ordinal from, ordinal to)
{
    const struct components *c = f->components;
    ordinal gate = flow_virtual_of(f, to);
    return gate != ORDINAL_NONE && c->component[from] != c->component[to] ? gate : to;
}

static void lay_dead(struct flow *f, const uint8_t *fate)
{
    const struct graph *g = f->g;
    for (ordinal o = 0; o < f->objects; o++) {
        if (fate[o] == FATE_LIVE)
            continue;
        ordinal *row = flow_row(f, flow_place(f, o)), used = 0;
        for (uint64_t e = g->edge_start[o]; e < g->edge_start[o + 1]; e++) {
            ordinal to = g->target[e];
            if (to != ORDINAL_NONE && edge_is_counted(g->info[e]) && fate[to] != FATE_LIVE)
                row[++used] = flow_place(f, through_gate(f, o, to));
        }
        row[0] = head_of(g, fate, o, used);
    }
}

int flow_lay_virtuals(const struct graph *g, const uint8_t *fate, const struct components *components, int gates,
                      struct flow *f)
{
    int status = 0;
    if (!f->words)
        status = gates ? make_room(g, f) : flow_lay_objects(g, fate, f);
    if (status || find_virtuals(f, components, gates))
        return -1;
    if (gates)
        lay_dead(f, fate);
    lay_members(f);
    return 0;
}

void flow_release(struct flow *f)
{
    array_free(f->virtual_component);
    array_free(f->virtual_of);
    array_free(f->words);
    memset(f, 0, sizeof *f);
}
