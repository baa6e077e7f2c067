/* What another command says of the same snapshot, from a copy of this process: nothing waits for it, it can be stopped
 * at any time, and it cannot disturb what is shown. The copy has the session as it is and computes nothing anew.
 */
#ifndef BROWSE_ANSWER_H
#define BROWSE_ANSWER_H

#include <sys/types.h>

#include "../line/command.h"

/* A question: a command and its words behind the snapshot, options among them. */
enum { QUESTION_WORDS = 8 };

struct question {
    const struct command *command;
    const char *words[QUESTION_WORDS];
    int count;
};

struct answer {
    pid_t pid; /* 0: nothing is running */
    int fd;    /* -1: it has said all, but may not have ended yet */
    char *text;
    size_t length, room;
    int status;  /* once it ended: enum command_status, -1 when it was stopped or died */
    int is_long; /* cut off at the most that is kept */
};

/* Starts to ask; returns 0 or -1 with errno. */
int answer_begin(struct answer *answer, struct invocation *inv, const struct question *question);

/* Takes what has been said since, without waiting. Returns 1 as long as more may follow. */
int answer_read(struct answer *answer);

/* Stops it, if it is running. What it said stays. */
void answer_stop(struct answer *answer);
void answer_release(struct answer *answer);

#endif
