/* Judging the payload of a block, section by section, in the order of FORMAT.md section 3. */
#include <string.h>

#include "columns.h"
#include "cursor.h"
#include "error.h"
#include "snapshot_internal.h"

static int reject(const struct block_view *block, uint64_t at, struct rh_error *err, const char *what)
{
    return error_set_at(err, RH_ERR_FORMAT, section_info(block->section)->name,
                        block->offset + sizeof(struct block_header) + at, what,
                        "the file is damaged or was not written by FORMAT.md");
}

static void use_id(uint64_t *limit, uint32_t id)
{
    if (id != FORMAT_NONE && id >= *limit)
        *limit = (uint64_t)id + 1;
}

static void use_string(struct check *check, uint32_t id)
{
    if (id >= check->string_limit)
        check->string_limit = id == UINT32_MAX ? id : id + 1;
}

static int check_process(struct check *check, const void *element)
{
    const struct process_record *r = element;
    use_string(check, r->command_line);
    use_string(check, r->executable);
    use_string(check, r->writer);
    use_string(check, r->host);
    return r->captured < CAPTURED_LIMIT && !r->reserved0 && !r->reserved2;
}

static int check_module(struct check *check, const void *element)
{
    const struct module_record *r = element;
    use_string(check, r->path);
    if (r->build_id_length > BUILD_ID_MAX || r->reserved)
        return 0;
    for (uint32_t i = r->build_id_length; i < BUILD_ID_MAX; i++)
        if (r->build_id[i])
            return 0;
    return 1;
}

static int check_heap(struct check *check, const void *element)
{
    const struct heap_record *r = element;
    use_string(check, r->runtime);
    use_string(check, r->version);
    use_string(check, r->name);
    return !(r->flags & ~HEAP_FLAGS_KNOWN) && r->collecting >= -1 && r->collecting <= 2 && !r->reserved;
}

static int check_generation(struct check *check, const void *element)
{
    const struct generation_record *r = element;
    if (r->heap == FORMAT_NONE)
        return 0;
    use_id(&check->heap_limit, r->heap);
    return r->generation <= GENERATION_PERMANENT && !r->reserved;
}

static int check_type(struct check *check, const void *element)
{
    const struct type_record *r = element;
    if (r->id == FORMAT_NONE)
        return 0;
    if (r->id >= check->types_defined_limit)
        check->types_defined_limit = r->id + 1;
    use_string(check, r->name);
    use_string(check, r->module);
    use_id(&check->heap_limit, r->heap);
    return !(r->flags & ~TYPE_FLAGS_KNOWN) && r->fields <= TYPE_FIELDS_MAX;
}

static int check_field(struct check *check, const void *element)
{
    const struct field_record *r = element;
    if (r->type == FORMAT_NONE || r->kind >= FIELD_KIND_LIMIT || r->reserved)
        return 0;
    if (r->type >= check->type_limit)
        check->type_limit = r->type + 1;
    use_string(check, r->name);
    return 1;
}

static int check_root(struct check *check, const void *element)
{
    const struct root_record *r = element;
    use_string(check, r->name);
    use_id(&check->module_limit, r->module);
    use_id(&check->thread_limit, r->thread);
    use_id(&check->frame_limit, r->frame);
    if (r->heap == FORMAT_NONE || !r->object)
        return 0;
    use_id(&check->heap_limit, r->heap);
    return r->kind >= ROOT_DECLARED && r->kind < ROOT_KIND_LIMIT && !(r->flags & ~ROOT_FLAGS_KNOWN);
}

static int check_thread(struct check *check, const void *element)
{
    const struct thread_record *r = element;
    use_string(check, r->name);
    return !r->flags && !r->reserved;
}

static int check_frame(struct check *check, const void *element)
{
    const struct frame_record *r = element;
    use_id(&check->thread_limit, r->thread);
    use_string(check, r->function);
    use_string(check, r->file);
    return r->thread != FORMAT_NONE && !r->reserved;
}

