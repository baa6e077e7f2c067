/* why: what keeps an object alive, or a set of objects. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../dumpfmt/error.h"
#include "line/commands.h"
#include "answers/expression.h"
#include "line/options.h"
#include "render/text.h"
#include "render/tree.h"
#include "line/select.h"
#include "parts/trace.h"
#include "parts/why_set.h"

enum { OWN_PATHS, PATHS_MAX = 1000, DEPTH_MERGED = 12 };

static const struct own_option own[] = {
    {"paths", "N", "for one object: show up to N paths that share no reference, shortest first"},
    {NULL, NULL, NULL},
};

/* ---- the verdict ---- */

static void show_verdict(struct invocation *inv, ordinal o, size_t paths)
{
    const struct session *s = &inv->session;
    const struct graph *g = &s->graph;
    const struct root_entry *roots;
    size_t n = roots_of(&s->roots, o, &roots);
    uint64_t explained = roots_explained(&s->roots, o);
    unsigned fate = s->garbage[2].fate[o];
    ordinal component = s->components.component[o];
    FILE *f = inv->out.file;
    char name[NAME_SIZE];
    fputc('\n', f);
    if (graph_is_immortal(g, o)) {
        fprintf(f, "immortal: its refcount does not matter\n");
        return;
    }
    fprintf(f, "refcount %" PRId64 " = %" PRIu32 " from the heap", graph_refcount(g, o), graph_internal(g, o));
    for (size_t i = 0; i < n; i++)
        if (roots[i].record->flags & ROOT_EXACT)
            fprintf(f, " + %s", name_root(s, roots[i].record, name));
    int64_t unexplained = graph_external(g, o) - (int64_t)explained;
    if (unexplained)
        fprintf(f, " + %" PRId64 " unexplained", unexplained);
    fputc('\n', f);
    for (size_t i = 0; i < n; i++)
        if (!(roots[i].record->flags & ROOT_EXACT))
            fprintf(f, "possibly held by %s\n", name_root(s, roots[i].record, name));
    if (fate == FATE_GARBAGE)
        fputs("it is garbage: ", f);
    else if (fate == FATE_DEPENDENT)
        fputs("it goes when the garbage that holds it goes: ", f);
    else if (fate == FATE_INVISIBLE)
        fputs("it is unreachable, and the collector cannot see it: ", f);
    else
        fputs("it is alive: ", f);
    if (paths == 1)
        fputs("the path above is the shortest\n", f);
    else if (paths)
        fprintf(f, "the first of the %zu paths above is the shortest; no two share a reference\n", paths);
    else if (component != ORDINAL_NONE && s->cycles.of_component[component] != ORDINAL_NONE)
        fprintf(f, "nothing outside holds it, only cycle %" PRI_ORDINAL " that it is part of\n",
                s->cycles.of_component[component] + 1);
    else
        fputs("nothing outside the heap leads to it\n", f);
}

static void verdict_json(struct invocation *inv, ordinal o)
{
    const struct session *s = &inv->session;
    const struct graph *g = &s->graph;
    struct json *j = &inv->out.json;
    const struct root_entry *roots;
    size_t n = roots_of(&s->roots, o, &roots);
    char name[NAME_SIZE];
    json_object(j, "verdict");
    if (graph_is_immortal(g, o))
        json_null(j, "refcount");
    else
        json_int(j, "refcount", graph_refcount(g, o));
    json_uint(j, "internal", graph_internal(g, o));
    json_array(j, "roots");
    for (size_t i = 0; i < n; i++)
        if (roots[i].record->flags & ROOT_EXACT)
            json_string(j, NULL, name_root(s, roots[i].record, name));
    json_array_end(j);
    json_int(j, "unexplained",
             graph_is_immortal(g, o) ? 0 : graph_external(g, o) - (int64_t)roots_explained(&s->roots, o));
    json_array(j, "possible");
    for (size_t i = 0; i < n; i++)
        if (!(roots[i].record->flags & ROOT_EXACT))
            json_string(j, NULL, name_root(s, roots[i].record, name));
    json_array_end(j);
    static const char *const fates[] = {"alive", "garbage", "dependent", "invisible"};
    json_string(j, "fate", fates[s->garbage[2].fate[o]]);
    ordinal component = s->components.component[o];
    ordinal cycle = component == ORDINAL_NONE ? ORDINAL_NONE : s->cycles.of_component[component];
    if (cycle == ORDINAL_NONE)
        json_null(j, "cycle");
    else
        json_uint(j, "cycle", cycle + 1);
    json_object_end(j);
}

