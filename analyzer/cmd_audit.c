/* audit: whether refcounts are what their holders say. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../dumpfmt/error.h"
#include "commands.h"
#include "fold.h"
#include "graph/audit.h"
#include "render/text.h"

enum { MEMBERS_SHOWN = 8 };

/* The classes that are listed, in this order. */
static const struct class_text {
    enum audit_class klass;
    const char *key; /* in JSON and CSV */
    const char *title, *title_one, *means;
    const char *references; /* what the references are that make the difference */
} classes[] = {
    {AUDIT_OVER, "over", "objects have references", "object has references",
     "that nothing explains: a release is missing, or who holds them is not in the snapshot", "unexplained"},
    {AUDIT_POSSIBLY_OVER, "possibly_over", "objects have unexplained references", "object has unexplained references",
     "and possible holders", "unexplained"},
    {AUDIT_UNDER, "under", "objects have more holders", "object has more holders",
     "than references: who drops his too often frees them under the others", "missing"},
    {AUDIT_POSSIBLY_UNDER, "possibly_under", "objects have more holders", "object has more holders",
     "than references, if what scanning found are holders", "missing"},
};
enum { CLASSES = sizeof classes / sizeof *classes };

struct inquiry {
    struct invocation *inv;
    struct audit audit;
    ordinal *objects[CLASSES]; /* those listed, worst first */
    size_t count[CLASSES];
};

/* ---- choosing and ordering ---- */

static uint64_t gap(const struct inquiry *q, ordinal o)
{
    int64_t unexplained = audit_unexplained(&q->inv->session.graph, &q->audit, o);
    return unexplained < 0 ? -(uint64_t)unexplained : (uint64_t)unexplained;
}

static int compare_objects(const void *pa, const void *pb, void *context)
{
    ordinal a = *(const ordinal *)pa, b = *(const ordinal *)pb;
    uint64_t x = gap(context, a), y = gap(context, b);
    if (x != y)
        return x < y ? 1 : -1;
    return a < b ? -1 : a > b;
}

static int choose(struct inquiry *q)
{
    const struct invocation *inv = q->inv;
    for (int c = 0; c < CLASSES; c++) {
        q->objects[c] = malloc(((size_t)q->audit.count[classes[c].klass] + 1) * sizeof *q->objects[c]);
        if (!q->objects[c])
            return -1;
        for (ordinal o = 0; o < inv->session.graph.objects; o++)
            if (q->audit.class_of[o] == classes[c].klass && filter_matches(inv, o))
                q->objects[c][q->count[c]++] = o;
        qsort_r(q->objects[c], q->count[c], sizeof(ordinal), compare_objects, q);
    }
    return 0;
}

/* A pinned cycle is asked for when one of its members is. */
static int pinned_matches(const struct inquiry *q, const struct pinned *p)
{
    const struct components *c = &q->audit.components;
    for (ordinal m = c->member_start[p->component]; m < c->member_start[p->component + 1]; m++)
        if (filter_matches(q->inv, c->member[m]))
            return 1;
    return 0;
}

/* The next possible holder of an object, `*at` counting from 0; NULL at the end. */
static const struct root_record *next_possible(const struct session *s, ordinal o, size_t *at)
{
    const struct root_entry *roots;
    size_t n = roots_of(&s->roots, o, &roots);
    while (*at < n) {
        const struct root_record *r = roots[(*at)++].record;
        if (!(r->flags & ROOT_EXACT))
            return r;
    }
    return NULL;
}

/* "global sessions, stack slot main": as many as there is room for, with the number of the others. */
static const char *list_possible(const struct session *s, ordinal o, char to[NAME_SIZE])
{
    char name[NAME_SIZE];
    size_t at = 0, used = 0, more = 0;
    to[0] = 0;
    for (const struct root_record *r; (r = next_possible(s, o, &at));) {
        const char *shown = name_root(s, r, name);
        if (used + strlen(shown) + 40 < NAME_SIZE)
            used += (size_t)snprintf(to + used, NAME_SIZE - used, "%s%s", used ? ", " : "", shown);
        else
            more++;
    }
    if (more)
        snprintf(to + used, NAME_SIZE - used, ", and %zu more", more);
    return to;
}

