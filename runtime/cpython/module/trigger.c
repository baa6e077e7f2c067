#include "python.h"

#include "trigger.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../../dumpfmt/format.h"
#include "../../../dumpfmt/rawsys.h"
#include "../../maps/pattern.h"
#include "standstill.h"

/* One for the process, as signal handlers are. Everything but `asked` is changed under the GIL only. */
static struct {
    const struct python *python;
    struct trigger_request request;
    struct sigaction before; /* what handled the signal until then */
    sem_t asked;
    int listening; /* the thread runs */
    int over;      /* the interpreter is going */
    int wanted;    /* a signal came and was not answered yet */
    uint32_t dumps;
    char pattern[PATTERN_SIZE];
} trigger;

static void complain(const char *path, const struct rh_error *err)
{
    char line[5000];
    int n = snprintf(line, sizeof line, "refheap: %s: %s%s%s\n", path, err->what, err->os_error ? ": " : "",
                     err->os_error ? strerror(err->os_error) : "");
    if (n > 0 && write(STDERR_FILENO, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1) < 0)
        return; /* there is nobody to tell */
}

static void dump_for(unsigned captured, unsigned flags)
{
    char path[SINK_PATH_MAX];
    struct rh_error err;
    struct inside_request request = {path, trigger.request.flags | flags, captured, 0};
    pattern_expand(trigger.pattern, trigger.dumps, path, sizeof path);
    trigger.dumps++;
    if (inside_dump(trigger.python, &request, &err))
        complain(path, &err);
}

/* ---- signals ---- */

static void on_signal(int signal)
{
    int saved = errno;
    (void)signal;
    sem_post(&trigger.asked);
    errno = saved;
}

static void pause_briefly(void)
{
    struct timespec while_ = {0, 1000000};
    nanosleep(&while_, NULL);
}

static void answer(unsigned flags)
{
    trigger.wanted = 0;
    if (trigger.request.signal)
        dump_for(CAPTURED_SIGNAL, flags);
}

/* Takes the GIL, and looks whether a collection is under way: its finalizers may let go of the GIL. Then the end of the
 * collection answers, or we do, whoever is first. */
static void dump_when_quiet(void)
{
    int waiting = 1;
    for (int first = 1; waiting && !trigger.over && Py_IsInitialized(); first = 0) {
        PyGILState_STATE held = PyGILState_Ensure();
        trigger.wanted |= first;
        if (trigger.wanted && !trigger.over && !standstill_is_collecting(trigger.python, 0))
            answer(0);
        waiting = trigger.wanted;
        PyGILState_Release(held);
        if (waiting)
            pause_briefly();
    }
}

void trigger_collected(void)
{
    if (trigger.wanted && !trigger.over && !standstill_is_collecting(trigger.python, 1))
        answer(INSIDE_COLLECTION_ENDED);
}

static void *listen_for_signals(void *unused)
{
    (void)unused;
    for (;;) {
        if (sem_wait(&trigger.asked))
            continue; /* interrupted */
        while (!sem_trywait(&trigger.asked)) { } /* asked again before we got here: one dump answers all */
        dump_when_quiet();
    }
    return NULL;
}

static int start_listening(void)
{
    pthread_t thread;
    sigset_t all, before;
    if (trigger.listening)
        return 0;
    sem_init(&trigger.asked, 0, 0);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the program's own threads */
    int status = pthread_create(&thread, NULL, listen_for_signals, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (status)
        return -status;
    pthread_setname_np(thread, "refheap-dump");
    pthread_detach(thread);
    trigger.listening = 1;
    return 0;
}

static int catch_signal(int signal)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    return sigaction(signal, &action, &trigger.before) ? -errno : 0;
}

/* ---- what is asked for ---- */

int trigger_set(const struct python *python, const struct trigger_request *request)
{
    int status = 0;
    trigger.python = python;
    if (trigger.request.signal)
        sigaction(trigger.request.signal, &trigger.before, NULL);
    trigger.request = *request;
    trigger.request.pattern = trigger.pattern;
    snprintf(trigger.pattern, sizeof trigger.pattern, "%s", request->pattern);
    if (request->signal && !(status = start_listening()))
        status = catch_signal(request->signal);
    if (status)
        trigger.request.signal = 0;
    return status;
}

void trigger_exit(void)
{
    if (trigger.request.on_exit && !trigger.over)
        dump_for(CAPTURED_EXIT, 0);
    trigger.over = 1;
}

void trigger_no_memory(void)
{
    if (!trigger.request.on_no_memory)
        return;
    trigger.request.on_no_memory = 0; /* once: the next failure is near */
    dump_for(CAPTURED_NO_MEMORY, 0);
}

int trigger_forked(void)
{
    if (!trigger.listening)
        return 0;
    trigger.listening = 0;
    return start_listening();
}
