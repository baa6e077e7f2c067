/* summary: what is in the heap, by type or another key. */
#include <stdlib.h>
#include <string.h>

#include "../dumpfmt/error.h"
#include "line/commands.h"
#include "graph/sums.h"
#include "session/owners.h"
#include "render/text.h"
#include "answers/sites.h"
#include "parts/waste_view.h"

enum { OWN_WASTE };

static const struct own_option own[] = {
    {"waste", NULL, "what could be saved: equal strings, empty containers, and those with little in much room"},
    {NULL, NULL, NULL},
};

/* What is grouped. */
struct subject {
    const struct session *s;
    struct sites sites; /* for --by site */
    int folds;          /* what is owned is counted with its owner */
};

/* A partition of the objects, and what its classes are called. */
struct grouping {
    const char *key; /* what --by says */
    const char *title;
    uint32_t (*classes)(const struct subject *u);
    uint32_t (*class_of)(const struct subject *u, ordinal o);
    void (*name)(const struct subject *u, uint32_t klass, char to[NAME_SIZE]);
};

static uint32_t type_classes(const struct subject *u)
{
    return u->s->classes.count;
}

static uint32_t type_of(const struct subject *u, ordinal o)
{
    return u->s->classes.of_type[graph_type(&u->s->graph, o)];
}

static void type_row_name(const struct subject *u, uint32_t klass, char to[NAME_SIZE])
{
    name_class(u->s, klass, to);
}

static uint32_t heap_classes(const struct subject *u)
{
    return (uint32_t)snapshot_count(u->s->snapshot, SECTION_HEAPS) + 1;
}

static uint32_t heap_of(const struct subject *u, ordinal o)
{
    uint32_t last = heap_classes(u) - 1;
    return graph_heap(&u->s->graph, o) < last ? graph_heap(&u->s->graph, o) : last;
}

static void heap_name(const struct subject *u, uint32_t klass, char to[NAME_SIZE])
{
    const struct heap_record *h = snapshot_record(u->s->snapshot, SECTION_HEAPS, klass);
    struct text name = snapshot_string(u->s->snapshot, h ? h->name : 0);
    char shown[120];
    text_clean(name.bytes, name.length, 60, shown, sizeof shown);
    snprintf(to, NAME_SIZE, "%u%s%s", klass, *shown ? " " : "", shown);
}

static uint32_t generation_classes(const struct subject *u)
{
    (void)u;
    return 5;
}

static uint32_t generation_of(const struct subject *u, ordinal o)
{
    return graph_generation(&u->s->graph, o);
}

static void generation_name(const struct subject *u, uint32_t klass, char to[NAME_SIZE])
{
    (void)u;
    snprintf(to, NAME_SIZE, "%s", text_generation(klass));
}

/* The id of the name of a type's module; 0 when it has none, or one that a damaged file lost. */
static uint32_t module_id(const struct subject *u, uint32_t klass)
{
    uint32_t id = u->s->classes.record[klass]->module;
    return snapshot_string(u->s->snapshot, id).length ? id : 0;
}

/* Modules of types are few: the class is the id of the module's name. */
static uint32_t module_classes(const struct subject *u)
{
    uint32_t limit = 1;
    for (uint32_t c = 0; c < u->s->classes.count; c++) {
        uint32_t module = module_id(u, c);
        if (module >= limit)
            limit = module + 1;
    }
    return limit;
}

static uint32_t module_of(const struct subject *u, ordinal o)
{
    return module_id(u, type_of(u, o));
}

static void module_name(const struct subject *u, uint32_t klass, char to[NAME_SIZE])
{
    struct text name = snapshot_string(u->s->snapshot, klass);
    text_clean(name.length ? name.bytes : "(none)", name.length ? name.length : 6, 80, to, NAME_SIZE);
}

static uint32_t size_classes(const struct subject *u)
{
    (void)u;
    return 65;
}

static uint32_t size_of(const struct subject *u, ordinal o)
{
    uint64_t size = graph_size(&u->s->graph, o);
    return size ? 64 - (uint32_t)__builtin_clzll(size) : 0;
}

