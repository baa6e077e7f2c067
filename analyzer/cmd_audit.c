/* audit: whether refcounts are what their holders say. */
#include "../dumpfmt/error.h"
#include "line/commands.h"
#include "parts/inquiry.h"

/* ---- coverage ---- */

static void share_json(struct json *j, const char *key, double part, double whole)
{
    if (whole > 0)
        json_number(j, key, part / whole);
    else
        json_null(j, key);
}

static void coverage_json(const struct inquiry *q, struct json *j)
{
    const struct session *s = &q->inv->session;
    const struct process_record *p = snapshot_process(s->snapshot);
    json_object(j, "coverage");
    share_json(j, "refcounts_explained", (double)q->audit.count[AUDIT_CLEAN], (double)inquiry_auditable(q));
    share_json(j, "bytes_known", (double)p->known_bytes, (double)p->runtime_bytes);
    share_json(j, "core_present", (double)p->memory_present, (double)p->memory_expected);
    json_uint(j, "dangling_edges", s->graph.dangling);
    json_uint(j, "dangling_roots", s->roots.dangling);
    json_uint(j, "inferred_edges", q->audit.inferred);
    json_uint(j, "incomplete_objects", s->graph.incomplete);
    json_uint(j, "damaged_objects", p->objects_damaged);
    json_object_end(j);
}

/* ---- JSON ---- */

static void object_json(const struct inquiry *q, ordinal o)
{
    const struct session *s = &q->inv->session;
    const struct graph *g = &s->graph;
    struct json *j = &q->inv->out.json;
    unsigned generation = graph_generation(g, o);
    const struct root_entry *roots;
    size_t n = roots_of(&s->roots, o, &roots);
    char name[NAME_SIZE];
    json_object(j, NULL);
    json_address(j, "address", graph_address(g, o));
    json_text(j, "type", type_name(s, o).bytes, type_name(s, o).length);
    json_int(j, "generation", generation == GENERATION_UNTRACKED ? -1 : (int)generation);
    json_uint(j, "heap", graph_heap(g, o));
    json_uint(j, "size", graph_size(g, o));
    if (graph_is_immortal(g, o))
        json_null(j, "refcount");
    else
        json_int(j, "refcount", graph_refcount(g, o));
    json_uint(j, "internal", graph_internal(g, o));
    json_uint(j, "explained", q->audit.explained[o]);
    json_int(j, "unexplained", graph_is_immortal(g, o) ? 0 : audit_unexplained(g, &q->audit, o));
    json_array(j, "possible");
    for (size_t i = 0; i < n; i++)
        if (!(roots[i].record->flags & ROOT_EXACT))
            json_string(j, NULL, name_root(s, roots[i].record, name));
    json_array_end(j);
    json_string(j, "label", name_object(s, o, name));
    json_object_end(j);
}

static void omitted_json(struct json *j, const char *list, uint64_t omitted)
{
    char key[64];
    snprintf(key, sizeof key, "%s_omitted", list);
    if (omitted)
        json_uint(j, key, omitted);
}

static void pinned_json(const struct inquiry *q)
{
    const struct components *c = &q->audit.components;
    struct json *j = &q->inv->out.json;
    uint64_t limit = table_limit(q->inv), shown = 0, more = 0;
    json_array(j, "pinned");
    for (ordinal i = 0; i < q->audit.pinned_count; i++) {
        const struct pinned *p = &q->audit.pinned[i];
        if (!inquiry_wants(q, p))
            continue;
        if (limit && shown++ >= limit) {
            more++;
            continue;
        }
        json_object(j, NULL);
        json_uint(j, "objects", p->objects);
        json_uint(j, "bytes", p->bytes);
        json_uint(j, "unexplained", p->unexplained);
        json_array(j, "members");
        for (ordinal m = c->member_start[p->component]; m < c->member_start[p->component + 1]; m++)
            object_json(q, c->member[m]);
        json_array_end(j);
        json_object_end(j);
    }
    json_array_end(j);
    omitted_json(j, "pinned", more);
}

