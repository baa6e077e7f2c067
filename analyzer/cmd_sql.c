/* sql: SQLite over a snapshot, one query or a prompt. */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "../dumpfmt/error.h"
#include "line/commands.h"
#include "line/line_editor.h"
#include "line/options.h"
#include "render/text.h"
#include "sql/database.h"
#include "sql/guard.h"
#include "sql/result.h"

enum { OWN_TIMEOUT, OWN_MEMORY, TIMEOUT_MAX = 1000000 };

static const struct own_option own[] = {
    {"timeout", "SECONDS", "end a statement that takes longer"},
    {"memory", "MIB", "memory a statement may take (2048 unless told)"},
    {NULL, NULL, NULL},
};

/* ---- interruptions ---- */

/* Ctrl-C ends the statement; a second one, before it has, the program. */
static volatile sig_atomic_t interrupted;
static void on_interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

/* A single call of one of SQLite's functions cannot be interrupted. When one has not come back a second after its time,
 * the program ends; what it was writing aside is removed. */
static char watchdog_line[512];
static const char *watchdog_temporary;
static void on_watchdog(int signal)
{
    (void)signal;
    if (write(STDERR_FILENO, watchdog_line, strlen(watchdog_line)) < 0 || !watchdog_temporary)
        _exit(STATUS_ERROR);
    unlink(watchdog_temporary);
    _exit(STATUS_ERROR);
}

