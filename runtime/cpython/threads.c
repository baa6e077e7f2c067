#include "threads.h"

#include "internal.h"

enum { OWNED_BY_THREAD = 0, OWNED_BY_CSTACK = 3, FRAMES_MAX = 1 << 20, EXCEPTIONS_MAX = 1 << 16 };

static uint64_t number(struct py_world *w, uint64_t address)
{
    int ok = 1;
    uint64_t n = address ? py_u64(w->memory, address, &ok) : 0;
    return ok ? n : 0;
}

uint64_t py_first_interpreter(struct py_world *w, uint64_t runtime)
{
    return number(w, runtime + (uint64_t)w->layout->runtime_interp_head);
}

uint64_t py_next_interpreter(struct py_world *w, uint64_t interpreter)
{
    return number(w, interpreter + (uint64_t)w->layout->interp_next);
}

int64_t py_interpreter_id(struct py_world *w, uint64_t interpreter)
{
    return (int64_t)number(w, interpreter + (uint64_t)w->layout->interp_id);
}

uint64_t py_gc_state(struct py_world *w, uint64_t runtime, uint64_t interpreter)
{
    return w->layout->interp_gc != -1 ? interpreter + (uint64_t)w->layout->interp_gc
                                      : runtime + (uint64_t)w->layout->runtime_gc;
}

uint64_t py_first_thread(struct py_world *w, uint64_t interpreter)
{
    return number(w, interpreter + (uint64_t)w->layout->interp_tstate_head);
}

uint64_t py_next_thread(struct py_world *w, uint64_t thread)
{
    return number(w, thread + 8);
}

uint64_t py_thread_id(struct py_world *w, uint64_t thread, int *native)
{
    const struct py_layout *l = w->layout;
    *native = l->tstate_native_thread_id != -1;
    return number(w, thread + (uint64_t)(*native ? l->tstate_native_thread_id : l->tstate_thread_id));
}

/* ---- frames ---- */

static int read_old_frame(struct py_world *w, uint64_t frame, struct py_frame *out)
{
    *out = (struct py_frame){.iframe = frame, .object = frame};
    if (!frame)
        return 1;
    out->code = number(w, frame + (uint64_t)w->layout->frame_code);
    return out->code ? 0 : 1;
}

/* Frames that only mark where C called are passed over. */
static int read_iframe(struct py_world *w, uint64_t iframe, struct py_frame *out)
{
    const struct py_layout *l = w->layout;
    *out = (struct py_frame){0};
    for (int i = 0; iframe && i < FRAMES_MAX; i++) {
        int ok = 1;
        unsigned owner = py_u8(w->memory, iframe + (uint64_t)l->iframe_owner, &ok);
        if (!ok)
            return 1;
        if (owner != OWNED_BY_CSTACK) {
            out->iframe = iframe;
            out->object = py_u64(w->memory, iframe + (uint64_t)l->iframe_frame, &ok);
            out->code = py_u64(w->memory, iframe + (uint64_t)l->iframe_code, &ok);
            out->function = py_u64(w->memory, iframe + (uint64_t)l->iframe_func, &ok);
            out->instruction = py_u64(w->memory, iframe + (uint64_t)l->iframe_instr, &ok);
            out->owned_by_thread = owner == OWNED_BY_THREAD;
            return ok ? 0 : 1;
        }
        iframe = number(w, iframe + (uint64_t)l->iframe_previous);
    }
    return 1;
}

int py_first_frame(struct py_world *w, uint64_t thread, struct py_frame *out)
{
    const struct py_layout *l = w->layout;
    if (l->tstate_frame != -1)
        return read_old_frame(w, number(w, thread + (uint64_t)l->tstate_frame), out);
    if (l->tstate_current_frame != -1)
        return read_iframe(w, number(w, thread + (uint64_t)l->tstate_current_frame), out);
    uint64_t cframe = number(w, thread + (uint64_t)l->tstate_cframe);
    return cframe ? read_iframe(w, number(w, cframe + (uint64_t)l->cframe_current_frame), out) : 1;
}

