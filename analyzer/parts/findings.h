/* What `check` found about each budget, and the objects that are to blame. */
#ifndef ANALYZER_FINDINGS_H
#define ANALYZER_FINDINGS_H

#include "budget.h"
#include "../graph/audit.h"
#include "../graph/routes.h"

struct finding {
    const struct budget *budget;
    int64_t actual;         /* in the budget's unit; negative when something shrank. Of percent see `percent` */
    double percent;         /* of growth; infinite from nothing */
    uint64_t before, after; /* of growth: objects, or bytes where the unit is bytes */
    int passed;
    ordinal *objects; /* to blame, of the first snapshot; none when it passed */
    size_t count;
};

/* All that several findings are made of. */
struct findings {
    struct invocation *inv;
    struct finding *items;
    size_t count, failed;
    int has_audit;
    struct audit audit;
    struct routes routes;
    ordinal *shape;      /* of each cycle: the first cycle of its shape */
    uint64_t *signature; /* by object, 0 where not known yet: findings_signature() */
    uint64_t *step;
};

/* Measures the snapshot by each budget. Returns 0, -1 without memory, or STATUS_ERROR after saying why. */
int findings_make(struct invocation *inv, const struct budgets *budgets, struct findings *result);
void findings_release(struct findings *findings);

/* A number that is equal for objects of one type that are held in one way: by the same types through the same fields,
 * from the same root; or that are part of cycles of one shape. A chain of like references counts as one. */
uint64_t findings_signature(const struct findings *f, ordinal o);

#endif
