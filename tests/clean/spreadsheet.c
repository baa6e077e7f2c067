/* Cells that are small numbers or objects, told apart by the lowest bit of the word; a table of formulas; undoing. */
#include "clean.h"

enum { ROWS = 40 };

struct row {
    RH_OBJECT_HEAD;
    uintptr_t cell; /* a number * 2 + 1, or a counted object */
    struct row *depends;
};
struct entry {
    uintptr_t key; /* 0 empty, else a row number + 1 */
    struct row *row;
};
struct sheet {
    RH_OBJECT_HEAD;
    struct entry *entries;
    size_t capacity;
};

static const struct rh_field row_fields[] = {RH_TAGGED(struct row, cell, 1, 1), RH_STRONG(struct row, depends)};
static const struct rh_field sheet_fields[] = {
    RH_TABLE(struct sheet, entries, capacity, struct entry, key, row, RH_FIELD_VALUES, 0, 0)};
static const struct rh_type_spec row_spec = RH_TYPE_SPEC("row", struct row, row_fields);
static const struct rh_type_spec sheet_spec = RH_TYPE_SPEC("sheet", struct sheet, sheet_fields);

static struct rh_heap *heap;
static struct rh_type *row_type, *sheet_type;
static struct sheet *sheet;
static struct rh_object *copies; /* of the sheet, to go back to */

static struct sheet *make_sheet(void)
{
    struct sheet *s = need(rh_object_new(sheet_type));
    rh_busy_begin(heap);
    if (rh_buffer_resize(heap, &s->entries, 0, 2 * ROWS * sizeof *s->entries))
        exit(2);
    s->capacity = 2 * ROWS;
    rh_busy_end(heap);
    return s;
}

static struct entry *entry_of(struct sheet *s, uintptr_t number)
{
    size_t i = number * 31 % s->capacity;
    while (s->entries[i].key && s->entries[i].key != number + 1)
        i = (i + 1) % s->capacity;
    return &s->entries[i];
}

/* Takes over the reference. */
static void put_row(struct sheet *s, uintptr_t number, struct row *row)
{
    struct entry *e = entry_of(s, number);
    struct row *before = e->row;
    e->row = row;
    e->key = number + 1;
    clean_point();
    rh_xdecref(before);
}

static void set_cell(struct row *row, long number)
{
    char text[32];
    uintptr_t before = row->cell;
    if (number % 3) {
        row->cell = (uintptr_t)number * 2 + 1;
    } else {
        snprintf(text, sizeof text, "= %ld", number);
        row->cell = (uintptr_t)need(rh_str(heap, text));
    }
    if (before && !(before & 1))
        rh_decref((void *)before);
}

static void keep_copy(void)
{
    struct sheet *copy = make_sheet();
    for (size_t i = 0; i < sheet->capacity; i++)
        if (sheet->entries[i].key) {
            rh_incref(sheet->entries[i].row);
            put_row(copy, sheet->entries[i].key - 1, sheet->entries[i].row);
        }
    clean_point();
    if (rh_list_put(copies, copy))
        exit(2);
}

int main(int argc, char **argv)
{
    unsigned random = 29;
    clean_begin(argc, argv);
    heap = clean_heap("spreadsheet");
    row_type = clean_type(heap, &row_spec);
    sheet_type = clean_type(heap, &sheet_spec);
    sheet = make_sheet();
    copies = need(rh_list_new(heap));
    rh_root_add(heap, "sheet", &sheet);
    rh_root_add(heap, "copies", &copies);
    for (long i = 0; i < 500; i++) {
        uintptr_t number = next_random(&random) % ROWS;
        struct row *row = need(rh_object_new(row_type)), *other = entry_of(sheet, next_random(&random) % ROWS)->row;
        set_cell(row, i);
        rh_assign(&row->depends, other);
        if (other && i % 5 == 0)
            rh_assign(&other->depends, row); /* in a circle now */
        clean_point();
        put_row(sheet, number, row);
        if (i % 40 == 0)
            keep_copy();
        if (rh_list_length(copies) > 3) {
            rh_assign(&sheet, rh_list_get(copies, 0));
            rh_list_clear(copies);
        }
    }
    rh_root_remove(heap, &sheet);
    rh_root_remove(heap, &copies);
    rh_decref(sheet);
    rh_decref(copies);
    return clean_end(heap);
}
