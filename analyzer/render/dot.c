/* Pictures in DOT.
 *
 * Colours are from Okabe and Ito's palette, which colour-blind people can tell apart; each state also differs in its
 * outline, for a printer without colours. A node's badge is its generation.
 */
#include <inttypes.h>
#include <string.h>

#include "picture.h"
#include "text.h"

static const struct look {
    const char *name;
    const char *line, *fill, *style;
    double width;
} looks[PICTURE_STATES] = {
    [PICTURE_LIVE] = {"alive", "#0072B2", "#E8F2F9", "solid", 1.2},
    [PICTURE_GARBAGE] = {"garbage", "#D55E00", "#FBE6DA", "bold", 2.2},
    [PICTURE_DEPENDENT] = {"freed with the garbage", "#B58900", "#FFF8E1", "dashed", 1.2},
    [PICTURE_INVISIBLE] = {"garbage the collector cannot see", "#A8507F", "#F7E6F0", "dotted", 2.2},
    [PICTURE_ROOT] = {"root", "#00795A", "#DFF3EC", "solid", 1.6},
};

/* Text inside an HTML-like label. */
static void put_html(FILE *f, const char *text)
{
    for (; *text; text++)
        switch (*text) {
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
        default:
            fputc(*text, f);
        }
}

/* Text inside a quoted attribute. Backslashes would be escapes to Graphviz. */
static void put_quoted(FILE *f, const char *text)
{
    fputc('"', f);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', f);
        fputc(*text, f);
    }
    fputc('"', f);
}

void dot_write_node(FILE *f, size_t number, const struct picture_node *n)
{
    const struct look *look = &looks[n->state];
    fprintf(f, "  n%zu [shape=%s, color=\"%s\", fillcolor=\"%s\", penwidth=%.1f, style=\"filled%s%s%s\"%s, label=<",
            number, n->state == PICTURE_ROOT ? "cds" : "box", look->line, look->fill, n->focus ? 3.0 : look->width,
            n->state == PICTURE_ROOT ? "" : ",rounded", strcmp(look->style, "solid") ? "," : "",
            strcmp(look->style, "solid") ? look->style : "", n->folded ? ", peripheries=2" : "");
    fputs("<table border=\"0\" cellborder=\"0\" cellspacing=\"0\" cellpadding=\"2\"><tr>", f);
    int rows = n->detail && *n->detail ? 2 : 1;
    if (n->badge)
        fprintf(f, "<td rowspan=\"%d\" bgcolor=\"%s\" width=\"18\"><font color=\"white\"><b>%c</b></font></td>", rows,
                look->line, n->badge);
    fputs("<td align=\"left\">", f);
    fputs(n->folded ? "<i>" : "<b>", f);
    put_html(f, n->title && *n->title ? n->title : " ");
    fputs(n->folded ? "</i></td></tr>" : "</b></td></tr>", f);
    if (rows == 2) {
        fputs("<tr><td align=\"left\"><font point-size=\"9\" color=\"#555555\">", f);
        put_html(f, n->detail);
        fputs("</font></td></tr>", f);
    }
    fputs("</table>>, tooltip=", f);
    put_quoted(f, n->tooltip ? n->tooltip : n->title ? n->title : "");
    fprintf(f, ", class=\"%s%s\"];\n", n->state == PICTURE_ROOT ? "root" : look->name, n->folded ? " folded" : "");
}

void dot_write_edge(FILE *f, const struct picture_edge *e)
{
    static const char *const styles[] = {
        [PICTURE_STRONG] = "color=\"#333333\"",
        [PICTURE_OWNED] = "color=\"#333333\", arrowtail=odot, dir=both",
        [PICTURE_INFERRED] = "color=\"#777777\", style=dashed",
        [PICTURE_WEAK] = "color=\"#777777\", style=dotted, arrowhead=empty",
        [PICTURE_BORROWED] = "color=\"#AAAAAA\", style=dotted, arrowhead=vee",
        [PICTURE_ROOT_EDGE] = "color=\"#00795A\", penwidth=1.6",
    };
    char label[320], number[TEXT_NUMBER_SIZE];
    snprintf(label, sizeof label, "%.240s", e->label ? e->label : "");
    if (e->count > 1)
        snprintf(label + strlen(label), sizeof label - strlen(label), "%s%s references", *label ? " : " : "",
                 text_count(e->count, number));
    fprintf(f, "  n%" PRIu32 " -> n%" PRIu32 " [%s", e->from, e->to, styles[e->kind]);
    if (e->cut)
        fputs(", color=\"#D55E00\", fontcolor=\"#D55E00\", penwidth=3, style=dashed, class=\"cut\"", f);
    /* Room on both sides keeps the text off the line. */
    fputs(", label=<&#160;&#160;", f);
    if (e->cut)
        fputs("<b>", f);
    put_html(f, label);
    if (e->cut)
        fputs("&#160;&#160;<br/>&#160;&#160;cut here</b>", f);
    fputs("&#160;&#160;>, tooltip=", f);
    put_quoted(f, label);
    fputs("];\n", f);
}

