/* model FIRST COUNT [STEPS]: runs COUNT random programs, from seed FIRST on, of STEPS operations each, on the library
 * and on a model of it (tests/model). Silent while they agree. When they do not, or the library crashes or hangs: the
 * seed, the step, what differs, and as short a program as was found on which they still differ; exit status 1.
 */
#include "../model/program.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS = 60, STEPS = 100 };

struct shared {
    uint64_t seed;
    struct outcome outcome;
};

/* Runs in a child, for what a difference leads to may be a crash. Returns whether all went well. */
static int run_apart(struct shared *shared, int (*run)(struct shared *, void *), void *argument)
{
    int status;
    fflush(NULL);
    shared->outcome.step = 0;
    shared->outcome.difference[0] = 0;
    pid_t child = fork();
    if (child == 0)
        _exit(run(shared, argument) ? 1 : 0);
    if (child < 0 || waitpid(child, &status, 0) != child)
        exit(2);
    if (WIFSIGNALED(status))
        snprintf(shared->outcome.difference, sizeof shared->outcome.difference, "%s", strsignal(WTERMSIG(status)));
    else if (status && !shared->outcome.difference[0])
        snprintf(shared->outcome.difference, sizeof shared->outcome.difference, "exit status %d", WEXITSTATUS(status));
    return status == 0;
}

static int run_one(struct shared *shared, void *argument)
{
    int null = dup(STDERR_FILENO);
    alarm(SECONDS);
    if (null < 0 || !freopen("/dev/null", "w", stderr)) /* what a sanitizer says of it was said once */
        return -1;
    return program_run(argument, &shared->outcome);
}

struct range {
    uint64_t first, count;
    int steps;
};

static int run_range(struct shared *shared, void *argument)
{
    const struct range *r = argument;
    struct program program;
    for (uint64_t i = 0; i < r->count; i++) {
        shared->seed = r->first + i;
        alarm(SECONDS);
        program_make(&program, shared->seed, r->steps);
        int status = program_run(&program, &shared->outcome);
        program_release(&program);
        if (status)
            return status;
    }
    return 0;
}

/* Leaves out ever smaller stretches of the program while it still fails. */
static void shrink(struct shared *shared, struct program *program)
{
    struct program less = *program;
    less.steps = malloc((size_t)program->count * sizeof *less.steps);
    if (!less.steps)
        exit(2);
    for (int length = program->count / 2; length; length = length == 1 ? 0 : (length + 1) / 2) {
        int again = 1;
        while (again) {
            again = 0;
            for (int at = program->count - length; at >= 0; at -= length) {
                less.count = program->count - length;
                memcpy(less.steps, program->steps, (size_t)at * sizeof *less.steps);
                memcpy(less.steps + at, program->steps + at + length, (size_t)(less.count - at) * sizeof *less.steps);
                if (run_apart(shared, run_one, &less))
                    continue;
                memcpy(program->steps, less.steps, (size_t)less.count * sizeof *less.steps);
                program->count = less.count;
                again = length == 1;
            }
        }
    }
    free(less.steps);
}

static void show(const char *what, const struct shared *shared, const struct program *program)
{
    char text[200] = "the end";
    int step = shared->outcome.step;
    if (step >= 0 && step < program->count)
        step_describe(&program->steps[step], text, sizeof text);
    printf("%s step %d, %s\n%s\n", what, step, text, shared->outcome.difference);
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 4)
        return 2;
    struct range range = {strtoull(argv[1], NULL, 10), strtoull(argv[2], NULL, 10), argc > 3 ? atoi(argv[3]) : STEPS};
    struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct program program;
    char text[200];
    if (shared == MAP_FAILED || range.steps < 1)
        return 2;
    if (run_apart(shared, run_range, &range))
        return 0;
    program_make(&program, shared->seed, range.steps);
    snprintf(text, sizeof text, "seed %llu,", (unsigned long long)shared->seed);
    show(text, shared, &program);
    shrink(shared, &program);
    run_apart(shared, run_one, &program);
    show("\nshortened:", shared, &program);
    printf("%d heap%s\n", program.heap_count, program.heap_count > 1 ? "s" : "");
    for (int i = 0; i < program.count; i++) {
        step_describe(&program.steps[i], text, sizeof text);
        printf("%4d %s\n", i, text);
    }
    program_release(&program);
    return 1;
}
