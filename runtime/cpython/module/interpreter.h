/* The interpreter this module was loaded into: which version it is, and where its collectors keep their lists.
 *
 * Offsets inside PyInterpreterState are the least stable part of CPython's memory. What a dump cannot do without is
 * checked, and where it is not as expected learnt from the running interpreter instead: a list just made is the last of
 * generation 0, so its link leads to the collector.
 */
#ifndef CPYTHON_INTERPRETER_H
#define CPYTHON_INTERPRETER_H

#include <stddef.h>
#include <stdint.h>

#include "../describe.h"

/* Learnt once, when the module is imported or a debugger asks, and never changed. */
struct python {
    struct py_memory memory;
    struct py_world world;     /* what was learnt of it so far; a dump takes a copy */
    uint64_t runtime;          /* &_PyRuntime */
    uint64_t collector_offset; /* of the collector in an interpreter */
    uint64_t shared_collector; /* 3.8: the one of all interpreters; else 0 */
    uint64_t traces_state;     /* tracemalloc's, 0: not known */
    uint64_t data, data_end;   /* of the library that _PyRuntime stands in: where its variables are */
    uint64_t library, library_end;
    int layout_fits;           /* whether interpreters lie in memory as layout.h says of this version */
    int gils_understood;       /* whether their GILs do, too; see gil.h */
    char version[24];
};

/* What is known of the interpreter this code runs in, learnt at the first call. The caller holds the GIL. NULL, with the reason
 * in `why`: a version this module does not know, a build without GIL. */
const struct python *python_known(char *why, size_t size);

/* The interpreter this code runs in. */
uint64_t python_current_interpreter(void);

/* The collector of an interpreter (PY_GC_* are offsets in it). */
uint64_t python_collector(const struct python *python, uint64_t interpreter);

static inline uint64_t word_at(uint64_t address)
{
    return *(const uint64_t *)(uintptr_t)address;
}
static inline uint32_t half_at(uint64_t address)
{
    return *(const uint32_t *)(uintptr_t)address;
}

#endif
