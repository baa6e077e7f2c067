/* what-if: what would die without some references, at once and when the collector runs after. */
#include <stdlib.h>
#include <string.h>

#include "../dumpfmt/error.h"
#include "line/commands.h"
#include "parts/cuts.h"
#include "render/text.h"

static const struct own_option own[] = {
    {"cut", "WHAT", "what goes: 0xFROM.label, 0xFROM->0xTO, Type.field, or objects; may be repeated"},
    {NULL, NULL, NULL},
};

static const struct column columns[] = {
    {"type", "type", CELL_TEXT},
    {"at_once_objects", "at once", CELL_COUNT},
    {"at_once_bytes", "size", CELL_SIZE},
    {"with_collector_objects", "with collector", CELL_COUNT},
    {"with_collector_bytes", "size", CELL_SIZE},
};
enum { COLUMNS = 5 };

/* Each includes the one before: what the collector frees comes on top of what went at once. */
struct outcome {
    struct tally at_once, with_collector;
};

struct answer {
    struct invocation *inv;
    struct cuts cuts;
    struct what_if now, then;
    struct outcome all, *by_class;
    struct tally without_cut;              /* what a collection would free now */
    struct tally uncollectable, invisible; /* left behind that were not so before */
    uint32_t *order;                       /* classes */
};

static void add(struct tally *t, uint64_t size)
{
    t->objects++;
    t->bytes += size;
}

static void count_up(struct answer *a)
{
    const struct session *s = &a->inv->session;
    const struct graph *g = &s->graph;
    for (ordinal o = 0; o < g->objects; o++) {
        unsigned fate = a->then.fate[o];
        struct outcome *kind = &a->by_class[s->classes.of_type[graph_type(g, o)]];
        if (a->now.fate[o] == WHAT_IF_COLLECTED)
            add(&a->without_cut, graph_size(g, o));
        if (fate == WHAT_IF_AT_ONCE) {
            add(&a->all.at_once, graph_size(g, o));
            add(&kind->at_once, graph_size(g, o));
        }
        if (fate == WHAT_IF_AT_ONCE || fate == WHAT_IF_COLLECTED) {
            add(&a->all.with_collector, graph_size(g, o));
            add(&kind->with_collector, graph_size(g, o));
        }
        if (fate == WHAT_IF_UNCOLLECTABLE && a->now.fate[o] != fate)
            add(&a->uncollectable, graph_size(g, o));
        if (fate == WHAT_IF_INVISIBLE && a->now.fate[o] != fate)
            add(&a->invisible, graph_size(g, o));
    }
}

static int compare_classes(const void *pa, const void *pb, void *by_class)
{
    const struct outcome *a = (struct outcome *)by_class + *(const uint32_t *)pa;
    const struct outcome *b = (struct outcome *)by_class + *(const uint32_t *)pb;
    if (a->with_collector.bytes != b->with_collector.bytes)
        return a->with_collector.bytes < b->with_collector.bytes ? 1 : -1;
    if (a->with_collector.objects != b->with_collector.objects)
        return a->with_collector.objects < b->with_collector.objects ? 1 : -1;
    return a < b ? -1 : a > b;
}

/* ---- JSON ---- */

static void outcome_json(const struct answer *a, const char *key, int at_once)
{
    const struct session *s = &a->inv->session;
    struct json *j = &a->inv->out.json;
    const struct tally *all = at_once ? &a->all.at_once : &a->all.with_collector;
    json_object(j, key);
    json_uint(j, "objects", all->objects);
    json_uint(j, "bytes", all->bytes);
    json_array(j, "types");
    for (uint32_t i = 0; i < s->classes.count; i++) {
        const struct outcome *kind = &a->by_class[a->order[i]];
        const struct tally *t = at_once ? &kind->at_once : &kind->with_collector;
        struct text name = class_name(s, a->order[i]);
        if (!t->objects)
            continue;
        json_object(j, NULL);
        json_text(j, "type", name.bytes, name.length);
        json_uint(j, "objects", t->objects);
        json_uint(j, "bytes", t->bytes);
        json_object_end(j);
    }
    json_array_end(j);
    json_object_end(j);
}

static void show_json(const struct answer *a)
{
    struct json *j = &a->inv->out.json;
    begin_json(a->inv);
    json_array(j, "cuts");
    for (size_t i = 0; i < a->cuts.count; i++) {
        const struct cut_record *r = &a->cuts.records[i];
        json_object(j, NULL);
        json_string(j, "cut", r->text);
        json_uint(j, "references", r->references);
        json_uint(j, "uncounted", r->uncounted);
        json_uint(j, "assumed", r->assumed);
        json_uint(j, "objects", r->objects);
        json_uint(j, "immortal", r->immortal);
        json_object_end(j);
    }
    json_array_end(j);
    outcome_json(a, "at_once", 1);
    outcome_json(a, "with_collector", 0);
    tally_json(j, "without_cut", &a->without_cut);
    tally_json(j, "uncollectable", &a->uncollectable);
    tally_json(j, "invisible", &a->invisible);
    json_end(j);
}

/* ---- text ---- */

