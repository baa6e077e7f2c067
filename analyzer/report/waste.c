/* Duplicates and waste: equal strings, containers with more room than they need. */
#include <stdlib.h>

#include "../render/html.h"
#include "../render/text.h"
#include "../parts/waste_view.h"
#include "report.h"

enum { TYPES_SHOWN = 30, VALUES_SHOWN = 20 };

static void show_types(struct report *r, const struct waste *w, const uint32_t *order, uint64_t whole)
{
    const struct html_table table = {.id = "waste-table",
                                     .caption = "Waste by type",
                                     .class = "sortable",
                                     .columns = waste_type_columns,
                                     .count = WASTE_TYPE_COLUMNS,
                                     .bar_of = whole,
                                     .bar = WASTE_TYPE_COLUMNS - 1};
    uint64_t shown = 0, left = 0, bytes = 0;
    html_table_begin(r->f, &table);
    for (uint32_t i = 0; i < r->s->classes.count; i++) {
        const struct class_waste *c = &w->classes[order[i]];
        struct cell cells[WASTE_TYPE_COLUMNS];
        if (!c->duplicates && !c->empty && !c->sparse)
            continue;
        if (shown++ >= TYPES_SHOWN) {
            left++;
            bytes += class_wasted(c);
            continue;
        }
        waste_type_cells(r->s, w, order[i], cells);
        html_table_row(r->f, &table, cells);
    }
    html_table_end(r->f, &table);
    report_more(r, left, "type", bytes);
}

static void show_values(struct report *r, const struct waste *w)
{
    const struct html_table table = {.id = "duplicates-table",
                                     .caption = "Values that are there more than once",
                                     .class = "sortable",
                                     .columns = waste_value_columns,
                                     .count = WASTE_VALUE_COLUMNS,
                                     .bar_of = w->duplicates[0].wasted,
                                     .bar = 3};
    struct cell cells[WASTE_VALUE_COLUMNS];
    char name[NAME_SIZE];
    uint64_t bytes = 0;
    fputs("<h3>Values that are there more than once</h3>\n", r->f);
    html_table_begin(r->f, &table);
    for (size_t i = 0; i < w->duplicate_count; i++) {
        if (i >= VALUES_SHOWN) {
            bytes += w->duplicates[i].wasted;
            continue;
        }
        waste_value_cells(r->s, &w->duplicates[i], name, cells);
        html_table_row(r->f, &table, cells);
    }
    html_table_end(r->f, &table);
    report_more(r, w->duplicate_count > VALUES_SHOWN ? w->duplicate_count - VALUES_SHOWN : 0, "value", bytes);
}

static void show(struct report *r, const struct waste *w, const uint32_t *order)
{
    struct class_waste all = waste_total(r->s, w);
    char line[2][WASTE_LINE_SIZE];
    waste_describe(r->s, w, line);
    fputs("<ul>", r->f);
    for (int i = 0; i < 2; i++) {
        fputs("<li>", r->f);
        html_text(r->f, line[i]);
        fputs("</li>", r->f);
    }
    fputs("</ul>\n", r->f);
    if (class_wasted(&all))
        show_types(r, w, order, class_wasted(&w->classes[order[0]]));
    if (w->duplicate_count)
        show_values(r, w);
}

int report_waste(struct report *r)
{
    uint32_t *order = waste_order(r->s, &r->waste);
    if (!order)
        return -1;
    show(r, &r->waste, order);
    free(order);
    return 0;
}
