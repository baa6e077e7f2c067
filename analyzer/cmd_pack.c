/* pack: the same snapshot, compressed. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../dumpfmt/error.h"
#include "../dumpfmt/pack.h"
#include "line/commands.h"
#include "render/text.h"

enum { OWN_LEVEL, LEVEL_DEFAULT = 3, LEVEL_MAX = 19 };

static const struct own_option own[] = {
    {"level", "N", "zstd's level, 1 to 19 (3 unless told)"},
    {NULL, NULL, NULL},
};

static int run(struct invocation *inv)
{
    struct session *s = &inv->session;
    const char *target = inv->options.output, *level_text = inv->own[OWN_LEVEL];
    char *end = "";
    long level = level_text ? strtol(level_text, &end, 10) : LEVEL_DEFAULT;
    struct target to;
    struct rh_error err;
    struct stat st;
    char n1[TEXT_NUMBER_SIZE], n2[TEXT_NUMBER_SIZE];
    if (!target)
        return fail_usage(inv->command, "name the file to write: -o FILE");
    if (*end || level < 1 || level > LEVEL_MAX)
        return fail_usage(inv->command, "--level must be 1 to %d", LEVEL_MAX);
    if (target_open(&to, target, s->path, TARGET_PRIVATE, &err))
        return fail(target, &err);
    if (snapshot_pack(s->snapshot, (int)level, to.sink, &err)) {
        target_close(&to, 1, NULL);
        return fail(target, &err);
    }
    if (target_close(&to, 0, &err))
        return fail(target, &err);
    if (!strcmp(target, "-"))
        return STATUS_FINE;
    uint64_t after = stat(target, &st) == 0 ? (uint64_t)st.st_size : 0;
    if (inv->out.format == OUTPUT_JSON) {
        begin_json(inv);
        json_string(&inv->out.json, "output", target);
        json_uint(&inv->out.json, "before", snapshot_file_size(s->snapshot));
        json_uint(&inv->out.json, "after", after);
        json_end(&inv->out.json);
    } else {
        fprintf(inv->out.file, "%s: %s, from %s\n", target, text_size(after, n1),
                text_size(snapshot_file_size(s->snapshot), n2));
    }
    return STATUS_FINE;
}

const struct command cmd_pack = {
    .name = "pack",
    .summary = "compress a snapshot",
    .arguments = "SNAPSHOT -o FILE",
    .help = "Writes the same snapshot with its blocks compressed (zstd). Every command reads it as it is.",
    .takes = OPT_JSON | OPT_OUTPUT | OPT_QUIET,
    .reads_snapshot = 1,
    .checks_all = 1,
    .writes_file = 1,
    .own = own,
    .run = run,
};
