/* Functions, code, frames, generators. */
#include "internal.h"

enum { LOCALS_MAX = 1 << 20, FRAME_CLEARED = 4, OWNED_BY_FRAME_OBJECT = 2 };

void tell_function(struct telling *t)
{
    const struct py_layout *l = t->l;
    tell_word(t, l->func_code, STRONG, "__code__");
    tell_word(t, l->func_globals, STRONG, "__globals__");
    tell_word(t, l->func_builtins, STRONG, "__builtins__");
    tell_word(t, l->func_module, STRONG, "__module__");
    tell_word(t, l->func_defaults, STRONG, "__defaults__");
    tell_word(t, l->func_kwdefaults, STRONG, "__kwdefaults__");
    tell_word(t, l->func_doc, STRONG, "__doc__");
    tell_word(t, l->func_name, STRONG, "__name__");
    tell_word(t, l->func_dict, STRONG, "__dict__");
    tell_word(t, l->func_closure, STRONG, "__closure__");
    tell_word(t, l->func_annotations, STRONG, "__annotations__");
    tell_word(t, l->func_qualname, STRONG, "__qualname__");
    tell_word(t, l->func_typeparams, STRONG, "__type_params__");
}

/* A method of C with a defining class (METH_METHOD) has it behind. */
void tell_cfunction(struct telling *t)
{
    tell_word(t, 24, STRONG, "__self__");
    tell_word(t, 32, STRONG, "__module__");
    if (t->type->known_size > t->l->cfunction_size)
        tell_word(t, t->l->cfunction_size, STRONG, "mm_class");
}

void tell_code(struct telling *t)
{
    const struct py_layout *l = t->l;
    tell_word(t, l->code_bytes, OWNED, "co_code");
    tell_word(t, l->code_consts, OWNED, "co_consts");
    tell_word(t, l->code_names, OWNED, "co_names");
    tell_word(t, l->code_varnames, OWNED, "co_varnames");
    tell_word(t, l->code_freevars, OWNED, "co_freevars");
    tell_word(t, l->code_cellvars, OWNED, "co_cellvars");
    tell_word(t, l->code_filename, OWNED, "co_filename");
    tell_word(t, l->code_name, OWNED, "co_name");
    tell_word(t, l->code_qualname, OWNED, "co_qualname");
    tell_word(t, l->code_linetable, OWNED, l->version >= 0x030a ? "co_linetable" : "co_lnotab");
    tell_word(t, l->code_exceptiontable, OWNED, "co_exceptiontable");
    tell_word(t, l->code_localsplusnames, OWNED, "co_localsplusnames");
    tell_word(t, l->code_localspluskinds, OWNED, "co_localspluskinds");
    if (l->code_cached == -1)
        return;
    uint64_t cached = word(t, l->code_cached);
    if (!cached || !t->ok)
        return;
    if (l->version < 0x030c) { /* 3.11 keeps the bytes alone */
        tell_named(t, cached, OWNED, "co_code");
        return;
    }
    static const char *const names[] = {"co_code", "co_varnames", "co_cellvars", "co_freevars"};
    for (unsigned i = 0; i < 4 && t->ok; i++)
        tell_named(t, py_u64(t->m, cached + 8 * i, &t->ok), OWNED, names[i]);
}

/* ---- names of variables ---- */

void frame_names_of(struct telling *t, uint64_t code, struct frame_names *names)
{
    const struct py_layout *l = t->l;
    const int32_t old[] = {l->code_varnames, l->code_cellvars, l->code_freevars};
    *names = (struct frame_names){{0}, {0}};
    int ok = 1;
    for (unsigned i = 0; i < 3; i++) {
        int32_t offset = l->code_localsplusnames != -1 ? (i ? -1 : l->code_localsplusnames) : old[i];
        if (offset == -1)
            continue;
        names->tuples[i] = py_u64(t->m, code + (uint64_t)offset, &ok);
        names->counts[i] = names->tuples[i] ? py_u64(t->m, names->tuples[i] + PY_SIZE, &ok) : 0;
        if (!ok || names->counts[i] > LOCALS_MAX)
            names->counts[i] = 0;
    }
}

uint64_t frame_name(struct telling *t, const struct frame_names *names, uint64_t i)
{
    int ok = 1;
    for (unsigned k = 0; k < 3; k++) {
        if (i < names->counts[k]) {
            uint64_t name = py_u64(t->m, names->tuples[k] + 24 + 8 * i, &ok);
            return ok ? name : 0;
        }
        i -= names->counts[k];
    }
    return 0;
}

static void tell_locals(struct telling *t, uint64_t code, uint64_t from, uint64_t count, unsigned bits)
{
    struct frame_names names;
    if (count > LOCALS_MAX || !may_look(t, count)) {
        t->ok = 0;
        return;
    }
    frame_names_of(t, code, &names);
    for (uint64_t i = 0; i < count && t->ok && !t->ended; i++) {
        uint64_t value = py_u64(t->m, from + 8 * i, &t->ok), name;
        if (!value || !t->ok)
            continue;
        if ((name = frame_name(t, &names, i)))
            tell(t, value, bits, PY_LABEL_STR, name, NULL);
        else
            tell_named(t, value, bits, "value stack");
    }
}

