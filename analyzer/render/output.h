/* Where results go, and tables: described once, shown as aligned text, JSON, or CSV. */
#ifndef RENDER_OUTPUT_H
#define RENDER_OUTPUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "json.h"

enum output_format { OUTPUT_TEXT, OUTPUT_JSON, OUTPUT_CSV };

struct output {
    FILE *file;
    enum output_format format;
    int color;
    struct json json; /* open while a JSON result is written */
};

/* Styles for text on a terminal; they print nothing without colour. */
enum style { STYLE_NORMAL, STYLE_BOLD, STYLE_DIM, STYLE_BAD, STYLE_GOOD };
void output_style(struct output *out, enum style style);

enum cell_kind {
    CELL_COUNT,   /* 1,204 */
    CELL_SIZE,    /* 1.5 KiB; a number of bytes in JSON and CSV */
    CELL_NUMBER,  /* 1204 */
    CELL_ADDRESS, /* 0x... */
    CELL_TEXT,
    CELL_FIGURE,      /* a number written out already: text, to the right */
    CELL_CHANGE,      /* +1,204; a signed number in JSON and CSV, as is */
    CELL_SIZE_CHANGE, /* +1.5 KiB */
    CELL_GENERATION,  /* 0, permanent, untracked; -1 for untracked in JSON */
    CELL_SHARE,       /* ten-thousandths: 58 %; 0.5812 in JSON and CSV */
    CELL_FLAG,        /* yes or nothing; true or false in JSON */
};

struct column {
    const char *key;   /* in JSON and CSV */
    const char *title; /* in text; NULL leaves the column out there */
    enum cell_kind kind;
};

struct cell {
    uint64_t number;  /* two's complement where negative numbers can occur */
    const char *text; /* of CELL_TEXT and CELL_FIGURE */
    size_t length;
    int is_null;
};

static inline struct cell cell_number(uint64_t number)
{
    return (struct cell){number, NULL, 0, 0};
}

/* A cell as people read it: text is cleaned and capped, a missing value is "-". May return something else than `to`. */
enum { CELL_TEXT_MAX = 256 };
const char *cell_show(const struct column *column, const struct cell *cell, char to[CELL_TEXT_MAX]);

struct cell cell_text(const char *text); /* terminated */
struct cell cell_bytes(const char *text, size_t length);

static inline struct cell cell_null(void)
{
    return (struct cell){0, NULL, 0, 1};
}

enum { COLUMNS_MAX = 64 };

struct table {
    struct output *out;
    const struct column *columns;
    size_t column_count;
    uint64_t limit; /* rows shown; 0 for all */
    long sort;      /* column, -1 for the order of the rows */
    int descending;
    struct cell *cells; /* rows kept, column_count each */
    size_t rows, capacity;
    uint64_t seen; /* rows given */
    int no_memory;
};

struct table_options {
    const char *name; /* key of the array in JSON */
    uint64_t limit;   /* 0 for all */
    const char *sort; /* key of a column, or NULL; `-` or `+` in front turns the order around */
    const char *noun; /* what rows are, for the line that says how many were cut: "objects" */
};

/* The column a sort key (with or without + or - in front) means, or -1. */
long table_column(const struct column *columns, size_t count, const char *key);

/* Begins a table. A sort key that names no column is no order. */
void table_begin(struct table *t, struct output *out, const struct column *columns, size_t count,
                 const struct table_options *options);

/* Adds a row; texts are copied. Rows stream out at once where nothing has to be known of later ones. */
void table_row(struct table *t, const struct cell *cells);

/* Shows what is left and frees the table. Returns 0, or -1 when memory was exhausted. */
int table_end(struct table *t, const struct table_options *options);

/* One field of CSV, quoted where it has to be. */
void output_csv_field(FILE *file, const char *text, size_t length);

#endif
