#include "output.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

void output_style(struct output *out, enum style style)
{
    static const char *const codes[] = {"\033[0m", "\033[1m", "\033[2m", "\033[31m", "\033[32m"};
    if (out->color)
        fputs(codes[style], out->file);
}

struct cell cell_text(const char *text)
{
    return cell_bytes(text, strlen(text));
}

struct cell cell_bytes(const char *text, size_t length)
{
    return (struct cell){0, text, length, 0};
}

/* ---- one cell ---- */

static int is_text(enum cell_kind kind)
{
    return kind == CELL_TEXT || kind == CELL_FIGURE;
}

enum { CELL_CHARACTERS = 60 };

static const char *show_change(enum cell_kind kind, int64_t change, char to[CELL_TEXT_MAX])
{
    uint64_t size = change < 0 ? -(uint64_t)change : (uint64_t)change;
    char number[TEXT_NUMBER_SIZE];
    snprintf(to, CELL_TEXT_MAX, "%s%s",
             change > 0   ? "+"
             : change < 0 ? "-"
                          : "",
             kind == CELL_CHANGE ? text_count(size, number) : text_size(size, number));
    return to;
}

const char *cell_show(const struct column *column, const struct cell *cell, char to[CELL_TEXT_MAX])
{
    if (cell->is_null)
        return "-";
    switch (column->kind) {
    case CELL_COUNT:
        return text_count(cell->number, to);
    case CELL_SIZE:
        return text_size(cell->number, to);
    case CELL_NUMBER:
        snprintf(to, CELL_TEXT_MAX, "%" PRId64, (int64_t)cell->number);
        return to;
    case CELL_CHANGE:
    case CELL_SIZE_CHANGE:
        return show_change(column->kind, (int64_t)cell->number, to);
    case CELL_ADDRESS:
        snprintf(to, CELL_TEXT_MAX, "0x%" PRIx64, cell->number);
        return to;
    case CELL_GENERATION:
        return text_generation((unsigned)cell->number);
    case CELL_SHARE:
        return text_share(cell->number, to);
    case CELL_FLAG:
        return cell->number ? "yes" : "";
    default:
        text_clean(cell->text, cell->length, CELL_CHARACTERS, to, CELL_TEXT_MAX);
        return to;
    }
}

static int64_t generation_number(uint64_t generation)
{
    return generation == 4 ? -1 : (int64_t)generation;
}

static void put_json(struct json *j, const struct column *column, const struct cell *cell)
{
    if (cell->is_null) {
        json_null(j, column->key);
        return;
    }
    switch (column->kind) {
    case CELL_ADDRESS:
        json_address(j, column->key, cell->number);
        break;
    case CELL_TEXT:
    case CELL_FIGURE:
        json_text(j, column->key, cell->text, cell->length);
        break;
    case CELL_GENERATION:
        json_int(j, column->key, generation_number(cell->number));
        break;
    case CELL_SHARE:
        json_share(j, column->key, cell->number, TEXT_SHARE_WHOLE);
        break;
    case CELL_FLAG:
        json_bool(j, column->key, cell->number != 0);
        break;
    case CELL_NUMBER:
    case CELL_CHANGE:
    case CELL_SIZE_CHANGE:
        json_int(j, column->key, (int64_t)cell->number);
        break;
    default:
        json_uint(j, column->key, cell->number);
    }
}

void output_csv_field(FILE *f, const char *text, size_t length)
{
    int quote = 0;
    for (size_t i = 0; i < length; i++)
        quote |= strchr(",\"\r\n", text[i]) != NULL;
    if (!quote) {
        fwrite(text, 1, length, f);
        return;
    }
    fputc('"', f);
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '"')
            fputc('"', f);
        fputc(text[i], f);
    }
    fputc('"', f);
}

static void put_csv(FILE *f, const struct column *column, const struct cell *cell)
{
    if (cell->is_null)
        return;
    switch (column->kind) {
    case CELL_ADDRESS:
        fprintf(f, "0x%" PRIx64, cell->number);
        break;
    case CELL_TEXT:
    case CELL_FIGURE:
        output_csv_field(f, cell->text, cell->length);
        break;
    case CELL_SHARE:
        fprintf(f, "%" PRIu64 ".%04" PRIu64, cell->number / TEXT_SHARE_WHOLE, cell->number % TEXT_SHARE_WHOLE);
        break;
    case CELL_GENERATION:
        fprintf(f, "%" PRId64, generation_number(cell->number));
        break;
    default:
        fprintf(f, "%" PRId64, (int64_t)cell->number);
    }
}

