/* cycles: the garbage of a generation as cycles, what hangs off them, and which reference to make weak. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../dumpfmt/error.h"
#include "answers/advice.h"
#include "line/commands.h"
#include "session/owners.h"
#include "render/text.h"
#include "answers/shape.h"

enum { OWN_OBJECTS, MEMBERS_SHOWN = 8, MEMBERS_LOOKED_AT = 1000, EDGES_SHOWN = 4 };

static const struct own_option own[] = {
    {"objects", NULL, "list every garbage object rather than the cycles"},
    {NULL, NULL, NULL},
};

/* Which cycles are asked for, and in what order. */
struct choice {
    struct invocation *inv;
    int generation; /* 0, 1, 2 */
    ordinal *order; /* all cycles, as --sort wants them */
    struct tally garbage, dependent, invisible;
};

static int passes_heap(const struct invocation *inv, ordinal o)
{
    return inv->options.heap < 0 || graph_heap(&inv->session.graph, o) == (uint32_t)inv->options.heap;
}

/* All members of a cycle are garbage of the generation, and (for the oldest) it may be garbage the collector cannot
 * see. */
static int cycle_matches(const struct choice *c, ordinal cycle)
{
    const struct session *s = &c->inv->session;
    const struct garbage *garbage = &s->garbage[c->generation];
    ordinal component = s->cycles.items[cycle].component;
    int named = !c->inv->options.type;
    for (ordinal m = s->components.member_start[component]; m < s->components.member_start[component + 1]; m++) {
        ordinal o = s->components.member[m];
        if (garbage->fate[o] != FATE_GARBAGE && garbage->fate[o] != FATE_INVISIBLE)
            return 0;
        if (!passes_heap(c->inv, o))
            return 0;
        named |= filter_matches(c->inv, o);
    }
    return named;
}

static void count_up(struct choice *c)
{
    const struct session *s = &c->inv->session;
    for (ordinal o = 0; o < s->graph.objects; o++) {
        if (!passes_heap(c->inv, o))
            continue;
        unsigned fate = s->garbage[c->generation].fate[o];
        struct tally *t = fate == FATE_GARBAGE ? &c->garbage : fate == FATE_DEPENDENT ? &c->dependent : NULL;
        if (!t && s->garbage[2].fate[o] == FATE_INVISIBLE)
            t = &c->invisible; /* told for the oldest generation, whichever is asked for */
        if (t) {
            t->objects++;
            t->bytes += graph_size(&s->graph, o);
        }
    }
}

/* ---- JSON ---- */

static void member_json(struct invocation *inv, ordinal o)
{
    const struct session *s = &inv->session;
    struct json *j = &inv->out.json;
    char name[NAME_SIZE];
    json_object(j, NULL);
    object_json_head(j, s, o);
    json_string(j, "label", name_object(s, o, name));
    json_object_end(j);
}

static void edge_json(struct invocation *inv, ordinal from, uint64_t number)
{
    const struct session *s = &inv->session;
    struct json *j = &inv->out.json;
    struct edge edge;
    char name[NAME_SIZE];
    graph_edge(&s->graph, from, number, &edge);
    json_object(j, NULL);
    json_address(j, "from", graph_address(&s->graph, from));
    json_address(j, "to", edge.target);
    json_string(j, "kind", name_edge_kind(edge.bits));
    json_string(j, "label", name_edge(s, &edge, name));
    json_object_end(j);
}

static int is_inner(const struct session *s, ordinal component, uint64_t e)
{
    ordinal t = graph_target(&s->graph, e);
    return t != ORDINAL_NONE && edge_is_counted(graph_info(&s->graph, e)) && s->components.component[t] == component;
}

