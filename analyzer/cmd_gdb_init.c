/* gdb-init: the line for ~/.gdbinit. */
#include <string.h>
#include <unistd.h>

#include "../dumpfmt/error.h"
#include "line/commands.h"

enum { PATH_SIZE = 4096 };

/* Where the loader is: beside the program as built, or under share/ as installed. */
static int find_loader(char to[PATH_SIZE])
{
    static const char *const places[] = {"refheap_gdb/refheap-gdb.py",
                                         "../share/refheap/gdb/refheap_gdb/refheap-gdb.py"};
    char program[PATH_SIZE - 64];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    if (n <= 0)
        return -1;
    program[n] = 0;
    *strrchr(program, '/') = 0;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(to, PATH_SIZE, "%s/%s", program, places[i]);
        if (access(to, R_OK) == 0)
            return 0; /* links are kept: the extension finds the program beside itself */
    }
    return -1;
}

static int run(struct invocation *inv)
{
    char loader[PATH_SIZE];
    if (find_loader(loader)) {
        struct rh_error err;
        error_set(&err, RH_ERR_NOT_FOUND, "the GDB extension is not where it should be beside this program",
                  "run make, or make install");
        return fail(NULL, &err);
    }
    fprintf(inv->out.file, "source %s\n", loader);
    return STATUS_FINE;
}

const struct command cmd_gdb_init = {
    .name = "gdb-init",
    .summary = "the line for ~/.gdbinit that loads the GDB commands",
    .arguments = "",
    .help = "Prints a line that loads refheap's GDB commands. To have them in every session:\n"
            "    refheap gdb-init >> ~/.gdbinit",
    .run = run,
};
