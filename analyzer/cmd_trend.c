/* trend: the types that grew at every step of three snapshots or more. */
#include <stdlib.h>
#include <string.h>

#include "../dumpfmt/error.h"
#include "line/commands.h"
#include "answers/compare.h"
#include "graph/census.h"
#include "render/text.h"

enum { OWN_ALL };
static const struct own_option own[] = {
    {"all", NULL, "show every type, also those that did not grow at every step"},
    {NULL, NULL, NULL},
};

enum { STEPS_SHOWN = 8 }; /* counts in a line of text: of more, the first and the last */

struct trend {
    struct invocation *inv;
    int steps; /* snapshots */
    struct common_types types;
    uint64_t *objects, *bytes; /* by type, `steps` each */
    uint32_t *order;           /* types shown, what grew most first */
    uint32_t shown;
};

static const struct session *snapshot_at(const struct invocation *inv, int step)
{
    return step ? &inv->more[step - 1] : &inv->session;
}

static uint64_t *row(const struct trend *t, uint64_t *values, uint32_t type)
{
    return values + (size_t)type * (size_t)t->steps;
}

static int64_t growth(const struct trend *t, uint64_t *values, uint32_t type)
{
    const uint64_t *v = row(t, values, type);
    return (int64_t)(v[t->steps - 1] - v[0]);
}

static int has_grown(const struct trend *t, uint32_t type)
{
    return census_rises(row(t, t->objects, type), t->steps) || census_rises(row(t, t->bytes, type), t->steps);
}

/* ---- counting ---- */

static int count_step(struct trend *t, int step)
{
    const struct options *o = &t->inv->options;
    const struct census_filter filter = {o->heap, o->generation};
    struct census *sums = calloc((size_t)t->types.count + 1, sizeof *sums);
    if (!sums)
        return -1;
    census_take(snapshot_at(t->inv, step)->snapshot, &filter, t->types.of_type[step], sums);
    for (uint32_t type = 0; type < t->types.count; type++) {
        row(t, t->objects, type)[step] = sums[type].objects;
        row(t, t->bytes, type)[step] = sums[type].bytes;
    }
    free(sums);
    return 0;
}

static int compare_types(const void *pa, const void *pb, void *context)
{
    const struct trend *t = context;
    uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;
    int64_t x = growth(t, t->bytes, a), y = growth(t, t->bytes, b);
    if (x != y)
        return x < y ? 1 : -1;
    x = growth(t, t->objects, a);
    y = growth(t, t->objects, b);
    if (x != y)
        return x < y ? 1 : -1;
    return a < b ? -1 : a > b;
}

static int count_up(struct trend *t)
{
    const struct session **sessions = malloc((size_t)t->steps * sizeof *sessions);
    for (int i = 0; sessions && i < t->steps; i++)
        sessions[i] = snapshot_at(t->inv, i);
    int status = sessions ? common_types_find(sessions, t->steps, &t->types) : -1;
    free(sessions);
    size_t cells = ((size_t)t->types.count + 1) * (size_t)t->steps;
    t->objects = calloc(cells, sizeof *t->objects);
    t->bytes = calloc(cells, sizeof *t->bytes);
    t->order = malloc(((size_t)t->types.count + 1) * sizeof *t->order);
    if (!t->objects || !t->bytes || !t->order)
        status = -1;
    for (int i = 0; i < t->steps && !status; i++)
        status = count_step(t, i);
    for (uint32_t type = 0; !status && type < t->types.count; type++) {
        uint64_t ever = 0;
        for (int i = 0; i < t->steps; i++)
            ever += row(t, t->objects, type)[i];
        int named = !t->inv->options.type || glob_matches(t->inv->options.type, t->types.name[type]);
        if (ever && named && (t->inv->own[OWN_ALL] || has_grown(t, type)))
            t->order[t->shown++] = type;
    }
    if (!status)
        qsort_r(t->order, t->shown, sizeof *t->order, compare_types, t);
    return status;
}

/* ---- showing ---- */

/* Columns: the type, counts and bytes of every step, and how much they grew. Keys stand in `keys`. */
enum { KEY_SIZE = 32 };

static struct column *describe_columns(const struct trend *t, char (*keys)[KEY_SIZE], size_t *count)
{
    struct column *columns = calloc(2 * (size_t)t->steps + 4, sizeof *columns), *c = columns;
    int text = t->inv->out.format == OUTPUT_TEXT;
    if (!columns)
        return NULL;
    *c++ = (struct column){"type", "type", CELL_TEXT};
    for (int i = 0; i < t->steps; i++) {
        int hidden = t->steps > STEPS_SHOWN && i && i <= t->steps - STEPS_SHOWN;
        snprintf(keys[i], KEY_SIZE, "count_%d", i + 1);
        if (!text || !hidden)
            *c++ = (struct column){keys[i], keys[i] + strlen("count_"), CELL_COUNT};
    }
    for (int i = 0; i < t->steps && !text; i++) {
        snprintf(keys[t->steps + i], KEY_SIZE, "bytes_%d", i + 1);
        *c++ = (struct column){keys[t->steps + i], NULL, CELL_SIZE};
    }
    *c++ = (struct column){"delta_count", "change", CELL_CHANGE};
    *c++ = (struct column){"delta_bytes", "size", CELL_SIZE_CHANGE};
    *count = (size_t)(c - columns);
    return columns;
}

