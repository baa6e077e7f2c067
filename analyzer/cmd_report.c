/* report: one page of HTML, for people. */
#include <stdlib.h>
#include <string.h>

#include "../dumpfmt/error.h"
#include "line/commands.h"
#include "render/text.h"
#include "report/report.h"

/* Says on standard output what was written and what stands on top of it. */
static void tell(struct invocation *inv, const struct report *r, uint64_t size)
{
    char headline[HEADLINE_SIZE], n[TEXT_NUMBER_SIZE];
    report_headline(r, headline);
    if (inv->out.format == OUTPUT_JSON) {
        begin_json(inv);
        json_string(&inv->out.json, "output", inv->options.output);
        json_uint(&inv->out.json, "output_bytes", size);
        json_string(&inv->out.json, "headline", headline);
        json_end(&inv->out.json);
    } else {
        fprintf(inv->out.file, "%s: %s\n%s.\n", inv->options.output, text_size(size, n), headline);
    }
}

static int write_page(struct invocation *inv, const char *page, size_t size)
{
    const char *path = inv->options.output;
    struct target to;
    struct rh_error err;
    if (target_open(&to, path, inv->session.path, 0, &err))
        return fail(path, &err);
    fwrite(page, 1, size, to.stream);
    return target_close(&to, 0, &err) ? fail(path, &err) : 0;
}

/* The page is made in memory, where it is small whatever the heap; so a target never gets half of one. */
static int make_page(struct invocation *inv, struct report *r)
{
    char *page = NULL;
    size_t size = 0;
    struct rh_error err;
    r->f = open_memstream(&page, &size);
    int status = r->f ? report_gather(r) : -1;
    if (!status)
        session_progress(r->s, "writing the report");
    if (!status)
        status = report_write(r);
    if (r->f && fclose(r->f))
        status = -1;
    if (status < 0) {
        error_set(&err, RH_ERR_NO_MEMORY, "not enough memory for the report", "");
        status = fail(r->s->path, &err);
    }
    if (!status)
        status = write_page(inv, page, size);
    if (!status)
        tell(inv, r, size);
    free(page);
    return status;
}

static int run(struct invocation *inv)
{
    struct session *s = &inv->session;
    const char *earlier = inv->argc ? inv->argv[0] : NULL;
    struct baseline baseline = {0};
    struct report report = {.inv = inv, .s = s};
    struct rh_error err;
    if (!inv->options.output)
        return fail_usage(inv->command, "name the page to write: -o FILE.html");
    if (target_refuse(inv->options.output, earlier, &err))
        return fail(inv->options.output, &err);
    if (session_dominators(s, &err) || session_sums(s, &err) || (!inv->options.no_values && session_values(s, &err)))
        return fail(s->path, &err);
    if (earlier && baseline_open(&baseline, earlier, inv->options.salvage, s, &err)) {
        baseline_release(&baseline);
        return fail(earlier, &err);
    }
    report.baseline = earlier ? &baseline : NULL;
    int status = make_page(inv, &report);
    report_release(&report);
    baseline_release(&baseline);
    return status;
}

const struct command cmd_report = {
    .name = "report",
    .summary = "one page of HTML that shows it all, for people",
    .arguments = "SNAPSHOT [BASELINE] -o FILE.html",
    .help =
        "Writes one self-contained page: the likely problem in a sentence; how suspects are held and who refers to them;\n"
        "what changed since BASELINE (an earlier snapshot); garbage cycles as pictures, with the reference to cut; the\n"
        "biggest keepers, to be clicked into; types, to be filtered and sorted; generations; the refcount audit with what\n"
        "it rests on; duplicates and waste; and what the evidence cannot show. The page fetches nothing, needs no\n"
        "network, runs nothing that came from the snapshot, and can be read without scripts and on paper. It shows values\n"
        "of strings, as the snapshot does; --no-values leaves them out. -o - writes to standard output.",
    .takes = OPT_JSON | OPT_SALVAGE | OPT_NO_CACHE | OPT_QUIET | OPT_OUTPUT | OPT_NO_VALUES,
    .reads_snapshot = 1,
    .arguments_max = 1,
    .writes_file = 1,
    .run = run,
};
