/* Prints one version's entry of layout_tables.h. Compiled by generate.py against that version's own headers; where a
 * struct stands in one of CPython's sources and not in a header, the number stands here, with the source's name.
 */
#include <Python.h>
#include <frameobject.h>
#include <stddef.h>
#include <stdio.h>
#include <structmember.h>

#include <internal/pycore_pystate.h>
#if PY_VERSION_HEX >= 0x03090000
#include <internal/pycore_gc.h>
#include <internal/pycore_interp.h>
#include <internal/pycore_runtime.h>
#else
#include <internal/pycore_pymem.h>
#endif
#if PY_VERSION_HEX >= 0x030b0000
#include <internal/pycore_dict.h>
#include <internal/pycore_frame.h>
#include <internal/pycore_genobject.h>
#endif
#if PY_VERSION_HEX >= 0x030d0000
#include <internal/pycore_typeobject.h>
#endif
#if PY_VERSION_HEX >= 0x03090000
#include <internal/pycore_hashtable.h>
#include <internal/pycore_pymem.h>
#endif

#define AT(v) (PY_VERSION_HEX >= (v))
#define NUMBER(name, n) printf("     .%s = %lld,\n", #name, (long long)(n))
#define FIELD(name, type, field) NUMBER(name, offsetof(type, field))
#define SAME(constant, n) _Static_assert((constant) == (n), #constant)

/* What layout.h takes for granted. */
SAME(offsetof(PyObject, ob_refcnt), 0);
SAME(offsetof(PyObject, ob_type), 8);
SAME(offsetof(PyVarObject, ob_size), 16);
SAME(sizeof(PyGC_Head), 16);
SAME(offsetof(PyTypeObject, tp_name), 24);
SAME(offsetof(PyTypeObject, tp_basicsize), 32);
SAME(offsetof(PyTypeObject, tp_itemsize), 40);
SAME(offsetof(PyTypeObject, tp_dealloc), 48);
SAME(offsetof(PyTypeObject, tp_flags), 168);
SAME(offsetof(PyTypeObject, tp_traverse), 184);
SAME(offsetof(PyTypeObject, tp_weaklistoffset), 208);
SAME(offsetof(PyTypeObject, tp_members), 240);
SAME(offsetof(PyTypeObject, tp_base), 256);
SAME(offsetof(PyTypeObject, tp_dict), 264);
SAME(offsetof(PyTypeObject, tp_dictoffset), 288);
SAME(offsetof(PyTypeObject, tp_is_gc), 328);
SAME(offsetof(PyTypeObject, tp_bases), 336);
SAME(offsetof(PyTypeObject, tp_mro), 344);
SAME(offsetof(PyTypeObject, tp_cache), 352);
SAME(offsetof(PyTypeObject, tp_subclasses), 360);
SAME(offsetof(PyTypeObject, tp_weaklist), 368);
SAME(offsetof(PyTypeObject, tp_del), 376);
SAME(offsetof(PyTypeObject, tp_finalize), 392);
SAME(offsetof(struct _gc_runtime_state, enabled), 12);
SAME(offsetof(struct _gc_runtime_state, debug), 16);
SAME(offsetof(struct _gc_runtime_state, generations), 24);
SAME(sizeof(struct gc_generation), 24);
SAME(offsetof(struct gc_generation, threshold), 16);
SAME(offsetof(struct gc_generation, count), 20);
SAME(offsetof(struct _gc_runtime_state, permanent_generation), 104);
SAME(offsetof(struct _gc_runtime_state, generation_stats), 128);
SAME(offsetof(struct _gc_runtime_state, collecting), 200);
SAME(offsetof(struct _gc_runtime_state, garbage), 208);
SAME(offsetof(struct _gc_runtime_state, callbacks), 216);
SAME(offsetof(struct _gc_runtime_state, long_lived_total), 224);
SAME(offsetof(struct _gc_runtime_state, long_lived_pending), 232);
SAME(sizeof(struct _gc_runtime_state), 240);
SAME(offsetof(PyListObject, ob_item), 24);
SAME(offsetof(PyTupleObject, ob_item), 24);
SAME(offsetof(PySetObject, table), 40);
SAME(offsetof(PySetObject, mask), 32);
SAME(offsetof(PySetObject, fill), 16);
SAME(offsetof(PySetObject, used), 24);
SAME(offsetof(PySetObject, smalltable), 64);
SAME(sizeof(PySetObject), 200);
SAME(offsetof(PyDictObject, ma_used), 16);
SAME(offsetof(PyDictObject, ma_keys), 32);
SAME(offsetof(PyDictObject, ma_values), 40);
SAME(offsetof(PyMemberDef, type), 8);
SAME(offsetof(PyMemberDef, offset), 16);
SAME(sizeof(PyMemberDef), 40);
SAME(offsetof(PyCellObject, ob_ref), 16);
SAME(offsetof(PyMethodObject, im_func), 16);
SAME(offsetof(PyMethodObject, im_self), 24);
SAME(offsetof(PyCFunctionObject, m_self), 24);
SAME(offsetof(PyCFunctionObject, m_module), 32);
SAME(offsetof(PyWeakReference, wr_object), 16);
SAME(offsetof(PyWeakReference, wr_callback), 24);
SAME(offsetof(PyModuleDef, m_size), 56);
SAME(offsetof(PyModuleDef, m_traverse), 80);

