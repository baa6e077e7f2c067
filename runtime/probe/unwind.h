/* Unwinding by libdw: the part of frames.h that runs in a child process.
 */
#ifndef PROBE_UNWIND_H
#define PROBE_UNWIND_H

#include "frames.h"

/* Of a deep stack the innermost frames are kept, and as many of the outermost. */
enum { UNWIND_ENDS = 128, UNWIND_FRAMES_MAX = 1 << 18, UNWIND_THREADS_MAX = 4096, UNWIND_MODULES_MAX = 1024 };

/* Calls `found` for each frame of each thread, innermost first; a result other than 0 ends it. Trusts nothing, but is
 * written for a process that may crash. */
void unwind_threads(struct probe *probe, int (*found)(void *context, const struct frame *frame), void *context);

#endif
