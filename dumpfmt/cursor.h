/* A bounded cursor over bytes from outside. Every read checks the bounds; after a failure the cursor stays where it
 * was and `failed` is set. */
#ifndef DUMPFMT_CURSOR_H
#define DUMPFMT_CURSOR_H

#include <stddef.h>
#include <stdint.h>

struct cursor {
    const uint8_t *at, *end;
    int failed;
};

static inline struct cursor cursor_over(const void *bytes, size_t size)
{
    return (struct cursor){(const uint8_t *)bytes, (const uint8_t *)bytes + size, 0};
}

static inline size_t cursor_left(const struct cursor *c)
{
    return (size_t)(c->end - c->at);
}

/* The next `size` bytes, or NULL when there are not so many. */
static inline const void *cursor_take(struct cursor *c, uint64_t size)
{
    if (c->failed || size > cursor_left(c)) {
        c->failed = 1;
        return NULL;
    }
    const void *p = c->at;
    c->at += size;
    return p;
}

/* Takes the zero bytes that pad a payload of `size` bytes to a multiple of 8; fails when one is not zero. */
static inline void cursor_take_padding(struct cursor *c, uint64_t size)
{
    uint64_t n = ((size + 7) & ~(uint64_t)7) - size;
    const uint8_t *p = (const uint8_t *)cursor_take(c, n);
    for (uint64_t i = 0; p && i < n; i++)
        if (p[i])
            c->failed = 1;
}

#endif
