/* The screen: a banner, the tabs, the trail of views, notes, titles of columns, rows, what is chosen, and a last line
 * for messages and input. Of a list only the rows shown are computed. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../render/text.h"
#include "browser.h"
#include "fit.h"
#include "page.h"

enum { LEAST_WIDTH = 20, LEAST_HEIGHT = 7 };

struct canvas {
    struct browser *b;
    int width, height;
    browse_put *put;
    void *context;
    int unicode;
};

static void put_line(const struct canvas *c, int line, const char *text, size_t shift, enum look look)
{
    char fitted[FIT_SIZE];
    fit_text(text, shift, (size_t)c->width, 0, fitted);
    c->put(c->context, line, 0, fitted, look);
}

/* Two texts at the ends of a line, the right one whole if there is room for it. */
static void put_ends(const struct canvas *c, int line, const char *left, const char *right, enum look look)
{
    char fitted[FIT_SIZE];
    size_t taken = fit_width(right), room = (size_t)c->width;
    if (taken + 10 > room) {
        put_line(c, line, left, 0, look);
        return;
    }
    fit_text(left, 0, room - taken, 0, fitted);
    c->put(c->context, line, 0, fitted, look);
    fit_text(right, 0, taken, 0, fitted);
    c->put(c->context, line, (int)(room - taken), fitted, look);
}

/* ---- above the list ---- */

static void put_banner(const struct canvas *c)
{
    const struct session *s = c->b->atlas.s;
    const char *slash = strrchr(s->path, '/'), *path = slash && slash[1] ? slash + 1 : s->path;
    char name[NAME_SIZE], left[2 * NAME_SIZE], right[NAME_SIZE], n[4][TEXT_NUMBER_SIZE];
    text_clean(path, strlen(path), 120, name, sizeof name);
    snprintf(left, sizeof left, " refheap  %s%s", name, snapshot_complete(s->snapshot) ? "" : "  (incomplete)");
    snprintf(right, sizeof right, "%s, %s; garbage %s, %s ", text_plural(s->graph.objects, "object", n[0]),
             text_size(s->graph.bytes, n[1]), text_count(s->garbage[2].garbage.objects, n[2]),
             text_size(s->garbage[2].garbage.bytes, n[3]));
    put_ends(c, 0, left, right, LOOK_BANNER);
}

static void put_tabs(const struct canvas *c)
{
    static const char *const names[BROWSE_TABS] = {"Dominators", "Types", "Cycles",  "Generations",
                                                   "Roots",      "Audit", "Suspects"};
    int at = 0;
    put_line(c, 1, "", 0, LOOK_TAB);
    for (int t = 0; t < BROWSE_TABS; t++) {
        char text[32];
        int n = snprintf(text, sizeof text, "%d %s", t + 1, names[t]);
        if (at + n + 2 > c->width)
            break;
        c->put(c->context, 1, at + 1, text, t == c->b->tab ? LOOK_TAB_CHOSEN : LOOK_TAB);
        at += n + 2;
    }
}

/* The way to this view; of a long one, its end. */
static void put_trail(const struct canvas *c, const struct frame *f)
{
    const struct tab *t = &c->b->tabs[c->b->tab];
    char trail[8 * NAME_SIZE] = " ", place[2 * TEXT_NUMBER_SIZE + 8] = "", n[2][TEXT_NUMBER_SIZE], fitted[FIT_SIZE];
    int first = t->depth > 6 ? t->depth - 6 : 0;
    size_t used = strlen(trail);
    for (int i = first; i < t->depth; i++)
        used += (size_t)snprintf(trail + used, sizeof trail - used, "%s%s", i ? " > " : "", t->frames[i].view->title);
    if (f->view->rows)
        snprintf(place, sizeof place, "  %s of %s ", text_count(f->chosen + 1, n[0]), text_count(f->view->rows, n[1]));
    size_t room = (size_t)c->width > strlen(place) ? (size_t)c->width - strlen(place) : 0, whole = fit_width(trail);
    fit_text(trail, whole > room ? whole - room : 0, room, 0, fitted);
    c->put(c->context, 2, 0, fitted, LOOK_TRAIL);
    fit_text(place, 0, (size_t)c->width - room, 0, fitted);
    c->put(c->context, 2, (int)room, fitted, LOOK_TRAIL);
}

/* ---- the list ---- */

/* Which columns are shown, and how wide: the one that takes what is left gets at least so much. */
enum { ELASTIC_LEAST = 12 };

