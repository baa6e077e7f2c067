/* referrers and referents: who refers to an object, and what it refers to, one hop or several. */
#include <stdlib.h>
#include <string.h>

#include "../dumpfmt/error.h"
#include "line/commands.h"
#include "render/text.h"
#include "line/select.h"

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

/* The walk outward, breadth first: each object is expanded once, at its least depth. */
struct walk {
    struct invocation *inv;
    enum direction direction;
    const char *kind; /* only edges of this kind, or NULL */
    struct table table;
    ordinal *queue;
    ordinal *place; /* by object: 1 + where it stands in the queue, 0 when it does not */
    ordinal *depth; /* by place in the queue, of the references to or from the object there */
    size_t queued;
    size_t expanded; /* of the queue: those nearer than the greatest depth */
};

/* One edge, and the object at its far end: the referrer, or the referent. */
static void show_edge(struct walk *w, const struct edge *edge, uint64_t depth)
{
    const struct session *s = &w->inv->session;
    const struct graph *g = &s->graph;
    ordinal other = w->direction == TO_REFERRERS ? edge->from : edge->to;
    char label[NAME_SIZE], name[NAME_SIZE];
    const char *kind = name_edge_kind(edge->bits);
    if (w->kind && strcmp(w->kind, kind))
        return;
    if (other == ORDINAL_NONE ? (w->inv->options.given & OPT_FILTER) != 0 : !filter_matches(w->inv, other))
        return;
    int dangles = other == ORDINAL_NONE;
    struct cell cells[COLUMNS] = {
        cell_number(depth),
        cell_number(graph_address(g, edge->from)),
        cell_number(edge->target),
        cell_text(kind),
        cell_text(name_edge(s, edge, label)),
        dangles ? cell_null() : cell_bytes(type_name(s, other).bytes, type_name(s, other).length),
        dangles ? cell_null() : cell_number(graph_generation(g, other)),
        cell_text(dangles ? "(not in the snapshot)" : name_object(s, other, name)),
    };
    table_row(&w->table, cells);
}

static void enqueue(struct walk *w, ordinal o, ordinal depth)
{
    if (o == ORDINAL_NONE || w->place[o])
        return;
    w->depth[w->queued] = depth;
    w->queue[w->queued++] = o;
    w->place[o] = (ordinal)w->queued;
}

/* Fills the queue with all that is in reach. `limit` is the greatest depth, 0 for none. */
static void walk_out(struct walk *w, const struct selection *start, uint64_t limit)
{
    const struct graph *g = &w->inv->session.graph;
    for (size_t i = 0; i < start->count; i++)
        enqueue(w, start->objects[i], 1);
    for (; w->expanded < w->queued; w->expanded++) {
        ordinal o = w->queue[w->expanded], depth = w->depth[w->expanded];
        if (limit && depth > limit)
            break;
        if (w->direction == TO_REFERRERS)
            for (uint64_t b = graph_back_begin(g, o); b < graph_back_end(g, o); b++)
                enqueue(w, graph_source(g, b), depth + 1);
        else
            for (uint64_t e = graph_begin(g, o); e < graph_end(g, o); e++)
                enqueue(w, graph_target(g, e), depth + 1);
    }
}

static void show_referents(struct walk *w)
{
    const struct graph *g = &w->inv->session.graph;
    for (size_t i = 0; i < w->expanded; i++) {
        ordinal o = w->queue[i];
        for (uint64_t e = graph_begin(g, o); e < graph_end(g, o); e++) {
            struct edge edge;
            graph_edge(g, o, e, &edge);
            show_edge(w, &edge, w->depth[i]);
        }
    }
}

/* The edges into an object, in the queue's order: all referrers are in the queue, and the edges of each are looked
 * through once, whatever a hub refers to. */
static int show_referrers(struct walk *w)
{
    struct found {
        ordinal from;
        uint64_t edge;
    };
    const struct graph *g = &w->inv->session.graph;
    uint64_t *end = calloc(w->expanded + 1, sizeof *end); /* by place: of its part of `found` */
    uint64_t edges = 0;
    for (size_t i = 0; end && i < w->expanded; i++) {
        end[i] = edges;
        edges += graph_back_end(g, w->queue[i]) - graph_back_begin(g, w->queue[i]);
    }
    struct found *found = malloc((edges + 1) * sizeof *found);
    for (size_t i = 0; end && found && i < w->queued; i++) {
        ordinal from = w->queue[i];
        for (uint64_t e = graph_begin(g, from); e < graph_end(g, from); e++) {
            ordinal to = graph_target(g, e);
            if (to != ORDINAL_NONE && w->place[to] && w->place[to] <= w->expanded)
                found[end[w->place[to] - 1]++] = (struct found){from, e};
        }
    }
    for (size_t i = 0, f = 0; end && found && i < w->expanded; i++)
        for (; f < end[i]; f++) {
            struct edge edge;
            graph_edge(g, found[f].from, found[f].edge, &edge);
            show_edge(w, &edge, w->depth[i]);
        }
    int status = end && found ? 0 : -1;
    free(end);
    free(found);
    return status;
}

static int show(struct walk *w, const struct selection *start)
{
    struct invocation *inv = w->inv;
    const struct graph *g = &inv->session.graph;
    struct table_options options = {.name = "edges", .noun = "references"};
    char name[NAME_SIZE], n[TEXT_NUMBER_SIZE];
    if (inv->out.format == OUTPUT_JSON) {
        begin_json(inv);
        if (start->count == 1)
            json_address(&inv->out.json, "object", graph_address(g, start->objects[0]));
        else
            json_null(&inv->out.json, "object");
    }
    if (inv->out.format == OUTPUT_TEXT) {
        const char *what = w->direction == TO_REFERRERS ? "referrers" : "referents";
        if (start->count == 1)
            fprintf(inv->out.file, "%s of %s at 0x%llx\n", what, name_full(&inv->session, start->objects[0], name),
                    (unsigned long long)graph_address(g, start->objects[0]));
        else
            fprintf(inv->out.file, "%s of %s\n", what, text_plural(start->count, "object", n));
    }
    begin_table(inv, &w->table, columns, COLUMNS, &options);
    walk_out(w, start, inv->options.depth);
    if (w->direction == TO_REFERENTS)
        show_referents(w);
    else if (show_referrers(w))
        return -1;
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
    if (!session_rows(s, 1u << KEPT_BACK | 1u << KEPT_VALUES, &err) &&
        (session_back(s, &err) || session_values(s, &err)))
        return fail(s->path, &err);
    int status = select_objects(inv, inv->argv[0], &start);
    if (status)
        return status;
    size_t n = (size_t)s->graph.objects + 1;
    w.queue = malloc(n * sizeof *w.queue);
    w.place = calloc(n, sizeof *w.place);
    w.depth = malloc(n * sizeof *w.depth);
    status = w.queue && w.place && w.depth ? show(&w, &start) : -1;
    free(w.queue);
    free(w.place);
    free(w.depth);
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

static const struct option_words words[] = {
    {"kind", "strong owned inferred weak borrowed"},
    {NULL, NULL},
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
    .words = words,
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
    .words = words,
    .run = run_referents,
};