int py_next_frame(struct py_world *w, struct py_frame *frame)
{
    const struct py_layout *l = w->layout;
    if (l->tstate_frame != -1)
        return read_old_frame(w, number(w, frame->iframe + (uint64_t)l->frame_back), frame);
    return read_iframe(w, number(w, frame->iframe + (uint64_t)l->iframe_previous), frame);
}

/* ---- roots ---- */

struct rooting {
    struct py_world *w;
    py_visit_root *visit;
    void *context;
    unsigned kind;
    int status;
};

static void root(struct rooting *r, uint64_t where, const char *name)
{
    uint64_t object = number(r->w, where);
    struct py_root found = {.object = object,
                            .where = where,
                            .kind = r->kind,
                            .counted = 1,
                            .label = PY_LABEL_TEXT,
                            .text = name};
    if (object && !r->status)
        r->status = r->visit(r->context, &found);
}

static void root_at(struct rooting *r, uint64_t base, int32_t offset, const char *name)
{
    if (offset != -1)
        root(r, base + (uint64_t)offset, name);
}

/* The dicts of static types are kept for each interpreter (3.12 on), beside them a list of subclasses. */
static void root_static_types(struct rooting *r, uint64_t interpreter)
{
    const struct py_layout *l = r->w->layout;
    for (int i = 0; i < l->interp_static_type_count; i++) {
        uint64_t at = interpreter + (uint64_t)l->interp_static_types + (uint64_t)i * (uint64_t)l->static_type_size;
        if (!number(r->w, at))
            continue;
        root_at(r, at, l->static_type_dict, "dict of a static type");
        root_at(r, at, l->static_type_subclasses, "subclasses of a static type");
    }
}

/* An array of the interpreter's in memory of its own: where it is; 0 when it has no such length, or may not be looked at
 * because there are `words_each` to look at for each of its words. */
static uint64_t array_of(struct rooting *r, uint64_t interpreter, int32_t offset, uint64_t count, uint64_t words_each)
{
    uint64_t all = number(r->w, interpreter + (uint64_t)offset);
    if (!all || !count || count > INT32_MAX || !py_view(r->w->memory, all + 8 * (count - 1), 8))
        return 0;
    return !r->w->spend || r->w->spend(r->w, words_each * count) ? all : 0;
}

/* What atexit will call (3.10 on): pointers to three words each, NULL where one was taken back. */
static void root_exit_callbacks(struct rooting *r, uint64_t interpreter)
{
    const struct py_layout *l = r->w->layout;
    int ok = 1;
    if (l->interp_atexit_count == -1)
        return;
    uint64_t count = py_u32(r->w->memory, interpreter + (uint64_t)l->interp_atexit_count, &ok);
    uint64_t all = array_of(r, interpreter, l->interp_atexit_callbacks, count, 4);
    for (uint64_t i = 0; ok && all && i < count && !r->status; i++) {
        uint64_t callback = number(r->w, all + 8 * i);
        if (!callback)
            continue;
        root(r, callback, "atexit function");
        root(r, callback + 8, "atexit arguments");
        root(r, callback + 16, "atexit keywords");
    }
}

/* The str of names that C code has, made when first asked for (3.10 on). */
static void root_identifiers(struct rooting *r, uint64_t interpreter)
{
    const struct py_layout *l = r->w->layout;
    if (l->interp_identifier_count == -1)
        return;
    uint64_t count = number(r->w, interpreter + (uint64_t)l->interp_identifier_count);
    uint64_t all = array_of(r, interpreter, l->interp_identifiers, count, 1);
    for (uint64_t i = 0; all && i < count && !r->status; i++)
        root(r, all + 8 * i, "identifier");
}

