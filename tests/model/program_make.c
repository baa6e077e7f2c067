/* Programs from a seed, and steps in words. */
#include "steps.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <refheap/refheap.h>

/* ---- making programs ---- */

struct dice {
    uint64_t state;
};

static unsigned roll(struct dice *d, unsigned limit)
{
    d->state ^= d->state << 13; /* xorshift64, Marsaglia 2003 */
    d->state ^= d->state >> 7;
    d->state ^= d->state << 17;
    return (unsigned)((d->state * 0x2545f4914f6cdd1du >> 11) % limit);
}

/* How often a step comes up, of the sum. */
static const uint8_t weights[STEPS] = {
    [NEW] = 60,     [NEW_TUPLE] = 8, [NEW_WEAKREF] = 14, [LINK] = 70,       [RING] = 10,        [CROWD] = 3,
    [PUT] = 6,      [CUT] = 8,       [CLEAR] = 2,        [NUMBER] = 3,      [WEAK_SET] = 10,    [WEAK_GET] = 4,
    [LOAD] = 10,    [COPY] = 3,      [DROP] = 24,        [DROP_ALL] = 3,    [COLLECT_NOW] = 16, [FREEZE] = 1,
    [UNFREEZE] = 2, [TRACK] = 2,     [UNTRACK] = 2,      [IMMORTALIZE] = 1, [PIN] = 2,          [UNPIN] = 3,
    [ENABLE] = 2,   [DISABLE] = 1,   [THRESHOLD] = 3,    [SAVEALL] = 2,     [GARBAGE] = 2,      [FREE_GARBAGE] = 2,
};

/* What a program is about. */
struct taste {
    unsigned odd_kinds; /* of 100: kinds beside PLAIN, FINAL and LIST */
    unsigned deeds;     /* of 100: user code that does something */
    int rare;           /* with the steps that weigh little */
    int weak;           /* with many weak references */
    int automatic;      /* with collections at small thresholds */
    int two_heaps;
};

static uint8_t choose_kind(struct dice *d, const struct taste *t)
{
    static const uint8_t usual[] = {PLAIN, PLAIN, FINAL, FINAL, LIST, BARE};
    static const uint8_t all[] = {PLAIN,  FINAL,  LEGACY, BOTH, HAND, ATOM, ARRAY, ODD,
                                  MEMBER, MEMBER, FAMILY, BARE, LIST, DICT, INT};
    return roll(d, 100) < t->odd_kinds ? all[roll(d, sizeof all)] : usual[roll(d, sizeof usual)];
}

static struct action choose_action(struct dice *d, const struct taste *t)
{
    struct action a = {0};
    if (roll(d, 100) < t->deeds)
        a = (struct action){(uint8_t)(1 + roll(d, DEEDS - 1)), (uint8_t)roll(d, SLOTS), (uint8_t)roll(d, 60)};
    if (a.deed && t->weak && roll(d, 3) == 0)
        a.deed = FOLLOW;
    if (a.deed && t->two_heaps && roll(d, 3) == 0)
        a.deed = COLLECT;
    return a;
}

static unsigned weight_of(const struct taste *t, int what)
{
    if (weights[what] < 3 && !t->rare)
        return 0;
    if (t->weak && (what == NEW_WEAKREF || what == WEAK_SET))
        return weights[what] * 5u;
    if (t->automatic && (what == RING || what == CROWD))
        return weights[what] * 4u;
    if (t->automatic && (what == COLLECT_NOW || what == DROP_ALL || what == DISABLE || what == SAVEALL))
        return 0;
    return weights[what];
}

static uint8_t choose_what(struct dice *d, const struct taste *t)
{
    unsigned sum = 0;
    for (int i = 0; i < STEPS; i++)
        sum += weight_of(t, i);
    unsigned at = roll(d, sum);
    for (int i = 0;; i++) {
        unsigned weight = weight_of(t, i);
        if (at < weight)
            return (uint8_t)i;
        at -= weight;
    }
}