static void size_name(const struct subject *u, uint32_t klass, char to[NAME_SIZE])
{
    char low[TEXT_NUMBER_SIZE], high[TEXT_NUMBER_SIZE];
    (void)u;
    if (!klass)
        snprintf(to, NAME_SIZE, "0 B");
    else
        snprintf(to, NAME_SIZE, "%s to %s", text_size(UINT64_C(1) << (klass - 1), low),
                 text_size((UINT64_C(1) << (klass - 1)) * 2 - 1, high));
}

static uint32_t site_classes(const struct subject *u)
{
    return u->sites.names.count;
}

static uint32_t site_of(const struct subject *u, ordinal o)
{
    return u->sites.of_object[o];
}

static void site_name(const struct subject *u, uint32_t klass, char to[NAME_SIZE])
{
    snprintf(to, NAME_SIZE, "%s", u->sites.names.text[klass]);
}

static const struct grouping groupings[] = {
    {"type", "type", type_classes, type_of, type_row_name},
    {"heap", "heap", heap_classes, heap_of, heap_name},
    {"generation", "generation", generation_classes, generation_of, generation_name},
    {"module", "module", module_classes, module_of, module_name},
    {"size", "size", size_classes, size_of, size_name},
    {"site", "site", site_classes, site_of, site_name},
};

static const struct grouping *find_grouping(const char *by)
{
    for (size_t i = 0; i < sizeof groupings / sizeof *groupings; i++)
        if (!by || !strcmp(groupings[i].key, by))
            return &groupings[i];
    return NULL;
}

/* ---- showing ---- */

static void show_head(struct invocation *inv, const struct subject *u)
{
    const struct session *s = &inv->session;
    const struct garbage *g = &s->garbage[2];
    char n[6][TEXT_NUMBER_SIZE];
    FILE *f = inv->out.file;
    fprintf(f, "%s, %s\n", text_plural(s->graph.objects, "object", n[0]), text_size(s->graph.bytes, n[1]));
    if (g->garbage.objects)
        fprintf(f, "garbage: %s, %s", text_plural(g->garbage.objects, "object", n[0]),
                text_size(g->garbage.bytes, n[1]));
    if (g->dependent.objects)
        fprintf(f, "; freed with it: %s, %s", text_plural(g->dependent.objects, "object", n[2]),
                text_size(g->dependent.bytes, n[3]));
    fputs(g->garbage.objects ? "\n" : "", f);
    if (g->invisible.objects)
        fprintf(f, "garbage the collector cannot see: %s, %s\n", text_plural(g->invisible.objects, "object", n[0]),
                text_size(g->invisible.bytes, n[1]));
    if (u->folds && s->owners.count)
        fprintf(f, "%s of attributes counted with their owners (--no-fold counts them apart)\n",
                text_plural(s->owners.count, "dict", n[0]));
    fputc('\n', f);
}

/* Class numbers by retained size, largest first. */
static int compare_classes(const void *pa, const void *pb, void *sums)
{
    const struct class_sums *a = (struct class_sums *)sums + *(const uint32_t *)pa;
    const struct class_sums *b = (struct class_sums *)sums + *(const uint32_t *)pb;
    if (a->retained != b->retained)
        return a->retained < b->retained ? 1 : -1;
    if (a->shallow != b->shallow)
        return a->shallow < b->shallow ? 1 : -1;
    return a < b ? -1 : a > b;
}

enum { COLUMNS = 6, SITE_CHARACTERS = 60 /* a cell shows no more */ };

/* Of a site the end tells more: the file's name, and the line. */
static void cut_front(char *name)
{
    size_t length = strlen(name), from = length > SITE_CHARACTERS ? length - SITE_CHARACTERS + 3 : 0;
    while (from && ((unsigned char)name[from] & 0xc0) == 0x80)
        from++; /* not within a character */
    if (from) {
        memmove(name + 3, name + from, length - from + 1);
        memcpy(name, "...", 3);
    }
}

static void describe_columns(const struct grouping *by, struct column columns[COLUMNS])
{
    const struct column described[COLUMNS] = {
        {by->key, by->title, by->class_of == generation_of ? CELL_GENERATION : CELL_TEXT},
        {"count", "count", CELL_COUNT},
        {"shallow", "shallow", CELL_SIZE},
        {"owned", "owned", CELL_SIZE},
        {"retained", "retained", CELL_SIZE},
        {"largest", "largest", CELL_SIZE},
    };
    memcpy(columns, described, sizeof described);
}

