#include "browser.h"

#include <stdlib.h>
#include <string.h>

#include "../line/commands.h"
#include "page.h"
#include "views.h"

/* ---- stacks ---- */

static void pop(struct browser *b)
{
    struct tab *t = &b->tabs[b->tab];
    if (t->depth > 1)
        view_destroy(t->frames[--t->depth].view);
}

static struct view *first_view(struct browser *b, int tab)
{
    static const struct question audit = {&cmd_audit, {"--limit", "1000"}, 2}, suspects = {&cmd_suspects, {NULL}, 0};
    const struct atlas *a = &b->atlas;
    const struct thing all = {THING_NONE, 0};
    switch (tab) {
    case 0:
        return view_keepers(a, dominators_root(&a->s->dominators));
    case 1:
        return view_types(a);
    case 2:
        return view_cycles(a, 1);
    case 3:
        return view_generations(a);
    case 4:
        return view_roots(a);
    case 5:
        return view_page(a, b->inv, &audit, all, "audit");
    default:
        return view_page(a, b->inv, &suspects, all, "suspects");
    }
}

/* Views are made when they are first looked at. */
static void go_to_tab(struct browser *b, int tab)
{
    int before = b->tab;
    b->tab = tab;
    if (b->tabs[tab].depth)
        return;
    browse_push(b, first_view(b, tab));
    if (!b->tabs[tab].depth)
        b->tab = before;
}

int browse_begin(struct browser *b, struct invocation *inv, const struct atlas *atlas)
{
    *b = (struct browser){.inv = inv, .atlas = *atlas, .drawing = {.fd = -1}, .height = 1};
    go_to_tab(b, 0);
    return b->tabs[0].depth ? 0 : -1;
}

void browse_end(struct browser *b)
{
    for (int t = 0; t < BROWSE_TABS; t++)
        while (b->tabs[t].depth)
            view_destroy(b->tabs[t].frames[--b->tabs[t].depth].view);
    answer_release(&b->drawing);
    atlas_release(&b->atlas);
}

/* ---- moving ---- */

static void move(struct browser *b, int64_t by)
{
    struct frame *f = browse_frame(b);
    uint64_t last = f->view->rows ? f->view->rows - 1 : 0;
    if (by < 0)
        f->chosen -= f->chosen < (uint64_t)-by ? f->chosen : (uint64_t)-by;
    else
        f->chosen += last - f->chosen < (uint64_t)by ? last - f->chosen : (uint64_t)by;
}

/* The keys that choose a row. Returns 0 when the key is none of them. */
static int move_key(struct browser *b, int key)
{
    struct frame *f = browse_frame(b);
    switch (key) {
    case BROWSE_UP:
    case 'k':
        move(b, -1);
        return 1;
    case BROWSE_DOWN:
    case 'j':
        move(b, 1);
        return 1;
    case BROWSE_PAGE_UP:
        move(b, -b->height);
        return 1;
    case BROWSE_PAGE_DOWN:
    case ' ':
        move(b, b->height);
        return 1;
    case BROWSE_HOME:
    case 'g':
        f->chosen = 0;
        return 1;
    case BROWSE_END:
    case 'G':
        f->chosen = f->view->rows ? f->view->rows - 1 : 0;
        return 1;
    case '<':
        f->shift -= f->shift < 8 ? f->shift : 8;
        return 1;
    case '>':
        f->shift += 8;
        return 1;
    default:
        return 0;
    }
}

/* ---- orders ---- */

static void sort_by(struct browser *b, int column, int turned)
{
    struct frame *f = browse_frame(b);
    if (view_sort(f->view, column, turned)) {
        browse_say(b, "not enough memory to sort %llu rows", (unsigned long long)f->view->rows);
        return;
    }
    f->chosen = f->top = 0;
    browse_say(b, "%s%s%s", column < 0 ? "in the order of the commands" : "sorted by ",
               column < 0 ? "" : f->view->kind->columns[column].title, turned ? ", the other way round" : "");
}

