#include "sketch_tree.h"

#include <stdlib.h>
#include <string.h>

#include "../render/text.h"

int tree_add(struct tree *t, const struct leaf *leaf)
{
    if (t->count == t->capacity) {
        size_t larger = t->capacity ? 2 * t->capacity : 64;
        struct leaf *more = realloc(t->leaves, larger * sizeof *more);
        if (!more)
            return -1;
        t->leaves = more;
        t->capacity = larger;
    }
    t->leaves[t->count++] = *leaf;
    return 0;
}

void tree_edge(struct tree *t, uint32_t from, uint32_t to, const char *label, uint64_t count, uint8_t kind)
{
    struct picture_edge edge = {
        .from = from, .to = to, .label = (char *)(uintptr_t)label, .count = count, .kind = kind};
    picture_add_edge(&t->sk->picture, &edge);
}

/* The heaviest that may be opened, of equals the first in the picture; the number of leaves when there is none. */
static size_t choose(const struct tree *t)
{
    size_t best = t->count;
    for (size_t i = 0; i < t->count; i++) {
        const struct leaf *a = &t->leaves[i], *b = best < t->count ? &t->leaves[best] : NULL;
        if (t->depth_max && a->depth >= t->depth_max)
            continue;
        if (!b || a->weight > b->weight || (a->weight == b->weight && a->node < b->node))
            best = i;
    }
    return best;
}

static void mark_closed(struct tree *t)
{
    char text[256], n[TEXT_NUMBER_SIZE];
    for (size_t i = 0; i < t->count; i++) {
        const struct leaf *l = &t->leaves[i];
        const char *detail = l->node < t->sk->picture.node_count ? t->sk->picture.nodes[l->node].detail : NULL;
        snprintf(text, sizeof text, "%.160s%s%s more below", detail ? detail : "", detail ? "\n" : "",
                 text_count(l->below, n));
        picture_set_detail(&t->sk->picture, l->node, text);
    }
    if (t->count) {
        snprintf(text, sizeof text, "what stands below %s of these", text_count(t->count, n));
        picture_leave_out(&t->sk->picture, text);
    }
}

int tree_grow(struct tree *t)
{
    int status = 0;
    size_t best;
    while (!status && !t->sk->picture.no_memory && (best = choose(t)) < t->count) {
        size_t used = t->sk->picture.node_count, limit = t->sk->limit;
        struct leaf leaf = t->leaves[best];
        if (used >= limit)
            break;
        t->leaves[best] = t->leaves[--t->count];
        status = t->open(t, &leaf, limit - used < TREE_CHILDREN ? limit - used : TREE_CHILDREN);
    }
    if (!status && t->sk->picture.no_memory)
        status = -1;
    if (!status)
        mark_closed(t);
    free(t->leaves);
    t->leaves = NULL;
    return status;
}
