/* Texts as numbers: equal texts have one. */
#ifndef ANALYZER_INTERN_H
#define ANALYZER_INTERN_H

#include <stddef.h>
#include <stdint.h>

/* Begins zeroed. */
struct intern {
    char **text; /* by number */
    uint32_t count;
    uint32_t *slots; /* number + 1 */
    size_t mask;
};

/* The number of a text, from 0 in order of first use; UINT32_MAX without memory. */
uint32_t intern_text(struct intern *in, const char *text);
void intern_release(struct intern *in);

#endif