static void show_json(const struct inquiry *q)
{
    struct json *j = &q->inv->out.json;
    uint64_t limit = table_limit(q->inv);
    begin_json(q->inv);
    coverage_json(q, j);
    json_uint(j, "clean", q->audit.count[AUDIT_CLEAN]);
    json_uint(j, "not_auditable", q->audit.count[AUDIT_NOT_AUDITABLE]);
    for (int c = 0; c < INQUIRY_CLASSES; c++) {
        size_t shown = limit && q->count[c] > limit ? (size_t)limit : q->count[c];
        json_array(j, inquiry_classes[c].key);
        for (size_t i = 0; i < shown; i++)
            object_json(q, q->objects[c][i]);
        json_array_end(j);
        omitted_json(j, inquiry_classes[c].key, q->count[c] - shown);
    }
    pinned_json(q);
    json_end(j);
}

/* ---- CSV ---- */

static int show_csv(const struct inquiry *q)
{
    static const struct column columns[] = {
        {"class", "", CELL_TEXT},      {"address", "", CELL_ADDRESS},
        {"type", "", CELL_TEXT},       {"generation", "", CELL_GENERATION},
        {"heap", "", CELL_NUMBER},     {"size", "", CELL_SIZE},
        {"refcount", "", CELL_NUMBER}, {"internal", "", CELL_COUNT},
        {"explained", "", CELL_COUNT}, {"unexplained", "", CELL_NUMBER},
        {"possible", "", CELL_TEXT},   {"label", "", CELL_TEXT},
    };
    const struct session *s = &q->inv->session;
    const struct graph *g = &s->graph;
    struct table_options options = {.name = "objects"};
    char possible[NAME_SIZE], label[NAME_SIZE];
    struct table t;
    begin_table(q->inv, &t, columns, sizeof columns / sizeof *columns, &options);
    for (int c = 0; c < INQUIRY_CLASSES; c++)
        for (size_t i = 0; i < q->count[c]; i++) {
            ordinal o = q->objects[c][i];
            struct cell cells[] = {
                cell_text(inquiry_classes[c].key),
                cell_number(graph_address(g, o)),
                cell_bytes(type_name(s, o).bytes, type_name(s, o).length),
                cell_number(graph_generation(g, o)),
                cell_number(graph_heap(g, o)),
                cell_number(graph_size(g, o)),
                cell_number((uint64_t)graph_refcount(g, o)),
                cell_number(graph_internal(g, o)),
                cell_number(q->audit.explained[o]),
                cell_number((uint64_t)audit_unexplained(g, &q->audit, o)),
                cell_text(inquiry_list_possible(s, o, possible)),
                cell_text(name_object(s, o, label)),
            };
            table_row(&t, cells);
        }
    return table_end(&t, &options);
}

/* ---- the command ---- */

static int run(struct invocation *inv)
{
    struct session *s = &inv->session;
    struct inquiry q;
    struct rh_error err;
    if (session_garbage(s, 2, &err) || session_values(s, &err))
        return fail(s->path, &err);
    session_progress(s, "auditing refcounts");
    int status = inquiry_make(inv, &q);
    if (!status && inv->out.format == OUTPUT_JSON)
        show_json(&q);
    else if (!status)
        status = inv->out.format == OUTPUT_CSV ? show_csv(&q) : inquiry_show(&q);
    inquiry_release(&q);
    if (!status)
        return STATUS_FINE;
    error_set(&err, RH_ERR_NO_MEMORY, "not enough memory for the audit", "");
    return fail(s->path, &err);
}

const struct command cmd_audit = {
    .name = "audit",
    .summary = "whether refcounts are what their holders say",
    .arguments = "SNAPSHOT",
    .help =
        "Compares each refcount with the references from objects (internal) and from exact roots (explained). over has\n"
        "references that nothing explains and no possible holder; possibly over has possible holders, which are listed;\n"
        "under has more holders than references. pinned are cycles that unexplained references alone keep alive. The\n"
        "first lines say what the answer rests on. Objects are counted by type; --no-fold lists each, worst first.\n"
        "The exit status is 0 whatever is found; refheap check --audit is the gate.",
    .takes = OPT_READING | OPT_CSV | OPT_LIMIT | OPT_FILTER | OPT_NO_FOLD,
    .reads_snapshot = 1,
    .run = run,
};