static void lay_out(const struct canvas *c, const struct view *v, size_t width[VIEW_COLUMNS_MAX])
{
    size_t taken = 0, elastic = v->kind->column_count;
    for (size_t i = 0; i < v->kind->column_count; i++) {
        const struct view_column *column = &v->kind->columns[i];
        width[i] = 0;
        if (!column->width)
            elastic = i;
        else if (c->width >= column->leave)
            taken += width[i] = (size_t)column->width + 1;
    }
    for (size_t i = v->kind->column_count; i-- > 0 && elastic < v->kind->column_count;)
        if (taken + ELASTIC_LEAST > (size_t)c->width && i != elastic) { /* narrower than anybody thought of */
            taken -= width[i];
            width[i] = 0;
        }
    if (elastic < v->kind->column_count)
        width[elastic] = (size_t)c->width > taken ? (size_t)c->width - taken : 0;
}

static int is_right(enum cell_kind kind)
{
    return kind != CELL_TEXT && kind != CELL_ADDRESS && kind != CELL_GENERATION;
}

/* Appends a text fitted to a column and the blank behind it. */
static void append(char *line, size_t *used, const char *text, size_t shift, size_t width, int right)
{
    char fitted[FIT_SIZE];
    size_t n = fit_text(text, shift, width - 1, right, fitted);
    if (*used + n + 2 > FIT_SIZE)
        return;
    memcpy(line + *used, fitted, n);
    line[*used + n] = ' ';
    *used += n + 1;
    line[*used] = 0;
}

static void put_head(const struct canvas *c, const struct view *v, int line, const size_t *width)
{
    char text[FIT_SIZE] = "", title[64];
    size_t used = 0;
    for (size_t i = 0; i < v->kind->column_count; i++) {
        const struct view_column *column = &v->kind->columns[i];
        int sorted = v->sort == (int)i, falls = is_right(column->kind) != v->turned;
        const char *mark = !sorted ? "" : c->unicode ? (falls ? "\u25bc" : "\u25b2") : falls ? "v" : "^";
        snprintf(title, sizeof title, "%s%s", column->title, mark);
        if (width[i])
            append(text, &used, title, 0, width[i], is_right(column->kind));
    }
    put_line(c, line, text, 0, LOOK_HEAD);
}

/* A share as a bar; halves of a column where the terminal can. */
static void draw_bar(const struct canvas *c, uint64_t share, size_t width, char to[NAME_SIZE])
{
    size_t halves = (size_t)((share * 2 * width + TEXT_SHARE_WHOLE / 2) / TEXT_SHARE_WHOLE), used = 0;
    if (halves > 2 * width)
        halves = 2 * width;
    for (size_t i = 0; i < halves / 2; i++)
        used += (size_t)snprintf(to + used, NAME_SIZE - used, "%s", c->unicode ? "\u2588" : "#");
    if (halves % 2 && c->unicode)
        used += (size_t)snprintf(to + used, NAME_SIZE - used, "\u258c");
    to[used] = 0;
}

static void put_row(const struct canvas *c, const struct frame *f, uint64_t place, int line, const size_t *width)
{
    static const enum look looks[] = {[MARK_NONE] = LOOK_PLAIN,
                                      [MARK_GARBAGE] = LOOK_GARBAGE,
                                      [MARK_DEPENDENT] = LOOK_DEPENDENT,
                                      [MARK_INVISIBLE] = LOOK_INVISIBLE};
    const struct view *v = f->view;
    char text[FIT_SIZE] = "", cell[NAME_SIZE];
    struct view_row row;
    size_t used = 0;
    view_row_at(f->view, place, &row);
    for (size_t i = 0; i < v->kind->column_count; i++) {
        const struct view_column *column = &v->kind->columns[i];
        if (!width[i])
            continue;
        if (column->bar) {
            draw_bar(c, row.cells[i].number, width[i] - 1, cell);
            append(text, &used, cell, 0, width[i], 0);
        } else {
            append(text, &used, view_cell(column, &row.cells[i], cell), column->width ? 0 : f->shift, width[i],
                   is_right(column->kind));
        }
    }
    put_line(c, line, text, 0, place == f->chosen ? LOOK_CHOSEN : looks[row.mark]);
}

