/* Filling in a struct rh_error. Internal to refheap; the struct itself is public. */
#ifndef DUMPFMT_ERROR_H
#define DUMPFMT_ERROR_H

#include <refheap/error.h>

/* Sets code, what and hint (both copied, cut to fit), clears the rest, and returns code. err may be NULL. Safe in a
 * signal handler. */
int error_set(struct rh_error *err, int code, const char *what, const char *hint);

/* The same for a failed system call; `os_error` is a positive errno. */
int error_set_os(struct rh_error *err, int os_error, const char *what, const char *hint);

/* The same with printf formatting of `what`; not for signal handlers. */
int error_format(struct rh_error *err, int code, const char *hint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same for something wrong with a file, and where. */
int error_set_at(struct rh_error *err, int code, const char *section, uint64_t offset, const char *what,
                 const char *hint);

/* Adds the place in the file to an error that is already set. */
void error_at(struct rh_error *err, const char *section, uint64_t offset);

#endif