static void next_order(struct browser *b)
{
    struct view *v = browse_frame(b)->view;
    int column = v->sort + 1, count = (int)v->kind->column_count;
    if (!v->kind->key) {
        browse_say(b, "this list has one order");
        return;
    }
    while (column < count && !v->kind->columns[column].sortable)
        column++;
    sort_by(b, column < count ? column : -1, 0);
}

static void fold(struct browser *b)
{
    struct frame *f = browse_frame(b);
    struct tab *t = &b->tabs[b->tab];
    if (f->view->page && f->view->page->folds) {
        page_fold(f->view, !f->view->folded);
        f->chosen = f->top = 0;
    } else if (b->tab == 2 && t->depth == 1) {
        struct view *other = view_cycles(&b->atlas, !f->view->folded);
        if (!other) {
            browse_say(b, "not enough memory");
            return;
        }
        view_destroy(f->view);
        *f = (struct frame){.view = other};
    } else {
        browse_say(b, "nothing is folded here");
    }
}

/* ---- opening ---- */

static void open_row(struct browser *b)
{
    struct frame *f = browse_frame(b);
    const char *why_not = "there is nothing behind this line";
    struct view *result = NULL;
    struct view_row row;
    if (f->chosen >= f->view->rows)
        return;
    view_row_at(f->view, f->chosen, &row);
    if (!f->view->kind->open || row.thing.kind == THING_NONE) {
        browse_open_thing(b, row.thing);
        return;
    }
    if (f->view->kind->open(f->view, &row, &result, &why_not))
        browse_say(b, "not enough memory");
    else if (result)
        browse_push(b, result);
    else
        browse_say(b, "%s", why_not);
}

/* ---- stopping ---- */

/* Stops what is under way; returns 0 when there was nothing. */
static int stop(struct browser *b)
{
    struct view *v = browse_frame(b)->view;
    int page_runs = v->page && v->page->answer.pid, something = b->search.is_on || b->drawing.pid || page_runs;
    if (something)
        browse_say(b, "stopped");
    b->search.is_on = 0;
    answer_release(&b->drawing);
    page_stop(v);
    return something;
}

/* ---- input ---- */

static void begin_input(struct browser *b, enum browse_mode mode)
{
    b->mode = mode;
    b->input[0] = 0;
    b->input_length = 0;
}

static void end_input(struct browser *b)
{
    enum browse_mode mode = b->mode;
    b->mode = MODE_LIST;
    if (mode == MODE_GO && b->input_length)
        browse_go(b, b->input);
    if (mode == MODE_SEARCH && b->input_length) {
        memcpy(b->search.text, b->input, sizeof b->search.text);
        search_begin(b, 0);
    } else if (mode == MODE_SEARCH && *b->search.text) {
        search_begin(b, 0);
    }
}

/* A character as UTF-8 behind what was typed. */
static void add_character(struct browser *b, int c)
{
    char bytes[4];
    size_t n = 0;
    if (c < 0x20 || c == 0x7f || c > 0x10ffff)
        return;
    if (c < 0x80) {
        bytes[n++] = (char)c;
    } else {
        int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
        bytes[n++] = (char)((0xff00 >> (more + 1) & 0xff) | c >> 6 * more);
        while (more--)
            bytes[n++] = (char)(0x80 | (c >> 6 * more & 0x3f));
    }
    if (b->input_length + n >= sizeof b->input)
        return;
    memcpy(b->input + b->input_length, bytes, n);
    b->input_length += n;
    b->input[b->input_length] = 0;
}

static void input_key(struct browser *b, int key)
{
    if (key == BROWSE_ENTER) {
        end_input(b);
    } else if (key == BROWSE_ESCAPE || key == BROWSE_INTERRUPT || (key == BROWSE_BACK && !b->input_length)) {
        b->mode = MODE_LIST;
    } else if (key == BROWSE_BACK) {
        do
            b->input_length--;
        while (b->input_length && ((unsigned char)b->input[b->input_length] & 0xc0) == 0x80);
        b->input[b->input_length] = 0;
    } else {
        add_character(b, key);
    }
}

