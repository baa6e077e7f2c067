/* Garbage cycles, one of each shape: the picture, and the reference to cut. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../answers/advice.h"
#include "../pictures/image.h"
#include "../render/html.h"
#include "../render/text.h"
#include "../answers/shape.h"
#include "report.h"

enum { SHAPES_SHOWN = 6, MEMBERS_SHOWN = 12, EDGES_SHOWN = 16, PICTURES_BYTES = 400000 };

/* ---- the picture ---- */

/* The picture of a cycle, or a line that says why there is none. All pictures share the room there is. */
static void draw(struct report *r, ordinal cycle, size_t *room)
{
    char ids[32];
    const struct svg_place place = {.fragment = 1, .ids = ids};
    struct image image;
    struct rh_error err;
    snprintf(ids, sizeof ids, "c%" PRI_ORDINAL "-", cycle + 1);
    int drawn = !image_of_cycle(r->s, cycle, &place, &image, &err);
    if (drawn && image.size <= *room) {
        *room -= image.size;
        fputs("<figure class=\"picture\" tabindex=\"0\" role=\"group\" aria-label=\"The cycle as a picture\">", r->f);
        fwrite(image.bytes, 1, image.size, r->f); /* svg_finish() has made sure that nothing in it can run or load */
        fputs("</figure>\n", r->f);
    } else {
        fputs("<p class=\"note\">", r->f);
        html_say(r->f, "There is no picture: %s.",
                 drawn ? "it is too large for a page; refheap render draws it" : err.what);
        fputs("</p>\n", r->f);
    }
    if (drawn && image.left_out) {
        fputs("<p class=\"more\">", r->f);
        html_say(r->f, "Not drawn: %s", image.left_out);
        fputs("</p>\n", r->f);
    }
    image_release(&image);
}

/* What the pictures mean. */
static void legend(FILE *f)
{
    static const struct {
        const char *class, *means;
    } keys[] = {
        {"k-garbage", "garbage"},
        {"k-dependent", "freed with it"},
        {"k-invisible", "garbage the collector cannot see"},
        {"k-live", "alive"},
    };
    fputs("<ul class=\"legend\">", f);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        fputs("<li><svg class=\"key ", f);
        html_text(f, keys[i].class);
        fputs("\" aria-hidden=\"true\"><rect x=\"1\" y=\"1\" width=\"20\" height=\"12\" rx=\"3\"/></svg>", f);
        html_text(f, keys[i].means);
        fputs("</li>", f);
    }
    fputs("<li><svg class=\"key k-cut\" aria-hidden=\"true\"><line x1=\"0\" y1=\"7\" x2=\"22\" y2=\"7\"/></svg>"
          "the reference to cut</li><li>a badge is the generation, a double outline several objects, dots a weak or "
          "borrowed reference</li></ul>\n",
          f);
}

/* ---- in words ---- */

static void show_edge(const struct report *r, ordinal from, uint64_t number)
{
    const struct session *s = r->s;
    struct edge edge;
    char name[NAME_SIZE];
    graph_edge(&s->graph, from, number, &edge);
    fputs("<li>", r->f);
    html_label(r->f, name_full(s, from, name));
    fputs(" <i>", r->f);
    html_label(r->f, name_edge(s, &edge, name));
    fputs("</i> → ", r->f);
    html_label(r->f, edge.to == ORDINAL_NONE ? "?" : name_full(s, edge.to, name));
    fputs(" <small>", r->f);
    html_text(r->f, name_edge_kind(edge.bits));
    fputs("</small></li>\n", r->f);
}

static void show_edges(struct report *r, const struct cycle *c)
{
    const struct session *s = r->s;
    const struct graph *g = &s->graph;
    const ordinal *member = s->components.member + s->components.member_start[c->component];
    uint64_t shown = 0, more = 0;
    fputs("<ul class=\"edges\">\n", r->f);
    for (ordinal i = 0; i < c->objects && shown < 10000; i++)
        for (uint64_t e = graph_begin(g, member[i]); e < graph_end(g, member[i]); e++) {
            ordinal t = graph_target(g, e);
            if (t == ORDINAL_NONE || !edge_is_counted(graph_info(g, e)) || s->components.component[t] != c->component)
                continue;
            if (shown++ < EDGES_SHOWN)
                show_edge(r, member[i], e);
            else
                more++;
        }
    fputs("</ul>\n", r->f);
    if (more)
        fputs("<p class=\"more\">and more references within the cycle</p>\n", r->f);
}

