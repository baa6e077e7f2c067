#include "waste_view.h"

#include <stdlib.h>
#include <string.h>

#include "../../dumpfmt/error.h"
#include "../render/text.h"

const struct column waste_type_columns[WASTE_TYPE_COLUMNS] = {
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
const struct column waste_value_columns[WASTE_VALUE_COLUMNS] = {
    {"value", "value", CELL_TEXT},   {"type", "type", CELL_TEXT},      {"count", "count", CELL_COUNT},
    {"wasted", "wasted", CELL_SIZE}, {"first", "first", CELL_ADDRESS},
};

void waste_type_cells(const struct session *s, const struct waste *w, uint32_t klass,
                      struct cell cells[WASTE_TYPE_COLUMNS])
{
    const struct class_waste *c = &w->classes[klass];
    struct text name = class_name(s, klass);
    const struct cell filled[WASTE_TYPE_COLUMNS] = {cell_bytes(name.bytes, name.length),
                                                    cell_number(c->count),
                                                    cell_number(c->duplicates),
                                                    cell_number(c->duplicate_bytes),
                                                    cell_number(c->empty),
                                                    cell_number(c->empty_bytes),
                                                    cell_number(c->sparse),
                                                    cell_number(c->sparse_bytes),
                                                    cell_number(class_wasted(c))};
    memcpy(cells, filled, sizeof filled);
}

void waste_value_cells(const struct session *s, const struct duplicate *d, char name[NAME_SIZE],
                       struct cell cells[WASTE_VALUE_COLUMNS])
{
    struct text type = type_name(s, d->first);
    const struct cell filled[WASTE_VALUE_COLUMNS] = {
        cell_text(name_object(s, d->first, name)), cell_bytes(type.bytes, type.length), cell_number(d->count),
        cell_number(d->wasted), cell_number(graph_address(&s->graph, d->first))};
    memcpy(cells, filled, sizeof filled);
}

static int compare_classes(const void *pa, const void *pb, void *classes)
{
    const struct class_waste *a = (struct class_waste *)classes + *(const uint32_t *)pa;
    const struct class_waste *b = (struct class_waste *)classes + *(const uint32_t *)pb;
    if (class_wasted(a) != class_wasted(b))
        return class_wasted(a) < class_wasted(b) ? 1 : -1;
    return a < b ? -1 : a > b;
}

uint32_t *waste_order(const struct session *s, const struct waste *w)
{
    uint32_t *order = malloc(((size_t)s->classes.count + 1) * sizeof *order);
    for (uint32_t c = 0; order && c < s->classes.count; c++)
        order[c] = c;
    if (order)
        qsort_r(order, s->classes.count, sizeof *order, compare_classes, w->classes);
    return order;
}

struct class_waste waste_total(const struct session *s, const struct waste *w)
{
    struct class_waste all = {0};
    for (uint32_t c = 0; c < s->classes.count; c++) {
        all.duplicates += w->classes[c].duplicates;
        all.duplicate_bytes += w->classes[c].duplicate_bytes;
        all.empty += w->classes[c].empty;
        all.empty_bytes += w->classes[c].empty_bytes;
        all.sparse += w->classes[c].sparse;
        all.sparse_bytes += w->classes[c].sparse_bytes;
    }
    return all;
}

void waste_describe(const struct session *s, const struct waste *w, char line[2][WASTE_LINE_SIZE])
{
    struct class_waste all = waste_total(s, w);
    char n[4][TEXT_NUMBER_SIZE];
    if (!w->has_values)
        snprintf(line[0], WASTE_LINE_SIZE, "equal strings: not known, values were left out of the snapshot");
    else
        snprintf(line[0], WASTE_LINE_SIZE, "equal strings: %s, %s, beyond the first of each value",
                 text_plural(all.duplicates, "object", n[0]), text_size(all.duplicate_bytes, n[1]));
    if (!w->has_capacities)
        snprintf(line[1], WASTE_LINE_SIZE, "room in containers: not known, none says how much it has");
    else
        snprintf(line[1], WASTE_LINE_SIZE, "empty containers: %s, %s; at most a quarter in use: %s, %s of room",
                 text_count(all.empty, n[0]), text_size(all.empty_bytes, n[1]), text_count(all.sparse, n[2]),
                 text_size(all.sparse_bytes, n[3]));
}

static int show_types(struct invocation *inv, const struct waste *w, const uint32_t *order)
{
    const struct session *s = &inv->session;
    struct table_options options = {.name = "types", .noun = "types"};
    struct table t;
    begin_table(inv, &t, waste_type_columns, WASTE_TYPE_COLUMNS, &options);
    for (uint32_t i = 0; i < s->classes.count; i++) {
        const struct class_waste *c = &w->classes[order[i]];
        struct cell cells[WASTE_TYPE_COLUMNS];
        waste_type_cells(s, w, order[i], cells);
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
    table_begin(&t, &inv->out, waste_value_columns, WASTE_VALUE_COLUMNS, &options);
    for (size_t i = 0; i < w->duplicate_count; i++) {
        struct cell cells[WASTE_VALUE_COLUMNS];
        waste_value_cells(s, &w->duplicates[i], name, cells);
        table_row(&t, cells);
    }
    return table_end(&t, &options);
}

static void show_head(struct invocation *inv, const struct waste *w)
{
    struct class_waste all = waste_total(&inv->session, w);
    char line[2][WASTE_LINE_SIZE];
    waste_describe(&inv->session, w, line);
    fprintf(inv->out.file, "%s\n%s\n", line[0], line[1]);
    if (class_wasted(&all))
        fputc('\n', inv->out.file);
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
    if (check_sort(inv, waste_type_columns, WASTE_TYPE_COLUMNS))
        return STATUS_ERROR;
    if (session_graph(s, &err) || session_values(s, &err))
        return fail(s->path, &err);
    uint8_t *chosen = malloc((size_t)s->graph.objects + 1);
    uint32_t *order = NULL;
    for (ordinal o = 0; chosen && o < s->graph.objects; o++)
        chosen[o] = (uint8_t)filter_matches(inv, o);
    int status = chosen ? waste_find(s, chosen, &w) : -1;
    if (!status && !(order = waste_order(s, &w)))
        status = -1;
    if (!status)
        status = show(inv, &w, order);
    waste_release(&w);
    free(chosen);
    free(order);
    if (status) {
        error_set(&err, RH_ERR_NO_MEMORY, "not enough memory for the summary", "");
        return fail(s->path, &err);
    }
    return STATUS_FINE;
}