static void set_watchdog(double timeout)
{
    struct itimerval timer = {0};
    if (timeout > 0) {
        timer.it_value.tv_sec = (time_t)timeout + 1;
        timer.it_value.tv_usec = (suseconds_t)((timeout - (double)(time_t)timeout) * 1e6);
    }
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void prepare_signals(const struct invocation *inv, double timeout)
{
    struct sigaction action = {.sa_handler = on_watchdog};
    char path[200];
    text_clean(inv->session.path, strlen(inv->session.path), 150, path, sizeof path);
    snprintf(watchdog_line, sizeof watchdog_line,
             "refheap: %s: the query took longer than %g s; --timeout gives it more\n", path, timeout);
    watchdog_temporary = inv->target.file->renames ? inv->target.file->temporary : NULL;
    sigaction(SIGALRM, &action, NULL);
}

static void catch_interrupts(void)
{
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
    interrupted = 0;
    sigaction(SIGINT, &action, NULL);
}

/* ---- statements ---- */

struct prompt {
    struct invocation *inv;
    struct database *db;
    double timeout;
    int interactive; /* somebody types: errors do not end it */
    struct line_editor *editor;
};

static int show_answer(struct prompt *p, sqlite3_stmt *statement, struct rh_error *err)
{
    struct output *out = &p->inv->out;
    database_begin(p->db);
    int status = database_step(p->db, statement, err);
    if (status < 0)
        return status;
    if (out->format == OUTPUT_JSON)
        begin_json(p->inv);
    status = result_show(p->db, statement, status, out, table_limit(p->inv), err);
    if (out->format == OUTPUT_JSON && !status)
        json_end(&out->json);
    return status;
}

/* Runs the first statement of `sql` and moves behind it. Returns an enum command_status. */
static int run_statement(struct prompt *p, const char **sql, int *ran)
{
    sqlite3_stmt *statement;
    struct rh_error err;
    catch_interrupts();
    set_watchdog(p->timeout);
    int status = database_prepare(p->db, *sql, sql, &statement, &err);
    *ran = statement != NULL;
    if (statement)
        status = show_answer(p, statement, &err);
    sqlite3_finalize(statement);
    set_watchdog(0);
    return status ? fail(p->inv->session.path, &err) : STATUS_FINE;
}

static int is_blank(const char *text)
{
    return !text[strspn(text, " \t\r\n;")];
}

/* A query on the command line is one statement: one answer, one JSON object. */
static int run_query(struct prompt *p, const char *sql)
{
    const char *rest = sql;
    sqlite3_stmt *second = NULL;
    struct rh_error err;
    int ran;
    if (strlen(sql) < GUARD_STATEMENT_MAX) {
        /* Looked for first: nothing is said when it is not to be run. */
        int status = database_prepare(p->db, sql, &rest, &second, &err);
        sqlite3_finalize(second);
        if (!status && !second)
            return fail_usage(p->inv->command, "the query is empty");
        if (!status && !is_blank(rest) && (database_prepare(p->db, rest, &rest, &second, &err) || second)) {
            sqlite3_finalize(second);
            return fail_usage(p->inv->command, "the query has several statements; give those on standard input");
        }
    }
    rest = sql;
    return run_statement(p, &rest, &ran);
}

static int run_text(struct prompt *p, const char *sql)
{
    int status = STATUS_FINE, ran = 1;
    while (status == STATUS_FINE && ran && !is_blank(sql))
        status = run_statement(p, &sql, &ran);
    return status;
}

/* ---- words with a dot ---- */

static const char help[] = ".tables           the tables\n"
                           ".schema [TABLE]   their columns\n"
                           ".help             this\n"
                           ".quit             the end\n"
                           "Anything else is SQL (SQLite's); a statement ends with a semicolon.\n"
                           "hex_address(x) shows an address, human_size(x) a size; rows_visited() and computed() tell\n"
                           "what the statements so far have cost.\n";

enum { PROMPT_ENDS = -1 };

/* Returns an enum command_status, or PROMPT_ENDS. */
static int run_word(struct prompt *p, const char *line)
{
    char word[32] = "", argument[64] = "", junk[2] = "";
    FILE *out = p->inv->out.file;
    struct rh_error err;
    int words = sscanf(line, "%31s %63s %1s", word, argument, junk);
    if (!strcmp(word, ".schema") && words < 3) {
        if (database_schema(out, words == 2 ? argument : NULL))
            return STATUS_FINE;
        error_format(&err, RH_ERR_NOT_FOUND, "\".tables\" lists them", "there is no table \"%.60s\"", argument);
        return fail(p->inv->session.path, &err);
    }
    if (!strcmp(word, ".tables") && words == 1)
        database_tables(out);
    else if (!strcmp(word, ".help") && words == 1)
        fputs(help, out);
    else if ((!strcmp(word, ".quit") || !strcmp(word, ".exit")) && words == 1)
        return PROMPT_ENDS;
    else
        return fail_usage(p->inv->command, "unknown command %s; there are .tables, .schema [TABLE], .help, .quit",
                          word);
    return STATUS_FINE;
}

/* ---- the prompt ---- */

/* What is read so far of a statement. */
struct buffer {
    char *text;
    size_t length;
};

/* Waits until somebody has typed a line. An interrupt is let through only while waiting, so that none is missed; then 0
 * is returned. */
static int wait_for_line(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    sigset_t interrupt, before;
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    sigprocmask(SIG_BLOCK, &interrupt, &before);
    int ready = interrupted ? -1 : ppoll(&input, 1, NULL, &before);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return ready > 0;
}

/* Shows the prompt until there is a line. Ctrl-C takes back what was typed. */
static void invite(struct prompt *p, struct buffer *b)
{
    for (;;) {
        catch_interrupts();
        fflush(p->inv->out.file);
        fputs(b->length ? "    ...> " : "refheap> ", stderr);
        if (wait_for_line())
            return;
        fputc('\n', stderr);
        if (!interrupted) /* back from being stopped, say */
            continue;
        b->length = 0;
        b->text[0] = 0;
    }
}

/* The next line behind what is in the buffer, edited. Ctrl-C takes back what was typed. */
static int read_edited(struct prompt *p, struct buffer *b)
{
    const char *line;
    int length;
    for (;;) {
        catch_interrupts();
        fflush(p->inv->out.file);
        length = line_editor_read(p->editor, b->length ? "    ...> " : "refheap> ", &interrupted, &line);
        if (length >= 0)
            break;
        fputc('\n', stderr);
        b->length = 0;
        b->text[0] = 0;
    }
    if (!length)
        return 0;
    if (b->length + (size_t)length >= GUARD_STATEMENT_MAX)
        return -1;
    memcpy(b->text + b->length, line, (size_t)length + 1);
    b->length += (size_t)length;
    return 1;
}

/* The next line behind what is in the buffer. Returns 1, 0 at the end, or -1 when there is no room for it. */
static int read_line(struct prompt *p, struct buffer *b)
{
    if (b->length + 2 >= GUARD_STATEMENT_MAX)
        return -1;
    if (p->editor)
        return read_edited(p, b);
    if (p->interactive)
        invite(p, b);
    char *at = b->text + b->length;
    if (!fgets(at, (int)(GUARD_STATEMENT_MAX - b->length), stdin))
        return 0;
    b->length += strlen(at);
    return 1;
}

/* A line that completes something runs it. */
static int take_line(struct prompt *p, struct buffer *b, size_t before)
{
    const char *line = b->text + before;
    int status = STATUS_FINE;
    if (!before && line[0] == '.') {
        status = run_word(p, line);
    } else if (!is_blank(b->text)) {
        /* Only a semicolon can complete a statement; what was read before is not looked at again for each line. */
        if (!strchr(line, ';') || !sqlite3_complete(b->text))
            return STATUS_FINE;
        status = run_text(p, b->text);
    }
    b->length = 0;
    b->text[0] = 0;
    return status;
}

static int run_prompt(struct prompt *p)
{
    struct buffer b = {malloc(GUARD_STATEMENT_MAX), 0};
    struct rh_error err;
    int status = STATUS_FINE, got = 1;
    if (!b.text) {
        error_set(&err, RH_ERR_NO_MEMORY, "not enough memory", "");
        return fail(p->inv->session.path, &err);
    }
    b.text[0] = 0;
    if (p->interactive)
        p->editor = line_editor_open();
    if (p->interactive)
        fputs("SQL over the snapshot; \".schema\" shows the tables, \".help\" more.\n", stderr);
    while (status != PROMPT_ENDS && (p->interactive || status == STATUS_FINE)) {
        size_t before = b.length;
        got = read_line(p, &b);
        if (got <= 0)
            break;
        status = take_line(p, &b, before < b.length ? before : 0); /* less: it was taken back */
    }
    if (got < 0)
        status = fail_usage(p->inv->command, "a statement is longer than %d bytes", GUARD_STATEMENT_MAX);
    else if (!got && !is_blank(b.text) && status == STATUS_FINE)
        status = run_text(p, b.text); /* the last statement needs no semicolon */
    if (p->interactive && !got)
        fputc('\n', stderr);
    line_editor_close(p->editor);
    free(b.text);
    return p->interactive || status == PROMPT_ENDS ? STATUS_FINE : status;
}

/* ---- the command ---- */

static int read_options(struct invocation *inv, struct database_options *o)
{
    const char *timeout = inv->own[OWN_TIMEOUT], *memory = inv->own[OWN_MEMORY];
    uint64_t mib = DATABASE_MEMORY_MIB;
    char *end = "";
    if (timeout)
        o->timeout = *timeout >= '0' && *timeout <= '9' ? strtod(timeout, &end) : 0;
    if (*end || (timeout && !(o->timeout > 0 && o->timeout <= TIMEOUT_MAX)))
        return fail_usage(inv->command, "--timeout cannot be \"%s\"; it wants seconds", timeout);
    if (memory && (parse_number(memory, &mib) || mib < 1 || mib > UINT32_MAX))
        return fail_usage(inv->command, "--memory cannot be \"%s\"; it wants a number of MiB", memory);
    if (inv->options.generation > 2)
        return fail_usage(inv->command, "--generation must be 0, 1 or 2: no other is collected");
    o->generation = inv->options.generation == GENERATION_ANY ? 2 : inv->options.generation;
    o->memory = mib << 20;
    o->interrupted = &interrupted;
    return 0;
}

static int run(struct invocation *inv)
{
    const char *query = inv->argc ? inv->argv[0] : NULL;
    struct database_options options = {0};
    struct prompt p = {.inv = inv, .interactive = !query && isatty(STDIN_FILENO)};
    struct rh_error err;
    if (read_options(inv, &options))
        return STATUS_ERROR;
    if (!query && !strcmp(inv->session.path, "-"))
        return fail_usage(inv->command, "name a query: standard input is the snapshot");
    if (database_open(&inv->session, &options, &p.db, &err))
        return fail(inv->session.path, &err);
    p.timeout = options.timeout;
    prepare_signals(inv, options.timeout);
    int status = !query ? run_prompt(&p) : query[0] == '.' ? run_word(&p, query) : run_query(&p, query);
    database_close(p.db);
    return status == PROMPT_ENDS ? STATUS_FINE : status;
}

const struct command cmd_sql = {
    .name = "sql",
    .summary = "SQL over a snapshot: one query, or a prompt",
    .arguments = "SNAPSHOT [QUERY]",
    .help =
        "Answers a query in SQLite's SQL over the tables objects, edges, types, roots, cycles, heaps, generations,\n"
        "modules and info; .schema as the QUERY lists their columns. Objects are found by ordinal and address, edges\n"
        "by source and target, without looking at others; analyses are made when a column needs them. Without QUERY\n"
        "it is a prompt, with lines that can be edited and a history, or takes statements from standard input, each ended by a semicolon; with --json each answer\n"
        "is an object of its own. A query can only read: no file is opened and no setting changed. Ctrl-C ends it.\n"
        "With --generation N the columns garbage and dependent of objects say what a collection of generation N would\n"
        "find now, rather than one of the oldest.",
    .takes = OPT_READING | OPT_CSV | OPT_LIMIT | OPT_GENERATION,
    .reads_snapshot = 1,
    .arguments_max = 1,
    .own = own,
    .run = run,
};