static void show_members(struct report *r, ordinal id, const struct cycle *c)
{
    static const struct column columns[] = {
        {"type", "type", CELL_TEXT},           {"label", "name", CELL_TEXT},
        {"address", "address", CELL_ADDRESS},  {"generation", "generation", CELL_GENERATION},
        {"refcount", "refcount", CELL_NUMBER}, {"size", "size", CELL_SIZE},
    };
    const struct session *s = r->s;
    const ordinal *member = s->components.member + s->components.member_start[c->component];
    char caption[NAME_SIZE], html_id[40], label[NAME_SIZE];
    snprintf(caption, sizeof caption, "Members of cycle %" PRI_ORDINAL, id + 1);
    snprintf(html_id, sizeof html_id, "cycle-%" PRI_ORDINAL "-members", id + 1);
    const struct html_table table = {.id = html_id, .caption = caption, .columns = columns, .count = 6};
    html_table_begin(r->f, &table);
    for (ordinal i = 0; i < c->objects && i < MEMBERS_SHOWN; i++) {
        ordinal o = member[i];
        struct text type = type_name(s, o);
        struct cell cells[] = {cell_bytes(type.bytes, type.length),
                               cell_text(name_object(s, o, label)),
                               cell_number(graph_address(&s->graph, o)),
                               cell_number(graph_generation(&s->graph, o)),
                               cell_number((uint64_t)graph_refcount(&s->graph, o)),
                               cell_number(graph_size(&s->graph, o))};
        html_table_row(r->f, &table, cells);
    }
    html_table_end(r->f, &table);
    report_more(r, c->objects > MEMBERS_SHOWN ? c->objects - MEMBERS_SHOWN : 0, "object", 0);
}

/* ---- a shape ---- */

static void show_facts(struct report *r, const struct shape_sum *sum, const struct cycle *c)
{
    char n[3][TEXT_NUMBER_SIZE];
    fputs("<p>", r->f);
    if (sum->cycles > 1)
        html_say(r->f, "%s of this shape, %s, keep %s. The first: ", text_plural(sum->cycles, "cycle", n[0]),
                 text_plural(sum->objects, "object", n[1]), text_size(sum->retained, n[2]));
    html_say(r->f, "%s, %s; retains %s", text_plural(c->objects, "object", n[0]), text_size(c->shallow, n[1]),
             text_size(c->retained, n[2]));
    html_say(r->f, "%s%s.", c->uncollectable ? "; a collection cannot free it" : "",
             c->invisible ? "; the collector cannot see it" : "");
    fputs("</p>\n", r->f);
}

static int show_shape(struct report *r, const struct shape_sum *sum, size_t *room)
{
    const struct session *s = r->s;
    const struct cycle *c = &s->cycles.items[sum->first];
    struct advice advice;
    char name[NAME_SIZE];
    if (advice_for_cycle(s, sum->first, &advice))
        return -1;
    fprintf(r->f,
            "<article class=\"cycle\" id=\"cycle-%" PRI_ORDINAL "\" data-cycles=\"%" PRIu64 "\" data-objects=\"%" PRIu64
            "\" data-retained=\"%" PRIu64 "\">\n<h3>",
            sum->first + 1, sum->cycles, sum->objects, sum->retained);
    html_say(r->f, "Cycle %" PRI_ORDINAL ": ", sum->first + 1);
    html_label(r->f, name_cycle(s, sum->first, name));
    fputs("</h3>\n", r->f);
    show_facts(r, sum, c);
    fputs("<p class=\"cut\"><b>To break it:</b> ", r->f);
    html_label(r->f, advice.text);
    fputs("</p>\n", r->f);
    draw(r, sum->first, room);
    fputs("<details><summary>Members and references</summary>\n", r->f);
    show_members(r, sum->first, c);
    show_edges(r, c);
    fputs("</details>\n</article>\n", r->f);
    advice_release(&advice);
    return 0;
}

int report_cycles(struct report *r)
{
    const struct session *s = r->s;
    size_t count;
    uint64_t bytes = 0, cycles = 0;
    size_t room = PICTURES_BYTES;
    char n[2][TEXT_NUMBER_SIZE];
    if (!s->cycles.count) {
        fputs("<p class=\"good\">There are no garbage cycles.</p>\n", r->f);
        return 0;
    }
    struct shape_sum *sums = shapes_sum(s, 0, &count);
    int status = sums ? 0 : -1;
    for (size_t i = 0; !status && i < count; i++)
        cycles += sums[i].cycles;
    fputs("<p>", r->f);
    html_say(r->f, "%s nobody else holds%s. One of each shape is drawn, with what hangs off it.",
             text_plural(cycles, "garbage cycle", n[0]),
             cycles < s->cycles.count ? ", and others that hang off them" : "");
    fputs("</p>\n", r->f);
    legend(r->f);
    for (size_t i = 0; !status && i < count; i++)
        if (i < SHAPES_SHOWN)
            status = show_shape(r, &sums[i], &room);
        else
            bytes += sums[i].retained;
    report_more(r, count > SHAPES_SHOWN ? count - SHAPES_SHOWN : 0, "shape", bytes);
    free(sums);
    return status;
}
