/* What each generation holds, and what a collection of it would do now. */
#include "../render/html.h"
#include "../render/text.h"
#include "report.h"

enum { HEAPS_SHOWN = 50 };

/* What a collection of the oldest generation of all heaps would do. */
static void say_what_would_be_freed(struct report *r)
{
    const struct garbage *g = &r->s->garbage[2];
    char n[4][TEXT_NUMBER_SIZE];
    fputs("<p>", r->f);
    if (!g->garbage.objects)
        html_say(r->f, "A collection now would find no garbage.");
    else
        html_say(r->f, "A collection now would find %s, %s, that reference counting cannot free",
                 text_plural(g->garbage.objects, "unreachable object", n[0]), text_size(g->garbage.bytes, n[1]));
    if (g->garbage.objects && g->dependent.objects)
        html_say(r->f, ", and free %s with %s, %s.", text_count(g->dependent.objects, n[2]),
                 g->garbage.objects == 1 ? "it" : "them", text_size(g->dependent.bytes, n[3]));
    else if (g->garbage.objects)
        html_say(r->f, ".");
    if (g->invisible.objects)
        html_say(r->f, " Unreachable too, but out of the collector's sight: %s, %s.",
                 text_plural(g->invisible.objects, "object", n[0]), text_size(g->invisible.bytes, n[1]));
    fputs(" Nothing was collected to find this out.</p>\n", r->f);
}

int report_generations(struct report *r)
{
    const uint32_t heaps = (uint32_t)snapshot_count(r->s->snapshot, SECTION_HEAPS);
    struct html_table table = {.id = "generations-table",
                               .caption = "Generations of each heap, and what a collection of each would do now",
                               .columns = generations_columns,
                               .count = GENERATIONS_COLUMNS,
                               .bar = 2};
    struct cell cells[GENERATIONS_COLUMNS];
    const struct generation_row *rows = r->generations;
    for (uint32_t i = 0; i < heaps * GENERATIONS; i++)
        table.bar_of = rows[i].objects > table.bar_of ? rows[i].objects : table.bar_of;
    say_what_would_be_freed(r);
    html_table_begin(r->f, &table);
    for (uint32_t heap = 0; heap < heaps && heap < HEAPS_SHOWN; heap++)
        for (uint32_t generation = 0; generation < GENERATIONS; generation++) {
            generations_cells(heap, generation, &rows[heap * GENERATIONS + generation], cells);
            html_table_row(r->f, &table, cells);
        }
    html_table_end(r->f, &table);
    if (heaps > HEAPS_SHOWN)
        report_more(r, heaps - HEAPS_SHOWN, "heap", 0);
    return 0;
}