static void fill_row(const struct trend *t, const struct column *columns, size_t count, uint32_t type,
                     struct cell *cells)
{
    for (size_t i = 0; i < count; i++) {
        const char *key = columns[i].key;
        if (columns[i].kind == CELL_TEXT)
            cells[i] = cell_bytes(t->types.name[type].bytes, t->types.name[type].length);
        else if (columns[i].kind == CELL_COUNT || columns[i].kind == CELL_SIZE)
            cells[i] = cell_number(
                row(t, columns[i].kind == CELL_COUNT ? t->objects : t->bytes, type)[atoi(key + strlen("count_")) - 1]);
        else
            cells[i] = cell_number((uint64_t)growth(t, columns[i].kind == CELL_CHANGE ? t->objects : t->bytes, type));
    }
}

static int show_table(const struct trend *t, const struct column *columns, size_t count)
{
    struct table_options options = {.name = "types", .noun = "types"};
    struct cell *cells = calloc(count, sizeof *cells);
    struct table table;
    if (!cells)
        return -1;
    begin_table(t->inv, &table, columns, count, &options);
    for (uint32_t i = 0; i < t->shown; i++) {
        fill_row(t, columns, count, t->order[i], cells);
        table_row(&table, cells);
    }
    free(cells);
    return table_end(&table, &options);
}

static void list_json(struct json *j, const char *key, const uint64_t *values, int count)
{
    json_array(j, key);
    for (int i = 0; i < count; i++)
        json_uint(j, NULL, values[i]);
    json_array_end(j);
}

static void show_json(const struct trend *t)
{
    struct json *j = &t->inv->out.json;
    uint64_t limit = table_limit(t->inv);
    begin_json(t->inv);
    json_array(j, "types");
    for (uint32_t i = 0; i < t->shown && (!limit || i < limit); i++) {
        uint32_t type = t->order[i];
        json_object(j, NULL);
        json_text(j, "type", t->types.name[type].bytes, t->types.name[type].length);
        list_json(j, "counts", row(t, t->objects, type), t->steps);
        list_json(j, "bytes", row(t, t->bytes, type), t->steps);
        json_int(j, "delta_count", growth(t, t->objects, type));
        json_int(j, "delta_bytes", growth(t, t->bytes, type));
        json_bool(j, "objects_grew", census_rises(row(t, t->objects, type), t->steps));
        json_bool(j, "bytes_grew", census_rises(row(t, t->bytes, type), t->steps));
        json_object_end(j);
    }
    json_array_end(j);
    if (limit && t->shown > limit)
        json_uint(j, "types_omitted", t->shown - limit);
    json_end(j);
}

static int show(const struct trend *t, const struct column *columns, size_t count)
{
    FILE *f = t->inv->out.file;
    char n[TEXT_NUMBER_SIZE];
    uint32_t grown = 0;
    if (t->inv->out.format == OUTPUT_JSON) {
        show_json(t);
        return 0;
    }
    for (uint32_t i = 0; i < t->shown; i++)
        grown += has_grown(t, t->order[i]);
    if (t->inv->out.format == OUTPUT_TEXT)
        fprintf(f, "%s grew at every step of %d\n%s", grown ? text_plural(grown, "type", n) : "no type", t->steps - 1,
                t->shown ? "\n" : "");
    return show_table(t, columns, count);
}

static int run(struct invocation *inv)
{
    struct trend t = {.inv = inv, .steps = inv->more_count + 1};
    char(*keys)[KEY_SIZE] = calloc(2 * (size_t)t.steps, sizeof *keys);
    size_t columns_count = 0;
    struct column *columns = keys ? describe_columns(&t, keys, &columns_count) : NULL;
    struct rh_error err;
    int status = columns ? 0 : -1;
    if (!status && inv->out.format != OUTPUT_JSON)
        status = check_sort(inv, columns, columns_count);
    for (int i = 0; i < t.steps && !status; i++) {
        struct session *s = i ? &inv->more[i - 1] : &inv->session;
        if (session_classes(s, &err))
            status = fail(s->path, &err);
    }
    if (!status)
        status = count_up(&t);
    if (!status)
        status = show(&t, columns, columns_count);
    common_types_release(&t.types);
    free(t.objects);
    free(t.bytes);
    free(t.order);
    free(columns);
    free(keys);
    if (status >= 0)
        return status;
    error_set(&err, RH_ERR_NO_MEMORY, "not enough memory for the trend", "");
    return fail(NULL, &err);
}

const struct command cmd_trend = {
    .name = "trend",
    .summary = "the types that grew at every step of several snapshots",
    .arguments = "A B C...",
    .help =
        "Takes three snapshots or more, oldest first, and shows the types of which there were more objects, or more bytes,\n"
        "in each than in the one before, with the counts of every step; what grew most comes first. One busy moment is\n"
        "not a trend: what grew at every step seldom stops by itself. CSV has the bytes of every step too.",
    .takes = OPT_READING | OPT_TABLE | OPT_FILTER,
    .reads_snapshot = 1,
    .more_min = 2,
    .more_max = SNAPSHOTS_ANY,
    .own = own,
    .run = run,
};
