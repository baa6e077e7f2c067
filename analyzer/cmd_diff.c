/* diff: what came, went and stayed between two snapshots. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../dumpfmt/error.h"
#include "line/commands.h"
#include "answers/compare.h"
#include "graph/array.h"
#include "graph/changes.h"
#include "render/text.h"

enum { OWN_ATTRIBUTED, OWN_OBJECTS };
enum { BEFORE, AFTER };

static const struct own_option own[] = {
    {"attributed", NULL, "say who holds what is new: by the type of the immediate dominator"},
    {"objects", "WHICH", "list the objects that are new, gone, moved (to another generation) or stayed"},
    {NULL, NULL, NULL},
};

/* What --objects can ask for. */
enum which { WHICH_NEW, WHICH_GONE, WHICH_MOVED, WHICH_STAYED, WHICH_NONE };
static const char *const which_names[] = {"new", "gone", "moved", "stayed"};

enum grouping { BY_TYPE, BY_GENERATION, BY_MODULE, GROUPINGS };
static const char *const grouping_names[] = {"type", "generation", "module"};

struct comparison {
    struct invocation *inv;
    struct session *side[2];
    const struct graph *g[2];
    struct common_types types;
    struct pairing pairing;
    enum grouping by;
    enum which which;
    uint32_t groups;
    uint32_t *group_of[2]; /* by object; `groups` for one that is filtered out */
    struct change *changes;
    struct tally moved[GENERATION_LIMIT][GENERATION_LIMIT];
};

/* ---- groups ---- */

static uint32_t type_of(const struct comparison *c, int side, ordinal o)
{
    return c->types.of_type[side][graph_type(c->g[side], o)];
}

static uint32_t group_number(const struct comparison *c, int side, ordinal o)
{
    if (c->by == BY_GENERATION)
        return graph_generation(c->g[side], o);
    return c->by == BY_MODULE ? c->types.module_of[type_of(c, side, o)] : type_of(c, side, o);
}

/* Of a type or a module. */
static struct text group_name(const struct comparison *c, uint32_t group)
{
    static const char none[] = "(none)";
    struct text name = c->by == BY_MODULE ? c->types.module[group] : c->types.name[group];
    return name.length ? name : (struct text){none, sizeof none - 1, sizeof none - 1};
}

static int group_objects(struct comparison *c)
{
    c->groups = c->by == BY_GENERATION ? GENERATION_LIMIT : c->types.count;
    c->changes = calloc((size_t)c->groups + 1, sizeof *c->changes);
    for (int side = 0; side < 2; side++) {
        c->group_of[side] = malloc(((size_t)c->g[side]->objects + 1) * sizeof *c->group_of[side]);
        if (!c->group_of[side] || !c->changes)
            return -1;
        for (ordinal o = 0; o < c->g[side]->objects; o++)
            c->group_of[side][o] =
                filter_matches_in(&c->inv->options, c->side[side], o) ? group_number(c, side, o) : c->groups;
    }
    return 0;
}

static int compare(struct comparison *c)
{
    const struct session *const sessions[] = {c->side[BEFORE], c->side[AFTER]};
    if (common_types_find(sessions, 2, &c->types))
        return -1;
    const struct pairing_side sides[] = {{c->g[BEFORE], c->types.of_type[BEFORE]},
                                         {c->g[AFTER], c->types.of_type[AFTER]}};
    session_progress(c->side[BEFORE], "finding what came, went and stayed");
    if (pairing_find(sides, &c->pairing) || group_objects(c))
        return -1;
    changes_by_group(c->g, &c->pairing, c->group_of, c->groups, c->changes);
    changes_by_generation(c->g, &c->pairing, c->group_of, c->groups, c->moved);
    return 0;
}

static struct change total(const struct comparison *c)
{
    struct change sum = {0};
    for (uint32_t i = 0; i < c->groups; i++) {
        const struct change *x = &c->changes[i];
        sum.before += x->before;
        sum.after += x->after;
        sum.new += x->new;
        sum.gone += x->gone;
        sum.stayed += x->stayed + x->moved_in;
        sum.before_bytes += x->before_bytes;
        sum.after_bytes += x->after_bytes;
        sum.new_bytes += x->new_bytes;
        sum.gone_bytes += x->gone_bytes;
    }
    return sum;
}

