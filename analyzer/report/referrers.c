/* Who refers to the objects of a class: references by the type they come from and by their label, counted over the
 * whole heap at once for all classes that are asked about.
 */
#include <stdlib.h>
#include <string.h>

#include "../graph/array.h"
#include "../answers/intern.h"
#include "../render/html.h"
#include "../render/text.h"
#include "report.h"

enum { ROWS_SHOWN = 8 };

/* References of one label, from objects of one class to objects of another. */
struct row {
    uint32_t to, from; /* classes */
    uint32_t label;    /* number in `labels` */
    uint8_t bits;      /* enum edge_bits */
    uint64_t count;
};

/* What a label is found by without being written out: that of a field, say, is the same for all objects of a type. */
struct known_label {
    uint64_t label;
    uint32_t type, text; /* `text` is a number in `labels`; UINT32_MAX for an empty slot */
    uint8_t kind;
};
enum { KNOWN = 1 << 10 };

struct referrers {
    const struct session *s;
    uint8_t *asked; /* by class */
    struct intern labels;
    struct known_label *known;
    struct row *rows;
    size_t count, capacity;
    uint32_t *slots; /* row + 1 */
};

static uint64_t mix(uint64_t h, uint64_t value)
{
    h = (h ^ value) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 29;
}

/* ---- labels ---- */

/* The number of an edge's label, items and keys as one. */
static uint32_t label_of(struct referrers *q, ordinal from, uint64_t e)
{
    char name[NAME_SIZE];
    struct edge edge;
    unsigned kind = graph_info(&q->s->graph, e) >> LABEL_KIND_SHIFT;
    uint32_t type = graph_type(&q->s->graph, from);
    uint64_t label = 0;
    if (kind != LABEL_INDEX && kind != LABEL_IS_KEY) { /* whose texts are the same for all */
        graph_edge(&q->s->graph, from, e, &edge);
        label = edge.label;
    } else {
        edge = (struct edge){.from = from, .kind = (uint8_t)kind};
    }
    if (kind == LABEL_ELEMENT)
        label >>= LABEL_ELEMENT_SHIFT;
    struct known_label *known = &q->known[mix(mix(mix(0, label), type), kind) >> 20 & (KNOWN - 1)];
    if (known->text == UINT32_MAX || known->label != label || known->type != type || known->kind != kind)
        *known = (struct known_label){label, type, intern_text(&q->labels, name_edge_group(q->s, &edge, name)),
                                      (uint8_t)kind};
    return known->text;
}

/* ---- counting ---- */

static size_t slot_of(const struct referrers *q, const struct row *row)
{
    size_t mask = 4 * q->capacity - 1;
    size_t i = mix(mix(mix(mix(0, row->to), row->from), row->label), row->bits) >> 20 & mask;
    for (; q->slots[i]; i = (i + 1) & mask) {
        const struct row *other = &q->rows[q->slots[i] - 1];
        if (other->to == row->to && other->from == row->from && other->label == row->label && other->bits == row->bits)
            break;
    }
    return i;
}

static int grow(struct referrers *q)
{
    size_t capacity = q->capacity ? 2 * q->capacity : 256;
    struct row *rows = array_new(capacity, sizeof *rows);
    uint32_t *slots = array_new(4 * capacity, sizeof *slots);
    if (!rows || !slots) {
        array_free(rows);
        array_free(slots);
        return -1;
    }
    if (q->count)
        memcpy(rows, q->rows, q->count * sizeof *rows);
    array_free(q->rows);
    array_free(q->slots);
    q->rows = rows;
    q->slots = slots;
    q->capacity = capacity;
    for (size_t i = 0; i < q->count; i++)
        slots[slot_of(q, &rows[i])] = (uint32_t)i + 1;
    return 0;
}

static int count_edge(struct referrers *q, ordinal from, uint64_t e, uint32_t to)
{
    const struct session *s = q->s;
    struct row row = {.to = to,
                      .from = s->classes.of_type[graph_type(&s->graph, from)],
                      .label = label_of(q, from, e),
                      .bits = graph_info(&s->graph, e) & ((1u << LABEL_KIND_SHIFT) - 1)};
    if (row.label == UINT32_MAX || (q->count == q->capacity && grow(q)))
        return -1;
    size_t slot = slot_of(q, &row);
    if (!q->slots[slot]) {
        q->rows[q->count++] = row;
        q->slots[slot] = (uint32_t)q->count;
    }
    q->rows[q->slots[slot] - 1].count++;
    return 0;
}

