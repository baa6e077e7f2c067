/* The views of a tab, and what is chosen in the one that is shown. */
#include <stdarg.h>

#include "browser.h"

struct frame *browse_frame(struct browser *b)
{
    struct tab *t = &b->tabs[b->tab];
    return &t->frames[t->depth - 1];
}

void browse_say(struct browser *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(b->message, sizeof b->message, format, args);
    va_end(args);
}

struct thing browse_chosen(struct browser *b)
{
    struct frame *f = browse_frame(b);
    struct view_row row;
    if (f->chosen >= f->view->rows)
        return (struct thing){THING_NONE, 0};
    view_row_at(f->view, f->chosen, &row);
    return row.thing;
}

void browse_push(struct browser *b, struct view *view)
{
    struct tab *t = &b->tabs[b->tab];
    if (!view) {
        browse_say(b, "not enough memory");
        return;
    }
    if (t->depth == BROWSE_DEPTH) {
        view_destroy(view);
        browse_say(b, "that is %d views deep: go back first", BROWSE_DEPTH);
        return;
    }
    t->frames[t->depth++] = (struct frame){.view = view};
}
