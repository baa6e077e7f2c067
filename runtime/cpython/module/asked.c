#include "python.h"

#include "asked.h"
#include "inside.h"
#include "standstill.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../../dumpfmt/error.h"
#include "../../../dumpfmt/format.h"

#define EXPORTED __attribute__((visibility("default")))

_Static_assert(offsetof(struct refheap_asked, state) == 20 && offsetof(struct refheap_asked, path) == 400, "as interpreter.py has it");

EXPORTED struct refheap_asked refheap_asked = {.magic = "refheap.asked", .version = ASKED_VERSION};

EXPORTED __attribute__((noinline)) void refheap_asked_done(void)
{
    __asm__ volatile("" ::: "memory"); /* or the call would be optimized away */
}

static void finish(int status, const struct rh_error *err)
{
    struct refheap_asked *a = &refheap_asked;
    a->status = status;
    a->os_error = status ? err->os_error : 0;
    a->text[0] = 0;
    if (status)
        snprintf(a->text, sizeof a->text, "%s%s%s%s", err->what, err->hint[0] ? " (" : "", err->hint, err->hint[0] ? ")" : "");
    a->state = ASKED_IDLE; /* before the breakpoint: from there, another dump may be asked for */
    refheap_asked_done();
}

/* With the GIL. Returns whether this thread has nothing left to do. */
static int answer(void)
{
    struct refheap_asked *a = &refheap_asked;
    struct rh_error err;
    char why[160];
    uint32_t withdrawn = ASKED_WITHDRAWN, waiting = ASKED_WAITING;
    if (atomic_compare_exchange_strong(&a->state, &withdrawn, ASKED_IDLE))
        return 1;
    const struct python *python = python_known(why, sizeof why);
    if (!python) {
        finish(error_set(&err, RH_ERR_UNSUPPORTED, why, ""), &err);
        return 1;
    }
    if (standstill_is_collecting(python, 0) || !atomic_compare_exchange_strong(&a->state, &waiting, ASKED_DUMPING))
        return 0;
    struct inside_request request = {a->path, 0, CAPTURED_SAFE_POINT, 0};
    int status = inside_dump(python, &request, &err);
    finish(status, &err);
    return 1;
}

static void *serve(void *unused)
{
    struct timespec briefly = {0, 1000000};
    PyGILState_STATE held = PyGILState_Ensure();
    (void)unused;
    while (!answer()) { /* finalizers may let go of the GIL during a collection */
        PyThreadState *mine = PyEval_SaveThread();
        nanosleep(&briefly, NULL);
        PyEval_RestoreThread(mine);
    }
    PyGILState_Release(held);
    return NULL;
}

static int start_thread(void)
{
    pthread_t thread;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the program's own threads */
    int status = pthread_create(&thread, NULL, serve, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!status) {
        pthread_setname_np(thread, "refheap-dump");
        pthread_detach(thread);
    }
    return status;
}

EXPORTED int refheap_asked_start(void)
{
    struct refheap_asked *a = &refheap_asked;
    int saved = errno, ours = a->process == getpid(), status;
    uint32_t withdrawn = ASKED_WITHDRAWN;
    if (!Py_IsInitialized())
        return ESRCH;
    if (ours && atomic_compare_exchange_strong(&a->state, &withdrawn, ASKED_WAITING))
        return 0; /* the thread of then is still there */
    if (ours && a->state != ASKED_IDLE)
        return EBUSY;
    a->process = getpid();
    a->state = ASKED_WAITING;
    if ((status = start_thread()))
        a->state = ASKED_IDLE;
    errno = saved;
    return status;
}
