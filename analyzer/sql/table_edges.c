/* edges: a row a reference, by source in the order of its fields and items; or found by its source or target. */
#include "tables.h"

enum column_number { SOURCE, TARGET, KIND, LABEL };

static const struct sql_column columns[] = {
    {"source", "INTEGER", "ordinal", 0},
    {"target", "INTEGER", "ordinal; NULL: no object of the snapshot", 0},
    {"kind", "TEXT", "strong, owned, inferred, weak, borrowed", 0},
    {"label", "TEXT", "as written behind the source: .next, [3], ['key']", PART_VALUES},
    {NULL, NULL, NULL, 0},
};

/* Rows found by their target stand at places in the graph's `source`, all others at numbers of edges. */
enum { BY_SOURCE, BY_TARGET };

static uint64_t count(const struct database *db)
{
    return db->ready & PART_GRAPH ? db->s->graph.edges : snapshot_count(db->s->snapshot, SECTION_EDGES);
}

static void find(const struct database *db, int lookup, int64_t value, struct rows *rows)
{
    const struct graph *g = &db->s->graph;
    if (value < 0 || (uint64_t)value >= g->objects)
        return;
    ordinal o = (ordinal)value;
    rows->at = lookup == BY_SOURCE ? graph_begin(g, o) : graph_back_begin(g, o);
    rows->end = lookup == BY_SOURCE ? graph_end(g, o) : graph_back_end(g, o);
    rows->source = o;
}

static void settle(const struct database *db, struct rows *rows)
{
    const struct graph *g = &db->s->graph;
    if (rows->lookup == BY_TARGET)
        rows->source = graph_source(g, rows->at);
    else
        while (graph_end(g, rows->source) <= rows->at)
            rows->source++;
}

/* The edge's number; of one found by its target it has to be known first (PART_BACK_EDGES). */
static int row_id(struct database *db, const struct rows *rows, int64_t *id)
{
    if (rows->lookup != BY_TARGET)
        return 0;
    if (database_need(db, PART_BACK_EDGES))
        return -1;
    *id = (int64_t)db->back_edges[rows->at];
    return 0;
}

static void give_label(struct database *db, const struct rows *rows, sqlite3_context *to)
{
    struct edge edge;
    char name[NAME_SIZE];
    int64_t number = (int64_t)rows->at;
    /* Only this column needs the number, and only on the way back: it is made here rather than for every label. */
    if (row_id(db, rows, &number)) {
        sqlite3_result_error(to, db->part_error.what, -1);
        return;
    }
    graph_edge(&db->s->graph, rows->source, (uint64_t)number, &edge);
    give_name(to, name_edge(db->s, &edge, name));
}

static void value(struct database *db, const struct rows *rows, int column, sqlite3_context *to)
{
    const struct graph *g = &db->s->graph;
    int back = rows->lookup == BY_TARGET;
    switch ((enum column_number)column) {
    case SOURCE:
        give_ordinal(to, rows->source);
        break;
    case TARGET:
        give_ordinal(to, back ? (ordinal)rows->looked : graph_target(g, rows->at));
        break;
    case KIND:
        sqlite3_result_text(to, name_edge_kind(back ? graph_source_info(g, rows->at) : graph_info(g, rows->at)), -1, SQLITE_STATIC);
        break;
    case LABEL:
        give_label(db, rows, to);
        break;
    }
}

const struct sql_table table_edges = {
    .name = "edges",
    .comment = "references between objects",
    .columns = columns,
    .lookup = {[BY_SOURCE] = {"source", 0}, [BY_TARGET] = {"target", 0, PART_REFERRERS}},
    .ordered = 1,
    .needs = PART_GRAPH,
    .count = count,
    .find = find,
    .settle = settle,
    .row_id = row_id,
    .value = value,
};
