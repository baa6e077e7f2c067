/* refheap: the table of commands, and what is done for all of them. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "options.h"
#include "render/text.h"

static const struct command *const commands[] = {
    &cmd_info,   &cmd_verify, &cmd_summary, &cmd_generations, &cmd_cycles, &cmd_referrers, &cmd_referents,
    &cmd_object, &cmd_why,    &cmd_render,  &cmd_capture,     &cmd_pack,   &cmd_gdb_init,
};
enum { COMMANDS = sizeof commands / sizeof *commands };

/* ---- errors ---- */

int fail(const char *file, const struct rh_error *err)
{
    fflush(stdout);
    fputs("refheap: ", stderr);
    if (file)
        fprintf(stderr, "%s: ", file);
    fputs(err->what, stderr);
    if (err->os_error)
        fprintf(stderr, ": %s", strerror(err->os_error));
    if (err->has_offset)
        fprintf(stderr, " [at section %s, offset %llu]", err->section, (unsigned long long)err->offset);
    if (err->hint[0])
        fprintf(stderr, "; %s", err->hint);
    fputc('\n', stderr);
    return STATUS_ERROR;
}

int fail_usage(const struct command *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("refheap: ", stderr);
    vfprintf(stderr, format, args);
    fprintf(stderr, "; see refheap %s --help\n", command ? command->name : "help");
    va_end(args);
    return STATUS_ERROR;
}

/* A snapshot that shrinks while it is mapped ends the program here: nothing of it can be trusted any more. */
static const char *mapped_path = "";
static void on_bus_error(int signal)
{
    static const char before[] = "refheap: ", after[] = ": the file shrank while it was read; copy it first\n";
    (void)signal;
    if (write(STDERR_FILENO, before, sizeof before - 1) < 0 ||
        write(STDERR_FILENO, mapped_path, strlen(mapped_path)) < 0 || write(STDERR_FILENO, after, sizeof after - 1) < 0)
        _exit(STATUS_ERROR);
    _exit(STATUS_ERROR);
}

/* ---- output ---- */

static int wants_color(const struct options *o, FILE *file)
{
    if (o->color && strcmp(o->color, "auto"))
        return !strcmp(o->color, "always");
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    return !(no_color && *no_color) && isatty(fileno(file)) && !(term && !strcmp(term, "dumb"));
}

static int open_output(struct invocation *inv)
{
    const struct options *o = &inv->options;
    inv->out.file = stdout;
    if (o->output && !inv->command->writes_file) {
        inv->out.file = fopen(o->output, "we");
        if (!inv->out.file) {
            struct rh_error err = {.os_error = errno, .what = "cannot write it", .hint = "choose another name"};
            return fail(o->output, &err);
        }
    }
    inv->out.format = o->json ? OUTPUT_JSON : o->csv ? OUTPUT_CSV : OUTPUT_TEXT;
    inv->out.color = inv->out.format == OUTPUT_TEXT && wants_color(o, inv->out.file);
    return 0;
}

/* Everything written must have arrived: a full disk is an error, not a short answer. */
static int close_output(struct invocation *inv, int status)
{
    FILE *file = inv->out.file;
    int broken = ferror(file);
    errno = 0;
    if (file == stdout ? fflush(file) : fclose(file))
        broken = 1;
    if (broken && status != STATUS_ERROR) {
        struct rh_error err = {.os_error = errno, .what = "cannot write the result", .hint = "check the disk"};
        return fail(inv->options.output ? inv->options.output : "standard output", &err);
    }
    return status;
}

void begin_json(struct invocation *inv)
{
    const struct session *s = &inv->session;
    struct json *j = &inv->out.json;
    json_begin(j, inv->out.file);
    json_uint(j, "schema_version", 1);
    json_string(j, "command", inv->command->name);
    if (!s->snapshot)
        return;
    const uint8_t *u = snapshot_header(s->snapshot)->uuid;
    char uuid[40];
    snprintf(uuid, sizeof uuid, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1],
             u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]);
    uint64_t bytes = 0;
    for (size_t b = 0; b < snapshot_block_count(s->snapshot, SECTION_OBJECTS); b++) {
        struct objects_view view;
        snapshot_objects(s->snapshot, b, &view);
        for (uint32_t i = 0; i < view.count; i++)
            bytes += column_get(&view.column[OBJECT_SIZE], i);
    }
    struct record_cursor cursor = {0, 0};
    const struct heap_record *heap = snapshot_next_record(s->snapshot, SECTION_HEAPS, &cursor);
    struct text runtime = snapshot_string(s->snapshot, heap ? heap->runtime : 0);
    json_object(j, "snapshot");
    json_string(j, "path", s->path);
    json_string(j, "uuid", uuid);
    json_text(j, "runtime", runtime.bytes, runtime.length);
    json_uint(j, "objects", snapshot_count(s->snapshot, SECTION_OBJECTS));
    json_uint(j, "edges", snapshot_count(s->snapshot, SECTION_EDGES));
    json_uint(j, "bytes", bytes);
    json_bool(j, "complete", snapshot_complete(s->snapshot));
    json_object_end(j);
}

uint64_t table_limit(const struct invocation *inv)
{
    if (inv->options.given & OPT_LIMIT)
        return inv->options.limit;
    return inv->out.format == OUTPUT_TEXT ? 20 : 0;
}

