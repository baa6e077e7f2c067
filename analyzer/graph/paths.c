#include "paths.h"

#include <string.h>

#include "array.h"
#include "bits.h"

/* What earlier ways have used up. All NULL while there was none. */
struct used {
    uint8_t *edge;   /* by edge number */
    uint8_t *root;   /* by number of the root */
    uint8_t *object; /* enum used_object */
};
enum used_object { USED_ENTERED = 1, USED_NAMELESS = 2 };

/* How good a beginning of a way an object is: 3 exact root, 2 possible root, 1 held from outside by nobody knows whom,
 * 0 none. */
static int quality(const struct graph *g, const struct roots *roots, const struct used *used, ordinal o,
                   const struct root_entry **best)
{
    const struct root_entry *first;
    size_t n = roots_of(roots, o, &first);
    *best = NULL;
    for (size_t i = 0; i < n; i++) {
        if (used->root && used->root[first + i - roots->items])
            continue;
        if (first[i].record->flags & ROOT_EXACT) {
            *best = &first[i];
            return 3;
        }
        *best = *best ? *best : &first[i];
    }
    if (n)
        return *best ? 2 : 0;
    return (graph_is_immortal(g, o) || graph_external(g, o) > 0) && !(used->object && used->object[o] & USED_NAMELESS);
}

/* The first counted edge from one object to another that is not used; UINT64_MAX when there is none. */
static uint64_t free_edge(const struct graph *g, const struct used *used, ordinal from, ordinal to)
{
    for (uint64_t e = graph_begin(g, from); e < graph_end(g, from); e++)
        if (graph_target(g, e) == to && edge_is_counted(graph_info(g, e)) && !(used->edge && used->edge[e]))
            return e;
    return UINT64_MAX;
}

static int keep_path(const struct graph *g, const struct used *used, const ordinal *toward, ordinal from, ordinal o,
                     struct path *result)
{
    size_t length = 1;
    for (ordinal at = from; at != o; at = toward[at])
        length++;
    result->step = array_new(length, sizeof *result->step);
    result->edge = array_new(length, sizeof *result->edge);
    if (!result->step || !result->edge) {
        path_release(result);
        return -1;
    }
    for (ordinal at = from; result->length < length; at = toward[at]) {
        size_t i = result->length++;
        result->step[i] = at;
        result->edge[i] = i ? free_edge(g, used, result->step[i - 1], at) : 0;
    }
    return 0;
}

/* The best quality there can be. */
static int best_there_is(const struct roots *roots)
{
    int best = 1;
    for (size_t i = 0; i < roots->count && best < 3; i++)
        best = roots->items[i].record->flags & ROOT_EXACT ? 3 : 2;
    return best;
}

/* Breadth first from the object over who refers to it. The first object of the best quality met is nearest. */
static int find_one(const struct graph *g, const struct roots *roots, ordinal o, const struct used *used, uint64_t *met,
                    ordinal *toward, ordinal *queue, struct path *result)
{
    size_t head = 0, tail = 0;
    ordinal best = ORDINAL_NONE;
    const struct root_entry *root = NULL;
    int best_quality = 0, enough = best_there_is(roots);
    memset(result, 0, sizeof *result);
    memset(met, 0, ((size_t)g->objects / 64 + 1) * sizeof *met);
    bit_set(met, o);
    toward[o] = o;
    queue[tail++] = o;
    while (head < tail && best_quality < enough) {
        const struct root_entry *holder;
        ordinal at = queue[head++];
        int q = quality(g, roots, used, at, &holder);
        if (q > best_quality) {
            best_quality = q;
            best = at;
            root = holder;
        }
        int entered = used->object && used->object[at] & USED_ENTERED;
        for (uint64_t b = graph_back_begin(g, at); b < graph_back_end(g, at); b++) {
            ordinal s = graph_source(g, b);
            if (bit_is_set(met, s) || !edge_is_counted(graph_source_info(g, b)) ||
                (entered && free_edge(g, used, s, at) == UINT64_MAX))
                continue;
            bit_set(met, s);
            toward[s] = at;
            queue[tail++] = s;
        }
    }
    result->root = root ? root->record : NULL;
    return best_quality ? keep_path(g, used, toward, best, o, result) : 0;
}

static void use_up(const struct roots *roots, struct used *used, const struct path *path)
{
    for (size_t i = 1; i < path->length; i++) {
        used->edge[path->edge[i]] = 1;
        used->object[path->step[i]] |= USED_ENTERED;
    }
    if (!path->root)
        used->object[path->step[0]] |= USED_NAMELESS;
    const struct root_entry *first;
    size_t n = path->root ? roots_of(roots, path->step[0], &first) : 0;
    for (size_t i = 0; i < n; i++)
        if (first[i].record == path->root)
            used->root[first + i - roots->items] = 1;
}

int paths_find(const struct graph *g, const struct roots *roots, ordinal o, size_t most, struct path *results,
               size_t *count)
{
    size_t n = (size_t)g->objects + 1;
    ordinal *toward = array_raw(n, sizeof *toward), *queue = array_raw(n, sizeof *queue);
    uint64_t *met = bits_new(g->objects);
    struct used used = {NULL, NULL, NULL};
    int status = toward && queue && met ? graph_back(g) : -1;
    *count = 0;
    if (!status && most > 1) {
        used.edge = array_new(g->edges + 1, 1);
        used.root = array_new(roots->count + 1, 1);
        used.object = array_new(n, 1);
        status = used.edge && used.root && used.object ? 0 : -1;
    }
    while (!status && *count < most) {
        struct path *path = &results[*count];
        status = find_one(g, roots, o, &used, met, toward, queue, path);
        if (status || !path->length)
            break;
        ++*count;
        if (used.edge)
            use_up(roots, &used, path);
    }
    array_free(met);
    array_free(toward);
    array_free(queue);
    array_free(used.edge);
    array_free(used.root);
    array_free(used.object);
    for (; status && *count; --*count)
        path_release(&results[*count - 1]);
    return status;
}

int path_from_root(const struct graph *g, const struct roots *roots, ordinal o, struct path *result)
{
    size_t count;
    memset(result, 0, sizeof *result);
    return paths_find(g, roots, o, 1, result, &count);
}

void path_release(struct path *path)
{
    array_free(path->step);
    array_free(path->edge);
    memset(path, 0, sizeof *path);
}