/* ---- coverage ---- */

static void share_json(struct json *j, const char *key, double part, double whole)
{
    if (whole > 0)
        json_number(j, key, part / whole);
    else
        json_null(j, key);
}

static uint64_t auditable(const struct inquiry *q)
{
    return q->inv->session.graph.objects - q->audit.count[AUDIT_NOT_AUDITABLE];
}

static void coverage_json(const struct inquiry *q, struct json *j)
{
    const struct session *s = &q->inv->session;
    const struct process_record *p = snapshot_process(s->snapshot);
    json_object(j, "coverage");
    share_json(j, "refcounts_explained", (double)q->audit.count[AUDIT_CLEAN], (double)auditable(q));
    share_json(j, "bytes_known", (double)p->known_bytes, (double)p->runtime_bytes);
    share_json(j, "core_present", (double)p->memory_present, (double)p->memory_expected);
    json_uint(j, "dangling_edges", s->graph.dangling);
    json_uint(j, "dangling_roots", s->roots.dangling);
    json_uint(j, "inferred_edges", q->audit.inferred);
    json_uint(j, "incomplete_objects", s->graph.incomplete);
    json_uint(j, "damaged_objects", p->objects_damaged);
    json_object_end(j);
}

/* A share that is not whole never reads 100%. */
static void show_percent(FILE *f, uint64_t part, uint64_t whole)
{
    double percent = 100 * ((double)part / (double)whole);
    if (part >= whole)
        fputs(" (100%)", f);
    else
        fprintf(f, " (%.1f%%)", percent > 99.9 ? 99.9 : percent);
}

static void show_share(FILE *f, const char *what, uint64_t part, uint64_t whole)
{
    char a[TEXT_NUMBER_SIZE], b[TEXT_NUMBER_SIZE];
    if (!whole)
        return;
    fprintf(f, "%s of %s %s", text_size(part, a), text_size(whole, b), what);
    show_percent(f, part, whole);
    fputc('\n', f);
}

static void show_gap(FILE *f, uint64_t count, const char *noun, const char *what)
{
    char n[TEXT_NUMBER_SIZE];
    if (count)
        fprintf(f, "%s %s\n", text_plural(count, noun, n), what);
}

/* What the answer rests on; what is missing is told only where it is. */
static void show_coverage(const struct inquiry *q)
{
    const struct session *s = &q->inv->session;
    const struct process_record *p = snapshot_process(s->snapshot);
    FILE *f = q->inv->out.file;
    uint64_t clean = q->audit.count[AUDIT_CLEAN], of = auditable(q);
    char a[TEXT_NUMBER_SIZE], b[TEXT_NUMBER_SIZE];
    fprintf(f, "%s of %s explained", text_count(clean, a), text_plural(of, "refcount", b));
    if (of)
        show_percent(f, clean, of);
    if (q->audit.count[AUDIT_NOT_AUDITABLE])
        fprintf(f, "; %s not auditable", text_count(q->audit.count[AUDIT_NOT_AUDITABLE], a));
    fputc('\n', f);
    show_share(f, "of the runtime's memory is in known objects", p->known_bytes, p->runtime_bytes);
    show_share(f, "of the memory the core should hold is there", p->memory_present, p->memory_expected);
    show_gap(f, s->graph.dangling, "edge", "to no object of the snapshot");
    show_gap(f, s->roots.dangling, "root", "of no object of the snapshot");
    show_gap(f, q->audit.inferred, "edge", "found by scanning");
    show_gap(f, s->graph.incomplete, "object",
             "whose references could not all be read: what those hold is unexplained");
    show_gap(f, p->objects_damaged, "object", "left out as damaged: what those hold is unexplained");
}

/* ---- JSON ---- */

