/* Making an image of a DOT text with libgvc, in a child process with bounds.
 *
 * Layout can take minutes and gigabytes on a graph of a few hundred nodes (dot's network simplex), prints to stderr as
 * it likes, and has crashed on odd input; none of this may happen to the caller.
 */
#ifndef RENDER_LAYOUT_H
#define RENDER_LAYOUT_H

#include <stddef.h>
#include <stdio.h>

#include <refheap/error.h>

struct layout_bounds {
    unsigned seconds;
    size_t bytes; /* of address space, beyond what the caller has */
};

/* Lays out the text of a DOT file with the engine (dot, sfdp, ...) and writes the image in the format (svg, png, pdf)
 * to `to`, all of it or nothing. */
int layout_render(const char *dot, const char *engine, const char *format, FILE *to, const struct layout_bounds *bounds,
                  struct rh_error *err);

#endif
