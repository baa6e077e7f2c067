#include "svg.h"

#include <stdlib.h>
#include <string.h>

#include "../../dumpfmt/error.h"
#include "palette.h"
#include "text.h"

enum { DEPTH_MAX = 16, ATTRIBUTES_MAX = 24 };

struct span {
    const char *at;
    size_t length;
};

struct attribute {
    struct span name, value;
};

struct finisher {
    const char *at, *end;
    const struct picture *picture;
    const struct svg_place *place;
    FILE *to;
    struct span open[DEPTH_MAX]; /* names of the elements that are open */
    size_t depth;
    size_t edge;        /* number of the edge whose group is open, if any */
    int skipping_title; /* inside a <title> whose text is replaced */
    const char *wrong;  /* what is, once something is */
};

static int is(struct span s, const char *word)
{
    return s.length == strlen(word) && !memcmp(s.at, word, s.length);
}

static int is_one_of(struct span s, const char *const words[])
{
    for (; *words; words++)
        if (is(s, *words))
            return 1;
    return 0;
}

/* ---- escaping ---- */

/* NULL is no text. */
static void put_text(FILE *to, const char *text)
{
    for (; text && *text; text++)
        switch (*text) {
        case '<':
            fputs("&lt;", to);
            break;
        case '>':
            fputs("&gt;", to);
            break;
        case '&':
            fputs("&amp;", to);
            break;
        case '"':
            fputs("&quot;", to);
            break;
        default:
            fputc(*text, to);
        }
}

/* Text that is XML already stays as it is. Whether it is: no control characters, no broken UTF-8, entities whole and of
 * characters that may be. */
static int is_clean(struct span s)
{
    const unsigned char *p = (const unsigned char *)s.at, *end = p + s.length;
    while (p < end) {
        unsigned n = text_character(p, (size_t)(end - p));
        if (!n || (n == 1 && *p < 0x20 && *p != '\n' && *p != '\t') || *p == '<' || *p == 0x7f)
            return 0;
        if (n == 3 && p[0] == 0xef && p[1] == 0xbf && p[2] >= 0xbe)
            return 0;
        if (*p == '&') {
            const unsigned char *e = p + 1;
            while (e < end && e - p < 10 && *e != ';')
                e++;
            struct span name = {(const char *)p + 1, (size_t)(e - p) - 1};
            static const char *const named[] = {"amp", "lt", "gt", "quot", "apos", NULL};
            if (e == end || *e != ';')
                return 0;
            if (!is_one_of(name, named)) {
                char *stop;
                unsigned long c = name.length > 1 && name.at[0] == '#' ? strtoul(name.at + 1, &stop, 10) : 0;
                if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c > 0xfffd || (c >= 0xd800 && c < 0xe000) ||
                    *stop != ';')
                    return 0;
            }
        }
        p += n;
    }
    return 1;
}

/* ---- tags ---- */

static int wrong(struct finisher *f, const char *what)
{
    f->wrong = what;
    return -1;
}

static void skip_space(struct finisher *f)
{
    while (f->at < f->end && strchr(" \n\t\r", *f->at))
        f->at++;
}

static struct span read_name(struct finisher *f)
{
    struct span s = {f->at, 0};
    while (f->at < f->end && (strchr(":-_", *f->at) || (*f->at >= '0' && *f->at <= '9') ||
                              ((*f->at | 0x20) >= 'a' && (*f->at | 0x20) <= 'z')))
        f->at++;
    s.length = (size_t)(f->at - s.at);
    return s;
}

/* Moves behind `mark`. */
static int skip_to(struct finisher *f, const char *mark)
{
    const char *found = memmem(f->at, (size_t)(f->end - f->at), mark, strlen(mark));
    if (!found)
        return wrong(f, "a tag that does not end");
    f->at = found + strlen(mark);
    return 0;
}

static int read_attribute(struct finisher *f, struct attribute *a)
{
    a->name = read_name(f);
    if (!a->name.length || f->end - f->at < 3 || f->at[0] != '=' || f->at[1] != '"')
        return wrong(f, "an attribute that is none");
    f->at += 2;
    const char *close = memchr(f->at, '"', (size_t)(f->end - f->at));
    if (!close)
        return wrong(f, "an attribute that does not end");
    a->value = (struct span){f->at, (size_t)(close - f->at)};
    f->at = close + 1;
    return is_clean(a->value) ? 0 : wrong(f, "a character that XML forbids");
}

/* ---- what is written ---- */

static const char *ids(const struct finisher *f)
{
    return f->place->ids ? f->place->ids : "";
}