static void object_json(const struct inquiry *q, ordinal o)
{
    const struct session *s = &q->inv->session;
    const struct graph *g = &s->graph;
    struct json *j = &q->inv->out.json;
    unsigned generation = graph_generation(g, o);
    char name[NAME_SIZE];
    size_t at = 0;
    json_object(j, NULL);
    json_address(j, "address", g->address[o]);
    json_text(j, "type", type_name(s, o).bytes, type_name(s, o).length);
    json_int(j, "generation", generation == GENERATION_UNTRACKED ? -1 : (int)generation);
    json_uint(j, "heap", g->heap[o]);
    json_uint(j, "size", g->size[o]);
    if (graph_is_immortal(g, o))
        json_null(j, "refcount");
    else
        json_int(j, "refcount", g->refcount[o]);
    json_uint(j, "internal", g->internal[o]);
    json_uint(j, "explained", q->audit.explained[o]);
    json_int(j, "unexplained", graph_is_immortal(g, o) ? 0 : audit_unexplained(g, &q->audit, o));
    json_array(j, "possible");
    for (const struct root_record *r; (r = next_possible(s, o, &at));)
        json_string(j, NULL, name_root(s, r, name));
    json_array_end(j);
    json_string(j, "label", name_object(s, o, name));
    json_object_end(j);
}

static void omitted_json(struct json *j, const char *list, uint64_t omitted)
{
    char key[64];
    snprintf(key, sizeof key, "%s_omitted", list);
    if (omitted)
        json_uint(j, key, omitted);
}

static void pinned_json(const struct inquiry *q)
{
    const struct components *c = &q->audit.components;
    struct json *j = &q->inv->out.json;
    uint64_t limit = table_limit(q->inv), shown = 0, more = 0;
    json_array(j, "pinned");
    for (ordinal i = 0; i < q->audit.pinned_count; i++) {
        const struct pinned *p = &q->audit.pinned[i];
        if (!pinned_matches(q, p))
            continue;
        if (limit && shown++ >= limit) {
            more++;
            continue;
        }
        json_object(j, NULL);
        json_uint(j, "objects", p->objects);
        json_uint(j, "bytes", p->bytes);
        json_uint(j, "unexplained", p->unexplained);
        json_array(j, "members");
        for (ordinal m = c->member_start[p->component]; m < c->member_start[p->component + 1]; m++)
            object_json(q, c->member[m]);
        json_array_end(j);
        json_object_end(j);
    }
    json_array_end(j);
    omitted_json(j, "pinned", more);
}

static void show_json(const struct inquiry *q)
{
    struct json *j = &q->inv->out.json;
    uint64_t limit = table_limit(q->inv);
    begin_json(q->inv);
    coverage_json(q, j);
    json_uint(j, "clean", q->audit.count[AUDIT_CLEAN]);
    json_uint(j, "not_auditable", q->audit.count[AUDIT_NOT_AUDITABLE]);
    for (int c = 0; c < CLASSES; c++) {
        size_t shown = limit && q->count[c] > limit ? (size_t)limit : q->count[c];
        json_array(j, classes[c].key);
        for (size_t i = 0; i < shown; i++)
            object_json(q, q->objects[c][i]);
        json_array_end(j);
        omitted_json(j, classes[c].key, q->count[c] - shown);
    }
    pinned_json(q);
    json_end(j);
}

/* ---- CSV ---- */

static int show_csv(const struct inquiry *q)
{
    static const struct column columns[] = {
        {"class", "", CELL_TEXT},      {"address", "", CELL_ADDRESS},
        {"type", "", CELL_TEXT},       {"generation", "", CELL_GENERATION},
        {"heap", "", CELL_NUMBER},     {"size", "", CELL_SIZE},
        {"refcount", "", CELL_NUMBER}, {"internal", "", CELL_COUNT},
        {"explained", "", CELL_COUNT}, {"unexplained", "", CELL_NUMBER},
        {"possible", "", CELL_TEXT},   {"label", "", CELL_TEXT},
    };
    const struct session *s = &q->inv->session;
    const struct graph *g = &s->graph;
    struct table_options options = {.name = "objects"};
    char possible[NAME_SIZE], label[NAME_SIZE];
    struct table t;
    begin_table(q->inv, &t, columns, sizeof columns / sizeof *columns, &options);
    for (int c = 0; c < CLASSES; c++)
        for (size_t i = 0; i < q->count[c]; i++) {
            ordinal o = q->objects[c][i];
            struct cell cells[] = {
                cell_text(classes[c].key),
                cell_number(g->address[o]),
                cell_bytes(type_name(s, o).bytes, type_name(s, o).length),
                cell_number(graph_generation(g, o)),
                cell_number(g->heap[o]),
                cell_number(g->size[o]),
                cell_number((uint64_t)g->refcount[o]),
                cell_number(g->internal[o]),
                cell_number(q->audit.explained[o]),
                cell_number((uint64_t)audit_unexplained(g, &q->audit, o)),
                cell_text(list_possible(s, o, possible)),
                cell_text(name_object(s, o, label)),
            };
            table_row(&t, cells);
        }
    return table_end(&t, &options);
}

