/* suspects: the likely problem, in words. */
#include "../dumpfmt/error.h"
#include "line/commands.h"
#include "render/text.h"
#include "answers/suspects.h"

static void show_json(struct invocation *inv, const struct suspects *found, const struct baseline *baseline,
                      size_t shown)
{
    struct json *j = &inv->out.json;
    begin_json(inv);
    if (baseline) {
        json_object(j, "baseline");
        json_string(j, "path", baseline->session.path);
        json_uint(j, "objects", baseline->session.graph.objects);
        json_uint(j, "bytes", baseline->session.graph.bytes);
        json_string(j, "identity", baseline_identity(baseline));
        json_object_end(j);
    } else {
        json_null(j, "baseline");
    }
    json_array(j, "suspects");
    for (size_t i = 0; i < shown; i++) {
        const struct suspect *p = &found->items[i];
        json_object(j, NULL);
        json_string(j, "kind", p->kind);
        json_string(j, "sentence", p->sentence);
        json_uint(j, "objects", p->objects);
        json_uint(j, "bytes", p->bytes);
        json_share(j, "share", p->bytes, inv->session.graph.bytes);
        json_array(j, "evidence");
        for (size_t e = 0; e < p->evidence_count; e++)
            json_string(j, NULL, p->evidence[e]);
        json_array_end(j);
        json_object_end(j);
    }
    json_array_end(j);
    if (shown < found->count)
        json_uint(j, "suspects_omitted", found->count - shown);
    json_end(j);
}

static void show_text(struct invocation *inv, const struct suspects *found, const struct baseline *baseline,
                      size_t shown)
{
    struct output *out = &inv->out;
    char n[TEXT_NUMBER_SIZE];
    if (baseline && baseline->identity == IDENTITY_NONE)
        fprintf(out->file, "The snapshots are of different processes: types are compared, not objects.\n\n");
    if (!found->count)
        fprintf(out->file,
                "Nothing suspicious: no holder keeps an unusual part of the heap, %sand no garbage is worth a word.\n",
                baseline ? "no type grew by much, " : "");
    for (size_t i = 0; i < shown; i++) {
        const struct suspect *p = &found->items[i];
        fprintf(out->file, "%s%zu. ", i ? "\n" : "", i + 1);
        output_style(out, STYLE_BOLD);
        fprintf(out->file, "%s.\n", p->sentence);
        output_style(out, STYLE_DIM);
        for (size_t e = 0; e < p->evidence_count; e++)
            fprintf(out->file, "     %s\n", p->evidence[e]);
        output_style(out, STYLE_NORMAL);
    }
    if (shown < found->count)
        fprintf(out->file, "\n... %s more (--limit 0 shows all)\n", text_count(found->count - shown, n));
}

static int run(struct invocation *inv)
{
    struct session *s = &inv->session;
    struct baseline baseline = {0};
    struct suspects found = {0};
    int generation = inv->options.generation == GENERATION_ANY ? 2 : inv->options.generation;
    struct rh_error err;
    if (generation > 2)
        return fail_usage(inv->command, "--generation must be 0, 1 or 2: no other is collected");
    if (session_dominators(s, &err) || session_garbage(s, generation, &err) || session_values(s, &err))
        return fail(s->path, &err);
    if (inv->argc && baseline_open(&baseline, inv->argv[0], inv->options.salvage, s, &err)) {
        baseline_release(&baseline);
        return fail(inv->argv[0], &err);
    }
    const struct baseline *before = inv->argc ? &baseline : NULL;
    int status = suspects_find_by(s, before, generation, &found);
    uint64_t limit = table_limit(inv);
    size_t shown = limit && limit < found.count ? (size_t)limit : found.count;
    if (!status && inv->out.format == OUTPUT_JSON)
        show_json(inv, &found, before, shown);
    else if (!status)
        show_text(inv, &found, before, shown);
    suspects_release(&found);
    baseline_release(&baseline);
    if (status) {
        error_set(&err, RH_ERR_NO_MEMORY, "not enough memory for the analysis", "");
        return fail(s->path, &err);
    }
    return STATUS_FINE;
}

const struct command cmd_suspects = {
    .name = "suspects",
    .summary = "the likely problem, in words",
    .arguments = "SNAPSHOT [BASELINE]",
    .help =
        "Says what a colleague would say who had looked at everything else: which holder gathers a large part of the\n"
        "heap, which garbage cycles keep what, which type grew since BASELINE (an earlier snapshot), what garbage a\n"
        "collection cannot free or see. Below each sentence stand the commands that show what it rests on. Objects of\n"
        "the two snapshots are the same by serial number, and otherwise by address and type, and then it says so. With\n"
        "--generation N garbage is what a collection of generation N would find now, as in cycles.",
    .takes = OPT_READING | OPT_LIMIT | OPT_GENERATION,
    .reads_snapshot = 1,
    .arguments_max = 1,
    .run = run,
};
