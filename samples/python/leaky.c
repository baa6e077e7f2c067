/* An extension module with the two mistakes that extension modules have: a reference that is not given back, and one that is
 * given back though it was only borrowed. And with what looks like a mistake and is none: a static variable that holds an
 * object. */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x03080000
#include <Python.h>

/* longest(list): its longest item. */
static PyObject *longest(PyObject *module, PyObject *list)
{
    PyObject *best = NULL;
    Py_ssize_t length = -1;
    (void)module;
    for (Py_ssize_t i = 0; i < PySequence_Size(list); i++) {
        PyObject *item = PySequence_GetItem(list, i); /* a new reference */
        if (PyObject_Size(item) > length) {
            length = PyObject_Size(item);
            best = item; /* the one before is not given back */
        } else {
            Py_DecRef(item);
        }
    }
    return best;
}

/* total(list): the sum of the lengths of its items. */
static PyObject *total(PyObject *module, PyObject *list)
{
    Py_ssize_t sum = 0;
    (void)module;
    for (Py_ssize_t i = 0; i < PyList_Size(list); i++) {
        PyObject *item = PyList_GetItem(list, i); /* a borrowed reference */
        sum += PyObject_Size(item);
        Py_DecRef(item);
    }
    return PyLong_FromSsize_t(sum);
}

static PyObject *remembered;

/* remember(object): keeps the last object it was given. */
static PyObject *remember(PyObject *module, PyObject *object)
{
    PyObject *before = remembered;
    (void)module;
    Py_IncRef(object);
    remembered = object;
    Py_DecRef(before);
    return PyLong_FromLong(before != NULL);
}

static PyMethodDef methods[] = {
    {"longest", longest, METH_O, NULL},
    {"total", total, METH_O, NULL},
    {"remember", remember, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "leaky", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_leaky(void)
{
    return PyModule_Create(&definition);
}
