#include "columns.h"

#include <string.h>

static int is_zero(const uint8_t *bytes, uint64_t size)
{
    for (uint64_t i = 0; i < size; i++)
        if (bytes[i])
            return 0;
    return 1;
}

/* What is wrong with an entry by itself and beside those before it, whose ids are in `seen`; NULL when nothing is. */
static const char *judge_entry(const struct column_entry *entry, unsigned limit, unsigned required, uint64_t *seen)
{
    unsigned id = entry->id, width = entry->width;
    if (width != 1 && width != 2 && width != 4 && width != 8)
        return "a column has an impossible width";
    if (!id || (id >= limit && !(id & COLUMN_OPTIONAL)))
        return "a column is unknown and may not be skipped";
    if (seen[id / 64] >> id % 64 & 1)
        return "a column appears twice";
    seen[id / 64] |= UINT64_C(1) << id % 64;
    return id == required && width != 8 ? "addresses must be 8 bytes wide" : NULL;
}

const char *columns_judge(const struct block_view *block, size_t head, unsigned columns, unsigned limit,
                          unsigned required, uint64_t *at)
{
    const struct column_entry *entry = (const struct column_entry *)(block->payload + head);
    uint64_t length = head + pad8(4 * (uint64_t)columns);
    uint64_t seen[(UINT16_MAX + 1) / 64] = {0};
    int has_required = 0;
    *at = head;
    if (length > block->length)
        return "the column directory runs past the end of its block";
    if (!is_zero((const uint8_t *)(entry + columns), pad8(4 * (uint64_t)columns) - 4 * (uint64_t)columns))
        return "padding is not zero";
    for (unsigned i = 0; i < columns; i++) {
        *at = head + 4ull * i;
        const char *wrong = judge_entry(&entry[i], limit, required, seen);
        if (wrong)
            return wrong;
        uint64_t size = (uint64_t)block->count * entry[i].width;
        if (length + pad8(size) > block->length)
            return "a column runs past the end of its block";
        if (!is_zero(block->payload + length + size, pad8(size) - size))
            return "padding is not zero";
        length += pad8(size);
        has_required |= entry[i].id == required;
    }
    *at = head;
    if (!has_required)
        return "the column of addresses is missing";
    *at = length;
    return length != block->length ? "the columns do not fill their block" : NULL;
}

void columns_read(const struct block_view *block, size_t head, unsigned columns, struct column_view *column,
                  unsigned limit)
{
    const struct column_entry *entry = (const struct column_entry *)(block->payload + head);
    const uint8_t *data = block->payload + head + pad8(4 * (uint64_t)columns);
    memset(column, 0, limit * sizeof *column);
    for (unsigned i = 0; i < columns; i++) {
        if (entry[i].id < limit)
            column[entry[i].id] = (struct column_view){data, entry[i].width};
        data += pad8((uint64_t)block->count * entry[i].width);
    }
}
