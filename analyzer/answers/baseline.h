/* An earlier snapshot beside the one that is asked about: which objects were there already, and how many of each type.
 */
#ifndef ANALYZER_BASELINE_H
#define ANALYZER_BASELINE_H

#include "../graph/garbage.h"
#include "../session/session.h"

enum identity {
    IDENTITY_NONE,     /* another process: only types can be compared */
    IDENTITY_SERIAL,   /* by serial number */
    IDENTITY_INFERRED, /* by address and type: memory that was used again for an object of the same type is not told
                          apart */
};

struct baseline {
    struct session session;
    enum identity identity;
    uint8_t *was_there;   /* by object of the later snapshot; NULL with IDENTITY_NONE */
    struct tally *before; /* by class of the later snapshot: objects and bytes in the earlier one */
};

/* Opens `path` and compares `now` with it, which must have its graph. Zero the baseline before. Release it also after
 * an error. */
int baseline_open(struct baseline *b, const char *path, int salvage, struct session *now, struct rh_error *err);
void baseline_release(struct baseline *b);

/* "serial", "inferred", "none". */
const char *baseline_identity(const struct baseline *b);

#endif
