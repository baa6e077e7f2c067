/* The views there are. Each returns NULL without memory. Orders of rows are those of the commands' JSON. */
#ifndef BROWSE_VIEWS_H
#define BROWSE_VIEWS_H

#include "view.h"

/* What a vertex of the dominator tree keeps directly: `refheap dominators`. */
struct view *view_keepers(const struct atlas *atlas, ordinal vertex);

/* The vertex of the dominator tree that a thing is, ORDINAL_NONE for none. */
ordinal keepers_vertex(const struct atlas *atlas, struct thing thing);

/* `refheap summary`, `cycles`, `generations`. */
struct view *view_types(const struct atlas *atlas);
struct view *view_cycles(const struct atlas *atlas, int folded);
struct view *view_generations(const struct atlas *atlas);

/* Roots, and the objects they hold. */
struct view *view_roots(const struct atlas *atlas);

/* The objects of a type, a generation or a cycle. */
struct view *view_objects(const struct atlas *atlas, struct thing thing);

/* The references that lead to an object, or to any of a cycle or a type; or those they hold. */
struct view *view_references(const struct atlas *atlas, struct thing thing, int referrers);

/* The vertices, objects ... a view shows instead of looking for them: `items` is the view's from then on. */
void view_take(struct view *view, ordinal *items, size_t count);

/* Ordinals of what a thing is made of, ascending: for array_free(); NULL without memory. */
ordinal *thing_objects(const struct atlas *atlas, struct thing thing, size_t *count);

#endif
