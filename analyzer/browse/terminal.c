#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <ncurses.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

/* ---- leaving the terminal as it was ---- */

/* What a handler of signals needs: a program has one terminal. */
static struct {
    int in_use;
    struct termios modes;
    char reset[256]; /* ends the alternate screen, shows the cursor, plain text */
    size_t reset_length;
    int wake[2]; /* signals that came */
} terminal = {.wake = {-1, -1}};

/* SIGALRM among them: it comes when a signal that ends the program was not taken in time. */
enum { FAULTS = 6, END_SECONDS = 3 };
static const int faults[FAULTS] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGALRM};
static struct sigaction fault_before[FAULTS];

/* Copies one of the terminal's strings without what it says of delays. */
static void add_reset(const char *name)
{
    char capability[16];
    snprintf(capability, sizeof capability, "%s", name); /* tigetstr() takes no constant everywhere */
    const char *text = tigetstr(capability);
    if (!text || text == (char *)-1)
        return;
    for (; *text && terminal.reset_length < sizeof terminal.reset; text++) {
        const char *end = text[0] == '$' && text[1] == '<' ? strchr(text, '>') : NULL;
        if (end)
            text = end;
        else
            terminal.reset[terminal.reset_length++] = *text;
    }
}

/* Only what a handler of signals may do. */
static void restore_in_handler(void)
{
    if (!terminal.in_use)
        return;
    terminal.in_use = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &terminal.modes);
    if (write(STDOUT_FILENO, terminal.reset, terminal.reset_length) < 0)
        return;
}

/* A fault ends the program as it would have, on a terminal that can be read. */
static void on_fault(int number)
{
    restore_in_handler();
    for (int i = 0; i < FAULTS; i++)
        if (faults[i] == number)
            sigaction(number, &fault_before[i], NULL);
    raise(number);
}

static void on_signal(int number)
{
    int saved = errno;
    unsigned char byte = (unsigned char)number;
    if (number != SIGINT)
        alarm(END_SECONDS);                      /* whatever is going on */
    if (write(terminal.wake[1], &byte, 1) < 0) { /* full of signals already */
    }
    errno = saved;
}

static void on_exit_restore(void)
{
    if (terminal.in_use) {
        terminal.in_use = 0;
        endwin();
    }
}

static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

static int catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    if (pipe2(terminal.wake, O_CLOEXEC | O_NONBLOCK))
        return -1;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        sigaction(ends[i], &action, NULL);
    action = (struct sigaction){.sa_handler = on_fault, .sa_flags = (int)SA_NODEFER};
    for (int i = 0; i < FAULTS; i++)
        sigaction(faults[i], &action, &fault_before[i]);
    return 0;
}

static void release_signals(void)
{
    alarm(0);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        signal(ends[i], SIG_DFL);
    for (int i = 0; i < FAULTS; i++)
        sigaction(faults[i], &fault_before[i], NULL);
    close(terminal.wake[0]);
    close(terminal.wake[1]);
}

/* ---- beginning ---- */

int terminal_is_there(const char **why)
{
    static char text[160];
    char place[] = "cup";
    const char *term = getenv("TERM");
    int found;
    *why = NULL;
    if (!isatty(STDIN_FILENO))
        *why = "standard input is none";
    else if (!isatty(STDOUT_FILENO))
        *why = "standard output is none";
    else if (!term || !*term)
        *why = "TERM does not say which this is";
    else if (setupterm(NULL, STDOUT_FILENO, &found) != OK) {
        snprintf(text, sizeof text, "TERM is \"%.60s\", which nobody here knows", term);
        *why = text;
    } else if (!tigetstr(place) || tigetstr(place) == (char *)-1) {
        snprintf(text, sizeof text, "TERM is \"%.60s\", which cannot place text", term);
        *why = text;
    }
    if (cur_term)
        del_curterm(cur_term);
    return !*why;
}

static attr_t looks[LOOK_HINT + 1];

static void choose_looks(int color)
{
    looks[LOOK_BANNER] = looks[LOOK_CHOSEN] = A_REVERSE;
    looks[LOOK_TAB_CHOSEN] = A_REVERSE | A_BOLD;
    looks[LOOK_TRAIL] = looks[LOOK_MESSAGE] = A_BOLD;
    looks[LOOK_HEAD] = A_UNDERLINE;
    if (!color || !has_colors() || start_color() == ERR)
        return;
    use_default_colors();
    static const short colors[] = {COLOR_RED, COLOR_YELLOW, COLOR_MAGENTA};
    for (short i = 0; i < 3; i++) {
        init_pair((short)(i + 1), colors[i], -1);
        looks[LOOK_GARBAGE + i] = (attr_t)COLOR_PAIR(i + 1);
    }
}

