/* Types that are known by name. */
#include "internal.h"


/* ---- plain tables ---- */

static const struct py_field mapping[] = {{16, STRONG, "mapping", 0, 0}, {0}};
static const struct py_field wrapper[] = {{16, STRONG, "descriptor", 0, 0}, {24, STRONG, "__self__", 0, 0}, {0}};
static const struct py_field property[] = {{16, STRONG, "fget", 0, 0},
                                           {24, STRONG, "fset", 0, 0},
                                           {32, STRONG, "fdel", 0, 0},
                                           {40, STRONG, "__doc__", 0, 0},
                                           {48, STRONG, "__name__", 0x030d, 0},
                                           {0}};
static const struct py_field callable[] = {{16, STRONG, "__func__", 0, 0}, {24, STRONG, "__dict__", 0, 0}, {0}};
static const struct py_field instance_method[] = {{16, STRONG, "__func__", 0, 0}, {0}};
static const struct py_field super[] = {{16, STRONG, "__thisclass__", 0, 0},
                                        {24, STRONG, "__self__", 0, 0},
                                        {32, STRONG, "__self_class__", 0, 0},
                                        {0}};
static const struct py_field slice[] = {
    {16, STRONG, "start", 0, 0}, {24, STRONG, "stop", 0, 0}, {32, STRONG, "step", 0, 0}, {0}};
static const struct py_field range[] = {{16, OWNED, "start", 0, 0},
                                        {24, OWNED, "stop", 0, 0},
                                        {32, OWNED, "step", 0, 0},
                                        {40, OWNED, "length", 0, 0},
                                        {0}};
static const struct py_field iterator[] = {{24, STRONG, "iterable", 0, 0}, {0}}; /* index, then what it goes over */
static const struct py_field dict_iterator[] = {{16, STRONG, "dict", 0, 0}, {48, STRONG, "result", 0, 0}, {0}};
static const struct py_field set_iterator[] = {{16, STRONG, "set", 0, 0}, {0}};
static const struct py_field call_iterator[] = {{16, STRONG, "callable", 0, 0}, {24, STRONG, "sentinel", 0, 0}, {0}};
static const struct py_field dict_view[] = {{16, STRONG, "dict", 0, 0}, {0}};
static const struct py_field partial[] = {{16, STRONG, "func", 0, 0},
                                          {24, STRONG, "args", 0, 0},
                                          {32, STRONG, "keywords", 0, 0},
                                          {40, STRONG, "__dict__", 0, 0},
                                          {0}};

/* ---- those with a word that is not what it seems ---- */

/* groupby.currgrouper is borrowed. */
static const struct py_field groupby[] = {{16, STRONG, "it", 0, 0},
                                          {24, STRONG, "keyfunc", 0, 0},
                                          {32, STRONG, "tgtkey", 0, 0},
                                          {40, STRONG, "currkey", 0, 0},
                                          {48, STRONG, "currvalue", 0, 0},
                                          {0}};

static void tell_tee_data(struct telling *t)
{
    int32_t count = (int32_t)py_u32(t->m, t->object + 24, &t->ok);
    tell_word(t, 16, STRONG, "it");
    tell_word(t, 32, STRONG, "nextlink");
    if (count > 0 && count <= 57)
        tell_array(t, t->object + 40, (uint64_t)count, STRONG, PY_LABEL_INDEX);
}

/* Element: text and tail carry a tag in bit 0 while they are lists still to be joined. */
static void tell_element(struct telling *t)
{
    static const char *const names[] = {"tag", "text", "tail"};
    for (unsigned i = 0; i < 3; i++)
        tell_named(t, word(t, 16 + 8 * i) & ~UINT64_C(7), STRONG, names[i]);
    uint64_t extra = word(t, 40);
    if (!extra || !t->ok)
        return;
    tell_named(t, py_u64(t->m, extra, &t->ok), STRONG, "attrib");
    uint64_t count = py_u64(t->m, extra + 8, &t->ok), children = py_u64(t->m, extra + 24, &t->ok);
    if (t->ok && count)
        tell_array(t, children, count, STRONG, PY_LABEL_INDEX);
}

