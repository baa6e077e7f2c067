#include "complete.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../answers/intern.h"
#include "../session/mapped.h"
#include "../session/names.h"
#include "options.h"
#include "../render/text.h"

/* Whoever presses TAB wants an answer at once: a larger snapshot is not opened, unless it has an index. */
enum { FILE_MAX = 128 << 20, NAMES_MAX = 2000, WORD_SIZE = 512 };

struct completion {
    const struct command *command;
    struct invocation inv; /* what is on the line so far; only what is needed of it */
    const char *prefix;    /* "--type=" in front of a value, else "" */
    const char *word;      /* what is being completed, behind the prefix */
    int arguments;         /* finished words that are no options */
    const char **argument;
    struct intern offered; /* names of the snapshot, each once */
};

/* ---- offering ---- */

static int goes_on(const struct completion *c, const char *word)
{
    return !strncmp(word, c->word, strlen(c->word));
}

static void offer_as(const struct completion *c, const char *what, const char *word, const char *about)
{
    if (goes_on(c, word))
        printf("%s\t%s%s\t%s\n", what, c->prefix, word, about);
}

static void offer(const struct completion *c, const char *word, const char *about)
{
    offer_as(c, "word", word, about);
}

static void offer_files(const struct completion *c, const char *pattern)
{
    printf("file\t%s\t%s\n", pattern, c->prefix);
}

/* Words of a list; one that ends in ':' goes on. */
static void offer_words(const struct completion *c, const char *words)
{
    char word[64];
    for (size_t n; *words; words += n + (words[n] == ' ')) {
        n = strcspn(words, " ");
        snprintf(word, sizeof word, "%.*s", (int)n, words);
        offer_as(c, word[n - 1] == ':' ? "part" : "word", word, "");
    }
}

/* A name of the snapshot between two texts, once; none that a shell or a terminal could take for something else. */
static void offer_name(struct completion *c, const char *what, const char *before, struct text name, const char *after)
{
    char clean[WORD_SIZE / 2], word[WORD_SIZE];
    size_t length = text_clean(name.bytes, name.length, sizeof clean, clean, sizeof clean);
    if (!length || length != name.length || memcmp(clean, name.bytes, length))
        return;
    snprintf(word, sizeof word, "%s%s%s", before, clean, after);
    uint32_t known = c->offered.count;
    if (!goes_on(c, word) || known >= NAMES_MAX || intern_text(&c->offered, word) < known)
        return;
    offer_as(c, what, word, "");
}

/* ---- the snapshot on the line ---- */

static struct session *open_one(const char *path, struct session *s)
{
    struct rh_error err;
    struct stat st;
    char index[4096];
    if (s->snapshot)
        return s;
    snprintf(index, sizeof index, "%s.index", path);
    if (stat(path, &st) || !S_ISREG(st.st_mode) || (st.st_size > FILE_MAX && access(index, R_OK)))
        return NULL;
    return session_open(s, path, 0, &err) ? NULL : s;
}

static struct session *snapshot_of(struct completion *c)
{
    if (!c->command->reads_snapshot || !c->arguments)
        return NULL;
    guard_mapped(c->argument, c->arguments);
    return open_one(c->argument[0], &c->inv.session);
}

static void offer_types(struct completion *c, const char *what, const char *before, const char *after)
{
    struct session *s = snapshot_of(c);
    struct rh_error err;
    if (!s || session_classes(s, &err))
        return;
    for (uint32_t i = 0; i < s->classes.count; i++)
        offer_name(c, what, before, class_name(s, i), after);
}

static void offer_roots(struct completion *c)
{
    struct session *s = snapshot_of(c);
    struct record_cursor at = {0, 0};
    for (const struct root_record *r; s && (r = snapshot_next_record(s->snapshot, SECTION_ROOTS, &at));)
        offer_name(c, "word", "root:", snapshot_string(s->snapshot, r->name), "");
}

/* Type.field, for all that a type says it refers to. */
static void offer_fields(struct completion *c)
{
    struct session *s = snapshot_of(c);
    char field[NAME_SIZE];
    for (uint32_t t = 0; s && t < snapshot_type_limit(s->snapshot); t++) {
        const struct type_record *type = snapshot_type(s->snapshot, t);
        for (uint32_t i = 0; type && i < type->fields; i++) {
            const struct field_record *f = snapshot_field(s->snapshot, t, i);
            if (!f || f->kind == FIELD_VALUE || f->kind == FIELD_BYTES || f->kind == FIELD_WEAK)
                continue;
            struct text name = snapshot_string(s->snapshot, f->name);
            size_t n = text_clean(name.bytes, name.length, sizeof field / 2, field + 1, sizeof field - 1);
            field[0] = '.';
            if (n && n == name.length && !memcmp(field + 1, name.bytes, n))
                offer_name(c, "word", "", snapshot_string(s->snapshot, type->name), field);
        }
    }
}

