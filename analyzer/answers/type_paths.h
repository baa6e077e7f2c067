/* Ways down the dominator tree by types: objects that stand on the same way - below a session, below a cache, below a
 * list - are one frame. An object below another of its own type stands in the same frame.
 */
#ifndef ANALYZER_TYPE_PATHS_H
#define ANALYZER_TYPE_PATHS_H

#include "../session/session.h"

struct frame {
    uint32_t parent, class; /* the class of types, classes.count for garbage cycles */
    uint32_t depth;
    ordinal largest; /* the vertex here that retains most */
    uint64_t bytes;  /* of the objects here */
    uint64_t count;  /* vertices here: objects, or cycles */
};

/* Parents before children; frame 0 is the super-root. Begins zeroed. */
struct type_paths {
    struct frame *frames;
    uint32_t count, capacity;
    uint32_t *slots; /* frame + 1, by parent and class */
    size_t mask;
    uint32_t depth_max; /* below that everything belongs to the last frame */
};

/* Needs session_dominators(). Returns 0 or -1 without memory; release it also then. */
int type_paths_find(const struct session *s, uint32_t depth_max, struct type_paths *result);
void type_paths_release(struct type_paths *paths);

#endif
