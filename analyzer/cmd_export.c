/* export: the graph for other programs, as JSON lines, CSV or DOT, or in the forms of DevTools and flame graphs. */
#include <inttypes.h>
#include <string.h>

#include "../dumpfmt/error.h"
#include "line/commands.h"
#include "export/export.h"
#include "render/text.h"
#include "pictures/sketch.h"

enum { OWN_FORMAT, OWN_WHAT };
enum { DOT_OBJECTS_MAX = 2000, DOT_EDGES_MAX = 10000 }; /* more than that nobody lays out, or reads */

static const struct own_option own[] = {
    {"format", "FORMAT", "json, csv, dot, heapsnapshot or folded; told from FILE's name unless given"},
    {"what", "WHAT", "objects or edges: what CSV has a row of (objects unless told), or JSON a line of (both)"},
    {NULL, NULL, NULL},
};

/* What is exported. Every format goes through objects and edges in the same order: by address, and by source. */
struct export
{
    struct invocation *inv;
    struct session *s;
    FILE *file;
    int objects, edges;              /* which of them */
    uint64_t limit;                  /* of each; 0: all */
    uint64_t objects_met, edges_met; /* that were asked for, the omitted ones too */
};

static int is_past(const struct export *x, uint64_t number)
{
    return x->limit && number >= x->limit;
}

/* ---- JSON lines ---- */

static void head_line(struct export *x)
{
    const struct snapshot *snap = x->s->snapshot;
    struct json j;
    char uuid[UUID_SIZE];
    json_begin_line(&j, x->file);
    json_string(&j, "record", "snapshot");
    json_uint(&j, "schema_version", 1);
    json_string(&j, "path", x->s->path);
    json_string(&j, "uuid", name_uuid(x->s, uuid));
    json_uint(&j, "objects", snapshot_count(snap, SECTION_OBJECTS));
    json_uint(&j, "edges", snapshot_count(snap, SECTION_EDGES));
    json_uint(&j, "roots", snapshot_count(snap, SECTION_ROOTS));
    json_bool(&j, "complete", snapshot_complete(snap));
    json_end(&j);
}

static void object_line(struct export *x, ordinal o)
{
    const struct session *s = x->s;
    const struct graph *g = &s->graph;
    unsigned generation = graph_generation(g, o), fate = s->garbage[2].fate[o];
    struct json j;
    char name[NAME_SIZE];
    json_begin_line(&j, x->file);
    json_string(&j, "record", "object");
    json_uint(&j, "ordinal", o);
    json_address(&j, "address", graph_address(g, o));
    json_text(&j, "type", type_name(s, o).bytes, type_name(s, o).length);
    json_uint(&j, "size", graph_size(g, o));
    if (graph_is_immortal(g, o))
        json_null(&j, "refcount");
    else
        json_int(&j, "refcount", graph_refcount(g, o));
    json_int(&j, "generation", generation == GENERATION_UNTRACKED ? -1 : (int)generation);
    json_uint(&j, "heap", graph_heap(g, o));
    json_uint(&j, "internal", graph_internal(g, o));
    json_bool(&j, "garbage", fate == FATE_GARBAGE);
    json_bool(&j, "dependent", fate == FATE_DEPENDENT);
    json_bool(&j, "invisible", fate == FATE_INVISIBLE);
    json_string(&j, "label", name_object(s, o, name));
    json_end(&j);
}

static void ordinal_or_null(struct json *j, const char *key, ordinal o)
{
    if (o == ORDINAL_NONE)
        json_null(j, key);
    else
        json_uint(j, key, o);
}

static void edge_line(struct export *x, const struct edge *edge)
{
    struct json j;
    char name[NAME_SIZE];
    json_begin_line(&j, x->file);
    json_string(&j, "record", "edge");
    json_uint(&j, "source", edge->from);
    ordinal_or_null(&j, "target", edge->to);
    json_address(&j, "from", graph_address(&x->s->graph, edge->from));
    json_address(&j, "to", edge->target);
    json_string(&j, "kind", name_edge_kind(edge->bits));
    json_string(&j, "label", name_edge(x->s, edge, name));
    json_end(&j);
}

static void root_line(struct export *x, const struct root_record *r)
{
    struct text name = snapshot_string(x->s->snapshot, r->name);
    struct json j;
    json_begin_line(&j, x->file);
    json_string(&j, "record", "root");
    json_text(&j, "name", name.bytes, name.length);
    json_string(&j, "kind", name_root_kind(r->kind));
    json_bool(&j, "exact", r->flags & ROOT_EXACT);
    ordinal_or_null(&j, "target", address_index_find(&x->s->graph.index, r->object));
    json_address(&j, "to", r->object);
    json_end(&j);
}

