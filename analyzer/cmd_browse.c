/* browse: looking around in a snapshot, at a terminal. */
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../dumpfmt/error.h"
#include "browse/browser.h"
#include "browse/terminal.h"
#include "line/commands.h"

static int wants_color(const struct options *o)
{
    const char *no_color = getenv("NO_COLOR");
    if (o->color && strcmp(o->color, "auto"))
        return !strcmp(o->color, "always");
    return !(no_color && *no_color);
}

static int fail_terminal(const char *why)
{
    struct rh_error err;
    error_format(&err, RH_ERR_ARGUMENT, "the other commands print what it shows, and take --json",
                 "browse needs a terminal: %s", why);
    return fail(NULL, &err);
}

static int run(struct invocation *inv)
{
    struct session *s = &inv->session;
    struct browser *browser = NULL;
    struct atlas atlas;
    struct rh_error err;
    const char *why;
    setlocale(LC_CTYPE, ""); /* of the terminal; numbers stay as they are everywhere */
    if (!terminal_is_there(&why))
        return fail_terminal(why);
    int status = atlas_make(&atlas, s, &err);
    if (!status) {
        session_keep(s); /* now rather than when the user wants to go */
        s->no_cache = 1;
        session_progress_end(s);
        browser = calloc(1, sizeof *browser);
    }
    if (!status && (!browser || browse_begin(browser, inv, &atlas)))
        status = error_set(&err, RH_ERR_NO_MEMORY, "not enough memory for browsing", "use a machine with more memory");
    if (status)
        status = fail(s->path, &err);
    else if (terminal_run(browser, wants_color(&inv->options)))
        status = fail_terminal("it cannot be used");
    if (browser)
        browse_end(browser);
    else
        atlas_release(&atlas);
    free(browser);
    return status;
}

const struct command cmd_browse = {
    .name = "browse",
    .summary = "look around in it at a terminal",
    .arguments = "SNAPSHOT",
    .help =
        "Shows the snapshot at a terminal: the dominator tree a keeper at a time, types, garbage cycles, generations,\n"
        "roots, the audit and the suspects. It needs a terminal (80 columns do); NO_COLOR is respected. Garbage is red,\n"
        "what goes with it yellow, what the collector cannot see magenta; the line below the list says it without\n"
        "colours. Whatever is chosen can be opened, asked about and drawn:\n\n" BROWSE_KEYS,
    .takes = OPT_SALVAGE | OPT_NO_CACHE | OPT_COLOR | OPT_QUIET,
    .reads_snapshot = 1,
    .run = run,
};