/* ---- a row ---- */

static void put_row(struct table *t, const struct cell *cells)
{
    struct output *out = t->out;
    if (out->format == OUTPUT_JSON) {
        json_object(&out->json, NULL);
        for (size_t c = 0; c < t->column_count; c++)
            put_json(&out->json, &t->columns[c], &cells[c]);
        json_object_end(&out->json);
        return;
    }
    for (size_t c = 0; c < t->column_count; c++) {
        if (c)
            fputc(',', out->file);
        put_csv(out->file, &t->columns[c], &cells[c]);
    }
    fputc('\n', out->file);
}

static int keep_row(struct table *t, const struct cell *cells)
{
    if (t->rows == t->capacity) {
        size_t capacity = t->capacity ? 2 * t->capacity : 32;
        struct cell *more = realloc(t->cells, capacity * t->column_count * sizeof *more);
        if (!more)
            return -1;
        t->cells = more;
        t->capacity = capacity;
    }
    struct cell *row = t->cells + t->rows * t->column_count;
    for (size_t c = 0; c < t->column_count; c++) {
        row[c] = cells[c];
        if (!is_text(t->columns[c].kind) || cells[c].is_null)
            continue;
        char *copy = malloc(cells[c].length + 1);
        if (!copy) {
            row[c].text = NULL;
            row[c].is_null = 1;
            t->no_memory = 1;
            continue;
        }
        memcpy(copy, cells[c].text, cells[c].length);
        copy[cells[c].length] = 0;
        row[c].text = copy;
    }
    t->rows++;
    return 0;
}

/* ---- the table ---- */

long table_column(const struct column *columns, size_t count, const char *key)
{
    key += *key == '-' || *key == '+';
    for (size_t c = 0; c < count; c++)
        if (!strcmp(columns[c].key, key))
            return (long)c;
    return -1;
}

void table_begin(struct table *t, struct output *out, const struct column *columns, size_t count,
                 const struct table_options *options)
{
    *t = (struct table){.out = out, .columns = columns, .column_count = count, .limit = options->limit, .sort = -1};
    if (options->sort && (t->sort = table_column(columns, count, options->sort)) >= 0) {
        int turned = *options->sort == '-' || *options->sort == '+';
        t->descending = turned ? *options->sort == '-' : !is_text(columns[t->sort].kind);
    }
    if (out->format == OUTPUT_JSON)
        json_array(&out->json, options->name);
    if (out->format == OUTPUT_CSV)
        for (size_t c = 0; c < count; c++)
            fprintf(out->file, "%s%c", columns[c].key, c + 1 < count ? ',' : '\n');
}

void table_row(struct table *t, const struct cell *cells)
{
    t->seen++;
    if (t->sort < 0 && t->limit && t->seen > t->limit)
        return;
    if (t->sort < 0 && t->out->format != OUTPUT_TEXT)
        put_row(t, cells);
    else if (keep_row(t, cells))
        t->no_memory = 1;
}

static int is_signed(enum cell_kind kind)
{
    return kind == CELL_NUMBER || kind == CELL_CHANGE || kind == CELL_SIZE_CHANGE;
}

static int compare_cells(const struct table *t, const struct cell *a, const struct cell *b)
{
    if (a->is_null != b->is_null)
        return a->is_null ? -1 : 1;
    if (a->is_null)
        return 0;
    if (is_text(t->columns[t->sort].kind)) {
        size_t n = a->length < b->length ? a->length : b->length;
        int order = memcmp(a->text, b->text, n);
        return order ? order : a->length < b->length ? -1 : a->length > b->length;
    }
    if (is_signed(t->columns[t->sort].kind))
        return (int64_t)a->number < (int64_t)b->number ? -1 : (int64_t)a->number > (int64_t)b->number;
    return a->number < b->number ? -1 : a->number > b->number;
}

