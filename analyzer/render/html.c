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
        int64_t change = c->kind == CELL_CHANGE || c->kind == CELL_SIZE_CHANGE ? (int64_t)cell->number : 0;
        fputs(change > 0 ? "<td class=\"n up\"" : change < 0 ? "<td class=\"n down\"" : "<td class=\"n\"", f);
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
