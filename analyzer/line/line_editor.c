#include "line_editor.h"

#include <errno.h>
#include <histedit.h>
#include <locale.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

enum { REMEMBERED = 1000 };

struct line_editor {
    EditLine *el;
    History *history;
    const char *prompt;
    const volatile sig_atomic_t *interrupted;
};

/* What came while a key was waited for: the terminal has another size, or the program is to stop. */
static volatile sig_atomic_t resized, is_to_stop;

static void on_signal(int number)
{
    if (number == SIGTSTP)
        is_to_stop = 1;
    else
        resized = 1;
}

static char *give_prompt(EditLine *el)
{
    struct line_editor *e;
    el_get(el, EL_CLIENTDATA, &e);
    return (char *)(uintptr_t)e->prompt;
}

/* Stops with the terminal as it was; goes on with it as it is needed. */
static void stop(struct line_editor *e)
{
    struct sigaction before, usual = {.sa_handler = SIG_DFL};
    el_set(e->el, EL_PREP_TERM, 0);
    sigaction(SIGTSTP, &usual, &before);
    raise(SIGTSTP);
    sigaction(SIGTSTP, &before, NULL);
    el_set(e->el, EL_PREP_TERM, 1);
    el_set(e->el, EL_REFRESH);
}

static void take_signals(struct line_editor *e)
{
    if (resized)
        el_resize(e->el);
    resized = 0;
    if (is_to_stop)
        stop(e);
    is_to_stop = 0;
}

/* Waits for a byte; returns 1, 0 at the end, -1 when interrupted. */
static int get_byte(struct line_editor *e, char *byte)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    sigset_t watched, before;
    sigemptyset(&watched);
    sigaddset(&watched, SIGINT);
    sigaddset(&watched, SIGTSTP);
    sigaddset(&watched, SIGWINCH);
    for (;;) {
        sigprocmask(SIG_BLOCK, &watched, &before);
        int changes = *e->interrupted || is_to_stop || resized;
        int ready = changes ? -1 : ppoll(&input, 1, NULL, &before);
        sigprocmask(SIG_SETMASK, &before, NULL);
        if (*e->interrupted)
            return -1;
        take_signals(e);
        if (ready <= 0)
            continue;
        ssize_t n = read(STDIN_FILENO, byte, 1);
        if (n >= 0 || errno != EINTR)
            return n > 0;
    }
}

static int get_character(EditLine *el, wchar_t *c)
{
    struct line_editor *e;
    mbstate_t state = {0};
    char byte;
    el_get(el, EL_CLIENTDATA, &e);
    for (;;) {
        int got = get_byte(e, &byte);
        if (got <= 0)
            return got;
        size_t n = mbrtowc(c, &byte, 1, &state);
        if (n <= 1)
            return 1;
        if (n == (size_t)-1) /* no character of this locale: not taken */
            state = (mbstate_t){0};
    }
}

struct line_editor *line_editor_open(void)
{
    const char *term = getenv("TERM");
    HistEvent event;
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO) || !term || !*term || !strcmp(term, "dumb"))
        return NULL;
    setlocale(LC_CTYPE, ""); /* of what is typed; numbers stay as they are everywhere */
    struct line_editor *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->el = el_init("refheap", stdin, stderr, stderr);
    e->history = history_init();
    if (!e->el || !e->history) {
        line_editor_close(e);
        return NULL;
    }
    history(e->history, &event, H_SETSIZE, REMEMBERED);
    history(e->history, &event, H_SETUNIQUE, 1);
    el_set(e->el, EL_CLIENTDATA, e);
    el_set(e->el, EL_PROMPT, give_prompt);
    el_set(e->el, EL_EDITOR, "emacs");
    el_set(e->el, EL_SIGNAL, 0);
    el_set(e->el, EL_HIST, history, e->history);
    el_set(e->el, EL_GETCFN, get_character);
    el_set(e->el, EL_BIND, "^R", "em-inc-search-prev", NULL);
    return e;
}

void line_editor_close(struct line_editor *e)
{
    if (!e)
        return;
    if (e->el)
        el_end(e->el);
    if (e->history)
        history_end(e->history);
    free(e);
}

int line_editor_read(struct line_editor *e, const char *prompt, const volatile sig_atomic_t *interrupted,
                     const char **line)
{
    HistEvent event;
    int length = 0;
    struct sigaction watched = {.sa_handler = on_signal}, stop_before, size_before;
    e->prompt = prompt;
    e->interrupted = interrupted;
    sigaction(SIGTSTP, &watched, &stop_before);
    sigaction(SIGWINCH, &watched, &size_before);
    *line = el_gets(e->el, &length);
    sigaction(SIGTSTP, &stop_before, NULL);
    sigaction(SIGWINCH, &size_before, NULL);
    if (!*line || length <= 0)
        return *interrupted ? -1 : 0;
    if ((*line)[strspn(*line, " \t\n")])
        history(e->history, &event, H_ENTER, *line);
    return length;
}