/* ---- heads ---- */

static const char *identity(const struct comparison *c)
{
    return c->pairing.inferred ? "inferred" : "serial";
}

static void show_head(const struct comparison *c)
{
    FILE *f = c->inv->out.file;
    struct change sum = total(c);
    char a[TEXT_NUMBER_SIZE], b[TEXT_NUMBER_SIZE], d[TEXT_NUMBER_SIZE];
    fprintf(f, "before  %s, %s\n", text_plural(sum.before, "object", a), text_size(sum.before_bytes, b));
    fprintf(f, "after   %s, %s: %s new", text_plural(sum.after, "object", a), text_size(sum.after_bytes, b),
            text_count(sum.new, d));
    fprintf(f, ", %s stayed; %s gone\n", text_count(sum.stayed, a), text_count(sum.gone, b));
    if (!c->pairing.inferred)
        fputs("objects are told apart by serial number\n", f);
    else if (!c->pairing.same_process)
        fputs("the snapshots are of different processes: what is new and gone is inferred from address and type, and "
              "means little\n",
              f);
    else if (c->pairing.by_serial)
        fprintf(f, "objects are told apart by serial number; of %s it is inferred from address and type\n",
                text_count(c->pairing.inferred, a));
    else
        fputs("what is new and gone is inferred from address and type: memory that is used again looks as if it had "
              "stayed\n",
              f);
    if (snapshot_header(c->side[BEFORE]->snapshot)->time > snapshot_header(c->side[AFTER]->snapshot)->time)
        fputs("the first snapshot was taken after the second\n", f);
    for (unsigned from = 0; from < GENERATION_LIMIT; from++)
        for (unsigned to = 0; to < GENERATION_LIMIT; to++)
            if (from != to && c->moved[from][to].objects)
                fprintf(f, "%s, %s, went from generation %s to %s\n",
                        text_plural(c->moved[from][to].objects, "object", a), text_size(c->moved[from][to].bytes, b),
                        text_generation(from), text_generation(to));
    fputc('\n', f);
}

static int shown_generation(unsigned generation)
{
    return generation == GENERATION_UNTRACKED ? -1 : (int)generation;
}

static void json_head(const struct comparison *c)
{
    struct json *j = &c->inv->out.json;
    struct change sum = total(c);
    begin_json(c->inv);
    json_string(j, "identity", identity(c));
    json_bool(j, "same_process", c->pairing.same_process);
    json_uint(j, "paired_by_serial", c->pairing.by_serial);
    json_uint(j, "paired_by_address", c->pairing.by_address);
    tally_json(j, "before", &(struct tally){sum.before, sum.before_bytes});
    tally_json(j, "after", &(struct tally){sum.after, sum.after_bytes});
    tally_json(j, "new", &(struct tally){sum.new, sum.new_bytes});
    tally_json(j, "gone", &(struct tally){sum.gone, sum.gone_bytes});
    json_array(j, "moved");
    for (unsigned from = 0; from < GENERATION_LIMIT; from++)
        for (unsigned to = 0; to < GENERATION_LIMIT; to++) {
            if (from == to || !c->moved[from][to].objects)
                continue;
            json_object(j, NULL);
            json_int(j, "from", shown_generation(from));
            json_int(j, "to", shown_generation(to));
            json_uint(j, "objects", c->moved[from][to].objects);
            json_uint(j, "bytes", c->moved[from][to].bytes);
            json_object_end(j);
        }
    json_array_end(j);
}

/* ---- the table of groups ---- */

enum { COLUMNS = 15 };