SAME(offsetof(struct _PyTraceMalloc_Config, initialized), 0);
SAME(offsetof(struct _PyTraceMalloc_Config, tracing), 4);
SAME(offsetof(struct _PyTraceMalloc_Config, max_nframe), 8);
#if AT(0x03090000)
SAME(offsetof(_Py_hashtable_t, buckets), 16);
SAME(offsetof(_Py_hashtable_entry_t, key_hash), 8);
SAME(offsetof(_Py_hashtable_entry_t, key), 16);
SAME(offsetof(_Py_hashtable_entry_t, value), 24);
#endif
#if AT(0x030c0000)
SAME(offsetof(struct tracemalloc_traceback, nframe), 8);
SAME(offsetof(struct tracemalloc_traceback, frames), 12);
SAME(offsetof(struct tracemalloc_frame, lineno), 8);
SAME(sizeof(struct tracemalloc_frame), 12);
#endif

/* tracemalloc's own structs are Modules/_tracemalloc.c's to 3.11, the hash table is Modules/hashtable.h's in 3.8. */
static void traces(void)
{
#if AT(0x030c0000)
    FIELD(runtime_traces_state, _PyRuntimeState, tracemalloc.config);
    FIELD(runtime_traces, _PyRuntimeState, tracemalloc.traces);
#else
    NUMBER(runtime_traces_state, -1);
    NUMBER(runtime_traces, -1);
#endif
#if AT(0x03090000)
    FIELD(table_entries, _Py_hashtable_t, nentries);
    FIELD(table_bucket_count, _Py_hashtable_t, nbuckets);
    NUMBER(table_key_size, -1);
    NUMBER(traceback_count_size, 2);
#else
    NUMBER(table_entries, 8);
    NUMBER(table_bucket_count, 0);
    NUMBER(table_key_size, 24);
    NUMBER(traceback_count_size, 4);
#endif
}