/* A cut is said at the end, where whoever counts lines sees it. */
static void omitted_line(struct export *x)
{
    struct json j;
    uint64_t objects = x->limit && x->objects_met > x->limit ? x->objects_met - x->limit : 0;
    uint64_t edges = x->limit && x->edges_met > x->limit ? x->edges_met - x->limit : 0;
    if (!objects && !edges)
        return;
    json_begin_line(&j, x->file);
    json_string(&j, "record", "omitted");
    json_uint(&j, "objects", objects);
    json_uint(&j, "edges", edges);
    json_end(&j);
}

static int export_json(struct export *x)
{
    const struct graph *g = &x->s->graph;
    struct record_cursor cursor = {0, 0};
    head_line(x);
    for (ordinal o = 0; x->objects && o < g->objects; o++)
        if (filter_matches(x->inv, o) && !is_past(x, x->objects_met++))
            object_line(x, o);
    for (ordinal o = 0; x->edges && o < g->objects; o++)
        for (uint64_t e = graph_begin(g, o); filter_matches(x->inv, o) && e < graph_end(g, o); e++) {
            struct edge edge;
            if (is_past(x, x->edges_met++))
                continue;
            graph_edge(g, o, e, &edge);
            edge_line(x, &edge);
        }
    if (x->objects && x->edges)
        for (const struct root_record *r; (r = snapshot_next_record(x->s->snapshot, SECTION_ROOTS, &cursor));)
            root_line(x, r);
    omitted_line(x);
    return 0;
}

/* ---- CSV ---- */

static const struct column object_columns[] = {
    {"ordinal", "ordinal", CELL_NUMBER},   {"address", "address", CELL_ADDRESS},
    {"type", "type", CELL_TEXT},           {"size", "size", CELL_SIZE},
    {"refcount", "refcount", CELL_NUMBER}, {"generation", "generation", CELL_GENERATION},
    {"heap", "heap", CELL_NUMBER},         {"internal", "internal", CELL_NUMBER},
    {"garbage", "garbage", CELL_FLAG},     {"dependent", "dependent", CELL_FLAG},
    {"invisible", "invisible", CELL_FLAG}, {"label", "label", CELL_TEXT},
};
static const struct column edge_columns[] = {
    {"source", "source", CELL_NUMBER}, {"target", "target", CELL_NUMBER}, {"from", "from", CELL_ADDRESS},
    {"to", "to", CELL_ADDRESS},        {"kind", "kind", CELL_TEXT},       {"label", "label", CELL_TEXT},
};
enum { OBJECT_COLUMNS = 12, EDGE_COLUMNS = 6 };

static void object_row(struct export *x, struct table *t, ordinal o)
{
    const struct session *s = x->s;
    const struct graph *g = &s->graph;
    unsigned fate = s->garbage[2].fate[o];
    char name[NAME_SIZE];
    struct cell cells[OBJECT_COLUMNS] = {
        cell_number(o),
        cell_number(graph_address(g, o)),
        cell_bytes(type_name(s, o).bytes, type_name(s, o).length),
        cell_number(graph_size(g, o)),
        graph_is_immortal(g, o) ? cell_null() : cell_number((uint64_t)graph_refcount(g, o)),
        cell_number(graph_generation(g, o)),
        cell_number(graph_heap(g, o)),
        cell_number(graph_internal(g, o)),
        cell_number(fate == FATE_GARBAGE),
        cell_number(fate == FATE_DEPENDENT),
        cell_number(fate == FATE_INVISIBLE),
        cell_text(name_object(s, o, name)),
    };
    table_row(t, cells);
}

static void edge_row(struct export *x, struct table *t, ordinal o, uint64_t number)
{
    struct edge edge;
    char name[NAME_SIZE];
    graph_edge(&x->s->graph, o, number, &edge);
    struct cell cells[EDGE_COLUMNS] = {
        cell_number(o),
        edge.to == ORDINAL_NONE ? cell_null() : cell_number(edge.to),
        cell_number(graph_address(&x->s->graph, o)),
        cell_number(edge.target),
        cell_text(name_edge_kind(edge.bits)),
        cell_text(name_edge(x->s, &edge, name)),
    };
    table_row(t, cells);
}

