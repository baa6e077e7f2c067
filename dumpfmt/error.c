#include "error.h"

#include <stdarg.h>
#include <stdio.h>

static void copy_text(char *to, unsigned long size, const char *from)
{
    unsigned long i = 0;
    if (from)
        for (; i + 1 < size && from[i]; i++)
            to[i] = from[i];
    to[i] = 0;
}

static int error_fill(struct rh_error *err, int code, int os_error, const char *what, const char *hint)
{
    if (err) {
        err->code = code;
        err->os_error = os_error;
        err->has_offset = 0;
        err->offset = 0;
        err->section[0] = 0;
        copy_text(err->what, sizeof err->what, what);
        copy_text(err->hint, sizeof err->hint, hint);
    }
    return code;
}

int error_set(struct rh_error *err, int code, const char *what, const char *hint)
{
    return error_fill(err, code, 0, what, hint);
}

int error_set_os(struct rh_error *err, int os_error, const char *what, const char *hint)
{
    return error_fill(err, RH_ERR_IO, os_error, what, hint);
}

int error_format(struct rh_error *err, int code, const char *hint, const char *format, ...)
{
    char what[sizeof err->what];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return error_fill(err, code, 0, what, hint);
}

void error_at(struct rh_error *err, const char *section, uint64_t offset)
{
    if (!err)
        return;
    copy_text(err->section, sizeof err->section, section);
    err->has_offset = 1;
    err->offset = offset;
}

int error_set_at(struct rh_error *err, int code, const char *section, uint64_t offset, const char *what,
                 const char *hint)
{
    error_set(err, code, what, hint);
    error_at(err, section, offset);
    return code;
}
