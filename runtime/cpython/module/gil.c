#include "python.h"

#include "gil.h"

#include <dlfcn.h>
#include <pthread.h>

#include "../threads.h"

enum { REQUEST_BIT = 1, FIRST_WITH_GILS = 0x030c, FIRST_WITH_BYTE_MUTEX = 0x030d, MUTEX_FREE = 0, MUTEX_LOCKED = 1 };

/* Stands for the thread state that has a GIL while a dump has it. 3.13 sets bits in it, nobody else looks inside; and it
 * may stand there long after. */
static _Alignas(64) char nobody[4096];

static void *at(uint64_t base, int32_t offset)
{
    return (void *)(uintptr_t)(base + (uint64_t)offset);
}

static uint64_t load_word(uint64_t base, int32_t offset)
{
    return __atomic_load_n((uint64_t *)at(base, offset), __ATOMIC_ACQUIRE);
}

static int load_int(uint64_t base, int32_t offset)
{
    return __atomic_load_n((int *)at(base, offset), __ATOMIC_ACQUIRE);
}

static void store_int(uint64_t base, int32_t offset, int value)
{
    __atomic_store_n((int *)at(base, offset), value, __ATOMIC_RELEASE);
}

/* ---- whether all this is so ---- */

/* In microseconds, as a GIL has it; 0 when it cannot be told. */
static unsigned long switch_interval(void)
{
    PyObject *ask = PySys_GetObject("getswitchinterval"); /* borrowed */
    PyObject *said = ask ? PyObject_CallObject(ask, NULL) : NULL;
    double seconds = said ? PyFloat_AsDouble(said) : -1;
    if (PyErr_Occurred())
        PyErr_Clear();
    Py_DecRef(said);
    return seconds > 0 ? (unsigned long)(seconds * 1e6 + 0.5) : 0;
}

int gil_is_understood(const struct python *python, uint64_t mine)
{
    const struct py_layout *l = python->world.layout;
    uint64_t gil = gil_of(python, mine);
    if (!gil || (size_t)l->tstate_size > sizeof nobody)
        return 0;
    uint64_t interval = load_word(gil, l->gil_interval), told = switch_interval();
    return told && interval + 1 >= told && interval <= told + 1 && load_int(gil, l->gil_locked) == 1 &&
           load_word(gil, l->gil_last_holder) && !gil_is_ending(python, mine) &&
           (l->version < FIRST_WITH_BYTE_MUTEX ? load_word(python->runtime, l->runtime_interp_mutex) != 0
                                               : dlsym(RTLD_DEFAULT, "PyMutex_Unlock") != NULL);
}

uint64_t gil_of(const struct python *python, uint64_t interpreter)
{
    const struct py_layout *l = python->world.layout;
    return l->version >= FIRST_WITH_GILS && python->layout_fits ? load_word(interpreter, l->interp_gil) : 0;
}

/* ---- the list of interpreters ---- */

