/* Where a dump that something triggers goes, and by which signal: the words of REFHEAP_DUMP_TO and REFHEAP_DUMP_ON.
 */
#ifndef RUNTIME_PATTERN_H
#define RUNTIME_PATTERN_H

#include <stddef.h>
#include <stdint.h>

enum { PATTERN_SIZE = 2048 };
#define PATTERN_DEFAULT "refheap-%p-%n.refheap"

/* Whether it is a path with %p (pid), %n (serial), %t (time in seconds) and %% and nothing else after a %. */
int pattern_is_good(const char *pattern);

/* Async-signal-safe. Cut at size - 1. */
void pattern_expand(const char *pattern, uint32_t serial, char *to, size_t size);

/* "USR2", "SIGUSR2" or a number; 0 when there is no such signal. */
int pattern_signal(const char *name);

#endif
