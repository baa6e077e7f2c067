/* The command line: options anywhere behind the command, values with `=` or as the next word. */
#ifndef ANALYZER_OPTIONS_H
#define ANALYZER_OPTIONS_H

#include "command.h"

/* Sorts words into options and arguments (argv[0] is the first word behind the command). Arguments are collected in
 * inv->argv, the command's own options in inv->own_words, which have room for argc entries. Returns 0, 1 when help was
 * asked for, or STATUS_ERROR after saying why.
 */
int options_parse(struct invocation *inv, int argc, char **argv);

/* A number that is written in digits alone. Returns 0, or -1 when the text is none. */
int parse_number(const char *text, uint64_t *value);

/* 0, 1, 2, permanent, untracked; -1 for any other word. */
int parse_generation(const char *text);

/* An option as a command takes it. */
struct option_view {
    const char *name, *value, *help; /* value is NULL when it takes none */
    unsigned shared;                 /* its enum option_id, 0 for one of the command's own */
};

/* The options of a command one after another, its own first. Returns -1 behind the last. */
int options_at(const struct command *command, int index, struct option_view *out);

/* The words an option of a command can be given, NULL when they are not a few; "" is the first argument. */
const char *options_words(const struct command *command, const char *option);

/* Prints a command's help. */
void options_help(const struct command *command, FILE *to);

#endif