static void put_attribute(struct finisher *f, const struct attribute *a)
{
    FILE *to = f->to;
    int length = (int)a->value.length;
    if (is(a->name, "xlink:href")) {
        fputs(" xlink:href=\"", to);
        if (f->place->links)
            put_text(to, f->place->links);
        else
            fprintf(to, "#%s", ids(f));
        fprintf(to, "%.*s\"", length - 1, a->value.at + 1);
    } else if (is(a->name, "id")) {
        fprintf(to, " id=\"%s%.*s\"", ids(f), length, a->value.at);
    } else {
        fprintf(to, " %.*s=\"%.*s\"", (int)a->name.length, a->name.at, length, a->value.at);
    }
}

/* Titles stand as such, and Graphviz gives groups of links an id that nobody asks for; the font is said once. */
static int is_wanted(const struct attribute *a)
{
    static const char *const dropped[] = {"xlink:title", "font-family", "standalone", NULL};
    return !is_one_of(a->name, dropped) && !(is(a->name, "id") && a->value.length > 2 && !memcmp(a->value.at, "a_", 2));
}

static int is_allowed(const struct attribute *a)
{
    static const char *const allowed[] = {
        "id",
        "class",
        "transform",
        "fill",
        "stroke",
        "points",
        "d",
        "x",
        "y",
        "cx",
        "cy",
        "rx",
        "ry",
        "text-anchor",
        "font-size",
        "font-weight",
        "font-style",
        "stroke-width",
        "font-family",
        "stroke-dasharray",
        "width",
        "height",
        "viewBox",
        "xmlns",
        "xlink:href",
        "xlink:title",
        "xmlns:xlink",
        "xml:space",
        "opacity",
        "fill-opacity",
        "stroke-linejoin",
        "stroke-opacity",
        "text-decoration",
        "baseline-shift",
        NULL,
    };
    if (is(a->name, "xlink:href"))
        return a->value.length > 1 && a->value.at[0] == '#';
    return is_one_of(a->name, allowed);
}

static void begin_picture(struct finisher *f)
{
    fputs(" class=\"refheap\" role=\"group\" font-family=\"DejaVu Sans,Verdana,Helvetica,sans-serif\"", f->to);
}

static void open_picture(struct finisher *f)
{
    const struct picture *p = f->picture;
    fputs("\n<title>", f->to);
    put_text(f->to, p->title);
    fputs("</title>\n", f->to);
    if (p->left_out) {
        fputs("<desc>not drawn: ", f->to);
        put_text(f->to, p->left_out);
        fputs("</desc>\n", f->to);
    }
    if (!f->place->fragment) {
        fputs("<style>\n", f->to);
        svg_write_style(f->to);
        fputs("</style>\n", f->to);
    }
}

/* The number behind `prefix` in the text that follows; SIZE_MAX when there is none. */
static size_t number_behind(const struct finisher *f, const char *prefix)
{
    const char *at = f->at;
    size_t number = 0, length = strlen(prefix);
    if ((size_t)(f->end - at) <= length || memcmp(at, prefix, length))
        return SIZE_MAX;
    at += length;
    const char *first = at;
    for (; at < f->end && *at >= '0' && *at <= '9' && at - first < 9; at++)
        number = 10 * number + (size_t)(*at - '0');
    return at > first ? number : SIZE_MAX;
}

/* The title of a node or an edge, for what Graphviz calls n12, or has in the group of edge 5. */
static void put_title(struct finisher *f)
{
    const struct picture *p = f->picture;
    char label[PICTURE_LABEL_SIZE];
    if (f->edge < p->edge_count) {
        const struct picture_edge *e = &p->edges[f->edge];
        put_text(f->to, p->nodes[e->from].title);
        fprintf(f->to, "\n%s", *picture_edge_label(e, label) ? " " : "");
        put_text(f->to, label);
        fputs(" -> ", f->to);
        put_text(f->to, p->nodes[e->to].title);
        return;
    }
    size_t node = number_behind(f, "n"), cluster = number_behind(f, "cluster_");
    if (node < p->node_count)
        put_text(f->to, p->nodes[node].tooltip ? p->nodes[node].tooltip : p->nodes[node].title);
    else if (cluster < p->cluster_count)
        put_text(f->to, p->clusters[cluster].title);
}

/* Which edge's group begins, told by its id. */
static void note_group(struct finisher *f, const struct attribute *a)
{
    char *stop;
    if (!is(a->name, "id") || a->value.length < 2 || a->value.at[0] != 'e')
        return;
    unsigned long number = strtoul(a->value.at + 1, &stop, 10);
    if (stop == a->value.at + a->value.length)
        f->edge = number;
}

