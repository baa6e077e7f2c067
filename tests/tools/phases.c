/* phases SNAPSHOT: what each phase of the analysis takes, from opening the file to the retained sizes of every object:
 * one line a phase with its name, seconds, and MiB of anonymous memory at its end; last the whole, and the most that
 * was ever used beside the mapped file. For make bench.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../analyzer/session/session.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A field of /proc/self/status, in MiB. */
static double status_field(const char *name)
{
    char line[256];
    double mib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (!strncmp(line, name, strlen(name)))
            mib = strtod(line + strlen(name) + 1, NULL) / 1024;
    if (f)
        fclose(f);
    return mib;
}

static double last;

/* Freed memory stays with the process for the next phase: what it has at the end of a phase is the most it had. */
static void phase(const char *name, int status, const struct rh_error *err)
{
    if (status) {
        fprintf(stderr, "phases: %s\n", err->what);
        exit(2);
    }
    double t = now();
    printf("%s %.4f %.0f\n", name, t - last, status_field("RssAnon"));
    last = now();
}

int main(int argc, char **argv)
{
    struct session s = {.quiet = 1, .no_cache = 1};
    struct rh_error err;
    if (argc != 3) {
        fprintf(stderr, "usage: phases one-by-one|together SNAPSHOT\n");
        return 2;
    }
    double began = last = now();
    phase("open", session_open(&s, argv[2], 0, &err), &err);
    phase("graph", session_graph(&s, &err), &err);
    if (!strcmp(argv[1], "one-by-one")) {
        phase("garbage", session_garbage(&s, 2, &err), &err);
        phase("cycles", session_cycles(&s, &err), &err);
    }
    phase("dominators", session_dominators(&s, &err), &err);
    printf("all %.4f %.0f\n", now() - began, status_field("RssAnon"));
    printf("size %llu %llu\n", (unsigned long long)s.graph.objects, (unsigned long long)s.graph.edges);
    _exit(fflush(stdout) != 0 || s.dominators.retained[dominators_root(&s.dominators)] != s.graph.bytes);
}
