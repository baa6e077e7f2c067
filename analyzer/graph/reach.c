#include "reach.h"

#include <pthread.h>

#include "array.h"
#include "bits.h"
#include "parallel.h"

/* A piece of the queue, which one thread takes at a time. */
enum { PIECE = 4096 };

struct span {
    size_t at, end;
};

/* The queue is one array for all: every object gets into it at most once. Its pieces are filled by one thread each, and
 * when they are full anybody takes them, the oldest first. */
struct marking {
    const struct graph *g;
    const struct reach *reach;
    uint64_t *alive;
    ordinal *queue;
    int shared; /* by several threads */

    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t changed;
    struct span *full;
    size_t made, taken; /* of `full` */
    size_t reserved;    /* where the next piece begins */
    unsigned present, idle;
};

/* A thread and the piece it fills: what is in it from `done` to `end` waits for somebody to look at it. */
struct marker {
    struct marking *m;
    size_t done, end, room;
};

size_t reach_queue_size(const struct graph *g)
{
    return (size_t)g->objects + (size_t)(PARTS_MAX + 1) * PIECE;
}

/* ---- pieces ---- */

static void put_full(struct marking *m, size_t at, size_t end)
{
    if (at == end)
        return;
    m->full[m->made++] = (struct span){at, end};
    pthread_cond_signal(&m->changed);
}

/* Hands on the full piece and begins another. */
static void renew_piece(struct marker *own)
{
    struct marking *m = own->m;
    pthread_mutex_lock(&m->lock);
    put_full(m, own->done, own->end);
    own->done = own->end = m->reserved;
    own->room = m->reserved += PIECE;
    pthread_mutex_unlock(&m->lock);
}

static int take_full(struct marking *m, struct span *work)
{
    pthread_mutex_lock(&m->lock);
    int there = m->taken < m->made;
    if (there)
        *work = m->full[m->taken++];
    pthread_mutex_unlock(&m->lock);
    return there;
}

/* Waits for a full piece; returns 0 when nobody is left who could make one. Threads that could not be had begin when
 * the others have ended, and find nothing to do. */
static int wait_for_full(struct marking *m)
{
    pthread_mutex_lock(&m->lock);
    m->idle++;
    while (m->taken == m->made && m->idle < m->present)
        pthread_cond_wait(&m->changed, &m->lock);
    int more = m->taken < m->made;
    if (more)
        m->idle--;
    else
        pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
    return more;
}

/* ---- marking ---- */

/* Whether life goes along edge e from o to t, which is not marked yet. */
static int carries_life(const struct graph *g, const struct reach *reach, ordinal o, uint64_t e, ordinal t)
{
    return (g->info[e] & reach->wanted) == reach->wanted && (!reach->among || bit_is_set(reach->among, t)) &&
           (!reach->one_heap || graph_heap(g, t) == graph_heap(g, o));
}

/* Whether the bit was not set; it is now. */
static inline int claim(uint64_t *bits, ordinal o, int shared)
{
    uint64_t bit = UINT64_C(1) << o % 64;
    if (__atomic_load_n(&bits[o / 64], __ATOMIC_RELAXED) & bit)
        return 0;
    if (shared)
        return !(__atomic_fetch_or(&bits[o / 64], bit, __ATOMIC_RELAXED) & bit);
    bits[o / 64] |= bit;
    return 1;
}

static inline int is_marked(const struct marking *m, ordinal o)
{
    return __atomic_load_n(&m->alive[o / 64], __ATOMIC_RELAXED) >> o % 64 & 1;
}

/* Marks what one object refers to. */
static inline void look_at(struct marker *own, ordinal o)
{
    struct marking *m = own->m;
    const struct graph *g = m->g;
    const struct reach *reach = m->reach;
    for (uint64_t e = g->edge_start[o], end = g->edge_start[o + 1]; e < end; e++) {
        ordinal t = g->target[e];
        if (t == ORDINAL_NONE || is_marked(m, t) || (!reach->simple && !carries_life(g, reach, o, e, t)) ||
            !claim(m->alive, t, m->shared))
            continue;
        if (own->end == own->room)
            renew_piece(own);
        m->queue[own->end] = t;
        own->end += !reach->simple || bit_is_set(reach->among, t);
    }
}

static void mark_part(void *context, unsigned part, unsigned parts)
{
    struct marking *m = context;
    struct marker own = {.m = m};
    struct span work;
    (void)part;
    (void)parts;
    pthread_mutex_lock(&m->lock);
    m->present++;
    pthread_mutex_unlock(&m->lock);
    for (;;) {
        if (take_full(m, &work)) {
            for (; work.at < work.end; work.at++) {
                reach_fetch(m->g, m->queue, work.at, work.end);
                look_at(&own, m->queue[work.at]);
            }
        } else if (own.done < own.end) { /* breadth first as well: what comes next is known long enough before */
            for (size_t piece = own.room; own.done < own.end && own.room == piece;) {
                reach_fetch(m->g, m->queue, own.done, own.end);
                look_at(&own, m->queue[own.done++]);
            }
        } else if (!wait_for_full(m)) {
            break;
        }
    }
}

int reach_mark(const struct graph *g, const struct reach *reach, uint64_t *alive, ordinal *queue, size_t used)
{
    unsigned parts = parallel_parts(g->objects);
    struct marking m = {g, reach, alive, queue, .shared = parts > 1, .reserved = used};
    m.full = array_raw(reach_queue_size(g) / PIECE + parts + 2, sizeof *m.full);
    if (!m.full)
        return -1;
    pthread_mutex_init(&m.lock, NULL);
    pthread_cond_init(&m.changed, NULL);
    for (size_t at = 0; at < used; at += PIECE)
        put_full(&m, at, at + PIECE < used ? at + PIECE : used);
    parallel_run(parts, mark_part, &m);
    pthread_cond_destroy(&m.changed);
    pthread_mutex_destroy(&m.lock);
    array_free(m.full);
    return 0;
}