static int count_all(struct referrers *q)
{
    const struct session *s = q->s;
    const struct graph *g = &s->graph;
    for (ordinal o = 0; o < g->objects; o++)
        for (uint64_t e = graph_begin(g, o); e < graph_end(g, o); e++) {
            ordinal t = graph_target(g, e);
            if (t == ORDINAL_NONE)
                continue;
            uint32_t to = s->classes.of_type[graph_type(g, t)];
            if (q->asked[to] && count_edge(q, o, e, to))
                return -1;
        }
    return 0;
}

static int compare_rows(const void *pa, const void *pb)
{
    const struct row *a = pa, *b = pb;
    if (a->to != b->to)
        return a->to < b->to ? -1 : 1;
    if (a->count != b->count)
        return a->count < b->count ? 1 : -1;
    if (a->from != b->from)
        return a->from < b->from ? -1 : 1;
    return a->label < b->label ? -1 : a->label > b->label;
}

int referrers_find(const struct session *s, const uint32_t *classes, size_t count, struct referrers **result)
{
    struct referrers *q = calloc(1, sizeof *q);
    *result = q;
    if (!q)
        return -1;
    q->s = s;
    q->asked = calloc((size_t)s->classes.count + 1, 1);
    q->known = malloc(KNOWN * sizeof *q->known);
    if (!q->asked || !q->known || grow(q))
        return -1;
    for (size_t i = 0; i < KNOWN; i++)
        q->known[i].text = UINT32_MAX;
    for (size_t i = 0; i < count; i++)
        q->asked[classes[i]] = 1;
    int status = count_all(q);
    if (!status)
        qsort(q->rows, q->count, sizeof *q->rows, compare_rows);
    return status;
}

void referrers_release(struct referrers *q)
{
    if (!q)
        return;
    free(q->asked);
    free(q->known);
    intern_release(&q->labels);
    array_free(q->rows);
    array_free(q->slots);
    free(q);
}

/* ---- showing ---- */

void referrers_show(struct report *r, const struct referrers *q, uint32_t klass)
{
    static const struct column columns[] = {
        {"type", "from", CELL_TEXT},
        {"label", "by", CELL_TEXT},
        {"kind", "kind", CELL_TEXT},
        {"references", "references", CELL_COUNT},
    };
    char caption[NAME_SIZE + 40], name[NAME_SIZE], n[TEXT_NUMBER_SIZE];
    uint64_t most = 0, left = 0, references = 0;
    size_t shown = 0;
    for (size_t i = 0; i < q->count; i++)
        if (q->rows[i].to == klass && q->rows[i].count > most)
            most = q->rows[i].count;
    if (!most)
        return;
    snprintf(caption, sizeof caption, "Who refers to %s", name_class(r->s, klass, name));
    const struct html_table table = {
        .id = "", .caption = caption, .class = "referrers", .columns = columns, .count = 4, .bar_of = most, .bar = 3};
    fputs("<h3>", r->f);
    html_text(r->f, caption);
    fputs("</h3>\n", r->f);
    html_table_begin(r->f, &table);
    for (size_t i = 0; i < q->count; i++) {
        const struct row *row = &q->rows[i];
        if (row->to != klass)
            continue;
        if (shown++ >= ROWS_SHOWN) {
            left++;
            references += row->count;
            continue;
        }
        struct text from = class_name(r->s, row->from);
        struct cell cells[] = {cell_bytes(from.bytes, from.length), cell_text(q->labels.text[row->label]),
                               cell_text(name_edge_kind(row->bits)), cell_number(row->count)};
        html_table_row(r->f, &table, cells);
    }
    html_table_end(r->f, &table);
    if (left) {
        fputs("<p class=\"more\">", r->f);
        html_say(r->f, "and %s more ways, ", text_count(left, n));
        html_say(r->f, "%s", text_plural(references, "reference", n));
        fputs("</p>\n", r->f);
    }
}
