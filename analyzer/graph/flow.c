#include "flow.h"

#include <string.h>

#include "array.h"

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
        f->virtual_of[i] = f->rows.objects + f->virtuals;
        f->virtual_component[f->virtuals++] = i;
    }
    return 0;
}

static void lay_members(struct flow *f)
{
    const struct components *c = f->components;
    for (ordinal v = 0; v < f->virtuals; v++) {
        ordinal *row = row_at(&f->rows, flow_place(f, f->rows.objects + v)), used = 0,
                component = f->virtual_component[v];
        for (ordinal i = c->member_start[component]; i < c->member_start[component + 1]; i++)
            row[++used] = flow_place(f, c->member[i]);
        row[0] = ROW_FRESH | (c->reached[component] ? 0 : ROW_START) | used;
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
    const struct graph *g = f->rows.g;
    for (ordinal o = 0; o < f->rows.objects; o++) {
        if (fate[o] == FATE_LIVE)
            continue;
        ordinal *row = row_at(&f->rows, flow_place(f, o)), used = 0;
        for (uint64_t e = g->edge_start[o]; e < g->edge_start[o + 1]; e++) {
            ordinal to = g->target[e];
            if (to != ORDINAL_NONE && edge_is_counted(g->info[e]) && fate[to] != FATE_LIVE)
                row[++used] = flow_place(f, through_gate(f, o, to));
        }
        row[0] = ROW_FRESH | (row_is_start(g, fate, o) ? ROW_START : 0) | used;
    }
}

int flow_lay_virtuals(const struct graph *g, const uint8_t *fate, const struct components *components, int gates,
                      struct flow *f)
{
    int status = 0;
    if (!f->rows.words)
        status = gates ? rows_make_room(g, &f->rows) : rows_lay_all(g, fate, &f->rows);
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
    rows_release(&f->rows);
    memset(f, 0, sizeof *f);
}