static void interpreters(void)
{
    NUMBER(runtime_size, sizeof(_PyRuntimeState));
    FIELD(runtime_interp_head, _PyRuntimeState, interpreters.head);
#if AT(0x03090000)
    NUMBER(runtime_gc, -1);
    FIELD(interp_gc, PyInterpreterState, gc);
#else
    FIELD(runtime_gc, _PyRuntimeState, gc);
    NUMBER(interp_gc, -1);
#endif
    NUMBER(interp_size, sizeof(PyInterpreterState));
    FIELD(interp_next, PyInterpreterState, next);
    FIELD(interp_id, PyInterpreterState, id);
#if AT(0x030b0000)
    FIELD(interp_tstate_head, PyInterpreterState, threads.head);
#else
    FIELD(interp_tstate_head, PyInterpreterState, tstate_head);
#endif
#if AT(0x030c0000)
    FIELD(interp_modules, PyInterpreterState, imports.modules);
    FIELD(interp_modules_by_index, PyInterpreterState, imports.modules_by_index);
    FIELD(interp_importlib, PyInterpreterState, imports.importlib);
    FIELD(interp_import_func, PyInterpreterState, imports.import_func);
    FIELD(interp_sysdict_copy, PyInterpreterState, sysdict_copy);
#else
    FIELD(interp_modules, PyInterpreterState, modules);
    FIELD(interp_modules_by_index, PyInterpreterState, modules_by_index);
    FIELD(interp_importlib, PyInterpreterState, importlib);
    FIELD(interp_import_func, PyInterpreterState, import_func);
    NUMBER(interp_sysdict_copy, -1);
#endif
    FIELD(interp_sysdict, PyInterpreterState, sysdict);
    FIELD(interp_builtins, PyInterpreterState, builtins);
    FIELD(interp_builtins_copy, PyInterpreterState, builtins_copy);
    FIELD(interp_dict, PyInterpreterState, dict);
#if AT(0x030d0000)
    FIELD(interp_codec_search_path, PyInterpreterState, codecs.search_path);
    FIELD(interp_codec_search_cache, PyInterpreterState, codecs.search_cache);
    FIELD(interp_codec_error_registry, PyInterpreterState, codecs.error_registry);
#else
    FIELD(interp_codec_search_path, PyInterpreterState, codec_search_path);
    FIELD(interp_codec_search_cache, PyInterpreterState, codec_search_cache);
    FIELD(interp_codec_error_registry, PyInterpreterState, codec_error_registry);
#endif
    FIELD(interp_before_forkers, PyInterpreterState, before_forkers);
    FIELD(interp_after_forkers_parent, PyInterpreterState, after_forkers_parent);
    FIELD(interp_after_forkers_child, PyInterpreterState, after_forkers_child);
    FIELD(interp_audit_hooks, PyInterpreterState, audit_hooks);
#if AT(0x030a0000)
    FIELD(interp_atexit_callbacks, PyInterpreterState, atexit.callbacks);
    FIELD(interp_atexit_count, PyInterpreterState, atexit.ncallbacks);
    FIELD(interp_identifiers, PyInterpreterState, unicode.ids.array);
    FIELD(interp_identifier_count, PyInterpreterState, unicode.ids.size);
#else /* callbacks are the module's, which traverses them; identifiers stand in static variables */
    NUMBER(interp_atexit_callbacks, -1);
    NUMBER(interp_atexit_count, -1);
    NUMBER(interp_identifiers, -1);
    NUMBER(interp_identifier_count, -1);
#endif
#if AT(0x030c0000)
#if AT(0x030d0000)
#define STATIC_TYPES types.builtins.initialized
    typedef struct types_state state;
    typedef __typeof__(((state *)0)->builtins.initialized[0]) entry;
    NUMBER(interp_static_type_count, sizeof(((state *)0)->builtins.initialized) / sizeof(entry));
#else
#define STATIC_TYPES types.builtins
    typedef static_builtin_state entry;
    NUMBER(interp_static_type_count, sizeof(((struct types_state *)0)->builtins) / sizeof(entry));
#endif
    FIELD(interp_static_types, PyInterpreterState, STATIC_TYPES);
    NUMBER(static_type_size, sizeof(entry));
    FIELD(static_type_dict, entry, tp_dict);
    FIELD(static_type_subclasses, entry, tp_subclasses);
#endif
}

/* From 3.12 on an interpreter can have a GIL of its own. */
static void gils(void)
{
#if AT(0x030c0000)
    typedef struct _gil_runtime_state gil;
    FIELD(interp_gil, PyInterpreterState, ceval.gil);
    FIELD(runtime_interp_mutex, _PyRuntimeState, interpreters.mutex);
    FIELD(interp_finalizing, PyInterpreterState, _finalizing);
    FIELD(gil_interval, gil, interval);
    FIELD(gil_last_holder, gil, last_holder);
    FIELD(gil_locked, gil, locked);
    FIELD(gil_switch_number, gil, switch_number);
    FIELD(gil_cond, gil, cond);
    FIELD(gil_mutex, gil, mutex);
    FIELD(gil_switch_cond, gil, switch_cond);
    FIELD(gil_switch_mutex, gil, switch_mutex);
#else
    NUMBER(interp_gil, -1);
#endif
#if AT(0x030d0000)
    NUMBER(interp_gil_drop_request, -1);
    FIELD(tstate_eval_breaker, PyThreadState, eval_breaker);
#elif AT(0x030c0000)
    FIELD(interp_eval_breaker, PyInterpreterState, ceval.eval_breaker);
    FIELD(interp_gil_drop_request, PyInterpreterState, ceval.gil_drop_request);
#endif
}

