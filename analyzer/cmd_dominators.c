/* dominators: the tree of what is kept by what, below the super-root, an object or a cycle. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../dumpfmt/error.h"
#include "line/commands.h"
#include "graph/forest.h"
#include "graph/top.h"
#include "answers/keepers.h"
#include "render/text.h"
#include "render/tree.h"
#include "line/select.h"

/* What is below one keeper, as it is shown: entries, and how much is left out. */
struct level {
    struct keeper_entry *entries;
    size_t count, at;
    struct tally omitted; /* objects, and what they retain */
};

struct drawing {
    struct invocation *inv;
    struct forest forest;
    struct keeper_pile *piles; /* all zero between levels */
    ordinal *spare;            /* room for the children of any keeper */
    struct tree_lines lines;
    struct level level[TREE_DEPTH_MAX + 1];
    size_t depth_max;
    ordinal start;
    int fold;
};

/* ---- a level ---- */

static int compare_retained(const void *pa, const void *pb, void *context)
{
    const struct dominators *d = context;
    ordinal a = *(const ordinal *)pa, b = *(const ordinal *)pb;
    if (d->retained[a] != d->retained[b])
        return d->retained[a] > d->retained[b] ? -1 : 1;
    return a < b ? -1 : a > b;
}

/* Keeps the entries that the limit leaves and adds the rest up. */
static void cut_level(struct level *l, uint64_t limit)
{
    while (limit && l->count > limit) {
        const struct keeper_entry *e = &l->entries[--l->count];
        l->omitted.objects += e->more ? e->more : 1;
        l->omitted.bytes += e->retained;
    }
}

/* The children of a keeper in `spare`; of where the tree begins those that the filter lets through. */
static ordinal find_children(struct drawing *d, ordinal keeper)
{
    const struct session *s = &d->inv->session;
    ordinal kept = 0;
    for (ordinal i = d->forest.start[keeper]; i < d->forest.start[keeper + 1]; i++) {
        ordinal v = d->forest.child[i];
        ordinal o =
            v < s->graph.objects
                ? v
                : s->components.member[s->components.member_start[s->cycles.items[keeper_cycle(s, v)].component]];
        if (keeper != d->start || filter_matches(d->inv, o))
            d->spare[kept++] = v;
    }
    return kept;
}

static int list_level(struct drawing *d, ordinal keeper, struct level *l, uint64_t limit)
{
    const struct session *s = &d->inv->session;
    ordinal count = find_children(d, keeper);
    union {
        const void *in;
        void *out;
    } context = {&s->dominators};
    size_t kept = top_sort(d->spare, count, (size_t)limit, compare_retained, context.out);
    l->entries = malloc((kept + 1) * sizeof *l->entries);
    if (!l->entries)
        return -1;
    for (ordinal i = 0; i < count; i++) {
        uint64_t retained = s->dominators.retained[d->spare[i]];
        if (i < kept) {
            l->entries[l->count++] = (struct keeper_entry){d->spare[i], 0, 0, retained, retained};
        } else {
            l->omitted.objects++;
            l->omitted.bytes += retained;
        }
    }
    return 0;
}

static int open_level(struct drawing *d, ordinal keeper, struct level *l)
{
    uint64_t limit = table_limit(d->inv);
    *l = (struct level){0};
    int status =
        d->fold ? keepers_fold(&d->inv->session, d->piles, d->spare, find_children(d, keeper), &l->entries, &l->count)
                : list_level(d, keeper, l, limit);
    if (!status)
        cut_level(l, limit);
    return status;
}

/* ---- text ---- */

