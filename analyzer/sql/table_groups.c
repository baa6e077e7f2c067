/* types and cycles: what objects are grouped by. */
#include "tables.h"

/* ---- types ---- */

enum type_column { TYPE_ID, TYPE_NAME, TYPE_MODULE, TYPE_BASIC, TYPE_ITEM, TYPE_COUNT, TYPE_SHALLOW, TYPE_RETAINED };

static const struct sql_column type_columns[] = {
    {"id", "INTEGER", NULL, 0},
    {"name", "TEXT", "types of one name and module are one", 0},
    {"module", "TEXT", "NULL: unknown", 0},
    {"basic_size", "INTEGER", "bytes", 0},
    {"item_size", "INTEGER", "bytes", 0},
    {"count", "INTEGER", "objects", PART_CLASS_SUMS},
    {"shallow", "INTEGER", "bytes of the objects themselves", PART_CLASS_SUMS},
    {"retained", "INTEGER", "bytes unreachable without them, nested ones counted once", PART_CLASS_SUMS},
    {NULL, NULL, NULL, 0},
};

static uint64_t count_types(const struct database *db)
{
    return db->ready & PART_GRAPH ? db->s->classes.count : snapshot_count(db->s->snapshot, SECTION_TYPES);
}

static void find_type(const struct database *db, int lookup, int64_t value, struct rows *rows)
{
    (void)lookup;
    if (value < 0 || (uint64_t)value >= db->s->classes.count)
        return;
    rows->at = (uint64_t)value;
    rows->end = rows->at + 1;
}

static void give_type(struct database *db, const struct rows *rows, int column, sqlite3_context *to)
{
    uint32_t klass = (uint32_t)rows->at;
    const struct type_record *r = db->s->classes.record[klass];
    switch ((enum type_column)column) {
    case TYPE_ID:
        sqlite3_result_int64(to, klass);
        break;
    case TYPE_NAME:
        give_text(to, class_name(db->s, klass));
        break;
    case TYPE_MODULE:
        give_string(db, to, r->module);
        break;
    case TYPE_BASIC:
        give_unsigned(to, r->basic_size);
        break;
    case TYPE_ITEM:
        give_unsigned(to, r->item_size);
        break;
    case TYPE_COUNT:
        give_unsigned(to, db->sums[klass].count);
        break;
    case TYPE_SHALLOW:
        give_unsigned(to, db->sums[klass].shallow);
        break;
    case TYPE_RETAINED:
        give_unsigned(to, db->sums[klass].retained);
        break;
    }
}

const struct sql_table table_types = {
    .name = "types",
    .comment = "what objects.type names, and sums by it",
    .columns = type_columns,
    .lookup = {{"id", 1}},
    .ordered = 1,
    .needs = PART_GRAPH,
    .count = count_types,
    .find = find_type,
    .value = give_type,
};

/* ---- cycles ---- */

enum cycle_column { CYCLE_ID, CYCLE_OBJECTS, CYCLE_SHALLOW, CYCLE_RETAINED, CYCLE_SOURCE, CYCLE_UNCOLLECTABLE };

static const struct sql_column cycle_columns[] = {
    {"id", "INTEGER", "as in objects.cycle and \"refheap cycles\"", 0},
    {"objects", "INTEGER", "members", 0},
    {"shallow", "INTEGER", "bytes of the members", 0},
    {"retained", "INTEGER", "bytes that would go with it", 0},
    {"source", "INTEGER", "0 or 1: no other garbage leads to it", 0},
    {"uncollectable", "INTEGER", "0 or 1: a finalizer keeps it", 0},
    {NULL, NULL, NULL, 0},
};

/* Before they are found: few, as a rule. */
static uint64_t count_cycles(const struct database *db)
{
    return db->ready & PART_CYCLES ? db->s->cycles.count : snapshot_count(db->s->snapshot, SECTION_OBJECTS) / 10;
}

static void find_cycle(const struct database *db, int lookup, int64_t value, struct rows *rows)
{
    (void)lookup;
    if (value < 1 || (uint64_t)value > db->s->cycles.count)
        return;
    rows->at = (uint64_t)value - 1;
    rows->end = rows->at + 1;
}

static void give_cycle(struct database *db, const struct rows *rows, int column, sqlite3_context *to)
{
    const struct cycle *c = &db->s->cycles.items[rows->at];
    switch ((enum cycle_column)column) {
    case CYCLE_ID:
        sqlite3_result_int64(to, (int64_t)rows->at + 1);
        break;
    case CYCLE_OBJECTS:
        sqlite3_result_int64(to, c->objects);
        break;
    case CYCLE_SHALLOW:
        give_unsigned(to, c->shallow);
        break;
    case CYCLE_RETAINED:
        give_unsigned(to, c->retained);
        break;
    case CYCLE_SOURCE:
        sqlite3_result_int(to, c->source);
        break;
    case CYCLE_UNCOLLECTABLE:
        sqlite3_result_int(to, c->uncollectable);
        break;
    }
}

const struct sql_table table_cycles = {
    .name = "cycles",
    .comment = "cycles of garbage of generation 2",
    .columns = cycle_columns,
    .lookup = {{"id", 1}},
    .ordered = 1,
    .needs = PART_CYCLES,
    .count = count_cycles,
    .find = find_cycle,
    .value = give_cycle,
};
