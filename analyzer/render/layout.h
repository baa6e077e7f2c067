/* Making an image of a DOT file with libgvc, in a child process with bounds.
 *
 * Layout can take minutes and gigabytes on a graph of a few hundred nodes (dot's network simplex), prints to stderr as
 * it likes, and has crashed on odd input; none of this may happen to the caller.
 */
#ifndef RENDER_LAYOUT_H
#define RENDER_LAYOUT_H

#include <stddef.h>

#include <refheap/error.h>

struct layout_bounds {
    unsigned seconds;
    size_t bytes; /* of address space */
};

/* Lays out `dot_path` with the engine (dot, sfdp, ...) and writes `image_path` in the format (svg, png, pdf). The image
 * appears whole or not at all. */
int layout_render(const char *dot_path, const char *engine, const char *format, const char *image_path,
                  const struct layout_bounds *bounds, struct rh_error *err);

#endif
