/* The Python module `refheap`: what Python sees.
 *
 *     refheap.dump(path, values=True)
 *     refheap.dump_on(signal=None, exit=False, no_memory=False, path="refheap-%p-%n.refheap", values=True)
 *
 * and, when it is imported, what REFHEAP_DUMP_ON and REFHEAP_DUMP_TO say.
 */
#include "python.h"

#include "gil.h"
#include "inside.h"
#include "trigger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../maps/pattern.h"

/* What was learnt of the interpreter: constants of the process. */
static const struct python *python;

/* ---- dump ---- */

static PyObject *raise_error(const struct rh_error *err, PyObject *path)
{
    char line[512];
    int n = snprintf(line, sizeof line, "%s%s%s", err->what, err->hint[0] ? ": " : "", err->hint);
    if (n < 0)
        line[0] = 0;
    if (!err->os_error) {
        PyErr_SetString(PyExc_ValueError, line);
        return NULL;
    }
    snprintf(line, sizeof line, "%s: %s", err->what, strerror(err->os_error));
    PyObject *error = PyObject_CallFunction(PyExc_OSError, "isO", err->os_error, line, path);
    if (error)
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_DecRef(error);
    return NULL;
}

PyDoc_STRVAR(dump_doc,
             "dump(path, values=True)\n--\n\n"
             "Write a snapshot of this process's Python heap to path: every container of every generation and the\n"
             "frozen ones, and all they lead to. The file appears under its name when it is complete. The heap is not\n"
             "changed, nothing is collected, and no other Python thread runs meanwhile, whatever its interpreter; one that\n"
             "does not give up a GIL of its own (3.12 on) within a second is left out, and the snapshot says so.\n\n"
             "While tracemalloc is on, objects carry the tracebacks of where they were made.\n\n"
             "With values=False the contents of strings, numbers and the like, and the command line, are left out;\n"
             "names of attributes, classes, functions and modules are kept.\n\n"
             "Raises OSError when the file cannot be written, and ValueError during a collection (in a finalizer or a\n"
             "weak reference's callback that the collector runs, or in gc.callbacks).");



static PyObject *module_dump(PyObject *module, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"path", "values", NULL};
    PyObject *path, *bytes = NULL;
    int values = 1;
    (void)module;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|p:dump", names, &path, &values) ||
        !PyUnicode_FSConverter(path, &bytes))
        return NULL;
    struct rh_error err;
    struct inside_request request = {PyBytes_AsString(bytes), values ? 0 : INSIDE_NO_VALUES, CAPTURED_REQUEST, 0};
    int status = inside_dump(python, &request, &err);
    Py_DecRef(bytes);
    if (status)
        return raise_error(&err, path);
    Py_IncRef(Py_None);
    return Py_None;
}

/* ---- dump_on ---- */

/* What sets off dumps is kept once for the process, under the GIL of the main interpreter. */
static int shares_gil_of_main(void)
{
    return gil_of(python, (uintptr_t)PyInterpreterState_Main()) == gil_of(python, python_current_interpreter());
}

/* A signal by number or name. Returns 0 for None, -1 with an exception set. */
static int signal_of(PyObject *signal)
{
    if (signal == Py_None)
        return 0;
    PyObject *text = PyLong_Check(signal) ? PyNumber_ToBase(signal, 10) : PyObject_Str(signal);
    PyObject *bytes = text ? PyUnicode_AsUTF8String(text) : NULL;
    int number = bytes ? pattern_signal(PyBytes_AsString(bytes)) : 0;
    if (bytes && !number)
        PyErr_Format(PyExc_ValueError, "there is no signal %R: it takes a number or a name like USR2", signal);
    Py_DecRef(text);
    Py_DecRef(bytes);
    return number ? number : -1;
}

static int watch_for_memory_errors(PyObject *module);

static int watch_collections(PyObject *module);

static int set_trigger(PyObject *module, const struct trigger_request *request)
{
    if ((request->on_no_memory && watch_for_memory_errors(module)) || (request->signal && watch_collections(module)))
        return -1;
    int status = trigger_set(python, request);
    if (!status)
        return 0;
    errno = -status;
    PyErr_SetFromErrno(PyExc_OSError);
    errno = -status;
    return -1;
}

PyDoc_STRVAR(dump_on_doc,
             "dump_on(signal=None, exit=False, no_memory=False, path='" PATTERN_DEFAULT "', values=True)\n--\n\n"
             "Dump when the signal arrives (a number, or a name like 'USR2'), when the interpreter exits, or when an\n"
             "uncaught MemoryError ends a thread. In the path %p stands for the pid, %n for a serial number, %t for\n"
             "the time in seconds. Replaces what an earlier call asked for; dump_on() takes everything back.\n\n"
             "A signal is answered by a thread of this module's own as soon as it gets the GIL, also while the program\n"
             "sleeps; during a long call into C that keeps the GIL nothing happens until that call returns. Failures\n"
             "are told on stderr. An interpreter with a GIL of its own cannot ask: RuntimeError.");

