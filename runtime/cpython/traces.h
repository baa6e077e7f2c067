/* Where tracemalloc, while it is on, says that memory was allocated.
 *
 * It keeps a table of its own, from the address of a block to the traceback that asked for it. Its functions make
 * objects to answer, so the table is read as memory. In 3.12 and 3.13 the runtime's struct leads to it; before, a static
 * variable does that no dynamic symbol names: then what is believed is what stands up to looking. A table is one only
 * when its entries stand where their hashes say and lead to tracebacks whose files are str objects.
 *
 * The table can change while other threads stand still: PyMem_RawFree() takes entries out without the GIL. Inside the
 * process the memory of the world given here must therefore be one that reads without trust.
 */
#ifndef CPYTHON_TRACES_H
#define CPYTHON_TRACES_H

#include "describe.h"

struct py_traces {
    struct py_world *world;
    uint64_t table; /* 0: there is none, and nothing is found */
    uint64_t entries, bucket_count, buckets;
    uint32_t key_size, most_frames;
    uint64_t str_type; /* of the last file's name */
    int64_t credit;    /* steps that may still be taken along chains */
    uint64_t broken;   /* chains and tracebacks that made no sense */
};

/* Whether tracemalloc traces. `state` is the address of its struct: at runtime_traces_state in the runtime, or (to 3.11)
 * of the variable _Py_tracemalloc_config. `most_frames`: of a traceback. */
int py_traces_are_on(struct py_world *world, uint64_t state, uint32_t *most_frames);

/* Whether a table of traces stands at `table`; of its entries some are looked at, as far as there are any. Returns 0 and
 * fills in *traces, or -1. */
int py_traces_open(struct py_traces *traces, struct py_world *world, uint64_t table, uint32_t most_frames);

/* Looks at every entry: 0 when each stands where it should and there are as many as the table says. One may be on its
 * way in or out. */
int py_traces_check(struct py_traces *traces);

/* Whether the table has got other buckets since it was opened: then not all of it was found. */
int py_traces_moved(const struct py_traces *traces);

/* Searches words that may be the variable that leads to the table: `size` bytes at `from`. Of what they point to, what
 * lies between `own` and `own_end` is none. Returns the table's address; 0 when there is none, or several that differ. */
uint64_t py_traces_search(struct py_world *world, uint64_t from, uint64_t size, uint64_t own, uint64_t own_end,
                          uint32_t most_frames);

/* The traceback of the block that an object begins in; 0 for none. */
uint64_t py_traces_find(struct py_traces *traces, uint64_t object, const struct py_type *type);

/* How many frames a traceback has; 0, and it is counted as broken, when it is none. */
uint32_t py_traceback_frames(struct py_traces *traces, uint64_t traceback);

/* A frame of such a traceback, 0 is the innermost: its file, a str object, and the line. */
void py_traceback_frame(struct py_traces *traces, uint64_t traceback, uint32_t frame, uint64_t *file, uint32_t *line);

#endif
