/* The steps of a program, and doing them. */
#ifndef TESTS_STEPS_H
#define TESTS_STEPS_H

#include "program.h"
#include "world.h"

/* What a step does. Letters in the comments are those of struct step; a slot that is empty, or an object the step does
 * not fit, makes it do nothing. */
enum what {
    NEW,          /* slot c := an object of kind a in heap b */
    NEW_TUPLE,    /* slot c := a tuple in heap b of what is in a slots from d on */
    NEW_WEAKREF,  /* slot a := a weak reference to slot b; c: with a callback; data: slot d */
    RING,         /* objects of kind a in heap b, each referring to the next, c says how many and whether a
                     ring or a chain across heaps, are made and let go of */
    CROWD,        /* slot c := a list in heap b of new objects of kind a */
    LINK,         /* slot a's object gets a reference to slot b's; c: which field */
    PUT,          /* slot a's object: item c := slot b */
    CUT,          /* slot a's object: item c goes */
    CLEAR,        /* slot a's list or dict */
    NUMBER,       /* slot a's dict, a new number := slot b */
    WEAK_SET,     /* slot a's weak field := slot b, which may be empty */
    WEAK_GET,     /* slot a := where slot b's weak field or reference points */
    LOAD,         /* slot a := item c of slot b */
    COPY,         /* slot a := slot b */
    DROP,         /* slot a */
    DROP_ALL,     /* all slots but a */
    COLLECT_NOW,  /* heap a, generation b */
    FREEZE,       /* heap a */
    UNFREEZE,     /* heap a */
    TRACK,        /* slot a */
    UNTRACK,      /* slot a */
    IMMORTALIZE,  /* slot a */
    PIN,          /* slot a, name b */
    UNPIN,        /* slot a, name b */
    ENABLE,       /* heap a */
    DISABLE,      /* heap a */
    THRESHOLD,    /* heap a: b, c, d */
    SAVEALL,      /* heap a: b */
    GARBAGE,      /* slot c := item b of heap a's list of garbage */
    FREE_GARBAGE, /* heap a */
    STEPS,
};

void program_cut(struct world *w, int id, int index);
void program_act(struct world *w, int self, int data);
void program_do_step(struct world *w, const struct step *s);

#endif
