/* What descriptions are made of: reading memory, and telling of one reference or of many. */
#include "internal.h"

enum { PIECE = 64 };

/* Where a process of 64-bit Linux can have memory: a null pointer, or one near it, is none inside either. */
#define LOWEST UINT64_C(0x10000)
#define HIGHEST UINT64_C(0x800000000000)

/* ---- memory ---- */

static const void *view_inside(struct py_memory *m, uint64_t address, size_t size)
{
    (void)m;
    (void)address;
    (void)size;
    return NULL;
}

void py_memory_inside(struct py_memory *m)
{
    *m = (struct py_memory){.view = view_inside, .start = LOWEST, .length = HIGHEST - LOWEST};
    m->bytes = (const uint8_t *)(uintptr_t)LOWEST;
}

long py_c_string(struct py_memory *m, uint64_t address, char *to, size_t size)
{
    size_t length = 0;
    int ok = 1;
    while (length + 1 < size) {
        to[length] = (char)py_u8(m, address + length, &ok);
        if (!ok || !to[length])
            break;
        length++;
    }
    to[length] = 0;
    return !ok && !length ? -1 : (long)length;
}

/* ---- telling ---- */

void tell(struct telling *t, uint64_t target, unsigned bits, enum py_label label, uint64_t number, const char *text)
{
    if (t->uncounted)
        bits &= ~(unsigned)EDGE_COUNTED;
    if (t->type && !t->type->container)
        bits &= ~(unsigned)EDGE_TRAVERSED;
    struct py_reference r = {target, bits, label, number, text};
    if (!t->ended && t->visit(t->context, &r))
        t->ended = 1;
}

int may_look(struct telling *t, uint64_t words)
{
    if (t->w->spend && !t->w->spend(t->w, words))
        t->ok = 0;
    return t->ok && !t->ended;
}

void tell_array(struct telling *t, uint64_t address, uint64_t count, unsigned bits, enum py_label label)
{
    uint64_t piece[PIECE];
    if (!may_look(t, count))
        return;
    for (uint64_t i = 0; i < count && !t->ended; i += PIECE) {
        size_t n = count - i < PIECE ? (size_t)(count - i) : PIECE;
        const void *p = py_view(t->m, address + 8 * i, 8 * n);
        if (!p) {
            t->ok = 0;
            return;
        }
        memcpy(piece, p, 8 * n); /* the view ends with the next one, and visiting may take one */
        for (size_t k = 0; k < n; k++)
            if (piece[k])
                tell(t, piece[k], bits, label, i + k, NULL);
    }
}

void tell_fields(struct telling *t, const struct py_field *fields)
{
    for (; fields->bits; fields++)
        if ((!fields->from || t->l->version >= fields->from) && (!fields->to || t->l->version <= fields->to))
            tell_word(t, fields->offset, fields->bits, fields->label);
}

static void scan(struct telling *t, int64_t from, int64_t to, unsigned bits)
{
    t->scanned = 1;
    if (!t->w->is_object || from >= to || !may_look(t, (uint64_t)(to - from) / 8))
        return;
    for (int64_t at = (from + 7) & ~INT64_C(7); at + 8 <= to && !t->ended; at += 8) {
        uint64_t value = at == t->type->native_weaklist_offset ? 0 : word(t, at);
        if (!t->ok)
            return;
        if (value && value % 8 == 0 && t->w->is_object(t->w, value)) {
            if (at == t->type->native_dict_offset)
                tell_named(t, value, INFERRED, "__dict__");
            else
                tell(t, value, bits, PY_LABEL_OFFSET, (uint64_t)at, NULL);
        }
    }
}

void tell_scan(struct telling *t, int64_t from, int64_t to)
{
    scan(t, from, to, t->type->container && !t->type->adds_unseen ? INFERRED : EDGE_COUNTED | EDGE_INFERRED);
}

void tell_scan_seen(struct telling *t, int64_t from, int64_t to)
{
    scan(t, from, to, INFERRED);
}

void tell_scan_unseen(struct telling *t, int64_t from, int64_t to)
{
    scan(t, from, to, EDGE_COUNTED | EDGE_INFERRED);
}
