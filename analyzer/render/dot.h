/* What the parts of the DOT writer share: how states look, and escaping. */
#ifndef RENDER_DOT_H
#define RENDER_DOT_H

#include "palette.h"
#include "picture.h"

struct dot_look {
    const char *name;  /* class */
    const char *means; /* in the legend */
    enum color_name line, fill;
    const char *style;
    double width;
};
extern const struct dot_look dot_looks[PICTURE_STATES];

/* Text inside an HTML-like label. */
void dot_put_html(FILE *file, const char *text);

/* The title, what is not drawn, and what the states and marks that occur mean: the graph's label. */
void dot_write_legend(const struct picture *picture, FILE *file);

/* What stands below what. */
void dot_write_arrangement(const struct picture *picture, FILE *file);

#endif