static PyObject *module_dump_on(PyObject *module, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"signal", "exit", "no_memory", "path", "values", NULL};
    PyObject *signal = Py_None, *bytes = NULL;
    int values = 1;
    struct trigger_request request = {.signal = 0};
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "|OppO&p:dump_on", names, &signal, &request.on_exit,
                                     &request.on_no_memory, PyUnicode_FSConverter, &bytes, &values) ||
        (request.signal = signal_of(signal)) < 0) {
        Py_DecRef(bytes);
        return NULL;
    }
    int status = -1;
    request.pattern = bytes ? PyBytes_AsString(bytes) : PATTERN_DEFAULT;
    request.flags = values ? 0 : INSIDE_NO_VALUES;
    if (!shares_gil_of_main())
        PyErr_SetString(PyExc_RuntimeError, "dump_on() is for the process: call it in the main interpreter");
    else if (!pattern_is_good(request.pattern))
        PyErr_SetString(PyExc_ValueError, "path takes %p, %n, %t and %% and no other percent sign");
    else
        status = set_trigger(module, &request);
    Py_DecRef(bytes);
    if (status)
        return NULL;
    Py_IncRef(Py_None);
    return Py_None;
}

/* ---- what Python tells us of ---- */

static PyObject *module_at_exit(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    trigger_exit();
    Py_IncRef(Py_None);
    return Py_None;
}

static PyObject *module_forked(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    trigger_forked();
    Py_IncRef(Py_None);
    return Py_None;
}

/* One of gc.callbacks. */
static PyObject *module_collected(PyObject *module, PyObject *args)
{
    const char *phase;
    PyObject *info;
    (void)module;
    if (!PyArg_ParseTuple(args, "sO", &phase, &info))
        return NULL;
    if (!strcmp(phase, "stop"))
        trigger_collected();
    Py_IncRef(Py_None);
    return Py_None;
}

/* ---- uncaught exceptions ---- */

/* What sys.excepthook and threading.excepthook were before this module's took their place; they are called in turn. */
static PyObject *hook_before, *thread_hook_before;

static PyObject *pass_on(PyObject *hook, PyObject *args)
{
    if (hook)
        return PyObject_CallObject(hook, args);
    Py_IncRef(Py_None);
    return Py_None;
}

static void dump_if_memory_error(PyObject *type)
{
    if (type && PyErr_GivenExceptionMatches(type, PyExc_MemoryError))
        trigger_no_memory();
}

static PyObject *module_excepthook(PyObject *module, PyObject *args)
{
    (void)module;
    dump_if_memory_error(PyTuple_Size(args) ? PyTuple_GetItem(args, 0) : NULL);
    return pass_on(hook_before, args);
}

static PyObject *module_thread_excepthook(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *type = PyTuple_Size(args) ? PyObject_GetAttrString(PyTuple_GetItem(args, 0), "exc_type") : NULL;
    if (!type)
        PyErr_Clear();
    dump_if_memory_error(type);
    Py_DecRef(type);
    return pass_on(thread_hook_before, args);
}

/* Takes the place of MODULE.excepthook. */
static int take_hook(PyObject *module, const char *other, const char *ours, PyObject **before)
{
    PyObject *imported = PyImport_ImportModule(other), *mine = PyObject_GetAttrString(module, ours);
    PyObject *current = imported ? PyObject_GetAttrString(imported, "excepthook") : NULL;
    int status = current && mine ? PyObject_SetAttrString(imported, "excepthook", mine) : -1;
    if (!status) {
        *before = current;
        current = NULL;
    }
    Py_DecRef(imported);
    Py_DecRef(mine);
    Py_DecRef(current);
    return status;
}

static int watch_for_memory_errors(PyObject *module)
{
    if (hook_before)
        return 0;
    return take_hook(module, "sys", "_excepthook", &hook_before) ||
           take_hook(module, "threading", "_thread_excepthook", &thread_hook_before);
}