int check_sort(const struct invocation *inv, const struct column *columns, size_t count)
{
    const char *key = inv->options.sort;
    char names[256] = "";
    if (!key || table_column(columns, count, key) >= 0)
        return 0;
    for (size_t c = 0; c < count; c++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", c ? ", " : "", columns[c].key);
    return fail_usage(inv->command, "there is no column \"%s\" to sort by; there are %s", key, names);
}

void begin_table(struct invocation *inv, struct table *table, const struct column *columns, size_t count,
                 struct table_options *options)
{
    options->limit = table_limit(inv);
    options->sort = inv->options.sort;
    table_begin(table, &inv->out, columns, count, options);
}

/* ---- filters ---- */

/* Whether `name` matches a pattern in which * stands for anything. */
static int glob_matches(const char *pattern, const char *name)
{
    const char *star = NULL, *retry = name;
    while (*name) {
        if (*pattern == '*') {
            star = pattern++;
            retry = name;
        } else if (*pattern == *name) {
            pattern++;
            name++;
        } else if (star) {
            pattern = star + 1;
            name = ++retry;
        } else {
            return 0;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

int filter_matches(const struct invocation *inv, ordinal o)
{
    const struct options *f = &inv->options;
    const struct graph *g = &inv->session.graph;
    char name[NAME_SIZE];
    return (f->heap < 0 || g->heap[o] == (uint32_t)f->heap) &&
           (f->generation == GENERATION_ANY || graph_generation(g, o) == (unsigned)f->generation) &&
           (!f->type || glob_matches(f->type, name_type(&inv->session, o, name)));
}

/* ---- dispatch ---- */

static const struct command *find_command(const char *name)
{
    for (int i = 0; i < COMMANDS; i++)
        if (!strcmp(commands[i]->name, name))
            return commands[i];
    return NULL;
}

static void list_commands(FILE *to)
{
    fputs("usage: refheap COMMAND SNAPSHOT [ARGUMENT...] [OPTIONS]\n\ncommands:\n", to);
    for (int i = 0; i < COMMANDS; i++)
        fprintf(to, "  %-12s  %s\n", commands[i]->name, commands[i]->summary);
    fputs("\n\"refheap COMMAND --help\" says more of each; \"refheap --version\" which refheap this is.\n"
          "An object is named by 0xADDRESS, @RANK or root:NAME, several by type:NAME or garbage.\n",
          to);
}

/* `help`, `--help`, `--version`; -1 when the word is none of them. */
static int answer_about_itself(int argc, char **argv)
{
    const char *word = argv[1];
    if (!strcmp(word, "--version") || !strcmp(word, "version")) {
        printf("refheap %s, snapshot format %d.%d\n", REFHEAP_VERSION, FORMAT_MAJOR, FORMAT_MINOR);
        return STATUS_FINE;
    }
    if (strcmp(word, "help") && strcmp(word, "--help") && strcmp(word, "-h"))
        return -1;
    const struct command *c = argc > 2 ? find_command(argv[2]) : NULL;
    if (argc > 2 && !c)
        return fail_usage(NULL, "there is no command \"%s\"", argv[2]);
    if (c)
        options_help(c, stdout);
    else
        list_commands(stdout);
    return STATUS_FINE;
}

static int open_snapshot(struct invocation *inv)
{
    const struct command *c = inv->command;
    struct rh_error err = {0};
    if (!c->reads_snapshot)
        return 0;
    if (!inv->argc)
        return fail_usage(c, "name a snapshot: refheap %s %s", c->name, c->arguments);
    mapped_path = *inv->argv++;
    inv->argc--;
    signal(SIGBUS, on_bus_error);
    if (session_open(&inv->session, mapped_path, inv->options.salvage, &err))
        return fail(mapped_path, &err);
    if (!snapshot_complete(inv->session.snapshot) && !inv->options.quiet)
        fprintf(stderr, "refheap: %s: %s; what follows rests on the rest\n", mapped_path,
                snapshot_damage(inv->session.snapshot));
    return 0;
}

static int run_command(struct invocation *inv, int argc, char **argv)
{
    const struct command *c = inv->command;
    int parsed = options_parse(inv, argc, argv);
    if (parsed == 1) {
        options_help(c, stdout);
        return STATUS_FINE;
    }
    int status = parsed ? parsed : open_snapshot(inv);
    if (status)
        return status;
    if (inv->argc < c->arguments_min || inv->argc > c->arguments_max)
        return fail_usage(c, "%s arguments: refheap %s %s", inv->argc < c->arguments_min ? "too few" : "too many",
                          c->name, c->arguments);
    inv->session.quiet = inv->options.quiet;
    if (open_output(inv))
        return STATUS_ERROR;
    status = c->run(inv);
    session_progress_end(&inv->session);
    return close_output(inv, status);
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN); /* a write that fails is an error like any other */
    signal(SIGXFSZ, SIG_IGN);
    if (argc < 2) {
        list_commands(stderr);
        return STATUS_ERROR;
    }
    int status = answer_about_itself(argc, argv);
    if (status >= 0)
        return fflush(stdout) ? STATUS_ERROR : status;

    struct invocation inv = {.command = find_command(argv[1])};
    if (!inv.command)
        return fail_usage(NULL, "there is no command \"%s\"", argv[1]);
    const char **arguments = calloc((size_t)argc, sizeof *arguments);
    if (!arguments)
        return STATUS_ERROR;
    inv.argv = arguments;
    status = run_command(&inv, argc - 2, argv + 2);
    session_close(&inv.session);
    free(arguments);
    return status;
}
