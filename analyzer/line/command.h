/* A command of the program, and what it is run with.
 *
 * Each cmd_*.c exports one `struct command`; main.c has the table. The dispatcher parses options, opens the snapshot,
 * sets up the output, and checks at the end that everything was written.
 */
#ifndef ANALYZER_COMMAND_H
#define ANALYZER_COMMAND_H

#include <limits.h>

#include "../session/fail.h"
#include "../render/output.h"
#include "../session/session.h"
#include "target.h"

/* Options that several commands share; a command names those it takes. */
enum option_id {
    OPT_JSON = 1 << 0,
    OPT_CSV = 1 << 1,
    OPT_HEAP = 1 << 2,
    OPT_GENERATION = 1 << 3,
    OPT_TYPE = 1 << 4,
    OPT_DEPTH = 1 << 5,
    OPT_LIMIT = 1 << 6,
    OPT_SORT = 1 << 7,
    OPT_BY = 1 << 8,
    OPT_OUTPUT = 1 << 9,
    OPT_NO_CACHE = 1 << 10,
    OPT_SALVAGE = 1 << 11,
    OPT_NO_VALUES = 1 << 12,
    OPT_COLOR = 1 << 13,
    OPT_QUIET = 1 << 14,
    OPT_NO_FOLD = 1 << 15,
    OPT_FORMAT = 1 << 16,
    /* What every command that reads a snapshot takes. */
    OPT_READING = OPT_JSON | OPT_SALVAGE | OPT_NO_CACHE | OPT_COLOR | OPT_QUIET | OPT_OUTPUT,
    OPT_TABLE = OPT_CSV | OPT_LIMIT | OPT_SORT,
    OPT_FILTER = OPT_HEAP | OPT_GENERATION | OPT_TYPE,
};

enum { GENERATION_ANY = -1, SNAPSHOTS_ANY = INT_MAX };

struct options {
    unsigned given; /* enum option_id of those on the command line */
    int json, csv, no_cache, salvage, no_values, quiet, no_fold;
    int64_t heap;     /* -1: any */
    int generation;   /* 0 to 4 as in the format, or GENERATION_ANY */
    const char *type; /* name or glob, NULL: any */
    uint64_t depth, limit;
    const char *sort, *by, *output, *color, *format;
};

/* An option of one command alone. It may be given several times: invocation.own holds the last value, own_words all. */
struct own_option {
    const char *name;  /* without the dashes */
    const char *value; /* what its argument is called; NULL when it takes none */
    const char *help;
};

enum { OWN_OPTIONS_MAX = 12 };

/* The words an option of a command can be given, its own or a shared one; or with option "", what its first argument
 * behind the snapshots can be. For help and completion; the command itself says what is wrong with another. */
struct option_words {
    const char *option;
    const char *words; /* with a space between; one that ends in ':' goes on */
};

/* One of the command's own options as it stands on the command line. */
struct own_word {
    int option; /* index in struct command's `own` */
    const char *value;
};

struct invocation {
    const struct command *command;
    struct options options;
    const char *own[OWN_OPTIONS_MAX]; /* values of the command's own options, "" for one without, NULL when not given */
    struct own_word *own_words;       /* the same in the order they were given, each time they were */
    size_t own_word_count;
    int argc; /* arguments behind the snapshots */
    const char **argv;
    struct session session; /* the first snapshot, */
    struct session *more;   /* and those behind it */
    int more_count;
    const char *beside[2]; /* paths of the two, after open_another() */
    struct output out;
    struct target target;
    /* NULL, or who wants to know what --sort can name: check_sort() lists the columns there and ends the command. */
    FILE *asks_columns;
};

struct command {
    const char *name;
    const char *summary;              /* one line, for the list of commands */
    const char *arguments;            /* behind the command's name: "SNAPSHOT OBJ" */
    const char *help;                 /* what it answers, in a paragraph */
    unsigned takes;                   /* enum option_id */
    int reads_snapshot;               /* the first argument is one, to be opened; */
    int checks_all;                   /* no kept index will do: the file itself is to be read */
    int more_min, more_max;           /* so are these many behind it */
    int arguments_min, arguments_max; /* behind the snapshots */
    uint64_t default_depth;
    int writes_file;                  /* -o is the command's own business */
    const struct own_option *own;     /* ended by a NULL name */
    const struct option_words *words; /* ended by a NULL option; may be NULL */
    /* Returns an enum command_status, after fail() when it is STATUS_ERROR. */
    int (*run)(struct invocation *inv);
};

int fail_usage(const struct command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Opens the JSON result with what every one begins with; json_end() closes it. `snapshot` is the first one; where there
 * are several, `snapshots` lists all. */
void begin_json(struct invocation *inv);

/* {objects, bytes} under a key. */
void tally_json(struct json *j, const char *key, const struct tally *tally);

/* Whether an object passes --heap, --generation and --type; the second form asks about another snapshot than the first.
 */
int filter_matches(const struct invocation *inv, ordinal o);
int filter_matches_in(const struct options *options, const struct session *session, ordinal o);

/* Whether a name is meant by a pattern in which * stands for anything. */
int glob_matches(const char *pattern, struct text name);

/* Limit for a table in this format: the one given, else 20 rows of text and all in JSON and CSV. */
uint64_t table_limit(const struct invocation *inv);

/* Checks --sort against a table's columns; to be called before anything is printed. Returns 0, or STATUS_ERROR after
 * saying why. */
int check_sort(const struct invocation *inv, const struct column *columns, size_t count);

/* Begins a table with the limit and order of the command line. */
void begin_table(struct invocation *inv, struct table *table, const struct column *columns, size_t count,
                 struct table_options *options);

/* What JSON says of an object first, wherever it stands: address, type, generation, size, refcount. */
void object_json_head(struct json *j, const struct session *s, ordinal o);

/* Opens the snapshots that the first arguments name, and takes them off the others. Returns 0, or STATUS_ERROR after
 * saying why. */
int open_snapshots(struct invocation *inv);

/* Opens an earlier snapshot beside the first, for a command that may want one and takes none by rule: inv->more[0].
 * Returns 0, or STATUS_ERROR after saying why. */
int open_another(struct invocation *inv, const char *path);

#endif