/* ---- keys ---- */

static void back(struct browser *b, int key)
{
    if (b->tabs[b->tab].depth > 1)
        pop(b);
    else if (key == 'q')
        b->ends = 1;
    else
        browse_say(b, "this is the first view; q ends");
}

static void command_key(struct browser *b, int key)
{
    switch (key) {
    case BROWSE_ENTER:
    case BROWSE_RIGHT:
        open_row(b);
        break;
    case BROWSE_BACK:
    case BROWSE_LEFT:
    case 'q':
        back(b, key);
        break;
    case 'Q':
        b->ends = 1;
        break;
    case BROWSE_TAB:
        go_to_tab(b, (b->tab + 1) % BROWSE_TABS);
        break;
    case BROWSE_TAB_BACK:
        go_to_tab(b, (b->tab + BROWSE_TABS - 1) % BROWSE_TABS);
        break;
    case '/':
        begin_input(b, MODE_SEARCH);
        break;
    case ':':
        begin_input(b, MODE_GO);
        break;
    case 'n':
    case 'N':
        if (*b->search.text)
            search_begin(b, key == 'N');
        else
            browse_say(b, "search with / first");
        break;
    case 's':
        next_order(b);
        break;
    case 'S':
        if (browse_frame(b)->view->kind->key)
            sort_by(b, browse_frame(b)->view->sort, !browse_frame(b)->view->turned);
        else
            browse_say(b, "this list has one order");
        break;
    case 'f':
        fold(b);
        break;
    case '?':
        b->mode = MODE_HELP;
        break;
    default:
        if (key >= '1' && key < '1' + BROWSE_TABS)
            go_to_tab(b, key - '1');
        else
            browse_act(b, key);
    }
}

void browse_key(struct browser *b, int key)
{
    b->message[0] = 0;
    if (b->mode == MODE_HELP) {
        b->mode = MODE_LIST;
        b->ends = key == 'Q';
    } else if (b->mode != MODE_LIST) {
        input_key(b, key);
    } else if (key == BROWSE_ESCAPE) {
        stop(b);
    } else if (key == BROWSE_INTERRUPT) {
        b->ends = !stop(b);
    } else {
        b->search.is_on = 0; /* whoever does something else has seen enough */
        if (!move_key(b, key))
            command_key(b, key);
    }
}

/* ---- what is under way ---- */

static void end_drawing(struct browser *b)
{
    struct answer *a = &b->drawing;
    static const char prefix[] = "refheap: ";
    const char *line = a->text;
    size_t skip = 0, length = 0;
    if (line && a->length >= sizeof prefix && !memcmp(line, prefix, sizeof prefix - 1))
        skip = sizeof prefix - 1;
    while (line && skip + length < a->length && line[skip + length] != '\n')
        length++;
    if (length)
        browse_say(b, "%s%.*s", a->status == STATUS_FINE ? "drawn: " : "", (int)length, line + skip);
    else
        browse_say(b, "the picture could not be drawn");
    answer_release(a);
}

int browse_step(struct browser *b)
{
    struct view *v = browse_frame(b)->view;
    int busy = page_read(v);
    if (b->drawing.pid && answer_read(&b->drawing))
        busy = 1;
    else if (b->drawing.text && !b->drawing.pid)
        end_drawing(b);
    if (b->search.is_on)
        busy |= search_step(b);
    return busy;
}

int browse_waits(const struct browser *b, int fds[2])
{
    const struct tab *t = &b->tabs[b->tab];
    const struct page *p = t->frames[t->depth - 1].view->page;
    const struct answer *running[] = {p ? &p->answer : NULL, &b->drawing};
    int count = 0, soon = b->search.is_on;
    for (int i = 0; i < 2; i++) {
        if (!running[i] || !running[i]->pid)
            continue;
        if (running[i]->fd < 0)
            soon = 1;
        else
            fds[count++] = running[i]->fd;
    }
    return soon ? -1 : count;
}
