/* What is likely wrong with a heap, in sentences a colleague would say, each with its numbers and the commands behind
 * it.
 *
 * What counts as suspicious: one keeper under which a tenth of the heap gathers as objects of one type, many or large;
 * a tenth of the heap in objects of one type that no single object keeps; a type that grew by a tenth of the heap since
 * the snapshot before; garbage cycles that keep a hundredth of it; and any garbage that a collection cannot free or
 * see.
 */
#ifndef ANALYZER_SUSPECTS_H
#define ANALYZER_SUSPECTS_H

#include "baseline.h"
#include "../session/names.h"

enum { EVIDENCE_MAX = 3, SENTENCE_SIZE = 1024, EVIDENCE_SIZE = 1024 };

struct suspect {
    const char *kind; /* keeper, chain, large, scattered, growth, cycles, uncollectable, invisible */
    char sentence[SENTENCE_SIZE];
    uint64_t objects, bytes;
    char evidence[EVIDENCE_MAX][EVIDENCE_SIZE];
    size_t evidence_count;
    /* What it is about, where it is about such a thing: */
    uint32_t klass; /* objects of this class; UINT32_MAX */
    ordinal keeper; /* what holds them; ORDINAL_NONE */
    ordinal cycle;  /* one of the cycles; ORDINAL_NONE */
};

/* In order of bytes, largest first. Begins zeroed. */
struct suspects {
    struct suspect *items;
    size_t count, capacity;
    int no_memory;
};

/* `baseline` may be NULL. Needs session_dominators() and session_values(). Returns 0 or -1 without memory. */
int suspects_find(const struct session *s, const struct baseline *baseline, struct suspects *result);

/* The same, of garbage what a collection of `generation` would find; needs session_garbage() of it. */
int suspects_find_by(const struct session *s, const struct baseline *baseline, int generation, struct suspects *result);
void suspects_release(struct suspects *suspects);

#endif
