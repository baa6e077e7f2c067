/* Saying what went wrong, in the one line every failure gets. */
#ifndef ANALYZER_FAIL_H
#define ANALYZER_FAIL_H

#include <refheap/error.h>

enum command_status { STATUS_FINE = 0, STATUS_FOUND = 1, STATUS_ERROR = 2 };

/* Prints the one line of an error and returns STATUS_ERROR. `file` may be NULL. */
int fail(const char *file, const struct rh_error *err);

#endif