static int cycle_json(struct invocation *inv, ordinal id, ordinal like)
{
    const struct session *s = &inv->session;
    const struct cycle *c = &s->cycles.items[id];
    const ordinal *member = s->components.member + s->components.member_start[c->component];
    struct json *j = &inv->out.json;
    struct advice advice;
    if (advice_for_cycle(s, id, &advice))
        return -1;
    json_object(j, NULL);
    json_uint(j, "id", id + 1);
    json_uint(j, "objects", c->objects);
    json_uint(j, "shallow", c->shallow);
    json_uint(j, "retained", c->retained);
    json_bool(j, "source", c->source);
    json_bool(j, "uncollectable", c->uncollectable);
    json_bool(j, "invisible", c->invisible);
    json_uint(j, "shape", like + 1);
    json_array(j, "members");
    for (ordinal i = 0; i < c->objects; i++)
        member_json(inv, member[i]);
    json_array_end(j);
    json_array(j, "edges");
    for (ordinal i = 0; i < c->objects; i++)
        for (uint64_t e = graph_begin(&s->graph, member[i]); e < graph_end(&s->graph, member[i]); e++)
            if (is_inner(s, c->component, e))
                edge_json(inv, member[i], e);
    json_array_end(j);
    json_array(j, "cut");
    for (size_t i = 0; i < advice.count; i++)
        edge_json(inv, advice.from[i], advice.edges[i]);
    json_array_end(j);
    json_string(j, "advice", advice.text);
    json_object_end(j);
    advice_release(&advice);
    return 0;
}

/* ---- text ---- */

static void show_head(struct choice *c)
{
    FILE *f = c->inv->out.file;
    char n[4][TEXT_NUMBER_SIZE];
    if (!c->garbage.objects)
        fprintf(f, "A collection of generation %d would find no garbage.\n", c->generation);
    else
        fprintf(f, "A collection of generation %d would find %s, %s.\n", c->generation,
                text_plural(c->garbage.objects, "unreachable object", n[0]), text_size(c->garbage.bytes, n[1]));
    if (c->dependent.objects)
        fprintf(f, "%s more, %s, would be freed with %s.\n", text_count(c->dependent.objects, n[0]),
                text_size(c->dependent.bytes, n[1]), c->garbage.objects == 1 ? "it" : "them");
    if (c->invisible.objects)
        fprintf(f, "Unreachable too, but out of the collector's sight: %s, %s.\n",
                text_plural(c->invisible.objects, "object", n[0]), text_size(c->invisible.bytes, n[1]));
}

/* Whether an object of a cycle is shown as one with its owner, who is in the cycle too. */
static int is_folded(const struct invocation *inv, ordinal o)
{
    const struct session *s = &inv->session;
    ordinal owner = owner_of(s, o);
    return !inv->options.no_fold && owner != ORDINAL_NONE && s->components.component[owner] == s->components.component[o];
}

struct edges_shown {
    uint64_t shown, more;
};

/* The references of `o` within its cycle; of what is shown as one with it, as its own. */
static void show_edges(struct invocation *inv, ordinal o, struct edges_shown *n)
{
    const struct session *s = &inv->session;
    const struct graph *g = &s->graph;
    FILE *f = inv->out.file;
    char name[NAME_SIZE], label[NAME_SIZE];
    for (uint64_t e = graph_begin(g, o); e < graph_end(g, o); e++) {
        struct edge edge;
        if (!is_inner(s, s->components.component[o], e))
            continue;
        graph_edge(g, o, e, &edge);
        if (is_folded(inv, edge.to) && owner_of(s, edge.to) == o) {
            show_edges(inv, edge.to, n); /* once: an owner has none itself */
            continue;
        }
        if (n->shown++ >= EDGES_SHOWN) {
            n->more++;
            continue;
        }
        fprintf(f, "    %s -> %s", is_folded(inv, o) ? name_attribute(s, &edge, label) : name_edge(s, &edge, label),
                name_full(s, edge.to, name));
        output_style(&inv->out, STYLE_DIM);
        fprintf(f, "  0x%" PRIx64 "\n", edge.target);
        output_style(&inv->out, STYLE_NORMAL);
    }
}

