/* What `refheap browse` shows, without the terminal: views are lists of rows whose columns are computed when they are
 * looked at, the browser is a stack of views for each tab and what keys do to it, and a screen is composed of styled
 * lines. terminal.c alone knows ncurses; everything else here can be tested without one.
 *
 * This header: one view. A list may have as many rows as the heap has objects: nothing but the order is kept of them,
 * and that is sorted where somebody looks.
 */
#ifndef BROWSE_VIEW_H
#define BROWSE_VIEW_H

#include "../graph/forest.h"
#include "../graph/order.h"
#include "../session/names.h"
#include "../render/output.h"

/* What the views share: the session with everything computed, and what was made of it for browsing. */
struct atlas {
    struct session *s;
    struct forest keeps;                /* the dominator tree's children */
    uint32_t *class_order;              /* by class: its rank by name */
    ordinal *shape;                     /* by cycle: the first of its shape */
    ordinal *alike;                     /* by cycle that is the first of its shape: how many have it */
    struct generation_row *generations; /* generations.h */
};

/* Computes what is missing of the session (saying so on stderr, where somebody looks) and the rest. Returns 0 or an
 * error. */
int atlas_make(struct atlas *atlas, struct session *s, struct rh_error *err);
void atlas_release(struct atlas *atlas);

/* What a row stands for, to be opened or asked about. */
enum thing_kind {
    THING_NONE,
    THING_OBJECT,     /* number: ordinal */
    THING_CYCLE,      /* index of the cycle */
    THING_TYPE,       /* class */
    THING_GENERATION, /* heap * GENERATIONS + generation */
};

struct thing {
    enum thing_kind kind;
    uint64_t number;
};

struct view_column {
    const char *key, *title;
    enum cell_kind kind;
    unsigned char width;    /* columns it takes; 0: what is left, of one column in a view */
    unsigned char leave;    /* left out when the terminal has fewer columns than this */
    unsigned char sortable; /* by its numbers, or for a text by what the view's key() gives */
    unsigned char bar;      /* a share, drawn */
};

enum { VIEW_COLUMNS_MAX = 10, VIEW_TEXTS = 3 };

enum view_mark { MARK_NONE, MARK_GARBAGE, MARK_DEPENDENT, MARK_INVISIBLE, MARK_HEADING };

struct view_row {
    struct thing thing;
    enum view_mark mark;
    struct cell cells[VIEW_COLUMNS_MAX]; /* texts point into `text`, or to where they stay */
    char text[VIEW_TEXTS][NAME_SIZE];
};

struct view;

struct view_kind {
    const struct view_column *columns;
    size_t column_count;
    void (*row)(const struct view *v, uint64_t row, struct view_row *to);
    /* What a column is sorted by; called for each row when an order is begun. */
    uint64_t (*key)(const struct view *v, uint64_t row, size_t column);
    /* What Enter makes of a row: another view. Leaves *result NULL when there is nothing behind the row; then `why_not`
     * says so. Returns 0 or -1 without memory. NULL: things are opened as everywhere. */
    int (*open)(const struct view *v, const struct view_row *row, struct view **result, const char **why_not);
    void (*release)(struct view *v); /* NULL: there is nothing of its own */
};

enum { NOTES = 2, NOTE_SIZE = 2 * NAME_SIZE };

struct view {
    const struct view_kind *kind;
    const struct atlas *atlas;
    struct thing subject;        /* what the view is about */
    const char *about;           /* which of a subject's views: "referrers", "referents", or a page's command */
    char title[NAME_SIZE];       /* in the trail */
    char note[NOTES][NOTE_SIZE]; /* lines above the list, "" for none */
    uint64_t rows;
    int sort;            /* column; -1: the order of the rows */
    int turned;          /* the other way round: smallest number first, texts from Z */
    struct order order;  /* when `sort` says one */
    const ordinal *list; /* what rows are made of: objects, vertices, cycles; `items` or somebody else's */
    ordinal *items;
    size_t count;      /* of the list */
    uint64_t *starts;  /* of references: where the rows of each object of the list begin, count + 1 */
    uint64_t whole;    /* of keepers: bytes that a bar is a part of */
    int folded;        /* of cycles: those of one shape are one row */
    struct page *page; /* of an answer: page.h */
};

/* A view without rows; NULL without memory. */
struct view *view_create(const struct view_kind *kind, const struct atlas *atlas, struct thing subject);
void view_destroy(struct view *view);

/* Sorts by a column (-1: as the rows stand). Returns 0, or -1 without memory: then the rows are as they stand. */
int view_sort(struct view *view, int column, int turned);

/* The row at a place of the list, below `rows`, in the view's order. */
void view_row_at(struct view *view, uint64_t place, struct view_row *to);

/* The number of the row there, as kind->row() takes it. */
uint64_t view_row_number(struct view *view, uint64_t place);

/* A cell as it is shown: in `to`, or where it stays. */
const char *view_cell(const struct view_column *column, const struct cell *cell, char to[NAME_SIZE]);

/* ---- what several views use ---- */

/* An object's cells, where a view has them, in the row: its thing and mark, and `type "label"` in text[0]. */
const char *row_object(const struct atlas *atlas, ordinal o, struct view_row *to);

/* What a thing is called: `dict "config"`, "cycle 3", "type dict". */
const char *thing_name(const struct atlas *atlas, struct thing thing, char to[NAME_SIZE]);

/* What a text names as it would on the command line: 0xADDRESS, @RANK, root:NAME, type:NAME, cycle:ID. THING_NONE when
 * there is nothing of that name. */
struct thing thing_named(const struct atlas *atlas, const char *text);

/* The last thing that a line of text names so; ranks do not count. */
struct thing thing_in_line(const struct atlas *atlas, const char *line);

/* One line that says what is known of a thing at a glance. */
const char *thing_details(const struct atlas *atlas, struct thing thing, char to[NOTE_SIZE]);

#endif
