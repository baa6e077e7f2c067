#include "python.h"

#include "standstill.h"

#include "../../../dumpfmt/error.h"
#include "../../../dumpfmt/rawsys.h"
#include "gil.h"

#define MICROSECOND UINT64_C(1000)
#define SECOND (1000000 * MICROSECOND)

enum { POLL_MICROSECONDS = 50, COLLECTION_MICROSECONDS = 1000, TURN_MICROSECONDS = 1000, LIST_TRIES = 20000 };

/* The process that has a dump under way; 0: none. A copy that fork() made has none, whatever it finds here. */
static long claimed;

static uint64_t now(void)
{
    struct {
        int64_t seconds, nanoseconds;
    } t = {0, 0};
    raw_syscall(SYS_clock_gettime, 1 /* CLOCK_MONOTONIC */, (long)&t, 0, 0, 0, 0);
    return (uint64_t)t.seconds * SECOND + (uint64_t)t.nanoseconds;
}

static void sleep_microseconds(unsigned long microseconds)
{
    struct {
        int64_t seconds, nanoseconds;
    } t = {0, (int64_t)(microseconds * MICROSECOND)};
    raw_syscall(SYS_nanosleep, (long)&t, 0, 0, 0, 0, 0);
}

/* ---- one at a time ---- */