static SCREEN *begin(int color)
{
    if (tcgetattr(STDIN_FILENO, &terminal.modes))
        return NULL;
    SCREEN *screen = newterm(NULL, stdout, stdin);
    if (!screen)
        return NULL;
    static const char *const resets[] = {"sgr0", "rmkx", "cnorm", "rmcup"};
    terminal.reset_length = 0;
    for (size_t i = 0; i < sizeof resets / sizeof *resets; i++)
        add_reset(resets[i]);
    terminal.in_use = 1;
    atexit(on_exit_restore);
    cbreak(); /* Ctrl-C stays a signal, Ctrl-Z stops the program as any other */
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    set_escdelay(25);
    curs_set(0);
    choose_looks(color);
    return screen;
}

/* ---- drawing, keys ---- */

static void put(void *context, int line, int column, const char *text, enum look look)
{
    (void)context;
    attrset(looks[look]);
    mvaddstr(line, column, text);
    attrset(A_NORMAL);
}

static void show(struct browser *b)
{
    int width, height, cursor;
    getmaxyx(stdscr, height, width);
    erase();
    browse_compose(b, width, height, put, NULL, &cursor);
    curs_set(cursor >= 0);
    if (cursor >= 0)
        move(height - 1, cursor < width ? cursor : width - 1);
    refresh();
}

static int key_of(int code, wint_t c)
{
    if (code != KEY_CODE_YES)
        switch (c) {
        case '\r':
        case '\n':
            return BROWSE_ENTER;
        case '\t':
            return BROWSE_TAB;
        case 27:
            return BROWSE_ESCAPE;
        case 8:
        case 127:
            return BROWSE_BACK;
        default:
            return (int)c;
        }
    static const int keys[][2] = {
        {KEY_ENTER, BROWSE_ENTER},   {KEY_BACKSPACE, BROWSE_BACK},  {KEY_UP, BROWSE_UP},
        {KEY_DOWN, BROWSE_DOWN},     {KEY_LEFT, BROWSE_LEFT},       {KEY_RIGHT, BROWSE_RIGHT},
        {KEY_PPAGE, BROWSE_PAGE_UP}, {KEY_NPAGE, BROWSE_PAGE_DOWN}, {KEY_HOME, BROWSE_HOME},
        {KEY_END, BROWSE_END},       {KEY_BTAB, BROWSE_TAB_BACK},
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if ((int)c == keys[i][0])
            return keys[i][1];
    return 0;
}

/* Takes all keys that were pressed. Returns 0 when there was none. */
static int take_keys(struct browser *b)
{
    wint_t c;
    int code, any = 0;
    while (!b->ends && (code = get_wch(&c)) != ERR) {
        any = 1;
        if (code == OK && c == 12) {
            clearok(curscr, TRUE); /* Ctrl-L: what is on the screen is not believed */
        } else {
            int key = code == KEY_CODE_YES && c == KEY_RESIZE ? 0 : key_of(code, c);
            if (key)
                browse_key(b, key);
        }
    }
    return any;
}

/* Takes the signals that came. Returns the one that ends the program, or 0. */
static int take_signals(struct browser *b)
{
    unsigned char number;
    while (read(terminal.wake[0], &number, 1) == 1) {
        if (number != SIGINT)
            return number;
        browse_key(b, BROWSE_INTERRUPT);
        if (b->ends)
            return SIGINT;
    }
    return 0;
}

enum { SOON_MS = 1 };

/* One round: waits for something to happen and lets it. Returns a signal that ends the program, or 0. */
static int take_turn(struct browser *b)
{
    struct pollfd fds[4] = {{STDIN_FILENO, POLLIN, 0}, {terminal.wake[0], POLLIN, 0}};
    int more[2], count = browse_waits(b, more);
    for (int i = 0; i < count; i++)
        fds[2 + i] = (struct pollfd){more[i], POLLIN, 0};
    int ready = poll(fds, (nfds_t)(2 + (count > 0 ? count : 0)), count < 0 ? SOON_MS : -1);
    int ended = take_signals(b), pressed = take_keys(b);
    if (!ended && !pressed && ready > 0 && fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
        return SIGHUP; /* the terminal went away */
    if (count)
        browse_step(b);
    return ended;
}

int terminal_run(struct browser *b, int color)
{
    int ended = 0;
    SCREEN *screen = begin(color);
    if (!screen)
        return -1;
    if (catch_signals()) {
        endwin();
        terminal.in_use = 0;
        delscreen(screen);
        return -1;
    }
    while (!b->ends && !ended) {
        show(b);
        ended = take_turn(b);
    }
    endwin();
    terminal.in_use = 0;
    delscreen(screen);
    release_signals();
    if (ended) { /* as whoever sent it expects */
        browse_end(b);
        raise(ended);
    }
    return 0;
}