static void show_line(struct drawing *d, const struct keeper_entry *e, size_t depth, int is_last)
{
    const struct session *s = &d->inv->session;
    struct output *out = &d->inv->out;
    char name[NAME_SIZE], n[3][TEXT_NUMBER_SIZE];
    int is_object = e->vertex < s->graph.objects;
    tree_line(&d->lines, depth, is_last);
    if (e->more && is_object)
        fprintf(out->file, "%s more %s", text_count(e->more, n[0]), name_type(s, e->vertex, name));
    else if (e->more)
        fprintf(out->file, "%s more cycle%s", text_count(e->more, n[0]), e->more == 1 ? "" : "s");
    else
        fputs(keeper_name(s, e->vertex, name), out->file);
    output_style(out, STYLE_DIM);
    if (!e->more && is_object)
        fprintf(out->file, "  0x%" PRIx64, graph_address(&s->graph, e->vertex));
    output_style(out, STYLE_NORMAL);
    fprintf(out->file, "  %s, %s\n", text_size(e->retained, n[1]),
            text_share(text_share_of(e->retained, s->graph.bytes), n[2]));
}

static void show_omitted(struct drawing *d, const struct level *l, size_t depth)
{
    char n[2][TEXT_NUMBER_SIZE];
    tree_line(&d->lines, depth, 1);
    fprintf(d->inv->out.file, "... %s more, %s (--limit 0 shows all)\n", text_count(l->omitted.objects, n[0]),
            text_size(l->omitted.bytes, n[1]));
}

/* What keeps next to nothing of the heap is not opened further unless everything is asked for. */
static int is_worth_opening(const struct drawing *d, const struct keeper_entry *e)
{
    const struct session *s = &d->inv->session;
    return !e->more && (!d->fold || e->retained >= s->dominators.retained[d->start] / 100) &&
           d->forest.start[e->vertex + 1] > d->forest.start[e->vertex];
}

static int draw_text(struct drawing *d)
{
    size_t depth = 1;
    int status;
    struct keeper_entry top = {.vertex = d->start, .retained = d->inv->session.dominators.retained[d->start]};
    tree_begin(&d->lines, d->inv->out.file);
    show_line(d, &top, 0, 1);
    status = open_level(d, d->start, &d->level[1]);
    while (!status && depth) {
        struct level *l = &d->level[depth];
        if (l->at == l->count) {
            if (l->omitted.objects)
                show_omitted(d, l, depth);
            free(l->entries);
            l->entries = NULL;
            depth--;
            continue;
        }
        const struct keeper_entry *e = &l->entries[l->at++];
        show_line(d, e, depth, l->at == l->count && !l->omitted.objects);
        if (depth < d->depth_max && is_worth_opening(d, e))
            status = open_level(d, e->vertex, &d->level[++depth]);
    }
    return status;
}

/* ---- JSON ---- */

/* Opens the object of a vertex; its array of children stays open. */
static void begin_vertex_json(struct drawing *d, ordinal v)
{
    const struct session *s = &d->inv->session;
    const struct graph *g = &s->graph;
    struct json *j = &d->inv->out.json;
    ordinal cycle = keeper_cycle(s, v);
    char name[NAME_SIZE];
    int is_object = v < g->objects;
    json_object(j, NULL);
    if (is_object) {
        unsigned generation = graph_generation(g, v);
        json_address(j, "address", graph_address(g, v));
        json_text(j, "type", type_name(s, v).bytes, type_name(s, v).length);
        json_int(j, "generation", generation == GENERATION_UNTRACKED ? -1 : (int)generation);
    } else {
        json_null(j, "address");
        json_string(j, "type", "(cycle)");
        json_null(j, "generation");
    }
    json_uint(j, "shallow", keeper_shallow(s, v));
    json_uint(j, "retained", s->dominators.retained[v]);
    json_share(j, "share", s->dominators.retained[v], g->bytes);
    json_uint(j, "child_count", d->forest.start[v + 1] - d->forest.start[v]);
    if (cycle == ORDINAL_NONE)
        json_null(j, "cycle");
    else
        json_uint(j, "cycle", cycle + 1);
    json_string(j, "label", is_object ? name_object(s, v, name) : name_cycle(s, cycle, name));
    json_array(j, "children");
}