static void describe_columns(const struct comparison *c, struct column columns[COLUMNS])
{
    int moves = c->by == BY_GENERATION;
    const struct column described[COLUMNS] = {
        {grouping_names[c->by], grouping_names[c->by], moves ? CELL_GENERATION : CELL_TEXT},
        {"before", "before", CELL_COUNT},
        {"after", "after", CELL_COUNT},
        {"delta_count", "change", CELL_CHANGE},
        {"delta_bytes", "size", CELL_SIZE_CHANGE},
        {"new", "new", CELL_COUNT},
        {"gone", "gone", CELL_COUNT},
        {"stayed", "stayed", CELL_COUNT},
        {"moved_in", moves ? "moved in" : NULL, CELL_COUNT},
        {"moved_out", moves ? "moved out" : NULL, CELL_COUNT},
        {"before_bytes", NULL, CELL_SIZE},
        {"after_bytes", NULL, CELL_SIZE},
        {"new_bytes", NULL, CELL_SIZE},
        {"gone_bytes", NULL, CELL_SIZE},
        {"grown_bytes", NULL, CELL_SIZE_CHANGE},
    };
    memcpy(columns, described, sizeof described);
}

static int64_t delta_bytes(const struct change *c)
{
    return (int64_t)(c->after_bytes - c->before_bytes);
}

static int has_changed(const struct change *c)
{
    return c->new || c->gone || c->moved_in || c->moved_out || delta_bytes(c);
}

/* What grew most first, then by name. */
static int compare_rows(const void *pa, const void *pb, void *context)
{
    const struct comparison *c = context;
    uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;
    const struct change *x = &c->changes[a], *y = &c->changes[b];
    if (delta_bytes(x) != delta_bytes(y))
        return delta_bytes(x) < delta_bytes(y) ? 1 : -1;
    int64_t i = (int64_t)(x->after - x->before), k = (int64_t)(y->after - y->before);
    if (i != k)
        return i < k ? 1 : -1;
    return a < b ? -1 : a > b;
}

static int groups_table(const struct comparison *c)
{
    struct table_options options = {.name = c->by == BY_TYPE ? "types" : "groups",
                                    .noun = c->by == BY_TYPE ? "types" : "groups"};
    uint32_t *order = malloc(((size_t)c->groups + 1) * sizeof *order);
    struct column columns[COLUMNS];
    struct table t;
    uint64_t same = 0;
    char n[TEXT_NUMBER_SIZE];
    if (!order)
        return -1;
    for (uint32_t i = 0; i < c->groups; i++)
        order[i] = i;
    qsort_r(order, c->groups, sizeof *order, compare_rows, (void *)(uintptr_t)c);
    describe_columns(c, columns);
    begin_table(c->inv, &t, columns, COLUMNS, &options);
    for (uint32_t i = 0; i < c->groups; i++) {
        const struct change *x = &c->changes[order[i]];
        if (!x->before && !x->after)
            continue;
        if (c->inv->out.format == OUTPUT_TEXT && !has_changed(x)) {
            same++;
            continue;
        }
        struct text name = {NULL, 0, 0};
        if (c->by != BY_GENERATION)
            name = group_name(c, order[i]);
        struct cell cells[COLUMNS] = {
            c->by == BY_GENERATION ? cell_number(order[i]) : cell_bytes(name.bytes, name.length),
            cell_number(x->before),
            cell_number(x->after),
            cell_number(x->after - x->before),
            cell_number((uint64_t)delta_bytes(x)),
            cell_number(x->new),
            cell_number(x->gone),
            cell_number(x->stayed),
            cell_number(x->moved_in),
            cell_number(x->moved_out),
            cell_number(x->before_bytes),
            cell_number(x->after_bytes),
            cell_number(x->new_bytes),
            cell_number(x->gone_bytes),
            cell_number((uint64_t)x->grown_bytes),
        };
        table_row(&t, cells);
    }
    free(order);
    int status = table_end(&t, &options);
    if (same)
        fprintf(c->inv->out.file, "%s did not change\n", text_plural(same, grouping_names[c->by], n));
    return status;
}

/* ---- who holds what is new ---- */

static struct text holder_name(const struct comparison *c, uint32_t held_by)
{
    static const char roots[] = "(roots)", cycle[] = "(garbage cycle)";
    if (held_by == HELD_BY_ROOTS)
        return (struct text){roots, sizeof roots - 1, sizeof roots - 1};
    if (held_by == HELD_BY_CYCLE)
        return (struct text){cycle, sizeof cycle - 1, sizeof cycle - 1};
    return c->types.name[held_by];
}