static void tell_async_origin(struct telling *t)
{
    tell_generator_frame(t);
    tell_word(t, t->l->gen_origin, OWNED, "cr_origin");
}

static void tell_async_finalizer(struct telling *t)
{
    tell_generator_frame(t);
    tell_word(t, t->l->gen_origin, STRONG, "finalizer");
}

static const struct py_field memory_view[] = {{24, STRONG, "managed buffer", 0, 0}, {64, STRONG, "obj", 0, 0}, {0}};
static const struct py_field managed_buffer[] = {{40, STRONG, "obj", 0, 0}, {0}};
static const struct py_field bytes_io[] = {{40, STRONG, "__dict__", 0, 0}, {16, OWNED, "buffer", 0, 0}, {0}};
static const struct py_field thread_local_data[] = {{16, OWNED, "key", 0, 0x030c},
                                                    {24, STRONG, "args", 0, 0x030c},
                                                    {32, STRONG, "kw", 0, 0x030c},
                                                    {48, STRONG, "dummies", 0, 0x030c},
                                                    {56, OWNED, "wr_callback", 0, 0x030c},
                                                    {16, STRONG, "args", 0x030d, 0},
                                                    {24, STRONG, "kw", 0x030d, 0},
                                                    {40, STRONG, "localdummies", 0x030d, 0},
                                                    {48, STRONG, "thread_watchdogs", 0x030d, 0},
                                                    {0}};

