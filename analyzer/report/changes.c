/* What came, went and stayed since an earlier snapshot, by type. */
#include "../graph/changes.h"

#include <stdlib.h>

#include "../answers/compare.h"
#include "../render/html.h"
#include "../render/text.h"
#include "report.h"

enum { BEFORE, AFTER };
enum { TYPES_SHOWN = 200 };

struct comparison {
    const struct session *side[2];
    const struct graph *g[2];
    struct common_types types;
    struct pairing pairing;
    uint32_t *class_of[2]; /* by object */
    struct change *changes;
};

static const struct column columns[] = {
    {"type", "type", CELL_TEXT},
    {"before", "before", CELL_COUNT},
    {"after", "after", CELL_COUNT},
    {"delta_count", "change", CELL_CHANGE},
    {"delta_bytes", "size", CELL_SIZE_CHANGE},
    {"new", "new", CELL_COUNT},
    {"gone", "gone", CELL_COUNT},
    {"stayed", "stayed", CELL_COUNT},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static int compare(struct comparison *c)
{
    if (common_types_find(c->side, 2, &c->types))
        return -1;
    const struct pairing_side sides[] = {{c->g[BEFORE], c->types.of_type[BEFORE]},
                                         {c->g[AFTER], c->types.of_type[AFTER]}};
    c->changes = calloc((size_t)c->types.count + 1, sizeof *c->changes);
    if (!c->changes || pairing_find(sides, &c->pairing))
        return -1;
    for (int side = 0; side < 2; side++) {
        c->class_of[side] = malloc(((size_t)c->g[side]->objects + 1) * sizeof *c->class_of[side]);
        if (!c->class_of[side])
            return -1;
        for (ordinal o = 0; o < c->g[side]->objects; o++)
            c->class_of[side][o] = c->types.of_type[side][graph_type(c->g[side], o)];
    }
    changes_by_group(c->g, &c->pairing, c->class_of, c->types.count, c->changes);
    return 0;
}

static int64_t delta_bytes(const struct change *c)
{
    return (int64_t)(c->after_bytes - c->before_bytes);
}

static uint64_t magnitude(int64_t change)
{
    return change < 0 ? -(uint64_t)change : (uint64_t)change;
}

/* What grew most first. */
static int compare_rows(const void *pa, const void *pb, void *context)
{
    const struct change *changes = context;
    uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;
    int64_t x = delta_bytes(&changes[a]), y = delta_bytes(&changes[b]);
    if (x != y)
        return x < y ? 1 : -1;
    return a < b ? -1 : a > b;
}

static void show_head(struct report *r, const struct comparison *c)
{
    uint64_t before = c->g[BEFORE]->bytes, after = c->g[AFTER]->bytes, new = 0, gone = 0;
    char n[4][TEXT_NUMBER_SIZE];
    for (uint32_t i = 0; i < c->types.count; i++) {
        new += c->changes[i].new;
        gone += c->changes[i].gone;
    }
    fputs("<p>", r->f);
    html_say(r->f, "The heap went from %s to %s, ", text_size(before, n[0]), text_size(after, n[1]));
    html_say(r->f, "from %s to %s: %s new, ", text_count(c->g[BEFORE]->objects, n[0]),
             text_plural(c->g[AFTER]->objects, "object", n[1]), text_count(new, n[2]));
    html_say(r->f, "%s gone%s.", text_count(gone, n[3]),
             c->pairing.inferred ? ", as far as addresses and types tell" : "");
    fputs("</p>\n", r->f);
}

static int show(struct report *r, const struct comparison *c)
{
    uint32_t *order = malloc(((size_t)c->types.count + 1) * sizeof *order), same = 0, rows = 0;
    uint64_t left = 0, most = 0;
    char n[TEXT_NUMBER_SIZE];
    if (!order)
        return -1;
    for (uint32_t i = 0; i < c->types.count; i++) {
        const struct change *x = &c->changes[i];
        if (x->new || x->gone || delta_bytes(x))
            order[rows++] = i;
        else
            same += x->before || x->after;
        most = magnitude(delta_bytes(x)) > most ? magnitude(delta_bytes(x)) : most;
    }
    qsort_r(order, rows, sizeof *order, compare_rows, c->changes);
    const struct html_table table = {.id = "changes-table",
                                     .caption = "What changed, by type",
                                     .class = "sortable",
                                     .columns = columns,
                                     .count = COLUMNS};
    show_head(r, c);
    if (rows)
        html_table_begin(r->f, &table);
    for (uint32_t i = 0; i < rows; i++) {
        const struct change *x = &c->changes[order[i]];
        if (i >= TYPES_SHOWN) {
            left++;
            continue;
        }
        struct text name = c->types.name[order[i]];
        struct cell cells[COLUMNS] = {cell_bytes(name.bytes, name.length),
                                      cell_number(x->before),
                                      cell_number(x->after),
                                      cell_number(x->after - x->before),
                                      cell_number((uint64_t)delta_bytes(x)),
                                      cell_number(x->new),
                                      cell_number(x->gone),
                                      cell_number(x->stayed)};
        html_table_row(r->f, &table, cells);
    }
    if (rows)
        html_table_end(r->f, &table);
    report_more(r, left, "type", 0);
    if (same) {
        fputs("<p class=\"more\">", r->f);
        html_say(r->f, "%s did not change", text_plural(same, "type", n));
        fputs("</p>\n", r->f);
    }
    free(order);
    return 0;
}

int report_changes(struct report *r)
{
    struct comparison c = {.side = {&r->baseline->session, r->s}, .g = {&r->baseline->session.graph, &r->s->graph}};
    int status = compare(&c);
    if (!status)
        status = show(r, &c);
    pairing_release(&c.pairing);
    common_types_release(&c.types);
    free(c.class_of[BEFORE]);
    free(c.class_of[AFTER]);
    free(c.changes);
    return status;
}
