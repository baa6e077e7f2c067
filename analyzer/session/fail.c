#include "fail.h"

#include <stdio.h>
#include <string.h>

int fail(const char *file, const struct rh_error *err)
{
    fflush(stdout);
    fputs("refheap: ", stderr);
    if (file)
        fprintf(stderr, "%s: ", file);
    fputs(err->what, stderr);
    if (err->os_error)
        fprintf(stderr, ": %s", strerror(err->os_error));
    if (err->has_offset)
        fprintf(stderr, " [at section %s, offset %llu]", err->section, (unsigned long long)err->offset);
    if (err->hint[0])
        fprintf(stderr, "; %s", err->hint);
    fputc('\n', stderr);
    return STATUS_ERROR;
}
