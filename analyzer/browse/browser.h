/* The browser: a stack of views for each tab, and what keys do to it. It knows no terminal: keys come in as numbers,
 * and a screen is asked for as pieces of text with a look.
 */
#ifndef BROWSE_BROWSER_H
#define BROWSE_BROWSER_H

#include "answer.h"
#include "keys.h"
#include "view.h"

enum { BROWSE_TABS = 7, BROWSE_DEPTH = 100, BROWSE_INPUT = 128, BROWSE_MESSAGE = 512 };

/* A view on a tab's stack: which row is chosen, which is the first shown, and by how much long texts are shifted. */
struct frame {
    struct view *view;
    uint64_t chosen, top;
    size_t shift;
};

struct tab {
    struct frame frames[BROWSE_DEPTH];
    int depth; /* 0: nothing was made yet */
};

/* A search in the view that is shown, some rows at a time. */
struct search {
    char text[BROWSE_INPUT]; /* of the last one */
    int is_on, backwards;
    uint64_t place, left; /* the row to look at next, and how many are left */
};

enum browse_mode { MODE_LIST, MODE_HELP, MODE_SEARCH, MODE_GO };

struct browser {
    struct invocation *inv;
    struct atlas atlas;
    struct tab tabs[BROWSE_TABS];
    int tab;
    enum browse_mode mode;
    char input[BROWSE_INPUT];
    size_t input_length;
    struct search search;
    struct answer drawing;
    char message[BROWSE_MESSAGE];
    int height; /* rows a page had when it was last composed */
    int ends;   /* it is over */
    int no_memory;
};

/* Wants an atlas that was made; it is the browser's from then on. Returns 0 or -1 without memory. */
int browse_begin(struct browser *b, struct invocation *inv, const struct atlas *atlas);
void browse_end(struct browser *b);

/* What one key does. Nothing here takes long: what could goes on in browse_step(). */
void browse_key(struct browser *b, int key);

/* Goes on with what is under way, for some milliseconds. Returns 1 as long as there is more to do. */
int browse_step(struct browser *b);

/* What a step would wait for: descriptors to be read, at most two, in `fds`. -1: the next step is due soon; 0: nothing
 * is under way. */
int browse_waits(const struct browser *b, int fds[2]);

/* ---- the screen: compose.c ---- */

enum look {
    LOOK_PLAIN,
    LOOK_BANNER, /* the first line */
    LOOK_TAB,
    LOOK_TAB_CHOSEN,
    LOOK_TRAIL,
    LOOK_HEAD, /* titles of columns */
    LOOK_NOTE,
    LOOK_CHOSEN,
    LOOK_GARBAGE,
    LOOK_DEPENDENT,
    LOOK_INVISIBLE,
    LOOK_MESSAGE,
    LOOK_HINT,
};

/* Shows text, of a known width that fits, from a line and column on. */
typedef void browse_put(void *context, int line, int column, const char *text, enum look look);

/* Composes the whole screen, each line once and to its full width; adjusts what is shown to its size. Where input is
 * being typed, *cursor is its column in the last line, else -1. */
void browse_compose(struct browser *b, int width, int height, browse_put *put, void *context, int *cursor);

/* ---- within: stack.c, actions.c, search.c ---- */

struct frame *browse_frame(struct browser *b);

/* Puts a view on the stack. It is destroyed when there is no room for it; NULL means memory was exhausted. */
void browse_push(struct browser *b, struct view *view);

void browse_say(struct browser *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The thing that is chosen; THING_NONE when there is none. */
struct thing browse_chosen(struct browser *b);

/* What o, r, e, w, t and d do with what is chosen; Enter, where the view does not say: actions.c. */
void browse_open_thing(struct browser *b, struct thing thing);
void browse_act(struct browser *b, int key);

/* Opens what `text` names, as on the command line. */
void browse_go(struct browser *b, const char *text);

/* Begins a search, or goes on with the last one; one step of it. Returns 1 as long as it goes on. */
void search_begin(struct browser *b, int backwards);
int search_step(struct browser *b);

#endif
