/* Types that are known by name. */
#include "internal.h"


enum { STG_DICT_PROTO = 96 };

/* ---- plain tables ---- */

static const struct py_field mapping[] = {{16, STRONG, "mapping", 0, 0}, {0}};
static const struct py_field wrapper[] = {{16, STRONG, "descriptor", 0, 0}, {24, STRONG, "__self__", 0, 0}, {0}};
static const struct py_field property[] = {{16, STRONG, "fget", 0, 0},
                                           {24, STRONG, "fset", 0, 0},
                                           {32, STRONG, "fdel", 0, 0},
                                           {40, STRONG, "__doc__", 0, 0},
                                           {48, STRONG, "__name__", 0x030a, 0},
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
static const struct py_field dict_iterator[] = {{16, STRONG, "dict", 0, 0}, {40, STRONG, "result", 0, 0}, {0}};
static const struct py_field set_iterator[] = {{16, STRONG, "set", 0, 0}, {0}};
static const struct py_field call_iterator[] = {{16, STRONG, "callable", 0, 0}, {24, STRONG, "sentinel", 0, 0}, {0}};
static const struct py_field dict_view[] = {{16, STRONG, "dict", 0, 0}, {0}};
static const struct py_field scanner[] = {{16, STRONG, "pattern", 0, 0}, {0}};
static const struct py_field enumeration[] = {
    {24, STRONG, "iterator", 0, 0}, {32, STRONG, "result", 0, 0}, {40, STRONG, "index", 0, 0}, {0}};
static const struct py_field buffered_pair[] = {
    {16, OWNED, "reader", 0, 0x030b},  {24, OWNED, "writer", 0, 0x030b},  {16, STRONG, "reader", 0x030c, 0},
    {24, STRONG, "writer", 0x030c, 0}, {32, STRONG, "__dict__", 0, 0}, {0}};
static const struct py_field cache_node[] = {{16, STRONG, "key", 0, 0}, {24, STRONG, "data", 0, 0}, {0}};
static const struct py_field match[] = {
    {24, STRONG, "string", 0, 0}, {32, STRONG, "regs", 0, 0}, {40, STRONG, "pattern", 0, 0}, {0}};
static const struct py_field text_iterator[] = {{16, OWNED, "text", 0, 0}, {0}}; /* the other words are borrowed */
static const struct py_field named[] = {{16, OWNED, "__name__", 0, 0}, {0}};
static const struct py_field hamt_iterator[] = {{16, STRONG, "context", 0, 0}, {0}}; /* its nodes are borrowed */
/* What byref() makes. The value before it is a union as large as a long double: most of it is left from another object. */
static const struct py_field ctypes_argument[] = {{48, STRONG, "_obj", 0, 0}, {0}};
static const struct py_field ctypes_data[] = {{32, STRONG, "_b_base_", 0, 0}, {64, STRONG, "_objects", 0, 0}, {0}};
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

/* A class of ctypes visits, besides what a class does, the type it is made of, which stands in its dict, or from 3.13 on
 * behind the class with more of the kind. */
static void tell_ctypes_class(struct telling *t)
{
    struct py_type of_dict;
    uint64_t dict = word(t, PY_TP_DICT);
    if (t->l->version >= 0x030d) {
        tell_scan_seen(t, t->l->heap_type_size, t->type->known_size);
        return;
    }
    uint64_t type = dict ? py_u64(t->m, dict + PY_TYPE, &t->ok) : 0;
    if (type && t->ok && !py_type_read(t->w, type, &of_dict) && of_dict.native_size > STG_DICT_PROTO)
        tell_named(t, py_u64(t->m, dict + STG_DICT_PROTO, &t->ok), STRONG, "proto");
}

/* The dict of such a class: what it adds to a dict is not traversed, and `proto` is told by the class. */
static void tell_stg_dict(struct telling *t)
{
    uint64_t proto = word(t, STG_DICT_PROTO), type = proto ? py_u64(t->m, proto + PY_TYPE, &t->ok) : 0;
    uint64_t flags = type ? py_u64(t->m, type + PY_TP_FLAGS, &t->ok) : 0;
    if (t->ok && proto && !(flags & PY_FLAG_HAVE_GC))
        tell_named(t, proto, OWNED, "proto");
    tell_scan_unseen(t, STG_DICT_PROTO + 8, t->type->known_size);
}

/* The last two words, whatever a version has before them. */
enum { XML_INTERN = -16, XML_HANDLERS = -8, XML_HANDLER_COUNT = 22 };

static void tell_xml_parser(struct telling *t)
{
    uint64_t handlers = word(t, t->type->known_size + XML_HANDLERS);
    tell_word(t, t->type->known_size + XML_INTERN, OWNED, "intern");
    for (unsigned i = 0; handlers && i < XML_HANDLER_COUNT && t->ok; i++) {
        uint64_t handler = py_u64(t->m, handlers + 8 * i, &t->ok);
        if (t->ok && handler && (!t->w->is_object || t->w->is_object(t->w, handler)))
            tell_named(t, handler, INFERRED, "handler");
    }
}

/* Its items are no references. */
static void tell_thunk(struct telling *t)
{
    tell_scan_seen(t, PY_VAR_OBJECT_SIZE, t->type->known_size);
}

enum { CACHE_MAPPING = 24, CACHE_FIRST = 40, CACHE_NODE_NEXT = 48 };

/* Of sqlite3, to 3.10: a dict of nodes, and a list that holds each of them once. */
static void tell_statement_cache(struct telling *t)
{
    uint64_t node = word(t, CACHE_FIRST);
    tell_word(t, CACHE_MAPPING, STRONG, "mapping");
    for (unsigned i = 0; node && t->ok && !t->ended && i < 1 << 16 && may_look(t, 2); i++) {
        tell(t, node, STRONG, PY_LABEL_INDEX, i, NULL);
        node = py_u64(t->m, node + CACHE_NODE_NEXT, &t->ok);
    }
}

static void tell_string_io(struct telling *t)
{
    if (t->l->version < 0x030c) {
        tell_scan_unseen(t, PY_OBJECT_SIZE, t->type->known_size);
        return;
    }
    tell_word(t, 0x78, STRONG, "decoder");
    tell_word(t, 0x80, STRONG, "newlines read");
    tell_word(t, 0x88, STRONG, "newlines written");
    tell_word(t, 0x90, STRONG, "__dict__");
}

/* The exceptions of the module stand at the end, borrowed. */
static void tell_connection(struct telling *t)
{
    tell_scan(t, PY_OBJECT_SIZE, t->type->known_size - 80);
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

static const struct py_field memory_view[] = {{24, STRONG, "managed buffer", 0, 0}, {0}};
static const struct py_field managed_buffer[] = {{40, STRONG, "obj", 0, 0}, {0}};
static const struct py_field bytes_io[] = {{40, STRONG, "__dict__", 0, 0}, {16, OWNED, "buffer", 0, 0x030b}, {16, STRONG, "buffer", 0x030c, 0}, {0}};
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

/* What a module of one phase had in its dict, for the next interpreter that imports it. */
static const struct py_field module_definition[] = {{32, OWNED, "m_copy", 0, 0}, {0}};

static const struct py_own owns[] = {
    {"list", PY_KIND_LIST, NULL, NULL, 0},
    {"tuple", PY_KIND_TUPLE, NULL, NULL, 0},
    {"dict", PY_KIND_DICT, NULL, NULL, 0},
    {"set", PY_KIND_SET, NULL, NULL, 0},
    {"frozenset", PY_KIND_SET, NULL, NULL, 0},
    {"type", PY_KIND_TYPE, NULL, NULL, 0},
    {"_ctypes.PyCStructType", PY_KIND_TYPE, NULL, tell_ctypes_class, 0},
    {"_ctypes.UnionType", PY_KIND_TYPE, NULL, tell_ctypes_class, 0},
    {"_ctypes.PyCPointerType", PY_KIND_TYPE, NULL, tell_ctypes_class, 0},
    {"_ctypes.CType_Type", PY_KIND_TYPE, NULL, tell_ctypes_class, 0},
    {"function", PY_KIND_FUNCTION, NULL, NULL, 0},
    {"method", PY_KIND_METHOD, NULL, NULL, 0},
    {"builtin_function_or_method", PY_KIND_CFUNCTION, NULL, NULL, 0},
    {"builtin_method", PY_KIND_CFUNCTION, NULL, NULL, 0},
    {"cell", PY_KIND_CELL, NULL, NULL, 0},
    {"module", PY_KIND_MODULE, NULL, NULL, 0},
    {"frame", PY_KIND_FRAME, NULL, NULL, 0},
    {"generator", PY_KIND_GENERATOR, NULL, tell_generator_frame, 0},
    {"coroutine", PY_KIND_GENERATOR, NULL, tell_async_origin, 0},
    {"async_generator", PY_KIND_GENERATOR, NULL, tell_async_finalizer, 0},
    {"code", PY_KIND_CODE, NULL, NULL, 0},
    {"weakref", PY_KIND_WEAKREF, NULL, NULL, 0},
    {"weakref.ReferenceType", PY_KIND_WEAKREF, NULL, NULL, 0},
    {"weakproxy", PY_KIND_WEAKREF, NULL, NULL, 0},
    {"weakref.ProxyType", PY_KIND_WEAKREF, NULL, NULL, 0},
    {"weakcallableproxy", PY_KIND_WEAKREF, NULL, NULL, 0},
    {"weakref.CallableProxyType", PY_KIND_WEAKREF, NULL, NULL, 0},
    {"method_descriptor", PY_KIND_DESCRIPTOR, NULL, NULL, 0},
    {"classmethod_descriptor", PY_KIND_DESCRIPTOR, NULL, NULL, 0},
    {"wrapper_descriptor", PY_KIND_DESCRIPTOR, NULL, NULL, 0},
    {"member_descriptor", PY_KIND_DESCRIPTOR, NULL, NULL, 0},
    {"getset_descriptor", PY_KIND_DESCRIPTOR, NULL, NULL, 0},
    {"BaseException", PY_KIND_EXCEPTION, NULL, NULL, 0},
    {"traceback", PY_KIND_TRACEBACK, NULL, NULL, 0},
    {"collections.deque", PY_KIND_DEQUE, NULL, NULL, 0},
    {"collections.OrderedDict", PY_KIND_ORDERED_DICT, NULL, NULL, 0},
    {"functools._lru_cache_wrapper", PY_KIND_LRU_CACHE, NULL, NULL, 0},
    {"functools._lru_list_elem", PY_KIND_LRU_LINK, NULL, NULL, 0},
    {"_io.StringIO", PY_KIND_OTHER, NULL, tell_string_io, 0},
    {"_sre.SRE_Scanner", PY_KIND_OPAQUE, scanner, NULL, 24},
    {"ContextVar", PY_KIND_CONTEXT_VAR, NULL, NULL, 0},
    {"_contextvars.ContextVar", PY_KIND_CONTEXT_VAR, NULL, NULL, 0},
    {"str", PY_KIND_STR, NULL, NULL, 0},
    {"bytes", PY_KIND_BYTES, NULL, NULL, 0},
    {"int", PY_KIND_INT, NULL, NULL, 0},
    {"bool", PY_KIND_BOOL, NULL, NULL, 0},
    {"float", PY_KIND_FLOAT, NULL, NULL, 0},
    {"NoneType", PY_KIND_NONE, NULL, NULL, 0},
    {"complex", PY_KIND_PLAIN, NULL, NULL, 0},
    {"bytearray", PY_KIND_BYTEARRAY, NULL, NULL, 0},

    {"keys", PY_KIND_FIELDS, hamt_iterator, NULL, 0},
    {"values", PY_KIND_FIELDS, hamt_iterator, NULL, 0},
    {"items", PY_KIND_FIELDS, hamt_iterator, NULL, 0},
    {"moduledef", PY_KIND_FIELDS, module_definition, NULL, 0},
    {"_thread.lock", PY_KIND_PLAIN, NULL, NULL, 0}, /* what stands behind its last byte is left from another object */
    {"_thread.RLock", PY_KIND_PLAIN, NULL, NULL, 0},
    {"_thread._localdummy", PY_KIND_PLAIN, NULL, NULL, 0}, /* its dict is borrowed */
    {"_ctypes._CData", PY_KIND_FIELDS, ctypes_data, NULL, 0},
    {"_ctypes.CArgObject", PY_KIND_FIELDS, ctypes_argument, NULL, 0}, /* from 3.12 on */
    {"CArgObject", PY_KIND_FIELDS, ctypes_argument, NULL, 0},
    {"typing.TypeVar", PY_KIND_SCANNED, named, NULL, 24},
    {"typing.ParamSpec", PY_KIND_SCANNED, named, NULL, 24},
    {"typing.TypeVarTuple", PY_KIND_SCANNED, named, NULL, 24},
    {"typing.TypeAliasType", PY_KIND_SCANNED, named, NULL, 24},
    {"zlib.Compress", PY_KIND_SCANNED, NULL, NULL, 128}, /* zlib's own words come first */
    {"zlib.Decompress", PY_KIND_SCANNED, NULL, NULL, 128},
    {"formatteriterator", PY_KIND_FIELDS, text_iterator, NULL, 0},
    {"fieldnameiterator", PY_KIND_FIELDS, text_iterator, NULL, 0},
    {"sqlite3.Cache", PY_KIND_OTHER, NULL, tell_statement_cache, 0},
    {"sqlite3Cache", PY_KIND_OTHER, NULL, tell_statement_cache, 0},
    {"sqlite3.Node", PY_KIND_FIELDS, cache_node, NULL, 0},
    {"sqlite3Node", PY_KIND_FIELDS, cache_node, NULL, 0},
    {"re.Match", PY_KIND_FIELDS, match, NULL, 0},
    {"pyexpat.xmlparser", PY_KIND_OTHER, NULL, tell_xml_parser, 0},
    {"_ctypes.CThunkObject", PY_KIND_OTHER, NULL, tell_thunk, 0},
    {"cython_function_or_method", PY_KIND_SCANNED, NULL, NULL, 32}, /* m_self is the function itself, borrowed */
    {"enumerate", PY_KIND_FIELDS, enumeration, NULL, 0},
    {"_io.BufferedRWPair", PY_KIND_FIELDS, buffered_pair, NULL, 0},
    {"StgDict", PY_KIND_DICT, NULL, tell_stg_dict, 0},
    {"sqlite3.Connection", PY_KIND_OTHER, NULL, tell_connection, 0},
    {"mappingproxy", PY_KIND_FIELDS, mapping, NULL, 0},
    {"method-wrapper", PY_KIND_FIELDS, wrapper, NULL, 0},
    {"property", PY_KIND_FIELDS, property, NULL, 0},
    {"staticmethod", PY_KIND_FIELDS, callable, NULL, 0},
    {"classmethod", PY_KIND_FIELDS, callable, NULL, 0},
    {"instancemethod", PY_KIND_FIELDS, instance_method, NULL, 0},
    {"super", PY_KIND_FIELDS, super, NULL, 0},
    {"slice", PY_KIND_FIELDS, slice, NULL, 0},
    {"range", PY_KIND_FIELDS, range, NULL, 0},
    {"list_iterator", PY_KIND_FIELDS, iterator, NULL, 0},
    {"list_reverseiterator", PY_KIND_FIELDS, iterator, NULL, 0},
    {"tuple_iterator", PY_KIND_FIELDS, iterator, NULL, 0},
    {"str_iterator", PY_KIND_FIELDS, iterator, NULL, 0},
    {"str_ascii_iterator", PY_KIND_FIELDS, iterator, NULL, 0},
    {"bytes_iterator", PY_KIND_FIELDS, iterator, NULL, 0},
    {"iterator", PY_KIND_FIELDS, iterator, NULL, 0},
    {"callable_iterator", PY_KIND_FIELDS, call_iterator, NULL, 0},
    {"set_iterator", PY_KIND_FIELDS, set_iterator, NULL, 0},
    {"dict_keyiterator", PY_KIND_FIELDS, dict_iterator, NULL, 0},
    {"dict_valueiterator", PY_KIND_FIELDS, dict_iterator, NULL, 0},
    {"dict_itemiterator", PY_KIND_FIELDS, dict_iterator, NULL, 0},
    {"dict_keys", PY_KIND_FIELDS, dict_view, NULL, 0},
    {"dict_values", PY_KIND_FIELDS, dict_view, NULL, 0},
    {"dict_items", PY_KIND_FIELDS, dict_view, NULL, 0},
    {"functools.partial", PY_KIND_FIELDS, partial, NULL, 0},
    {"itertools.groupby", PY_KIND_FIELDS, groupby, NULL, 0},
    {"itertools._tee_dataobject", PY_KIND_OTHER, NULL, tell_tee_data, 0},
    {"xml.etree.ElementTree.Element", PY_KIND_OTHER, NULL, tell_element, 0},
    {"memoryview", PY_KIND_FIELDS, memory_view, NULL, 0},
    {"managedbuffer", PY_KIND_FIELDS, managed_buffer, NULL, 0},
    {"_io.BytesIO", PY_KIND_FIELDS, bytes_io, NULL, 0},
    {"_thread._local", PY_KIND_FIELDS, thread_local_data, NULL, 0},
};

const struct py_own *own_of(const char *name)
{
    const char *dot = strncmp(name, "_cython_", 8) ? NULL : strchr(name, '.');
    if (dot) /* _cython_3_0_11.cython_function_or_method */
        name = dot + 1;
    for (size_t i = 0; i < sizeof owns / sizeof *owns; i++)
        if (!strcmp(owns[i].name, name))
            return &owns[i];
    return NULL;
}
