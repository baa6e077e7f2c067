/* The colours of pictures, for light and for dark surroundings.
 *
 * Lines are from Okabe and Ito's palette, which colour-blind people can tell apart, darkened where white text stands on
 * them. No state is told by its colour alone: a printer without colours shows the outlines, each of another kind.
 */
#ifndef RENDER_PALETTE_H
#define RENDER_PALETTE_H

/* Written in small letters, as Graphviz repeats them: the stylesheet finds them by that. */
struct color {
    const char *light, *dark;
};

enum color_name {
    COLOR_PAPER,
    COLOR_INK,
    COLOR_FAINT, /* text that is not the first to be read */
    COLOR_LINE,  /* of references */
    COLOR_FAINT_LINE,
    COLOR_FRAME,
    COLOR_LIVE,
    COLOR_LIVE_FILL,
    COLOR_LIVE_BAR, /* lighter than what it stands beside: told from it without colours */
    COLOR_GARBAGE,
    COLOR_GARBAGE_FILL,
    COLOR_DEPENDENT,
    COLOR_DEPENDENT_FILL,
    COLOR_INVISIBLE,
    COLOR_INVISIBLE_FILL,
    COLOR_ROOT,
    COLOR_ROOT_FILL,
    COLOR_NEW,
    COLOR_NEW_FILL,
    COLOR_GONE,
    COLOR_GONE_FILL,
    COLORS
};

extern const struct color palette[COLORS];

#endif
