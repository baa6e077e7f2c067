#include "python.h"

#include "../threads.h"
#include "gil.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

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

uint64_t python_current_interpreter(void)
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

/* ---- tracemalloc ---- */

/* Keeps where the library lies that the runtime stands in, and its writable part. */
static int on_library(struct dl_phdr_info *info, size_t size, void *context)
{
    struct python *python = context;
    uint64_t from = UINT64_MAX, end = 0, data = UINT64_MAX, data_end = 0;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        uint64_t start = info->dlpi_addr + p->p_vaddr, stop = start + p->p_memsz;
        if (p->p_type != PT_LOAD)
            continue;
        from = start < from ? start : from;
        end = stop > end ? stop : end;
        if (p->p_flags & PF_W) {
            data = start < data ? start : data;
            data_end = stop > data_end ? stop : data_end;
        }
    }
    if (python->runtime < data || python->runtime >= data_end)
        return 0;
    python->library = from;
    python->library_end = end;
    python->data = (data + 7) & ~UINT64_C(7);
    python->data_end = data_end;
    return 1;
}

static void learn_traces(struct python *python)
{
    int32_t offset = python->world.layout->runtime_traces_state;
    if (offset == -1)
        python->traces_state = (uintptr_t)dlsym(RTLD_DEFAULT, "_Py_tracemalloc_config");
    else if (python->layout_fits)
        python->traces_state = python->runtime + (uint64_t)offset;
    if (python->runtime)
        dl_iterate_phdr(on_library, python);
}

/* ---- all of it ---- */

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
    memset(python, 0, sizeof *python);
    uint32_t version = parse_version(python);
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
    uint64_t interpreter = python_current_interpreter(), collector = find_collector(python, interpreter);
    if (!collector || py_world_begin(&python->world)) {
        snprintf(why, size, "cannot find the collector of CPython %s", python->version);
        return -1;
    }
    if (version < 0x0309)
        python->shared_collector = collector;
    else
        python->collector_offset = collector - interpreter;
    python->gils_understood = gil_is_understood(python, interpreter);
    learn_traces(python);
    return 0;
}

/* Interpreters with GILs of their own may ask at the same time: the first to have learnt tells the others. */
const struct python *python_known(char *why, size_t size)
{
    enum { NOT_LEARNT, BEING_TOLD, LEARNT };
    static struct python python;
    static int learnt;
    struct python mine;
    int expected = NOT_LEARNT;
    if (__atomic_load_n(&learnt, __ATOMIC_ACQUIRE) == LEARNT)
        return &python;
    if (python_learn(&mine, why, size))
        return NULL;
    if (__atomic_compare_exchange_n(&learnt, &expected, BEING_TOLD, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        python = mine;
        python.world.memory = &python.memory;
        __atomic_store_n(&learnt, LEARNT, __ATOMIC_RELEASE);
    }
    while (__atomic_load_n(&learnt, __ATOMIC_ACQUIRE) != LEARNT) { } /* a few words are being copied */
    return &python;
}

uint64_t python_collector(const struct python *python, uint64_t interpreter)
{
    return python->shared_collector ? python->shared_collector : interpreter + python->collector_offset;
}
