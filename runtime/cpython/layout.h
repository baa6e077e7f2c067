/* Where CPython keeps what, version by version.
 *
 * This folder holds all that refheap knows of CPython's memory. It is used twice: by the probe, which reads a process or
 * a core from outside, and by the extension module (module/), which runs inside. Neither may need the other, so nothing
 * here allocates, prints, locks, or knows where its bytes come from.
 *
 * A struct py_layout holds the offsets of one minor version for 64-bit builds with a global interpreter lock. They are
 * the same in all its patch releases. The tables (layout_tables.h) are written by `make cpython-layouts`, which compiles
 * offsetof() against each version's own headers.
 */
#ifndef CPYTHON_LAYOUT_H
#define CPYTHON_LAYOUT_H

#include <stdint.h>

/* Offsets and sizes in bytes; -1: this version has no such field. What is the same in all of them is an enumerator below.
 */
struct py_layout {
    uint32_t version; /* 0x030b for 3.11 */
    /* The runtime, interpreters and threads. */
    int32_t runtime_size, runtime_interp_head, runtime_gc;
    /* tracemalloc: its state and its table of traces in the runtime; of a hash table of its kind; of a traceback. */
    int32_t runtime_traces_state, runtime_traces;
    int32_t table_entries, table_bucket_count, table_key_size /* the value's is next to it */, traceback_count_size;
    int32_t interp_size, interp_next, interp_id, interp_tstate_head, interp_gc, interp_gil;
    int32_t interp_modules, interp_modules_by_index, interp_importlib, interp_import_func, interp_sysdict,
        interp_sysdict_copy, interp_builtins, interp_builtins_copy, interp_dict, interp_codec_search_path,
        interp_codec_search_cache, interp_codec_error_registry, interp_before_forkers, interp_after_forkers_parent,
        interp_after_forkers_child, interp_audit_hooks, interp_atexit_callbacks, interp_atexit_count,
        interp_identifiers, interp_identifier_count;
    /* GILs (3.12 on; before, interp_gil is -1 and the rest 0). They are asked for in the interpreter (3.12) or in the thread
     * that has them (3.13), and interp_gil_drop_request is -1 then. */
    int32_t runtime_interp_mutex, interp_finalizing, interp_eval_breaker, interp_gil_drop_request, tstate_eval_breaker;
    int32_t gil_interval, gil_last_holder, gil_locked, gil_switch_number, gil_cond, gil_mutex, gil_switch_cond,
        gil_switch_mutex;
    /* What each interpreter has of the static types (3.12 on): an array, and fields of its entries. */
    int32_t interp_static_types, interp_static_type_count, static_type_size, static_type_dict, static_type_subclasses;
    int32_t tstate_size, tstate_thread_id, tstate_native_thread_id, tstate_dict, tstate_context, tstate_async_exc,
        tstate_exc_info, tstate_exc_state, tstate_c_profileobj, tstate_c_traceobj, tstate_async_gen_firstiter,
        tstate_async_gen_finalizer;
    int32_t tstate_frame, tstate_cframe, cframe_current_frame, tstate_current_frame;
    int32_t tstate_current_exception, tstate_current_exception_count; /* so many words */
    int32_t exc_item_count, exc_item_previous; /* an entry of the stack of exceptions: so many words, then a link */

    /* Types and dicts. */
    int32_t type_size, heap_type_size, ht_name, ht_slots, ht_qualname, ht_cached_keys, ht_module;
    int32_t dk_size, dk_lookup, dk_log2_size, dk_log2_index_bytes, dk_kind, dk_usable, dk_nentries, dk_indices;
    int32_t values_array; /* where the first value of split or inline values stands */

    /* Functions, code, frames, generators. */
    int32_t func_size, func_globals, func_builtins, func_name, func_qualname, func_code, func_defaults,
        func_kwdefaults, func_closure, func_doc, func_dict, func_weakreflist, func_module, func_annotations,
        func_typeparams;
    int32_t code_size, code_consts, code_names, code_filename, code_name, code_qualname, code_firstlineno,
        code_stacksize, code_varnames, code_cellvars, code_freevars, code_nlocals, code_bytes, code_linetable, code_exceptiontable,
        code_localsplusnames, code_localspluskinds, code_nlocalsplus, code_adaptive, code_cached, code_weakreflist,
        code_extra, code_zombieframe, code_cell2arg, code_opcache;
    int32_t frame_size, frame_back, frame_code, frame_builtins, frame_globals, frame_locals, frame_valuestack,
        frame_stacktop, frame_stackdepth, frame_trace, frame_gen, frame_localsplus, frame_state, frame_iframe,
        frame_data, frame_extra_locals, frame_locals_cache;
    int32_t iframe_code, iframe_func, iframe_globals, iframe_builtins, iframe_locals, iframe_frame, iframe_previous,
        iframe_stacktop, iframe_owner, iframe_localsplus, iframe_instr;
    int32_t gen_size, gen_frame, gen_code, gen_weakreflist, gen_name, gen_qualname, gen_exc_state, gen_origin,
        gen_iframe, gen_frame_state;