static int show_table(struct invocation *inv, const struct subject *u, const struct grouping *by,
                      const struct column *columns, const struct class_sums *sums, const uint32_t *order,
                      uint32_t classes)
{
    struct table_options options = {.name = by == groupings ? "types" : "groups",
                                    .noun = by == groupings ? "types" : "groups"};
    struct table t;
    char name[NAME_SIZE];
    begin_table(inv, &t, columns, COLUMNS, &options);
    for (uint32_t i = 0; i < classes; i++) {
        const struct class_sums *c = &sums[order[i]];
        if (!c->count)
            continue;
        struct text whole = by == groupings ? class_name(&inv->session, order[i]) : (struct text){NULL, 0, 0};
        if (!whole.bytes)
            by->name(u, order[i], name);
        if (by->class_of == site_of && inv->out.format == OUTPUT_TEXT)
            cut_front(name);
        struct cell cells[] = {by->class_of == generation_of ? cell_number(order[i])
                               : whole.bytes                 ? cell_bytes(whole.bytes, whole.length)
                                                             : cell_text(name),
                               cell_number(c->count),
                               cell_number(c->shallow),
                               cell_number(c->owned),
                               cell_number(c->retained),
                               cell_number(c->largest)};
        table_row(&t, cells);
    }
    return table_end(&t, &options);
}

/* What is counted with its owner is no object of its own, and makes the owner larger. The owner may have passed a
 * filter that it would not, and the other way round. */
static void join_owners(const struct subject *u, uint32_t *class_of)
{
    for (ordinal o = 0; o < u->s->graph.objects; o++)
        if (owner_of(u->s, o) != ORDINAL_NONE)
            class_of[o] = class_of[owner_of(u->s, o)];
}

static void count_with_owners(const struct subject *u, const uint32_t *class_of, struct class_sums *sums)
{
    const struct graph *g = &u->s->graph;
    for (ordinal o = 0; o < g->objects; o++) {
        ordinal owner = owner_of(u->s, o);
        if (owner == ORDINAL_NONE)
            continue;
        struct class_sums *c = &sums[class_of[o]];
        uint64_t together = graph_size(g, o) + graph_size(g, owner);
        c->count--;
        if (together > c->largest) {
            c->largest = together;
            c->largest_object = owner;
        }
    }
}

/* Objects that do not pass the filter go to one class of their own, which is not shown; so the sums of nested objects
 * stay right. */
static int sum_up(struct invocation *inv, const struct subject *u, const struct grouping *by, uint32_t classes,
                  struct class_sums *sums)
{
    const struct session *s = &inv->session;
    int filtered = (inv->options.given & OPT_FILTER) != 0;
    uint32_t *class_of = malloc(((size_t)s->graph.objects + 1) * sizeof *class_of);
    if (!class_of)
        return -1;
    for (ordinal o = 0; o < s->graph.objects; o++)
        class_of[o] = filtered && !filter_matches(inv, o) ? classes : by->class_of(u, o);
    if (u->folds)
        join_owners(u, class_of);
    int status = sums_by_class(&s->graph, &s->dominators, class_of, classes + 1, sums);
    if (!status && u->folds)
        count_with_owners(u, class_of, sums);
    free(class_of);
    return status;
}

static int show(struct invocation *inv, const struct subject *u, const struct grouping *by,
                const struct column columns[COLUMNS], struct class_sums *sums, uint32_t classes)
{
    struct session *s = &inv->session;
    uint32_t *order = malloc(((size_t)classes + 1) * sizeof *order);
    if (!order)
        return -1;
    for (uint32_t c = 0; c < classes; c++)
        order[c] = c;
    qsort_r(order, classes, sizeof *order, compare_classes, sums);
    if (inv->out.format == OUTPUT_JSON) {
        begin_json(inv);
        tally_json(&inv->out.json, "garbage", &s->garbage[2].garbage);
        tally_json(&inv->out.json, "dependent", &s->garbage[2].dependent);
        tally_json(&inv->out.json, "invisible", &s->garbage[2].invisible);
    }
    if (inv->out.format == OUTPUT_TEXT)
        show_head(inv, u);
    int status = show_table(inv, u, by, columns, sums, order, classes);
    if (inv->out.format == OUTPUT_JSON)
        json_end(&inv->out.json);
    free(order);
    return status;
}

