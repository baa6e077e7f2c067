/* Words that may hold what is unexplained. */
#include "holders.h"

#include "inside.h"

enum { PAGE = 4096 };
#define HITS_MAX ((size_t)1 << 24) /* words that are kept */

/* ---- what comes by while objects are written ---- */

void holders_exact(struct inside *d, uint64_t where)
{
    int added;
    if (where && !id_map_at(&d->holders.exact, where, &added))
        d->out_of_memory = 1;
}

void holders_scanned(struct inside *d, uint64_t object)
{
    struct holders *h = &d->holders;
    if (mapping_grow(&h->scanned, (h->scanned_count + 1) * sizeof object))
        d->out_of_memory = 1;
    else
        ((uint64_t *)h->scanned.bytes)[h->scanned_count++] = object;
}

/* ---- the search ---- */

/* Whether something refers to the object that nothing explains. The census counts no further than CENSUS_MANY. */
int holders_is_unexplained(struct inside *d, uint64_t word)
{
    uint64_t references;
    int immortal = 0;
    if (word % 8 || word < 0x10000 || word >> 47 || !(references = census_get(&d->census, word)))
        return 0;
    int64_t refcount = py_refcount(&d->world, word_at(word), &immortal);
    return !immortal && refcount > (int64_t)(references - 1);
}

void holders_keep(struct inside *d, struct hit hit)
{
    struct holders *h = &d->holders;
    int added;
    if (hit.where && id_map_has(&h->exact, hit.where))
        return;
    if (h->hit_count == HITS_MAX || mapping_grow(&h->hits, (h->hit_count + 1) * sizeof hit) ||
        !id_map_at(&h->heaps, hit.object, &added)) {
        h->cut = 1;
        return;
    }
    ((struct hit *)h->hits.bytes)[h->hit_count++] = hit;
}

/* A copy is looked through, made by the kernel: what is not there, or goes meanwhile, is passed over. */
void holders_search(struct inside *d, uint64_t from, uint64_t to, struct hit hit)
{
    struct holders *h = &d->holders;
    uint64_t *piece = h->piece.bytes, left = to - from < h->allowed ? to - from : h->allowed;
    h->cut |= left < to - from;
    h->allowed -= left;
    while (left) {
        size_t want = left < HOLDERS_PIECE ? (size_t)left : HOLDERS_PIECE, n = self_read_part(from, piece, want);
        for (size_t i = 0; i < n / 8; i++)
            if (piece[i] && holders_is_unexplained(d, piece[i])) {
                hit.object = piece[i];
                hit.where = from + i * 8;
                holders_keep(d, hit);
            }
        /* On behind what was read, or to the page after the one that is not there. */
        uint64_t step = n == want ? n : n + PAGE - (from + n) % PAGE;
        if (step >= left)
            return;
        from += step;
        left -= step;
    }
}
