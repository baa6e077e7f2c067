/* The histogram: types with their counts and sizes, to be filtered and sorted. */
#include "../render/html.h"
#include "../render/text.h"
#include "report.h"

enum { TYPES_SHOWN = 1000, BYTES_MAX = 300000 };

static const struct column columns[] = {
    {"type", "type", CELL_TEXT},       {"count", "count", CELL_COUNT}, {"shallow", "shallow", CELL_SIZE},
    {"share", "share", CELL_SHARE},    {"owned", "owned", CELL_SIZE},  {"retained", "retained", CELL_SIZE},
    {"largest", "largest", CELL_SIZE},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

int report_types(struct report *r)
{
    const struct session *s = r->s;
    uint64_t left = 0, bytes = 0;
    const struct html_table table = {.id = "types-table",
                                     .caption = "Types by size",
                                     .class = "sortable filterable",
                                     .columns = columns,
                                     .count = COLUMNS,
                                     .bar_of = r->types ? s->sums[r->by_size[0]].shallow : 0,
                                     .bar = 2};
    fputs("<p><b>shallow</b> is the size of the objects themselves, <b>owned</b> what goes at least when they go, "
          "<b>retained</b> all that would be unreachable without them.</p>\n",
          r->f);
    html_table_begin(r->f, &table);
    long begin = ftell(r->f);
    for (uint32_t i = 0; i < r->types; i++) {
        const struct class_sums *c = &s->sums[r->by_size[i]];
        struct text name = class_name(s, r->by_size[i]);
        if (left || i >= TYPES_SHOWN || ftell(r->f) - begin > BYTES_MAX) {
            left++;
            bytes += c->shallow;
            continue;
        }
        struct cell cells[COLUMNS] = {cell_bytes(name.bytes, name.length),
                                      cell_number(c->count),
                                      cell_number(c->shallow),
                                      cell_number(text_share_of(c->shallow, s->graph.bytes)),
                                      cell_number(c->owned),
                                      cell_number(c->retained),
                                      cell_number(c->largest)};
        html_table_row(r->f, &table, cells);
    }
    html_table_end(r->f, &table);
    report_more(r, left, "type", bytes);
    return 0;
}