    /* The rest. */
    int32_t exception_size, exc_dict, exc_args, exc_notes, exc_traceback, exc_context, exc_cause;
    int32_t unicode_ascii_size, unicode_compact_size, unicode_size, unicode_utf8_length, unicode_utf8, unicode_wstr,
        unicode_any;
    int32_t long_digits;
    int32_t weakref_size, method_vectorcall, cfunction_size;
    uint32_t flag_managed_dict, flag_managed_weakref, flag_inline_values; /* 0: none */
    int32_t managed_dict, managed_values, managed_weaklist; /* before the object: negative; 0: none */
    int64_t immortal; /* refcounts from here on are immortal ones; 0: those whose low 32 bits are negative; -1: none */
};

/* Never changed from 3.8 to 3.13. */
enum {
    PY_REFCOUNT = 0,
    PY_TYPE = 8,
    PY_SIZE = 16,
    PY_OBJECT_SIZE = 16,
    PY_VAR_OBJECT_SIZE = 24,
    PY_GC_HEAD_SIZE = 16,
    PY_GC_NEXT = -16, /* from the object */
    PY_GC_PREV = -8,

    PY_TP_NAME = 24,
    PY_TP_BASICSIZE = 32,
    PY_TP_ITEMSIZE = 40,
    PY_TP_DEALLOC = 48,
    PY_TP_FLAGS = 168,
    PY_TP_TRAVERSE = 184,
    PY_TP_WEAKLISTOFFSET = 208,
    PY_TP_METHODS = 232,
    PY_TP_MEMBERS = 240,
    PY_TP_BASE = 256,
    PY_TP_DICT = 264,
    PY_TP_DICTOFFSET = 288,
    PY_TP_IS_GC = 328,
    PY_TP_BASES = 336,
    PY_TP_MRO = 344,
    PY_TP_CACHE = 352,
    PY_TP_SUBCLASSES = 360,
    PY_TP_WEAKLIST = 368,
    PY_TP_DEL = 376,
    PY_TP_FINALIZE = 392,

    PY_GC_ENABLED = 12, /* of struct _gc_runtime_state */
    PY_GC_DEBUG = 16,
    PY_GC_GENERATIONS = 24,
    PY_GC_GENERATION_SIZE = 24,
    PY_GC_GENERATION_THRESHOLD = 16,
    PY_GC_GENERATION_COUNT = 20,
    PY_GC_PERMANENT = 104,
    PY_GC_STATS = 128,
    PY_GC_STATS_SIZE = 24,
    PY_GC_COLLECTING = 200,
    PY_GC_GARBAGE = 208,
    PY_GC_CALLBACKS = 216,
    PY_GC_LONG_LIVED_TOTAL = 224,
    PY_GC_LONG_LIVED_PENDING = 232,
    PY_GC_STATE_SIZE = 240,

    PY_TRACES_INITIALIZED = 0, /* of tracemalloc's state */
    PY_TRACES_TRACING = 4,
    PY_TRACES_MOST_FRAMES = 8,
    PY_TABLE_BUCKETS = 16,
    PY_TABLE_LENGTH = 40, /* as far as it is looked at */
    PY_ENTRY_NEXT = 0,
    PY_ENTRY_HASH = 8,
    PY_ENTRY_KEY = 16,
    PY_TRACE_TRACEBACK = 8,
    PY_TRACE_LENGTH = 16,
    PY_TRACEBACK_COUNT = 8,
    PY_TRACEBACK_FRAMES = 12,
    PY_TRACEBACK_FRAME_LINE = 8,
    PY_TRACEBACK_FRAME_SIZE = 12,
};
#define PY_FLAG_HEAPTYPE (UINT64_C(1) << 9)
#define PY_FLAG_HAVE_GC (UINT64_C(1) << 14)
#define PY_FLAG_LONG_SUBCLASS (UINT64_C(1) << 24)
#define PY_FLAG_LIST_SUBCLASS (UINT64_C(1) << 25)
#define PY_FLAG_TUPLE_SUBCLASS (UINT64_C(1) << 26)
#define PY_FLAG_BYTES_SUBCLASS (UINT64_C(1) << 27)
#define PY_FLAG_UNICODE_SUBCLASS (UINT64_C(1) << 28)
#define PY_FLAG_DICT_SUBCLASS (UINT64_C(1) << 29)
#define PY_FLAG_EXCEPTION_SUBCLASS (UINT64_C(1) << 30)
#define PY_FLAG_TYPE_SUBCLASS (UINT64_C(1) << 31)

/* The layout of a minor version (0x030b for 3.11), or NULL when it is not known. */
const struct py_layout *py_layout_of(uint32_t version);

/* All of them, oldest first. */
const struct py_layout *py_layouts(unsigned *count);

#endif