static void show_member(struct invocation *inv, ordinal o)
{
    const struct session *s = &inv->session;
    const struct graph *g = &s->graph;
    FILE *f = inv->out.file;
    char name[NAME_SIZE], size[TEXT_NUMBER_SIZE];
    struct edges_shown edges = {0, 0};
    fprintf(f, "  %s", name_full(s, o, name));
    output_style(&inv->out, STYLE_DIM);
    fprintf(f, "  0x%" PRIx64 ", generation %s, refcount %" PRId64 ", %s\n", graph_address(g, o),
            text_generation(graph_generation(g, o)), graph_refcount(g, o), text_size(graph_size(g, o), size));
    output_style(&inv->out, STYLE_NORMAL);
    show_edges(inv, o, &edges);
    if (edges.more)
        fprintf(f, "    ... %s within the cycle\n", text_plural(edges.more, "more reference", size));
}

static void show_members(struct invocation *inv, const ordinal *member, ordinal count)
{
    ordinal shown = 0, more = 0;
    char n[TEXT_NUMBER_SIZE];
    for (ordinal i = 0; i < count && i < MEMBERS_LOOKED_AT; i++)
        if (!is_folded(inv, member[i]) && shown++ < MEMBERS_SHOWN)
            show_member(inv, member[i]);
        else if (shown > MEMBERS_SHOWN)
            more++;
    more += count > MEMBERS_LOOKED_AT ? count - MEMBERS_LOOKED_AT : 0;
    if (more)
        fprintf(inv->out.file, "  ... %s\n", text_plural(more, "more object", n));
}

static int show_cycle(struct invocation *inv, ordinal id, ordinal alike)
{
    const struct session *s = &inv->session;
    const struct cycle *c = &s->cycles.items[id];
    const ordinal *member = s->components.member + s->components.member_start[c->component];
    FILE *f = inv->out.file;
    char n[3][TEXT_NUMBER_SIZE];
    struct advice advice;
    if (advice_for_cycle(s, id, &advice))
        return -1;
    output_style(&inv->out, STYLE_BOLD);
    fprintf(f, "\ncycle %" PRI_ORDINAL, id + 1);
    output_style(&inv->out, STYLE_NORMAL);
    fprintf(f, ": %s, %s; retains %s", text_plural(c->objects, "object", n[0]), text_size(c->shallow, n[1]),
            text_size(c->retained, n[2]));
    fprintf(f, "%s%s%s", c->source ? "" : "; held by another cycle", c->uncollectable ? "; uncollectable" : "",
            c->invisible ? "; the collector cannot see it" : "");
    if (alike)
        fprintf(f, "; and %s more like it", text_count(alike, n[0]));
    fputc('\n', f);
    show_members(inv, member, c->objects);
    output_style(&inv->out, STYLE_BAD);
    fprintf(f, "  to break it: %s\n", advice.text);
    output_style(&inv->out, STYLE_NORMAL);
    advice_release(&advice);
    return 0;
}

/* ---- tables ---- */

static const struct column cycle_columns[] = {
    {"id", "cycle", CELL_NUMBER},          {"objects", "objects", CELL_COUNT},
    {"shallow", "shallow", CELL_SIZE},     {"retained", "retained", CELL_SIZE},
    {"source", "source", CELL_FLAG},       {"uncollectable", "uncollectable", CELL_FLAG},
    {"invisible", "invisible", CELL_FLAG}, {"shape", "shape", CELL_NUMBER},
};
static const struct column object_columns[] = {
    {"address", "address", CELL_ADDRESS},
    {"type", "type", CELL_TEXT},
    {"generation", "generation", CELL_GENERATION},
    {"size", "size", CELL_SIZE},
    {"refcount", "refcount", CELL_NUMBER},
    {"cycle", "cycle", CELL_NUMBER},
    {"label", "label", CELL_TEXT},
};
enum { CYCLE_COLUMNS = 8, OBJECT_COLUMNS = 7 };