static void threads(void)
{
    NUMBER(tstate_size, sizeof(PyThreadState));
    FIELD(tstate_thread_id, PyThreadState, thread_id);
    FIELD(tstate_dict, PyThreadState, dict);
    FIELD(tstate_context, PyThreadState, context);
    FIELD(tstate_async_exc, PyThreadState, async_exc);
    FIELD(tstate_exc_info, PyThreadState, exc_info);
    FIELD(tstate_exc_state, PyThreadState, exc_state);
    FIELD(tstate_c_profileobj, PyThreadState, c_profileobj);
    FIELD(tstate_c_traceobj, PyThreadState, c_traceobj);
    FIELD(tstate_async_gen_firstiter, PyThreadState, async_gen_firstiter);
    FIELD(tstate_async_gen_finalizer, PyThreadState, async_gen_finalizer);
#if AT(0x030b0000)
    FIELD(tstate_native_thread_id, PyThreadState, native_thread_id);
    NUMBER(tstate_frame, -1);
#else
    NUMBER(tstate_native_thread_id, -1);
    FIELD(tstate_frame, PyThreadState, frame);
#endif
#if AT(0x030b0000) && !AT(0x030d0000)
    FIELD(tstate_cframe, PyThreadState, cframe);
    FIELD(cframe_current_frame, _PyCFrame, current_frame);
#else
    NUMBER(tstate_cframe, -1);
    NUMBER(cframe_current_frame, -1);
#endif
#if AT(0x030d0000)
    FIELD(tstate_current_frame, PyThreadState, current_frame);
#else
    NUMBER(tstate_current_frame, -1);
#endif
#if AT(0x030c0000)
    FIELD(tstate_current_exception, PyThreadState, current_exception);
    NUMBER(tstate_current_exception_count, 1);
#else
    FIELD(tstate_current_exception, PyThreadState, curexc_type);
    NUMBER(tstate_current_exception_count, 3); /* type, value, traceback */
#endif
    /* The objects of an entry stand in front of the link. */
    NUMBER(exc_item_count, offsetof(_PyErr_StackItem, previous_item) / 8);
    FIELD(exc_item_previous, _PyErr_StackItem, previous_item);
}

static void types(void)
{
    NUMBER(type_size, sizeof(PyTypeObject));
    NUMBER(heap_type_size, sizeof(PyHeapTypeObject));
    FIELD(ht_name, PyHeapTypeObject, ht_name);
    FIELD(ht_slots, PyHeapTypeObject, ht_slots);
    FIELD(ht_qualname, PyHeapTypeObject, ht_qualname);
    FIELD(ht_cached_keys, PyHeapTypeObject, ht_cached_keys);
#if AT(0x03090000)
    FIELD(ht_module, PyHeapTypeObject, ht_module);
#else
    NUMBER(ht_module, -1);
#endif
#if AT(0x030b0000)
    NUMBER(flag_managed_dict, Py_TPFLAGS_MANAGED_DICT);
#endif
#if AT(0x030c0000)
    NUMBER(flag_managed_weakref, Py_TPFLAGS_MANAGED_WEAKREF);
    NUMBER(managed_weaklist, -32);
#endif
#if AT(0x030d0000)
    NUMBER(flag_inline_values, Py_TPFLAGS_INLINE_VALUES);
#endif
    /* Before the object: Objects/object.c and pycore_object.h. */
#if AT(0x030b0000)
    NUMBER(managed_dict, -24);
#endif
#if AT(0x030b0000) && !AT(0x030c0000)
    NUMBER(managed_values, -32);
#endif
#if AT(0x030c0000)
    NUMBER(immortal, 0);
#elif AT(0x030b0000)
    NUMBER(immortal, 999999999); /* _PyObject_IMMORTAL_REFCNT of its static objects, never counted down from by many */
#else
    NUMBER(immortal, -1);
#endif
    FIELD(method_vectorcall, PyMethodObject, vectorcall);
    NUMBER(cfunction_size, sizeof(PyCFunctionObject));
    NUMBER(weakref_size, sizeof(PyWeakReference));
}

