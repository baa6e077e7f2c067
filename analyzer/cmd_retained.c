/* retained: the objects and cycles that keep the most. */
#include <stdlib.h>
#include <string.h>

#include "../dumpfmt/error.h"
#include "line/commands.h"
#include "graph/top.h"
#include "answers/keepers.h"
#include "render/text.h"

struct listing {
    struct invocation *inv;
    ordinal *vertices; /* of the dominator tree: objects and source cycles */
    size_t count;
    uint32_t *children; /* by vertex */
    int column, ascending;
};

/* What numbers are sorted by; what a vertex has none of counts as 0. */
static uint64_t sort_key(const struct listing *l, ordinal v)
{
    const struct session *s = &l->inv->session;
    switch (l->column) {
    case KEEPER_ADDRESS:
        return v < s->graph.objects ? graph_address(&s->graph, v) : 0;
    case KEEPER_GENERATION:
        return v < s->graph.objects ? graph_generation(&s->graph, v) : 0;
    case KEEPER_SHALLOW:
        return keeper_shallow(s, v);
    case KEEPER_CHILDREN:
        return l->children[v];
    case KEEPER_CYCLE:
        return keeper_cycle(s, v) == ORDINAL_NONE ? 0 : keeper_cycle(s, v) + UINT64_C(1);
    default:
        return s->dominators.retained[v];
    }
}

static int compare_vertices(const void *pa, const void *pb, void *context)
{
    const struct listing *l = context;
    ordinal a = *(const ordinal *)pa, b = *(const ordinal *)pb;
    uint64_t x = sort_key(l, a), y = sort_key(l, b);
    if (x != y)
        return (x < y) == l->ascending ? -1 : 1;
    return a < b ? -1 : a > b;
}

/* A cycle passes the filters when one of its members does. */
static int passes(const struct invocation *inv, ordinal v)
{
    const struct session *s = &inv->session;
    if (v < s->graph.objects)
        return filter_matches(inv, v);
    ordinal component = s->dominators.virtual_component[v - s->graph.objects];
    for (ordinal m = s->components.member_start[component]; m < s->components.member_start[component + 1]; m++)
        if (filter_matches(inv, s->components.member[m]))
            return 1;
    return 0;
}

static void show_row(struct listing *l, struct table *t, ordinal v)
{
    char name[NAME_SIZE];
    struct cell cells[KEEPER_COLUMNS];
    keeper_cells(&l->inv->session, v, l->children[v], name, cells);
    table_row(t, cells);
}

static int show(struct listing *l)
{
    struct invocation *inv = l->inv;
    const struct dominators *d = &inv->session.dominators;
    struct table_options options = {.name = "objects", .noun = "objects and cycles"};
    const char *key = inv->options.sort;
    uint64_t limit = table_limit(inv);
    struct table t;
    for (ordinal v = 0; v < dominators_root(d); v++) {
        l->children[d->dominator[v]]++;
        if (passes(inv, v))
            l->vertices[l->count++] = v;
    }
    l->column = key ? (int)table_column(keeper_columns, KEEPER_COLUMNS, key) : KEEPER_RETAINED;
    l->ascending = key && *key == '+';
    begin_table(inv, &t, keeper_columns, KEEPER_COLUMNS, &options);
    size_t sorted = l->count;
    if (keeper_columns[l->column].kind != CELL_TEXT) {
        /* Sorted here, a long list need not be kept as rows. */
        t.sort = -1;
        sorted = top_sort(l->vertices, l->count, (size_t)limit, compare_vertices, l);
    }
    for (size_t i = 0; i < sorted; i++)
        show_row(l, &t, l->vertices[i]);
    t.seen = l->count;
    return table_end(&t, &options);
}

static int run(struct invocation *inv)
{
    struct session *s = &inv->session;
    struct rh_error err;
    if (check_sort(inv, keeper_columns, KEEPER_COLUMNS))
        return STATUS_ERROR;
    if (session_dominators(s, &err) || session_values(s, &err))
        return fail(s->path, &err);
    size_t n = (size_t)s->dominators.vertices + 1;
    struct listing l = {
        .inv = inv, .vertices = malloc(n * sizeof *l.vertices), .children = calloc(n, sizeof *l.children)};
    int status = l.vertices && l.children ? 0 : -1;
    if (!status) {
        if (inv->out.format == OUTPUT_JSON)
            begin_json(inv);
        status = show(&l);
        if (inv->out.format == OUTPUT_JSON)
            json_end(&inv->out.json);
    }
    free(l.vertices);
    free(l.children);
    if (status) {
        error_set(&err, RH_ERR_NO_MEMORY, "not enough memory for the list", "");
        return fail(s->path, &err);
    }
    return STATUS_FINE;
}

const struct command cmd_retained = {
    .name = "retained",
    .summary = "the objects and cycles that keep the most",
    .arguments = "SNAPSHOT",
    .help =
        "Lists objects and source cycles by retained size: what would be unreachable without them. share is the part\n"
        "of the heap; children counts what is kept by it directly, see \"refheap dominators\". A cycle passes a filter\n"
        "when one of its members does.",
    .takes = OPT_READING | OPT_TABLE | OPT_FILTER,
    .reads_snapshot = 1,
    .run = run,
};
