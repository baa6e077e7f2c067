#include "result.h"

#include <inttypes.h>
#include <string.h>

#include "../../dumpfmt/error.h"
#include "../render/text.h"
#include "guard.h"

_Static_assert((int)GUARD_COLUMNS_MAX <= (int)COLUMNS_MAX, "a table must show every result");

enum {
    PAGE_CELLS = 400000,   /* of a text table that are kept to be aligned */
    ROWS_COUNTED = 100000, /* behind the limit, to say how many more there are */
    CELL_SIZE_MAX = 256,   /* of a cell of text, and */
    CELL_CHARACTERS_MAX = 60,
};

/* SQLite's own way to write bytes. */
static char *blob_literal(sqlite3_stmt *st, int c, size_t cap, size_t *length)
{
    const uint8_t *bytes = sqlite3_column_blob(st, c);
    size_t n = (size_t)sqlite3_column_bytes(st, c);
    sqlite3_str *text = sqlite3_str_new(NULL);
    sqlite3_str_appendall(text, "X'");
    for (size_t i = 0; i < n && i < cap; i++)
        sqlite3_str_appendf(text, "%02X", bytes[i]);
    sqlite3_str_appendall(text, "'");
    *length = (size_t)sqlite3_str_length(text);
    return sqlite3_str_finish(text);
}

/* ---- JSON and CSV ---- */

static int value_json(struct json *j, sqlite3_stmt *st, int c)
{
    size_t length;
    switch (sqlite3_column_type(st, c)) {
    case SQLITE_NULL:
        json_null(j, NULL);
        return 0;
    case SQLITE_INTEGER:
        json_int(j, NULL, sqlite3_column_int64(st, c));
        return 0;
    case SQLITE_FLOAT:
        json_real(j, NULL, sqlite3_column_double(st, c));
        return 0;
    case SQLITE_TEXT: {
        const char *text = (const char *)sqlite3_column_text(st, c);
        if (text)
            json_text(j, NULL, text, (size_t)sqlite3_column_bytes(st, c));
        return text ? 0 : -1;
    }
    default: {
        char *literal = blob_literal(st, c, SIZE_MAX, &length);
        if (literal)
            json_text(j, NULL, literal, length);
        sqlite3_free(literal);
        return literal ? 0 : -1;
    }
    }
}

static int row_json(struct output *out, sqlite3_stmt *st)
{
    int status = 0;
    json_array(&out->json, NULL);
    for (int c = 0; c < sqlite3_column_count(st) && !status; c++)
        status = value_json(&out->json, st, c);
    json_array_end(&out->json);
    return status;
}

static int row_csv(struct output *out, sqlite3_stmt *st)
{
    int columns = sqlite3_column_count(st);
    for (int c = 0; c < columns; c++) {
        int type = sqlite3_column_type(st, c);
        size_t length = 0;
        char *literal = type == SQLITE_BLOB ? blob_literal(st, c, SIZE_MAX, &length) : NULL;
        const char *text = type == SQLITE_BLOB ? literal : (const char *)sqlite3_column_text(st, c);
        if (!text && type != SQLITE_NULL)
            return -1;
        if (text)
            output_csv_field(out->file, text, literal ? length : (size_t)sqlite3_column_bytes(st, c));
        sqlite3_free(literal);
        fputc(c + 1 < columns ? ',' : '\n', out->file);
    }
    return 0;
}

static void begin_rows(struct output *out, sqlite3_stmt *st)
{
    int columns = sqlite3_column_count(st);
    if (out->format == OUTPUT_JSON)
        json_array(&out->json, "columns");
    for (int c = 0; c < columns; c++) {
        const char *name = sqlite3_column_name(st, c);
        name = name ? name : "";
        if (out->format == OUTPUT_JSON)
            json_string(&out->json, NULL, name);
        if (out->format == OUTPUT_CSV) {
            output_csv_field(out->file, name, strlen(name));
            fputc(c + 1 < columns ? ',' : '\n', out->file);
        }
    }
    if (out->format == OUTPUT_JSON) {
        json_array_end(&out->json);
        json_array(&out->json, "rows");
    }
}

/* ---- text ---- */

/* A page of rows. What a column holds is known when the page is full: figures alone stand to the right. */
struct page {
    struct table table;
    struct table_options options;
    struct column columns[GUARD_COLUMNS_MAX];
    char titles[GUARD_COLUMNS_MAX][80];
};

