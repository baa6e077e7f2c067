/* Where objects were made, as classes: objects whose innermost frames read alike are of one. */
#ifndef ANALYZER_SITES_H
#define ANALYZER_SITES_H

#include "intern.h"
#include "../session/session.h"

struct sites {
    uint32_t *of_object; /* number of the text */
    struct intern names; /* 0: "(not recorded)" */
};

/* Returns 0 or -1 without memory. */
int sites_find(const struct session *s, struct sites *result);
void sites_release(struct sites *sites);

#endif
