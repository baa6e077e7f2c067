/* From a picture to an image, in memory: for the command that writes it to a file, and for pages that embed it. */
#ifndef ANALYZER_IMAGE_H
#define ANALYZER_IMAGE_H

#include "../render/picture.h"
#include "../render/svg.h"
#include "../session/session.h"

enum image_format { IMAGE_SVG, IMAGE_PNG, IMAGE_PDF, IMAGE_DOT, IMAGE_FORMATS };

/* The format of that name ("svg"), or IMAGE_FORMATS. */
enum image_format image_format_named(const char *name);

struct image {
    char *bytes; /* the image, terminated by a zero that does not count; NULL when the layout failed */
    size_t size;
    char *dot; /* the picture in DOT, terminated; there even if the layout failed */
    size_t dot_size;
    char *left_out; /* what of the graph is not drawn, clean and not escaped; or NULL */
    size_t nodes, edges;
};

/* Draws a picture. A layout that takes too long or fails is an error; image->dot is there then too. `place` is for
 * SVG. Returns 0 or a negative code; the image is to be released in any case. */
int image_make(const struct picture *picture, enum image_format format, const struct svg_place *place,
               struct image *image, struct rh_error *err);
void image_release(struct image *image);

/* Draws one cycle of garbage (an index in s->cycles.items), with what hangs off it and the reference to cut, as an SVG:
 * with `place` NULL a file by itself, with place->fragment an <svg> element to stand in an HTML page, without title and
 * legend. Whatever its size, the cycle is folded to some dozens of nodes; nothing in the result can run or load.
 *
 * Needs session_dominators(), session_garbage() of 2 and session_values(). Takes some 100 ms: the layout is a child
 * process, with bounds. */
int image_of_cycle(struct session *s, ordinal cycle, const struct svg_place *place, struct image *image,
                   struct rh_error *err);

#endif
