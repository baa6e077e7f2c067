/* What came, went and stayed between two snapshots, by group of objects. */
#ifndef GRAPH_CHANGES_H
#define GRAPH_CHANGES_H

#include "dominators.h"
#include "pairing.h"

/* A group is any set of objects of both snapshots. An object that stayed may have changed groups (generations):
 * before = gone + stayed + moved_out, after = new + stayed + moved_in. */
struct change {
    uint64_t before, after, new, gone, stayed, moved_in, moved_out; /* objects */
    uint64_t before_bytes, after_bytes, new_bytes, gone_bytes;
    int64_t grown_bytes; /* of those that stayed */
};

/* Adds up by group. group_of[side][o] numbers the group of each object; those at `groups` or above are left out.
 * `changes` has `groups` zeroed entries. */
void changes_by_group(const struct graph *const g[2], const struct pairing *pairing, uint32_t *const group_of[2],
                      uint32_t groups, struct change *changes);

/* Objects that stayed, by generation before and after; of those that `group_of` leaves out on both sides, none. */
void changes_by_generation(const struct graph *const g[2], const struct pairing *pairing, uint32_t *const group_of[2],
                           uint32_t groups, struct tally moved[GENERATION_LIMIT][GENERATION_LIMIT]);

/* Who holds what is new: the new objects of one group that are alike in the group of their immediate dominator. */
struct attribution {
    uint32_t held_by; /* group of the dominator, or one of these: */
    uint32_t group;
    uint64_t objects, bytes;
};
enum { HELD_BY_ROOTS = UINT32_MAX, HELD_BY_CYCLE = UINT32_MAX - 1 };

/* Attributes the new objects of the second snapshot that `group_of` does not leave out; `holder_of` numbers the groups
 * of dominators, and leaves none out. Most bytes first. Returns 0 or -1 without memory; the result is to be freed with
 * array_free(). */
int changes_attribute(const struct graph *g, const struct pairing *pairing, const struct dominators *d,
                      const uint32_t *group_of, uint32_t groups, const uint32_t *holder_of, struct attribution **result,
                      size_t *count);

#endif
