/* held SEED SIZE DUMP [THREADS]: builds a random heap, dumps it to DUMP, says "ready PID", and does as it is told, a
 * line at a time: "abort" ends it with a core, "signal" has it raise SIGUSR1 against itself and say how many it got,
 * "hide" has it keep others out, "end" has it take its heap down and say what that leaked. The other threads sleep, or
 * allocate memory of their own.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../support/random_heap.h"

static volatile sig_atomic_t signals;

static void count(int sig)
{
    (void)sig;
    signals++;
}

static void *idle(void *number)
{
    for (;;) {
        if (number)
            pause();
        char *p = malloc(1000);
        memset(p, 1, 1000);
        free(p);
        usleep(100);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct random_heap r;
    struct rh_error err;
    char line[32];
    if (argc < 4)
        return 2;
    random_heap_build(&r, strtoull(argv[1], NULL, 10), strtoull(argv[2], NULL, 10));
    if (rh_dump(argv[3], 0, &err)) {
        fprintf(stderr, "dump: %s\n", err.what);
        return 1;
    }
    signal(SIGUSR1, count);
    for (long i = 0; argc > 4 && i < atoi(argv[4]); i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, idle, (void *)i))
            return 1;
    }
    printf("ready %d\n", (int)getpid());
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        if (!strcmp(line, "abort\n"))
            abort();
        if (!strcmp(line, "signal\n")) {
            raise(SIGUSR1);
            printf("signals %d\n", (int)signals);
        }
        if (!strcmp(line, "hide\n")) {
            prctl(PR_SET_DUMPABLE, 0);
            printf("hidden 1\n");
        }
        if (!strcmp(line, "end\n")) {
            size_t leaked = random_heap_destroy(&r);
            printf("leaked %zu\n", leaked);
            fflush(stdout);
            return 0;
        }
        fflush(stdout);
    }
    return 3;
}
