#include "python.h"

#include "../threads.h"
#include "interpreter.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* Exported by every version, but not part of the limited API. */
PyAPI_FUNC(PyInterpreterState *) PyInterpreterState_Head(void);
PyAPI_FUNC(PyInterpreterState *) PyInterpreterState_Next(PyInterpreterState *);

enum { THREAD_STATE_INTERPRETER = 16, COLLECTOR_YOUNGEST = 96 /* points to generation 0 */ };

/* ---- the version ---- */

static uint32_t parse_version(struct python *python)
{
    unsigned major = 0, minor = 0;
    snprintf(python->version, sizeof python->version, "%.*s", (int)strcspn(Py_GetVersion(), " "), Py_GetVersion());
    sscanf(python->version, "%u.%u", &major, &minor);
    return major << 8 | minor;
}

/* A build without GIL tells so in sys.abiflags ("t"); its objects have another head. */
static int is_free_threaded(void)
{
    PyObject *flags = PySys_GetObject("abiflags"); /* borrowed */
    PyObject *bytes = flags ? PyUnicode_AsASCIIString(flags) : NULL;
    const char *text = bytes ? PyBytes_AsString(bytes) : NULL;
    int answer = text && strchr(text, 't');
    if (!text)
        PyErr_Clear();
    Py_DecRef(bytes);
    return answer;
}

/* ---- the collector ---- */

static uint64_t current_interpreter(void)
{
    return word_at((uintptr_t)PyThreadState_Get() + THREAD_STATE_INTERPRETER);
}

static int is_collector(uint64_t address)
{
    return word_at(address + COLLECTOR_YOUNGEST) == address + PY_GC_GENERATIONS;
}

/* Follows the newest object to the list it is in. Returns 0 when that does not look like generation 0. */
static uint64_t follow_newest(void)
{
    PyObject *list = PyList_New(0);
    if (!list) {
        PyErr_Clear();
        return 0;
    }
    uint64_t head = word_at((uintptr_t)list + PY_GC_NEXT) & ~UINT64_C(7);
    uint64_t collector = head ? head - PY_GC_GENERATIONS : 0;
    int right = head && is_collector(collector);
    Py_DecRef(list);
    return right ? collector : 0;
}

/* Where layout.h says, if it is there: a collector tells itself by a pointer into itself. Else it is learnt by making an object,
 * which may set off a collection, as any new object may. */
static uint64_t find_collector(struct python *python, uint64_t interpreter)
{
    uint64_t expected = python->runtime ? py_gc_state(&python->world, python->runtime, interpreter) : 0;
    uint64_t collector = expected && is_collector(expected) ? expected : follow_newest();
    python->layout_fits = collector && collector == expected;
    return collector;
}

static int python_learn(struct python *python, char *why, size_t size)
{
    uint32_t version = parse_version(python);
    memset(&python->world, 0, sizeof python->world);
    py_memory_inside(&python->memory);
    python->world.memory = &python->memory;
    python->world.layout = py_layout_of(version);
    python->world.type_type = (uintptr_t)&PyType_Type;
    python->runtime = (uintptr_t)dlsym(RTLD_DEFAULT, "_PyRuntime");
    if (!python->world.layout || is_free_threaded()) {
        snprintf(why, size, "this refheap reads CPython 3.8 to 3.13 with a global interpreter lock, not %s%s", python->version,
                 is_free_threaded() ? " without one" : "");
        return -1;
    }
    uint64_t interpreter = current_interpreter(), collector = find_collector(python, interpreter);
    if (!collector || py_world_begin(&python->world)) {
        snprintf(why, size, "cannot find the collector of CPython %s", python->version);
        return -1;
    }
    if (version < 0x0309)
        python->shared_collector = collector;
    else
        python->collector_offset = collector - interpreter;
    return 0;
}

const struct python *python_known(char *why, size_t size)
{
    static struct python python;
    static int known;
    if (!known && !python_learn(&python, why, size))
        known = 1;
    return known ? &python : NULL;
}

uint64_t python_collector(const struct python *python, uint64_t interpreter)
{
    return python->shared_collector ? python->shared_collector : interpreter + python->collector_offset;
}

/* ---- interpreters ---- */

int64_t python_interpreter_id(uint64_t interpreter)
{
    return PyInterpreterState_GetID((PyInterpreterState *)(uintptr_t)interpreter);
}

/* CPython lists the newest first. */
uint64_t python_next_interpreter(uint64_t interpreter)
{
    int64_t after = interpreter ? python_interpreter_id(interpreter) : -1, best = -1;
    uint64_t next = 0;
    for (PyInterpreterState *i = PyInterpreterState_Head(); i; i = PyInterpreterState_Next(i)) {
        int64_t id = python_interpreter_id((uintptr_t)i);
        if (id > after && (!next || id < best)) {
            best = id;
            next = (uintptr_t)i;
        }
    }
    return next;
}

/* The GIL an interpreter uses, where interpreters can have different ones; else 0. */
static uint64_t gil_of(const struct python *python, uint64_t interpreter)
{
    int32_t offset = python->world.layout->interp_gil;
    return offset >= 0 && python->layout_fits ? word_at(interpreter + (uint64_t)offset) : 0;
}

int python_stands_still(const struct python *python, uint64_t interpreter)
{
    uint64_t mine = current_interpreter();
    if (interpreter == mine)
        return 1;
    if (python->world.layout->version >= 0x030c && !python->layout_fits)
        return 0; /* not known */
    return gil_of(python, interpreter) == gil_of(python, mine);
}

int python_is_collecting(const struct python *python, int ended)
{
    uint64_t over = ended ? python_collector(python, current_interpreter()) : 0;
    for (uint64_t i = 0; (i = python_next_interpreter(i));) {
        uint64_t collector = python_collector(python, i);
        if (collector != over && python_stands_still(python, i) && half_at(collector + PY_GC_COLLECTING))
            return 1;
    }
    return 0;
}
