#include "html.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "text.h"

/* ---- text ---- */

void html_text(FILE *f, const char *text)
{
    const unsigned char *p = (const unsigned char *)text, *end = p + strlen(text);
    while (p < end) {
        unsigned n = text_character(p, (size_t)(end - p));
        if (!n || (n == 1 && (*p < 0x20 || *p == 0x7f) && *p != '\n' && *p != '\t')) {
            fputs("\xef\xbf\xbd", f);
            p++;
            continue;
        }
        switch (*p) {
        case '<':
            fputs("&lt;", f);
            break;
        case '>':
            fputs("&gt;", f);
            break;
        case '&':
            fputs("&amp;", f);
            break;
        case '"':
            fputs("&quot;", f);
            break;
        case '\'':
            fputs("&#39;", f);
            break;
        default:
            fwrite(p, 1, n, f);
        }
        p += n;
    }
}

void html_say(FILE *f, const char *format, ...)
{
    char text[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    html_text(f, text);
}

void html_label(FILE *f, const char *clean)
{
    fputs("<bdi>", f);
    html_text(f, clean);
    fputs("</bdi>", f);
}

void html_name(FILE *f, const char *bytes, size_t length, size_t cap)
{
    char clean[1024];
    text_clean(bytes, length, cap, clean, sizeof clean);
    html_label(f, clean);
}

/* ---- bars ---- */

void html_bar(FILE *f, uint64_t share, const char *class)
{
    fputs("<svg class=\"bar ", f);
    html_text(f, class);
    fprintf(f, "\" aria-hidden=\"true\"><rect width=\"%" PRIu64 ".%02" PRIu64 "%%\" height=\"100%%\"/></svg>",
            share / 100, share % 100);
}

/* ---- tables ---- */

static int is_text(enum cell_kind kind)
{
    return kind == CELL_TEXT || kind == CELL_ADDRESS || kind == CELL_FIGURE;
}

void html_table_begin(FILE *f, const struct html_table *t)
{
    fputs("<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"", f);
    html_text(f, t->caption);
    fputs("\"><table id=\"", f);
    html_text(f, t->id);
    fputs("\" class=\"", f);
    html_text(f, t->class ? t->class : "");
    fputs("\"><caption class=\"unseen\">", f);
    html_text(f, t->caption);
    fputs("</caption><thead><tr>", f);
    for (size_t i = 0; i < t->count; i++) {
        const struct column *c = &t->columns[i];
        if (!c->title)
            continue;
        fputs(is_text(c->kind) ? "<th scope=\"col\" data-k=\"" : "<th scope=\"col\" class=\"n\" data-k=\"", f);
        html_text(f, c->key);
        fputs("\">", f);
        html_text(f, c->title);
        fputs("</th>", f);
    }
    fputs("</tr></thead><tbody>\n", f);
}

static void put_cell(FILE *f, const struct html_table *t, size_t i, const struct cell *cell)
{
    const struct column *c = &t->columns[i];
    char text[CELL_TEXT_MAX];
    const char *shown = cell_show(c, cell, text);
    if (c->kind == CELL_ADDRESS || c->kind == CELL_FIGURE) {
        fputs(c->kind == CELL_ADDRESS ? "<td class=\"a\">" : "<td class=\"f\">", f);
        html_text(f, shown);
    } else if (c->kind == CELL_TEXT) {
        fputs("<td>", f);
        html_label(f, shown);
    } else {
        fputs("<td class=\"n\"", f);
        if (!cell->is_null)
            fprintf(f, " data-v=\"%" PRId64 "\"", (int64_t)cell->number);
        fputc('>', f);
        html_text(f, shown);
        if (t->bar_of && t->bar == i)
            html_bar(f, text_share_of(cell->number, t->bar_of), "");
    }
    fputs("</td>", f);
}

void html_table_row(FILE *f, const struct html_table *t, const struct cell *cells)
{
    fputs("<tr>", f);
    for (size_t i = 0; i < t->count; i++)
        if (t->columns[i].title)
            put_cell(f, t, i, &cells[i]);
    fputs("</tr>\n", f);
}

void html_table_end(FILE *f, const struct html_table *t)
{
    (void)t;
    fputs("</tbody></table></div>\n", f);
}

/* ---- pictures ---- */

static int begins(const char *p, const char *end, const char *word)
{
    size_t n = strlen(word);
    return (size_t)(end - p) >= n && !memcmp(p, word, n);
}

/* Whether markup is an element of this name. */
static int is_element(const char *p, const char *end, const char *name)
{
    size_t n = strlen(name);
    p += begins(p, end, "</") ? 2 : 1;
    return begins(p, end, name) && p + n < end && strchr(" \n\t>/", p[n]);
}

/* Behind the next `word`, or NULL. */
static const char *skip_past(const char *p, const char *end, const char *word)
{
    for (; p < end; p++)
        if (begins(p, end, word))
            return p + strlen(word);
    return NULL;
}

/* A link: of it the tooltip alone is kept, as the title of a group. */
static const char *copy_link(const char *p, const char *end, FILE *to)
{
    static const char title[] = " xlink:title=\"";
    const char *close = skip_past(p, end, ">"), *text = close ? skip_past(p, close, title) : NULL;
    const char *quote = text ? memchr(text, '"', (size_t)(end - text)) : NULL;
    if (quote)
        close = skip_past(quote, end, ">"); /* a tooltip may have a > in it */
    if (to && close) {
        fputs("<g>", to);
        if (quote) {
            fputs("<title>", to);
            fwrite(text, 1, (size_t)(quote - text), to);
            fputs("</title>", to);
        }
    }
    return close;
}

/* A tag, without the names of things: other pictures of the page have the same. NULL when it has an attribute that is
 * more than looks. */
static const char *copy_tag(const char *p, const char *end, FILE *to)
{
    while (p < end && *p != '>') {
        const char *from = p, *quote;
        int is_id = begins(p, end, " id=\"");
        if (*p == ' ' && (begins(p, end, " on") || begins(p, end, " style") || begins(p, end, " href") ||
                          begins(p, end, " xlink:href")))
            return NULL;
        if (*p == '"' || is_id) {
            from = p + (is_id ? 5 : 1);
            quote = memchr(from, '"', (size_t)(end - from));
            if (!quote)
                return NULL;
            from = is_id ? quote + 1 : p;
            p = quote;
        }
        p++;
        if (to)
            fwrite(from, 1, (size_t)(p - from), to);
    }
    if (p < end && to)
        fputc('>', to);
    return p < end ? p + 1 : NULL;
}

/* Markup that begins here: drawing is copied, what only names or styles is left out, anything else is refused (NULL).
 * Graphviz escapes its texts, so that what begins with < is markup. */
static const char *copy_markup(const char *p, const char *end, FILE *to)
{
    static const char *const drawing[] = {"svg", "g", "polygon", "polyline", "path", "ellipse", "text", "tspan"};
    if (begins(p, end, "<!--"))
        return skip_past(p, end, "-->");
    if (is_element(p, end, "title"))
        return skip_past(p, end, "</title>");
    if (is_element(p, end, "style"))
        return skip_past(p, end, "</style>");
    if (is_element(p, end, "a") && p[1] != '/')
        return copy_link(p, end, to);
    if (is_element(p, end, "a")) {
        if (to)
            fputs("</g>", to);
        return skip_past(p, end, ">");
    }
    for (size_t i = 0; i < sizeof drawing / sizeof *drawing; i++)
        if (is_element(p, end, drawing[i]))
            return copy_tag(p, end, to);
    return NULL;
}

static int copy_svg(const char *p, const char *end, FILE *to)
{
    while (p && p < end) {
        if (*p == '<') {
            p = copy_markup(p, end, to);
            continue;
        }
        if (to)
            fputc(*p, to);
        p++;
    }
    return p ? 0 : -1;
}

int html_svg(FILE *f, const char *svg, size_t length)
{
    const char *end = svg + length, *start = svg;
    while (start < end && !begins(start, end, "<svg"))
        start++;
    if (start == end || copy_svg(start, end, NULL)) /* a picture is copied whole or not at all */
        return -1;
    return copy_svg(start, end, f);
}
