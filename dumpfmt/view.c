/* Handing out what a snapshot holds. Everything was checked when it was opened. */
#include "columns.h"
#include "snapshot_internal.h"

const struct file_header *snapshot_header(const struct snapshot *s)
{
    return &s->header;
}

const struct process_record *snapshot_process(const struct snapshot *s)
{
    return &s->process;
}

uint64_t snapshot_file_size(const struct snapshot *s)
{
    return s->size;
}

uint32_t snapshot_trailer_crc(const struct snapshot *s)
{
    return s->trailer_crc;
}

const struct trailer_record *snapshot_trailer(const struct snapshot *s)
{
    return &s->trailer;
}

int snapshot_complete(const struct snapshot *s)
{
    return s->complete;
}

const char *snapshot_damage(const struct snapshot *s)
{
    return s->damage;
}

uint64_t snapshot_count(const struct snapshot *s, enum section section)
{
    return s->counts[section];
}

struct text snapshot_string(const struct snapshot *s, uint32_t id)
{
    const struct string_record *r = id < s->string_limit ? s->strings[id] : NULL;
    if (!r)
        return (struct text){"", 0, 0};
    return (struct text){(const char *)(r + 1), r->kept, r->length};
}

/* The last block of a section that begins at or before `index`, or -1. */
static long find_block_of(const struct block_list *list, uint64_t index)
{
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->items[middle].first <= index)
            low = middle + 1;
        else
            high = middle;
    }
    return (long)low - 1;
}

const void *snapshot_record(const struct snapshot *s, enum section section, uint64_t index)
{
    const struct block_list *list = &s->blocks[section];
    long b = find_block_of(list, index);
    if (b < 0 || index - list->items[b].first >= list->items[b].count)
        return NULL;
    return list->items[b].payload + (index - list->items[b].first) * section_info(section)->element_size;
}

const void *snapshot_next_record(const struct snapshot *s, enum section section, struct record_cursor *cursor)
{
    const struct block_list *list = &s->blocks[section];
    while (cursor->block < list->count && cursor->done == list->items[cursor->block].count) {
        cursor->block++;
        cursor->done = 0;
    }
    if (cursor->block == list->count)
        return NULL;
    return list->items[cursor->block].payload + (size_t)cursor->done++ * section_info(section)->element_size;
}

uint32_t snapshot_type_limit(const struct snapshot *s)
{
    return s->types.limit;
}

const struct type_record *snapshot_type(const struct snapshot *s, uint32_t id)
{
    return id < s->types.limit ? s->types.types[id] : NULL;
}

const struct field_record *snapshot_field(const struct snapshot *s, uint32_t type, uint32_t number)
{
    const struct type_table *t = &s->types;
    if (type >= t->limit || !t->fields || number >= t->first_field[type + 1] - t->first_field[type])
        return NULL;
    return t->fields[t->first_field[type] + number];
}

size_t snapshot_block_count(const struct snapshot *s, enum section section)
{
    return s->blocks[section].count;
}

const struct block_view *snapshot_block(const struct snapshot *s, enum section section, size_t index)
{
    return &s->blocks[section].items[index];
}

/* A block whose payload was checked. Of a known file that was damaged since, a block may be found out now: it is one
 * without elements then. */
static const struct block_view *ready_block(const struct snapshot *s, enum section section, size_t index)
{
    static const uint64_t nothing[16];
    static const struct block_view empty = {.payload = (const uint8_t *)nothing, .length = sizeof nothing};
    struct block_view *block = &s->blocks[section].items[index];
    int ready = !__atomic_load_n(&block->late, __ATOMIC_ACQUIRE) || !check_late((struct snapshot *)s, block);
    return ready ? block : &empty;
}

void snapshot_objects(const struct snapshot *s, size_t index, struct objects_view *out)
{
    const struct block_view *block = ready_block(s, SECTION_OBJECTS, index);
    const struct objects_head *head = (const void *)block->payload;
    out->heap = head->heap;
    out->count = block->count;
    out->first = block->first;
    out->first_edge = head->first_edge;
    columns_read(block, sizeof *head, head->columns, out->column, OBJECT_COLUMN_LIMIT);
}

void snapshot_edges(const struct snapshot *s, size_t index, struct edges_view *out)
{
    const struct block_view *block = ready_block(s, SECTION_EDGES, index);
    struct column_view column[EDGE_COLUMN_LIMIT];
    const struct edges_head *head = (const void *)block->payload;
    columns_read(block, sizeof *head, head->columns, column, EDGE_COLUMN_LIMIT);
    out->count = block->count;
    out->first = block->first;
    out->target = (const uint64_t *)column[EDGE_TARGET].data;
    out->info = column[EDGE_INFO];
    out->label = column[EDGE_LABEL];
}

void snapshot_edge_run(const struct snapshot *s, uint64_t first, uint64_t want, struct edge_run *run)
{
    const struct block_list *list = &s->blocks[SECTION_EDGES];
    long b = (long)run->block;
    if (run->block >= list->count || list->items[b].first > first ||
        first - list->items[b].first >= list->items[b].count) {
        b++;
        if ((size_t)b >= list->count || list->items[b].first != first)
            b = find_block_of(list, first);
    }
    run->count = run->missing = 0;
    if (b < 0 || first - list->items[b].first >= list->items[b].count) {
        uint64_t next = (size_t)(b + 1) < list->count ? list->items[b + 1].first : UINT64_MAX;
        run->missing = next - first < want ? next - first : want;
        return;
    }
    run->block = (size_t)b;
    snapshot_edges(s, run->block, &run->edges);
    run->at = (uint32_t)(first - run->edges.first);
    if (run->at >= run->edges.count) { /* the block did not unpack */
        run->missing = want;
        return;
    }
    uint64_t left = run->edges.count - run->at;
    run->count = left < want ? left : want;
}

const struct value_record *snapshot_next_value(const struct snapshot *s, struct value_cursor *cursor)
{
    const struct block_list *list = &s->blocks[SECTION_VALUES];
    while (cursor->block < list->count && cursor->done == ready_block(s, SECTION_VALUES, cursor->block)->count) {
        cursor->block++;
        cursor->done = cursor->at = 0;
    }
    if (cursor->block == list->count)
        return NULL;
    cursor->place = (uint64_t)cursor->block << 32 | cursor->at;
    const struct value_record *r = (const void *)(list->items[cursor->block].payload + cursor->at);
    cursor->at += (uint32_t)(sizeof *r + pad8(r->kept));
    cursor->done++;
    return r;
}

const struct value_record *snapshot_value(const struct snapshot *s, uint64_t place)
{
    const struct block_view *block = ready_block(s, SECTION_VALUES, place >> 32);
    return (const void *)(block->payload + (block->count ? (uint32_t)place : 0));
}
