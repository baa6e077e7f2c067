/* librefheap: reference-counted objects for C with weak references, a cycle collector, and snapshots of the heap.
 *
 * The one header to include. object.h has objects, types and field tables; heap.h heaps and roots; gc.h the collector;
 * dump.h snapshots; debug.h finds mistakes; builtins.h ready-made types from int to dict; control.h what debuggers read
 * from outside.
 *
 * A heap is used by one thread at a time. Parameters of type `void *` named object, value or item take any object: a
 * struct that begins with RH_OBJECT_HEAD. Unless a function says otherwise it borrows its arguments and returns a new
 * reference, which the caller gives back with rh_decref(). Constructors return NULL when memory is exhausted, which is
 * the only way they fail.
 */
#ifndef REFHEAP_REFHEAP_H
#define REFHEAP_REFHEAP_H

#include <refheap/builtins.h>
#include <refheap/control.h>
#include <refheap/debug.h>
#include <refheap/dump.h>
#include <refheap/error.h>
#include <refheap/gc.h>
#include <refheap/heap.h>
#include <refheap/object.h>

#endif