/* Merge sort over row numbers: stable, so that rows that are equal keep their stated order. */
static void sort_rows(const struct table *t, size_t *rows, size_t *spare, size_t count)
{
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t low = 0; low < count; low += 2 * width) {
            size_t middle = low + width < count ? low + width : count;
            size_t high = low + 2 * width < count ? low + 2 * width : count;
            for (size_t i = low, j = middle, k = low; k < high; k++) {
                int left = i < middle;
                if (left && j < high) {
                    int order = compare_cells(t, &t->cells[rows[i] * t->column_count + (size_t)t->sort],
                                              &t->cells[rows[j] * t->column_count + (size_t)t->sort]);
                    left = t->descending ? order >= 0 : order <= 0;
                }
                spare[k] = left ? rows[i++] : rows[j++];
            }
        }
        memcpy(rows, spare, count * sizeof *rows);
    }
}

static int is_right(enum cell_kind kind)
{
    return kind == CELL_COUNT || kind == CELL_SIZE || kind == CELL_SHARE || kind == CELL_FIGURE || is_signed(kind);
}

static void pad(FILE *f, size_t n)
{
    while (n--)
        fputc(' ', f);
}

/* Blanks are written when something follows them, so that no line ends in one. */
static void put_aligned(struct table *t, const char *const *texts, const size_t *width)
{
    size_t blanks = 0;
    for (size_t c = 0, shown = 0; c < t->column_count; c++) {
        if (!t->columns[c].title)
            continue;
        size_t space = width[c] - text_width(texts[c]);
        int right = is_right(t->columns[c].kind);
        blanks += (shown++ ? 2 : 0) + (right ? space : 0);
        if (*texts[c]) {
            pad(t->out->file, blanks);
            fputs(texts[c], t->out->file);
            blanks = 0;
        }
        blanks += right ? 0 : space;
    }
    fputc('\n', t->out->file);
}

static void put_text_table(struct table *t, const size_t *order, size_t shown)
{
    char buffer[COLUMNS_MAX][CELL_TEXT_MAX];
    const char *texts[COLUMNS_MAX];
    size_t width[COLUMNS_MAX];
    for (size_t c = 0; c < t->column_count; c++) {
        texts[c] = t->columns[c].title ? t->columns[c].title : "";
        width[c] = text_width(texts[c]);
        for (size_t r = 0; r < shown; r++) {
            size_t w = text_width(cell_show(&t->columns[c], &t->cells[order[r] * t->column_count + c], buffer[c]));
            width[c] = w > width[c] ? w : width[c];
        }
    }
    output_style(t->out, STYLE_BOLD);
    put_aligned(t, texts, width);
    output_style(t->out, STYLE_NORMAL);
    for (size_t r = 0; r < shown; r++) {
        for (size_t c = 0; c < t->column_count; c++)
            texts[c] = cell_show(&t->columns[c], &t->cells[order[r] * t->column_count + c], buffer[c]);
        put_aligned(t, texts, width);
    }
}

int table_end(struct table *t, const struct table_options *options)
{
    size_t *order = malloc((t->rows + 1) * sizeof *order), *spare = malloc((t->rows + 1) * sizeof *spare);
    size_t shown = t->limit && t->rows > t->limit ? (size_t)t->limit : t->rows;
    char number[TEXT_NUMBER_SIZE];
    if (order && spare) {
        for (size_t r = 0; r < t->rows; r++)
            order[r] = r;
        if (t->sort >= 0)
            sort_rows(t, order, spare, t->rows);
        if (t->out->format == OUTPUT_TEXT && t->seen)
            put_text_table(t, order, shown);
        else
            for (size_t r = 0; r < shown; r++)
                put_row(t, t->cells + order[r] * t->column_count);
    } else {
        t->no_memory = 1;
    }
    if (t->out->format == OUTPUT_TEXT && t->limit && t->seen > t->limit)
        fprintf(t->out->file, "... %s more %s (--limit 0 shows all)\n", text_count(t->seen - t->limit, number),
                options->noun ? options->noun : "rows");
    if (t->out->format == OUTPUT_JSON) {
        char key[64];
        json_array_end(&t->out->json);
        snprintf(key, sizeof key, "%s_omitted", options->name);
        if (t->limit && t->seen > t->limit)
            json_uint(&t->out->json, key, t->seen - t->limit);
    }
    for (size_t r = 0; r < t->rows * t->column_count; r++)
        if (is_text(t->columns[r % t->column_count].kind))
            free((char *)(uintptr_t)t->cells[r].text);
    free(t->cells);
    free(order);
    free(spare);
    t->cells = NULL;
    return t->no_memory ? -1 : 0;
}
