/* refheap: the table of commands, and what is done for all of them. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../dumpfmt/error.h"
#include "commands.h"
#include "options.h"
#include "render/text.h"

static const struct command *const commands[] = {
    &cmd_info,      &cmd_verify, &cmd_summary, &cmd_generations, &cmd_cycles,     &cmd_referrers,
    &cmd_referents, &cmd_object, &cmd_why,     &cmd_retained,    &cmd_dominators, &cmd_what_if,
    &cmd_suspects,  &cmd_render, &cmd_capture, &cmd_pack,        &cmd_gdb_init,
};
enum { COMMANDS = sizeof commands / sizeof *commands };

/* ---- damage ---- */

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
    const char *path = inv->command->writes_file ? NULL : o->output;
    struct rh_error err;
    if (target_open(&inv->target, path, inv->session.path, 0, &err))
        return fail(path, &err);
    inv->out.file = inv->target.stream;
    /* A command that writes a file to standard output has no words to add. */
    if (inv->command->writes_file && o->output && !strcmp(o->output, "-"))
        inv->out.file = stderr;
    inv->out.format = o->json ? OUTPUT_JSON : o->csv ? OUTPUT_CSV : OUTPUT_TEXT;
    inv->out.color = inv->out.format == OUTPUT_TEXT && wants_color(o, inv->out.file);
    return 0;
}

/* Everything written must have arrived: a full disk is an error, not a short answer. Who closes a pipe early has what
 * he wants, and the program ends as programs do then. */
static int report_lost(const char *path, const struct rh_error *err)
{
    if (err->os_error == EPIPE && !path) {
        signal(SIGPIPE, SIG_DFL);
        raise(SIGPIPE);
    }
    return fail(path ? path : "standard output", err);
}

static int close_output(struct invocation *inv, int status)
{
    struct rh_error err;
    if (target_close(&inv->target, status == STATUS_ERROR, &err))
        return report_lost(inv->command->writes_file ? NULL : inv->options.output, &err);
    return status;
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

/* Help and versions are results too. */
static int flush_words(int status)
{
    struct rh_error err;
    if (!fflush(stdout))
        return status;
    error_set_os(&err, errno, "cannot write the result", "");
    return report_lost(NULL, &err);
}

static int run_command(struct invocation *inv, int argc, char **argv)
{
    const struct command *c = inv->command;
    int parsed = options_parse(inv, argc, argv);
    if (parsed == 1) {
        options_help(c, stdout);
        return flush_words(STATUS_FINE);
    }
    int status = parsed ? parsed : open_snapshot(inv);
    if (status)
        return status;
    if (inv->argc < c->arguments_min || inv->argc > c->arguments_max)
        return fail_usage(c, "%s arguments: refheap %s %s", inv->argc < c->arguments_min ? "too few" : "too many",
                          c->name, c->arguments);
    inv->session.quiet = inv->options.quiet;
    if (inv->options.heap >= 0 && inv->session.snapshot &&
        (uint64_t)inv->options.heap >= snapshot_count(inv->session.snapshot, SECTION_HEAPS))
        return fail_usage(c, "there is no heap %ld; refheap info lists them", (long)inv->options.heap);
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
        return flush_words(status);

    struct invocation inv = {.command = find_command(argv[1])};
    if (!inv.command)
        return fail_usage(NULL, "there is no command \"%s\"", argv[1]);
    const char **arguments = calloc(2 * (size_t)argc, sizeof *arguments);
    if (!arguments)
        return STATUS_ERROR;
    inv.argv = arguments;
    inv.repeated = arguments + argc;
    status = run_command(&inv, argc - 2, argv + 2);
    session_close(&inv.session);
    free(arguments);
    return status;
}