static int open_tag(struct finisher *f)
{
    static const char *const elements[] = {"svg",     "g",        "title",   "a",    "path",
                                           "polygon", "polyline", "ellipse", "text", NULL};
    struct span name = read_name(f);
    struct attribute attributes[ATTRIBUTES_MAX];
    size_t count = 0;
    if (!is_one_of(name, elements))
        return wrong(f, "an element that no picture needs");
    skip_space(f);
    while (f->at < f->end && *f->at != '>' && *f->at != '/') {
        struct attribute *a = &attributes[count];
        if (++count == ATTRIBUTES_MAX)
            return wrong(f, "too many attributes");
        if (read_attribute(f, a))
            return -1;
        if (!is_allowed(a))
            return wrong(f, "an attribute that no picture needs");
        skip_space(f);
    }
    int whole = f->at < f->end && *f->at == '/';
    f->at += whole;
    if (f->at == f->end || *f->at++ != '>')
        return wrong(f, "a tag that does not end");
    if ((f->depth == 0) != is(name, "svg") || f->depth == DEPTH_MAX)
        return wrong(f, "elements in disorder");
    int is_title = is(name, "title"), of_graph = is_title && f->depth <= 2;
    if (is(name, "g") && f->depth == 2)
        f->edge = SIZE_MAX;
    if (!of_graph) {
        fprintf(f->to, "<%.*s", (int)name.length, name.at);
        for (size_t i = 0; i < count; i++) {
            if (is(name, "g") && f->depth == 2)
                note_group(f, &attributes[i]);
            if (is_wanted(&attributes[i]))
                put_attribute(f, &attributes[i]);
        }
        if (!f->depth)
            begin_picture(f);
        fputs(whole ? "/>" : ">", f->to);
        if (!f->depth)
            open_picture(f);
    }
    if (is_title && !of_graph)
        put_title(f);
    f->skipping_title = is_title && !whole;
    if (!whole)
        f->open[f->depth++] = name;
    return 0;
}

static int close_tag(struct finisher *f)
{
    struct span name = read_name(f);
    if (f->at == f->end || *f->at++ != '>' || !f->depth || name.length != f->open[f->depth - 1].length ||
        memcmp(name.at, f->open[f->depth - 1].at, name.length))
        return wrong(f, "tags that do not match");
    f->depth--;
    if (!is(name, "title") || f->depth > 2)
        fprintf(f->to, "</%.*s>", (int)name.length, name.at);
    f->skipping_title = 0;
    return 0;
}

static int put_between(struct finisher *f)
{
    const char *next = memchr(f->at, '<', (size_t)(f->end - f->at));
    struct span text = {f->at, (size_t)((next ? next : f->end) - f->at)};
    if (!is_clean(text))
        return wrong(f, "a character that XML forbids");
    if (!f->skipping_title && f->depth)
        fwrite(text.at, 1, text.length, f->to);
    f->at += text.length;
    return 0;
}

static int next_piece(struct finisher *f)
{
    size_t left = (size_t)(f->end - f->at);
    if (*f->at != '<')
        return put_between(f);
    if (left > 4 && !memcmp(f->at, "<!--", 4))
        return skip_to(f, "-->");
    if (left > 2 && (f->at[1] == '?' || f->at[1] == '!'))
        return f->depth ? wrong(f, "a declaration inside") : skip_to(f, ">");
    f->at += 1 + (left > 1 && f->at[1] == '/');
    return f->at[-1] == '/' ? close_tag(f) : open_tag(f);
}

int svg_finish(const char *raw, size_t size, const struct picture *picture, const struct svg_place *place, FILE *to,
               struct rh_error *err)
{
    struct finisher f = {.at = raw, .end = raw + size, .picture = picture, .place = place, .to = to, .edge = SIZE_MAX};
    if (!place->fragment)
        fputs("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n", to);
    while (f.at < f.end && !f.wrong)
        next_piece(&f);
    if (!f.wrong && f.depth)
        f.wrong = "tags that do not match";
    if (f.wrong)
        return error_format(err, RH_ERR_UNSUPPORTED, "the .dot file is there; draw to .png or .pdf",
                            "Graphviz wrote an SVG with %s", f.wrong);
    fputc('\n', to);
    return ferror(to) ? error_set(err, RH_ERR_NO_MEMORY, "the image could not be written", "") : 0;
}

/* ---- the stylesheet ---- */

/* Graphviz writes colours as attributes, which any rule of a stylesheet overrides: each colour has its dark one. */
void svg_write_style(FILE *to)
{
    fputs(".refheap a{text-decoration:none}\n"
          ".refheap .node:hover path,.refheap .node:target path,.refheap .node a:focus path{stroke-width:4}\n"
          ".refheap .edge:hover path{stroke-width:3.4}\n"
          "@media screen and (prefers-color-scheme:dark){\n",
          to);
    for (int c = 0; c < COLORS; c++) {
        fprintf(to, ".refheap [fill=\"%s\"]{fill:%s}\n", palette[c].light, palette[c].dark);
        fprintf(to, ".refheap [stroke=\"%s\"]{stroke:%s}\n", palette[c].light, palette[c].dark);
    }
    fprintf(to,
            ".refheap [fill=\"white\"]{fill:%s}\n.refheap [fill=\"black\"]{fill:%s}\n"
            ".refheap text:not([fill]){fill:%s}\n}\n",
            palette[COLOR_PAPER].dark, palette[COLOR_INK].dark, palette[COLOR_INK].dark);
}
