#include "components.h"

#include <string.h>

#include "array.h"

/* The search in progress. `rindex` is 0 for what was not visited, a preorder number while an object's component is
 * open, and counts down from the top for what is closed (Pearce 2016). */
struct search {
    const struct graph *g;
    const uint8_t *fate;
    unsigned fates;
    ordinal *rindex;
    uint64_t *edge; /* by depth: next edge of the object there */
    ordinal *path;  /* by depth */
    ordinal *open;  /* objects whose component is not closed yet */
    uint8_t *is_root;
    size_t depth, open_count;
    ordinal next_index, next_component;
};

static int is_part(const struct search *s, ordinal o)
{
    return s->fates >> s->fate[o] & 1;
}

static void enter(struct search *s, ordinal o)
{
    s->path[s->depth] = o;
    s->edge[s->depth] = s->g->edge_start[o];
    s->depth++;
    s->rindex[o] = s->next_index++;
    s->is_root[o] = 1;
}

/* All edges of o were followed: o closes a component, or waits for the one it belongs to. */
static void leave(struct search *s, ordinal o)
{
    s->depth--;
    if (!s->is_root[o]) {
        s->open[s->open_count++] = o;
        return;
    }
    ordinal index = s->rindex[o];
    s->next_index--;
    while (s->open_count && s->rindex[s->open[s->open_count - 1]] >= index) {
        s->rindex[s->open[--s->open_count]] = s->next_component;
        s->next_index--;
    }
    s->rindex[o] = s->next_component--;
}

static void search_from(struct search *s, ordinal start)
{
    const struct graph *g = s->g;
    enter(s, start);
    while (s->depth) {
        ordinal o = s->path[s->depth - 1];
        uint64_t e = s->edge[s->depth - 1];
        ordinal into = ORDINAL_NONE;
        for (; e < g->edge_start[o + 1]; e++) {
            ordinal t = g->target[e];
            if (t == ORDINAL_NONE || !edge_is_counted(g->info[e]) || !is_part(s, t))
                continue;
            if (!s->rindex[t]) {
                into = t;
                break; /* the edge is looked at again on the way back */
            }
            if (s->rindex[t] < s->rindex[o]) {
                s->rindex[o] = s->rindex[t];
                s->is_root[o] = 0;
            }
        }
        s->edge[s->depth - 1] = e;
        if (into != ORDINAL_NONE)
            enter(s, into);
        else
            leave(s, o);
    }
}

static int run_search(struct search *s, size_t n)
{
    s->rindex = array_new(n, sizeof *s->rindex);
    s->edge = array_raw(n, sizeof *s->edge);
    s->path = array_raw(n, sizeof *s->path);
    s->open = array_raw(n, sizeof *s->open);
    s->is_root = array_new(n, 1);
    int status = s->rindex && s->edge && s->path && s->open && s->is_root ? 0 : -1;
    s->next_index = 1;
    s->next_component = ORDINAL_NONE - 1;
    for (ordinal o = 0; !status && o < s->g->objects; o++)
        if (is_part(s, o) && !s->rindex[o])
            search_from(s, o);
    array_free(s->edge);
    array_free(s->path);
    array_free(s->open);
    array_free(s->is_root);
    return status;
}

/* Lists members by component and says which components are cyclic and which are reached from elsewhere. */
static int describe(const struct graph *g, const uint8_t *fate, unsigned reaching, struct components *c)
{
    size_t n = (size_t)c->count + 2;
    c->member_start = array_new(n, sizeof *c->member_start);
    c->cyclic = array_new(n, 1);
    c->reached = array_new(n, 1);
    size_t members = 0;
    for (ordinal o = 0; o < g->objects; o++)
        members += c->component[o] != ORDINAL_NONE;
    c->member = array_new(members + 1, sizeof *c->member);
    if (!c->member_start || !c->cyclic || !c->reached || !c->member)
        return -1;
    for (ordinal o = 0; o < g->objects; o++)
        if (c->component[o] != ORDINAL_NONE)
            c->member_start[c->component[o] + 2]++;
    for (ordinal i = 0; i < c->count; i++)
        c->member_start[i + 2] += c->member_start[i + 1];
    for (ordinal o = 0; o < g->objects; o++) {
        ordinal own = c->component[o];
        if (!(reaching >> fate[o] & 1))
            continue;
        if (own != ORDINAL_NONE)
            c->member[c->member_start[own + 1]++] = o;
        for (uint64_t e = g->edge_start[o]; e < g->edge_start[o + 1]; e++) {
            ordinal t = g->target[e];
            if (t == ORDINAL_NONE || !edge_is_counted(g->info[e]) || c->component[t] == ORDINAL_NONE)
                continue;
            if (t == o)
                c->cyclic[own] = 1;
            else if (c->component[t] != own)
                c->reached[c->component[t]] = 1;
        }
    }
    for (ordinal i = 0; i < c->count; i++)
        if (c->member_start[i + 1] - c->member_start[i] > 1)
            c->cyclic[i] = 1;
    return 0;
}

int components_find(const struct graph *g, const uint8_t *fate, unsigned fates, unsigned reaching, struct components *c)
{
    struct search s = {.g = g, .fate = fate, .fates = fates};
    memset(c, 0, sizeof *c);
    int status = run_search(&s, (size_t)g->objects + 1);
    if (!status) {
        c->component = s.rindex; /* closed numbers count down from ORDINAL_NONE - 1 */
        for (ordinal o = 0; o < g->objects; o++)
            c->component[o] = c->component[o] ? ORDINAL_NONE - 1 - c->component[o] : ORDINAL_NONE;
        c->count = ORDINAL_NONE - 1 - s.next_component;
        status = describe(g, fate, fates | reaching, c);
    } else {
        array_free(s.rindex);
    }
    if (status)
        components_release(c);
    return status;
}

void components_release(struct components *c)
{
    array_free(c->component);
    array_free(c->member);
    array_free(c->member_start);
    array_free(c->cyclic);
    array_free(c->reached);
    memset(c, 0, sizeof *c);
}
