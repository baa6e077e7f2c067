#include "fit.h"

#include <langinfo.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "../render/text.h"

enum { MARKS_MAX = 2 }; /* combining marks on one character; more are a trick */

int fit_is_unicode(void)
{
    return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

static unsigned long decode(const unsigned char *p, unsigned n)
{
    unsigned long c = n == 1 ? p[0] : p[0] & (0xffu >> (n + 1));
    for (unsigned i = 1; i < n; i++)
        c = c << 6 | (p[i] & 0x3f);
    return c;
}

/* Characters that say how others are to be shown: they move text to where it does not stand. */
static int is_direction(unsigned long c)
{
    return (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0x61c ||
           c == 0xfeff || (c >= 0xfff0 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe0fff);
}

/* One character as it is shown: `bytes` of `text`, `columns` wide. */
struct glyph {
    char text[16];
    unsigned bytes, columns, taken; /* taken: bytes of the source */
};

static void next_glyph(const unsigned char *p, size_t left, int unicode, struct glyph *g)
{
    unsigned n = text_character(p, left);
    unsigned long c = n ? decode(p, n) : *p;
    int columns = !n || c < 0x20 || c == 0x7f || is_direction(c) ? -1 : n == 1 ? 1 : unicode ? wcwidth((wchar_t)c) : -1;
    g->taken = n ? n : 1;
    if (columns >= 0) {
        memcpy(g->text, p, n);
        g->text[n] = 0;
        g->bytes = n;
        g->columns = (unsigned)columns;
        return;
    }
    g->bytes = (unsigned)snprintf(g->text, sizeof g->text,
                                  c > 0xffff ? "\\U%07lx"
                                  : n > 1    ? "\\u%04lx"
                                             : "\\x%02lx",
                                  c);
    g->columns = g->bytes;
}

size_t fit_width(const char *text)
{
    const unsigned char *p = (const unsigned char *)text, *end = p + strlen(text);
    size_t width = 0;
    struct glyph g;
    for (int unicode = fit_is_unicode(); p < end; p += g.taken) {
        next_glyph(p, (size_t)(end - p), unicode, &g);
        width += g.columns;
    }
    return width;
}

static size_t fill(char *to, size_t used, size_t blanks)
{
    memset(to + used, ' ', blanks);
    return used + blanks;
}

size_t fit_text(const char *text, size_t skip, size_t width, int right, char *to)
{
    const unsigned char *p = (const unsigned char *)text, *end = p + strlen(text);
    size_t used = 0, columns = 0, before = 0; /* bytes up to where the last column begins */
    unsigned marks = 0;
    struct glyph g;
    int cut = 0;
    width = width < FIT_COLUMNS_MAX ? width : FIT_COLUMNS_MAX;
    for (int unicode = fit_is_unicode(); p < end && !cut; p += g.taken) {
        next_glyph(p, (size_t)(end - p), unicode, &g);
        if (skip) {
            skip -= g.columns < skip ? g.columns : skip;
            continue;
        }
        marks = g.columns ? 0 : marks + 1;
        if (marks > MARKS_MAX || (!g.columns && !columns))
            continue;
        cut = columns + g.columns > width;
        if (cut)
            break;
        if (columns + g.columns < width)
            before = used + g.bytes;
        memcpy(to + used, g.text, g.bytes);
        used += g.bytes;
        columns += g.columns;
    }
    if (cut && width) {
        used = before;
        to[used] = 0;
        columns = fit_width(to);
        used = fill(to, used, width - 1 - columns);
        to[used++] = '~';
        columns = width;
    }
    if (right && columns < width) {
        memmove(to + width - columns, to, used);
        memset(to, ' ', width - columns);
        used += width - columns;
    } else {
        used = fill(to, used, width - columns);
    }
    to[used] = 0;
    return used;
}

size_t fit_break(const char *text, size_t width)
{
    const unsigned char *begin = (const unsigned char *)text, *end = begin + strlen(text), *p = begin, *blank = NULL;
    size_t columns = 0;
    struct glyph g;
    for (int unicode = fit_is_unicode(); p < end; p += g.taken) {
        next_glyph(p, (size_t)(end - p), unicode, &g);
        if (*p == ' ')
            blank = p;
        if (columns + g.columns > width)
            break;
        columns += g.columns;
    }
    if (p == end)
        return (size_t)(end - begin);
    if (blank && blank > begin + width / 2)
        return (size_t)(blank - begin);
    return p > begin ? (size_t)(p - begin) : g.taken;
}