/* ---- text ---- */

/* "refcount 2 = 1 internal + 0 explained + 1 unexplained". */
static void describe_count(const struct inquiry *q, ordinal o, char to[NAME_SIZE])
{
    const struct graph *g = &q->inv->session.graph;
    int64_t unexplained = audit_unexplained(g, &q->audit, o);
    int used = snprintf(to, NAME_SIZE, "%" PRId64 " = %" PRIu32 " internal + %" PRIu32 " explained", g->refcount[o],
                        g->internal[o], q->audit.explained[o]);
    if (unexplained)
        snprintf(to + used, NAME_SIZE - (size_t)used, " %c %" PRIu64 " %s", unexplained < 0 ? '-' : '+', gap(q, o),
                 unexplained < 0 ? "missing" : "unexplained");
}

/* Every object of a class, a row each. */
static int list_objects(const struct inquiry *q, int c)
{
    const struct column columns[] = {
        {"type", "type", CELL_TEXT},
        {"address", "address", CELL_ADDRESS},
        {"generation", "generation", CELL_GENERATION},
        {"size", "size", CELL_SIZE},
        {"refcount", "refcount", CELL_TEXT},
        {"possible", classes[c].klass == AUDIT_POSSIBLY_OVER ? "possible holders" : NULL, CELL_TEXT},
        {"label", "name", CELL_TEXT},
    };
    const struct session *s = &q->inv->session;
    struct table_options options = {.name = classes[c].key, .noun = "objects"};
    char count[NAME_SIZE], possible[NAME_SIZE], label[NAME_SIZE];
    struct table t;
    begin_table(q->inv, &t, columns, sizeof columns / sizeof *columns, &options);
    for (size_t i = 0; i < q->count[c]; i++) {
        ordinal o = q->objects[c][i];
        describe_count(q, o, count);
        struct cell cells[] = {cell_bytes(type_name(s, o).bytes, type_name(s, o).length),
                               cell_number(s->graph.address[o]),
                               cell_number(graph_generation(&s->graph, o)),
                               cell_number(s->graph.size[o]),
                               cell_text(count),
                               cell_text(list_possible(s, o, possible)),
                               cell_text(name_object(s, o, label))};
        table_row(&t, cells);
    }
    return table_end(&t, &options);
}

/* The objects of a class by type; the example is the one with the widest gap. */
struct group {
    uint64_t objects, bytes, references;
    ordinal example;
    uint32_t klass; /* of type */
};

static int compare_groups(const void *pa, const void *pb)
{
    const struct group *a = pa, *b = pb;
    if (a->objects != b->objects)
        return a->objects < b->objects ? 1 : -1;
    return a->klass < b->klass ? -1 : a->klass > b->klass;
}

