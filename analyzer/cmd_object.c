/* object: everything known of one object. */
#include <inttypes.h>

#include "../dumpfmt/error.h"
#include "line/commands.h"
#include "graph/sums.h"
#include "render/text.h"
#include "line/select.h"

/* What the two forms of the answer are made of. */
struct facts {
    ordinal o;
    uint64_t explained, owned, retained;
    int64_t unexplained;
    int collected; /* generation of the collection that `fate` is of */
    unsigned fate;
    ordinal cycle; /* ORDINAL_NONE outside cycles */
    const struct root_entry *roots;
    size_t root_count;
    uint64_t used, capacity, serial, site;
};

/* The row of the object at `wanted` in a block, if it has it. */
static int read_row_in(const struct objects_view *view, uint64_t wanted, struct facts *f)
{
    const uint64_t *address = (const uint64_t *)view->column[OBJECT_ADDRESS].data;
    for (uint32_t i = 0; i < view->count; i++)
        if (address[i] == wanted) {
            f->used = column_get(&view->column[OBJECT_USED], i);
            f->capacity = column_get(&view->column[OBJECT_CAPACITY], i);
            f->serial = column_get(&view->column[OBJECT_SERIAL], i);
            f->site = column_get(&view->column[OBJECT_SITE], i);
            return 1;
        }
    return 0;
}

/* Columns that the graph does not keep are read from the file's row. It is in the last block whose edges begin at or
 * before the object's, or in one before it that has as many edges before it: objects without edges share their place.
 */
static void read_row(const struct graph *g, struct facts *f)
{
    uint64_t wanted = graph_address(g, f->o), edge = graph_file_edge(g, f->o);
    size_t low = 0, high = snapshot_block_count(g->snapshot, SECTION_OBJECTS);
    struct objects_view view;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        snapshot_objects(g->snapshot, middle, &view);
        if (view.first_edge <= edge)
            low = middle + 1;
        else
            high = middle;
    }
    while (low-- > 0) {
        snapshot_objects(g->snapshot, low, &view);
        if (read_row_in(&view, wanted, f))
            return;
    }
}

static int gather(struct session *s, ordinal o, int collected, struct facts *f, struct rh_error *err)
{
    const struct graph *g = &s->graph;
    uint64_t owned, retained;
    if (session_retained(s, o, &retained, err))
        return -1;
    if (sums_owned_by(g, o, &owned))
        return error_set(err, RH_ERR_NO_MEMORY, "not enough memory", "");
    ordinal component = s->components.component[o];
    *f = (struct facts){
        .o = o,
        .explained = roots_explained(&s->roots, o),
        .owned = owned,
        .retained = retained,
        .collected = collected,
        .fate = s->garbage[collected].fate[o],
        .cycle = component == ORDINAL_NONE ? ORDINAL_NONE : s->cycles.of_component[component],
    };
    f->unexplained = graph_is_immortal(g, o) ? 0 : graph_external(g, o) - (int64_t)f->explained;
    f->root_count = roots_of(&s->roots, o, &f->roots);
    read_row(g, f);
    return 0;
}

static const char *const fates[] = {"no", "yes", "freed with the garbage",
                                    "unreachable, but the collector cannot see it"};

static void show_text(struct invocation *inv, const struct facts *f)
{
    const struct session *s = &inv->session;
    const struct graph *g = &s->graph;
    FILE *out = inv->out.file;
    char name[NAME_SIZE], n[TEXT_NUMBER_SIZE];
    unsigned state = graph_state(g, f->o);
    fprintf(out, "%s at 0x%" PRIx64 "\n", name_full(s, f->o, name), graph_address(g, f->o));
    fprintf(out, "  rank         @%" PRI_ORDINAL ", heap %" PRIu32 "%s\n", f->o, graph_heap(g, f->o),
            state & STATE_DYING       ? ", dying"
            : state & STATE_FINALIZED ? ", finalized"
                                      : "");
    fprintf(out, "  generation   %s%s\n", text_generation(graph_generation(g, f->o)),
            state & STATE_CONTAINER ? "" : " (atomic)");
    fprintf(out, "  size         %s", text_size(graph_size(g, f->o), n));
    if (f->capacity)
        fprintf(out, ", %" PRIu64 " of %" PRIu64 " items in use", f->used, f->capacity);
    fprintf(out, "\n  owned        %s\n", text_size(f->owned, n));
    fprintf(out, "  retained     %s\n", text_size(f->retained, n));
    if (graph_is_immortal(g, f->o))
        fprintf(out, "  refcount     immortal\n");
    else
        fprintf(out,
                "  refcount     %" PRId64 " = %" PRIu32 " internal + %" PRIu64 " from roots + %" PRId64
                " unexplained\n",
                graph_refcount(g, f->o), graph_internal(g, f->o), f->explained, f->unexplained);
    for (size_t i = 0; i < f->root_count; i++)
        fprintf(out, "  held by      %s%s\n", name_root(s, f->roots[i].record, name),
                f->roots[i].record->flags & ROOT_EXACT ? "" : " (possibly)");
    fprintf(out, "  garbage      %s", fates[f->fate]);
    if (f->cycle != ORDINAL_NONE)
        fprintf(out, ", in cycle %" PRI_ORDINAL, f->cycle + 1);
    if (inv->options.generation != GENERATION_ANY)
        fprintf(out, " (by a collection of generation %d)", f->collected);
    fprintf(out, "\n  referrers    %" PRIu64 "\n  referents    %" PRIu64 "%s\n",
            graph_back_end(g, f->o) - graph_back_begin(g, f->o), graph_end(g, f->o) - graph_begin(g, f->o),
            state & STATE_EDGES_INCOMPLETE ? " (not all could be read)" : "");
    if (f->serial)
        fprintf(out, "  serial       %" PRIu64 "\n", f->serial);
    const char *heading = "made";
    for (uint64_t site = f->site; name_site(s, &site, name); heading = "")
        fprintf(out, "  %-11s  %s\n", heading, name);
}