static void dicts(void)
{
#if AT(0x030b0000)
    NUMBER(dk_size, -1);
    NUMBER(dk_lookup, -1);
    FIELD(dk_log2_size, PyDictKeysObject, dk_log2_size);
    FIELD(dk_log2_index_bytes, PyDictKeysObject, dk_log2_index_bytes);
    FIELD(dk_kind, PyDictKeysObject, dk_kind);
    FIELD(dk_nentries, PyDictKeysObject, dk_nentries);
    FIELD(dk_usable, PyDictKeysObject, dk_usable);
    FIELD(dk_indices, PyDictKeysObject, dk_indices);
    FIELD(values_array, PyDictValues, values);
#else
    /* Objects/dict-common.h */
    NUMBER(dk_size, 8);
    NUMBER(dk_lookup, 16);
    NUMBER(dk_log2_size, -1);
    NUMBER(dk_log2_index_bytes, -1);
    NUMBER(dk_kind, -1);
    NUMBER(dk_usable, 24);
    NUMBER(dk_nentries, 32);
    NUMBER(dk_indices, 40);
    NUMBER(values_array, 0);
#endif
}

static void functions(void)
{
    NUMBER(func_size, sizeof(PyFunctionObject));
    FIELD(func_globals, PyFunctionObject, func_globals);
#if AT(0x030a0000)
    FIELD(func_builtins, PyFunctionObject, func_builtins);
#else
    NUMBER(func_builtins, -1);
#endif
    FIELD(func_name, PyFunctionObject, func_name);
    FIELD(func_qualname, PyFunctionObject, func_qualname);
    FIELD(func_code, PyFunctionObject, func_code);
    FIELD(func_defaults, PyFunctionObject, func_defaults);
    FIELD(func_kwdefaults, PyFunctionObject, func_kwdefaults);
    FIELD(func_closure, PyFunctionObject, func_closure);
    FIELD(func_doc, PyFunctionObject, func_doc);
    FIELD(func_dict, PyFunctionObject, func_dict);
    FIELD(func_weakreflist, PyFunctionObject, func_weakreflist);
    FIELD(func_module, PyFunctionObject, func_module);
    FIELD(func_annotations, PyFunctionObject, func_annotations);
#if AT(0x030c0000)
    FIELD(func_typeparams, PyFunctionObject, func_typeparams);
#else
    NUMBER(func_typeparams, -1);
#endif
}