/* Only the states and marks that occur are explained. */
static void put_legend(const struct picture *p, FILE *f)
{
    int states[PICTURE_STATES] = {0}, folded = 0, cut = 0, weak = 0, badge = 0;
    for (size_t i = 0; i < p->node_count; i++) {
        states[p->nodes[i].state] = 1;
        folded |= p->nodes[i].folded;
        badge |= p->nodes[i].badge != 0;
    }
    for (size_t i = 0; i < p->edge_count; i++) {
        cut |= p->edges[i].cut;
        weak |= p->edges[i].kind == PICTURE_WEAK || p->edges[i].kind == PICTURE_BORROWED;
    }
    fputs(
        "  label=<<table border=\"0\" cellborder=\"0\" cellspacing=\"6\"><tr><td colspan=\"12\"><font point-size=\"13\"><b>",
        f);
    put_html(f, p->title && *p->title ? p->title : " ");
    fputs("</b></font></td></tr>", f);
    if (p->node_count) /* Graphviz takes no row without cells */
        fputs("<tr>", f);
    for (int s = 0; s < PICTURE_STATES; s++)
        if (states[s])
            fprintf(f, "<td border=\"1\" color=\"%s\" bgcolor=\"%s\"><font point-size=\"10\"> %s </font></td>",
                    looks[s].line, looks[s].fill, looks[s].name);
    if (badge)
        fputs("<td><font point-size=\"10\">badge: generation 0 1 2, P permanent, - untracked</font></td>", f);
    if (folded)
        fputs("<td><font point-size=\"10\">double outline: several objects</font></td>", f);
    if (weak)
        fputs("<td><font point-size=\"10\">dotted: weak or borrowed</font></td>", f);
    if (p->keys_hidden)
        fputs("<td><font point-size=\"10\">keys of dicts: in the labels</font></td>", f);
    if (cut)
        fputs("<td><font point-size=\"10\" color=\"#D55E00\"><b>dashed: the reference to make weak</b></font></td>", f);
    fputs(p->node_count ? "</tr></table>>;\n" : "</table>>;\n", f);
    fputs("  labelloc=\"t\";\n", f);
}

static void put_cluster(const struct picture *p, FILE *f, size_t number)
{
    fprintf(
        f,
        "  subgraph cluster_%zu {\n  style=\"rounded,dashed\"; color=\"#999999\"; margin=12; labelloc=t; labeljust=l; "
        "fontsize=11; label=<",
        number);
    put_html(f, p->clusters[number] && *p->clusters[number] ? p->clusters[number] : " ");
    fputs(">;\n", f);
    for (size_t i = 0; i < p->node_count; i++)
        if (p->nodes[i].cluster == number + 1)
            dot_write_node(f, i, &p->nodes[i]);
    fputs("  }\n", f);
}

void dot_write_head(FILE *f)
{
    fputs(
        DOT_FIRST_LINE
        "  graph [fontname=\"DejaVu Sans\", charset=\"UTF-8\", bgcolor=\"white\", pad=0.3, nodesep=0.35, ranksep=0.6, "
        "splines=true, overlap=prism];\n"
        "  node [fontname=\"DejaVu Sans\", fontsize=11, margin=\"0.06,0.03\"];\n"
        "  edge [fontname=\"DejaVu Sans\", fontsize=10, arrowsize=0.8, penwidth=1.2];\n",
        f);
}

int dot_write(const struct picture *p, FILE *f)
{
    dot_write_head(f);
    if (p->cluster_count > 2)
        fputs("  rankdir=\"LR\";\n", f); /* frames stand below each other rather than in a row no screen holds */
    put_legend(p, f);
    for (size_t i = 0; i < p->node_count; i++)
        if (!p->nodes[i].cluster)
            dot_write_node(f, i, &p->nodes[i]);
    for (size_t c = p->cluster_count; c-- > 0;) /* the first ends up on top, or leftmost: dot fills from below */
        put_cluster(p, f, p->cluster_count > 2 ? c : p->cluster_count - 1 - c);
    for (size_t i = 0; i < p->edge_count; i++)
        dot_write_edge(f, &p->edges[i]);
    fputs("}\n", f);
    return ferror(f) ? -1 : 0;
}
