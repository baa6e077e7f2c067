/* The head of a picture. Only the states and marks that occur in it are explained. */
#include <string.h>

#include "dot.h"

/* Graphviz does not break lines: a row that would be wider begins a new one. */
enum { ROW_WIDTH = 90 };

struct legend {
    FILE *file;
    size_t width; /* characters in the row */
};

static void begin_item(struct legend *l, size_t width)
{
    if (!l->width || l->width + width > ROW_WIDTH) {
        fputs(l->width ? "</tr></table></td></tr>" : "", l->file);
        fputs("<tr><td><table border=\"0\" cellborder=\"0\" cellspacing=\"6\" cellpadding=\"1\"><tr>", l->file);
        l->width = 0;
    }
    l->width += width + 3;
}

static void put_state(struct legend *l, const struct dot_look *look)
{
    begin_item(l, strlen(look->means));
    fprintf(l->file,
            "<td border=\"%d\" style=\"%s\" color=\"%s\" bgcolor=\"%s\"><font point-size=\"10\"> %s </font></td>",
            look->width > 2 ? 2 : 1, strcmp(look->style, "bold") ? look->style : "solid", palette[look->line].light,
            palette[look->fill].light, look->means);
}

static void put_words(struct legend *l, const char *words, enum color_name color)
{
    begin_item(l, strlen(words));
    fprintf(l->file, "<td><font point-size=\"10\" color=\"%s\">%s</font></td>", palette[color].light, words);
}

static void explain_nodes(const struct picture *p, struct legend *l)
{
    int states[PICTURE_STATES] = {0}, folded = 0, badge = 0;
    for (size_t i = 0; i < p->node_count; i++) {
        const struct picture_node *n = &p->nodes[i];
        states[n->state] = 1;
        for (int s = 0; s < PICTURE_STATES; s++)
            states[s] |= n->bar[s] != 0;
        folded |= n->folded;
        badge |= n->badge != 0;
    }
    for (int s = 0; s < PICTURE_STATES; s++)
        if (states[s])
            put_state(l, &dot_looks[s]);
    if (badge)
        put_words(l, "badge: generation 0 1 2, P permanent, - untracked", COLOR_INK);
    if (folded)
        put_words(l, "double outline: several objects", COLOR_INK);
    if (p->keys_hidden)
        put_words(l, "keys of dicts: in the labels", COLOR_INK);
}

static void explain_edges(const struct picture *p, struct legend *l)
{
    int kinds[PICTURE_KINDS] = {0}, cut = 0;
    for (size_t i = 0; i < p->edge_count; i++) {
        kinds[p->edges[i].kind] = 1;
        cut |= p->edges[i].cut;
    }
    if (kinds[PICTURE_OWNED])
        put_words(l, "ring at the tail: counted, not seen by the collector", COLOR_INK);
    if (kinds[PICTURE_INFERRED])
        put_words(l, "thin dashes: found by scanning", COLOR_INK);
    if (kinds[PICTURE_WEAK])
        put_words(l, "dots, hollow head: weak", COLOR_INK);
    if (kinds[PICTURE_BORROWED])
        put_words(l, "dots, open head: borrowed", COLOR_INK);
    if (cut)
        put_words(l, "<b>thick dashes: the reference to make weak</b>", COLOR_GARBAGE);
}

void dot_write_legend(const struct picture *p, FILE *f)
{
    struct legend l = {.file = f};
    fputs("  labelloc=\"t\";\n"
          "  label=<<table border=\"0\" cellborder=\"0\" cellspacing=\"0\" cellpadding=\"3\"><tr><td><font "
          "point-size=\"13\"><b>",
          f);
    dot_put_html(f, p->title && *p->title ? p->title : " ");
    fputs("</b></font></td></tr>", f);
    if (p->left_out) {
        fprintf(f, "<tr><td><font point-size=\"10\" color=\"%s\">not drawn: ", palette[COLOR_FAINT].light);
        dot_put_html(f, p->left_out);
        fputs("</font></td></tr>", f);
    }
    explain_nodes(p, &l);
    explain_edges(p, &l);
    fputs(l.width ? "</tr></table></td></tr>" : "", f);
    fputs("</table>>;\n", f);
}