static void codes(void)
{
    NUMBER(code_size, sizeof(PyCodeObject));
    FIELD(code_consts, PyCodeObject, co_consts);
    FIELD(code_names, PyCodeObject, co_names);
    FIELD(code_filename, PyCodeObject, co_filename);
    FIELD(code_name, PyCodeObject, co_name);
    FIELD(code_firstlineno, PyCodeObject, co_firstlineno);
    FIELD(code_stacksize, PyCodeObject, co_stacksize);
    FIELD(code_weakreflist, PyCodeObject, co_weakreflist);
    FIELD(code_extra, PyCodeObject, co_extra);
#if AT(0x030b0000)
    FIELD(code_qualname, PyCodeObject, co_qualname);
    FIELD(code_linetable, PyCodeObject, co_linetable);
    FIELD(code_exceptiontable, PyCodeObject, co_exceptiontable);
    FIELD(code_localsplusnames, PyCodeObject, co_localsplusnames);
    FIELD(code_localspluskinds, PyCodeObject, co_localspluskinds);
    FIELD(code_nlocalsplus, PyCodeObject, co_nlocalsplus);
    FIELD(code_adaptive, PyCodeObject, co_code_adaptive);
#if AT(0x030c0000)
    FIELD(code_cached, PyCodeObject, _co_cached);
#else
    FIELD(code_cached, PyCodeObject, _co_code);
#endif
    NUMBER(code_varnames, -1);
    NUMBER(code_cellvars, -1);
    NUMBER(code_freevars, -1);
    NUMBER(code_nlocals, -1);
    NUMBER(code_bytes, -1);
    NUMBER(code_zombieframe, -1);
    NUMBER(code_cell2arg, -1);
    NUMBER(code_opcache, -1);
#else
    NUMBER(code_qualname, -1);
#if AT(0x030a0000)
    FIELD(code_linetable, PyCodeObject, co_linetable);
#else
    FIELD(code_linetable, PyCodeObject, co_lnotab);
#endif
    NUMBER(code_exceptiontable, -1);
    NUMBER(code_localsplusnames, -1);
    NUMBER(code_localspluskinds, -1);
    NUMBER(code_nlocalsplus, -1);
    NUMBER(code_adaptive, -1);
    NUMBER(code_cached, -1);
    FIELD(code_varnames, PyCodeObject, co_varnames);
    FIELD(code_cellvars, PyCodeObject, co_cellvars);
    FIELD(code_freevars, PyCodeObject, co_freevars);
    FIELD(code_nlocals, PyCodeObject, co_nlocals);
    FIELD(code_bytes, PyCodeObject, co_code);
    FIELD(code_zombieframe, PyCodeObject, co_zombieframe);
    FIELD(code_cell2arg, PyCodeObject, co_cell2arg);
    FIELD(code_opcache, PyCodeObject, co_opcache);
#endif
}

static void frames(void)
{
    NUMBER(frame_size, sizeof(PyFrameObject));
    FIELD(frame_back, PyFrameObject, f_back);
    FIELD(frame_trace, PyFrameObject, f_trace);
#if AT(0x030b0000)
    FIELD(frame_iframe, PyFrameObject, f_frame);
    FIELD(frame_data, PyFrameObject, _f_frame_data);
    NUMBER(frame_code, -1);
    NUMBER(frame_builtins, -1);
    NUMBER(frame_globals, -1);
    NUMBER(frame_locals, -1);
    NUMBER(frame_valuestack, -1);
    NUMBER(frame_stacktop, -1);
    NUMBER(frame_stackdepth, -1);
    NUMBER(frame_gen, -1);
    NUMBER(frame_localsplus, -1);
    NUMBER(frame_state, -1);
#if AT(0x030c0000)
    FIELD(iframe_func, _PyInterpreterFrame, f_funcobj);
#else
    FIELD(iframe_func, _PyInterpreterFrame, f_func);
#endif
#if AT(0x030d0000)
    FIELD(iframe_code, _PyInterpreterFrame, f_executable);
    FIELD(iframe_instr, _PyInterpreterFrame, instr_ptr);
    FIELD(frame_extra_locals, PyFrameObject, f_extra_locals);
    FIELD(frame_locals_cache, PyFrameObject, f_locals_cache);
#else
    FIELD(iframe_code, _PyInterpreterFrame, f_code);
    FIELD(iframe_instr, _PyInterpreterFrame, prev_instr);
    NUMBER(frame_extra_locals, -1);
    NUMBER(frame_locals_cache, -1);
#endif
    FIELD(iframe_globals, _PyInterpreterFrame, f_globals);
    FIELD(iframe_builtins, _PyInterpreterFrame, f_builtins);
    FIELD(iframe_locals, _PyInterpreterFrame, f_locals);
    FIELD(iframe_frame, _PyInterpreterFrame, frame_obj);
    FIELD(iframe_previous, _PyInterpreterFrame, previous);
    FIELD(iframe_stacktop, _PyInterpreterFrame, stacktop);
    FIELD(iframe_owner, _PyInterpreterFrame, owner);
    FIELD(iframe_localsplus, _PyInterpreterFrame, localsplus);
#else
    NUMBER(frame_iframe, -1);
    NUMBER(frame_data, -1);
    NUMBER(frame_extra_locals, -1);
    NUMBER(frame_locals_cache, -1);
    FIELD(frame_code, PyFrameObject, f_code);
    FIELD(frame_builtins, PyFrameObject, f_builtins);
    FIELD(frame_globals, PyFrameObject, f_globals);
    FIELD(frame_locals, PyFrameObject, f_locals);
    FIELD(frame_valuestack, PyFrameObject, f_valuestack);
    FIELD(frame_gen, PyFrameObject, f_gen);
    FIELD(frame_localsplus, PyFrameObject, f_localsplus);
#if AT(0x030a0000)
    NUMBER(frame_stacktop, -1);
    FIELD(frame_stackdepth, PyFrameObject, f_stackdepth);
    FIELD(frame_state, PyFrameObject, f_state);
#else
    FIELD(frame_stacktop, PyFrameObject, f_stacktop);
    NUMBER(frame_stackdepth, -1);
    NUMBER(frame_state, -1);
#endif
    NUMBER(iframe_code, -1);
    NUMBER(iframe_func, -1);
    NUMBER(iframe_globals, -1);
    NUMBER(iframe_builtins, -1);
    NUMBER(iframe_locals, -1);
    NUMBER(iframe_frame, -1);
    NUMBER(iframe_previous, -1);
    NUMBER(iframe_stacktop, -1);
    NUMBER(iframe_owner, -1);
    NUMBER(iframe_localsplus, -1);
    NUMBER(iframe_instr, -1);
#endif
}

