/* check: a gate for CI. Budgets a snapshot must keep, and the objects to blame where it does not. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../dumpfmt/error.h"
#include "answers/advice.h"
#include "line/commands.h"
#include "parts/findings.h"
#include "answers/fold.h"
#include "render/text.h"
#include "parts/trace.h"

/* What is spent on the paths of one failure in JSON unless --limit says how many are wanted: a path round a cycle looks
 * at the whole heap, and one of a million steps is a hundred megabytes of text. */
enum { PATHS_WORK = 1000 * 1000 * 1000, STEP_WORK = 2000 };

static ordinal cycle_of(const struct session *s, ordinal o)
{
    ordinal component = s->components.component[o];
    return component == ORDINAL_NONE ? ORDINAL_NONE : s->cycles.of_component[component];
}

/* The way to an object from a root; of what is dead, from its cycle. */
static int way_to(const struct findings *f, ordinal o, struct path *path)
{
    const struct session *s = &f->inv->session;
    if (f->routes.from[o] != ORDINAL_NONE)
        return routes_path(&f->routes, &s->roots, o, path);
    return path_from_cycle(&s->graph, &s->components, o, path);
}

/* ---- what is compared with what ---- */

static const char *subject(const struct budget *b, char to[2 * NAME_SIZE])
{
    char type[NAME_SIZE] = "";
    if (b->type)
        text_clean(b->type, strlen(b->type), 80, type, sizeof type);
    switch (b->what) {
    case BUDGET_GARBAGE:
        return b->unit == UNIT_BYTES ? "garbage with what hangs off it" : "garbage";
    case BUDGET_INVISIBLE:
        return "garbage the collector cannot see";
    case BUDGET_OVER:
        return "references that nothing explains";
    case BUDGET_UNDER:
        return "more holders than references";
    case BUDGET_GROWTH:
        snprintf(to, 2 * NAME_SIZE, "growth of %s", type);
        return to;
    default:
        snprintf(to, 2 * NAME_SIZE, "%s%s%s", type, b->generation == GENERATION_ANY ? "" : " in generation ",
                 b->generation == GENERATION_ANY ? "" : text_generation((unsigned)b->generation));
        return to;
    }
}

static const char *quantity(enum budget_unit unit, uint64_t value, char to[TEXT_NUMBER_SIZE])
{
    if (unit == UNIT_OBJECTS)
        return text_plural(value, "object", to);
    if (unit == UNIT_BYTES)
        return text_size(value, to);
    snprintf(to, TEXT_NUMBER_SIZE, "%" PRIu64 "%%", value);
    return to;
}

static void show_actual(FILE *out, const struct finding *x)
{
    enum budget_unit unit = x->budget->unit;
    char a[TEXT_NUMBER_SIZE], b[TEXT_NUMBER_SIZE];
    if (unit == UNIT_PERCENT && isfinite(x->percent))
        fprintf(out, "%.4g%%", x->percent);
    else if (unit == UNIT_PERCENT)
        fputs("from nothing", out);
    else
        fprintf(out, "%s%s", x->actual < 0 ? "-" : "",
                quantity(unit, x->actual < 0 ? -(uint64_t)x->actual : (uint64_t)x->actual, a));
    if (x->budget->what == BUDGET_GROWTH)
        fprintf(out, " (%s to %s)", unit == UNIT_BYTES ? text_size(x->before, a) : text_count(x->before, a),
                quantity(unit == UNIT_BYTES ? UNIT_BYTES : UNIT_OBJECTS, x->after, b));
}

/* ---- text ---- */

static void show_refcount(struct invocation *inv, const struct findings *f, ordinal o)
{
    const struct graph *g = &inv->session.graph;
    int64_t unexplained = audit_unexplained(g, &f->audit, o);
    fprintf(
        inv->out.file, "    refcount %" PRId64 " = %" PRIu32 " internal + %" PRIu32 " explained %c %" PRIu64 " %s\n",
        graph_refcount(g, o), graph_internal(g, o), f->audit.explained[o], unexplained < 0 ? '-' : '+',
        unexplained < 0 ? -(uint64_t)unexplained : (uint64_t)unexplained, unexplained < 0 ? "missing" : "unexplained");
}

/* Garbage: nobody holds it but its cycle, and the way out is to break that. */
static int show_dead(struct invocation *inv, ordinal o)
{
    const struct session *s = &inv->session;
    ordinal cycle = cycle_of(s, o);
    struct advice advice;
    char name[NAME_SIZE];
    fprintf(inv->out.file, "  %s  0x%" PRIx64 ", generation %s", name_full(s, o, name), graph_address(&s->graph, o),
            text_generation(graph_generation(&s->graph, o)));
    if (cycle == ORDINAL_NONE) {
        fputs(": nothing outside the heap leads to it\n", inv->out.file);
        return 0;
    }
    if (advice_for_cycle(s, cycle, &advice))
        return -1;
    fprintf(inv->out.file, ": held by cycle %" PRI_ORDINAL " alone; %s\n", cycle + 1, advice.text);
    advice_release(&advice);
    return 0;
}

