/* Where things stand that no reference puts in a place: by edges that are not drawn.
 *
 * Frames that have nothing to do with each other dot puts in one row, which no screen holds: an edge from the lowest
 * node of a frame to the highest of the frame below makes rows of them. */
#include <inttypes.h>
#include <stdlib.h>

#include "dot.h"

enum { COLUMNS_MAX = 4, NEVER = UINT32_MAX };

static size_t columns_for(size_t frames)
{
    size_t columns = 1;
    while (columns < COLUMNS_MAX && columns * columns < frames)
        columns++;
    return columns;
}

/* How far each node is from the first of its frame, in whatever direction. */
static void find_depths(const struct picture *p, uint32_t *depth)
{
    for (int changed = 1; changed;) {
        changed = 0;
        for (size_t i = 0; i < p->edge_count; i++) {
            uint32_t a = p->edges[i].from, b = p->edges[i].to;
            for (int turn = 0; turn < 2; turn++, b = a, a = p->edges[i].to)
                if (p->nodes[a].cluster == p->nodes[b].cluster && depth[a] != NEVER && depth[a] + 1 < depth[b]) {
                    depth[b] = depth[a] + 1;
                    changed = 1;
                }
        }
    }
}

static void put_order(FILE *f, uint32_t above, uint32_t below, int weight)
{
    fprintf(f, "  n%" PRIu32 " -> n%" PRIu32 " [style=invis, weight=%d, class=\"order\"];\n", above, below, weight);
}

static void arrange_frames(const struct picture *p, FILE *f)
{
    size_t columns = columns_for(p->cluster_count);
    uint32_t *depth = malloc((p->node_count + 1) * sizeof *depth);
    uint32_t *first = malloc(2 * (p->cluster_count + 1) * sizeof *first), *last = first + p->cluster_count + 1;
    for (size_t c = 0; first && c <= p->cluster_count; c++)
        first[c] = last[c] = PICTURE_NONE;
    for (uint32_t i = 0; depth && first && i < p->node_count; i++) {
        uint32_t *top = &first[p->nodes[i].cluster];
        depth[i] = *top == PICTURE_NONE ? 0 : NEVER;
        *top = *top == PICTURE_NONE ? i : *top;
    }
    if (depth && first) { /* without memory the frames stand in one row */
        find_depths(p, depth);
        for (uint32_t i = 0; i < p->node_count; i++) {
            uint32_t *bottom = &last[p->nodes[i].cluster];
            if (depth[i] != NEVER && (*bottom == PICTURE_NONE || depth[i] > depth[*bottom]))
                *bottom = i;
        }
        for (size_t c = 1; c + columns <= p->cluster_count; c++)
            if (last[c] != PICTURE_NONE && first[c + columns] != PICTURE_NONE)
                put_order(f, last[c], first[c + columns], 0);
    }
    free(depth);
    free(first);
}

void dot_write_arrangement(const struct picture *p, FILE *f)
{
    for (uint32_t i = 0; i < p->node_count; i++)
        if (p->nodes[i].below)
            put_order(f, p->nodes[i].below - 1, i, 20); /* straight below */
    if (p->cluster_count > 2)
        arrange_frames(p, f);
}