int gil_lock_list(const struct python *python)
{
    const struct py_layout *l = python->world.layout;
    if (!python->gils_understood)
        return 1; /* there is one GIL, which the caller has; or what others do cannot be helped */
    if (l->version < FIRST_WITH_BYTE_MUTEX)
        return PyThread_acquire_lock((PyThread_type_lock)(uintptr_t)load_word(python->runtime, l->runtime_interp_mutex), 0);
    uint8_t expected = MUTEX_FREE; /* PyMutex_Lock() would let go of the GIL to wait */
    return __atomic_compare_exchange_n((uint8_t *)at(python->runtime, l->runtime_interp_mutex), &expected, MUTEX_LOCKED, 0,
                                       __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

void gil_unlock_list(const struct python *python)
{
    const struct py_layout *l = python->world.layout;
    if (!python->gils_understood)
        return;
    if (l->version < FIRST_WITH_BYTE_MUTEX) {
        PyThread_release_lock((PyThread_type_lock)(uintptr_t)load_word(python->runtime, l->runtime_interp_mutex));
        return;
    }
    uint8_t *mutex = at(python->runtime, l->runtime_interp_mutex), expected = MUTEX_LOCKED;
    if (__atomic_compare_exchange_n(mutex, &expected, MUTEX_FREE, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        return;
    void (*unlock)(void *mutex) = (void (*)(void *))(uintptr_t)dlsym(RTLD_DEFAULT, "PyMutex_Unlock");
    unlock(mutex); /* somebody waits and must be woken */
}

int gil_is_ending(const struct python *python, uint64_t interpreter)
{
    return load_word(interpreter, python->world.layout->interp_finalizing) != 0;
}

/* ---- asking for a GIL ---- */

/* 3.12 has the request in the interpreter: in each that uses the GIL, since any may be the one that runs. What makes it be
 * looked at is left set: CPython works it out anew whenever a thread takes the GIL. */
static void request_of_interpreters(const struct python *python, uint64_t gil, int ask)
{
    const struct py_layout *l = python->world.layout;
    for (PyInterpreterState *i = PyInterpreterState_Head(); i; i = PyInterpreterState_Next(i)) {
        if (gil_of(python, (uintptr_t)i) != gil)
            continue;
        store_int((uintptr_t)i, l->interp_gil_drop_request, ask);
        if (ask)
            store_int((uintptr_t)i, l->interp_eval_breaker, 1);
    }
}

static int is_thread_of(const struct python *python, uint64_t gil, uint64_t thread)
{
    struct py_world world = python->world;
    for (PyInterpreterState *i = PyInterpreterState_Head(); i; i = PyInterpreterState_Next(i))
        for (uint64_t t = gil_of(python, (uintptr_t)i) == gil ? py_first_thread(&world, (uintptr_t)i) : 0; t;
             t = py_next_thread(&world, t))
            if (t == thread)
                return 1;
    return 0;
}

/* 3.13 has it in the thread state that holds the GIL. The last one that had it may be gone, but not while it is listed. */
static void request_of_holder(const struct python *python, uint64_t gil, int ask)
{
    const struct py_layout *l = python->world.layout;
    uint64_t holder = load_word(gil, l->gil_last_holder);
    if (!is_thread_of(python, gil, holder))
        return;
    uint64_t *bits = at(holder, l->tstate_eval_breaker);
    if (ask)
        __atomic_fetch_or(bits, REQUEST_BIT, __ATOMIC_SEQ_CST);
    else
        __atomic_fetch_and(bits, ~(uint64_t)REQUEST_BIT, __ATOMIC_SEQ_CST);
}

static void request(const struct python *python, uint64_t gil, int ask)
{
    if (python->world.layout->interp_gil_drop_request >= 0)
        request_of_interpreters(python, gil, ask);
    else
        request_of_holder(python, gil, ask);
}

/* ---- taking it ---- */

/* Under the GIL's mutex. Whoever dropped it because it was asked waits for the holder to be another. */
static int become_holder(const struct py_layout *l, uint64_t gil)
{
    if (pthread_mutex_trylock(at(gil, l->gil_switch_mutex)))
        return 0;
    store_int(gil, l->gil_locked, 1);
    if (load_word(gil, l->gil_last_holder) != (uintptr_t)nobody) {
        __atomic_store_n((uint64_t *)at(gil, l->gil_last_holder), (uintptr_t)nobody, __ATOMIC_RELEASE);
        ++*(unsigned long *)at(gil, l->gil_switch_number);
    }
    pthread_cond_signal(at(gil, l->gil_switch_cond));
    pthread_mutex_unlock(at(gil, l->gil_switch_mutex));
    return 1;
}

enum gil_answer gil_take(const struct python *python, uint64_t gil, int ask)
{
    const struct py_layout *l = python->world.layout;
    enum gil_answer answer = GIL_HELD;
    if (pthread_mutex_trylock(at(gil, l->gil_mutex)))
        return GIL_NOT_NOW;
    if (!load_int(gil, l->gil_locked))
        answer = become_holder(l, gil) ? GIL_TAKEN : GIL_NOT_NOW;
    if (answer != GIL_NOT_NOW)
        request(python, gil, answer == GIL_HELD && ask);
    pthread_mutex_unlock(at(gil, l->gil_mutex));
    return answer;
}

void gil_give_back(const struct python *python, uint64_t gil)
{
    const struct py_layout *l = python->world.layout;
    pthread_mutex_lock(at(gil, l->gil_mutex)); /* nobody keeps it */
    store_int(gil, l->gil_locked, 0);
    pthread_cond_signal(at(gil, l->gil_cond));
    pthread_mutex_unlock(at(gil, l->gil_mutex));
}
