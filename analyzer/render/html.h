/* Writing HTML. Markup is written as literals with fputs(); whatever comes from a snapshot goes through the functions
 * below, which let no character out as anything but text.
 */
#ifndef RENDER_HTML_H
#define RENDER_HTML_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "output.h"

/* Text as text, in an element or a quoted attribute: what is no UTF-8, and controls, become U+FFFD. */
void html_text(FILE *f, const char *text);

/* The same, formatted; of a result that is longer than 4 KiB the beginning. */
void html_say(FILE *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A name as people read it, cleaned, at most `cap` characters of it, isolated from the text around it whichever way it
 * is written. */
void html_name(FILE *f, const char *bytes, size_t length, size_t cap);
void html_label(FILE *f, const char *clean); /* one that is clean already */

/* A bar as long as a share of its place, in ten-thousandths. */
void html_bar(FILE *f, uint64_t share, const char *class);

/* A table in a frame that scrolls by itself where it is too wide. Columns are those of output.h: a column without a
 * title is left out. Cells of numbers have their exact value in data-v, rows and columns are as the table of a command
 * in JSON has them. */
struct html_table {
    const char *id, *caption; /* the caption says what it is to those who do not see it */
    const char *class;        /* or NULL */
    const struct column *columns;
    size_t count;
    uint64_t bar_of; /* what is whole for the bars; 0: none */
    size_t bar;      /* column of sizes or counts with a bar */
};
void html_table_begin(FILE *f, const struct html_table *table);
void html_table_row(FILE *f, const struct html_table *table, const struct cell *cells);
void html_table_end(FILE *f, const struct html_table *table);

#endif
