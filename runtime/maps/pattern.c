#include "pattern.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../dumpfmt/rawsys.h"

int pattern_is_good(const char *pattern)
{
    if (!*pattern || strlen(pattern) >= PATTERN_SIZE)
        return 0;
    for (const char *p = pattern; *p; p++)
        if (*p == '%' && (!*++p || !strchr("pnt%", *p)))
            return 0;
    return 1;
}

static char *put_number(char *to, const char *end, uint64_t number)
{
    char digits[20];
    int n = 0;
    do
        digits[n++] = (char)('0' + number % 10);
    while (number /= 10);
    while (n && to < end)
        *to++ = digits[--n];
    return to;
}

void pattern_expand(const char *pattern, uint32_t serial, char *to, size_t size)
{
    const char *end = to + size - 1;
    struct timespec now = {0, 0};
    raw_syscall(SYS_clock_gettime, CLOCK_REALTIME, (long)&now, 0, 0, 0, 0);
    for (const char *p = pattern; *p && to < end; p++) {
        if (*p != '%') {
            *to++ = *p;
            continue;
        }
        switch (*++p) {
        case 'p':
            to = put_number(to, end, (uint64_t)raw_getpid());
            break;
        case 'n':
            to = put_number(to, end, serial);
            break;
        case 't':
            to = put_number(to, end, (uint64_t)now.tv_sec);
            break;
        default: /* %%; nothing else gets past pattern_is_good() */
            *to++ = '%';
            break;
        }
    }
    *to = 0;
}

int pattern_signal(const char *name)
{
    char *end;
    long number = strtol(name, &end, 10);
    if (*name && !*end)
        return number > 0 && number < NSIG ? (int)number : 0;
    if (!strncmp(name, "SIG", 3))
        name += 3;
    for (int i = 1; i < NSIG; i++)
        if (sigabbrev_np(i) && !strcmp(sigabbrev_np(i), name))
            return i;
    return 0;
}