static int check_site(struct check *check, const void *element)
{
    const struct site_record *r = element;
    use_id(&check->site_limit, r->caller);
    use_id(&check->module_limit, r->module);
    use_string(check, r->function);
    use_string(check, r->file);
    return !r->reserved;
}

static int check_diagnostic(struct check *check, const void *element)
{
    const struct diagnostic_record *r = element;
    use_string(check, r->text);
    use_id(&check->heap_limit, r->heap);
    return r->severity >= SEVERITY_NOTE && r->severity < SEVERITY_LIMIT && !r->reserved;
}

/* One element of a fixed section; returns 0 when it is not valid. */
typedef int check_element(struct check *, const void *);

static check_element *const element_checks[SECTION_TOTALS] = {
    [SECTION_PROCESS] = check_process,
    [SECTION_MODULES] = check_module,
    [SECTION_HEAPS] = check_heap,
    [SECTION_GENERATIONS] = check_generation,
    [SECTION_TYPES] = check_type,
    [SECTION_FIELDS] = check_field,
    [SECTION_ROOTS] = check_root,
    [SECTION_THREADS] = check_thread,
    [SECTION_FRAMES] = check_frame,
    [SECTION_SITES] = check_site,
    [SECTION_DIAGNOSTICS] = check_diagnostic,
};

static int check_fixed(struct check *check, const struct block_view *block, struct rh_error *err)
{
    uint32_t size = section_info(block->section)->element_size;
    if ((uint64_t)block->count * size != block->length)
        return reject(block, 0, err, "the number of elements does not match the length of the block");
    for (uint32_t i = 0; i < block->count; i++) {
        const uint8_t *element = block->payload + (size_t)i * size;
        if (!element_checks[block->section](check, element))
            return reject(block, (uint64_t)i * size, err, "an element has a value the format does not allow");
        if (block->section == SECTION_HEAPS && !check->salvage &&
            ((const struct heap_record *)element)->id != block->first + i)
            return reject(block, (uint64_t)i * size, err, "heap ids are not in order");
        if (block->section == SECTION_SITES) {
            uint32_t caller = ((const struct site_record *)element)->caller;
            if (caller != FORMAT_NONE && caller >= block->first + i)
                return reject(block, (uint64_t)i * size, err, "a site's caller is not of a smaller id");
        }
    }
    return 0;
}

static int check_strings(struct check *check, const struct block_view *block, struct rh_error *err)
{
    struct cursor cursor = cursor_over(block->payload, block->length);
    for (uint32_t i = 0; i < block->count; i++) {
        uint64_t at = (uint64_t)(cursor.at - block->payload);
        const struct string_record *r = cursor_take(&cursor, sizeof *r);
        if (!r || !cursor_take(&cursor, r->kept))
            return reject(block, at, err, "a string runs past the end of its block");
        cursor_take_padding(&cursor, r->kept);
        if (cursor.failed || !r->id || r->id == FORMAT_NONE || r->kept > r->length)
            return reject(block, at, err, "a string has a bad id, length or padding");
        if (r->id >= check->strings_defined_limit)
            check->strings_defined_limit = r->id + 1;
    }
    if (cursor_left(&cursor))
        return reject(block, (uint64_t)(cursor.at - block->payload), err, "bytes follow the last string of a block");
    return 0;
}

static int value_is_valid(const struct check *check, const struct value_record *r)
{
    static const int64_t exact[VALUE_LIMIT] = {
        [VALUE_NONE] = 0,  [VALUE_BOOL] = 1,  [VALUE_INTEGER] = 8, [VALUE_LARGE_INTEGER] = -1,
        [VALUE_FLOAT] = 8, [VALUE_TEXT] = -1, [VALUE_BYTES] = -1,  [VALUE_NAME] = -1,
    };
    if (r->kind < VALUE_NONE || r->kind >= VALUE_LIMIT || r->reserved || !r->object || r->kept > r->length)
        return 0;
    if (exact[r->kind] >= 0 && (r->kept != (uint64_t)exact[r->kind] || r->length != r->kept))
        return 0;
    return !check->no_values || r->kind == VALUE_NAME;
}

