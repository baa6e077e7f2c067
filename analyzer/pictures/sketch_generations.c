/* The picture of the generations of each heap: how full each is, with what, and what refers from one to another. */
#include <stdlib.h>
#include <string.h>

#include "../answers/generations.h"
#include "../render/text.h"
#include "sketch.h"

struct heap_sums {
    uint64_t bytes[GENERATIONS][PICTURE_STATES];
    uint64_t references[GENERATIONS][GENERATIONS];
    uint64_t roots[GENERATIONS]; /* objects that roots hold */
};

struct overview {
    struct sketch *sk;
    const struct generation_row *rows;
    struct heap_sums *sums; /* by heap */
    uint32_t heaps;
    uint64_t largest; /* bytes of a generation: how long a whole bar is */
};

static void sum_up(struct overview *v)
{
    const struct session *s = v->sk->s;
    const struct graph *g = &s->graph;
    for (ordinal o = 0; o < g->objects; o++) {
        const struct root_entry *roots;
        uint32_t heap = graph_heap(g, o);
        unsigned generation = graph_generation(g, o);
        if (heap >= v->heaps)
            continue;
        struct heap_sums *h = &v->sums[heap];
        h->bytes[generation][sketch_state(s, o)] += graph_size(g, o);
        h->roots[generation] += roots_of(&s->roots, o, &roots) != 0;
        for (uint64_t e = graph_begin(g, o); e < graph_end(g, o); e++) {
            ordinal t = graph_target(g, e);
            if (t != ORDINAL_NONE && graph_heap(g, t) == heap && edge_is_counted(graph_info(g, e)))
                h->references[generation][graph_generation(g, t)]++;
        }
    }
    for (uint32_t i = 0; i < v->heaps * GENERATIONS; i++)
        v->largest = v->rows[i].bytes > v->largest ? v->rows[i].bytes : v->largest;
}

static void append(char to[512], const char *text)
{
    size_t used = strlen(to);
    snprintf(to + used, 512 - used, "%s%s", used ? "\n" : "", text);
}

static void describe(const struct generation_row *r, uint64_t inside, unsigned generation, char to[512])
{
    char line[160], n[3][TEXT_NUMBER_SIZE];
    to[0] = 0;
    snprintf(line, sizeof line, "%s, %s", text_plural(r->objects, "object", n[0]), text_size(r->bytes, n[1]));
    append(to, line);
    if (r->record && generation < 3) {
        snprintf(line, sizeof line, "count %s of %s; collected %s", text_count(r->record->count, n[0]),
                 text_count(r->record->threshold, n[1]), text_plural(r->record->collections, "time", n[2]));
        append(to, line);
    }
    if (generation < 3 && !r->garbage_objects) {
        append(to, "a collection now would find nothing");
    } else if (generation < 3) {
        snprintf(line, sizeof line, "a collection now would find %s of garbage, %s",
                 text_plural(r->garbage_objects, "object", n[0]), text_size(r->garbage_bytes, n[1]));
        append(to, line);
        if (r->dependent_objects) {
            snprintf(line, sizeof line, "and free %s more", text_count(r->dependent_objects, n[0]));
            append(to, line);
        }
    }
    if (inside) {
        snprintf(line, sizeof line, "%s within", text_plural(inside, "reference", n[0]));
        append(to, line);
    }
}

static uint32_t draw_generation(const struct overview *v, uint32_t heap, unsigned generation, uint32_t cluster,
                                uint32_t below)
{
    const struct generation_row *r = &v->rows[heap * GENERATIONS + generation];
    const struct heap_sums *h = &v->sums[heap];
    char title[64], detail[512];
    snprintf(title, sizeof title, "%s%s", generation < 3 ? "generation " : "", text_generation(generation));
    describe(r, h->references[generation][generation], generation, detail);
    struct picture_node node = {.title = title,
                                .detail = detail,
                                .badge = "012P-"[generation],
                                .state = PICTURE_LIVE,
                                .cluster = cluster,
                                .below = below};
    for (int s = 0; v->largest && s < PICTURE_STATES; s++) {
        uint64_t bytes = h->bytes[generation][s];
        node.bar[s] = (uint16_t)((unsigned __int128)bytes * PICTURE_WHOLE / v->largest);
        node.bar[s] += bytes && !node.bar[s]; /* what is there is seen */
    }
    return picture_add_node(&v->sk->picture, &node);
}

static void draw_edge(const struct overview *v, uint32_t from, uint32_t to, uint64_t count, const char *noun,
                      uint8_t kind)
{
    char label[TEXT_NUMBER_SIZE];
    struct picture_edge edge = {.from = from,
                                .to = to,
                                .label = (char *)(uintptr_t)text_plural(count, noun, label),
                                .count = 1,
                                .kind = kind,
                                .aside = kind == PICTURE_STRONG};
    picture_add_edge(&v->sk->picture, &edge);
}

static void draw_heap(const struct overview *v, uint32_t heap)
{
    const struct heap_sums *h = &v->sums[heap];
    uint32_t nodes[GENERATIONS], cluster = 0, last = 0;
    uint64_t roots = 0;
    char title[64];
    if (v->heaps > 1) {
        snprintf(title, sizeof title, "heap %u", heap);
        cluster = picture_add_cluster(&v->sk->picture, title, NULL);
    }
    for (unsigned n = 0; n < GENERATIONS; n++) {
        nodes[n] = PICTURE_NONE;
        if (n >= 3 && !v->rows[heap * GENERATIONS + n].objects)
            continue;
        nodes[n] = draw_generation(v, heap, n, cluster, last);
        last = nodes[n] + 1;
        roots += h->roots[n];
    }
    for (unsigned a = 0; a < GENERATIONS; a++)
        for (unsigned b = 0; b < GENERATIONS; b++)
            if (a != b && h->references[a][b])
                draw_edge(v, nodes[a], nodes[b], h->references[a][b], "reference", PICTURE_STRONG);
    if (!roots)
        return;
    struct picture_node node = {.title = "roots", .state = PICTURE_ROOT, .cluster = cluster};
    uint32_t root = picture_add_node(&v->sk->picture, &node);
    for (unsigned n = 0; n < GENERATIONS; n++)
        if (h->roots[n])
            draw_edge(v, root, nodes[n], h->roots[n], "object", PICTURE_ROOT_EDGE);
}

int sketch_generations(struct sketch *sk, const struct generation_row *rows)
{
    char text[64], n[TEXT_NUMBER_SIZE];
    uint32_t heaps = (uint32_t)snapshot_count(sk->s->snapshot, SECTION_HEAPS);
    struct overview v = {.sk = sk, .rows = rows, .heaps = heaps};
    v.sums = calloc((size_t)heaps + 1, sizeof *v.sums);
    if (!v.sums)
        return -1;
    sum_up(&v);
    uint32_t shown = 0;
    for (; shown < heaps && (!shown || sk->picture.node_count + GENERATIONS < sk->limit); shown++)
        draw_heap(&v, shown);
    if (shown < heaps) {
        snprintf(text, sizeof text, "%s", text_plural(heaps - shown, "more heap", n));
        picture_leave_out(&sk->picture, text);
    }
    free(v.sums);
    return 0;
}
