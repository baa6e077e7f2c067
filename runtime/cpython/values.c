/* Values of atomic objects, and what Python calls the others. */
#include "internal.h"

enum { STR_LENGTH = 16, STR_STATE = 32, DIGIT_BITS = 30, DIGITS_MAX = 1 << 26, ML_NAME = 0 };

/* ---- str ---- */

struct text {
    uint64_t data, length; /* characters */
    unsigned width;        /* bytes of one: 1, 2, 4 */
    int ascii;
};

static int text_of(struct py_world *w, uint64_t str, struct text *out)
{
    const struct py_layout *l = w->layout;
    int ok = 1;
    out->length = py_u64(w->memory, str + STR_LENGTH, &ok);
    uint32_t state = py_u32(w->memory, str + STR_STATE, &ok);
    int compact = state >> 5 & 1;
    out->width = state >> 2 & 7;
    out->ascii = state >> 6 & 1;
    out->data = !compact     ? py_u64(w->memory, str + (uint64_t)l->unicode_any, &ok)
                : out->ascii ? str + (uint64_t)l->unicode_ascii_size
                             : str + (uint64_t)l->unicode_compact_size;
    return ok && (out->width == 1 || out->width == 2 || out->width == 4) && out->length < UINT64_C(1) << 44 ? 0 : -1;
}

static unsigned utf8_encode(uint32_t c, char *to)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    unsigned n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (unsigned i = n; --i; c >>= 6)
        to[i] = (char)(0x80 | (c & 0x3f));
    to[0] = (char)(lead[n] | c);
    return n;
}

static long copy_ascii(struct py_world *w, const struct text *text, char *to, size_t size)
{
    size_t n = text->length < size ? (size_t)text->length : size;
    for (size_t done = 0; done < n;) {
        size_t piece = n - done < PY_VIEW_MAX ? n - done : PY_VIEW_MAX;
        const void *p = py_view(w->memory, text->data + done, piece);
        if (!p)
            return -1;
        memcpy(to + done, p, piece);
        done += piece;
    }
    return (long)n;
}

long py_str(struct py_world *w, uint64_t str, char *to, size_t size, uint64_t *whole)
{
    struct text text;
    size_t kept = 0;
    int full = 0;
    *whole = 0;
    if (text_of(w, str, &text))
        return -1;
    if (text.ascii) {
        *whole = text.length;
        return copy_ascii(w, &text, to, size);
    }
    if (w->spend && !w->spend(w, text.length * text.width / 8))
        return -1;
    for (uint64_t i = 0; i < text.length; i++) {
        const void *p = py_view(w->memory, text.data + i * text.width, text.width);
        uint32_t c = 0;
        char bytes[4];
        if (!p)
            return -1;
        memcpy(&c, p, text.width);
        unsigned n = utf8_encode(c > 0x10ffff ? '?' : c, bytes);
        full |= kept + n > size;
        if (!full) {
            memcpy(to + kept, bytes, n);
            kept += n;
        }
        *whole += n;
    }
    return (long)kept;
}

/* ---- int ---- */

static uint32_t digit(struct py_world *w, uint64_t object, uint64_t i, int *ok)
{
    return py_u32(w->memory, object + (uint64_t)w->layout->long_digits + 4 * i, ok);
}

/* "-0x...": the nibbles from the highest on. */
static void large_value(struct py_world *w, uint64_t object, uint64_t count, int negative, char *to, size_t size,
                        struct py_value *out)
{
    int ok = 1;
    uint32_t top = digit(w, object, count - 1, &ok);
    if (!ok || !top)
        return;
    uint64_t bits = (count - 1) * DIGIT_BITS + (32 - (unsigned)__builtin_clz(top)), nibbles = (bits + 3) / 4;
    uint32_t kept = 0;
    const char *prefix = negative ? "-0x" : "0x";
    for (; *prefix && kept < size; prefix++)
        to[kept++] = *prefix;
    for (uint64_t i = nibbles; i-- && kept < size && ok;) {
        unsigned value = 0;
        for (unsigned k = 0; k < 4; k++) {
            uint64_t bit = 4 * i + k;
            if (bit < bits)
                value |= (digit(w, object, bit / DIGIT_BITS, &ok) >> bit % DIGIT_BITS & 1) << k;
        }
        to[kept++] = "0123456789abcdef"[value];
    }
    if (!ok || kept < 4)
        return;
    *out = (struct py_value){VALUE_LARGE_INTEGER, nibbles + (negative ? 3 : 2), kept};
}