static void generators(void)
{
    NUMBER(gen_size, sizeof(PyGenObject));
    FIELD(gen_weakreflist, PyGenObject, gi_weakreflist);
    FIELD(gen_name, PyGenObject, gi_name);
    FIELD(gen_qualname, PyGenObject, gi_qualname);
    FIELD(gen_exc_state, PyGenObject, gi_exc_state);
#if AT(0x030c0000)
    NUMBER(gen_code, -1);
#else
    FIELD(gen_code, PyGenObject, gi_code);
#endif
#if AT(0x030b0000)
    NUMBER(gen_frame, -1);
    FIELD(gen_iframe, PyGenObject, gi_iframe);
    FIELD(gen_frame_state, PyGenObject, gi_frame_state);
    FIELD(gen_origin, PyGenObject, gi_origin_or_finalizer);
#else
    FIELD(gen_frame, PyGenObject, gi_frame);
    NUMBER(gen_iframe, -1);
    NUMBER(gen_frame_state, -1);
    FIELD(gen_origin, PyCoroObject, cr_origin);
    SAME(offsetof(PyCoroObject, cr_origin), offsetof(PyAsyncGenObject, ag_finalizer));
#endif
}

static void others(void)
{
    NUMBER(exception_size, sizeof(PyBaseExceptionObject));
    FIELD(exc_dict, PyBaseExceptionObject, dict);
    FIELD(exc_args, PyBaseExceptionObject, args);
#if AT(0x030b0000)
    FIELD(exc_notes, PyBaseExceptionObject, notes);
#else
    NUMBER(exc_notes, -1);
#endif
    FIELD(exc_traceback, PyBaseExceptionObject, traceback);
    FIELD(exc_context, PyBaseExceptionObject, context);
    FIELD(exc_cause, PyBaseExceptionObject, cause);
    NUMBER(unicode_ascii_size, sizeof(PyASCIIObject));
    NUMBER(unicode_compact_size, sizeof(PyCompactUnicodeObject));
    NUMBER(unicode_size, sizeof(PyUnicodeObject));
    FIELD(unicode_utf8_length, PyCompactUnicodeObject, utf8_length);
    FIELD(unicode_utf8, PyCompactUnicodeObject, utf8);
#if AT(0x030c0000)
    NUMBER(unicode_wstr, -1);
    FIELD(unicode_any, PyUnicodeObject, data);
    NUMBER(long_digits, offsetof(PyLongObject, long_value.ob_digit));
#else
    FIELD(unicode_wstr, PyASCIIObject, wstr);
    FIELD(unicode_any, PyUnicodeObject, data);
    NUMBER(long_digits, offsetof(PyLongObject, ob_digit));
#endif
}

int main(void)
{
    printf("    {.version = 0x%04x,\n", PY_VERSION_HEX >> 16);
    interpreters();
    gils();
    traces();
    threads();
    types();
    dicts();
    functions();
    codes();
    frames();
    generators();
    others();
    printf("    },\n");
    return 0;
}
