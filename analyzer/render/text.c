#include "text.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

const char *text_count(uint64_t value, char to[TEXT_NUMBER_SIZE])
{
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%" PRIu64, value);
    char *p = to;
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0)
            *p++ = ',';
        *p++ = digits[i];
    }
    *p = 0;
    return to;
}

const char *text_plural(uint64_t value, const char *noun, char to[TEXT_NUMBER_SIZE])
{
    text_count(value, to);
    size_t n = strlen(to);
    snprintf(to + n, TEXT_NUMBER_SIZE - n, " %s%s", noun, value == 1 ? "" : "s");
    return to;
}

const char *text_size(uint64_t bytes, char to[TEXT_NUMBER_SIZE])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes;
    int unit = 0;
    while (value >= 1000 && unit < 6) {
        value /= 1024;
        unit++;
    }
    snprintf(to, TEXT_NUMBER_SIZE,
             unit == 0 || value >= 100 ? "%.0f %s"
             : value >= 10             ? "%.1f %s"
                                       : "%.2f %s",
             value, units[unit]);
    return to;
}

uint64_t text_share_of(uint64_t part, uint64_t whole)
{
    return whole ? (uint64_t)(((unsigned __int128)part * TEXT_SHARE_WHOLE + whole / 2) / whole) : 0;
}

const char *text_share(uint64_t share, char to[TEXT_NUMBER_SIZE])
{
    if (share && share < 10)
        snprintf(to, TEXT_NUMBER_SIZE, "<0.1 %%");
    else if (share && share < 1000)
        snprintf(to, TEXT_NUMBER_SIZE, "%" PRIu64 ".%" PRIu64 " %%", share / 100, share / 10 % 10);
    else
        snprintf(to, TEXT_NUMBER_SIZE, "%" PRIu64 " %%", (share + 50) / 100);
    return to;
}

const char *text_time(int64_t nanoseconds, char to[TEXT_NUMBER_SIZE])
{
    time_t seconds = (time_t)(nanoseconds / 1000000000);
    struct tm tm;
    if (!gmtime_r(&seconds, &tm) || !strftime(to, TEXT_NUMBER_SIZE, "%Y-%m-%d %H:%M:%S UTC", &tm))
        snprintf(to, TEXT_NUMBER_SIZE, "?");
    return to;
}

const char *text_generation(unsigned generation)
{
    static const char *const names[] = {"0", "1", "2", "permanent", "untracked"};
    return generation < 5 ? names[generation] : "?";
}

unsigned text_character(const unsigned char *p, size_t left)
{
    if (p[0] < 0x80)
        return 1;
    unsigned n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || n > left)
        return 0;
    for (unsigned i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
        (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

/* C1 controls are two bytes of UTF-8 and as dangerous to a terminal as C0. */
static int is_control(const unsigned char *p, unsigned n)
{
    return n == 1 ? p[0] < 0x20 || p[0] == 0x7f : n == 2 && p[0] == 0xc2 && p[1] < 0xa0;
}

/* Characters that turn text around, end lines, or that XML forbids, by number; 0 for all others. */
static unsigned unsafe_character(const unsigned char *p, unsigned n)
{
    if (n < 2)
        return 0;
    unsigned c = p[0] & (n == 2 ? 0x1fu : n == 3 ? 0x0fu : 0x07u);
    for (unsigned i = 1; i < n; i++)
        c = c << 6 | (p[i] & 0x3fu);
    int turns =
        c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
    return turns || c == 0x2028 || c == 0x2029 || c == 0xfeff || (c & 0xfffe) == 0xfffe ? c : 0;
}

size_t text_clean(const char *from, size_t length, size_t cap, char *to, size_t size)
{
    const unsigned char *p = (const unsigned char *)from, *end = p + length;
    size_t used = 0, shown = 0;
    if (!size)
        return 0;
    while (p < end) {
        unsigned n = text_character(p, (size_t)(end - p));
        unsigned unsafe = unsafe_character(p, n);
        int plain = n && !unsafe && !is_control(p, n);
        size_t need = plain ? n : unsafe > 0xffff ? 9 : unsafe ? 6 : 4;
        if (shown == cap || used + need + 4 > size) { /* room for the dots and the end */
            if (used + 4 <= size) {
                memcpy(to + used, "...", 3);
                used += 3;
            }
            break;
        }
        if (plain) {
            memcpy(to + used, p, n);
        } else if (unsafe) {
            snprintf(to + used, need + 1, unsafe > 0xffff ? "\\U%07x" : "\\u%04x", unsafe);
        } else {
            n = 1;
            snprintf(to + used, 5, "\\x%02x", *p);
        }
        used += need;
        p += n;
        shown++;
    }
    to[used] = 0;
    return used;
}

size_t text_width(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}