static void offer_heaps(struct completion *c)
{
    struct session *s = snapshot_of(c);
    char id[24];
    for (uint64_t i = 0; s && i < snapshot_count(s->snapshot, SECTION_HEAPS) && i < NAMES_MAX; i++) {
        snprintf(id, sizeof id, "%llu", (unsigned long long)i);
        offer(c, id, "");
    }
}

/* Names are many: they are offered once it is said what they are names of. */
static void offer_objects(struct completion *c, int sets)
{
    if (!strncmp(c->word, "root:", 5)) {
        offer_roots(c);
    } else if (sets && !strncmp(c->word, "type:", 5)) {
        offer_types(c, "word", "type:", "");
    } else {
        offer_as(c, "part", "root:", "what a root holds");
        if (!sets)
            return;
        offer_as(c, "part", "type:", "all objects of a type");
        offer_as(c, "part", "cycle:", "the members of a garbage cycle");
        offer_as(c, "part", "sql:", "objects that a condition is true of");
        offer(c, "garbage", "all that a collection would free");
    }
}

/* The command is asked itself: its columns differ with its other options. */
static void offer_columns(struct completion *c)
{
    struct invocation *inv = &c->inv;
    const struct command *command = c->command;
    char *columns = NULL;
    size_t size = 0;
    if (!snapshot_of(c) || c->arguments < 1 + command->more_min)
        return;
    inv->more = calloc((size_t)c->arguments, sizeof *inv->more);
    while (inv->more && inv->more_count < command->more_max && inv->more_count + 1 < c->arguments &&
           open_one(c->argument[inv->more_count + 1], &inv->more[inv->more_count]))
        inv->more_count++;
    inv->out.file = fopen("/dev/null", "w");
    inv->asks_columns = open_memstream(&columns, &size);
    if (inv->out.file && inv->asks_columns && inv->more && inv->more_count >= command->more_min) {
        inv->out.format = inv->options.json ? OUTPUT_JSON : inv->options.csv ? OUTPUT_CSV : OUTPUT_TEXT;
        command->run(inv);
    }
    if (inv->asks_columns && !fclose(inv->asks_columns)) {
        const char *order = c->word[0] == '+' || c->word[0] == '-' ? (char[]){c->word[0], 0} : "";
        for (char *line = strtok(columns, "\n"); line; line = strtok(NULL, "\n"))
            offer_name(c, "word", order, (struct text){line, strlen(line), strlen(line)}, "");
    }
    free(columns);
    if (inv->out.file)
        fclose(inv->out.file);
}

/* ---- values of options ---- */

/* Processes of this user, with their names. */
static void offer_processes(const struct completion *c)
{
    DIR *proc = opendir("/proc");
    char path[320], name[64] = "", shown[64];
    struct stat st;
    for (struct dirent *e; proc && (e = readdir(proc));) {
        snprintf(path, sizeof path, "/proc/%s", e->d_name);
        if (!isdigit((unsigned char)e->d_name[0]) || stat(path, &st) || (getuid() && st.st_uid != getuid()))
            continue;
        snprintf(path, sizeof path, "/proc/%s/comm", e->d_name);
        FILE *comm = fopen(path, "r");
        size_t n = comm ? fread(name, 1, sizeof name - 1, comm) : 0;
        if (comm)
            fclose(comm);
        text_clean(name, n && name[n - 1] == '\n' ? n - 1 : n, 40, shown, sizeof shown);
        offer(c, e->d_name, shown);
    }
    if (proc)
        closedir(proc);
}

static int names(const char *value, const char *what)
{
    return !strncmp(value, what, strlen(what));
}

static void complete_value(struct completion *c, const struct option_view *o)
{
    const char *words = options_words(c->command, o->name);
    if (words)
        offer_words(c, words);
    else if (o->shared == OPT_SORT)
        offer_columns(c);
    else if (o->shared == OPT_HEAP)
        offer_heaps(c);
    else if (o->shared == OPT_TYPE)
        offer_types(c, "word", "", "");
    else if (names(o->value, "TYPE="))
        offer_types(c, "part", "", "=");
    else if (names(o->value, "TYPE"))
        offer_types(c, "word", "", "");
    else if (!strcmp(o->value, "WHAT")) {
        offer_objects(c, 1);
        offer_fields(c);
    } else if (!strcmp(o->value, "FILE") || !strcmp(o->value, "CORE"))
        offer_files(c, "*");
    else if (!strcmp(o->value, "DIR"))
        printf("folder\t*\t%s\n", c->prefix);
    else if (!strcmp(o->value, "PID"))
        offer_processes(c);
}

/* ---- where the cursor is ---- */

static int find_option(const struct command *command, const char *name, size_t length, struct option_view *o)
{
    for (int i = 0; !options_at(command, i, o); i++)
        if (strlen(o->name) == length && !strncmp(o->name, name, length))
            return 0;
    return -1;
}

/* The option a word is, with or without a value behind '='; -1 for one the command does not have. */
static int option_of(const struct command *command, const char *word, struct option_view *o)
{
    if (!strcmp(word, "-o"))
        return find_option(command, "output", 6, o);
    return strncmp(word, "--", 2) ? -1 : find_option(command, word + 2, strcspn(word + 2, "="), o);
}