/* One object: its paths and the verdict. */
static void show(struct invocation *inv, ordinal o, const struct path *paths, size_t count)
{
    const struct session *s = &inv->session;
    char name[NAME_SIZE], expression[EXPRESSION_SIZE];
    if (inv->out.format == OUTPUT_JSON) {
        begin_json(inv);
        json_address(&inv->out.json, "object", graph_address(&s->graph, o));
        json_array(&inv->out.json, "paths");
        for (size_t i = 0; i < count; i++)
            trace_json(inv, &paths[i]);
        json_array_end(&inv->out.json);
        json_array(&inv->out.json, "expressions");
        for (size_t i = 0; i < count; i++)
            if (expression_of(s, &paths[i], expression))
                json_string(&inv->out.json, NULL, expression);
            else
                json_null(&inv->out.json, NULL);
        json_array_end(&inv->out.json);
        verdict_json(inv, o);
        json_end(&inv->out.json);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        fputs(i ? "\n" : "", inv->out.file);
        trace_show(inv, &paths[i], 0);
        if (expression_of(s, &paths[i], expression))
            fprintf(inv->out.file, "in Python: %s\n", expression);
    }
    if (!count)
        fprintf(inv->out.file, "%s at 0x%" PRIx64 "\n", name_full(s, o, name), graph_address(&s->graph, o));
    show_verdict(inv, o, count);
}

static int why_object(struct invocation *inv, ordinal o, size_t most)
{
    struct session *s = &inv->session;
    struct rh_error err;
    size_t count = 0;
    struct path *paths = calloc(most, sizeof *paths);
    int status = paths ? paths_find(&s->graph, &s->roots, o, most, paths, &count) : -1;
    if (!status)
        show(inv, o, paths, count);
    for (size_t i = 0; i < count; i++)
        path_release(&paths[i]);
    free(paths);
    if (status) {
        error_set(&err, RH_ERR_NO_MEMORY, "not enough memory for the paths", "");
        return fail(s->path, &err);
    }
    return STATUS_FINE;
}

/* What names one object at most is asked for as one. */
static int names_one(const char *text, const struct selection *chosen)
{
    return select_names_one(text) || (!strncmp(text, "root:", 5) && chosen->count == 1);
}

static int run(struct invocation *inv)
{
    const unsigned needs = 1u << KEPT_BACK | 1u << KEPT_VALUES | 1u << KEPT_GARBAGE_OLDEST | 1u << KEPT_CYCLES;
    struct session *s = &inv->session;
    struct rh_error err;
    struct selection chosen;
    const char *wanted = inv->own[OWN_PATHS];
    uint64_t most = 1, depth = inv->options.depth ? inv->options.depth : TREE_DEPTH_MAX;
    if (wanted && (parse_number(wanted, &most) || !most || most > PATHS_MAX))
        return fail_usage(inv->command, "--paths must be a number from 1 to %d", PATHS_MAX);
    if (depth > TREE_DEPTH_MAX)
        return fail_usage(inv->command, "--depth goes to %d, and 0 means that", TREE_DEPTH_MAX);
    if (!session_rows(s, needs, &err) && (session_cycles(s, &err) || session_values(s, &err)))
        return fail(s->path, &err);
    int status = select_objects(inv, inv->argv[0], &chosen);
    if (status)
        return status;
    int one = names_one(inv->argv[0], &chosen);
    select_filter(inv, inv->argv[0], &chosen);
    if (!chosen.count) {
        error_format(&err, RH_ERR_NOT_FOUND, "\"refheap summary\" lists what there is", "\"%s\" names no object",
                     inv->argv[0]);
        status = fail(s->path, &err);
    } else if (!one && wanted) {
        status = fail_usage(inv->command, "--paths is for one object; the paths to several are merged");
    } else {
        status = one ? why_object(inv, chosen.objects[0], (size_t)most) : why_set(inv, &chosen, (size_t)depth);
    }
    select_release(&chosen);
    return status;
}

const struct command cmd_why = {
    .name = "why",
    .summary = "what keeps an object, or a set of them, alive",
    .arguments = "SNAPSHOT OBJ|SET",
    .help =
        "Shows the shortest chain of references from a root to OBJ, and the verdict: what its refcount is made of.\n"
        "Without a root that leads to it, the chain begins at an object that something outside the heap holds; when\n"
        "there is none either, OBJ is garbage, and the verdict names its cycle. For a set (type:NAME, cycle:ID,\n"
        "sql:CONDITION, garbage) the shortest paths to all of its objects are merged by type and label: each line\n"
        "says how many of them, and how many bytes, hang on it; references that lead on in the same way, as a list's\n"
        "do, are one line. --type, --heap and --generation leave those of the set that match. Of a Python object the path\n"
        "is also written as an expression; the __dict__ of an object on the way is shown as one with it, and --no-fold\n"
        "shows it apart.",
    .takes = OPT_READING | OPT_LIMIT | OPT_DEPTH | OPT_FILTER | OPT_NO_FOLD,
    .reads_snapshot = 1,
    .arguments_min = 1,
    .arguments_max = 1,
    .default_depth = DEPTH_MERGED,
    .own = own,
    .run = run,
};
