#include "components.h"

#include <string.h>

#include "array.h"
#include "rows.h"

/* An object on the path: its row, what of it is still to be followed, and the index it was met with. */
struct frame {
    ordinal place, next, end, index;
};

/* The search in progress, over the rows of rows.h. A row's head is ROW_FRESH until its object is met; then an index
 * that goes up while its component is open, and, when that is closed, a number that comes down from CLOSED_FIRST, so
 * that what is closed is never less than what is open (Pearce 2016). */
struct search {
    struct edge_rows rows;
    struct frame *path;
    ordinal *open; /* places of objects whose component is not closed yet */
    size_t depth, open_count;
    ordinal next_index, next_component;
};
#define CLOSED_FIRST (ROW_FRESH - 1)

static inline ordinal *head_at(const struct search *s, ordinal place)
{
    return row_at(&s->rows, place);
}

static void enter(struct search *s, ordinal place)
{
    ordinal *row = row_at(&s->rows, place), successors = row_successors(*row);
    for (ordinal i = 1; i <= successors; i++)
        __builtin_prefetch(head_at(s, row[i]));
    *row = s->next_index++;
    s->path[s->depth++] = (struct frame){place, 1, successors + 1, *row};
}

/* All edges of an object were followed: it closes a component, or waits for the one it belongs to. */
static void leave(struct search *s, const struct frame *frame)
{
    ordinal *head = head_at(s, frame->place);
    s->depth--;
    if (*head != frame->index) {
        s->open[s->open_count++] = frame->place;
        return;
    }
    s->next_index--;
    while (s->open_count && *head_at(s, s->open[s->open_count - 1]) >= frame->index) {
        *head_at(s, s->open[--s->open_count]) = s->next_component;
        s->next_index--;
    }
    *head = s->next_component--;
}

static void search_from(struct search *s, ordinal start)
{
    enter(s, start);
    while (s->depth) {
        struct frame *frame = &s->path[s->depth - 1];
        ordinal *row = row_at(&s->rows, frame->place), into = ORDINAL_NONE;
        for (; frame->next < frame->end; frame->next++) {
            ordinal met = *head_at(s, row[frame->next]);
            if (met & ROW_FRESH) {
                into = row[frame->next];
                break; /* the edge is looked at again on the way back */
            }
            *row = met < *row ? met : *row;
        }
        if (into != ORDINAL_NONE)
            enter(s, into);
        else
            leave(s, frame);
    }
}

static int run_search(struct search *s, const struct graph *g, const uint8_t *fate, unsigned fates)
{
    size_t n = 0;
    for (ordinal o = 0; o < g->objects; o++)
        n += fates >> fate[o] & 1;
    s->path = array_raw(n + 1, sizeof *s->path);
    s->open = array_raw(n + 1, sizeof *s->open);
    int status = s->path && s->open ? rows_lay_part(g, fate, fates, &s->rows) : -1;
    s->next_index = 1;
    s->next_component = CLOSED_FIRST;
    for (ordinal o = 0; !status && o < g->objects; o++)
        if (fates >> fate[o] & 1 && *head_at(s, row_place(&s->rows, o)) & ROW_FRESH)
            search_from(s, row_place(&s->rows, o));
    array_free(s->path);
    array_free(s->open);
    return status;
}

/* Components out of the heads of rows, which are given back. */
static int read_components(struct search *s, const struct graph *g, const uint8_t *fate, unsigned fates,
                           struct components *c)
{
    c->component = array_raw((size_t)g->objects + 1, sizeof *c->component);
    for (ordinal o = 0; c->component && o < g->objects; o++)
        c->component[o] = fates >> fate[o] & 1 ? CLOSED_FIRST - *head_at(s, row_place(&s->rows, o)) : ORDINAL_NONE;
    c->count = CLOSED_FIRST - s->next_component;
    array_cut(s->rows.words, 0, 1); /* of a small part, little was touched */
    return c->component ? 0 : -1;
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
    struct search s = {.depth = 0};
    memset(c, 0, sizeof *c);
    int status = run_search(&s, g, fate, fates);
    if (!status)
        status = read_components(&s, g, fate, fates, c);
    rows_release(&s.rows);
    if (!status)
        status = describe(g, fate, fates | reaching, c);
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