static const struct py_own owns[] = {
    {"list", PY_KIND_LIST, NULL, NULL},
    {"tuple", PY_KIND_TUPLE, NULL, NULL},
    {"dict", PY_KIND_DICT, NULL, NULL},
    {"set", PY_KIND_SET, NULL, NULL},
    {"frozenset", PY_KIND_SET, NULL, NULL},
    {"type", PY_KIND_TYPE, NULL, NULL},
    {"function", PY_KIND_FUNCTION, NULL, NULL},
    {"method", PY_KIND_METHOD, NULL, NULL},
    {"builtin_function_or_method", PY_KIND_CFUNCTION, NULL, NULL},
    {"builtin_method", PY_KIND_CFUNCTION, NULL, NULL},
    {"cell", PY_KIND_CELL, NULL, NULL},
    {"module", PY_KIND_MODULE, NULL, NULL},
    {"frame", PY_KIND_FRAME, NULL, NULL},
    {"generator", PY_KIND_GENERATOR, NULL, tell_generator_frame},
    {"coroutine", PY_KIND_GENERATOR, NULL, tell_async_origin},
    {"async_generator", PY_KIND_GENERATOR, NULL, tell_async_finalizer},
    {"code", PY_KIND_CODE, NULL, NULL},
    {"weakref", PY_KIND_WEAKREF, NULL, NULL},
    {"weakref.ReferenceType", PY_KIND_WEAKREF, NULL, NULL},
    {"weakproxy", PY_KIND_WEAKREF, NULL, NULL},
    {"weakref.ProxyType", PY_KIND_WEAKREF, NULL, NULL},
    {"weakcallableproxy", PY_KIND_WEAKREF, NULL, NULL},
    {"weakref.CallableProxyType", PY_KIND_WEAKREF, NULL, NULL},
    {"method_descriptor", PY_KIND_DESCRIPTOR, NULL, NULL},
    {"classmethod_descriptor", PY_KIND_DESCRIPTOR, NULL, NULL},
    {"wrapper_descriptor", PY_KIND_DESCRIPTOR, NULL, NULL},
    {"member_descriptor", PY_KIND_DESCRIPTOR, NULL, NULL},
    {"getset_descriptor", PY_KIND_DESCRIPTOR, NULL, NULL},
    {"BaseException", PY_KIND_EXCEPTION, NULL, NULL},
    {"traceback", PY_KIND_TRACEBACK, NULL, NULL},
    {"collections.deque", PY_KIND_DEQUE, NULL, NULL},
    {"collections.OrderedDict", PY_KIND_ORDERED_DICT, NULL, NULL},
    {"functools._lru_cache_wrapper", PY_KIND_LRU_CACHE, NULL, NULL},
    {"functools._lru_list_elem", PY_KIND_PLAIN, NULL, NULL}, /* told by the cache */
    {"ContextVar", PY_KIND_CONTEXT_VAR, NULL, NULL},
    {"_contextvars.ContextVar", PY_KIND_CONTEXT_VAR, NULL, NULL},
    {"str", PY_KIND_STR, NULL, NULL},
    {"bytes", PY_KIND_BYTES, NULL, NULL},
    {"int", PY_KIND_INT, NULL, NULL},
    {"bool", PY_KIND_BOOL, NULL, NULL},
    {"float", PY_KIND_FLOAT, NULL, NULL},
    {"NoneType", PY_KIND_NONE, NULL, NULL},
    {"complex", PY_KIND_PLAIN, NULL, NULL},
    {"bytearray", PY_KIND_BYTEARRAY, NULL, NULL},

    {"mappingproxy", PY_KIND_FIELDS, mapping, NULL},
    {"method-wrapper", PY_KIND_FIELDS, wrapper, NULL},
    {"property", PY_KIND_FIELDS, property, NULL},
    {"staticmethod", PY_KIND_FIELDS, callable, NULL},
    {"classmethod", PY_KIND_FIELDS, callable, NULL},
    {"instancemethod", PY_KIND_FIELDS, instance_method, NULL},
    {"super", PY_KIND_FIELDS, super, NULL},
    {"slice", PY_KIND_FIELDS, slice, NULL},
    {"range", PY_KIND_FIELDS, range, NULL},
    {"list_iterator", PY_KIND_FIELDS, iterator, NULL},
    {"list_reverseiterator", PY_KIND_FIELDS, iterator, NULL},
    {"tuple_iterator", PY_KIND_FIELDS, iterator, NULL},
    {"str_iterator", PY_KIND_FIELDS, iterator, NULL},
    {"str_ascii_iterator", PY_KIND_FIELDS, iterator, NULL},
    {"bytes_iterator", PY_KIND_FIELDS, iterator, NULL},
    {"iterator", PY_KIND_FIELDS, iterator, NULL},
    {"callable_iterator", PY_KIND_FIELDS, call_iterator, NULL},
    {"set_iterator", PY_KIND_FIELDS, set_iterator, NULL},
    {"dict_keyiterator", PY_KIND_FIELDS, dict_iterator, NULL},
    {"dict_valueiterator", PY_KIND_FIELDS, dict_iterator, NULL},
    {"dict_itemiterator", PY_KIND_FIELDS, dict_iterator, NULL},
    {"dict_keys", PY_KIND_FIELDS, dict_view, NULL},
    {"dict_values", PY_KIND_FIELDS, dict_view, NULL},
    {"dict_items", PY_KIND_FIELDS, dict_view, NULL},
    {"functools.partial", PY_KIND_FIELDS, partial, NULL},
    {"itertools.groupby", PY_KIND_FIELDS, groupby, NULL},
    {"itertools._tee_dataobject", PY_KIND_OTHER, NULL, tell_tee_data},
    {"xml.etree.ElementTree.Element", PY_KIND_OTHER, NULL, tell_element},
    {"memoryview", PY_KIND_FIELDS, memory_view, NULL},
    {"managedbuffer", PY_KIND_FIELDS, managed_buffer, NULL},
    {"_io.BytesIO", PY_KIND_FIELDS, bytes_io, NULL},
    {"_thread._local", PY_KIND_FIELDS, thread_local_data, NULL},
};

const struct py_own *own_of(const char *name)
{
    for (size_t i = 0; i < sizeof owns / sizeof *owns; i++)
        if (!strcmp(owns[i].name, name))
            return &owns[i];
    return NULL;
}
