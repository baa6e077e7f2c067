/* roots: holders that are no objects, in the order of the file. */
#include "tables.h"

enum column_number { NAME, KIND, EXACT, TARGET, THREAD, FRAME };

static const struct sql_column columns[] = {
    {"name", "TEXT", "NULL: it has none", 0},
    {"kind", "TEXT", "declared, handle, pin, global, stack, register, runtime, frame local, ...", 0},
    {"exact", "INTEGER", "1: the runtime says so; 0: found by scanning", 0},
    {"target", "INTEGER", "ordinal of the object it holds; NULL: none of the snapshot", 0},
    {"thread", "INTEGER", "thread id, where it belongs to one", 0},
    {"frame", "TEXT", "function, or #depth from the innermost", 0},
    {NULL, NULL, NULL, 0},
};

static uint64_t count(const struct database *db)
{
    return db->ready & PART_ROOTS ? db->root_count : snapshot_count(db->s->snapshot, SECTION_ROOTS);
}

/* Roots are sorted by target: the first that holds `target` or something behind it. */
static uint64_t first_from(const struct database *db, uint64_t target)
{
    uint64_t low = 0, high = db->root_count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (db->roots[db->roots_by_target[middle]].target < target)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void find(const struct database *db, int lookup, int64_t value, struct rows *rows)
{
    (void)lookup;
    if (value < 0 || (uint64_t)value >= db->s->graph.objects)
        return;
    rows->at = first_from(db, (uint64_t)value);
    rows->end = first_from(db, (uint64_t)value + 1);
}

static const struct root_row *row_of(const struct database *db, const struct rows *rows)
{
    return &db->roots[rows->lookup == LOOKUP_NONE ? rows->at : db->roots_by_target[rows->at]];
}

static int row_id(struct database *db, const struct rows *rows, int64_t *id)
{
    *id = (int64_t)row_of(db, rows)->number;
    return 0;
}

static void give_frame(const struct database *db, sqlite3_context *to, uint32_t number)
{
    const struct frame_record *f = snapshot_record(db->s->snapshot, SECTION_FRAMES, number);
    char depth[24];
    if (!f)
        return;
    snprintf(depth, sizeof depth, "#%u", f->depth);
    give_name(to, depth);
    give_string(db, to, f->function);
}

static void value(struct database *db, const struct rows *rows, int column, sqlite3_context *to)
{
    const struct root_row *row = row_of(db, rows);
    const struct root_record *r = row->record;
    const struct thread_record *thread;
    switch ((enum column_number)column) {
    case NAME:
        give_string(db, to, r->name);
        break;
    case KIND:
        sqlite3_result_text(to, name_root_kind(r->kind), -1, SQLITE_STATIC);
        break;
    case EXACT:
        sqlite3_result_int(to, (r->flags & ROOT_EXACT) != 0);
        break;
    case TARGET:
        give_ordinal(to, row->target);
        break;
    case THREAD:
        thread = r->thread == FORMAT_NONE ? NULL : snapshot_record(db->s->snapshot, SECTION_THREADS, r->thread);
        if (thread)
            give_unsigned(to, thread->tid);
        break;
    case FRAME:
        if (r->frame != FORMAT_NONE)
            give_frame(db, to, r->frame);
        break;
    }
}

const struct sql_table table_roots = {
    .name = "roots",
    .comment = "holders that are no objects",
    .columns = columns,
    .lookup = {{"target", 0}},
    .needs = PART_GRAPH | PART_ROOTS,
    .count = count,
    .find = find,
    .row_id = row_id,
    .value = value,
};
