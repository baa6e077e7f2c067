/* The lines of a tree drawn in text: with Unicode's where the locale allows, else with ASCII's. */
#ifndef RENDER_TREE_H
#define RENDER_TREE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { TREE_DEPTH_MAX = 64 };

struct tree_lines {
    FILE *file;
    int unicode;
    uint8_t closed[TREE_DEPTH_MAX + 1]; /* by depth: no sister follows the node there */
};

void tree_begin(struct tree_lines *t, FILE *file);

/* Draws what stands in front of a node: at depth 0 nothing, at most at TREE_DEPTH_MAX. `is_last` says that no sister of
 * the node follows. */
void tree_line(struct tree_lines *t, size_t depth, int is_last);

#endif
