/* igraph SNAPSHOT: the graph of a snapshot as libigraph sees it, beside refheap.
 *
 * Times building the graph, its components and its dominators there, and compares: the same components of all objects,
 * and under the super-root the same dominator of every vertex. Prints a line for each phase with its seconds and MiB of
 * anonymous memory; exit status 1 when the two disagree. The super-root's children are worked out here from DESIGN's
 * words, not taken from the code that is compared.
 */
#include <igraph/igraph.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../analyzer/session/session.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double anonymous(void)
{
    char line[256];
    double mib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (!strncmp(line, "RssAnon:", 8))
            mib = strtod(line + 8, NULL) / 1024;
    if (f)
        fclose(f);
    return mib;
}

static double last, before;

static void phase(const char *name)
{
    printf("%s %.4f %.0f\n", name, now() - last, anonymous() - before);
    fflush(stdout);
    last = now();
}

static void must(igraph_error_t status)
{
    if (status != IGRAPH_SUCCESS)
        exit(2);
}

/* Two numberings of the same classes: each number of one goes with one of the other. */
static int same_classes(const ordinal *ours, const igraph_vector_int_t *theirs, ordinal n)
{
    ordinal *match = malloc(((size_t)n + 1) * sizeof *match), *back = malloc(((size_t)n + 1) * sizeof *back);
    memset(match, 0xff, ((size_t)n + 1) * sizeof *match);
    memset(back, 0xff, ((size_t)n + 1) * sizeof *back);
    for (ordinal o = 0; o < n; o++) {
        ordinal their = (ordinal)VECTOR(*theirs)[o];
        if (match[ours[o]] == ORDINAL_NONE && back[their] == ORDINAL_NONE) {
            match[ours[o]] = their;
            back[their] = ours[o];
        }
        if (match[ours[o]] != their || back[their] != ours[o])
            return 0;
    }
    free(match);
    free(back);
    return 1;
}

static int is_top(const struct session *s, ordinal o)
{
    const struct graph *g = &s->graph;
    int live = s->garbage[2].fate[o] == FATE_LIVE;
    return graph_is_immortal(g, o) || graph_internal(g, o) == 0 ||
           (live &&
            (graph_refcount(g, o) > (int64_t)graph_internal(g, o) || graph_generation(g, o) == GENERATION_PERMANENT));
}

static void list_edges(const struct session *s, int under_root, igraph_vector_int_t *edges)
{
    const struct graph *g = &s->graph;
    const struct components *c = &s->components;
    const struct dominators *d = &s->dominators;
    igraph_integer_t root = dominators_root(d);
    size_t n = 0;
    must(igraph_vector_int_init(edges, (igraph_integer_t)(2 * (g->edges + 2 * (uint64_t)g->objects + d->virtuals))));
    for (ordinal o = 0; o < g->objects; o++)
        for (uint64_t e = g->edge_start[o]; e < g->edge_start[o + 1]; e++)
            if (g->target[e] != ORDINAL_NONE && edge_is_counted(g->info[e])) {
                VECTOR(*edges)[n++] = o;
                VECTOR(*edges)[n++] = g->target[e];
            }
    for (ordinal o = 0; under_root && o < g->objects; o++)
        if (is_top(s, o)) {
            VECTOR(*edges)[n++] = root;
            VECTOR(*edges)[n++] = o;
        }
    for (ordinal v = 0; under_root && v < d->virtuals; v++) {
        ordinal component = d->virtual_component[v];
        VECTOR(*edges)[n++] = root;
        VECTOR(*edges)[n++] = g->objects + v;
        for (ordinal m = c->member_start[component]; m < c->member_start[component + 1]; m++) {
            VECTOR(*edges)[n++] = g->objects + v;
            VECTOR(*edges)[n++] = c->member[m];
        }
    }
    must(igraph_vector_int_resize(edges, (igraph_integer_t)n));
}

static void compare(const char *what, int same)
{
    if (same)
        return;
    printf("the %s are not the same\n", what);
    exit(1);
}

int main(int argc, char **argv)
{
    struct session s = {.quiet = 1, .no_cache = 1};
    struct rh_error err;
    struct components all;
    igraph_vector_int_t edges, membership, dominator;
    igraph_t graph;
    if (argc != 2 || session_open(&s, argv[1], 0, &err) || session_dominators(&s, &err)) {
        fprintf(stderr, "igraph: cannot read the snapshot\n");
        return 2;
    }
    const struct graph *g = &s.graph;
    if (components_find(g, s.garbage[2].fate, ~0u, 0, &all))
        return 2;

    list_edges(&s, 0, &edges);
    before = anonymous() - (double)igraph_vector_int_size(&edges) * sizeof(igraph_integer_t) / (1 << 20);
    last = now();
    must(igraph_create(&graph, &edges, (igraph_integer_t)g->objects, IGRAPH_DIRECTED));
    phase("build");
    must(igraph_vector_int_init(&membership, 0));
    must(igraph_connected_components(&graph, &membership, NULL, NULL, IGRAPH_STRONG));
    phase("components");
    compare("components", same_classes(all.component, &membership, g->objects));
    igraph_destroy(&graph);
    igraph_vector_int_destroy(&edges);
    igraph_vector_int_destroy(&membership);

    list_edges(&s, 1, &edges);
    must(igraph_create(&graph, &edges, (igraph_integer_t)s.dominators.vertices, IGRAPH_DIRECTED));
    igraph_vector_int_destroy(&edges);
    must(igraph_vector_int_init(&dominator, 0));
    last = now();
    must(igraph_dominator_tree(&graph, dominators_root(&s.dominators), &dominator, NULL, NULL, IGRAPH_OUT));
    phase("dominators");
    int same = 1;
    for (ordinal v = 0; v + 1 < s.dominators.vertices; v++)
        same &= VECTOR(dominator)[v] == (igraph_integer_t)s.dominators.dominator[v];
    compare("dominators", same);
    printf("agree %u %llu\n", (unsigned)g->objects, (unsigned long long)g->edges);
    return 0;
}