/* An optional minus, 0x, and hexadecimal digits; one that was capped need not have any. */
static int is_large_integer(const struct value_record *r, const uint8_t *text)
{
    uint64_t at = r->kept && text[0] == '-';
    int cut = r->kept < r->length;
    for (const char *prefix = "0x"; *prefix; prefix++, at++)
        if (at >= r->kept)
            return cut;
        else if (text[at] != (uint8_t)*prefix)
            return 0;
    if (at == r->kept)
        return cut;
    for (; at < r->kept; at++)
        if (!((text[at] >= '0' && text[at] <= '9') || (text[at] >= 'a' && text[at] <= 'f') ||
              (text[at] >= 'A' && text[at] <= 'F')))
            return 0;
    return 1;
}

static int check_values(struct check *check, const struct block_view *block, struct rh_error *err)
{
    struct cursor cursor = cursor_over(block->payload, block->length);
    for (uint32_t i = 0; i < block->count; i++) {
        uint64_t at = (uint64_t)(cursor.at - block->payload);
        const struct value_record *r = cursor_take(&cursor, sizeof *r);
        const uint8_t *kept = r ? cursor_take(&cursor, r->kept) : NULL;
        if (!kept)
            return reject(block, at, err, "a value runs past the end of its block");
        cursor_take_padding(&cursor, r->kept);
        if (cursor.failed || !value_is_valid(check, r) || (r->kind == VALUE_BOOL && *kept > 1) ||
            (r->kind == VALUE_LARGE_INTEGER && !is_large_integer(r, kept)))
            return reject(block, at, err, "a value has a bad kind, length or padding");
    }
    if (cursor_left(&cursor))
        return reject(block, (uint64_t)(cursor.at - block->payload), err, "bytes follow the last value of a block");
    return 0;
}

static uint64_t column_max(const struct column_view *column, uint32_t count)
{
    uint64_t max = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t value = column_get(column, i);
        max = value > max ? value : max;
    }
    return max;
}

/* Adds a column to a sum. Returns 0, or -1 when it passes 64 bits. */
static int add_column(uint64_t *sum, const struct column_view *column, uint32_t count)
{
    int overflow = 0;
    for (uint32_t i = 0; column->width && i < count; i++)
        overflow |= __builtin_add_overflow(*sum, column_get(column, i), sum);
    return overflow ? -1 : 0;
}

/* Columns of states: known bits, a generation there is, and that of a container unless it is untracked. */
static int states_are_valid(const struct column_view *column, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t state = column_get(column, i), generation = state & STATE_GENERATION_MASK;
        if (generation >= GENERATION_LIMIT || state & ~(uint64_t)STATE_KNOWN ||
            (generation != GENERATION_UNTRACKED && !(state & STATE_CONTAINER)))
            return 0;
    }
    return 1;
}

static int has_zero(const uint64_t *values, uint32_t count)
{
    uint64_t zero = 0;
    for (uint32_t i = 0; i < count; i++)
        zero |= values[i] == 0;
    return zero != 0;
}