static void int_value(struct py_world *w, uint64_t object, char *to, size_t size, struct py_value *out)
{
    int ok = 1, negative;
    uint64_t count, raw = py_u64(w->memory, object + PY_SIZE, &ok), value = 0;
    if (w->layout->version >= 0x030c) {
        negative = (raw & 3) == 2;
        count = (raw & 3) == 1 ? 0 : raw >> 3;
    } else {
        negative = (int64_t)raw < 0;
        count = negative ? -raw : raw;
    }
    if (!ok || count > DIGITS_MAX)
        return;
    for (uint64_t i = 0; i < count && i < 3; i++) {
        uint64_t d = digit(w, object, i, &ok);
        if (count == 3 && i == 2 && d > 7) { /* more than 63 bits */
            large_value(w, object, count, negative, to, size, out);
            return;
        }
        value |= d << (DIGIT_BITS * i);
    }
    if (count > 3) {
        large_value(w, object, count, negative, to, size, out);
        return;
    }
    if (!ok || size < 8)
        return;
    int64_t number = negative ? -(int64_t)value : (int64_t)value;
    memcpy(to, &number, 8);
    *out = (struct py_value){VALUE_INTEGER, 8, 8};
}

/* ---- values ---- */

static void bytes_value(struct py_world *w, uint64_t object, char *to, size_t size, struct py_value *out)
{
    int ok = 1;
    struct text text = {object + 32, py_u64(w->memory, object + PY_SIZE, &ok), 1, 1};
    long n = ok && text.length < UINT64_C(1) << 44 ? copy_ascii(w, &text, to, size) : -1;
    if (n >= 0)
        *out = (struct py_value){VALUE_BYTES, text.length, (uint32_t)n};
}

void py_value(struct py_world *w, uint64_t object, const struct py_type *type, char *to, size_t size,
              struct py_value *out)
{
    uint64_t whole;
    int ok = 1;
    *out = (struct py_value){0};
    if (type->address != type->native)
        return;
    switch (type->kind) {
    case PY_KIND_STR: {
        long n = py_str(w, object, to, size, &whole);
        if (n >= 0)
            *out = (struct py_value){VALUE_TEXT, whole, (uint32_t)n};
        return;
    }
    case PY_KIND_BYTES:
        bytes_value(w, object, to, size, out);
        return;
    case PY_KIND_BOOL:
        to[0] = (char)(digit(w, object, 0, &ok) & 1);
        if (ok)
            *out = (struct py_value){VALUE_BOOL, 1, 1};
        return;
    case PY_KIND_INT:
        int_value(w, object, to, size, out);
        return;
    case PY_KIND_FLOAT: {
        uint64_t bits = py_u64(w->memory, object + 16, &ok);
        memcpy(to, &bits, 8);
        if (ok)
            *out = (struct py_value){VALUE_FLOAT, 8, 8};
        return;
    }
    case PY_KIND_NONE:
        *out = (struct py_value){VALUE_NONE, 0, 0};
        return;
    default:
        return;
    }
}

/* ---- names ---- */

static void name_at(struct py_world *w, uint64_t str, char *to, size_t size, struct py_value *out)
{
    uint64_t whole;
    long n = str ? py_str(w, str, to, size, &whole) : -1;
    if (n >= 0)
        *out = (struct py_value){VALUE_NAME, whole, (uint32_t)n};
}

static void c_name_at(struct py_world *w, uint64_t text, char *to, size_t size, struct py_value *out)
{
    long n = text ? py_c_string(w->memory, text, to, size) : -1;
    if (n > 0)
        *out = (struct py_value){VALUE_NAME, (uint64_t)n, (uint32_t)n};
}

void py_name(struct py_world *w, uint64_t object, const struct py_type *type, char *to, size_t size,
             struct py_value *out)
{
    struct telling t = {.w = w, .m = w->memory, .l = w->layout, .object = object, .type = type, .ok = 1};
    const struct py_layout *l = w->layout;
    uint64_t name;
    *out = (struct py_value){0};
    switch (type->kind) {
    case PY_KIND_TYPE:
        if (word(&t, PY_TP_FLAGS) & PY_FLAG_HEAPTYPE)
            name_at(w, word(&t, l->ht_qualname), to, size, out);
        else
            c_name_at(w, word(&t, PY_TP_NAME), to, size, out);
        return;
    case PY_KIND_FUNCTION:
        name_at(w, word(&t, l->func_qualname), to, size, out);
        return;
    case PY_KIND_CODE:
        name_at(w, word(&t, l->code_qualname != -1 ? l->code_qualname : l->code_name), to, size, out);
        return;
    case PY_KIND_GENERATOR:
        name_at(w, word(&t, l->gen_qualname), to, size, out);
        return;
    case PY_KIND_MODULE:
        name_at(w, word(&t, 48), to, size, out);
        return;
    case PY_KIND_DESCRIPTOR:
        name = word(&t, 32);
        name_at(w, name ? name : word(&t, 24), to, size, out);
        return;
    case PY_KIND_CFUNCTION:
        name = word(&t, 16);
        c_name_at(w, name ? py_u64(t.m, name + ML_NAME, &t.ok) : 0, to, size, out);
        return;
    default:
        return;
    }
}