static int cycles_table(struct choice *c, const ordinal *first)
{
    const struct session *s = &c->inv->session;
    struct table_options options = {.name = "cycles", .noun = "cycles"};
    struct table t;
    begin_table(c->inv, &t, cycle_columns, CYCLE_COLUMNS, &options);
    for (ordinal i = 0; i < s->cycles.count; i++) {
        const struct cycle *cycle = &s->cycles.items[i];
        struct cell cells[] = {cell_number(i + UINT64_C(1)),  cell_number(cycle->objects),
                               cell_number(cycle->shallow),   cell_number(cycle->retained),
                               cell_number(cycle->source),    cell_number(cycle->uncollectable),
                               cell_number(cycle->invisible), cell_number(first[i] + UINT64_C(1))};
        if (cycle_matches(c, i))
            table_row(&t, cells);
    }
    return table_end(&t, &options);
}

static int objects_table(struct choice *c)
{
    const struct session *s = &c->inv->session;
    const struct graph *g = &s->graph;
    struct table_options options = {.name = "garbage_objects", .noun = "objects"};
    struct table t;
    char label[NAME_SIZE];
    begin_table(c->inv, &t, object_columns, OBJECT_COLUMNS, &options);
    for (ordinal o = 0; o < g->objects; o++) {
        if (s->garbage[c->generation].fate[o] != FATE_GARBAGE || !passes_heap(c->inv, o))
            continue;
        ordinal component = s->components.component[o];
        ordinal cycle = component == ORDINAL_NONE ? ORDINAL_NONE : s->cycles.of_component[component];
        struct cell cells[] = {cell_number(graph_address(g, o)),
                               cell_bytes(type_name(s, o).bytes, type_name(s, o).length),
                               cell_number(graph_generation(g, o)),
                               cell_number(graph_size(g, o)),
                               cell_number((uint64_t)graph_refcount(g, o)),
                               cycle == ORDINAL_NONE ? cell_null() : cell_number(cycle + UINT64_C(1)),
                               cell_text(name_object(s, o, label))};
        table_row(&t, cells);
    }
    return table_end(&t, &options);
}

/* ---- the command ---- */

static int show_cycles(struct choice *c, const ordinal *first)
{
    struct invocation *inv = c->inv;
    const struct session *s = &inv->session;
    int json = inv->out.format == OUTPUT_JSON, fold = !json && !inv->options.no_fold, status = 0;
    uint64_t limit = table_limit(inv), shown = 0, more = 0;
    ordinal *alike = calloc((size_t)s->cycles.count + 1, sizeof *alike);
    char n[TEXT_NUMBER_SIZE];
    if (!alike)
        return -1;
    for (ordinal i = 0; i < s->cycles.count; i++)
        if (first[i] != i && cycle_matches(c, i))
            alike[first[i]]++;
    if (json)
        json_array(&inv->out.json, "cycles");
    for (ordinal at = 0; at < s->cycles.count && !status; at++) {
        ordinal i = c->order[at];
        if (!cycle_matches(c, i) || (fold && first[i] != i && cycle_matches(c, first[i])))
            continue;
        if (limit && shown >= limit) {
            more++;
            continue;
        }
        shown++;
        status = json ? cycle_json(inv, i, first[i]) : show_cycle(inv, i, fold && first[i] == i ? alike[i] : 0);
    }
    if (json)
        json_array_end(&inv->out.json);
    if (json && more)
        json_uint(&inv->out.json, "cycles_omitted", more);
    if (!json && more)
        fprintf(inv->out.file, "\n... %s (--limit 0 shows all)\n", text_plural(more, "more cycle", n));
    free(alike);
    return status;
}

static uint64_t sort_key(const struct session *s, ordinal cycle, long column)
{
    const struct cycle *c = &s->cycles.items[cycle];
    const uint64_t keys[CYCLE_COLUMNS] = {cycle,     c->objects,       c->shallow,   c->retained,
                                          c->source, c->uncollectable, c->invisible, cycle};
    return keys[column];
}

struct ordering {
    const struct session *s;
    long column;
    int ascending;
};

