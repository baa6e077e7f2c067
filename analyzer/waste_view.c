#include "waste_view.h"

#include <stdlib.h>

#include "../dumpfmt/error.h"
#include "render/text.h"
#include "waste.h"

static const struct column type_columns[] = {
    {"type", "type", CELL_TEXT},
    {"count", "count", CELL_COUNT},
    {"duplicates", "duplicates", CELL_COUNT},
    {"duplicate_bytes", "size", CELL_SIZE},
    {"empty", "empty", CELL_COUNT},
    {"empty_bytes", "size", CELL_SIZE},
    {"sparse", "sparse", CELL_COUNT},
    {"sparse_bytes", "room", CELL_SIZE},
    {"wasted", "wasted", CELL_SIZE},
};
static const struct column value_columns[] = {
    {"value", "value", CELL_TEXT},   {"type", "type", CELL_TEXT},      {"count", "count", CELL_COUNT},
    {"wasted", "wasted", CELL_SIZE}, {"first", "first", CELL_ADDRESS},
};
enum { TYPE_COLUMNS = 9, VALUE_COLUMNS = 5 };

static uint64_t wasted(const struct class_waste *c)
{
    return c->duplicate_bytes + c->empty_bytes + c->sparse_bytes;
}

static int compare_classes(const void *pa, const void *pb, void *classes)
{
    const struct class_waste *a = (struct class_waste *)classes + *(const uint32_t *)pa;
    const struct class_waste *b = (struct class_waste *)classes + *(const uint32_t *)pb;
    if (wasted(a) != wasted(b))
        return wasted(a) < wasted(b) ? 1 : -1;
    return a < b ? -1 : a > b;
}

static int show_types(struct invocation *inv, const struct waste *w, const uint32_t *order)
{
    const struct session *s = &inv->session;
    struct table_options options = {.name = "types", .noun = "types"};
    struct table t;
    begin_table(inv, &t, type_columns, TYPE_COLUMNS, &options);
    for (uint32_t i = 0; i < s->classes.count; i++) {
        const struct class_waste *c = &w->classes[order[i]];
        struct text name = class_name(s, order[i]);
        struct cell cells[TYPE_COLUMNS] = {cell_bytes(name.bytes, name.length),
                                           cell_number(c->count),
                                           cell_number(c->duplicates),
                                           cell_number(c->duplicate_bytes),
                                           cell_number(c->empty),
                                           cell_number(c->empty_bytes),
                                           cell_number(c->sparse),
                                           cell_number(c->sparse_bytes),
                                           cell_number(wasted(c))};
        if (c->duplicates || c->empty || c->sparse)
            table_row(&t, cells);
    }
    return table_end(&t, &options);
}

static int show_values(struct invocation *inv, const struct waste *w)
{
    const struct session *s = &inv->session;
    struct table_options options = {.name = "duplicates", .noun = "values"};
    struct table t;
    char name[NAME_SIZE];
    options.limit = table_limit(inv);
    table_begin(&t, &inv->out, value_columns, VALUE_COLUMNS, &options);
    for (size_t i = 0; i < w->duplicate_count; i++) {
        const struct duplicate *d = &w->duplicates[i];
        struct cell cells[VALUE_COLUMNS] = {cell_text(name_object(s, d->first, name)),
                                            cell_bytes(type_name(s, d->first).bytes, type_name(s, d->first).length),
                                            cell_number(d->count), cell_number(d->wasted),
                                            cell_number(graph_address(&s->graph, d->first))};
        table_row(&t, cells);
    }
    return table_end(&t, &options);
}

static void show_head(struct invocation *inv, const struct waste *w)
{
    const struct session *s = &inv->session;
    struct class_waste all = {0};
    FILE *f = inv->out.file;
    char n[4][TEXT_NUMBER_SIZE];
    for (uint32_t c = 0; c < s->classes.count; c++) {
        all.duplicates += w->classes[c].duplicates;
        all.duplicate_bytes += w->classes[c].duplicate_bytes;
        all.empty += w->classes[c].empty;
        all.empty_bytes += w->classes[c].empty_bytes;
        all.sparse += w->classes[c].sparse;
        all.sparse_bytes += w->classes[c].sparse_bytes;
    }
    if (!w->has_values)
        fputs("equal strings: not known, values were left out of the snapshot\n", f);
    else
        fprintf(f, "equal strings: %s, %s, beyond the first of each value\n",
                text_plural(all.duplicates, "object", n[0]), text_size(all.duplicate_bytes, n[1]));
    if (!w->has_capacities)
        fputs("room in containers: not known, none says how much it has\n", f);
    else
        fprintf(f, "empty containers: %s, %s; at most a quarter in use: %s, %s of room\n", text_count(all.empty, n[0]),
                text_size(all.empty_bytes, n[1]), text_count(all.sparse, n[2]), text_size(all.sparse_bytes, n[3]));
    if (wasted(&all))
        fputc('\n', f);
}

static int show(struct invocation *inv, const struct waste *w, const uint32_t *order)
{
    if (inv->out.format == OUTPUT_JSON)
        begin_json(inv);
    if (inv->out.format == OUTPUT_TEXT)
        show_head(inv, w);
    int status = show_types(inv, w, order);
    if (inv->out.format == OUTPUT_TEXT && w->duplicate_count)
        fputc('\n', inv->out.file);
    if (!status && inv->out.format != OUTPUT_CSV)
        status = show_values(inv, w);
    if (inv->out.format == OUTPUT_JSON) {
        json_bool(&inv->out.json, "values_known", w->has_values);
        json_bool(&inv->out.json, "capacities_known", w->has_capacities);
        json_end(&inv->out.json);
    }
    return status;
}

int show_waste(struct invocation *inv)
{
    struct session *s = &inv->session;
    struct waste w = {0};
    struct rh_error err;
    if (check_sort(inv, type_columns, TYPE_COLUMNS))
        return STATUS_ERROR;
    if (session_graph(s, &err) || session_values(s, &err))
        return fail(s->path, &err);
    uint8_t *chosen = malloc((size_t)s->graph.objects + 1);
    uint32_t *order = malloc(((size_t)s->classes.count + 1) * sizeof *order);
    for (ordinal o = 0; chosen && o < s->graph.objects; o++)
        chosen[o] = (uint8_t)filter_matches(inv, o);
    int status = chosen && order ? waste_find(s, chosen, &w) : -1;
    if (!status) {
        for (uint32_t c = 0; c < s->classes.count; c++)
            order[c] = c;
        qsort_r(order, s->classes.count, sizeof *order, compare_classes, w.classes);
        status = show(inv, &w, order);
    }
    waste_release(&w);
    free(chosen);
    free(order);
    if (status) {
        error_set(&err, RH_ERR_NO_MEMORY, "not enough memory for the summary", "");
        return fail(s->path, &err);
    }
    return STATUS_FINE;
}
