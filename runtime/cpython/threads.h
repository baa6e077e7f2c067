/* What an interpreter itself holds: its table of modules, its threads, their frames and the locals in them.
 */
#ifndef CPYTHON_THREADS_H
#define CPYTHON_THREADS_H

#include "describe.h"

/* The first interpreter (the newest) and the one after; 0 at the end, or when it cannot be read. */
uint64_t py_first_interpreter(struct py_world *world, uint64_t runtime);
uint64_t py_next_interpreter(struct py_world *world, uint64_t interpreter);
int64_t py_interpreter_id(struct py_world *world, uint64_t interpreter);

/* Its struct _gc_runtime_state (PY_GC_* are offsets in it). */
uint64_t py_gc_state(struct py_world *world, uint64_t runtime, uint64_t interpreter);

/* Its threads: the newest, and the one after. */
uint64_t py_first_thread(struct py_world *world, uint64_t interpreter);
uint64_t py_next_thread(struct py_world *world, uint64_t thread);
/* As the system numbers it; 3.8 to 3.10 keep only pthread_self(), and *native is 0 then. */
uint64_t py_thread_id(struct py_world *world, uint64_t thread, int *native);

/* A frame of a thread's stack, innermost first. */
struct py_frame {
    uint64_t iframe;   /* _PyInterpreterFrame (3.11 on) or the frame object's address */
    uint64_t object;   /* the frame object, 0 when there is none */
    uint64_t code, function;
    uint64_t instruction; /* address in the code (3.11 on), or 0 */
    int owned_by_thread;  /* its references count as the thread's: no frame object and no generator owns them */
};

/* The innermost frame, and the one that called it. Returns 0, or 1 at the end or where it cannot be read. Frames of C
 * (3.12 on) are stepped over. */
int py_first_frame(struct py_world *world, uint64_t thread, struct py_frame *out);
int py_next_frame(struct py_world *world, struct py_frame *frame);

/* A reference of the interpreter, a thread or a frame. */
struct py_root {
    uint64_t object, where;
    unsigned kind; /* enum root_kind of the snapshot format */
    int counted;
    enum py_label label; /* the name: TEXT or STR */
    uint64_t number;
    const char *text;
};
typedef int py_visit_root(void *context, const struct py_root *root);

/* Of the interpreter's struct: sys.modules and its like. Of a thread state: exceptions in flight, context, hooks. Of a
 * frame: its locals by name, the values on its stack, and what else it owns; nothing when an object owns them. Each
 * ends, and returns it, when visit returns other than 0. */
int py_interpreter_roots(struct py_world *world, uint64_t runtime, uint64_t interpreter, py_visit_root *visit,
                         void *context);
int py_thread_roots(struct py_world *world, uint64_t thread, py_visit_root *visit, void *context);
int py_frame_roots(struct py_world *world, const struct py_frame *frame, py_visit_root *visit, void *context);

#endif