/* Keeps the chosen row within what is shown. */
static void scroll(struct frame *f, int rows)
{
    if (f->view->rows && f->chosen >= f->view->rows)
        f->chosen = f->view->rows - 1;
    if (f->chosen < f->top)
        f->top = f->chosen;
    if (f->chosen >= f->top + (uint64_t)rows)
        f->top = f->chosen - (uint64_t)rows + 1;
    if (f->top + (uint64_t)rows > f->view->rows)
        f->top = f->view->rows > (uint64_t)rows ? f->view->rows - (uint64_t)rows : 0;
}

static void put_list(const struct canvas *c, struct frame *f, int line, int end)
{
    struct view *v = f->view;
    size_t width[VIEW_COLUMNS_MAX];
    lay_out(c, v, width);
    if (v->page)
        page_break(v, (size_t)c->width - 1);
    else
        put_head(c, v, line++, width);
    int rows = end - line;
    c->b->height = rows > 0 ? rows : 1;
    scroll(f, c->b->height);
    for (; line < end; line++) {
        uint64_t place = f->top + (uint64_t)(rows - (end - line));
        if (place < v->rows)
            put_row(c, f, place, line, width);
        else
            put_line(c, line, !v->rows && !place && !(v->page && v->page->answer.pid) ? "  (none)" : "", 0, LOOK_PLAIN);
    }
}

/* ---- below it ---- */

static void put_last_line(const struct canvas *c, int *cursor)
{
    static const char hints[] = " Enter open  r referrers  e referents  w why  / search  d draw  ? help  q back";
    const struct browser *b = c->b;
    char text[BROWSE_INPUT + 32], fitted[FIT_SIZE];
    int line = c->height - 1;
    *cursor = -1;
    if (b->mode == MODE_SEARCH || b->mode == MODE_GO) {
        snprintf(text, sizeof text, "%s%s", b->mode == MODE_SEARCH ? "/" : "go to: ", b->input);
        size_t whole = fit_width(text), room = (size_t)c->width - 1, skip = whole > room ? whole - room : 0;
        fit_text(text, skip, (size_t)c->width, 0, fitted);
        c->put(c->context, line, 0, fitted, LOOK_MESSAGE);
        *cursor = (int)(whole - skip);
    } else if (*b->message) {
        snprintf(fitted, sizeof fitted, " %s", b->message);
        put_line(c, line, fitted, 0, LOOK_MESSAGE);
    } else {
        put_line(c, line, hints, 0, LOOK_HINT);
    }
}

static void put_details(const struct canvas *c, struct frame *f)
{
    char text[NOTE_SIZE], line[NOTE_SIZE + 2];
    snprintf(line, sizeof line, " %s", thing_details(&c->b->atlas, browse_chosen(c->b), text));
    put_line(c, c->height - 2, line, f->shift, LOOK_NOTE);
}

static void put_help(const struct canvas *c)
{
    const char *p = BROWSE_KEYS;
    char text[FIT_SIZE];
    put_banner(c);
    for (int line = 1; line < c->height - 1; line++) {
        size_t n = strcspn(p, "\n"), indent = strspn(p, " ");
        snprintf(text, sizeof text, line > 1 ? " %.*s" : "", (int)(n - indent), p + indent);
        put_line(c, line, text, 0, LOOK_PLAIN);
        if (line > 1)
            p += n + (p[n] == '\n');
    }
    put_line(c, c->height - 1, " any key goes on", 0, LOOK_HINT);
}

void browse_compose(struct browser *b, int width, int height, browse_put *put, void *context, int *cursor)
{
    struct canvas c = {b, width < FIT_COLUMNS_MAX ? width : FIT_COLUMNS_MAX, height, put, context, fit_is_unicode()};
    struct frame *f = browse_frame(b);
    int line = 3;
    *cursor = -1;
    if (width < LEAST_WIDTH || height < LEAST_HEIGHT) {
        for (int i = 0; i < height; i++)
            put_line(&c, i, i ? "" : "too small", 0, LOOK_PLAIN);
        return;
    }
    if (b->mode == MODE_HELP) {
        put_help(&c);
        return;
    }
    put_banner(&c);
    put_tabs(&c);
    for (int i = 0; i < NOTES; i++)
        if (*f->view->note[i] && line < height - 4) {
            char text[NOTE_SIZE + 2];
            snprintf(text, sizeof text, " %s", f->view->note[i]);
            put_line(&c, line++, text, f->shift, LOOK_NOTE);
        }
    put_list(&c, f, line, height - 2); /* before the trail, which says what is chosen */
    put_trail(&c, f);
    put_details(&c, f);
    put_last_line(&c, cursor);
}