int py_interpreter_roots(struct py_world *w, uint64_t runtime, uint64_t interpreter, py_visit_root *visit,
                         void *context)
{
    const struct py_layout *l = w->layout;
    struct rooting r = {w, visit, context, ROOT_RUNTIME, 0};
    uint64_t gc = py_gc_state(w, runtime, interpreter);
    root_at(&r, interpreter, l->interp_modules, "sys.modules");
    root_at(&r, interpreter, l->interp_modules_by_index, "modules by index");
    root_at(&r, interpreter, l->interp_sysdict, "dict of sys");
    root_at(&r, interpreter, l->interp_sysdict_copy, "copy of the dict of sys");
    root_at(&r, interpreter, l->interp_builtins, "dict of builtins");
    root_at(&r, interpreter, l->interp_builtins_copy, "copy of the dict of builtins");
    root_at(&r, interpreter, l->interp_importlib, "importlib");
    root_at(&r, interpreter, l->interp_import_func, "__import__");
    root_at(&r, interpreter, l->interp_dict, "dict of the interpreter");
    root_at(&r, interpreter, l->interp_codec_search_path, "codec search path");
    root_at(&r, interpreter, l->interp_codec_search_cache, "codec search cache");
    root_at(&r, interpreter, l->interp_codec_error_registry, "codec error registry");
    root_at(&r, interpreter, l->interp_before_forkers, "before fork");
    root_at(&r, interpreter, l->interp_after_forkers_parent, "after fork in the parent");
    root_at(&r, interpreter, l->interp_after_forkers_child, "after fork in the child");
    root_at(&r, interpreter, l->interp_audit_hooks, "audit hooks");
    root(&r, gc + PY_GC_GARBAGE, "gc.garbage");
    root(&r, gc + PY_GC_CALLBACKS, "gc.callbacks");
    root_static_types(&r, interpreter);
    root_exit_callbacks(&r, interpreter);
    root_identifiers(&r, interpreter);
    return r.status;
}

int py_thread_roots(struct py_world *w, uint64_t thread, py_visit_root *visit, void *context)
{
    static const char *const raised[] = {"exception being raised", "value being raised", "traceback being raised"};
    const struct py_layout *l = w->layout;
    struct rooting r = {w, visit, context, ROOT_THREAD_STATE, 0};
    root_at(&r, thread, l->tstate_dict, "dict of the thread");
    root_at(&r, thread, l->tstate_context, "context");
    root_at(&r, thread, l->tstate_async_exc, "asynchronous exception");
    root_at(&r, thread, l->tstate_c_profileobj, "profile function");
    root_at(&r, thread, l->tstate_c_traceobj, "trace function");
    root_at(&r, thread, l->tstate_async_gen_firstiter, "hook of asynchronous generators");
    root_at(&r, thread, l->tstate_async_gen_finalizer, "finalizer of asynchronous generators");
    for (int i = 0; i < l->tstate_current_exception_count; i++)
        root_at(&r, thread, l->tstate_current_exception + 8 * i, raised[i]);
    /* The exception that is handled outside of generators; those in generators are theirs. */
    for (int i = 0; i < l->exc_item_count; i++)
        root_at(&r, thread, l->tstate_exc_state + 8 * i, "exception being handled");
    return r.status;
}

static int root_of_reference(void *context, const struct py_reference *reference)
{
    struct rooting *r = context;
    struct py_root found = {.object = reference->target,
                            .kind = ROOT_FRAME_LOCAL,
                            .counted = 1,
                            .label = reference->label,
                            .number = reference->number,
                            .text = reference->text};
    r->status = r->visit(r->context, &found);
    return r->status;
}

int py_frame_roots(struct py_world *w, const struct py_frame *frame, py_visit_root *visit, void *context)
{
    struct rooting r = {w, visit, context, ROOT_FRAME_LOCAL, 0};
    struct telling t = {.w = w,
                        .m = w->memory,
                        .l = w->layout,
                        .object = frame->iframe,
                        .visit = root_of_reference,
                        .context = &r,
                        .ok = 1};
    if (w->layout->frame_iframe == -1) {
        /* The frame is an object, and has its locals; whoever runs it holds it, unless a generator does. */
        struct py_root found = {.object = frame->object,
                                .kind = ROOT_FRAME_LOCAL,
                                .counted = 1,
                                .label = PY_LABEL_TEXT,
                                .text = "running frame"};
        return number(w, frame->object + (uint64_t)w->layout->frame_gen) ? 0 : visit(context, &found);
    }
    if (frame->owned_by_thread)
        tell_iframe(&t, frame->iframe, OWNED);
    return r.status;
}