static int list_types(const struct inquiry *q, int c)
{
    const struct column columns[] = {
        {"type", "type", CELL_TEXT},
        {"objects", "objects", CELL_COUNT},
        {"size", "size", CELL_SIZE},
        {"references", classes[c].references, CELL_COUNT},
        {"example", "for example", CELL_ADDRESS},
        {"refcount", "refcount", CELL_TEXT},
        {"possible", classes[c].klass == AUDIT_POSSIBLY_OVER ? "possible holders" : NULL, CELL_TEXT},
    };
    const struct session *s = &q->inv->session;
    struct table_options options = {.name = classes[c].key, .noun = "types"};
    struct group *groups = calloc((size_t)s->classes.count + 1, sizeof *groups);
    char count[NAME_SIZE], possible[NAME_SIZE];
    struct table t;
    if (!groups)
        return -1;
    for (uint32_t k = 0; k < s->classes.count; k++)
        groups[k].klass = k;
    for (size_t i = 0; i < q->count[c]; i++) {
        ordinal o = q->objects[c][i];
        struct group *group = &groups[s->classes.of_type[s->graph.type[o]]];
        if (!group->objects++)
            group->example = o;
        group->bytes += s->graph.size[o];
        group->references += gap(q, o);
    }
    qsort(groups, s->classes.count, sizeof *groups, compare_groups);
    begin_table(q->inv, &t, columns, sizeof columns / sizeof *columns, &options);
    for (uint32_t k = 0; k < s->classes.count && groups[k].objects; k++) {
        const struct group *group = &groups[k];
        describe_count(q, group->example, count);
        struct cell cells[] = {cell_bytes(class_name(s, group->klass).bytes, class_name(s, group->klass).length),
                               cell_number(group->objects),
                               cell_number(group->bytes),
                               cell_number(group->references),
                               cell_number(s->graph.address[group->example]),
                               cell_text(count),
                               cell_text(list_possible(s, group->example, possible))};
        table_row(&t, cells);
    }
    free(groups);
    return table_end(&t, &options);
}

static void show_pinned_cycle(const struct inquiry *q, const struct pinned *p, uint64_t like)
{
    const struct session *s = &q->inv->session;
    const struct components *c = &q->audit.components;
    FILE *f = q->inv->out.file;
    char a[TEXT_NUMBER_SIZE], b[TEXT_NUMBER_SIZE], d[TEXT_NUMBER_SIZE], name[NAME_SIZE], count[NAME_SIZE];
    fprintf(f, "  %s, %s; %s", text_plural(p->objects, "object", a), text_size(p->bytes, b),
            text_plural(p->unexplained, "unexplained reference", d));
    if (like)
        fprintf(f, "; and %s more like it", text_count(like, a));
    fputc('\n', f);
    ordinal shown = 0;
    /* Those that are held come first: they are what the cycle hangs by. */
    for (int held = 1; held >= 0; held--)
        for (ordinal m = c->member_start[p->component]; m < c->member_start[p->component + 1]; m++) {
            ordinal o = c->member[m];
            if ((audit_unexplained(&s->graph, &q->audit, o) > 0) != held || shown++ >= MEMBERS_SHOWN)
                continue;
            describe_count(q, o, count);
            fprintf(f, "    %s", name_full(s, o, name));
            output_style(&q->inv->out, STYLE_DIM);
            fprintf(f, "  0x%" PRIx64 ", generation %s, refcount %s", s->graph.address[o],
                    text_generation(graph_generation(&s->graph, o)), count);
            output_style(&q->inv->out, STYLE_NORMAL);
            list_possible(s, o, name);
            fprintf(f, "%s%s\n", *name ? "; possibly held by " : "", name);
        }
    if (shown > MEMBERS_SHOWN)
        fprintf(f, "    ... %s\n", text_plural(shown - MEMBERS_SHOWN, "more object", a));
}

/* Cycles of the same types, held at the same ones, look alike. */
static uint64_t pinned_signature(const struct inquiry *q, const struct pinned *p)
{
    const struct session *s = &q->inv->session;
    const struct components *c = &q->audit.components;
    uint64_t sum = fold_mix(p->objects, p->unexplained);
    for (ordinal m = c->member_start[p->component]; m < c->member_start[p->component + 1]; m++) {
        ordinal o = c->member[m];
        uint64_t type = s->classes.of_type[s->graph.type[o]];
        sum += fold_mix(type + 1, (uint64_t)audit_unexplained(&s->graph, &q->audit, o)); /* whatever their order */
    }
    return sum;
}

