/* The graph in the forms of other tools. Each writes a whole file; returns 0, or -1 without memory. */
#ifndef ANALYZER_EXPORT_H
#define ANALYZER_EXPORT_H

#include <stdio.h>

#include "../session/session.h"

/* Chrome's .heapsnapshot, which its DevTools and memlab open: objects go by type, under "(GC roots)" what is held from
 * outside the heap, under "(Unreachable: cyclic garbage)" a node for each source cycle; so retained sizes there are
 * refheap's. Numbers of that format end below 2^32: larger sizes are cut, *cut says how many. Wants dominators, values
 * and roots. */
int export_heapsnapshot(const struct session *s, FILE *file, uint64_t *cut);

/* What the format can hold. */
#define HEAPSNAPSHOT_OBJECTS_MAX (UINT32_MAX / 7 / 2)

/* Folded stacks for flame graphs: a line for each way down the dominator tree by types, "list;node 4096"; objects of
 * one type below each other are one frame. Wants dominators. */
int export_folded(const struct session *s, FILE *file);

#endif
