/* Dumps the environment asks for: REFHEAP_DUMP_ON and REFHEAP_DUMP_TO (dump.h). */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../dumpfmt/error.h"
#include "../../dumpfmt/format.h"
#include "../../dumpfmt/rawsys.h"
#include "../maps/pattern.h"
#include "internal.h"

static struct {
    int signal, on_exit, on_no_memory;
    char pattern[PATTERN_SIZE];
    char path[4096]; /* of the dump under way; `busy` guards it */
    int busy;
    uint32_t dumps;
} trigger = {.pattern = PATTERN_DEFAULT};

static void complain(const char *about, const struct rh_error *err)
{
    char line[5000];
    int n = snprintf(line, sizeof line, "refheap: %s: %s%s%s\n", about, err->what, err->os_error ? ": " : "",
                     err->os_error ? strerror(err->os_error) : "");
    if (n > 0 && write(STDERR_FILENO, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1) < 0)
        return; /* there is nobody to tell */
}

/* Dumps now, or asks for it when a heap is being changed. Returns RH_ERR_NOT_FOUND when the thread owns no heap. */
static int dump_for(unsigned captured, unsigned flags, struct rh_error *err)
{
    if (__atomic_exchange_n(&trigger.busy, 1, __ATOMIC_ACQUIRE))
        return 0; /* one is being made */
    pattern_expand(trigger.pattern, trigger.dumps, trigger.path, sizeof trigger.path);
    struct dump_request request = {trigger.path, flags, captured, 0};
    int status = dump_heaps(&request, err);
    if (status == RH_ERR_BUSY)
        status = rh_dump_request(trigger.path, flags, err);
    if (status != RH_ERR_NOT_FOUND)
        trigger.dumps++;
    __atomic_store_n(&trigger.busy, 0, __ATOMIC_RELEASE);
    return status;
}

/* ---- when ---- */

/* Passes a signal on to a thread that owns a heap. Returns whether there is one. */
static int pass_on(int signal)
{
    uint64_t here = (uint64_t)raw_gettid(), owner = 0;
    if (!control_try_lock())
        return 0;
    for (const struct rh_heap *heap = rh_control.heaps; heap && !owner; heap = heap->next)
        if (heap->owner != here && raw_syscall(SYS_tgkill, raw_getpid(), (long)heap->owner, 0, 0, 0, 0) == 0)
            owner = heap->owner;
    control_unlock();
    return owner && raw_syscall(SYS_tgkill, raw_getpid(), (long)owner, signal, 0, 0, 0) == 0;
}

static void on_signal(int signal)
{
    int saved = errno;
    struct rh_error err;
    if (dump_for(CAPTURED_SIGNAL, RH_DUMP_GUARDED, &err) == RH_ERR_NOT_FOUND)
        pass_on(signal);
    errno = saved;
}

void trigger_heap_going(void)
{
    struct rh_error err;
    if (trigger.on_exit && dump_for(CAPTURED_EXIT, 0, &err))
        complain(trigger.path, &err);
}

static void on_exit_of_program(void)
{
    struct rh_error err;
    int status = rh_control.heaps ? dump_for(CAPTURED_EXIT, 0, &err) : 0;
    if (status && status != RH_ERR_NOT_FOUND)
        complain(trigger.path, &err);
}

void trigger_no_memory(struct rh_heap *heap)
{
    struct rh_error err;
    if (!trigger.on_no_memory || heap->busy || !__atomic_exchange_n(&trigger.on_no_memory, 0, __ATOMIC_ACQ_REL))
        return;
    if (dump_for(CAPTURED_NO_MEMORY, 0, &err))
        complain(trigger.path, &err);
}

/* ---- reading the environment ---- */

static void complain_of(const char *variable, const char *text, const char *takes)
{
    struct rh_error err;
    error_format(&err, RH_ERR_ARGUMENT, "", "cannot understand \"%.60s\"; it takes %s", text, takes);
    complain(variable, &err);
}

static int parse_event(const char *word)
{
    if (!strncmp(word, "signal:", 7))
        return (trigger.signal = pattern_signal(word + 7)) != 0;
    if (!strcmp(word, "exit"))
        return trigger.on_exit = 1;
    if (!strcmp(word, "nomem"))
        return trigger.on_no_memory = 1;
    return 0;
}

static void arm(void)
{
    const char *on = secure_getenv("REFHEAP_DUMP_ON"), *to = secure_getenv("REFHEAP_DUMP_TO");
    char words[256], *rest = words;
    if (!on || !*on)
        return;
    snprintf(words, sizeof words, "%s", on);
    for (char *word; (word = strsep(&rest, ","));)
        if (!parse_event(word))
            complain_of("REFHEAP_DUMP_ON", word, "signal:NAME, exit and nomem, with commas between");
    if (to && !pattern_is_good(to))
        complain_of("REFHEAP_DUMP_TO", to, "a path with %p, %n, %t and %%");
    else if (to)
        snprintf(trigger.pattern, sizeof trigger.pattern, "%s", to);
    if (trigger.signal) {
        struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
        if (sigaction(trigger.signal, &action, NULL)) {
            struct rh_error err;
            error_set_os(&err, errno, "cannot catch the signal", "");
            complain("REFHEAP_DUMP_ON", &err);
        }
    }
    if (trigger.on_exit)
        atexit(on_exit_of_program);
}

void trigger_arm(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, arm);
}
