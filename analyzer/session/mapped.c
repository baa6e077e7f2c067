#include "mapped.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"

/* A snapshot that shrinks while it is mapped ends the program here: nothing of it can be trusted any more. Which of
 * several it was is not known. */
static const char **mapped_paths;
static int mapped_count;

static void say(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        _exit(STATUS_ERROR);
}

static void on_bus_error(int signal)
{
    (void)signal;
    say("refheap: ");
    for (int i = 0; i < mapped_count; i++) {
        say(i ? " or " : "");
        say(mapped_paths[i]);
    }
    say(": the file shrank while it was read; copy it first\n");
    _exit(STATUS_ERROR);
}

void guard_mapped(const char **paths, int count)
{
    mapped_paths = paths;
    mapped_count = count;
    signal(SIGBUS, on_bus_error);
}
