/* The same work by several threads, each on a part of its own: for passes whose parts touch nothing in common. */
#ifndef GRAPH_PARALLEL_H
#define GRAPH_PARALLEL_H

#include <pthread.h>
#include <stddef.h>

enum { PARTS_MAX = 8 };

/* How many parts work on `size` elements is cut into: one for each processor this process may use, fewer when there is
 * little to do, at most PARTS_MAX; one within a part. */
unsigned parallel_parts(size_t size);

/* Calls work(context, part, parts) for each part, the last one on this thread. Without threads to be had it does them
 * one by one. */
void parallel_run(unsigned parts, void (*work)(void *context, unsigned part, unsigned parts), void *context);

/* Work that is done beside what this thread goes on with; there, passes have one part. It is done at once where there is
 * one processor, or no thread to be had. What it reads and writes is the caller's to keep apart. */
struct beside {
    void (*work)(void *context);
    void *context;
    pthread_t thread;
    int started;
};
void parallel_begin(struct beside *beside, void (*work)(void *context), void *context);
void parallel_end(struct beside *beside); /* waits for it */

/* Where part `part` of `count` elements begins; that of part `parts` is the end. */
static inline size_t part_begin(size_t count, unsigned part, unsigned parts)
{
    return (size_t)((unsigned __int128)count * part / parts);
}

#endif