static const struct column attribution_columns[] = {
    {"held_by", "held by", CELL_TEXT},
    {"type", "type", CELL_TEXT},
    {"new", "new", CELL_COUNT},
    {"new_bytes", "size", CELL_SIZE},
};
enum { ATTRIBUTION_COLUMNS = sizeof attribution_columns / sizeof *attribution_columns };

static int attribution_table(const struct comparison *c)
{
    struct table_options options = {.name = "attributed", .noun = "holders", .limit = table_limit(c->inv)};
    const struct graph *g = c->g[AFTER];
    size_t n = (size_t)g->objects + 1, count = 0;
    uint32_t *type = malloc(n * sizeof *type), *chosen = malloc(n * sizeof *chosen);
    struct attribution *rows = NULL;
    struct table t;
    for (ordinal o = 0; type && chosen && o < g->objects; o++) {
        type[o] = type_of(c, AFTER, o);
        chosen[o] = c->group_of[AFTER][o] < c->groups ? type[o] : c->types.count;
    }
    int status = type && chosen ? changes_attribute(g, &c->pairing, &c->side[AFTER]->dominators, chosen, c->types.count,
                                                    type, &rows, &count)
                                : -1;
    if (!status) {
        if (c->inv->out.format == OUTPUT_CSV) /* else --sort is about the table above */
            options.sort = c->inv->options.sort;
        table_begin(&t, &c->inv->out, attribution_columns, ATTRIBUTION_COLUMNS, &options);
        for (size_t i = 0; i < count; i++) {
            struct text holder = holder_name(c, rows[i].held_by), name = c->types.name[rows[i].group];
            struct cell cells[] = {cell_bytes(holder.bytes, holder.length), cell_bytes(name.bytes, name.length),
                                   cell_number(rows[i].objects), cell_number(rows[i].bytes)};
            table_row(&t, cells);
        }
        status = table_end(&t, &options);
    }
    free(type);
    free(chosen);
    array_free(rows);
    return status;
}

/* ---- single objects ---- */

static const struct column object_columns[] = {
    {"address", "address", CELL_ADDRESS},
    {"type", "type", CELL_TEXT},
    {"generation_before", "before", CELL_GENERATION},
    {"generation", "generation", CELL_GENERATION},
    {"size", "size", CELL_SIZE},
    {"serial", "serial", CELL_NUMBER},
    {"label", "name", CELL_TEXT},
};
enum { OBJECT_COLUMNS = sizeof object_columns / sizeof *object_columns };

static int is_asked_for(const struct comparison *c, int side, ordinal o)
{
    ordinal other = c->pairing.partner[side][o];
    if (other == ORDINAL_NONE)
        return c->which == WHICH_NEW || c->which == WHICH_GONE;
    int moved = graph_generation(c->g[side], o) != graph_generation(c->g[!side], other);
    return c->which == WHICH_STAYED || (c->which == WHICH_MOVED && moved);
}

static int objects_table(const struct comparison *c)
{
    struct table_options options = {.name = "objects", .noun = "objects"};
    int side = c->which == WHICH_GONE ? BEFORE : AFTER;
    const struct session *s = c->side[side];
    const struct graph *g = c->g[side];
    uint64_t *serials = pairing_serials(g);
    char name[NAME_SIZE];
    struct table t;
    if (!serials)
        return -1;
    begin_table(c->inv, &t, object_columns, OBJECT_COLUMNS, &options);
    for (ordinal o = 0; o < g->objects; o++) {
        if (c->group_of[side][o] >= c->groups || !is_asked_for(c, side, o))
            continue;
        ordinal other = c->pairing.partner[side][o];
        struct cell here = cell_number(graph_generation(g, o)), null = cell_null();
        struct cell there = other == ORDINAL_NONE ? null : cell_number(graph_generation(c->g[!side], other));
        struct cell cells[OBJECT_COLUMNS] = {
            cell_number(graph_address(g, o)),   cell_bytes(type_name(s, o).bytes, type_name(s, o).length),
            side == BEFORE ? here : there,      side == BEFORE ? there : here,
            cell_number(graph_size(g, o)),      serials[o] ? cell_number(serials[o]) : null,
            cell_text(name_object(s, o, name)),
        };
        table_row(&t, cells);
    }
    array_free(serials);
    if (c->inv->out.format == OUTPUT_TEXT && !t.seen)
        fprintf(c->inv->out.file, "none\n");
    return table_end(&t, &options);
}

