#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct shared_option {
    const char *name;
    unsigned id;
    const char *value;
    const char *help;
} shared_options[] = {
    {"json", OPT_JSON, NULL, "print one JSON object"},
    {"csv", OPT_CSV, NULL, "print the table as CSV"},
    {"heap", OPT_HEAP, "ID", "only objects of this heap"},
    {"generation", OPT_GENERATION, "N", "only this generation: 0, 1, 2, permanent, untracked"},
    {"type", OPT_TYPE, "NAME", "only objects of this type; * matches anything"},
    {"depth", OPT_DEPTH, "N", "follow references this far"},
    {"limit", OPT_LIMIT, "N", "show at most N rows; 0 for all (text shows 20 unless told)"},
    {"sort", OPT_SORT, "COLUMN",
     "order rows by a column: largest first, text from A; +COLUMN and -COLUMN say which way"},
    {"by", OPT_BY, "KEY", "group by this"},
    {"output", OPT_OUTPUT, "FILE", "write to FILE (also -o FILE)"},
    {"format", OPT_FORMAT, "FORMAT", "svg, png, pdf or dot; told from FILE's name unless given"},
    {"no-fold", OPT_NO_FOLD, NULL, "show each of those that look alike, and a __dict__ apart from its owner"},
    {"no-cache", OPT_NO_CACHE, NULL, "neither use nor write an index file"},
    {"no-values", OPT_NO_VALUES, NULL, "leave out values, keep names"},
    {"salvage", OPT_SALVAGE, NULL, "read what is whole of a damaged file"},
    {"color", OPT_COLOR, "WHEN", "auto, always or never"},
    {"quiet", OPT_QUIET, NULL, "no progress on stderr"},
};
enum { SHARED_OPTIONS = sizeof shared_options / sizeof *shared_options };

int parse_number(const char *text, uint64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && !errno ? 0 : -1;
}

int parse_generation(const char *text)
{
    static const char *const names[] = {"0", "1", "2", "permanent", "untracked"};
    for (int g = 0; g < 5; g++)
        if (!strcmp(text, names[g]))
            return g;
    return -1;
}

/* Stores the value of a shared option. Returns 0 or -1 when it makes no sense. */
static int store(struct options *o, unsigned id, const char *value)
{
    uint64_t number = 0;
    o->given |= id;
    switch (id) {
    case OPT_JSON:
        o->json = 1;
        return 0;
    case OPT_CSV:
        o->csv = 1;
        return 0;
    case OPT_HEAP:
        o->heap = parse_number(value, &number) || number > UINT32_MAX ? -1 : (int64_t)number;
        return o->heap < 0 ? -1 : 0;
    case OPT_GENERATION:
        o->generation = parse_generation(value);
        return o->generation < 0 ? -1 : 0;
    case OPT_TYPE:
        o->type = value;
        return 0;
    case OPT_DEPTH:
        return parse_number(value, &o->depth);
    case OPT_LIMIT:
        return parse_number(value, &o->limit);
    case OPT_SORT:
        o->sort = value;
        return 0;
    case OPT_BY:
        o->by = value;
        return 0;
    case OPT_OUTPUT:
        o->output = value;
        return *value ? 0 : -1;
    case OPT_FORMAT:
        o->format = value;
        return 0;
    case OPT_NO_FOLD:
        o->no_fold = 1;
        return 0;
    case OPT_NO_CACHE:
        o->no_cache = 1;
        return 0;
    case OPT_NO_VALUES:
        o->no_values = 1;
        return 0;
    case OPT_SALVAGE:
        o->salvage = 1;
        return 0;
    case OPT_COLOR:
        o->color = value;
        return strcmp(value, "auto") && strcmp(value, "always") && strcmp(value, "never") ? -1 : 0;
    default:
        o->quiet = 1;
        return 0;
    }
}

/* What an option word means to a command. */
struct meaning {
    const struct shared_option *shared;
    int own; /* index, or -1 */
    int takes_value;
};

static int find_option(const struct command *c, const char *name, size_t length, struct meaning *m)
{
    *m = (struct meaning){NULL, -1, 0};
    for (int i = 0; i < SHARED_OPTIONS; i++)
        if (c->takes & shared_options[i].id && strlen(shared_options[i].name) == length &&
            !strncmp(shared_options[i].name, name, length)) {
            m->shared = &shared_options[i];
            m->takes_value = m->shared->value != NULL;
            return 0;
        }
    for (int i = 0; c->own && c->own[i].name; i++)
        if (strlen(c->own[i].name) == length && !strncmp(c->own[i].name, name, length)) {
            m->own = i;
            m->takes_value = c->own[i].value != NULL;
            return 0;
        }
    return -1;
}

