/* The frames of native stacks: which function a word of a stack belongs to.
 *
 * libdw unwinds by the unwind tables of the files that are mapped, if they are the same build; where there are none it
 * follows frame pointers. These files may be anybody's - a core names what it likes - and a program that parses DWARF
 * is long, so it works in a child process with limits of time and memory: if it dies, frames are unknown and nothing
 * else is lost.
 */
#ifndef PROBE_FRAMES_H
#define PROBE_FRAMES_H

#include "probe.h"

enum { FRAME_NAME_MAX = 88 };

struct frame {
    uint32_t thread, depth;  /* number of the thread, 0 innermost */
    uint64_t pc, start, end; /* its part of the stack; `end` 0 when it is not known */
    uint32_t activation;     /* it was interrupted by a signal, or is the innermost */
    uint32_t unused;
    char function[FRAME_NAME_MAX]; /* "" unknown */
};

struct frames;

/* Unwinds the stacks of all threads. NULL when nothing could be found out. Needs the modules. */
struct frames *frames_gather(struct probe *probe);
void frames_release(struct frames *frames);

/* Writes them into the snapshot. */
void frames_write(struct frames *frames, struct probe *probe);

/* The frame a word of a thread's stack lies in; NULL when it is not known. *number is its number in the snapshot. */
const struct frame *frames_find(const struct frames *frames, uint32_t thread, uint64_t address, uint32_t *number);

/* Where the stack goes on that a thread used before it took a signal on another one; 0 when there is none. */
uint64_t frames_other_stack(const struct frames *frames, struct probe *probe, uint32_t thread);

#endif
