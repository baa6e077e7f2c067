/* objects: a row an object, by ordinal. */
#include "tables.h"

enum column_number {
    ORDINAL,
    HEAP,
    ADDRESS,
    TYPE,
    SIZE,
    REFCOUNT,
    GENERATION,
    TRACKED,
    INTERNAL,
    EXPLAINED,
    UNEXPLAINED,
    OWNED,
    RETAINED,
    DOMINATOR,
    GARBAGE,
    DEPENDENT,
    INVISIBLE,
    CYCLE,
    LABEL,
    SERIAL,
};

static const struct sql_column columns[] = {
    {"ordinal", "INTEGER", "rank by address, as @ORDINAL", 0},
    {"heap", "INTEGER", NULL, 0},
    {"address", "INTEGER", "hex_address(address) shows it; 0x... looks it up", 0},
    {"type", "TEXT", NULL, 0},
    {"size", "INTEGER", "bytes", 0},
    {"refcount", "INTEGER", "NULL: immortal", 0},
    {"generation", "INTEGER", "0, 1, 2, 3 permanent, -1 untracked", 0},
    {"tracked", "INTEGER", "0 or 1", 0},
    {"internal", "INTEGER", "counted references from objects", 0},
    {"explained", "INTEGER", "counted references from exact roots", 0},
    {"unexplained", "INTEGER", "refcount - internal - explained", 0},
    {"owned", "INTEGER", "bytes that go at least when it goes", PART_OWNED},
    {"retained", "INTEGER", "bytes unreachable without it", PART_DOMINATORS},
    {"dominator", "INTEGER", "the object all ways to it lead through; NULL: none", PART_DOMINATORS},
    {"garbage", "INTEGER", "0 or 1: a collection of generation 2 would find it", PART_GARBAGE},
    {"dependent", "INTEGER", "0 or 1: freed with the garbage", PART_GARBAGE},
    {"invisible", "INTEGER", "0 or 1: garbage the collector cannot see", PART_GARBAGE},
    {"cycle", "INTEGER", "cycles.id or NULL", PART_CYCLES},
    {"label", "TEXT", "its value or name, '' without", PART_VALUES},
    {"serial", "INTEGER", "NULL where the heap keeps none", PART_SERIALS},
    {NULL, NULL, NULL, 0},
};

enum { BY_ORDINAL, BY_ADDRESS };

static uint64_t count(const struct database *db)
{
    return snapshot_count(db->s->snapshot, SECTION_OBJECTS);
}

static void find(const struct database *db, int lookup, int64_t value, struct rows *rows)
{
    const struct graph *g = &db->s->graph;
    ordinal o = ORDINAL_NONE;
    if (lookup == BY_ADDRESS)
        o = address_index_find(&g->index, (uint64_t)value);
    else if (value >= 0 && (uint64_t)value < g->objects)
        o = (ordinal)value;
    rows->at = o;
    rows->end = o == ORDINAL_NONE ? o : o + UINT64_C(1);
}

/* Virtual nodes and the super-root are no objects. */
static void give_dominator(const struct database *db, sqlite3_context *to, ordinal o)
{
    ordinal dominator = db->s->dominators.dominator[o];
    if (dominator < db->s->graph.objects)
        give_ordinal(to, dominator);
}

static void give_cycle(const struct database *db, sqlite3_context *to, ordinal o)
{
    ordinal component = db->s->components.component[o];
    ordinal cycle = component == ORDINAL_NONE ? ORDINAL_NONE : db->s->cycles.of_component[component];
    if (cycle != ORDINAL_NONE)
        sqlite3_result_int64(to, cycle + INT64_C(1));
}

static void give_unexplained(const struct database *db, sqlite3_context *to, ordinal o)
{
    const struct graph *g = &db->s->graph;
    int64_t explained = (int64_t)roots_explained(&db->s->roots, o);
    sqlite3_result_int64(to, graph_is_immortal(g, o) ? 0 : graph_external(g, o) - explained);
}

static void value(struct database *db, const struct rows *rows, int column, sqlite3_context *to)
{
    const struct session *s = db->s;
    const struct graph *g = &s->graph;
    ordinal o = (ordinal)rows->at;
    char name[NAME_SIZE];
    switch ((enum column_number)column) {
    case ORDINAL:
        give_ordinal(to, o);
        break;
    case HEAP:
        sqlite3_result_int64(to, graph_heap(g, o));
        break;
    case ADDRESS:
        give_address(to, graph_address(g, o));
        break;
    case TYPE:
        give_text(to, type_name(s, o));
        break;
    case SIZE:
        give_unsigned(to, graph_size(g, o));
        break;
    case REFCOUNT:
        if (!graph_is_immortal(g, o))
            sqlite3_result_int64(to, graph_refcount(g, o));
        break;
    case GENERATION:
        give_generation(to, graph_generation(g, o));
        break;
    case TRACKED:
        sqlite3_result_int(to, graph_generation(g, o) != GENERATION_UNTRACKED);
        break;
    case INTERNAL:
        sqlite3_result_int64(to, graph_internal(g, o));
        break;
    case EXPLAINED:
        give_unsigned(to, roots_explained(&s->roots, o));
        break;
    case UNEXPLAINED:
        give_unexplained(db, to, o);
        break;
    case OWNED:
        give_unsigned(to, db->owned[o]);
        break;
    case RETAINED:
        give_unsigned(to, s->dominators.retained[o]);
        break;
    case DOMINATOR:
        give_dominator(db, to, o);
        break;
    case GARBAGE:
        sqlite3_result_int(to, s->garbage[db->generation].fate[o] == FATE_GARBAGE);
        break;
    case DEPENDENT:
        sqlite3_result_int(to, s->garbage[db->generation].fate[o] == FATE_DEPENDENT);
        break;
    case INVISIBLE:
        sqlite3_result_int(to, s->garbage[2].fate[o] == FATE_INVISIBLE);
        break;
    case CYCLE:
        give_cycle(db, to, o);
        break;
    case LABEL:
        give_name(to, name_object(s, o, name));
        break;
    case SERIAL:
        if (db->serials[o])
            give_unsigned(to, db->serials[o]);
        break;
    }
}

const struct sql_table table_objects = {
    .name = "objects",
    .comment = "everything known of each object",
    .columns = columns,
    .lookup = {[BY_ORDINAL] = {"ordinal", 1}, [BY_ADDRESS] = {"address", 1}},
    .ordered = 1,
    .needs = PART_GRAPH,
    .count = count,
    .find = find,
    .value = value,
};
