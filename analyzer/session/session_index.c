/* A session and the index kept for it: answers from it, and a new one at the end. */
#include "session.h"
#include "session_kept.h"

/* Below this building is faster than looking for what was kept. */
enum { KEPT_FROM = 100000 };

int session_rows(struct session *s, unsigned groups, struct rh_error *err)
{
    int taken = !s->has_graph && !session_classes(s, err);
    groups |= 1u << KEPT_ADDRESSES | 1u << KEPT_GRAPH;
    for (unsigned group = 0; group < KEPT_GROUPS && taken; group++)
        taken = !(groups >> group & 1) || kept_has(s, (enum kept_group)group);
    for (unsigned group = 0; group < KEPT_GROUPS && taken; group++) {
        int late = group == KEPT_GRAPH || group == KEPT_BACK || group == KEPT_DOMINATORS;
        taken = !(groups >> group & 1) || kept_take(s, (enum kept_group)group, late);
    }
    if (!taken)
        return 0;
    kept_watch(s);
    return !session_roots(s, err);
}

int session_retained(struct session *s, ordinal vertex, uint64_t *retained, struct rh_error *err)
{
    int late = s->unsettled >> KEPT_DOMINATORS & 1;
    int wrong = late && kept_check_bytes(s->kept, &s->dominators.retained[vertex], sizeof *retained);
    int status = wrong ? session_dominators(s, err) : 0; /* settles what was taken, and computes what was wrong */
    if (!status)
        *retained = s->dominators.retained[vertex];
    return status;
}

/* The groups that the index has already: they are kept with the new ones. */
static unsigned take_all(struct session *s)
{
    unsigned there = kept_there(s);
    for (unsigned group = 0; group < KEPT_GROUPS; group++)
        if (!(there >> group & 1) && kept_take(s, (enum kept_group)group, 0))
            there |= 1u << group;
    return there;
}

void session_keep(struct session *s)
{
    struct snapshot_identity identity;
    struct rh_error err;
    if (s->no_cache || (s->kept_is_damaged && session_graph(s, &err)))
        return;
    int is_new = s->kept_is_damaged || kept_there(s) & ~s->borrowed;
    if (!s->has_graph || s->graph.objects < KEPT_FROM || !is_new || snapshot_identity(s->snapshot, &identity))
        return;
    session_progress(s, "keeping the index");
    if (!session_back(s, &err) && !session_values(s, &err) && !kept_settle(s, &err))
        kept_store(s, take_all(s), &identity);
    session_progress_end(s);
}
