#include "internal.h"

/* ---- kinds ---- */

static void tell_list(struct telling *t)
{
    uint64_t count = word(t, PY_SIZE), items = word(t, 24);
    if (t->ok && count)
        tell_array(t, items, count, STRONG, PY_LABEL_INDEX);
}

static void tell_tuple(struct telling *t)
{
    uint64_t count = word(t, PY_SIZE);
    if (t->ok)
        tell_array(t, t->object + 24, count + t->type->hidden_items, STRONG, PY_LABEL_INDEX);
}

static const struct py_field method_fields[] = {{16, STRONG, "__func__", 0, 0}, {24, STRONG, "__self__", 0, 0}, {0}};
static const struct py_field cell_fields[] = {{16, STRONG, "cell_contents", 0, 0}, {0}};
static const struct py_field descriptor_fields[] = {
    {16, STRONG, "__objclass__", 0, 0}, {24, OWNED, "__name__", 0, 0}, {32, OWNED, "__qualname__", 0, 0}, {0}};
static const struct py_field traceback_fields[] = {{16, STRONG, "tb_next", 0, 0}, {24, STRONG, "tb_frame", 0, 0}, {0}};
/* var_cached (24 on) is borrowed. */
static const struct py_field context_var_fields[] = {
    {16, STRONG, "name", 0, 0}, {24, STRONG, "default", 0, 0}, {0}};

static void tell_kind(struct telling *t)
{
    switch (t->type->kind) {
    case PY_KIND_LIST:
        tell_list(t);
        break;
    case PY_KIND_TUPLE:
        tell_tuple(t);
        break;
    case PY_KIND_DICT:
        tell_dict(t);
        break;
    case PY_KIND_SET:
        tell_set(t);
        break;
    case PY_KIND_TYPE:
        tell_type(t);
        break;
    case PY_KIND_FUNCTION:
        tell_function(t);
        break;
    case PY_KIND_METHOD:
        tell_fields(t, method_fields);
        break;
    case PY_KIND_CFUNCTION:
        tell_cfunction(t);
        break;
    case PY_KIND_CELL:
        tell_fields(t, cell_fields);
        break;
    case PY_KIND_MODULE:
        tell_module(t);
        break;
    case PY_KIND_FRAME:
        tell_frame(t);
        break;
    case PY_KIND_GENERATOR:
        tell_generator(t);
        break;
    case PY_KIND_CODE:
        tell_code(t);
        break;
    case PY_KIND_WEAKREF:
        tell_weakref(t);
        break;
    case PY_KIND_DESCRIPTOR:
        tell_fields(t, descriptor_fields);
        break;
    case PY_KIND_EXCEPTION:
        tell_exception(t);
        break;
    case PY_KIND_TRACEBACK:
        tell_fields(t, traceback_fields);
        break;
    case PY_KIND_DEQUE:
        tell_deque(t);
        break;
    case PY_KIND_ORDERED_DICT:
        tell_ordered_dict(t);
        break;
    case PY_KIND_LRU_CACHE:
        tell_lru_cache(t);
        break;
    case PY_KIND_CONTEXT_VAR:
        tell_fields(t, context_var_fields);
        break;
    default:
        break;
    }
    if (t->type->own && t->type->own->fields)
        tell_fields(t, t->type->own->fields);
    if (t->type->own && t->type->own->tell)
        t->type->own->tell(t);
}

/* The type is referred to by every instance of a heap type. The collector sees that of instances of classes, and from
 * 3.9 on those of C types, whose tp_traverse has to visit it. */
static void tell_class(struct telling *t)
{
    const struct py_type *type = t->type;
    if (!(type->flags & PY_FLAG_HEAPTYPE) || type->kind == PY_KIND_LRU_LINK)
        return;
    unsigned bits = !type->container                     ? OWNED
                    : type->traverse == t->w->subtype_traverse ? STRONG
                    : t->l->version < 0x0309             ? OWNED
                    : type->kind == PY_KIND_SCANNED      ? INFERRED
                                                         : STRONG;
    tell_named(t, type->address, bits, "__class__");
}

static void tell_slots(struct telling *t)
{
    for (unsigned i = 0; i < t->type->slot_count; i++) {
        uint64_t value = word(t, t->type->slots[i].offset);
        if (value)
            tell(t, value, t->type->container ? STRONG : OWNED, PY_LABEL_C_STRING, t->type->slots[i].name, NULL);
    }
    t->scanned |= t->type->slots_cut;
}

enum py_extent py_references(struct py_world *w, uint64_t object, const struct py_type *type, py_visit *visit,
                             void *context)
{
    struct telling t = {
        .w = w, .m = w->memory, .l = w->layout, .object = object, .type = type, .visit = visit, .context = context, .ok = 1};
    /* 3.11 has objects made by its compiler, which never took a count of what they refer to. */
    t.uncounted = w->layout->immortal > 0 && (int64_t)word(&t, PY_REFCOUNT) >= w->layout->immortal;
    tell_kind(&t);
    if (type->known_size < type->native_size) {
        int64_t end = type->native_size;
        if (type->kind == PY_KIND_SCANNED && type->item_size > 0 && type->item_size % 8 == 0) {
            int64_t items = (int64_t)word(&t, PY_SIZE);
            if (items > 0 && items < INT64_C(1) << 40)
                end += items * type->item_size;
        }
        tell_scan(&t, type->known_size, end);
    }
    if (type->python_class)
        tell_slots(&t);
    if (type->managed_dict || type->own_dict)
        tell_instance_dict(&t);
    tell_class(&t);
    return t.ended ? PY_ENDED : !t.ok ? PY_BROKEN : t.scanned ? PY_SCANNED : PY_WHOLE;
}

int64_t py_refcount(const struct py_world *w, uint64_t stored, int *immortal)
{
    int64_t from = w->layout->immortal;
    *immortal = from < 0 ? 0 : from == 0 ? (int32_t)stored < 0 : (int64_t)stored >= from;
    return (int64_t)stored;
}

int py_is_container(struct py_world *w, uint64_t object, const struct py_type *type)
{
    int ok = 1;
    if (type->container && type->kind == PY_KIND_TYPE) /* type_is_gc() */
        return (py_u64(w->memory, object + PY_TP_FLAGS, &ok) & PY_FLAG_HEAPTYPE) != 0 && ok;
    return type->container;
}