static void complete_options(const struct completion *c)
{
    struct option_view o;
    char word[64];
    for (int i = 0; !options_at(c->command, i, &o); i++) {
        snprintf(word, sizeof word, "--%s", o.name);
        offer(c, word, o.help);
    }
    offer(c, "--help", "what the command does, and its options");
}

static void complete_argument(struct completion *c)
{
    const struct command *command = c->command;
    const char *words = options_words(command, ""), *text = command->arguments;
    int place = c->arguments - command->reads_snapshot;
    if (place < 0 || place < command->more_max) {
        offer_files(c, "*.refheap");
        return;
    }
    place -= command->more_max;
    if (place >= command->arguments_max)
        return;
    const char *kind = words && place == 1 ? c->argument[c->arguments - 1] : "";
    if (words && !place)
        offer_words(c, words);
    else if (!strcmp(kind, "diff"))
        offer_files(c, "*.refheap");
    else if (strstr(text, "OBJ|SET") || words)
        offer_objects(c, 1);
    else if (strstr(text, "OBJ"))
        offer_objects(c, 0);
    if (strstr(text, "OBJ|cycle:ID"))
        offer_as(c, "part", "cycle:", "a source cycle");
}

/* Sorts the finished words; returns 1 and the option when the last of them wants a value. `only_arguments` says that a
 * "--" stood among them. */
static int read_line(struct completion *c, int argc, char **argv, struct option_view *wants, int *only_arguments)
{
    struct option_view o;
    *only_arguments = 0;
    for (int i = 0; i < argc; i++) {
        if (*only_arguments || argv[i][0] != '-' || !argv[i][1]) {
            c->argument[c->arguments++] = argv[i];
        } else if (!strcmp(argv[i], "--")) {
            *only_arguments = 1;
        } else if (!option_of(c->command, argv[i], &o) && o.value && !strchr(argv[i], '=')) {
            if (++i == argc) {
                *wants = o;
                return 1;
            }
        }
    }
    return 0;
}

/* What the line says as a whole, for the columns it leads to; a line that is wrong says nothing. */
static void understand(struct completion *c, int argc, char **argv)
{
    c->inv.command = c->command;
    c->inv.argv = calloc((size_t)argc + 1, sizeof *c->inv.argv);
    c->inv.own_words = calloc((size_t)argc + 1, sizeof *c->inv.own_words);
    if (c->inv.argv && c->inv.own_words)
        options_parse(&c->inv, argc, argv);
}

static void complete_in_command(struct completion *c, int argc, char **argv)
{
    struct option_view o;
    int only_arguments;
    const char *last = argv[argc - 1], *value = strchr(last, '=');
    char prefix[64];
    c->argument = calloc((size_t)argc, sizeof *c->argument);
    if (!c->argument)
        return;
    int wants = read_line(c, argc - 1, argv, &o, &only_arguments);
    understand(c, argc - 1 - wants, argv);
    if (wants) {
        complete_value(c, &o);
    } else if (!only_arguments && value && !option_of(c->command, last, &o) && o.value) {
        snprintf(prefix, sizeof prefix, "%.*s", (int)(value + 1 - last), last);
        c->prefix = prefix;
        c->word = value + 1;
        complete_value(c, &o);
    } else if (!only_arguments && *last == '-') {
        complete_options(c);
    } else {
        complete_argument(c);
    }
}

static void complete_command(const struct completion *c, const struct command *const *commands, int count, int words)
{
    for (int i = 0; i < count; i++)
        offer(c, commands[i]->name, commands[i]->summary);
    if (!words)
        return;
    offer(c, "help", "the commands, or what one of them does");
    offer(c, "version", "which refheap this is");
    if (c->word[0] == '-') {
        offer(c, "--help", "the commands");
        offer(c, "--version", "which refheap this is");
    }
}

int complete(const struct command *const *commands, int count, int argc, char **argv)
{
    static char nothing[] = "", *empty[] = {nothing};
    struct completion c = {.prefix = ""};
    if (!argc) {
        argc = 1;
        argv = empty;
    }
    c.word = argv[argc - 1];
    if (!freopen("/dev/null", "w", stderr))
        return STATUS_FINE;
    if (argc == 1 || (argc == 2 && !strcmp(argv[0], "help"))) {
        complete_command(&c, commands, count, argc == 1);
        return STATUS_FINE;
    }
    for (int i = 0; i < count && !c.command; i++)
        if (!strcmp(commands[i]->name, argv[0]))
            c.command = commands[i];
    if (c.command)
        complete_in_command(&c, argc - 1, argv + 1);
    for (int i = 0; i < c.inv.more_count; i++)
        session_close(&c.inv.more[i]);
    session_close(&c.inv.session);
    free(c.inv.more);
    free(c.inv.own_words);
    free(c.inv.argv);
    free(c.argument);
    intern_release(&c.offered);
    return STATUS_FINE;
}