/* ---- frames ---- */

void tell_iframe(struct telling *t, uint64_t iframe, unsigned bits)
{
    const struct py_layout *l = t->l;
    uint64_t code = py_u64(t->m, iframe + (uint64_t)l->iframe_code, &t->ok);
    tell_named(t, code, bits, "f_code");
    tell_named(t, py_u64(t->m, iframe + (uint64_t)l->iframe_func, &t->ok), bits, "function");
    tell_named(t, py_u64(t->m, iframe + (uint64_t)l->iframe_locals, &t->ok), bits, "f_locals");
    tell_named(t, py_u64(t->m, iframe + (uint64_t)l->iframe_frame, &t->ok), bits, "frame");
    int32_t top = (int32_t)py_u32(t->m, iframe + (uint64_t)l->iframe_stacktop, &t->ok);
    if (!t->ok)
        return;
    if (top > 0)
        tell_locals(t, code, iframe + (uint64_t)l->iframe_localsplus, (uint64_t)top, bits);
    else if (top < 0 && !(bits & EDGE_TRAVERSED)) /* it runs: the locals are there all the same, the stack has no end */
        tell_locals(t, code, iframe + (uint64_t)l->iframe_localsplus,
                    py_u32(t->m, code + (uint64_t)l->code_nlocalsplus, &t->ok), bits);
}

static void tell_old_frame(struct telling *t)
{
    const struct py_layout *l = t->l;
    uint64_t code = word(t, l->frame_code), stack = word(t, l->frame_valuestack);
    tell_word(t, l->frame_back, STRONG, "f_back");
    tell_named(t, code, STRONG, "f_code");
    tell_word(t, l->frame_builtins, STRONG, "f_builtins");
    tell_word(t, l->frame_globals, STRONG, "f_globals");
    tell_word(t, l->frame_locals, STRONG, "f_locals");
    tell_word(t, l->frame_trace, STRONG, "f_trace");
    if (!t->ok || !code)
        return;
    uint64_t locals = t->object + (uint64_t)l->frame_localsplus;
    uint64_t count = stack >= locals ? (stack - locals) / 8 : 0; /* the stack begins behind them */
    tell_locals(t, code, locals, count, STRONG);
    uint64_t depth = 0;
    if (l->frame_stacktop != -1) {
        uint64_t top = word(t, l->frame_stacktop);
        depth = top > stack ? (top - stack) / 8 : 0;
    } else {
        int32_t n = (int32_t)py_u32(t->m, t->object + (uint64_t)l->frame_stackdepth, &t->ok);
        depth = n > 0 ? (uint64_t)n : 0;
    }
    if (depth > LOCALS_MAX || !may_look(t, depth))
        t->ok = 0;
    for (uint64_t i = 0; i < depth && t->ok; i++)
        tell_named(t, py_u64(t->m, stack + 8 * i, &t->ok), STRONG, "value stack");
}

void tell_frame(struct telling *t)
{
    const struct py_layout *l = t->l;
    if (l->frame_iframe == -1) {
        tell_old_frame(t);
        return;
    }
    uint64_t iframe = word(t, l->frame_iframe);
    tell_word(t, l->frame_back, STRONG, "f_back");
    tell_word(t, l->frame_trace, STRONG, "f_trace");
    tell_word(t, l->frame_extra_locals, STRONG, "f_extra_locals");
    tell_word(t, l->frame_locals_cache, STRONG, "f_locals");
    if (t->ok && iframe == t->object + (uint64_t)l->frame_data &&
        py_u8(t->m, iframe + (uint64_t)l->iframe_owner, &t->ok) == OWNED_BY_FRAME_OBJECT)
        tell_iframe(t, iframe, STRONG);
}

void tell_generator(struct telling *t)
{
    const struct py_layout *l = t->l;
    static const char *const exception[] = {"exception type", "exception", "exception traceback"};
    tell_word(t, l->gen_frame, STRONG, "gi_frame");
    tell_word(t, l->gen_code, STRONG, "gi_code");
    tell_word(t, l->gen_name, STRONG, "__name__");
    tell_word(t, l->gen_qualname, STRONG, "__qualname__");
    for (int i = 0; i < l->exc_item_count && i < 3; i++)
        tell_word(t, l->gen_exc_state + 8 * i, STRONG, exception[l->exc_item_count == 1 ? 1 : i]);
}

/* From 3.11 on the frame lies in the generator. */
void tell_generator_frame(struct telling *t)
{
    const struct py_layout *l = t->l;
    if (l->gen_iframe == -1)
        return;
    int8_t state = (int8_t)py_u8(t->m, t->object + (uint64_t)l->gen_frame_state, &t->ok);
    if (t->ok && state < FRAME_CLEARED)
        tell_iframe(t, t->object + (uint64_t)l->gen_iframe, STRONG);
}