static int show_pinned(const struct inquiry *q)
{
    FILE *f = q->inv->out.file;
    uint64_t limit = table_limit(q->inv), left = 0;
    size_t found = 0;
    int folds = !q->inv->options.no_fold;
    char n[TEXT_NUMBER_SIZE];
    struct alike *alike = malloc(((size_t)q->audit.pinned_count + 1) * sizeof *alike);
    if (!alike)
        return -1;
    for (ordinal i = 0; i < q->audit.pinned_count; i++)
        if (pinned_matches(q, &q->audit.pinned[i]))
            alike[found++] = (struct alike){folds ? pinned_signature(q, &q->audit.pinned[i]) : i, i, 1};
    if (found) {
        output_style(&q->inv->out, STYLE_BOLD);
        fputs("\npinned", f);
        output_style(&q->inv->out, STYLE_NORMAL);
        fprintf(f, ": %s %s kept alive by unexplained references alone\n", text_plural(found, "cycle", n),
                found == 1 ? "is" : "are");
    }
    size_t shapes = fold_alike(alike, found, 0);
    for (size_t i = 0; i < shapes; i++)
        if (limit && i >= limit)
            left += alike[i].count;
        else
            show_pinned_cycle(q, &q->audit.pinned[alike[i].first], alike[i].count - 1);
    if (left)
        fprintf(f, "  ... %s (--limit 0 shows all)\n", text_plural(left, "more cycle", n));
    free(alike);
    return 0;
}

static int show_text(const struct inquiry *q)
{
    FILE *f = q->inv->out.file;
    char n[TEXT_NUMBER_SIZE];
    int status = 0;
    show_coverage(q);
    for (int c = 0; c < CLASSES && !status; c++) {
        if (!q->count[c])
            continue;
        fputc('\n', f);
        output_style(&q->inv->out, STYLE_BOLD);
        for (const char *p = classes[c].key; *p; p++)
            fputc(*p == '_' ? ' ' : *p, f);
        output_style(&q->inv->out, STYLE_NORMAL);
        fprintf(f, ": %s %s %s\n", text_count(q->count[c], n),
                q->count[c] == 1 ? classes[c].title_one : classes[c].title, classes[c].means);
        status = q->inv->options.no_fold ? list_objects(q, c) : list_types(q, c);
    }
    return status ? status : show_pinned(q);
}

/* ---- the command ---- */

static int run(struct invocation *inv)
{
    struct session *s = &inv->session;
    struct inquiry q = {.inv = inv};
    struct rh_error err;
    if (session_garbage(s, 2, &err) || session_values(s, &err))
        return fail(s->path, &err);
    session_progress(s, "auditing refcounts");
    int status = audit_find(&s->graph, &s->roots, &s->garbage[2], &q.audit);
    if (!status)
        status = choose(&q);
    if (!status && inv->out.format == OUTPUT_JSON)
        show_json(&q);
    else if (!status)
        status = inv->out.format == OUTPUT_CSV ? show_csv(&q) : show_text(&q);
    for (int c = 0; c < CLASSES; c++)
        free(q.objects[c]);
    audit_release(&q.audit);
    if (!status)
        return STATUS_FINE;
    error_set(&err, RH_ERR_NO_MEMORY, "not enough memory for the audit", "");
    return fail(s->path, &err);
}

const struct command cmd_audit = {
    .name = "audit",
    .summary = "whether refcounts are what their holders say",
    .arguments = "SNAPSHOT",
    .help =
        "Compares each refcount with the references from objects (internal) and from exact roots (explained). over has\n"
        "references that nothing explains and no possible holder; possibly over has possible holders, which are listed;\n"
        "under has more holders than references. pinned are cycles that unexplained references alone keep alive. The\n"
        "first lines say what the answer rests on. Objects are counted by type; --no-fold lists each, worst first.\n"
        "The exit status is 0 whatever is found; refheap check --audit is the gate.",
    .takes = OPT_READING | OPT_CSV | OPT_LIMIT | OPT_FILTER | OPT_NO_FOLD,
    .reads_snapshot = 1,
    .run = run,
};
