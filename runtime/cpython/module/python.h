/* Python.h as this module may use it: the limited API of 3.8, so that one binary serves 3.8 to 3.13.
 *
 * Refcounts are changed by Py_IncRef() and Py_DecRef() alone: the inlined ones of an older header would take the
 * immortality of None away on 3.12 and later.
 */
#ifndef CPYTHON_PYTHON_H
#define CPYTHON_PYTHON_H

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x03080000
#include <Python.h>

/* Exported by every version, but not part of the limited API. */
PyAPI_FUNC(PyInterpreterState *) PyInterpreterState_Main(void);
PyAPI_FUNC(PyInterpreterState *) PyInterpreterState_Head(void);
PyAPI_FUNC(PyInterpreterState *) PyInterpreterState_Next(PyInterpreterState *);

#undef Py_INCREF
#undef Py_XINCREF
#undef Py_DECREF
#undef Py_XDECREF
#undef Py_CLEAR

#endif
