/* For the tests of truth: several looks at one and the same heap.
 *
 * at_once() forks a child for each look, one after the other, without telling Python of it. So every look begins with exactly
 * the heap of the moment of the call, whatever the looks before it did, and the parent's is never touched.
 */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x03080000
#include <Python.h>

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* at_once(((callable, arguments), ...)): the parts are made by the caller, so that nothing is made here. */
static PyObject *at_once(PyObject *module, PyObject *looks)
{
    (void)module;
    for (Py_ssize_t i = 0; i < PyTuple_Size(looks); i++) {
        PyObject *look = PyTuple_GetItem(looks, i);
        int status;
        pid_t child = fork();
        if (child < 0)
            return PyErr_SetFromErrno(PyExc_OSError);
        if (!child) {
            PyObject *result = PyObject_Call(PyTuple_GetItem(look, 0), PyTuple_GetItem(look, 1), NULL);
            if (!result)
                PyErr_Print();
            _exit(!result);
        }
        if (waitpid(child, &status, 0) != child || status) {
            PyErr_Format(PyExc_RuntimeError, "look %zd ended with status %d", i, status);
            return NULL;
        }
    }
    return PyLong_FromLong(0);
}

/* wait(): says so on standard output, and stands still until there is something on standard input. Nothing runs meanwhile, since
 * the GIL is held. */
static PyObject *wait_held(PyObject *module, PyObject *unused)
{
    char byte;
    (void)module;
    (void)unused;
    if (write(STDOUT_FILENO, "waiting\n", 8) != 8 || read(STDIN_FILENO, &byte, 1) < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    return PyLong_FromLong(0);
}

/* hold(descriptor): reads a byte, and keeps the GIL meanwhile. */
static PyObject *hold(PyObject *module, PyObject *descriptor)
{
    char byte;
    (void)module;
    return PyLong_FromSsize_t(read((int)PyLong_AsLong(descriptor), &byte, 1));
}

/* keep(object, descriptor): holds an object from its stack alone, and lets others run, until a byte can be read. */
static PyObject *keep(PyObject *module, PyObject *args)
{
    PyObject *volatile kept = PyTuple_GetItem(args, 0);
    int descriptor = (int)PyLong_AsLong(PyTuple_GetItem(args, 1));
    char byte;
    ssize_t n;
    (void)module;
    Py_IncRef(kept);
    Py_BEGIN_ALLOW_THREADS
    n = read(descriptor, &byte, 1);
    Py_END_ALLOW_THREADS
    Py_DecRef(kept);
    return PyLong_FromSsize_t(n);
}

/* The object at an address. */
static PyObject *object_at(PyObject *module, PyObject *address)
{
    PyObject *object = PyLong_AsVoidPtr(address);
    (void)module;
    Py_IncRef(object);
    return object;
}

/* refcounts(addresses, to): for each address in a file of words, the word that stands there. */
static PyObject *refcounts(PyObject *module, PyObject *args)
{
    const char *from, *to;
    uint64_t word;
    (void)module;
    if (!PyArg_ParseTuple(args, "ss:refcounts", &from, &to))
        return NULL;
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    while (in && out && fread(&word, sizeof word, 1, in) == 1)
        fwrite((const void *)(uintptr_t)word, sizeof word, 1, out);
    int failed = !in || !out;
    if (in)
        fclose(in);
    if (out && fclose(out))
        failed = 1;
    return failed ? PyErr_SetFromErrno(PyExc_OSError) : PyLong_FromLong(0);
}

static PyMethodDef methods[] = {
    {"at_once", at_once, METH_O, NULL},
    {"wait", wait_held, METH_NOARGS, NULL},
    {"hold", hold, METH_O, NULL},
    {"keep", keep, METH_VARARGS, NULL},
    {"object_at", object_at, METH_O, NULL},
    {"refcounts", refcounts, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

/* The first is for 3.12 and later alone: interpreters with GILs of their own may import this. */
static PyModuleDef_Slot slots[] = {{3, (void *)2}, {0, NULL}};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "held", NULL, 0, methods, slots, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_held(void)
{
    int minor = 0;
    if (sscanf(Py_GetVersion(), "3.%d", &minor) == 1 && minor < 12)
        definition.m_slots = slots + 1;
    return PyModuleDef_Init(&definition);
}