static int show_trace(struct invocation *inv, const struct findings *f, const struct finding *x, ordinal o)
{
    struct path path = {0};
    int status = 0;
    if (f->routes.from[o] == ORDINAL_NONE) {
        status = show_dead(inv, o);
    } else {
        status = routes_path(&f->routes, &inv->session.roots, o, &path);
        if (!status)
            trace_show(inv, &path, 1);
        path_release(&path);
    }
    if (!status && (x->budget->what == BUDGET_OVER || x->budget->what == BUDGET_UNDER))
        show_refcount(inv, f, o);
    return status;
}

/* Objects that are held alike are one. */
static struct alike *fold(const struct findings *f, const struct finding *x, size_t *count)
{
    struct alike *all = malloc((x->count + 1) * sizeof *all);
    for (size_t i = 0; all && i < x->count; i++)
        all[i] = (struct alike){f->inv->options.no_fold ? i : findings_signature(f, x->objects[i]), i, 1};
    *count = all ? fold_alike(all, x->count, !f->inv->options.no_fold) : 0;
    return all;
}

static int show_traces(struct invocation *inv, const struct findings *f, const struct finding *x)
{
    uint64_t limit = table_limit(inv), left = 0;
    size_t ways = 0;
    char n[TEXT_NUMBER_SIZE];
    struct alike *alike = fold(f, x, &ways);
    int status = alike ? 0 : -1;
    for (size_t i = 0; i < ways && !status; i++) {
        if (limit && i >= limit) {
            left += alike[i].count;
            continue;
        }
        status = show_trace(inv, f, x, x->objects[alike[i].first]);
        if (alike[i].count > 1)
            fprintf(inv->out.file, "    and %s more like it\n", text_count(alike[i].count - 1, n));
    }
    if (left)
        fprintf(inv->out.file, "  ... %s (--limit 0 shows all)\n", text_plural(left, "more object", n));
    free(alike);
    return status;
}

static int show_text(struct invocation *inv, const struct findings *f)
{
    FILE *out = inv->out.file;
    char about[2 * NAME_SIZE], n[TEXT_NUMBER_SIZE];
    int status = 0;
    for (size_t i = 0; i < f->count && !status; i++) {
        const struct finding *x = &f->items[i];
        output_style(&inv->out, x->passed ? STYLE_GOOD : STYLE_BAD);
        fputs(x->passed ? "passed" : "FAILED", out);
        output_style(&inv->out, STYLE_NORMAL);
        fprintf(out, "  %s: ", subject(x->budget, about));
        show_actual(out, x);
        if (x->budget->limit || x->budget->unit == UNIT_PERCENT)
            fprintf(out, ", at most %s allowed\n", quantity(x->budget->unit, x->budget->limit, n));
        else
            fputs(", none allowed\n", out);
        if (!x->passed)
            status = show_traces(inv, f, x);
    }
    if (f->failed)
        fprintf(out, "%s of %s failed\n", text_count(f->failed, n), text_plural(f->count, "check", about));
    else
        fprintf(out, "%s passed\n", text_plural(f->count, "check", n));
    return status;
}

/* ---- JSON ---- */

static void object_json(struct invocation *inv, ordinal o)
{
    const struct session *s = &inv->session;
    struct json *j = &inv->out.json;
    char name[NAME_SIZE];
    json_object(j, NULL);
    object_json_head(j, s, o);
    if (cycle_of(s, o) == ORDINAL_NONE)
        json_null(j, "cycle");
    else
        json_uint(j, "cycle", cycle_of(s, o) + UINT64_C(1));
    json_string(j, "label", name_object(s, o, name));
    json_object_end(j);
}

/* What, limit and actual, of a check that passed or failed. */
static void measure_json(struct json *j, const struct finding *x)
{
    static const char *const units[] = {"objects", "bytes", "percent"};
    const struct budget *b = x->budget;
    json_string(j, "what", budget_what_name(b->what));
    if (b->type)
        json_string(j, "type", b->type);
    else
        json_null(j, "type");
    if (b->generation == GENERATION_ANY)
        json_null(j, "generation");
    else
        json_int(j, "generation", b->generation == GENERATION_UNTRACKED ? -1 : b->generation);
    json_string(j, "unit", units[b->unit]);
    json_uint(j, "limit", b->limit);
    if (b->unit != UNIT_PERCENT)
        json_int(j, "actual", x->actual);
    else if (isfinite(x->percent))
        json_number(j, "actual", x->percent);
    else
        json_null(j, "actual");
    if (b->what == BUDGET_GROWTH) {
        json_uint(j, "before", x->before);
        json_uint(j, "after", x->after);
    }
}

