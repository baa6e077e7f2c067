/* Types, modules, weak references, exceptions, caches. */
#include "internal.h"

enum { MD_DICT = 16, MD_DEF = 24, MD_STATE = 32, MD_NAME = 48, DEF_SIZE = 56, DEF_TRAVERSE = 80, STATE_MAX = 1 << 20 };

void tell_type(struct telling *t)
{
    const struct py_layout *l = t->l;
    uint64_t flags = word(t, PY_TP_FLAGS);
    int heap = (flags & PY_FLAG_HEAPTYPE) != 0;
    unsigned bits = heap ? STRONG : OWNED; /* the collector looks at no static type */
    tell_word(t, PY_TP_DICT, bits, "__dict__");
    tell_word(t, PY_TP_CACHE, bits, "tp_cache");
    tell_word(t, PY_TP_MRO, bits, "__mro__");
    tell_word(t, PY_TP_BASES, bits, "__bases__");
    if (heap) /* a static type's is not counted */
        tell_word(t, PY_TP_BASE, bits, "__base__");
    if (heap || l->version < 0x030c) /* a static type's hold a number from 3.12 on */
        tell_word(t, PY_TP_SUBCLASSES, OWNED, "__subclasses__");
    if (!heap)
        return;
    tell_word(t, l->ht_module, STRONG, "module");
    tell_word(t, l->ht_name, OWNED, "__name__");
    tell_word(t, l->ht_qualname, OWNED, "__qualname__");
    tell_word(t, l->ht_slots, OWNED, "__slots__");
    uint64_t keys = word(t, l->ht_cached_keys);
    if (t->ok && keys)
        tell_keys(t, keys);
}

/* What a module of C keeps in its state is known to its own traverse alone. */
void tell_module(struct telling *t)
{
    uint64_t definition = word(t, MD_DEF), state = word(t, MD_STATE);
    tell_word(t, MD_DICT, STRONG, "__dict__");
    tell_word(t, MD_NAME, OWNED, "__name__");
    if (!definition || !state || !t->ok)
        return;
    int64_t size = (int64_t)py_u64(t->m, definition + DEF_SIZE, &t->ok);
    uint64_t traverse = py_u64(t->m, definition + DEF_TRAVERSE, &t->ok);
    if (!traverse || !t->ok || size <= 0 || size > STATE_MAX)
        return;
    t->scanned = 1;
    if (!t->w->is_object || !may_look(t, (uint64_t)size / 8))
        return;
    for (int64_t at = 0; at + 8 <= size && t->ok && !t->ended; at += 8) {
        uint64_t value = py_u64(t->m, state + (uint64_t)at, &t->ok);
        if (t->ok && value && value % 8 == 0 && t->w->is_object(t->w, value))
            tell(t, value, INFERRED, PY_LABEL_TEXT, 0, "module state");
    }
}

void tell_weakref(struct telling *t)
{
    uint64_t referent = word(t, 16);
    tell_word(t, 24, STRONG, "__callback__");
    if (!referent || !t->ok)
        return;
    uint64_t type = py_u64(t->m, referent + PY_TYPE, &t->ok);
    if (!t->w->none_type) {
        struct py_type none;
        if (py_type_read(t->w, type, &none)) /* which learns it, if it is */
            return;
    }
    if (type != t->w->none_type) /* None stands for what has died */
        tell_named(t, referent, WEAK, "referent");
}

void tell_exception(struct telling *t)
{
    const struct py_layout *l = t->l;
    tell_word(t, l->exc_dict, STRONG, "__dict__");
    tell_word(t, l->exc_args, STRONG, "args");
    tell_word(t, l->exc_notes, STRONG, "__notes__");
    tell_word(t, l->exc_traceback, STRONG, "__traceback__");
    tell_word(t, l->exc_context, STRONG, "__context__");
    tell_word(t, l->exc_cause, STRONG, "__cause__");
}

/* A list of links, which are no containers: the cache visits what they hold in their stead. */
enum { LINK_NEXT = 24, LINK_KEY = 40, LINK_RESULT = 48, CACHE_REST = 56 };

void tell_lru_cache(struct telling *t)
{
    uint64_t link = word(t, LINK_NEXT);
    while (t->ok && !t->ended && link && link != t->object && may_look(t, 7)) {
        uint64_t key = py_u64(t->m, link + LINK_KEY, &t->ok), result = py_u64(t->m, link + LINK_RESULT, &t->ok);
        tell(t, link, OWNED, PY_LABEL_TEXT, 0, "link"); /* beside the cache's dict, which the collector sees */
        if (t->ok && key)
            tell(t, key, STRONG, PY_LABEL_IS_KEY, 0, NULL);
        if (t->ok && result)
            tell(t, result, STRONG, PY_LABEL_KEY, key, NULL);
        if (t->l->version >= 0x030a)
            tell_named(t, py_u64(t->m, link + PY_TYPE, &t->ok), STRONG, "__class__ of a link");
        link = py_u64(t->m, link + LINK_NEXT, &t->ok);
    }
    tell_scan(t, CACHE_REST, t->type->known_size);
}
