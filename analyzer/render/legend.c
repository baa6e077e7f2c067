/* The head of a picture. Only the states and marks that occur in it are explained. */
#include <string.h>

#include "dot.h"

/* Graphviz does not break lines, and stretches a table to the room there is: rows are broken here, and each is as wide
 * as its texts are, about. */
enum { ROW_WIDTH = 620, ITEMS_MAX = 24, CHARACTER_WIDTH = 6, BOLD_WIDTH = 7 };

struct item {
    const char *words;
    const struct dot_look *look; /* of a state; NULL for words */
    enum color_name color;
    int bold;
};

struct legend {
    struct item items[ITEMS_MAX];
    size_t count;
};

static void add(struct legend *l, struct item item)
{
    if (l->count < ITEMS_MAX)
        l->items[l->count++] = item;
}

static void put_words(struct legend *l, const char *words)
{
    add(l, (struct item){words, NULL, COLOR_INK, 0});
}

static size_t width_of(const struct item *item)
{
    return 14 + (item->bold ? BOLD_WIDTH : CHARACTER_WIDTH) * strlen(item->words);
}

static void put_item(FILE *f, const struct item *item)
{
    const struct dot_look *look = item->look;
    const char *tag = item->bold ? "b" : "font";
    if (look)
        fprintf(f, "<td border=\"%d\" style=\"%s\" color=\"%s\" bgcolor=\"%s\">", look->width > 2 ? 2 : 1,
                strcmp(look->style, "bold") ? look->style : "solid", palette[look->line].light,
                palette[look->fill].light);
    else
        fputs("<td>", f);
    fprintf(f, "<font point-size=\"10\" color=\"%s\"><%s> %s </%s></font></td>", palette[item->color].light, tag,
            item->words, tag);
}

static void put_rows(const struct legend *l, FILE *f)
{
    for (size_t i = 0, end; i < l->count; i = end) {
        size_t width = width_of(&l->items[i]);
        for (end = i + 1; end < l->count && width + width_of(&l->items[end]) <= ROW_WIDTH; end++)
            width += width_of(&l->items[end]);
        fprintf(f,
                "<tr><td><table border=\"0\" cellborder=\"0\" cellspacing=\"5\" cellpadding=\"1\" fixedsize=\"true\" "
                "width=\"%zu\" height=\"26\"><tr>",
                width);
        for (; i < end; i++)
            put_item(f, &l->items[i]);
        fputs("</tr></table></td></tr>", f);
    }
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
            add(l, (struct item){dot_looks[s].means, &dot_looks[s], COLOR_INK, 0});
    if (badge)
        put_words(l, "badge: generation 0 1 2, P permanent, - untracked");
    if (folded)
        put_words(l, "double outline: several objects");
    if (p->keys_hidden)
        put_words(l, "keys of dicts: in the labels");
}

static void explain_edges(const struct picture *p, struct legend *l)
{
    int kinds[PICTURE_KINDS] = {0}, cut = 0;
    for (size_t i = 0; i < p->edge_count; i++) {
        kinds[p->edges[i].kind] = 1;
        cut |= p->edges[i].cut;
    }
    if (picture_is_dense(p))
        put_words(l, "names of references: in an SVG, where the pointer rests");
    if (kinds[PICTURE_OWNED])
        put_words(l, "ring at the tail: counted, not seen by the collector");
    if (kinds[PICTURE_INFERRED])
        put_words(l, "thin dashes: found by scanning");
    if (kinds[PICTURE_WEAK])
        put_words(l, "dots, hollow head: weak");
    if (kinds[PICTURE_BORROWED])
        put_words(l, "dots, open head: borrowed");
    if (cut)
        add(l, (struct item){"thick dashes: the reference to cut", NULL, COLOR_GARBAGE, 1});
}

static void put_line(FILE *f, const char *begin, const char *text)
{
    fprintf(f, "<tr><td><font point-size=\"10\" color=\"%s\">%s", palette[COLOR_FAINT].light, begin);
    dot_put_html(f, text);
    fputs("</font></td></tr>", f);
}

void dot_write_legend(const struct picture *p, FILE *f)
{
    struct legend l = {.count = 0};
    fputs(
        "  labelloc=\"t\";\n"
        "  label=<<table border=\"0\" cellborder=\"0\" cellspacing=\"0\" cellpadding=\"0\"><tr><td cellpadding=\"4\"><font "
        "point-size=\"13\"><b>",
        f);
    dot_put_html(f, p->title && *p->title ? p->title : " ");
    fputs("</b></font></td></tr>", f);
    if (p->remark)
        put_line(f, "", p->remark);
    if (p->left_out)
        put_line(f, "not drawn: ", p->left_out);
    explain_nodes(p, &l);
    explain_edges(p, &l);
    put_rows(&l, f);
    fputs("</table>>;\n", f);
}
