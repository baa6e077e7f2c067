/* Pictures in DOT. Texts may come from a hostile heap: they are clean (text_clean), and here they are escaped. */
#include "dot.h"

#include <inttypes.h>
#include <string.h>

#include "text.h"

enum { TITLE_SHOWN = 44, LABEL_SHOWN = 36, LINE_SHOWN = 96, BAR_WIDTH = 130 };

/* ---- texts ---- */

/* Text inside a quoted attribute, where Graphviz reads entities and escapes. */
static void put_quoted(FILE *f, const char *text)
{
    fputc('"', f);
    for (; *text; text++)
        if (*text == '\n')
            fputs("&#10;", f);
        else if (*text == '"')
            fputs("&quot;", f);
        else if (*text == '\\')
            fputs("\\\\", f);
        else if (*text == '&')
            fputs("&amp;", f);
        else
            fputc(*text, f);
    fputc('"', f);
}

static void put_shortened(FILE *f, const char *text, size_t characters)
{
    char shown[4 * LINE_SHOWN + 8];
    text_clean(text, strlen(text), characters, shown, sizeof shown);
    dot_put_html(f, *shown ? shown : " ");
}

/* ---- nodes ---- */

static void put_title(FILE *f, const struct picture_node *n)
{
    const char *tag = n->folded ? "i" : "b";
    fprintf(f, "<td align=\"left\"><%s>", tag);
    put_shortened(f, n->title ? n->title : "", TITLE_SHOWN);
    fprintf(f, "</%s></td></tr>", tag);
}

static void put_detail(FILE *f, const char *detail)
{
    while (*detail) {
        char line[512];
        size_t length = strcspn(detail, "\n");
        snprintf(line, sizeof line, "%.*s", (int)(length < sizeof line - 1 ? length : sizeof line - 1), detail);
        fprintf(f, "<tr><td align=\"left\"><font point-size=\"9\" color=\"%s\">", palette[COLOR_FAINT].light);
        put_shortened(f, line, LINE_SHOWN);
        fputs("</font></td></tr>", f);
        detail += length + (detail[length] == '\n');
    }
}

static unsigned bar_total(const struct picture_node *n)
{
    unsigned total = 0;
    for (int s = 0; s < PICTURE_STATES; s++)
        total += n->bar[s];
    return total;
}

/* Parts side by side, filled as far as they reach of the whole. A part that is there is seen, however small. */
static void put_bar(FILE *f, const struct picture_node *n)
{
    unsigned used = 0;
    fputs("<tr><td align=\"left\"><table border=\"0\" cellborder=\"0\" cellspacing=\"0\" cellpadding=\"0\" "
          "align=\"left\" fixedsize=\"true\" width=\"130\" height=\"7\"><tr>",
          f);
    for (int s = 0; s < PICTURE_STATES; s++) {
        unsigned width = n->bar[s] * (unsigned)BAR_WIDTH / PICTURE_WHOLE;
        if (!n->bar[s])
            continue;
        width = width < 2 ? 2 : width;
        fprintf(f, "<td fixedsize=\"true\" width=\"%u\" height=\"7\" bgcolor=\"%s\"></td>", width,
                palette[s == PICTURE_LIVE ? COLOR_LIVE_BAR : dot_looks[s].line].light);
        used += width;
    }
    if (used < BAR_WIDTH)
        fprintf(f, "<td fixedsize=\"true\" width=\"%u\" height=\"7\" bgcolor=\"%s\"></td>", BAR_WIDTH - used,
                palette[COLOR_PAPER].light);
    fputs("</tr></table></td></tr>", f);
}

static unsigned row_count(const struct picture_node *n)
{
    unsigned rows = 1 + (bar_total(n) != 0);
    for (const char *p = n->detail; p && *p; p += strcspn(p, "\n"), p += *p == '\n')
        rows++;
    return rows;
}

void dot_write_node(FILE *f, size_t number, const struct picture_node *n)
{
    const struct dot_look *look = &dot_looks[n->state];
    const char *line = palette[look->line].light;
    int root = n->state == PICTURE_ROOT; /* square, all others are round */
    fprintf(f, "  n%zu [shape=box, color=\"%s\", fillcolor=\"%s\", penwidth=%.1f, style=\"filled%s%s%s\"%s, label=<",
            number, line, palette[look->fill].light, n->focus && !n->folded ? 3.4 : look->width, root ? "" : ",rounded",
            strcmp(look->style, "solid") ? "," : "", strcmp(look->style, "solid") ? look->style : "",
            n->folded ? ", peripheries=2" : "");
    fputs("<table border=\"0\" cellborder=\"0\" cellspacing=\"0\" cellpadding=\"2\"><tr>", f);
    if (n->badge)
        fprintf(f, "<td rowspan=\"%u\" bgcolor=\"%s\" width=\"18\"><font color=\"%s\"><b>%c</b></font></td>",
                row_count(n), line, palette[COLOR_PAPER].light, n->badge);
    put_title(f, n);
    if (n->detail)
        put_detail(f, n->detail);
    if (bar_total(n))
        put_bar(f, n);
    fputs("</table>>, tooltip=", f);
    put_quoted(f, n->tooltip ? n->tooltip : n->title ? n->title : "");
    if (n->address)
        fprintf(f, ", id=\"object-0x%" PRIx64 "\", URL=\"#object-0x%" PRIx64 "\"", n->address, n->address);
    fprintf(f, ", class=\"%s%s%s\"];\n", look->name, n->folded ? " folded" : "", n->focus ? " focus" : "");
}

/* ---- edges ---- */

