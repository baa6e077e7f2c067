/* Resolving ids, and what only the whole file can tell: totals, limits, that every id is defined and means one thing.
 */
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "snapshot_internal.h"

static int resolve_strings(struct snapshot *s, uint32_t limit, struct rh_error *err)
{
    s->strings = calloc(limit, sizeof *s->strings);
    if (!s->strings)
        return error_set(err, RH_ERR_NO_MEMORY, "not enough memory for the strings", "");
    s->string_limit = limit;
    for (size_t b = 0; b < s->blocks[SECTION_STRINGS].count; b++) {
        const struct block_view *block = &s->blocks[SECTION_STRINGS].items[b];
        const uint8_t *at = block->payload;
        for (uint32_t i = 0; i < block->count; i++) {
            const struct string_record *r = (const void *)at;
            at += sizeof *r + pad8(r->kept);
            if (r->id >= limit)
                continue; /* only with salvage */
            const struct string_record *old = s->strings[r->id];
            if (old && (old->length != r->length || old->kept != r->kept || memcmp(old + 1, r + 1, r->kept)))
                return error_set_at(err, RH_ERR_FORMAT, "strings", block->offset, "a string id has two meanings",
                                    HINT_SALVAGE);
            s->strings[r->id] = r;
        }
    }
    return 0;
}

/* Lays the fields of each type side by side, by number. Of a whole file every one is there, which bounds the room made
 * for them. */
static int resolve_fields(struct snapshot *s, struct type_table *table, int salvage, struct rh_error *err)
{
    uint64_t present = s->counts[SECTION_FIELDS], room = 0;
    for (uint32_t t = 0; t <= table->limit; t++) {
        uint64_t n = t < table->limit && table->types[t] ? table->types[t]->fields : 0;
        table->first_field[t] = room;
        room += n;
    }
    if (room > (salvage ? present + ((uint64_t)TYPE_FIELDS_MAX << 6) : present))
        return error_set_at(err, RH_ERR_FORMAT, "fields", 0, "fields of a type are missing", HINT_SALVAGE);
    table->fields = calloc(room + 1, sizeof *table->fields);
    if (!table->fields)
        return error_set(err, RH_ERR_NO_MEMORY, "not enough memory for the fields", "");
    struct record_cursor cursor = {0, 0};
    for (const struct field_record *r; (r = snapshot_next_record(s, SECTION_FIELDS, &cursor));) {
        if (r->type >= table->limit || !table->types[r->type])
            continue;
        if (r->number >= table->types[r->type]->fields)
            return error_set_at(err, RH_ERR_FORMAT, "fields", 0, "a field has a number its type does not have",
                                HINT_SALVAGE);
        const struct field_record **slot = &table->fields[table->first_field[r->type] + r->number];
        if (*slot && memcmp(*slot, r, sizeof *r))
            return error_set_at(err, RH_ERR_FORMAT, "fields", 0, "a field has two meanings", HINT_SALVAGE);
        *slot = r;
    }
    for (uint64_t i = 0; !salvage && i < room; i++)
        if (!table->fields[i])
            return error_set_at(err, RH_ERR_FORMAT, "fields", 0, "fields of a type are missing", HINT_SALVAGE);
    return 0;
}

static int resolve_types(struct snapshot *s, uint32_t limit, int salvage, struct rh_error *err)
{
    struct type_table *table = &s->types;
    table->types = calloc((size_t)limit + 1, sizeof *table->types);
    table->first_field = calloc((size_t)limit + 1, sizeof *table->first_field);
    if (!table->types || !table->first_field)
        return error_set(err, RH_ERR_NO_MEMORY, "not enough memory for the types", "");
    table->limit = limit;
    struct record_cursor cursor = {0, 0};
    for (const struct type_record *r; (r = snapshot_next_record(s, SECTION_TYPES, &cursor));) {
        if (r->id >= limit)
            continue; /* only with salvage */
        if (table->types[r->id] && memcmp(table->types[r->id], r, sizeof *r))
            return error_set_at(err, RH_ERR_FORMAT, "types", 0, "a type id has two meanings", HINT_SALVAGE);
        table->types[r->id] = r;
    }

    return resolve_fields(s, table, salvage, err);
}

