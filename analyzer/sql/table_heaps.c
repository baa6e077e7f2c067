/* heaps, generations and modules: what the snapshot says of the process. */
#include "tables.h"

/* Element `number` of those that are there: of a damaged file, not always the one with that index. */
static const void *nth_record(const struct database *db, enum section section, uint64_t number)
{
    struct record_cursor cursor = {0, 0};
    const struct snapshot *s = db->s->snapshot;
    if (snapshot_complete(s))
        return snapshot_record(s, section, number);
    const void *record = snapshot_next_record(s, section, &cursor);
    while (record && number--)
        record = snapshot_next_record(s, section, &cursor);
    return record;
}

/* ---- heaps ---- */

enum heap_column {
    HEAP_ID,
    HEAP_RUNTIME,
    HEAP_VERSION,
    HEAP_NAME,
    HEAP_ADDRESS,
    HEAP_ON,
    HEAP_BUSY,
    HEAP_PART,
    HEAP_OWNER
};

static const struct sql_column heap_columns[] = {
    {"id", "INTEGER", "as in objects.heap", 0},
    {"runtime", "TEXT", NULL, 0},
    {"version", "TEXT", NULL, 0},
    {"name", "TEXT", NULL, 0},
    {"address", "INTEGER", NULL, 0},
    {"enabled", "INTEGER", "0 or 1: it collects by itself", 0},
    {"collecting", "INTEGER", "the generation being collected; NULL: none", 0},
    {"partial", "INTEGER", "0 or 1: it could be read in part only", 0},
    {"owner", "INTEGER", "id of the thread that uses it; NULL: unknown", 0},
    {NULL, NULL, NULL, 0},
};

static uint64_t count_heaps(const struct database *db)
{
    return snapshot_count(db->s->snapshot, SECTION_HEAPS);
}

static void give_heap(struct database *db, const struct rows *rows, int column, sqlite3_context *to)
{
    const struct heap_record *h = nth_record(db, SECTION_HEAPS, rows->at);
    switch ((enum heap_column)column) {
    case HEAP_ID:
        sqlite3_result_int64(to, h->id);
        break;
    case HEAP_RUNTIME:
        give_string(db, to, h->runtime);
        break;
    case HEAP_VERSION:
        give_string(db, to, h->version);
        break;
    case HEAP_NAME:
        give_string(db, to, h->name);
        break;
    case HEAP_ADDRESS:
        give_address(to, h->address);
        break;
    case HEAP_ON:
        sqlite3_result_int(to, (h->flags & HEAP_ENABLED) != 0);
        break;
    case HEAP_BUSY:
        if (h->flags & HEAP_COLLECTING)
            sqlite3_result_int(to, h->collecting);
        break;
    case HEAP_PART:
        sqlite3_result_int(to, (h->flags & HEAP_PARTIAL) != 0);
        break;
    case HEAP_OWNER:
        if (h->owner)
            give_unsigned(to, h->owner);
        break;
    }
}

const struct sql_table table_heaps = {
    .name = "heaps",
    .comment = "what each collector looks after",
    .columns = heap_columns,
    .count = count_heaps,
    .value = give_heap,
};

/* ---- generations ---- */

enum generation_column { GENERATION_HEAP, GENERATION_NUMBER, GENERATION_OBJECTS, GENERATION_BYTES, GENERATION_SAID };

static const struct sql_column generation_columns[] = {
    {"heap", "INTEGER", NULL, 0},
    {"generation", "INTEGER", "0, 1, 2, 3 permanent, -1 untracked; NULL below for the last two", 0},
    {"objects", "INTEGER", NULL, 0},
    {"bytes", "INTEGER", NULL, 0},
    {"threshold", "INTEGER", NULL, 0},
    {"count", "INTEGER", "what is compared with the threshold", 0},
    {"collections", "INTEGER", NULL, 0},
    {"garbage_objects", "INTEGER", "what a collection of it would find now", 0},
    {"garbage_bytes", "INTEGER", NULL, 0},
    {"dependent_objects", "INTEGER", "freed with that garbage", 0},
    {"uncollectable_objects", "INTEGER", NULL, 0},
    {"survivors", "INTEGER", NULL, 0},
    {NULL, NULL, NULL, 0},
};

static uint64_t count_generations(const struct database *db)
{
    return count_heaps(db) * GENERATIONS;
}

static void give_generations(struct database *db, const struct rows *rows, int column, sqlite3_context *to)
{
    const struct generation_row *r = &db->generations[rows->at];
    const struct generation_record *said = r->record;
    unsigned generation = rows->at % GENERATIONS;
    /* In the order of the columns from `threshold` on. */
    const uint64_t numbers[] = {
        said ? said->threshold : 0, said ? said->count : 0, said ? said->collections : 0, r->garbage_objects,
        r->garbage_bytes,           r->dependent_objects,   r->uncollectable_objects,     r->survivors};
    switch (column) {
    case GENERATION_HEAP:
        give_unsigned(to, rows->at / GENERATIONS);
        break;
    case GENERATION_NUMBER:
        give_generation(to, generation);
        break;
    case GENERATION_OBJECTS:
        give_unsigned(to, r->objects);
        break;
    case GENERATION_BYTES:
        give_unsigned(to, r->bytes);
        break;
    default:
        if (generation < GENERATION_PERMANENT && (said || column >= GENERATION_SAID + 3))
            give_unsigned(to, numbers[column - GENERATION_SAID]);
    }
}

const struct sql_table table_generations = {
    .name = "generations",
    .comment = "what each generation holds, and what collecting it would find",
    .columns = generation_columns,
    .needs = PART_GENERATIONS,
    .count = count_generations,
    .value = give_generations,
};

/* ---- modules ---- */

enum module_column { MODULE_PATH, MODULE_BUILD_ID, MODULE_BASE, MODULE_SIZE };

static const struct sql_column module_columns[] = {
    {"path", "TEXT", NULL, 0},
    {"build_id", "TEXT", "hexadecimal; NULL: none", 0},
    {"base", "INTEGER", "address", 0},
    {"size", "INTEGER", "bytes", 0},
    {NULL, NULL, NULL, 0},
};

static uint64_t count_modules(const struct database *db)
{
    return snapshot_count(db->s->snapshot, SECTION_MODULES);
}

static void give_module(struct database *db, const struct rows *rows, int column, sqlite3_context *to)
{
    const struct module_record *m = nth_record(db, SECTION_MODULES, rows->at);
    char id[2 * BUILD_ID_MAX + 1] = "";
    switch ((enum module_column)column) {
    case MODULE_PATH:
        give_string(db, to, m->path);
        break;
    case MODULE_BUILD_ID:
        for (uint32_t i = 0; i < m->build_id_length; i++)
            snprintf(id + 2 * i, 3, "%02x", m->build_id[i]);
        if (*id)
            give_name(to, id);
        break;
    case MODULE_BASE:
        give_address(to, m->base);
        break;
    case MODULE_SIZE:
        give_unsigned(to, m->end - m->base);
        break;
    }
}

const struct sql_table table_modules = {
    .name = "modules",
    .comment = "what is mapped into the process",
    .columns = module_columns,
    .count = count_modules,
    .value = give_module,
};