/* In what people read; programs get every object. */
static int folds_owners(const struct invocation *inv)
{
    return inv->out.format == OUTPUT_TEXT && !inv->options.no_fold && owners_possible(&inv->session);
}

/* Of all objects by their types: what an index is kept for. */
static int summarize_types(struct invocation *inv, const struct column columns[COLUMNS])
{
    struct session *s = &inv->session;
    const struct subject subject = {.s = s};
    struct rh_error err;
    if (!session_rows(s, 1u << KEPT_GARBAGE_OLDEST | 1u << KEPT_SUMS, &err) && session_sums(s, &err))
        return fail(s->path, &err);
    return show(inv, &subject, groupings, columns, s->sums, s->classes.count);
}

/* By anything else, or of some of the objects. */
static int summarize(struct invocation *inv, const struct grouping *by, const struct column columns[COLUMNS])
{
    struct session *s = &inv->session;
    struct subject subject = {.s = s, .folds = folds_owners(inv)};
    struct rh_error err;
    if (session_dominators(s, &err))
        return fail(s->path, &err);
    int status = by->class_of == site_of ? sites_find(s, &subject.sites) : 0;
    uint32_t classes = status ? 0 : by->classes(&subject);
    struct class_sums *sums = status ? NULL : calloc((size_t)classes + 1, sizeof *sums);
    status = sums ? sum_up(inv, &subject, by, classes, sums) : -1;
    if (!status)
        status = show(inv, &subject, by, columns, sums, classes);
    free(sums);
    sites_release(&subject.sites);
    return status;
}

static int run(struct invocation *inv)
{
    struct session *s = &inv->session;
    const struct grouping *by = find_grouping(inv->options.by);
    struct column columns[COLUMNS];
    struct rh_error err;
    if (!by)
        return fail_usage(inv->command, "--by cannot be \"%s\"; it is type, heap, generation, module, size or site",
                          inv->options.by);
    if (inv->own[OWN_WASTE] && inv->options.by)
        return fail_usage(inv->command, "--waste goes by type, and takes no --by");
    if (inv->own[OWN_WASTE])
        return show_waste(inv);
    describe_columns(by, columns);
    if (check_sort(inv, columns, COLUMNS))
        return STATUS_ERROR;
    int by_type = by == groupings && !(inv->options.given & OPT_FILTER) && !folds_owners(inv);
    int status = by_type ? summarize_types(inv, columns) : summarize(inv, by, columns);
    if (status < 0) {
        error_set(&err, RH_ERR_NO_MEMORY, "not enough memory for the summary", "");
        return fail(s->path, &err);
    }
    return status;
}

static const struct option_words words[] = {
    {"by", "type heap generation module size site"},
    {NULL, NULL},
};

const struct command cmd_summary = {
    .name = "summary",
    .summary = "what is in the heap, by type, heap, generation, module, size or site",
    .arguments = "SNAPSHOT",
    .help =
        "Counts objects and adds up their sizes. shallow is their own size; owned adds what only they refer to, the\n"
        "least that goes when they go; retained adds all that would be unreachable without them. Objects nested\n"
        "under others of the same row are not counted twice in owned and retained. --by site groups by where they\n"
        "were made, the innermost frame, of heaps that record it. --waste shows what could be saved instead: strings\n"
        "that are equal to another of their type, containers with room and nothing in it, and those of whose room at\n"
        "most a quarter is in use. In the text the __dict__ of a Python object that nothing else holds is counted with\n"
        "its owner; --no-fold counts it apart, as JSON and CSV do.",
    .takes = OPT_READING | OPT_TABLE | OPT_FILTER | OPT_BY | OPT_NO_FOLD,
    .reads_snapshot = 1,
    .own = own,
    .words = words,
    .run = run,
};