static int check_totals(const struct snapshot *s, const struct check *c, struct rh_error *err)
{
    const struct trailer_record *t = &s->trailer;
    const char *wrong = NULL;
    for (unsigned section = 1; section < SECTION_TOTALS; section++)
        if (t->totals[section] != s->counts[section])
            wrong = "the trailer counts other elements than the file holds";
    if (s->counts[SECTION_PROCESS] != 1)
        wrong = "there is not exactly one process record";
    else if (c->known) /* all of it was right before */
        return 0;
    else if (c->degrees != s->counts[SECTION_EDGES])
        wrong = "the objects claim another number of edges than there are";
    else if (t->object_bytes != c->object_bytes)
        wrong = "the sizes of the objects do not sum up to the trailer's";
    else if (c->string_limit > t->string_limit || c->type_limit > t->type_limit)
        wrong = "a string or type id is used that is not defined";
    else if ((c->strings_defined_limit > 1 ? c->strings_defined_limit : 1) != t->string_limit ||
             c->types_defined_limit != t->type_limit || t->string_limit - 1 > s->counts[SECTION_STRINGS] ||
             t->type_limit > s->counts[SECTION_TYPES])
        wrong = "the trailer's limits are not those of the ids defined";
    else if (c->heap_limit > s->counts[SECTION_HEAPS] || c->module_limit > s->counts[SECTION_MODULES] ||
             c->thread_limit > s->counts[SECTION_THREADS] || c->frame_limit > s->counts[SECTION_FRAMES] ||
             c->site_limit > s->counts[SECTION_SITES])
        wrong = "a heap, module, thread, frame or site is named that is not there";
    return wrong ? error_set_at(err, RH_ERR_FORMAT, "trailer", s->trailer.offset, wrong, HINT_SALVAGE) : 0;
}

static int check_ids_defined(const struct snapshot *s, struct rh_error *err)
{
    for (uint32_t id = 1; id < s->string_limit; id++)
        if (!s->strings[id])
            return error_set_at(err, RH_ERR_FORMAT, "strings", s->trailer.offset, "a string id is not defined",
                                HINT_SALVAGE);
    for (uint32_t id = 0; id < s->types.limit; id++)
        if (!s->types.types[id])
            return error_set_at(err, RH_ERR_FORMAT, "types", s->trailer.offset, "a type id is not defined",
                                HINT_SALVAGE);
    return 0;
}

static int check_generations_unique(const struct snapshot *s, struct rh_error *err)
{
    uint64_t heaps = s->counts[SECTION_HEAPS];
    uint8_t *seen = calloc(heaps + 1, 1);
    int status = 0;
    if (!seen)
        return error_set(err, RH_ERR_NO_MEMORY, "not enough memory for the heaps", "");
    struct record_cursor cursor = {0, 0};
    for (const struct generation_record *g; !status && (g = snapshot_next_record(s, SECTION_GENERATIONS, &cursor));) {
        if (seen[g->heap] & 1 << g->generation)
            status = error_set_at(err, RH_ERR_FORMAT, "generations", 0, "a generation of a heap is described twice",
                                  HINT_SALVAGE);
        seen[g->heap] |= (uint8_t)(1 << g->generation);
    }
    free(seen);
    return status;
}

/* Ids of a whole file are below the trailer's limits, which the number of definitions bounds. Of a damaged one only
 * those are resolved that a file of this size can define. */
static uint32_t salvage_limit(const struct snapshot *s, uint32_t defined, size_t record)
{
    uint64_t most = s->size / record + 1;
    return defined < most ? defined : (uint32_t)most;
}

int resolve_ids(struct snapshot *s, const struct check *check, struct rh_error *err)
{
    uint32_t strings = s->trailer.string_limit, types = s->trailer.type_limit;
    int status = 0;
    if (check->salvage) {
        strings = salvage_limit(s, check->strings_defined_limit, sizeof(struct string_record));
        types = salvage_limit(s, check->types_defined_limit, sizeof(struct type_record));
        if (!strings)
            strings = 1;
    } else if ((status = check_totals(s, check, err))) {
        return status;
    }
    if ((status = resolve_strings(s, strings, err)) || (status = resolve_types(s, types, check->salvage, err)))
        return status;
    if (!check->salvage && ((status = check_ids_defined(s, err)) || (status = check_generations_unique(s, err))))
        return status;
    struct record_cursor cursor = {0, 0};
    const struct process_record *process = snapshot_next_record(s, SECTION_PROCESS, &cursor);
    if (process)
        s->process = *process;
    if (check->no_values && snapshot_string(s, s->process.command_line).full_length)
        return error_set_at(err, RH_ERR_FORMAT, "process", 0, "a file without values has a command line", HINT_SALVAGE);
    return 0;
}