static int failure_json(struct invocation *inv, const struct findings *f, const struct finding *x)
{
    struct json *j = &inv->out.json;
    uint64_t limit = table_limit(inv);
    size_t shown = limit && x->count > limit ? (size_t)limit : x->count;
    int status = 0;
    json_object(j, NULL);
    measure_json(j, x);
    json_array(j, "objects");
    for (size_t i = 0; i < shown; i++)
        object_json(inv, x->objects[i]);
    json_array_end(j);
    if (x->count > shown)
        json_uint(j, "objects_omitted", x->count - shown);
    json_array(j, "paths"); /* one for each object, empty when nothing leads to it */
    uint64_t work = 0, found = 0;
    int bounded = !(inv->options.given & OPT_LIMIT);
    for (; found < shown && !status && !(bounded && work >= PATHS_WORK); found++) {
        ordinal o = x->objects[found];
        struct path path;
        status = way_to(f, o, &path);
        work += path.length * STEP_WORK;
        if (f->routes.from[o] == ORDINAL_NONE)
            work += inv->session.graph.objects;
        if (!status && path.length) {
            trace_json(inv, &path);
        } else {
            json_array(j, NULL);
            json_array_end(j);
        }
        path_release(&path);
    }
    json_array_end(j);
    if (found < shown)
        json_uint(j, "paths_omitted", shown - found);
    json_object_end(j);
    return status;
}

static int show_json(struct invocation *inv, const struct findings *f)
{
    struct json *j = &inv->out.json;
    int status = 0;
    begin_json(inv);
    json_bool(j, "passed", !f->failed);
    json_array(j, "checks");
    for (size_t i = 0; i < f->count; i++) {
        json_object(j, NULL);
        measure_json(j, &f->items[i]);
        json_bool(j, "passed", f->items[i].passed);
        json_object_end(j);
    }
    json_array_end(j);
    json_array(j, "failures");
    for (size_t i = 0; i < f->count && !status; i++)
        if (!f->items[i].passed)
            status = failure_json(inv, f, &f->items[i]);
    json_array_end(j);
    json_end(j);
    return status;
}

/* ---- the command ---- */

/* A gate that looks at half a heap lets anything pass. Returns 0, or STATUS_ERROR after saying what is missing. */
static int require_whole(struct session *s, int salvage)
{
    const struct process_record *p = snapshot_process(s->snapshot);
    struct record_cursor cursor = {0, 0};
    const struct heap_record *h;
    const char *what = NULL;
    struct rh_error err;
    if (session_graph(s, &err))
        return fail(s->path, &err);
    if (salvage)
        return 0;
    while ((h = snapshot_next_record(s->snapshot, SECTION_HEAPS, &cursor)))
        if (h->flags & HEAP_PARTIAL)
            what = "a heap could be read in part only";
    if (p->memory_present < p->memory_expected)
        what = "memory is missing from the core";
    if (s->graph.incomplete)
        what = "not all references of its objects could be read";
    if (p->objects_damaged)
        what = "damaged objects were left out";
    if (!what)
        return 0;
    error_format(&err, RH_ERR_FORMAT, "take it again, or check what there is with --salvage",
                 "the snapshot is incomplete: %s", what);
    return fail(s->path, &err);
}

static int run(struct invocation *inv)
{
    struct findings findings = {0};
    struct budgets budgets;
    struct rh_error err;
    int status = budgets_read(inv, &budgets), failed = 0;
    if (!status)
        status = require_whole(&inv->session, inv->options.salvage);
    if (!status && inv->more_count)
        status = require_whole(&inv->more[0], inv->options.salvage);
    if (!status)
        status = findings_make(inv, &budgets, &findings);
    if (!status) {
        status = inv->out.format == OUTPUT_JSON ? show_json(inv, &findings) : show_text(inv, &findings);
        failed = findings.failed != 0;
    }
    findings_release(&findings);
    budgets_release(&budgets);
    if (status >= 0)
        return status ? status : failed ? STATUS_FOUND : STATUS_FINE;
    error_set(&err, RH_ERR_NO_MEMORY, "not enough memory for the checks", "");
    return fail(inv->session.path, &err);
}

const struct command cmd_check = {
    .name = "check",
    .summary = "a gate for CI: exit status 1 when a budget is broken",
    .arguments = "SNAPSHOT [BASELINE]",
    .help =
        "Holds SNAPSHOT to the budgets given, each of which may be given several times. N counts objects, SIZE (64KiB,\n"
        "1.5M) adds up their sizes; TYPE may have * in it. What breaks a budget is shown with who holds it, as in why;\n"
        "objects held alike are shown once, --no-fold shows each, and --limit N says how many. Text has 20 unless\n"
        "told, JSON all, but of paths no more than can be found in some seconds (paths_omitted says how many are missing).\n"
        "Exit status 0: all checks passed; 1: one failed; 2: there was nothing to check, or the snapshot is not whole,\n"
        "which --salvage accepts.",
    .takes = OPT_READING | OPT_LIMIT | OPT_NO_FOLD,
    .reads_snapshot = 1,
    .more_max = 1,
    .own = budget_options,
    .run = run,
};