static int check_objects(struct check *check, const struct block_view *block, struct rh_error *err)
{
    struct column_view column[OBJECT_COLUMN_LIMIT];
    const struct objects_head *head = (const struct objects_head *)block->payload;
    if (block->length < sizeof *head || head->reserved || head->heap == FORMAT_NONE)
        return reject(block, 0, err, "the head of an objects block is damaged");
    uint64_t at;
    const char *wrong = columns_judge(block, sizeof *head, head->columns, OBJECT_COLUMN_LIMIT, OBJECT_ADDRESS, &at);
    if (wrong)
        return reject(block, at, err, wrong);
    if (check->salvage ? head->first_edge < check->claimed : head->first_edge != check->degrees)
        return reject(block, 8, err, "the first edge of a block does not follow from the rows before it");

    columns_read(block, sizeof *head, head->columns, column, OBJECT_COLUMN_LIMIT);
    if (has_zero((const uint64_t *)column[OBJECT_ADDRESS].data, block->count))
        return reject(block, 0, err, "an object has no address");
    if (column[OBJECT_STATE].width < 1 || column[OBJECT_STATE].width > 2)
        return reject(block, 0, err, "the column of states is missing or too wide");
    if (!states_are_valid(&column[OBJECT_STATE], block->count))
        return reject(block, 0, err, "an object has a state the format does not allow");
    if (check->no_values && column_max(&column[OBJECT_HASH], block->count))
        return reject(block, 0, err, "an object has a content hash in a file without values");
    uint64_t type = column_max(&column[OBJECT_TYPE], block->count);
    if (type >= FORMAT_NONE)
        return reject(block, 0, err, "an object has a type id the format does not allow");
    if (type >= check->type_limit)
        check->type_limit = (uint32_t)type + 1;
    uint64_t site = column_max(&column[OBJECT_SITE], block->count);
    if (site > check->site_limit)
        check->site_limit = site;
    use_id(&check->heap_limit, head->heap);
    uint64_t claimed = head->first_edge;
    if (add_column(&claimed, &column[OBJECT_DEGREE], block->count))
        return reject(block, 8, err, "the edges of a block have higher numbers than 64 bits hold");
    check->claimed = claimed;
    if (add_column(&check->degrees, &column[OBJECT_DEGREE], block->count) ||
        add_column(&check->object_bytes, &column[OBJECT_SIZE], block->count))
        return reject(block, 0, err, "the sizes or out-degrees of the objects sum up to more than 64 bits hold");
    return 0;
}

/* Which values of an edge's info byte the format allows: a table beats two branches over many millions. */
static int info_is_valid(unsigned info)
{
    unsigned bits = info & EDGE_BITS_MASK;
    return info >> LABEL_KIND_SHIFT < LABEL_LIMIT && !((bits & EDGE_WEAK) && (bits & EDGE_STRONG));
}

static int check_edges(struct check *check, const struct block_view *block, struct rh_error *err)
{
    struct column_view column[EDGE_COLUMN_LIMIT];
    const struct edges_head *head = (const struct edges_head *)block->payload;
    if (block->length < sizeof *head || head->reserved0 || head->reserved1)
        return reject(block, 0, err, "the head of an edges block is damaged");
    uint64_t at;
    const char *wrong = columns_judge(block, sizeof *head, head->columns, EDGE_COLUMN_LIMIT, EDGE_TARGET, &at);
    if (wrong)
        return reject(block, at, err, wrong);

    columns_read(block, sizeof *head, head->columns, column, EDGE_COLUMN_LIMIT);
    if (has_zero((const uint64_t *)column[EDGE_TARGET].data, block->count))
        return reject(block, 0, err, "an edge leads to no address");
    if (column[EDGE_INFO].width > 1)
        return reject(block, 0, err, "the column of edge bits is too wide");

    uint8_t seen[256] = {0};
    for (uint32_t i = 0; column[EDGE_INFO].width && i < block->count; i++)
        seen[column[EDGE_INFO].data[i]] = 1;
    int names = 0;
    for (unsigned info = 0; info < 256; info++) {
        if (seen[info] && !info_is_valid(info))
            return reject(block, 0, err, "an edge has bits or a label kind the format does not allow");
        names |= seen[info] && info >> LABEL_KIND_SHIFT == LABEL_STRING;
    }
    for (uint32_t i = 0; names && i < block->count; i++)
        if (column[EDGE_INFO].data[i] >> LABEL_KIND_SHIFT == LABEL_STRING) {
            uint64_t id = column_get(&column[EDGE_LABEL], i);
            if (id >= FORMAT_NONE)
                return reject(block, 0, err, "an edge has a string id the format does not allow");
            use_string(check, (uint32_t)id);
        }
    return 0;
}

int check_block(struct check *check, const struct block_view *block, struct rh_error *err)
{
    switch (block->section) {
    case SECTION_STRINGS:
        return check_strings(check, block, err);
    case SECTION_VALUES:
        return check_values(check, block, err);
    case SECTION_OBJECTS:
        return check_objects(check, block, err);
    case SECTION_EDGES:
        return check_edges(check, block, err);
    default:
        return check_fixed(check, block, err);
    }
}
