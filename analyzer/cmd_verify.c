/* verify: whether the file is whole. */
#include "line/commands.h"
#include "render/text.h"

static int run(struct invocation *inv)
{
    struct session *s = &inv->session;
    struct rh_error err;
    char n1[TEXT_NUMBER_SIZE], n2[TEXT_NUMBER_SIZE], n3[TEXT_NUMBER_SIZE];
    if (session_graph(s, &err)) /* building the index is what finds addresses that occur twice */
        return fail(s->path, &err);
    int complete = snapshot_complete(s->snapshot);
    if (inv->out.format == OUTPUT_JSON) {
        struct json *j = &inv->out.json;
        begin_json(inv);
        json_bool(j, "whole", complete);
        json_string(j, "damage", snapshot_damage(s->snapshot));
        json_uint(j, "dangling_edges", s->graph.dangling);
        json_uint(j, "dangling_roots", s->roots.dangling);
        json_uint(j, "incomplete_objects", s->graph.incomplete);
        json_end(j);
    } else {
        fprintf(inv->out.file, "%s: %s: %s, %s\n", s->path, complete ? "whole" : "NOT whole",
                text_plural(s->graph.objects, "object", n1), text_plural(s->graph.edges, "edge", n2));
        if (s->graph.dangling || s->roots.dangling)
            fprintf(inv->out.file, "%s and %s lead to no object\n", text_plural(s->graph.dangling, "edge", n1),
                    text_plural(s->roots.dangling, "root", n2));
        if (s->graph.incomplete)
            fprintf(inv->out.file, "the references of %s are not all known\n",
                    text_plural(s->graph.incomplete, "object", n3));
    }
    return complete ? STATUS_FINE : STATUS_ERROR;
}

const struct command cmd_verify = {
    .name = "verify",
    .summary = "check that a snapshot is whole",
    .arguments = "SNAPSHOT",
    .help =
        "Checks structure, checksums, totals and ids, and that no address occurs twice. Exit status 2 says the file\n"
        "is damaged; the line on stderr says where.",
    .takes = OPT_READING,
    .reads_snapshot = 1,
    .checks_all = 1,
    .run = run,
};
