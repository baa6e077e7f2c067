/* Text made to fit a place on a terminal: so many columns, neither more nor less. */
#ifndef BROWSE_FIT_H
#define BROWSE_FIT_H

#include <stddef.h>

/* Room for a line of the widest terminal that is served, whatever its characters. */
enum { FIT_COLUMNS_MAX = 1000, FIT_SIZE = 12 * FIT_COLUMNS_MAX + 1 };

/* Whether what goes to a terminal can be UTF-8: the character set of the locale's LC_CTYPE. */
int fit_is_unicode(void);

/* Writes `text` into exactly `width` columns, without the first `skip` of its own; what is too long ends in "~", what
 * is short is filled with blanks, in front where `right` says so. What could harm a terminal, or has no width a program
 * can know (controls, bytes that are no UTF-8, marks of direction, characters the locale does not have), is written as
 * \xNN or \uNNNN. Returns the length in bytes; `to` has FIT_SIZE bytes. */
size_t fit_text(const char *text, size_t skip, size_t width, int right, char *to);

/* Columns the whole of a text takes, so written. */
size_t fit_width(const char *text);

/* Bytes of a text to put on a line of `width` columns (at least one): up to a blank, if there is one late enough. */
size_t fit_break(const char *text, size_t width);

#endif
