/* A view that is text: what another command says, line by line, as it says it. A line that names a thing stands
 * for it. Prose is broken into as many rows as it needs. */
#ifndef BROWSE_PAGE_H
#define BROWSE_PAGE_H

#include "answer.h"
#include "view.h"

struct page {
    struct answer answer;
    struct question question; /* its words are owned */
    struct invocation *inv;
    struct page_line {
        size_t at, length;
        int goes_on; /* the one before, broken */
    } * line;
    size_t lines, room;
    size_t read;  /* of the text: up to where lines have been found */
    size_t width; /* that prose is broken at; 0: what is no prose is not */
    int folds;    /* the command takes --no-fold */
};

/* The answer to a question, about `subject`. The words are copied. NULL without memory; what cannot be asked is said
 * on the page. */
struct view *view_page(const struct atlas *atlas, struct invocation *inv, const struct question *question,
                       struct thing subject, const char *title);

/* Takes what has been said since. Returns 1 while it goes on. */
int page_read(struct view *view);

/* Breaks prose anew for a terminal of another width. */
void page_break(struct view *view, size_t width);

/* Asks again, with everything or with what looks alike folded. */
void page_fold(struct view *view, int folded);

/* Stops asking. */
void page_stop(struct view *view);

#endif
