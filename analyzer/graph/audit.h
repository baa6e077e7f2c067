/* Whether each refcount is what its holders say, and cycles that nothing explained keeps alive. */
#ifndef GRAPH_AUDIT_H
#define GRAPH_AUDIT_H

#include "components.h"
#include "roots.h"

/* Holders of an object are the counted edges into it (internal references) and the exact counted roots (explained);
 * what its refcount has beyond them is unexplained. */
enum audit_class {
    AUDIT_CLEAN,
    AUDIT_OVER,           /* unexplained references, and no possible root */
    AUDIT_POSSIBLY_OVER,  /* unexplained references, and possible roots */
    AUDIT_UNDER,          /* more holders than the refcount: a use after free in waiting */
    AUDIT_POSSIBLY_UNDER, /* more holders only when edges found by scanning are among them */
    AUDIT_NOT_AUDITABLE,  /* immortal, damaged, being taken apart, or in a module's own memory: its refcount says
                             nothing */
    AUDIT_CLASSES,
};

/* A cyclic component of live objects with unexplained references, which nothing that is held for a known reason (an
 * exact counted root, immortality, the permanent generation, a module's own memory) reaches: with those references gone
 * it would be garbage.
 */
struct pinned {
    ordinal component; /* of audit.components */
    ordinal objects;
    uint64_t bytes;
    uint64_t unexplained; /* references to its members */
};

struct audit {
    uint8_t *class_of;             /* by object: enum audit_class */
    uint32_t *explained;           /* by object: references of exact roots */
    uint64_t *is_static;           /* bits: objects that stand in a module's own memory */
    uint64_t count[AUDIT_CLASSES]; /* objects by class */
    uint64_t inferred;             /* counted edges that scanning found */
    struct components components;  /* of what no known holder reaches */
    struct pinned *pinned;         /* largest first, then by lowest member */
    ordinal pinned_count;
};

/* References to an auditable object that nothing explains; negative where there are more holders than references. */
static inline int64_t audit_unexplained(const struct graph *g, const struct audit *a, ordinal o)
{
    return graph_external(g, o) - (int64_t)a->explained[o];
}

/* `garbage` is that of the oldest generation. Returns 0 or -1 without memory. */
int audit_find(const struct graph *g, const struct roots *roots, const struct garbage *garbage, struct audit *result);
void audit_release(struct audit *audit);

#endif
