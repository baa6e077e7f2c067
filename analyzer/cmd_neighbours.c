/* referrers and referents: who refers to an object, and what it refers to, one hop or several. */
#include <stdlib.h>
#include <string.h>

#include "../dumpfmt/error.h"
#include "commands.h"
#include "render/text.h"
#include "select.h"

enum direction { TO_REFERRERS, TO_REFERENTS };

static const struct column columns[] = {
    {"depth", NULL, CELL_NUMBER},
    {"from", "from", CELL_ADDRESS},
    {"to", "to", CELL_ADDRESS},
    {"kind", "kind", CELL_TEXT},
    {"label", "label", CELL_TEXT},
    {"type", "type", CELL_TEXT},
    {"generation", "generation", CELL_GENERATION},
    {"name", "name", CELL_TEXT},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

/* The walk outward: each object is expanded once, at its least depth. */
struct walk {
    struct invocation *inv;
    enum direction direction;
    const char *kind; /* only edges of this kind, or NULL */
    struct table table;
    uint8_t *seen;
    ordinal *queue;
    size_t queued;
};

/* One edge, and the object at its far end: the referrer, or the referent. */
static void show_edge(struct walk *w, const struct edge *edge, uint64_t depth)
{
    const struct session *s = &w->inv->session;
    const struct graph *g = &s->graph;
    ordinal other = w->direction == TO_REFERRERS ? edge->from : edge->to;
    char label[NAME_SIZE], type[NAME_SIZE], name[NAME_SIZE];
    const char *kind = name_edge_kind(edge->bits);
    if (w->kind && strcmp(w->kind, kind))
        return;
    if (other == ORDINAL_NONE ? (w->inv->options.given & OPT_FILTER) != 0 : !filter_matches(w->inv, other))
        return;
    int dangles = other == ORDINAL_NONE;
    struct cell cells[COLUMNS] = {
        cell_number(depth),
        cell_number(g->address[edge->from]),
        cell_number(edge->target),
        cell_text(kind),
        cell_text(name_edge(s, edge, label)),
        dangles ? cell_null() : cell_text(name_type(s, other, type)),
        dangles ? cell_null() : cell_number(graph_generation(g, other)),
        cell_text(dangles ? "(not in the snapshot)" : name_object(s, other, name)),
    };
    table_row(&w->table, cells);
}

static void enqueue(struct walk *w, ordinal o)
{
    if (o == ORDINAL_NONE || w->seen[o])
        return;
    w->seen[o] = 1;
    w->queue[w->queued++] = o;
}

static void expand_referents(struct walk *w, ordinal o, uint64_t depth)
{
    const struct graph *g = &w->inv->session.graph;
    for (uint64_t e = g->edge_start[o]; e < g->edge_start[o + 1]; e++) {
        struct edge edge;
        graph_edge(g, o, e, &edge);
        show_edge(w, &edge, depth);
        enqueue(w, edge.to);
    }
}

/* A referrer stands in `source` once for each of its references; its edges are looked through once. */
static void expand_referrers(struct walk *w, ordinal o, uint64_t depth)
{
    const struct graph *g = &w->inv->session.graph;
    for (uint64_t b = g->back_start[o]; b < g->back_start[o + 1]; b++) {
        ordinal from = g->source[b];
        if (b > g->back_start[o] && g->source[b - 1] == from)
            continue;
        for (uint64_t e = g->edge_start[from]; e < g->edge_start[from + 1]; e++) {
            struct edge edge;
            if (g->target[e] != o)
                continue;
            graph_edge(g, from, e, &edge);
            show_edge(w, &edge, depth);
        }
        enqueue(w, from);
    }
}

static void walk_out(struct walk *w, const struct selection *start, uint64_t depth)
{
    size_t level_end, at = 0;
    for (size_t i = 0; i < start->count; i++)
        enqueue(w, start->objects[i]);
    level_end = w->queued;
    for (uint64_t d = 1; d <= depth && at < w->queued; d++) {
        for (; at < level_end; at++)
            if (w->direction == TO_REFERRERS)
                expand_referrers(w, w->queue[at], d);
            else
                expand_referents(w, w->queue[at], d);
        level_end = w->queued;
    }
}

static int show(struct walk *w, const struct selection *start)
{
    struct invocation *inv = w->inv;
    const struct graph *g = &inv->session.graph;
    struct table_options options = {.name = "edges", .noun = "references"};
    char name[NAME_SIZE], n[TEXT_NUMBER_SIZE];
    uint64_t depth = inv->options.depth ? inv->options.depth : UINT64_MAX;
    if (inv->out.format == OUTPUT_JSON) {
        begin_json(inv);
        if (start->count == 1)
            json_address(&inv->out.json, "object", g->address[start->objects[0]]);
        else
            json_null(&inv->out.json, "object");
    }
    if (inv->out.format == OUTPUT_TEXT) {
        const char *what = w->direction == TO_REFERRERS ? "referrers" : "referents";
        if (start->count == 1)
            fprintf(inv->out.file, "%s of %s at 0x%llx\n", what, name_full(&inv->session, start->objects[0], name),
                    (unsigned long long)g->address[start->objects[0]]);
        else
            fprintf(inv->out.file, "%s of %s\n", what, text_plural(start->count, "object", n));
    }
    begin_table(inv, &w->table, columns, COLUMNS, &options);
    walk_out(w, start, depth);
    if (inv->out.format == OUTPUT_TEXT && !w->table.seen)
        fprintf(inv->out.file, "none\n");
    int status = table_end(&w->table, &options);
    if (inv->out.format == OUTPUT_JSON)
        json_end(&inv->out.json);
    return status;
}

static int run(struct invocation *inv, enum direction direction)
{
    static const char *const kinds[] = {"strong", "owned", "inferred", "weak", "borrowed"};
    struct session *s = &inv->session;
    struct walk w = {.inv = inv, .direction = direction, .kind = inv->own[0]};
    struct selection start;
    struct rh_error err;
    int known = !w.kind;
    for (size_t k = 0; w.kind && k < sizeof kinds / sizeof *kinds; k++)
        known |= !strcmp(w.kind, kinds[k]);
    if (!known)
        return fail_usage(inv->command, "--kind cannot be \"%s\"; it is strong, owned, inferred, weak or borrowed",
                          w.kind);
    if (check_sort(inv, columns, COLUMNS))
        return STATUS_ERROR;
    if (session_graph(s, &err) || session_values(s, &err))
        return fail(s->path, &err);
    int status = select_objects(inv, inv->argv[0], &start);
    if (status)
        return status;
    w.seen = calloc((size_t)s->graph.objects + 1, 1);
    w.queue = malloc(((size_t)s->graph.objects + 1) * sizeof *w.queue);
    status = w.seen && w.queue ? show(&w, &start) : -1;
    free(w.seen);
    free(w.queue);
    select_release(&start);
    if (status < 0) {
        error_set(&err, RH_ERR_NO_MEMORY, "not enough memory", "");
        return fail(s->path, &err);
    }
    return status;
}

static int run_referrers(struct invocation *inv)
{
    return run(inv, TO_REFERRERS);
}

static int run_referents(struct invocation *inv)
{
    return run(inv, TO_REFERENTS);
}

static const struct own_option own[] = {
    {"kind", "KIND", "only references of this kind: strong, owned, inferred, weak, borrowed"},
    {NULL, NULL, NULL},
};

const struct command cmd_referrers = {
    .name = "referrers",
    .summary = "who refers to an object",
    .arguments = "SNAPSHOT OBJ",
    .help = "Lists the references that lead to OBJ, one row each: two references from one object are two rows. With\n"
            "--depth N, also those that lead to its referrers, and so on; 0 follows them to the end. --generation and\n"
            "--type tell which referrers to show.",
    .takes = OPT_READING | OPT_TABLE | OPT_FILTER | OPT_DEPTH,
    .reads_snapshot = 1,
    .arguments_min = 1,
    .arguments_max = 1,
    .default_depth = 1,
    .own = own,
    .run = run_referrers,
};

const struct command cmd_referents = {
    .name = "referents",
    .summary = "what an object refers to",
    .arguments = "SNAPSHOT OBJ",
    .help =
        "Lists the references that OBJ holds, one row each, in the order of its fields and items. With --depth N, also\n"
        "those of what it refers to, and so on; 0 follows them to the end. --generation and --type tell which\n"
        "referents to show.",
    .takes = OPT_READING | OPT_TABLE | OPT_FILTER | OPT_DEPTH,
    .reads_snapshot = 1,
    .arguments_min = 1,
    .arguments_max = 1,
    .default_depth = 1,
    .own = own,
    .run = run_referents,
};
