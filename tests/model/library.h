/* The library as a world for random programs. */
#ifndef TESTS_MODEL_LIBRARY_H
#define TESTS_MODEL_LIBRARY_H

#include "world.h"

/* One at a time. Heaps are destroyed through the table of operations. */
struct world *library_open(int heap_count, world_act act);
void library_close(struct world *world);

#endif
