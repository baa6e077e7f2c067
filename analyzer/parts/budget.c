#include "budget.h"

#include <stdlib.h>
#include <string.h>

#include "../line/options.h"

enum { OWN_GARBAGE, OWN_INVISIBLE, OWN_OBJECTS, OWN_GROWTH, OWN_FORBID, OWN_AUDIT };

const struct own_option budget_options[] = {
    {"max-garbage", "N|SIZE", "at most so many garbage objects, or so much memory with what hangs off them (64KiB)"},
    {"max-invisible", "N|SIZE", "at most so much that is unreachable and that the collector cannot see"},
    {"max-objects", "TYPE=N|SIZE", "at most so many objects of a type, or so much memory in them; * matches anything"},
    {"max-growth", "TYPE=N|SIZE|N%", "at most so many more than in BASELINE"},
    {"forbid", "TYPE[@GENERATION]", "no object of a type at all, or none in a generation"},
    {"audit", NULL, "no object with more references than holders, and none with fewer"},
    {NULL, NULL, NULL},
};

const char *budget_what_name(enum budget_what what)
{
    static const char *const names[] = {"garbage", "invisible", "objects", "growth", "forbidden", "over", "under"};
    return names[what];
}

/* "100", "64KiB", "1.5M", "10%". */
static int parse_limit(const char *text, int percent_allowed, struct budget *b)
{
    static const char units[] = "BKMGTPE";
    char *end;
    b->unit = UNIT_OBJECTS;
    if (!parse_number(text, &b->limit))
        return 0;
    if (*text < '0' || *text > '9' || strspn(text, "0123456789.") == strlen(text))
        return -1;
    /* Not strtod(): that takes hexadecimal, exponents and what the locale makes of a point. */
    uint64_t whole = strtoull(text, &end, 10), fraction = 0, scale = 1;
    if (*end == '.')
        for (end++; *end >= '0' && *end <= '9'; end++)
            if (scale < 1000000) {
                fraction = 10 * fraction + (uint64_t)(*end - '0');
                scale *= 10;
            }
    if (!strcmp(end, "%")) {
        b->unit = UNIT_PERCENT;
        b->limit = whole;
        return percent_allowed && !fraction ? 0 : -1;
    }
    const char *unit = memchr(units, *end >= 'a' ? *end - 'a' + 'A' : *end, sizeof units - 1);
    if (!unit || (strcmp(end + 1, "") && (unit == units || (strcmp(end + 1, "iB") && strcmp(end + 1, "B")))))
        return -1;
    unsigned shift = 10 * (unsigned)(unit - units);
    b->unit = UNIT_BYTES;
    b->limit = whole << shift;
    if (b->limit >> shift != whole || strspn(text, "0123456789") > 19)
        return -1;
    b->limit += (uint64_t)((double)fraction / (double)scale * (double)(UINT64_C(1) << shift));
    return 0;
}

static int parse_typed(const char *text, struct budget *b)
{
    const char *equals = strrchr(text, '=');
    if (!equals || equals == text || parse_limit(equals + 1, b->what == BUDGET_GROWTH, b))
        return STATUS_ERROR;
    b->type = strndup(text, (size_t)(equals - text));
    return b->type ? 0 : -1;
}

static int parse_forbidden(const char *text, struct budget *b)
{
    const char *at = strrchr(text, '@');
    int generation = at ? parse_generation(at + 1) : -1;
    if (!*text || at == text)
        return STATUS_ERROR;
    if (at && generation < 0 && !at[1 + strspn(at + 1, "-0123456789 ")])
        return STATUS_ERROR; /* there is no such generation, and no type is called so */
    if (generation >= 0)
        b->generation = generation;
    b->type = strndup(text, generation >= 0 ? (size_t)(at - text) : strlen(text));
    return b->type ? 0 : -1;
}

static int read_budget(const struct own_word *word, struct budgets *r)
{
    static const enum budget_what whats[] = {BUDGET_GARBAGE, BUDGET_INVISIBLE, BUDGET_OBJECTS,
                                             BUDGET_GROWTH,  BUDGET_FORBIDDEN, BUDGET_OVER};
    struct budget *b = &r->items[r->count++];
    *b = (struct budget){.what = whats[word->option], .generation = GENERATION_ANY};
    switch (word->option) {
    case OWN_GARBAGE:
    case OWN_INVISIBLE:
        return parse_limit(word->value, 0, b) ? STATUS_ERROR : 0;
    case OWN_OBJECTS:
    case OWN_GROWTH:
        return parse_typed(word->value, b);
    case OWN_FORBID:
        return parse_forbidden(word->value, b);
    default: /* --audit is two */
        r->items[r->count++] = (struct budget){.what = BUDGET_UNDER, .generation = GENERATION_ANY};
        return 0;
    }
}

int budgets_read(struct invocation *inv, struct budgets *r)
{
    int has_growth = 0;
    *r = (struct budgets){calloc(2 * inv->own_word_count + 1, sizeof *r->items), 0};
    if (!r->items)
        return -1;
    for (size_t i = 0; i < inv->own_word_count; i++) {
        const struct own_word *word = &inv->own_words[i];
        int status = read_budget(word, r);
        if (status > 0)
            return fail_usage(inv->command, "--%s cannot be \"%s\"; it wants %s", budget_options[word->option].name,
                              word->value, budget_options[word->option].value);
        if (status)
            return status;
        has_growth |= word->option == OWN_GROWTH;
    }
    if (!r->count)
        return fail_usage(inv->command, "nothing to check: name a budget, as in --max-garbage 0");
    if (has_growth && !inv->more_count)
        return fail_usage(inv->command, "--max-growth compares with a baseline: refheap check %s",
                          inv->command->arguments);
    if (!has_growth && inv->more_count)
        return fail_usage(inv->command, "the baseline %s is for --max-growth alone", inv->more[0].path);
    return 0;
}

void budgets_release(struct budgets *budgets)
{
    for (size_t i = 0; i < budgets->count; i++)
        free(budgets->items[i].type);
    free(budgets->items);
    *budgets = (struct budgets){NULL, 0};
}
