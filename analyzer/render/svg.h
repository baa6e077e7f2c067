/* Making the SVG that Graphviz wrote fit to be looked at: in light and dark surroundings, with the texts of the picture
 * as titles (which browsers show as tooltips and read aloud), with fonts that every machine has.
 *
 * What Graphviz writes is not trusted, since the names in it come from a snapshot: it is read tag by tag, and an
 * element or attribute that no picture needs, a character that XML forbids, or tags that do not match are an error. So
 * nothing in the result can run, load or be ill-formed.
 */
#ifndef RENDER_SVG_H
#define RENDER_SVG_H

#include <stddef.h>
#include <stdio.h>

#include <refheap/error.h>

#include "picture.h"

/* Where the SVG will stand. All zero: in a file of its own. */
struct svg_place {
    int fragment;      /* in a page: no XML prolog and no stylesheet, which the page has once (svg_write_style) */
    const char *ids;   /* begins every id, so that several pictures have none in common; NULL: "" */
    const char *links; /* begins the link of a node, "object-0x..." follows; NULL: "#" and `ids` */
};

int svg_finish(const char *raw, size_t size, const struct picture *picture, const struct svg_place *place, FILE *to,
               struct rh_error *err);

/* The stylesheet, without <style> around it: rules for what is below class "refheap". */
void svg_write_style(FILE *to);

#endif