static int try_claim(long pid)
{
    long before = __atomic_load_n(&claimed, __ATOMIC_ACQUIRE);
    return before != pid && __atomic_compare_exchange_n(&claimed, &before, pid, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static void claim(const struct python *python)
{
    long pid = raw_getpid();
    while (python->gils_understood && !try_claim(pid)) {
        PyThreadState *mine = PyEval_SaveThread();
        sleep_microseconds(TURN_MICROSECONDS);
        PyEval_RestoreThread(mine);
    }
}

static void unclaim(const struct python *python)
{
    if (python->gils_understood)
        __atomic_store_n(&claimed, 0, __ATOMIC_RELEASE);
}

/* ---- the list of interpreters ---- */

/* Who has it has it for a moment: unless this is the copy of a process that was copied at that moment. */
static int lock_list(const struct python *python)
{
    for (int i = 0; i < LIST_TRIES; i++) {
        if (gil_lock_list(python))
            return 1;
        sleep_microseconds(POLL_MICROSECONDS);
    }
    return 0;
}

/* Makes room by leaving out the newest, but not the caller's (`mine`). Returns whether `still` is not that itself. */
static int make_room(struct standstill *s, const struct still *still, uint64_t mine)
{
    size_t last = s->count - 1;
    last -= s->all[last].interpreter == mine;
    s->too_many++;
    if (still->interpreter != mine && still->id > s->all[last].id)
        return 0;
    for (s->count--; last < s->count; last++)
        s->all[last] = s->all[last + 1];
    return 1;
}

static void insert(struct standstill *s, const struct still *still, uint64_t mine)
{
    if (s->count == STANDSTILL_MAX && !make_room(s, still, mine))
        return;
    size_t i = s->count;
    for (; i && s->all[i - 1].id > still->id; i--)
        s->all[i] = s->all[i - 1];
    s->all[i] = *still;
    s->count++;
}

/* Those that do not use the caller's GIL are busy until theirs is taken. */
static enum still_state first_state(const struct python *python, const struct still *still, uint64_t mine)
{
    if (still->interpreter == mine || python->world.layout->version < 0x030c)
        return STILL;
    if (!python->layout_fits)
        return STILL_UNKNOWN;
    if (still->gil == gil_of(python, mine))
        return STILL;
    if (!python->gils_understood)
        return STILL_UNKNOWN;
    return still->gil && !gil_is_ending(python, still->interpreter) ? STILL_BUSY : STILL_GONE;
}

static void list(struct standstill *s)
{
    uint64_t mine = python_current_interpreter();
    for (PyInterpreterState *i = PyInterpreterState_Head(); i; i = PyInterpreterState_Next(i)) {
        struct still still = {.interpreter = (uintptr_t)i,
                              .gil = gil_of(s->python, (uintptr_t)i),
                              .id = PyInterpreterState_GetID(i)};
        still.state = first_state(s->python, &still, mine);
        insert(s, &still, mine);
    }
}

static int is_listed(uint64_t interpreter)
{
    for (PyInterpreterState *i = PyInterpreterState_Head(); i; i = PyInterpreterState_Next(i))
        if ((uintptr_t)i == interpreter)
            return 1;
    return 0;
}

/* ---- collections ---- */

static int is_collecting(const struct python *python, uint64_t interpreter)
{
    return half_at(python_collector(python, interpreter) + PY_GC_COLLECTING) != 0;
}

static int ours_are_collecting(const struct standstill *s, int ended)
{
    uint64_t over = ended ? python_collector(s->python, python_current_interpreter()) : 0;
    for (size_t i = 0; i < s->count; i++)
        if (still_stands(&s->all[i]) && python_collector(s->python, s->all[i].interpreter) != over &&
            is_collecting(s->python, s->all[i].interpreter))
            return 1;
    return 0;
}

/* ---- taking the GILs ---- */

/* Of those that share a GIL the first stands for all. */
static int is_first(const struct standstill *s, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (s->all[j].gil == s->all[i].gil && s->all[j].state != STILL_GONE)
            return 0;
    return 1;
}

static void set_state(struct standstill *s, size_t first, enum still_state state)
{
    for (size_t i = first; i < s->count; i++)
        if (s->all[i].gil == s->all[first].gil && s->all[i].state != STILL_GONE)
            s->all[i].state = i != first && state == STILL_TAKEN ? STILL : state;
}

static int any_collecting(const struct standstill *s, size_t first)
{
    for (size_t i = first; i < s->count; i++)
        if (s->all[i].gil == s->all[first].gil && s->all[i].state != STILL_GONE &&
            is_collecting(s->python, s->all[i].interpreter))
            return 1;
    return 0;
}

/* Tries for the GIL that an interpreter uses, the first that does. The list is locked. Returns whether it must be tried again. */
static int try_one(struct standstill *s, size_t i, int ask)
{
    struct still *still = &s->all[i];
    int there = is_listed(still->interpreter) && gil_of(s->python, still->interpreter) == still->gil;
    if (!there || gil_is_ending(s->python, still->interpreter)) {
        /* Who is ending may have been asked: it would wait for ever for somebody to take what it drops. */
        enum gil_answer last = there ? gil_take(s->python, still->gil, 0) : GIL_HELD;
        if (last == GIL_NOT_NOW)
            return 1;
        if (last == GIL_TAKEN)
            gil_give_back(s->python, still->gil);
        still->state = STILL_GONE; /* the next that shares its GIL is the first from now on */
        return 0;
    }
    enum gil_answer answer = gil_take(s->python, still->gil, ask);
    if (answer != GIL_TAKEN)
        return ask || answer == GIL_NOT_NOW;
    if (!any_collecting(s, i)) {
        set_state(s, i, STILL_TAKEN);
        return 0;
    }
    gil_give_back(s->python, still->gil);
    set_state(s, i, STILL_COLLECTING);
    return ask;
}

/* Returns how long to wait before it is tried again, in microseconds; 0: no more. */
static unsigned long try_all(struct standstill *s, int ask)
{
    unsigned long again = 0;
    if (!lock_list(s->python))
        return POLL_MICROSECONDS;
    for (size_t i = 0; i < s->count; i++)
        if ((s->all[i].state == STILL_BUSY || s->all[i].state == STILL_COLLECTING) && is_first(s, i) && try_one(s, i, ask)) {
            unsigned long pause = s->all[i].state == STILL_COLLECTING ? COLLECTION_MICROSECONDS : POLL_MICROSECONDS;
            again = again && again < pause ? again : pause;
        }
    gil_unlock_list(s->python);
    return again;
}

/* For a second GILs are asked for; then every request is taken back that was not answered. */
static void take_all(struct standstill *s)
{
    uint64_t until = now() + SECOND;
    unsigned left = 100000; /* looks without asking: not a time, for the process may be stopped in between */
    for (;;) {
        int ask = now() < until;
        unsigned long pause = try_all(s, ask);
        if (!pause || (!ask && !--left))
            break;
        sleep_microseconds(pause);
    }
}

/* ---- all of it ---- */

int standstill_begin(struct standstill *s, const struct python *python, int ended, struct rh_error *err)
{
    s->python = python;
    claim(python);
    int listed = lock_list(python), collecting = 0;
    if (listed) {
        list(s);
        collecting = ours_are_collecting(s, ended);
        gil_unlock_list(python);
    }
    if (!listed || collecting) {
        unclaim(python);
        return error_set(err, RH_ERR_BUSY,
                         listed ? "a collection is under way, and only it knows where its objects are"
                                : "the list of interpreters is locked",
                         listed ? "dump before it or after it" : "try again");
    }
    if (python->gils_understood)
        take_all(s);
    return 0;
}

void standstill_end(struct standstill *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->all[i].state == STILL_TAKEN)
            gil_give_back(s->python, s->all[i].gil);
    unclaim(s->python);
}

int standstill_is_collecting(const struct python *python, int ended)
{
    struct standstill *s = raw_map(sizeof *s);
    int collecting = 1; /* not known: as good as yes */
    if (s && lock_list(python)) {
        s->python = python;
        list(s);
        gil_unlock_list(python);
        collecting = ours_are_collecting(s, ended);
    }
    if (s)
        raw_unmap(s, sizeof *s);
    return collecting;
}
