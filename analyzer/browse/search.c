/* Searching the rows of a view, a few milliseconds at a time: a heap of ten million is not searched in one. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../render/text.h"
#include "browser.h"

enum { STEP_NS = 15 * 1000 * 1000, ROWS_BETWEEN = 256 };

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Small letters mean large ones too; with a large one in it, text is looked for as it is. */
static int has_text(const char *in, const char *text)
{
    for (const char *p = text; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            return strstr(in, text) != NULL;
    return strcasestr(in, text) != NULL;
}

static int row_has(const struct view *v, const struct view_row *row, const char *text)
{
    char to[NAME_SIZE];
    for (size_t c = 0; c < v->kind->column_count; c++) {
        enum cell_kind kind = v->kind->columns[c].kind;
        if ((kind == CELL_TEXT || kind == CELL_ADDRESS) &&
            has_text(view_cell(&v->kind->columns[c], &row->cells[c], to), text))
            return 1;
    }
    return 0;
}

static void advance(struct search *s, uint64_t rows)
{
    if (s->backwards)
        s->place = s->place ? s->place - 1 : rows - 1;
    else
        s->place = s->place + 1 < rows ? s->place + 1 : 0;
    s->left--;
}

void search_begin(struct browser *b, int backwards)
{
    struct frame *f = browse_frame(b);
    struct search *s = &b->search;
    if (!f->view->rows) {
        browse_say(b, "there is nothing to search");
        return;
    }
    s->is_on = 1;
    s->backwards = backwards;
    s->place = f->chosen;
    s->left = f->view->rows + 1;
    advance(s, f->view->rows); /* the chosen row comes last */
}

int search_step(struct browser *b)
{
    struct frame *f = browse_frame(b);
    struct search *s = &b->search;
    int64_t until = now() + STEP_NS;
    struct view_row row;
    char n[TEXT_NUMBER_SIZE];
    do
        for (int i = 0; i < ROWS_BETWEEN && s->left; i++, advance(s, f->view->rows)) {
            view_row_at(f->view, s->place, &row);
            if (!row_has(f->view, &row, s->text))
                continue;
            f->chosen = s->place;
            s->is_on = 0;
            browse_say(b, "/%s", s->text);
            return 0;
        }
    while (s->left && now() < until);
    s->is_on = s->left != 0;
    if (s->is_on)
        browse_say(b, "searching for \"%s\": %s to go (Esc stops it)", s->text, text_plural(s->left, "row", n));
    else
        browse_say(b, "\"%s\" is in no row of this list", s->text);
    return s->is_on;
}
