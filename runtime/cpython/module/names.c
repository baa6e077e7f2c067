/* Texts: labels, names, and what a writer has to say. */
#include "inside.h"

enum { LABEL_CAP = 1024 };

static size_t length_of(const char *text)
{
    size_t n = 0;
    while (text[n])
        n++;
    return n;
}

uint32_t inside_text(struct inside *d, const char *text)
{
    return text ? writer_string(d->writer, text, length_of(text), INSIDE_TEXT_MAX) : 0;
}

uint32_t inside_str(struct inside *d, uint64_t str)
{
    int added;
    uint64_t *id = id_map_at(&d->strings, str, &added), whole;
    if (!id) {
        d->out_of_memory = 1;
        return 0;
    }
    if (added) {
        long n = py_str(&d->world, str, d->text, sizeof d->text, &whole);
        *id = n > 0 ? writer_string(d->writer, d->text, (size_t)n, LABEL_CAP) : 0;
    }
    return (uint32_t)*id;
}

uint32_t inside_c_string(struct inside *d, const char *text)
{
    int added;
    if (!text)
        return 0;
    uint64_t *id = id_map_at(&d->strings, (uintptr_t)text, &added);
    if (!id) {
        d->out_of_memory = 1;
        return 0;
    }
    if (added)
        *id = writer_string(d->writer, text, length_of(text), LABEL_CAP);
    return (uint32_t)*id;
}

/* ---- labels ---- */

void inside_name(struct inside *d, uint64_t str)
{
    int added;
    uint64_t *done = id_map_at(&d->named, str, &added), whole;
    if (!done)
        d->out_of_memory = 1;
    if (!done || !added)
        return;
    long n = py_str(&d->world, str, d->text, sizeof d->text, &whole);
    if (n >= 0)
        writer_value(d->writer, str, VALUE_NAME, d->text, (uint32_t)n, whole);
}

void inside_label(struct inside *d, enum py_label label, uint64_t number, const char *text, enum label_kind *kind,
                  uint64_t *value)
{
    *kind = LABEL_STRING;
    switch (label) {
    case PY_LABEL_TEXT:
        *value = inside_c_string(d, text);
        return;
    case PY_LABEL_C_STRING:
        *value = inside_c_string(d, (const char *)(uintptr_t)number);
        return;
    case PY_LABEL_STR:
        *value = inside_str(d, number);
        return;
    case PY_LABEL_INDEX:
        *kind = LABEL_INDEX;
        *value = number;
        return;
    case PY_LABEL_KEY:
        *kind = LABEL_KEY;
        *value = number;
        return;
    case PY_LABEL_IS_KEY:
        *kind = LABEL_IS_KEY;
        *value = 0;
        return;
    default:
        *kind = LABEL_NONE;
        *value = 0;
    }
}

/* ---- diagnostics ---- */

void inside_note(struct inside *d, enum severity severity, const char *text, uint64_t address)
{
    struct diagnostic_record r = {
        .severity = severity, .text = inside_text(d, text), .address = address, .heap = FORMAT_NONE};
    writer_record(d->writer, SECTION_DIAGNOSTICS, &r);
}

/* "NUMBER text" */
void inside_note_number(struct inside *d, enum severity severity, const char *text, uint64_t number, uint64_t address)
{
    char line[256], digits[20];
    size_t n = 0, used = 0;
    do
        digits[n++] = (char)('0' + number % 10);
    while (number /= 10);
    while (n)
        line[used++] = digits[--n];
    line[used++] = ' ';
    while (*text && used < sizeof line - 1)
        line[used++] = *text++;
    line[used] = 0;
    inside_note(d, severity, line, address);
}