static struct step choose(struct dice *d, const struct taste *t)
{
    struct step s = {choose_what(d, t),       (uint8_t)roll(d, SLOTS), (uint8_t)roll(d, SLOTS),
                     (uint8_t)roll(d, SLOTS), (uint8_t)roll(d, SLOTS), choose_action(d, t)};
    switch ((enum what)s.what) {
    case NEW:
        s.a = choose_kind(d, t);
        break;
    case RING:
    case CROWD:
        s.a = choose_kind(d, t);
        break;
    case NEW_TUPLE:
        s.a = (uint8_t)roll(d, 4);
        break;
    case NEW_WEAKREF:
        s.c = roll(d, 4) > 0;
        if (s.action.deed && roll(d, 3) == 0)
            s.action.deed = LET_SELF;
        break;
    case COLLECT_NOW:
        s.b = (uint8_t)(roll(d, 5) % 3);
        break;
    case THRESHOLD:
        s.c = (uint8_t)roll(d, 3);
        s.d = (uint8_t)roll(d, 3);
        break;
    case SAVEALL:
        s.b = roll(d, 3) == 0;
        break;
    default:
        break;
    }
    return s;
}

void program_make(struct program *program, uint64_t seed, int steps)
{
    struct dice d = {seed * 0x9e3779b97f4a7c15u + 1};
    for (int i = 0; i < 4; i++)
        roll(&d, 2);
    const struct taste t = {
        .odd_kinds = roll(&d, 2) ? 70 : 10,
        .deeds = roll(&d, 3) * 40,
        .rare = roll(&d, 2) != 0,
        .weak = roll(&d, 4) == 0,
        .automatic = roll(&d, 4) == 0,
        .two_heaps = roll(&d, 3) == 0,
    };
    program->heap_count = 1 + t.two_heaps;
    program->count = steps;
    program->steps = calloc((size_t)steps + 1, sizeof *program->steps);
    if (!program->steps)
        abort();
    for (int i = 0; i < steps; i++)
        program->steps[i] = choose(&d, &t);
    if (t.automatic)
        program->steps[0] = (struct step){.what = THRESHOLD, .b = (uint8_t)(1 + roll(&d, 8))};
}

void program_release(struct program *program)
{
    free(program->steps);
    memset(program, 0, sizeof *program);
}

/* ---- in words ---- */

static const char *const kind_names[KINDS] = {"plain",  "final",  "legacy", "both", "hand",  "atom", "array",   "odd",
                                              "member", "family", "bare",   "list", "tuple", "dict", "weakref", "int"};

static void describe_action(const struct action *a, char *text, size_t size)
{
    static const char *const names[DEEDS] = {"",       "RESCUE", "FORGET", "LET_GO",  "WATCH",    "MAKE",
                                             "FOLLOW", "GIVE",   "TAKE",   "COLLECT", "LET_SELF", "TAKE_DATA"};
    text[0] = 0;
    if (a->deed)
        snprintf(text, size, " that does %s(%d, %d)", names[a->deed], a->slot, a->other);
}

void step_describe(const struct step *s, char *text, size_t size)
{
    static const char *const names[STEPS] = {
        "new",     "new_tuple", "new_weakref", "ring",     "crowd",   "link",         "put",  "cut",
        "clear",   "number",    "weak_set",    "weak_get", "load",    "copy",         "drop", "drop_all",
        "collect", "freeze",    "unfreeze",    "track",    "untrack", "immortalize",  "pin",  "unpin",
        "enable",  "disable",   "threshold",   "saveall",  "garbage", "free_garbage",
    };
    char action[60];
    describe_action(&s->action, action, sizeof action);
    if (s->what == NEW)
        snprintf(text, size, "slot %d = new %s in heap %d%s", s->c, kind_names[s->a], s->b, action);
    else if (s->what == NEW_TUPLE)
        snprintf(text, size, "slot %d = new tuple in heap %d of %d slots from %d", s->c, s->b, s->a, s->d);
    else if (s->what == NEW_WEAKREF)
        snprintf(text, size, "slot %d = new weakref to slot %d%s%s, data slot %d", s->a, s->b,
                 s->c ? ", a callback" : "", action, s->d);
    else if (s->what == RING || s->what == CROWD)
        snprintf(text, size, "%s(%s, %d, %d, %d)%s", names[s->what], kind_names[s->a], s->b, s->c, s->d, action);
    else
        snprintf(text, size, "%s(%d, %d, %d, %d)", names[s->what], s->a, s->b, s->c, s->d);
}