/* ---- the command ---- */

static int show(const struct comparison *c)
{
    const struct invocation *inv = c->inv;
    int objects = c->which != WHICH_NONE, attributed = inv->own[OWN_ATTRIBUTED] != NULL, status = 0;
    if (inv->out.format == OUTPUT_CSV)
        return objects ? objects_table(c) : attributed ? attribution_table(c) : groups_table(c);
    if (inv->out.format == OUTPUT_TEXT) {
        show_head(c);
        status = objects ? objects_table(c) : groups_table(c);
        if (!status && attributed) {
            fputc('\n', inv->out.file);
            status = attribution_table(c);
        }
        return status;
    }
    json_head(c);
    status = groups_table(c);
    if (!status && attributed)
        status = attribution_table(c);
    if (!status && objects)
        status = objects_table(c);
    json_end(&c->inv->out.json);
    return status;
}

static int understand(struct comparison *c)
{
    struct invocation *inv = c->inv;
    const char *by = inv->options.by, *which = inv->own[OWN_OBJECTS];
    struct column columns[COLUMNS];
    while (by && c->by < GROUPINGS && strcmp(by, grouping_names[c->by]))
        c->by++;
    if (c->by == GROUPINGS)
        return fail_usage(inv->command, "--by cannot be \"%s\"; it is type, generation or module", by);
    while (c->which < WHICH_NONE && (!which || strcmp(which, which_names[c->which])))
        c->which++;
    if (which && c->which == WHICH_NONE)
        return fail_usage(inv->command, "--objects cannot be \"%s\"; it is new, gone, moved or stayed", which);
    if (which && inv->out.format != OUTPUT_JSON)
        return check_sort(inv, object_columns, OBJECT_COLUMNS);
    if (inv->own[OWN_ATTRIBUTED] && inv->out.format == OUTPUT_CSV)
        return check_sort(inv, attribution_columns, ATTRIBUTION_COLUMNS);
    describe_columns(c, columns);
    return check_sort(inv, columns, COLUMNS);
}

static int run(struct invocation *inv)
{
    struct comparison c = {.inv = inv, .side = {&inv->session, &inv->more[0]}};
    struct rh_error err;
    int status = understand(&c);
    if (status)
        return status;
    for (int side = 0; side < 2; side++) {
        if (session_graph(c.side[side], &err) || session_values(c.side[side], &err))
            return fail(c.side[side]->path, &err);
        c.g[side] = &c.side[side]->graph;
    }
    if (inv->own[OWN_ATTRIBUTED] && session_dominators(c.side[AFTER], &err))
        return fail(c.side[AFTER]->path, &err);
    status = compare(&c);
    if (!status)
        status = show(&c);
    pairing_release(&c.pairing);
    common_types_release(&c.types);
    free(c.group_of[BEFORE]);
    free(c.group_of[AFTER]);
    free(c.changes);
    if (!status)
        return STATUS_FINE;
    error_set(&err, RH_ERR_NO_MEMORY, "not enough memory for the comparison", "");
    return fail(c.side[AFTER]->path, &err);
}

static const struct option_words words[] = {
    {"by", "type generation module"},
    {"objects", "new gone moved stayed"},
    {NULL, NULL},
};

const struct command cmd_diff = {
    .name = "diff",
    .summary = "what came, went and stayed between two snapshots",
    .arguments = "A B",
    .help =
        "Compares snapshot A with the later B, by type unless --by says generation or module. Objects are told apart by\n"
        "serial number where the heap gives them (RH_HEAP_SERIALS), else by address and type, and then it says that what\n"
        "is new, gone and stayed is inferred. Counts and sizes before and after are exact in any case. --attributed adds\n"
        "who holds what is new: the size of each new object goes to the type of its immediate dominator in B.",
    .takes = OPT_READING | OPT_TABLE | OPT_FILTER | OPT_BY,
    .reads_snapshot = 1,
    .more_min = 1,
    .more_max = 1,
    .own = own,
    .words = words,
    .run = run,
};
