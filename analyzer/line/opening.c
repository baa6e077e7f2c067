/* Opening the snapshots a command reads, as its options say. */
#include <stdlib.h>

#include "../../dumpfmt/error.h"
#include "../session/mapped.h"
#include "command.h"

/* How many of the arguments are snapshots; -1 after saying that there are too few arguments or too many. */
static int count_snapshots(const struct invocation *inv)
{
    const struct command *c = inv->command;
    int least = c->reads_snapshot + c->more_min;
    if (c->reads_snapshot && !inv->argc) {
        fail_usage(c, "name a snapshot: refheap %s %s", c->name, c->arguments);
        return -1;
    }
    int too_few = inv->argc < least + c->arguments_min;
    int too_many = c->more_max < SNAPSHOTS_ANY && inv->argc > c->reads_snapshot + c->more_max + c->arguments_max;
    if (too_few || too_many) {
        fail_usage(c, "%s arguments: refheap %s %s", too_few ? "too few" : "too many", c->name, c->arguments);
        return -1;
    }
    int more = inv->argc - c->reads_snapshot - c->arguments_min;
    return c->reads_snapshot + (more < c->more_max ? more : c->more_max);
}

static int open_snapshot(struct invocation *inv, struct session *s, const char *path)
{
    struct rh_error err = {0};
    s->no_cache = inv->options.no_cache || inv->command->checks_all;
    if (session_open(s, path, inv->options.salvage, &err))
        return fail(path, &err);
    s->quiet = inv->options.quiet;
    if (!snapshot_complete(s->snapshot) && !inv->options.quiet)
        fprintf(stderr, "refheap: %s: %s; what follows rests on the rest\n", path, snapshot_damage(s->snapshot));
    if (inv->options.heap >= 0 && (uint64_t)inv->options.heap >= snapshot_count(s->snapshot, SECTION_HEAPS))
        return fail_usage(inv->command, "there is no heap %ld; refheap info lists them", (long)inv->options.heap);
    return 0;
}

int open_snapshots(struct invocation *inv)
{
    int count = count_snapshots(inv);
    if (count < 1)
        return count ? STATUS_ERROR : 0;
    inv->more = calloc((size_t)count, sizeof *inv->more);
    if (!inv->more) {
        struct rh_error err;
        error_set(&err, RH_ERR_NO_MEMORY, "not enough memory", "");
        return fail(NULL, &err);
    }
    guard_mapped(inv->argv, count);
    int status = open_snapshot(inv, &inv->session, inv->argv[0]);
    for (; !status && inv->more_count < count - 1; inv->more_count++)
        status = open_snapshot(inv, &inv->more[inv->more_count], inv->argv[inv->more_count + 1]);
    inv->argv += count;
    inv->argc -= count;
    return status;
}

int open_another(struct invocation *inv, const char *path)
{
    struct rh_error err;
    inv->beside[0] = inv->session.path;
    inv->beside[1] = path;
    guard_mapped(inv->beside, 2);
    if (target_refuse(inv->options.output, path, &err))
        return fail(inv->options.output, &err);
    int status = open_snapshot(inv, &inv->more[0], path);
    inv->more_count = !status;
    return status;
}