static void begin_page(struct page *p, struct output *out, sqlite3_stmt *st)
{
    int columns = sqlite3_column_count(st);
    for (int c = 0; c < columns; c++) {
        const char *name = sqlite3_column_name(st, c);
        text_clean(name ? name : "", name ? strlen(name) : 0, CELL_CHARACTERS_MAX, p->titles[c], sizeof p->titles[c]);
        p->columns[c] = (struct column){p->titles[c], p->titles[c], CELL_FIGURE};
    }
    p->options = (struct table_options){.name = "rows"};
    table_begin(&p->table, out, p->columns, (size_t)columns, &p->options);
}

static int row_text(struct page *p, sqlite3_stmt *st)
{
    char texts[GUARD_COLUMNS_MAX][CELL_SIZE_MAX];
    struct cell cells[GUARD_COLUMNS_MAX];
    for (int c = 0; c < sqlite3_column_count(st); c++) {
        int type = sqlite3_column_type(st, c);
        size_t length = 0;
        char *literal = type == SQLITE_BLOB ? blob_literal(st, c, CELL_SIZE_MAX, &length) : NULL;
        const char *text = type == SQLITE_BLOB ? literal : (const char *)sqlite3_column_text(st, c);
        cells[c] = cell_null();
        if (!text && type != SQLITE_NULL)
            return -1;
        if (type == SQLITE_TEXT || type == SQLITE_BLOB)
            p->columns[c].kind = CELL_TEXT;
        if (text) {
            text_clean(text, literal ? length : (size_t)sqlite3_column_bytes(st, c), CELL_CHARACTERS_MAX, texts[c],
                       CELL_SIZE_MAX);
            cells[c] = cell_text(texts[c]);
        }
        sqlite3_free(literal);
    }
    table_row(&p->table, cells);
    return p->table.no_memory ? -1 : 0;
}

/* ---- the whole ---- */

/* Walks on over rows that are not shown. Returns how many, UINT64_MAX when there are more than one cares to wait for,
 * or a negative status in *status. */
static uint64_t count_rest(struct database *db, sqlite3_stmt *st, int *status, struct rh_error *err)
{
    uint64_t rest = 0;
    for (; *status == 1; *status = database_step(db, st, err))
        if (++rest > ROWS_COUNTED)
            return UINT64_MAX;
    return rest;
}

static void say_cut(struct output *out, uint64_t rest)
{
    char n[TEXT_NUMBER_SIZE];
    if (!rest)
        return;
    if (out->format == OUTPUT_TEXT && rest == UINT64_MAX)
        fprintf(out->file, "... more than %s more rows (--limit 0 shows all)\n", text_count(ROWS_COUNTED, n));
    else if (out->format == OUTPUT_TEXT)
        fprintf(out->file, "... %s (--limit 0 shows all)\n", text_plural(rest, "more row", n));
    else if (out->format == OUTPUT_JSON && rest == UINT64_MAX)
        json_null(&out->json, "rows_omitted");
    else if (out->format == OUTPUT_JSON)
        json_uint(&out->json, "rows_omitted", rest);
}

/* Shows rows up to the limit and leaves in *status what the last step said. Returns 0 or -1 without memory. */
static int show_rows(struct database *db, sqlite3_stmt *st, struct output *out, uint64_t limit, int *status,
                     struct rh_error *err)
{
    struct page page;
    uint64_t page_rows = PAGE_CELLS / (uint64_t)sqlite3_column_count(st);
    int failed = 0, text = out->format == OUTPUT_TEXT;
    if (text)
        begin_page(&page, out, st);
    for (uint64_t rows = 0; *status == 1 && !failed && (!limit || rows < limit); rows++) {
        if (text && rows && rows % page_rows == 0) {
            failed |= table_end(&page.table, &page.options);
            begin_page(&page, out, st);
        }
        failed |= text ? row_text(&page, st) : out->format == OUTPUT_JSON ? row_json(out, st) : row_csv(out, st);
        if (!failed)
            *status = database_step(db, st, err);
    }
    if (text)
        failed |= table_end(&page.table, &page.options);
    return failed ? -1 : 0;
}

int result_show(struct database *db, sqlite3_stmt *st, int first, struct output *out, uint64_t limit,
                struct rh_error *err)
{
    int status = first;
    uint64_t rest = 0;
    begin_rows(out, st);
    if (!first && out->format == OUTPUT_TEXT)
        fputs("no rows\n", out->file);
    if (show_rows(db, st, out, limit, &status, err))
        status = error_set(err, RH_ERR_NO_MEMORY, "not enough memory for the answer", "--limit shows less of it");
    if (status == 1)
        rest = count_rest(db, st, &status, err);
    if (out->format == OUTPUT_JSON)
        json_array_end(&out->json);
    if (status >= 0)
        say_cut(out, rest);
    return status < 0 ? status : 0;
}
