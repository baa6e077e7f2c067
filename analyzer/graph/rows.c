#include "rows.h"

#include <string.h>

#include "array.h"
#include "parallel.h"

/* How far ahead in the edges the places of targets are fetched. */
enum { FETCH = 24 };

int row_is_start(const struct graph *g, const uint8_t *fate, ordinal o)
{
    if (graph_is_immortal(g, o) || graph_internal(g, o) == 0)
        return 1;
    if (!fate)
        return graph_external(g, o) > 0;
    return fate[o] == FATE_LIVE && (graph_external(g, o) > 0 || graph_generation(g, o) == GENERATION_PERMANENT);
}

/* Which rows, and whether starts are marked. */
struct laying {
    struct edge_rows *rows;
    const uint8_t *fate;
    unsigned fates; /* 0: all objects */
};

static inline int is_laid(const struct laying *l, ordinal o)
{
    return !l->fates || l->fates >> l->fate[o] & 1;
}

static inline void fetch_ahead(const struct laying *l, const struct graph *g, uint64_t e)
{
    ordinal soon = g->target[e + FETCH < g->edges ? e + FETCH : e];
    if (soon == ORDINAL_NONE)
        return;
    __builtin_prefetch(&g->edge_start[soon]);
    if (l->fates)
        __builtin_prefetch(&l->fate[soon]);
}

static void lay_some(void *context, unsigned part, unsigned parts)
{
    const struct laying *l = context;
    const struct graph *g = l->rows->g;
    ordinal end = (ordinal)part_begin(g->objects, part + 1, parts);
    for (ordinal o = (ordinal)part_begin(g->objects, part, parts); o < end; o++) {
        if (!is_laid(l, o))
            continue;
        ordinal *row = row_at(l->rows, row_place(l->rows, o)), used = 0;
        for (uint64_t e = g->edge_start[o]; e < g->edge_start[o + 1]; e++) {
            ordinal to = g->target[e];
            fetch_ahead(l, g, e);
            if (to != ORDINAL_NONE && edge_is_counted(g->info[e]) && is_laid(l, to))
                row[++used] = row_place(l->rows, to);
        }
        row[0] = ROW_FRESH | (!l->fates && row_is_start(g, l->fate, o) ? ROW_START : 0) | used;
    }
}

/* For the caller's rows there is room for as many as there can be virtual nodes, with the members of all: what is not
 * written takes no memory. */
int rows_make_room(const struct graph *g, struct edge_rows *r)
{
    r->g = g;
    r->objects = g->objects;
    r->places = (ordinal)((g->edges + 1) / 2) + g->objects;
    r->words = array_raw(2 * ((size_t)r->places + 2 * (size_t)g->objects + 1), sizeof *r->words);
    return r->words ? 0 : -1;
}

static int lay(const struct graph *g, const uint8_t *fate, unsigned fates, struct edge_rows *r)
{
    struct laying laying = {r, fate, fates};
    if (rows_make_room(g, r))
        return -1;
    parallel_run(parallel_parts(g->objects), lay_some, &laying);
    return 0;
}

int rows_lay_all(const struct graph *g, const uint8_t *fate, struct edge_rows *r)
{
    return lay(g, fate, 0, r);
}

int rows_lay_part(const struct graph *g, const uint8_t *fate, unsigned fates, struct edge_rows *r)
{
    return lay(g, fate, fates, r);
}

void rows_release(struct edge_rows *r)
{
    array_free(r->words);
    memset(r, 0, sizeof *r);
}