/* Closes the array of children, and the object around it. */
static void end_vertex_json(struct drawing *d, uint64_t omitted)
{
    struct json *j = &d->inv->out.json;
    json_array_end(j);
    if (omitted)
        json_uint(j, "children_omitted", omitted);
    json_object_end(j);
}

static int draw_json(struct drawing *d)
{
    struct json *j = &d->inv->out.json;
    int from_all = d->start == dominators_root(&d->inv->session.dominators), status;
    uint64_t omitted = 0;
    size_t depth = 1;
    begin_json(d->inv);
    json_array(j, "objects");
    if (!from_all)
        begin_vertex_json(d, d->start);
    status = open_level(d, d->start, &d->level[1]);
    while (!status && depth) {
        struct level *l = &d->level[depth];
        if (l->at == l->count) {
            omitted = l->omitted.objects;
            free(l->entries);
            l->entries = NULL;
            if (--depth || !from_all)
                end_vertex_json(d, omitted);
            continue;
        }
        ordinal v = l->entries[l->at++].vertex;
        begin_vertex_json(d, v);
        if (depth < d->depth_max)
            status = open_level(d, v, &d->level[++depth]);
        else
            end_vertex_json(d, 0);
    }
    json_array_end(j);
    if (from_all && omitted)
        json_uint(j, "objects_omitted", omitted);
    json_end(j);
    return status;
}

/* ---- the command ---- */

static int run(struct invocation *inv)
{
    struct session *s = &inv->session;
    struct rh_error err;
    struct drawing d = {.inv = inv};
    uint64_t depth = inv->options.depth ? inv->options.depth : TREE_DEPTH_MAX;
    if (depth > TREE_DEPTH_MAX)
        return fail_usage(inv->command, "--depth goes to %d, and 0 means that", TREE_DEPTH_MAX);
    if (session_dominators(s, &err) || session_values(s, &err))
        return fail(s->path, &err);
    int status = 0;
    d.start = dominators_root(&s->dominators);
    if (inv->argc)
        status = select_keeper(inv, inv->argv[0], &d.start);
    if (status)
        return status;
    d.depth_max = (size_t)depth;
    d.fold = inv->out.format == OUTPUT_TEXT && !inv->options.no_fold;
    d.piles = calloc((size_t)s->classes.count + 1, sizeof *d.piles);
    d.spare = malloc(((size_t)s->dominators.vertices + 1) * sizeof *d.spare);
    status = d.piles && d.spare ? forest_build(s->dominators.dominator, s->dominators.vertices, &d.forest) : -1;
    if (!status)
        status = inv->out.format == OUTPUT_JSON ? draw_json(&d) : draw_text(&d);
    for (size_t i = 0; i <= TREE_DEPTH_MAX; i++)
        free(d.level[i].entries);
    free(d.piles);
    free(d.spare);
    forest_release(&d.forest);
    if (status) {
        error_set(&err, RH_ERR_NO_MEMORY, "not enough memory for the tree", "");
        return fail(s->path, &err);
    }
    return STATUS_FINE;
}

const struct command cmd_dominators = {
    .name = "dominators",
    .summary = "what is kept by what, as a tree",
    .arguments = "SNAPSHOT [OBJ|cycle:ID]",
    .help =
        "Draws the dominator tree below an object or a source cycle, or all of it: what stands below another would be\n"
        "unreachable without it. Each line has the retained size and its part of the heap. Of each type below one\n"
        "keeper the three largest stand by themselves and the others on one line, and what keeps less than 1 % of the\n"
        "whole is not opened; --no-fold opens and shows each. --depth is 3 unless told, at most 64. --type, --heap and\n"
        "--generation choose among those at the top.",
    .takes = OPT_READING | OPT_DEPTH | OPT_LIMIT | OPT_NO_FOLD | OPT_FILTER,
    .reads_snapshot = 1,
    .arguments_max = 1,
    .default_depth = 3,
    .run = run,
};