static int export_csv(struct export *x)
{
    const struct graph *g = &x->s->graph;
    struct output out = {.file = x->file, .format = OUTPUT_CSV};
    struct table_options options = {.name = "rows"};
    struct table t;
    if (x->objects)
        table_begin(&t, &out, object_columns, OBJECT_COLUMNS, &options);
    else
        table_begin(&t, &out, edge_columns, EDGE_COLUMNS, &options);
    for (ordinal o = 0; o < g->objects; o++) {
        if (!filter_matches(x->inv, o))
            continue;
        if (x->objects && !is_past(x, x->objects_met++))
            object_row(x, &t, o);
        for (uint64_t e = graph_begin(g, o); x->edges && e < graph_end(g, o); e++)
            if (!is_past(x, x->edges_met++))
                edge_row(x, &t, o, e);
    }
    return table_end(&t, &options);
}

/* ---- DOT ---- */

static void object_node(struct export *x, ordinal o)
{
    const struct session *s = x->s;
    const struct graph *g = &s->graph;
    char title[NAME_SIZE], detail[96], tooltip[NAME_SIZE + 64], n[TEXT_NUMBER_SIZE];
    name_full(s, o, title);
    if (graph_is_immortal(g, o))
        snprintf(detail, sizeof detail, "immortal, %s", text_size(graph_size(g, o), n));
    else
        snprintf(detail, sizeof detail, "refcount %" PRId64 ", %s", graph_refcount(g, o),
                 text_size(graph_size(g, o), n));
    snprintf(tooltip, sizeof tooltip, "%.200s at 0x%" PRIx64, title, graph_address(g, o));
    struct picture_node node = {.title = title,
                                .detail = detail,
                                .tooltip = tooltip,
                                .address = graph_address(g, o),
                                .badge = "012P-"[graph_generation(g, o)],
                                .state = sketch_state(s, o)};
    dot_write_node(x->file, o, &node);
}

static void edge_arrow(struct export *x, ordinal o, uint64_t number)
{
    struct edge edge;
    char label[NAME_SIZE];
    graph_edge(&x->s->graph, o, number, &edge);
    name_edge(x->s, &edge, label);
    struct picture_edge arrow = {
        .from = (uint32_t)o, .to = (uint32_t)edge.to, .label = label, .count = 1, .kind = sketch_kind(edge.bits)};
    dot_write_edge(x->file, number, &arrow);
}

/* The first objects, and the references between them. Nothing is gathered first, so there are no folds and no legend:
 * pictures to look at are what render makes. */
static int export_dot(struct export *x)
{
    const struct graph *g = &x->s->graph;
    ordinal end = x->limit && x->limit < g->objects ? (ordinal)x->limit : g->objects;
    dot_write_head(x->file);
    if (end < g->objects)
        fprintf(x->file, "  label=\"the first %" PRI_ORDINAL " of %" PRI_ORDINAL " objects\";\n", end, g->objects);
    for (ordinal o = 0; o < end; o++)
        object_node(x, o);
    for (ordinal o = 0; o < end; o++)
        for (uint64_t e = graph_begin(g, o); e < graph_end(g, o); e++)
            if (graph_target(g, e) < end)
                edge_arrow(x, o, e);
    fputs("}\n", x->file);
    return 0;
}

/* ---- forms of other tools ---- */

static int to_heapsnapshot(struct export *x)
{
    struct rh_error err;
    uint64_t cut = 0;
    if (session_dominators(x->s, &err))
        return fail(x->s->path, &err);
    if (x->s->graph.objects > HEAPSNAPSHOT_OBJECTS_MAX) {
        error_set(&err, RH_ERR_UNSUPPORTED, "the .heapsnapshot format cannot number so many objects", "");
        return fail(x->s->path, &err);
    }
    int status = export_heapsnapshot(x->s, x->file, &cut);
    if (cut)
        fprintf(stderr,
                "refheap: %s: %llu objects are larger than the .heapsnapshot format can say; 4 GiB stand for them\n",
                x->s->path, (unsigned long long)cut);
    return status;
}

static int to_folded(struct export *x)
{
    struct rh_error err;
    return session_dominators(x->s, &err) ? fail(x->s->path, &err) : export_folded(x->s, x->file);
}

/* ---- the command ---- */

static const struct exporter {
    const char *name, *suffix;
    int whole; /* it is of the whole graph: nothing can be left out of it */
    int (*write)(struct export *x);
} exporters[] = {
    {"json", ".json", 0, export_json},
    {"json", ".jsonl", 0, export_json},
    {"csv", ".csv", 0, export_csv},
    {"dot", ".dot", 0, export_dot},
    {"heapsnapshot", ".heapsnapshot", 1, to_heapsnapshot},
    {"folded", ".folded", 1, to_folded},
};

static const char formats[] = "json, csv, dot, heapsnapshot or folded";