static int compare_order(const void *pa, const void *pb, void *context)
{
    const struct ordering *by = context;
    ordinal a = *(const ordinal *)pa, b = *(const ordinal *)pb;
    uint64_t x = sort_key(by->s, a, by->column), y = sort_key(by->s, b, by->column);
    if (x != y)
        return (x < y) == by->ascending ? -1 : 1;
    return a < b ? -1 : a > b;
}

/* The order that cycles_find() gave, or the one --sort asks for: largest first unless it says +. */
static void put_in_order(struct choice *c)
{
    const struct session *s = &c->inv->session;
    const char *key = c->inv->options.sort;
    for (ordinal i = 0; i < s->cycles.count; i++)
        c->order[i] = i;
    if (!key)
        return;
    struct ordering by = {s, table_column(cycle_columns, CYCLE_COLUMNS, key), *key == '+'};
    if (by.column >= 0)
        qsort_r(c->order, s->cycles.count, sizeof *c->order, compare_order, &by);
}

static int show(struct choice *c, const ordinal *first)
{
    struct invocation *inv = c->inv;
    struct json *j = &inv->out.json;
    int objects = inv->own[OWN_OBJECTS] != NULL, status;
    if (inv->out.format == OUTPUT_CSV)
        return objects ? objects_table(c) : cycles_table(c, first);
    if (inv->out.format == OUTPUT_TEXT) {
        show_head(c);
        if (objects)
            fputc('\n', inv->out.file);
        return objects ? objects_table(c) : show_cycles(c, first);
    }
    begin_json(inv);
    json_uint(j, "generation", (unsigned)c->generation);
    tally_json(j, "garbage", &c->garbage);
    tally_json(j, "dependent", &c->dependent);
    tally_json(j, "invisible", &c->invisible);
    status = objects ? objects_table(c) : 0;
    if (!status)
        status = show_cycles(c, first);
    json_end(j);
    return status;
}

static int run(struct invocation *inv)
{
    struct session *s = &inv->session;
    struct choice choice = {.inv = inv, .generation = 2};
    struct rh_error err;
    if (inv->options.generation > 2)
        return fail_usage(inv->command, "--generation must be 0, 1 or 2: no other is collected");
    if (inv->options.generation != GENERATION_ANY)
        choice.generation = inv->options.generation;
    inv->options.generation = GENERATION_ANY; /* it says what to collect and filters nothing */
    if (inv->own[OWN_OBJECTS] ? check_sort(inv, object_columns, OBJECT_COLUMNS)
                              : check_sort(inv, cycle_columns, CYCLE_COLUMNS))
        return STATUS_ERROR;
    if (session_cycles(s, &err) || session_garbage(s, choice.generation, &err) || session_values(s, &err))
        return fail(s->path, &err);
    ordinal *first = malloc(((size_t)s->cycles.count + 1) * sizeof *first);
    choice.order = malloc(((size_t)s->cycles.count + 1) * sizeof *choice.order);
    int status = first && choice.order ? shapes_find(s, first) : -1;
    if (!status) {
        put_in_order(&choice);
        count_up(&choice);
        status = show(&choice, first);
    }
    free(first);
    free(choice.order);
    if (status < 0) {
        error_set(&err, RH_ERR_NO_MEMORY, "not enough memory for the cycles", "");
        return fail(s->path, &err);
    }
    return status;
}

const struct command cmd_cycles = {
    .name = "cycles",
    .summary = "garbage cycles, what they keep, and which reference to make weak",
    .arguments = "SNAPSHOT",
    .help =
        "Finds what a collection of generation N (2 unless told) would call unreachable, exactly as the collector\n"
        "would, and shows it as cycles: those first that no other garbage holds. retains counts what would go with\n"
        "the cycle. Cycles of the same shape are shown once, and the __dict__ of a Python object as one with it; --no-fold\n"
        "shows each.",
    .takes = OPT_READING | OPT_TABLE | OPT_FILTER | OPT_NO_FOLD,
    .reads_snapshot = 1,
    .own = own,
    .run = run,
};