static PyMethodDef methods[] = {
    {"dump", (PyCFunction)(void (*)(void))module_dump, METH_VARARGS | METH_KEYWORDS, dump_doc},
    {"dump_on", (PyCFunction)(void (*)(void))module_dump_on, METH_VARARGS | METH_KEYWORDS, dump_on_doc},
    {"_at_exit", module_at_exit, METH_NOARGS, NULL},
    {"_forked", module_forked, METH_NOARGS, NULL},
    {"_collected", module_collected, METH_VARARGS, NULL},
    {"_excepthook", module_excepthook, METH_VARARGS, NULL},
    {"_thread_excepthook", module_thread_excepthook, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

/* ---- the environment ---- */

static void warn_of(const char *variable, const char *text, const char *takes)
{
    char line[400];
    snprintf(line, sizeof line, "%s: cannot understand \"%.60s\"; it takes %s", variable, text, takes);
    if (PyErr_WarnEx(PyExc_RuntimeWarning, line, 1))
        PyErr_Clear();
}

static int read_event(const char *word, struct trigger_request *request)
{
    if (!strncmp(word, "signal:", 7))
        return (request->signal = pattern_signal(word + 7)) != 0;
    if (!strcmp(word, "exit"))
        return request->on_exit = 1;
    if (!strcmp(word, "nomem"))
        return request->on_no_memory = 1;
    return 0;
}

static int read_environment(PyObject *module)
{
    const char *on = secure_getenv("REFHEAP_DUMP_ON"), *to = secure_getenv("REFHEAP_DUMP_TO");
    struct trigger_request request = {.pattern = PATTERN_DEFAULT};
    char words[256], *rest = words;
    if (!on || !*on)
        return 0;
    snprintf(words, sizeof words, "%s", on);
    for (char *word; (word = strsep(&rest, ","));)
        if (!read_event(word, &request))
            warn_of("REFHEAP_DUMP_ON", word, "signal:NAME, exit and nomem, with commas between");
    if (to && pattern_is_good(to))
        request.pattern = to;
    else if (to)
        warn_of("REFHEAP_DUMP_TO", to, "a path with %p, %n, %t and %%");
    int status = set_trigger(module, &request);
    if (status && request.signal && PyErr_ExceptionMatches(PyExc_OSError) && errno == EINVAL) { /* as KILL */
        PyErr_Clear();
        warn_of("REFHEAP_DUMP_ON", on, "a signal that a program can wait for");
        request.signal = 0;
        status = set_trigger(module, &request);
    }
    return status;
}

/* ---- the module ---- */

/* Calls FUNCTION of another module with one of ours. */
static int hand_over(PyObject *module, const char *other, const char *function, const char *keyword, const char *ours)
{
    PyObject *imported = PyImport_ImportModule(other), *call = NULL, *mine = NULL, *args = NULL, *result = NULL;
    PyObject *keywords = keyword ? PyDict_New() : NULL;
    if (imported && (call = PyObject_GetAttrString(imported, function)) && (mine = PyObject_GetAttrString(module, ours)) &&
        (args = keyword ? PyTuple_New(0) : PyTuple_Pack(1, mine)) &&
        (!keyword || (keywords && !PyDict_SetItemString(keywords, keyword, mine))))
        result = PyObject_Call(call, args, keywords);
    int status = result ? 0 : -1;
    Py_DecRef(imported);
    Py_DecRef(call);
    Py_DecRef(mine);
    Py_DecRef(args);
    Py_DecRef(keywords);
    Py_DecRef(result);
    return status;
}

static int watch_collections(PyObject *module)
{
    static int watching;
    PyObject *gc = watching ? NULL : PyImport_ImportModule("gc");
    PyObject *callbacks = gc ? PyObject_GetAttrString(gc, "callbacks") : NULL;
    PyObject *mine = callbacks ? PyObject_GetAttrString(module, "_collected") : NULL;
    if (mine && !PyList_Append(callbacks, mine))
        watching = 1;
    Py_DecRef(gc);
    Py_DecRef(callbacks);
    Py_DecRef(mine);
    return watching ? 0 : -1;
}

static int module_exec(PyObject *module)
{
    char why[160];
    if (!(python = python_known(why, sizeof why))) {
        PyErr_SetString(PyExc_ImportError, why);
        return -1;
    }
    if (PyModule_AddStringConstant(module, "__version__", REFHEAP_VERSION))
        return -1;
    if (!shares_gil_of_main()) /* the process's end, and what the environment asks for, are the main interpreter's */
        return 0;
    if (hand_over(module, "atexit", "register", NULL, "_at_exit") ||
        hand_over(module, "os", "register_at_fork", "after_in_child", "_forked"))
        return -1;
    return read_environment(module);
}

/* Versions before 3.12 refuse slots that they do not know. */
enum { MOD_MULTIPLE_INTERPRETERS = 3 };
#define MOD_PER_INTERPRETER_GIL ((void *)2)

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)module_exec},
    {0, NULL},
};
static PyModuleDef_Slot slots_of_3_12[] = {
    {MOD_MULTIPLE_INTERPRETERS, MOD_PER_INTERPRETER_GIL},
    {Py_mod_exec, (void *)module_exec},
    {0, NULL},
};

PyDoc_STRVAR(module_doc, "Snapshots of this process's Python heap, for the program refheap to answer questions about.");

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "refheap", module_doc, 0, methods, slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit_refheap(void);
__attribute__((visibility("default"))) PyObject *PyInit_refheap(void)
{
    unsigned major = 0, minor = 0;
    sscanf(Py_GetVersion(), "%u.%u", &major, &minor);
    if (major > 3 || minor >= 12) /* to all interpreters the same, whichever imports first */
        __atomic_store_n(&definition.m_slots, slots_of_3_12, __ATOMIC_RELAXED);
    return PyModuleDef_Init(&definition);
}
