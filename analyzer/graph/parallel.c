#include "parallel.h"

#include <sched.h>

enum { ELEMENTS_A_PART = 1 << 16 };

/* Whether this thread does a part: then the other processors have theirs. */
static _Thread_local int within;

static size_t count_processors(void)
{
    cpu_set_t allowed;
    return sched_getaffinity(0, sizeof allowed, &allowed) ? 1 : (size_t)CPU_COUNT(&allowed);
}

unsigned parallel_parts(size_t size)
{
    if (within)
        return 1;
    size_t parts = size / ELEMENTS_A_PART + 1, processors = count_processors();
    if (parts > processors)
        parts = processors;
    return parts > PARTS_MAX ? PARTS_MAX : (unsigned)parts;
}

struct task {
    void (*work)(void *context, unsigned part, unsigned parts);
    void *context;
    unsigned part, parts;
    pthread_t thread;
    int started;
};

static void *run(void *argument)
{
    const struct task *task = argument;
    within = 1;
    task->work(task->context, task->part, task->parts);
    return NULL;
}

void parallel_run(unsigned parts, void (*work)(void *, unsigned, unsigned), void *context)
{
    struct task tasks[PARTS_MAX];
    for (unsigned i = 0; i + 1 < parts; i++) {
        tasks[i] = (struct task){.work = work, .context = context, .part = i, .parts = parts};
        tasks[i].started = pthread_create(&tasks[i].thread, NULL, run, &tasks[i]) == 0;
    }
    int was_within = within;
    within |= parts > 1;
    work(context, parts - 1, parts);
    for (unsigned i = 0; i + 1 < parts; i++)
        if (tasks[i].started)
            pthread_join(tasks[i].thread, NULL);
        else
            run(&tasks[i]);
    within = was_within;
}

static void *run_beside(void *argument)
{
    const struct beside *b = argument;
    within = 1;
    b->work(b->context);
    return NULL;
}

void parallel_begin(struct beside *b, void (*work)(void *), void *context)
{
    *b = (struct beside){.work = work, .context = context};
    b->started = !within && count_processors() > 1 && !pthread_create(&b->thread, NULL, run_beside, b);
    if (!b->started)
        work(context);
}

void parallel_end(struct beside *b)
{
    if (b->started)
        pthread_join(b->thread, NULL);
    b->started = 0;
}