static void show_cut(FILE *f, const struct cut_record *r)
{
    char n[TEXT_NUMBER_SIZE];
    fprintf(f, "cut %s: ", r->text);
    if (r->objects)
        fprintf(f, "all references to %s", text_plural(r->objects, "object", n));
    else if (r->references)
        fprintf(f, "%s", text_plural(r->references, "reference", n));
    if (r->immortal)
        fprintf(f, ", of which %s immortal and stay%s", text_count(r->immortal, n), r->immortal == 1 ? "s" : "");
    if (r->assumed)
        fprintf(f, ", %s of them found by scanning and assumed to be counted", text_count(r->assumed, n));
    if (r->uncounted)
        fprintf(f, "%s%s weak, borrowed or not counted, which keeps nothing", r->references ? ", " : "",
                text_plural(r->uncounted, "reference", n));
    if (!r->objects && !r->references && !r->uncounted)
        fputs("it is cut already", f);
    fputc('\n', f);
}

static void show_tally(const struct answer *a, const char *when, const struct tally *t)
{
    char n[3][TEXT_NUMBER_SIZE];
    fprintf(a->inv->out.file, "%s: %s, %s, %s of the heap\n", when, text_plural(t->objects, "object", n[0]),
            text_size(t->bytes, n[1]), text_share(text_share_of(t->bytes, a->inv->session.graph.bytes), n[2]));
}

static void show_words(const struct answer *a)
{
    FILE *f = a->inv->out.file;
    char n[2][TEXT_NUMBER_SIZE];
    for (size_t i = 0; i < a->cuts.count; i++)
        show_cut(f, &a->cuts.records[i]);
    show_tally(a, "dies at once", &a->all.at_once);
    show_tally(a, "with the collector after", &a->all.with_collector);
    if (a->without_cut.objects)
        fprintf(f, "a collection now, without the cut, would free %s, %s\n",
                text_plural(a->without_cut.objects, "object", n[0]), text_size(a->without_cut.bytes, n[1]));
    if (a->uncollectable.objects)
        fprintf(f, "left behind, since legacy finalizers make it uncollectable: %s, %s\n",
                text_plural(a->uncollectable.objects, "object", n[0]), text_size(a->uncollectable.bytes, n[1]));
    if (a->invisible.objects)
        fprintf(f, "left behind, since the collector cannot see it: %s, %s\n",
                text_plural(a->invisible.objects, "object", n[0]), text_size(a->invisible.bytes, n[1]));
    if (a->all.with_collector.objects)
        fputc('\n', f);
}

static int show_table(const struct answer *a)
{
    const struct session *s = &a->inv->session;
    struct table_options options = {.name = "types", .noun = "types"};
    struct table t;
    begin_table(a->inv, &t, columns, COLUMNS, &options);
    for (uint32_t i = 0; i < s->classes.count; i++) {
        const struct outcome *c = &a->by_class[a->order[i]];
        struct text name = class_name(s, a->order[i]);
        struct cell cells[COLUMNS] = {cell_bytes(name.bytes, name.length), cell_number(c->at_once.objects),
                                      cell_number(c->at_once.bytes), cell_number(c->with_collector.objects),
                                      cell_number(c->with_collector.bytes)};
        if (c->with_collector.objects)
            table_row(&t, cells);
    }
    return table_end(&t, &options);
}

/* ---- the command ---- */

static int answer(struct answer *a)
{
    const struct session *s = &a->inv->session;
    a->by_class = calloc((size_t)s->classes.count + 1, sizeof *a->by_class);
    a->order = malloc(((size_t)s->classes.count + 1) * sizeof *a->order);
    if (!a->by_class || !a->order || what_if_run(&s->graph, NULL, &a->now) ||
        what_if_run(&s->graph, &a->cuts.marks, &a->then))
        return -1;
    count_up(a);
    for (uint32_t c = 0; c < s->classes.count; c++)
        a->order[c] = c;
    qsort_r(a->order, s->classes.count, sizeof *a->order, compare_classes, a->by_class);
    if (a->inv->out.format == OUTPUT_JSON) {
        show_json(a);
        return 0;
    }
    if (a->inv->out.format == OUTPUT_TEXT)
        show_words(a);
    return show_table(a);
}

static int run(struct invocation *inv)
{
    struct session *s = &inv->session;
    struct answer a = {.inv = inv};
    struct rh_error err;
    if (!inv->own_word_count)
        return fail_usage(inv->command, "say what to cut: --cut Type.field");
    if (check_sort(inv, columns, COLUMNS))
        return STATUS_ERROR;
    if (session_graph(s, &err) || session_values(s, &err))
        return fail(s->path, &err);
    int status = cuts_read(inv, &a.cuts);
    if (!status)
        status = answer(&a);
    cuts_release(&a.cuts);
    what_if_release(&a.now);
    what_if_release(&a.then);
    free(a.by_class);
    free(a.order);
    if (status < 0) {
        error_set(&err, RH_ERR_NO_MEMORY, "not enough memory for the analysis", "");
        return fail(s->path, &err);
    }
    return status;
}

const struct command cmd_what_if = {
    .name = "what-if",
    .summary = "what would die without some references",
    .arguments = "SNAPSHOT --cut WHAT...",
    .help =
        "Takes references away and says what dies at once, by refcounting alone, and what with the collector running\n"
        "after: found by counting down and by a second search for what can be reached. WHAT is a reference\n"
        "(0xFROM.label, 0xFROM->0xTO), all references of a kind (Type.field, Type[...]), the references of a root\n"
        "(root:NAME), or all references to objects (0xADDRESS, @RANK, type:NAME, cycle:ID, sql:CONDITION, garbage).\n"
        "--type, --heap and --generation leave of a set, and of those that hold references of a kind, the ones that match.\n"
        "Finalizers and callbacks of weak references are not run, and could still save something.",
    .takes = OPT_READING | OPT_TABLE | OPT_FILTER,
    .reads_snapshot = 1,
    .own = own,
    .run = run,
};