static void show_json(struct invocation *inv, const struct facts *f)
{
    const struct session *s = &inv->session;
    const struct graph *g = &s->graph;
    struct json *j = &inv->out.json;
    char name[NAME_SIZE];
    unsigned generation = graph_generation(g, f->o);
    begin_json(inv);
    json_address(j, "address", graph_address(g, f->o));
    json_uint(j, "ordinal", f->o);
    json_text(j, "type", type_name(s, f->o).bytes, type_name(s, f->o).length);
    json_uint(j, "size", graph_size(g, f->o));
    if (graph_is_immortal(g, f->o))
        json_null(j, "refcount");
    else
        json_int(j, "refcount", graph_refcount(g, f->o));
    json_int(j, "generation", generation == GENERATION_UNTRACKED ? -1 : (int)generation);
    json_uint(j, "heap", graph_heap(g, f->o));
    json_bool(j, "tracked", generation != GENERATION_UNTRACKED);
    json_uint(j, "internal", graph_internal(g, f->o));
    json_uint(j, "explained", f->explained);
    json_int(j, "unexplained", f->unexplained);
    json_array(j, "possible");
    for (size_t i = 0; i < f->root_count; i++)
        if (!(f->roots[i].record->flags & ROOT_EXACT))
            json_string(j, NULL, name_root(s, f->roots[i].record, name));
    json_array_end(j);
    json_array(j, "roots");
    for (size_t i = 0; i < f->root_count; i++)
        if (f->roots[i].record->flags & ROOT_EXACT)
            json_string(j, NULL, name_root(s, f->roots[i].record, name));
    json_array_end(j);
    json_uint(j, "owned", f->owned);
    json_uint(j, "retained", f->retained);
    if (inv->options.generation != GENERATION_ANY)
        json_int(j, "collected_generation", f->collected);
    json_bool(j, "garbage", f->fate == FATE_GARBAGE);
    json_bool(j, "dependent", f->fate == FATE_DEPENDENT);
    json_bool(j, "invisible", f->fate == FATE_INVISIBLE);
    if (f->cycle == ORDINAL_NONE)
        json_null(j, "cycle");
    else
        json_uint(j, "cycle", f->cycle + 1);
    json_string(j, "label", name_object(s, f->o, name));
    json_uint(j, "used", f->used);
    json_uint(j, "capacity", f->capacity);
    if (f->serial)
        json_uint(j, "serial", f->serial);
    else
        json_null(j, "serial");
    json_array(j, "site");
    for (uint64_t site = f->site; name_site(s, &site, name);)
        json_string(j, NULL, name);
    json_array_end(j);
    json_uint(j, "referrers", graph_back_end(g, f->o) - graph_back_begin(g, f->o));
    json_uint(j, "referents", graph_end(g, f->o) - graph_begin(g, f->o));
    json_end(j);
}

static int run(struct invocation *inv)
{
    int collected = inv->options.generation == GENERATION_ANY ? 2 : inv->options.generation;
    struct session *s = &inv->session;
    struct facts facts;
    struct rh_error err;
    ordinal o;
    if (collected > 2)
        return fail_usage(inv->command, "--generation must be 0, 1 or 2: no other is collected");
    const unsigned needs = 1u << KEPT_BACK | 1u << KEPT_VALUES | 1u << (KEPT_GARBAGE + collected) |
                           1u << KEPT_GARBAGE_OLDEST | 1u << KEPT_CYCLES | 1u << KEPT_DOMINATORS;
    if (!session_rows(s, needs, &err) && (session_dominators(s, &err) || session_garbage(s, collected, &err) ||
                                          session_back(s, &err) || session_values(s, &err)))
        return fail(s->path, &err);
    int status = select_object(inv, inv->argv[0], &o);
    if (status)
        return status;
    if (gather(s, o, collected, &facts, &err))
        return fail(s->path, &err);
    if (inv->out.format == OUTPUT_JSON)
        show_json(inv, &facts);
    else
        show_text(inv, &facts);
    return STATUS_FINE;
}

const struct command cmd_object = {
    .name = "object",
    .summary = "everything known of one object",
    .arguments = "SNAPSHOT OBJ",
    .help =
        "Shows an object's type, value, generation, sizes, and what its refcount is made of: references from objects in\n"
        "the heap, references from exact roots, and the rest, which nothing explains. Whether it is garbage is told as by a\n"
        "collection of the oldest generation; --generation N asks one of generation N.",
    .takes = OPT_READING | OPT_GENERATION,
    .reads_snapshot = 1,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
