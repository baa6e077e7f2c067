#include "intern.h"

#include <stdlib.h>
#include <string.h>

static size_t slot_of(const struct intern *in, const char *text)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (const char *p = text; *p; p++)
        h = (h ^ (uint8_t)*p) * 0x100000001b3u;
    size_t i = (size_t)(h * 0x9e3779b97f4a7c15u >> 20) & in->mask;
    while (in->slots[i] && strcmp(in->text[in->slots[i] - 1], text))
        i = (i + 1) & in->mask;
    return i;
}

/* Room for twice as many texts, in a table that stays half empty. */
static int grow(struct intern *in)
{
    size_t capacity = in->slots ? in->mask + 1 : 32; /* texts: half as many as slots after */
    char **more = realloc(in->text, capacity * sizeof *more);
    if (!more)
        return -1;
    in->text = more;
    uint32_t *slots = calloc(2 * capacity, sizeof *slots);
    if (!slots)
        return -1;
    free(in->slots);
    in->slots = slots;
    in->mask = 2 * capacity - 1;
    for (uint32_t i = 0; i < in->count; i++)
        slots[slot_of(in, in->text[i])] = i + 1;
    return 0;
}

uint32_t intern_text(struct intern *in, const char *text)
{
    if (2 * (size_t)in->count >= (in->slots ? in->mask + 1 : 0) && grow(in))
        return UINT32_MAX;
    size_t slot = slot_of(in, text);
    if (!in->slots[slot]) {
        char *copy = strdup(text);
        if (!copy)
            return UINT32_MAX;
        in->text[in->count++] = copy;
        in->slots[slot] = in->count;
    }
    return in->slots[slot] - 1;
}

void intern_release(struct intern *in)
{
    for (uint32_t i = 0; i < in->count; i++)
        free(in->text[i]);
    free(in->text);
    free(in->slots);
    *in = (struct intern){0};
}