/* Takes one option, and the next word when that is its value. Returns the words used, or STATUS_ERROR negated. */
static int take_option(struct invocation *inv, char **word, int left)
{
    const struct command *c = inv->command;
    const char *name = word[0] + 2, *value = "";
    size_t length = strcspn(name, "=");
    struct meaning m;
    int used = 1;
    if (word[0][1] == 'o' && c->takes & OPT_OUTPUT) {
        name = "output";
        length = 6;
        if (word[0][2])
            return fail_usage(c, "unknown option %s", word[0]), -STATUS_ERROR;
    } else if (word[0][1] != '-') {
        return fail_usage(c, "unknown option %s", word[0]), -STATUS_ERROR;
    }
    if (find_option(c, name, length, &m))
        return fail_usage(c, "unknown option %s", word[0]), -STATUS_ERROR;
    if (name[length] == '=' && !m.takes_value)
        return fail_usage(c, "--%.*s takes no value", (int)length, name), -STATUS_ERROR;
    if (m.takes_value && name[length] == '=') {
        value = name + length + 1;
    } else if (m.takes_value) {
        if (left < 2)
            return fail_usage(c, "%s needs a value", word[0]), -STATUS_ERROR;
        value = word[1];
        used = 2;
    }
    if (m.own >= 0) {
        inv->own[m.own] = value;
        inv->own_words[inv->own_word_count++] = (struct own_word){m.own, value};
    } else if (store(&inv->options, m.shared->id, value)) {
        return fail_usage(c, "--%s cannot be \"%s\"; it wants %s (%s)", m.shared->name, value, m.shared->value,
                          m.shared->help),
               -STATUS_ERROR;
    }
    return used;
}

int options_parse(struct invocation *inv, int argc, char **argv)
{
    int only_arguments = 0;
    inv->options.heap = -1;
    inv->options.generation = GENERATION_ANY;
    inv->options.depth = inv->command->default_depth;
    for (int i = 0; i < argc;) {
        const char *word = argv[i];
        if (only_arguments || word[0] != '-' || !word[1]) {
            inv->argv[inv->argc++] = word;
            i++;
        } else if (!strcmp(word, "--")) {
            only_arguments = 1;
            i++;
        } else if (!strcmp(word, "--help") || !strcmp(word, "-h")) {
            return 1;
        } else {
            int used = take_option(inv, argv + i, argc - i);
            if (used < 0)
                return STATUS_ERROR;
            i += used;
        }
    }
    if (inv->options.json && inv->options.csv)
        return fail_usage(inv->command, "--json and --csv exclude each other");
    return 0;
}

int options_at(const struct command *c, int index, struct option_view *out)
{
    for (int i = 0; c->own && c->own[i].name; i++, index--)
        if (!index) {
            *out = (struct option_view){c->own[i].name, c->own[i].value, c->own[i].help, 0};
            return 0;
        }
    for (int i = 0; i < SHARED_OPTIONS; i++)
        if (c->takes & shared_options[i].id && !index--) {
            const struct shared_option *o = &shared_options[i];
            *out = (struct option_view){o->name, o->value, o->help, o->id};
            return 0;
        }
    return -1;
}

const char *options_words(const struct command *c, const char *option)
{
    for (const struct option_words *w = c->words; w && w->option; w++)
        if (!strcmp(w->option, option))
            return w->words;
    return !strcmp(option, "generation") ? "0 1 2 permanent untracked"
           : !strcmp(option, "color")    ? "auto always never"
                                         : NULL;
}

enum { HELP_WIDTH = 20, HELP_WIDTH_MAX = 30 };

/* An option with its value, and behind it what it does. */
static void help_line(FILE *to, int width, const char *name, const char *value, const char *help)
{
    char left[48];
    int used = snprintf(left, sizeof left, "--%s%s%s", name, value ? " " : "", value ? value : "");
    fprintf(to, "  %-*s  %s\n", width > used ? width : used, left, help);
}

static int help_width(const char *name, const char *value, int width)
{
    int used = (int)(strlen("--") + strlen(name) + (value ? 1 + strlen(value) : 0));
    return used > width && used <= HELP_WIDTH_MAX ? used : width;
}

void options_help(const struct command *c, FILE *to)
{
    struct option_view o;
    int width = HELP_WIDTH;
    for (int i = 0; !options_at(c, i, &o) && !o.shared; i++)
        width = help_width(o.name, o.value, width);
    fprintf(to, "usage: refheap %s%s%s [OPTIONS]\n\n%s\n\noptions:\n", c->name, *c->arguments ? " " : "", c->arguments,
            c->help);
    for (int i = 0; !options_at(c, i, &o); i++) {
        char keys[120] = "";
        const char *words = o.shared == OPT_BY ? options_words(c, o.name) : NULL; /* they differ with the command */
        size_t n = words ? (size_t)snprintf(keys, sizeof keys, "group by this: ") : 0;
        for (; words && *words && n + 3 < sizeof keys; words++)
            n += (size_t)snprintf(keys + n, sizeof keys - n, *words == ' ' ? ", " : "%c", *words);
        help_line(to, width, o.name, o.value, *keys ? keys : o.help);
    }
}