static const struct {
    const char *name;
    enum color_name line;
    const char *more;
} kinds[PICTURE_KINDS] = {
    [PICTURE_STRONG] = {"strong", COLOR_LINE, ""},
    [PICTURE_OWNED] = {"owned", COLOR_LINE, ", arrowtail=odot, dir=both"},
    [PICTURE_INFERRED] = {"inferred", COLOR_FAINT_LINE, ", style=dashed"},
    [PICTURE_WEAK] = {"weak", COLOR_FAINT_LINE, ", style=dotted, arrowhead=empty"},
    [PICTURE_BORROWED] = {"borrowed", COLOR_FAINT_LINE, ", style=dotted, arrowhead=vee"},
    [PICTURE_ROOT_EDGE] = {"held", COLOR_ROOT, ", penwidth=1.6"},
    [PICTURE_KEEPS] = {"keeps", COLOR_FAINT_LINE, ", arrowhead=none"},
};

/* The text goes into the attribute that is shown, or only to where the pointer finds it. */
static void put_label(FILE *f, const struct picture_edge *e, const char *label, int hidden)
{
    if (!hidden) { /* Room on both sides keeps the text off the line. */
        fputs(", label=<&#160;&#160;", f);
        fputs(e->cut ? "<b>" : "", f);
        put_shortened(f, label, LABEL_SHOWN);
        fputs(e->cut ? "&#160;&#160;<br/>&#160;&#160;cut here</b>" : "", f);
        fputs("&#160;&#160;>", f);
    }
    fputs(", tooltip=", f);
    put_quoted(f, label);
}

static void put_edge(FILE *f, size_t number, const struct picture_edge *e, int dense)
{
    char label[PICTURE_LABEL_SIZE];
    picture_edge_label(e, label);
    fprintf(f, "  n%" PRIu32 " -> n%" PRIu32 " [id=\"e%zu\"", e->from, e->to, number);
    if (e->cut)
        fprintf(f, ", color=\"%s\", fontcolor=\"%s\", penwidth=%s, style=dashed", palette[COLOR_GARBAGE].light,
                palette[COLOR_GARBAGE].light, dense ? "1.6" : "3");
    else
        fprintf(f, ", color=\"%s\"%s", palette[kinds[e->kind].line].light, kinds[e->kind].more);
    fprintf(f, ", class=\"%s%s\"", kinds[e->kind].name, e->cut ? " cut" : "");
    if (e->aside)
        fputs(", constraint=false", f);
    if (*label || e->cut)
        put_label(f, e, label, dense);
    fputs("];\n", f);
}

void dot_write_edge(FILE *f, size_t number, const struct picture_edge *e)
{
    put_edge(f, number, e, 0);
}

/* ---- the whole ---- */

static void put_cluster(const struct picture *p, FILE *f, size_t number)
{
    const struct picture_cluster *c = &p->clusters[number];
    fprintf(f,
            "  subgraph cluster_%zu {\n  style=\"rounded,dashed\"; color=\"%s\"; margin=12; labelloc=t; labeljust=l; "
            "fontsize=11; label=<",
            number, palette[COLOR_FRAME].light);
    put_shortened(f, c->title ? c->title : "", LINE_SHOWN);
    if (c->advice && *c->advice) {
        fprintf(f, "<br align=\"left\"/><font color=\"%s\"><b>to break it: ", palette[COLOR_GARBAGE].light);
        put_shortened(f, c->advice, LINE_SHOWN);
        fputs("</b></font><br align=\"left\"/>", f);
    }
    fputs(">;\n", f);
    for (size_t i = 0; i < p->node_count; i++)
        if (p->nodes[i].cluster == number + 1)
            dot_write_node(f, i, &p->nodes[i]);
    for (size_t i = 0; i < p->node_count; i++)
        if (p->nodes[i].cluster == number + 1 && p->nodes[i].beside)
            fprintf(f, "  {rank=same; n%" PRIu32 "; n%zu}\n", p->nodes[i].beside - 1, i);
    fputs("  }\n", f);
}

void dot_write_head(FILE *f)
{
    fprintf(f,
            DOT_FIRST_LINE
            "  graph [fontname=\"DejaVu Sans\", charset=\"UTF-8\", bgcolor=\"%s\", pad=0.3, nodesep=0.35, ranksep=0.5, "
            "splines=true, overlap=prism];\n"
            "  node [fontname=\"DejaVu Sans\", fontsize=11, margin=\"0.06,0.03\"];\n"
            "  edge [fontname=\"DejaVu Sans\", fontsize=10, arrowsize=0.8, penwidth=1.2];\n",
            palette[COLOR_PAPER].light);
}

int dot_write(const struct picture *p, FILE *f)
{
    int dense = picture_is_dense(p);
    dot_write_head(f);
    if (dense)
        fputs("  splines=line; outputorder=edgesfirst;\n  edge [penwidth=0.6, arrowsize=0.6];\n", f);
    if (p->shape == PICTURE_TREE)
        fputs("  rankdir=\"LR\"; nodesep=0.15; ranksep=0.7;\n", f);
    if (!p->bare)
        dot_write_legend(p, f);
    for (size_t i = 0; i < p->node_count; i++)
        if (!p->nodes[i].cluster)
            dot_write_node(f, i, &p->nodes[i]);
    for (size_t c = 0; c < p->cluster_count; c++)
        put_cluster(p, f, c);
    for (size_t i = 0; i < p->edge_count; i++)
        put_edge(f, i, &p->edges[i], dense);
    dot_write_arrangement(p, f);
    fputs("}\n", f);
    return ferror(f) ? -1 : 0;
}
