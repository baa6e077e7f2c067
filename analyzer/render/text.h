/* Numbers and names as people read them. */
#ifndef RENDER_TEXT_H
#define RENDER_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { TEXT_NUMBER_SIZE = 48 };

/* 1204 -> "1,204"; returns `to`. */
const char *text_count(uint64_t value, char to[TEXT_NUMBER_SIZE]);

/* 1 object, 1,204 objects: the count and the noun, with an s unless it is one. `noun` is short. */
const char *text_plural(uint64_t value, const char *noun, char to[TEXT_NUMBER_SIZE]);

/* 1536 -> "1.5 KiB", three digits that matter. */
const char *text_size(uint64_t bytes, char to[TEXT_NUMBER_SIZE]);

/* What part of a whole something is, in ten-thousandths, rounded; 0 of nothing. */
enum { TEXT_SHARE_WHOLE = 10000 };
uint64_t text_share_of(uint64_t part, uint64_t whole);

/* A share in ten-thousandths as per cent: 5812 -> "58 %", 231 -> "2.3 %", 3 -> "<0.1 %". */
const char *text_share(uint64_t share, char to[TEXT_NUMBER_SIZE]);

/* Nanoseconds since 1970 -> "2025-03-01 12:30:05 UTC". */
const char *text_time(int64_t nanoseconds, char to[TEXT_NUMBER_SIZE]);

/* 0, 1, 2, "permanent", "untracked". */
const char *text_generation(unsigned generation);

/* Copies text from a snapshot so that it can do no harm where it is shown: control characters and bytes that are no
 * UTF-8 become \xNN, characters that turn text around or that XML forbids \uNNNN, at most `cap` characters (then "..."
 * follows). The result is terminated and at most `size` bytes. Returns its length. */
size_t text_clean(const char *from, size_t length, size_t cap, char *to, size_t size);

/* Length in bytes of the UTF-8 character at `p` (of `left` bytes), 0 when it is not one. Overlong forms, surrogates and
 * what lies beyond U+10FFFF are none. */
unsigned text_character(const unsigned char *p, size_t left);

/* Columns a terminal gives to UTF-8 text, counting every character as one. */
size_t text_width(const char *text);

#endif