static const struct exporter *find_exporter(const struct invocation *inv)
{
    const char *format = inv->own[OWN_FORMAT], *path = inv->options.output ? inv->options.output : "";
    for (size_t i = 0; i < sizeof exporters / sizeof *exporters; i++) {
        size_t n = strlen(exporters[i].suffix), length = strlen(path);
        if (format ? !strcmp(format, exporters[i].name) : length > n && !strcmp(path + length - n, exporters[i].suffix))
            return &exporters[i];
    }
    return NULL;
}

static int check(struct export *x, const struct exporter *to)
{
    const struct invocation *inv = x->inv;
    const char *what = inv->own[OWN_WHAT];
    if (!to && inv->own[OWN_FORMAT])
        return fail_usage(inv->command, "--format cannot be \"%s\"; it is %s", inv->own[OWN_FORMAT], formats);
    if (!to)
        return fail_usage(inv->command, "cannot tell the format: name it with --format %s", formats);
    if (to->whole && inv->options.given & (OPT_LIMIT | OPT_FILTER))
        return fail_usage(inv->command, "%s is of the whole heap: it takes no --limit, --type, --heap or --generation",
                          to->name);
    if (to->write == export_dot && inv->options.given & OPT_FILTER)
        return fail_usage(inv->command, "a picture of some of the objects is what refheap render makes");
    if (what && strcmp(what, "objects") && strcmp(what, "edges"))
        return fail_usage(inv->command, "--what cannot be \"%s\"; it is objects or edges", what);
    if (what && to->write != export_json && to->write != export_csv)
        return fail_usage(inv->command, "--what is for json and csv; the others need both");
    x->objects = !what || !strcmp(what, "objects");
    x->edges = what ? !x->objects : to->write != export_csv;
    return 0;
}

static int check_size(const struct export *x)
{
    const struct graph *g = &x->s->graph;
    struct rh_error err;
    if (x->inv->options.given & OPT_LIMIT || (g->objects <= DOT_OBJECTS_MAX && g->edges <= DOT_EDGES_MAX))
        return 0;
    error_format(
        &err, RH_ERR_ARGUMENT, "--limit N writes the first N objects, --limit 0 all; \"refheap render\" draws a part",
        "%" PRI_ORDINAL " objects and %" PRIu64 " references are too many for a picture", g->objects, g->edges);
    return fail(x->s->path, &err);
}

static int run(struct invocation *inv)
{
    struct session *s = &inv->session;
    const struct exporter *to = find_exporter(inv);
    struct export x = {.inv = inv, .s = s, .file = inv->out.file, .limit = inv->options.limit};
    struct rh_error err;
    if (check(&x, to))
        return STATUS_ERROR;
    if (session_garbage(s, 2, &err) || session_values(s, &err))
        return fail(s->path, &err);
    if (to->write == export_dot && check_size(&x))
        return STATUS_ERROR;
    session_progress_end(s);
    int status = to->write(&x);
    if (status >= 0)
        return status;
    error_set(&err, RH_ERR_NO_MEMORY, "not enough memory", "");
    return fail(s->path, &err);
}

static const struct option_words words[] = {
    {"format", "json csv dot heapsnapshot folded"},
    {"what", "objects edges"},
    {NULL, NULL},
};

const struct command cmd_export = {
    .name = "export",
    .summary = "the graph for other programs: JSON lines, CSV, DOT, DevTools, flame graphs",
    .arguments = "SNAPSHOT --format FORMAT -o FILE",
    .help =
        "Writes objects and references, one after another, to FILE or standard output. json: a JSON object a line, told\n"
        "apart by \"record\": first \"snapshot\"; then \"object\" (ordinal address type size refcount generation heap\n"
        "internal garbage dependent invisible label), \"edge\" (source target from to kind label; target is null for an\n"
        "object that is not in the snapshot) and \"root\" (name kind exact target to); last \"omitted\", if --limit left\n"
        "out some. csv: the same columns of objects, or of references with --what edges. dot: the whole graph, for\n"
        "Graphviz; refused above 2,000 objects or 10,000 references unless --limit is given. heapsnapshot: for the Memory\n"
        "panel of Chrome's DevTools, and memlab; garbage cycles stand under (Unreachable), and retained sizes are the ones\n"
        "here. folded: a line for each way down the dominator tree by types, for flame graphs. --type, --heap and\n"
        "--generation choose the objects of json and csv, and the references they hold.",
    .takes = OPT_OUTPUT | OPT_LIMIT | OPT_FILTER | OPT_SALVAGE | OPT_NO_CACHE | OPT_QUIET,
    .reads_snapshot = 1,
    .own = own,
    .words = words,
    .run = run,
};
