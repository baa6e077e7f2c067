#include "page.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../line/commands.h"
#include "fit.h"

static const struct view_column columns[] = {{"line", "", CELL_TEXT, .sortable = 0}};

/* A line may be as long as it likes: what is beyond this names nothing, and is not broken. */
enum { LINE_LOOKED_AT = 4096, WIDTH_LEAST = 20, INDENT = 3 };

static void show_row(const struct view *v, uint64_t row, struct view_row *to)
{
    const struct page *p = v->page;
    const struct page_line *line = &p->line[row];
    const char *text = p->answer.text + line->at, *whole = text;
    if (p->width) {
        char *shown = (char *)to->text; /* all of them */
        size_t size = sizeof to->text, indent = line->goes_on ? INDENT : 0;
        size_t n = line->length < size - INDENT - 1 ? line->length : size - INDENT - 1;
        memset(shown, ' ', indent);
        memcpy(shown + indent, text, n);
        shown[indent + n] = 0;
        text = shown;
        while (row && p->line[row].goes_on)
            row--;
        whole = p->answer.text + p->line[row].at;
    }
    to->cells[0] = cell_text(text);
    if (strnlen(whole, LINE_LOOKED_AT) < LINE_LOOKED_AT)
        to->thing = thing_in_line(v->atlas, whole);
}

static void release(struct view *v)
{
    struct page *p = v->page;
    if (!p)
        return;
    answer_release(&p->answer);
    for (int i = 0; i < p->question.count; i++)
        free((char *)(uintptr_t)p->question.words[i]);
    free(p->line);
    free(p);
}

static const struct view_kind kind = {
    .columns = columns, .column_count = 1, .row = show_row, .release = release};

static int add_line(struct page *p, size_t at, size_t length, int goes_on)
{
    if (p->lines == p->room) {
        size_t room = p->room ? 2 * p->room : 64;
        struct page_line *more = realloc(p->line, room * sizeof *more);
        if (!more)
            return -1;
        p->line = more;
        p->room = room;
    }
    p->line[p->lines++] = (struct page_line){at, length, goes_on};
    return 0;
}

/* A line of the answer as the rows it takes. */
static int break_line(struct page *p, size_t at, size_t length)
{
    size_t used = 0;
    do {
        const char *rest = p->answer.text + at + used;
        size_t width = p->width - (used ? INDENT : 0), n = length - used;
        if (p->width && length < LINE_LOOKED_AT)
            n = fit_break(rest, width);
        if (add_line(p, at + used, n, used > 0))
            return -1;
        used += n;
        used += used < length && p->answer.text[at + used] == ' ';
    } while (used < length);
    return 0;
}

/* Finds the lines of what was said since; the last one may be unfinished while more follows. */
static void find_lines(struct view *v, int ended)
{
    struct page *p = v->page;
    struct answer *a = &p->answer;
    while (p->read < a->length) {
        char *newline = memchr(a->text + p->read, '\n', a->length - p->read);
        if (!newline && !ended)
            break;
        size_t end = newline ? (size_t)(newline - a->text) : a->length;
        a->text[end] = 0; /* there is room for one more byte: make_room() */
        if (break_line(p, p->read, end - p->read)) {
            a->is_long = 1;
            break;
        }
        p->read = end + 1;
    }
    v->rows = p->lines;
}

void page_break(struct view *v, size_t width)
{
    struct page *p = v->page;
    struct answer *a = &p->answer;
    width = width > WIDTH_LEAST ? width : WIDTH_LEAST;
    if (!p->width || p->width == width)
        return;
    p->width = width;
    p->lines = 0;
    for (size_t at = 0; at < p->read && at <= a->length; at += strlen(a->text + at) + 1)
        if (break_line(p, at, strlen(a->text + at)))
            break;
    v->rows = p->lines;
}

int page_read(struct view *v)
{
    struct page *p = v->page;
    if (!p || !p->answer.pid)
        return 0;
    int goes_on = answer_read(&p->answer);
    find_lines(v, !goes_on);
    if (!goes_on && p->answer.is_long)
        snprintf(v->note[0], NOTE_SIZE, "the answer is longer than what is shown; ask for it at the command line");
    else
        v->note[0][0] = 0;
    return goes_on;
}

static void ask(struct view *v)
{
    struct page *p = v->page;
    struct question q = p->question;
    if (p->folds && !v->folded && q.count < QUESTION_WORDS)
        q.words[q.count++] = "--no-fold";
    answer_release(&p->answer);
    p->lines = p->read = 0;
    v->rows = 0;
    if (answer_begin(&p->answer, p->inv, &q))
        snprintf(v->note[0], NOTE_SIZE, "cannot ask: %s", strerror(errno));
    else
        snprintf(v->note[0], NOTE_SIZE, "asking refheap %s ...", q.command->name);
}

struct view *view_page(const struct atlas *a, struct invocation *inv, const struct question *question,
                       struct thing subject, const char *title)
{
    struct view *v = view_create(&kind, a, subject);
    struct page *p = v ? calloc(1, sizeof *p) : NULL;
    if (!p) {
        view_destroy(v);
        return NULL;
    }
    v->page = p;
    v->folded = 1;
    p->inv = inv;
    p->answer.fd = -1;
    p->question.command = question->command;
    p->width = question->command == &cmd_suspects ? WIDTH_LEAST : 0; /* the others answer in tables and trees */
    p->folds = (question->command->takes & OPT_NO_FOLD) != 0;
    for (int i = 0; i < question->count; i++) {
        if (!(p->question.words[i] = strdup(question->words[i]))) {
            view_destroy(v);
            return NULL;
        }
        p->question.count++;
    }
    snprintf(v->title, sizeof v->title, "%s", title);
    ask(v);
    return v;
}

void page_fold(struct view *v, int folded)
{
    v->folded = folded;
    ask(v);
}

void page_stop(struct view *v)
{
    if (!v->page || !v->page->answer.pid)
        return;
    answer_stop(&v->page->answer);
    find_lines(v, 1);
    snprintf(v->note[0], NOTE_SIZE, "stopped");
}
