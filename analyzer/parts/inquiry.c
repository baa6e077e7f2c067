#include "inquiry.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../answers/fold.h"
#include "../render/text.h"

enum { MEMBERS_SHOWN = 8 };

const struct inquiry_class inquiry_classes[INQUIRY_CLASSES] = {
    {AUDIT_OVER, "over", "objects have references", "object has references",
     "that nothing explains: a release is missing, or who holds them is not in the snapshot", "unexplained"},
    {AUDIT_POSSIBLY_OVER, "possibly_over", "objects have unexplained references", "object has unexplained references",
     "and possible holders", "unexplained"},
    {AUDIT_UNDER, "under", "objects have more holders", "object has more holders",
     "than references: who drops his too often frees them under the others", "missing"},
    {AUDIT_POSSIBLY_UNDER, "possibly_under", "objects have more holders", "object has more holders",
     "than references, if what scanning found are holders", "missing"},
};

/* ---- choosing and ordering ---- */

static int compare_objects(const void *pa, const void *pb, void *context)
{
    ordinal a = *(const ordinal *)pa, b = *(const ordinal *)pb;
    uint64_t x = inquiry_gap(context, a), y = inquiry_gap(context, b);
    if (x != y)
        return x < y ? 1 : -1;
    return a < b ? -1 : a > b;
}

static int choose(struct inquiry *q)
{
    const struct invocation *inv = q->inv;
    for (int c = 0; c < INQUIRY_CLASSES; c++) {
        q->objects[c] = malloc(((size_t)q->audit.count[inquiry_classes[c].klass] + 1) * sizeof *q->objects[c]);
        if (!q->objects[c])
            return -1;
        for (ordinal o = 0; q->audit.count[inquiry_classes[c].klass] && o < inv->session.graph.objects; o++)
            if (q->audit.class_of[o] == inquiry_classes[c].klass && filter_matches(inv, o))
                q->objects[c][q->count[c]++] = o;
        qsort_r(q->objects[c], q->count[c], sizeof(ordinal), compare_objects, q);
    }
    return 0;
}

int inquiry_make(struct invocation *inv, struct inquiry *q)
{
    const struct session *s = &inv->session;
    *q = (struct inquiry){.inv = inv};
    int status = audit_find(&s->graph, &s->roots, &s->garbage[2], &q->audit);
    return status ? status : choose(q);
}

void inquiry_release(struct inquiry *q)
{
    for (int c = 0; c < INQUIRY_CLASSES; c++)
        free(q->objects[c]);
    audit_release(&q->audit);
}

uint64_t inquiry_gap(const struct inquiry *q, ordinal o)
{
    int64_t unexplained = audit_unexplained(&q->inv->session.graph, &q->audit, o);
    return unexplained < 0 ? -(uint64_t)unexplained : (uint64_t)unexplained;
}

uint64_t inquiry_auditable(const struct inquiry *q)
{
    return q->inv->session.graph.objects - q->audit.count[AUDIT_NOT_AUDITABLE];
}

int inquiry_wants(const struct inquiry *q, const struct pinned *p)
{
    const struct components *c = &q->audit.components;
    for (ordinal m = c->member_start[p->component]; m < c->member_start[p->component + 1]; m++)
        if (filter_matches(q->inv, c->member[m]))
            return 1;
    return 0;
}

const char *inquiry_list_possible(const struct session *s, ordinal o, char to[NAME_SIZE])
{
    const struct root_entry *roots;
    size_t n = roots_of(&s->roots, o, &roots), used = 0, more = 0;
    char name[NAME_SIZE];
    to[0] = 0;
    for (size_t i = 0; i < n; i++) {
        if (roots[i].record->flags & ROOT_EXACT)
            continue;
        const char *shown = name_root(s, roots[i].record, name);
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
    uint64_t clean = q->audit.count[AUDIT_CLEAN], of = inquiry_auditable(q);
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

/* ---- text ---- */

void inquiry_describe(const struct inquiry *q, ordinal o, char to[NAME_SIZE])
{
    const struct graph *g = &q->inv->session.graph;
    int64_t unexplained = audit_unexplained(g, &q->audit, o);
    int used = snprintf(to, NAME_SIZE, "%" PRId64 " = %" PRIu32 " internal + %" PRIu32 " explained",
                        graph_refcount(g, o), graph_internal(g, o), q->audit.explained[o]);
    if (unexplained)
        snprintf(to + used, NAME_SIZE - (size_t)used, " %c %" PRIu64 " %s", unexplained < 0 ? '-' : '+',
                 inquiry_gap(q, o), unexplained < 0 ? "missing" : "unexplained");
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
        {"possible", inquiry_classes[c].klass == AUDIT_POSSIBLY_OVER ? "possible holders" : NULL, CELL_TEXT},
        {"label", "name", CELL_TEXT},
    };
    const struct session *s = &q->inv->session;
    struct table_options options = {.name = inquiry_classes[c].key, .noun = "objects"};
    char count[NAME_SIZE], possible[NAME_SIZE], label[NAME_SIZE];
    struct table t;
    begin_table(q->inv, &t, columns, sizeof columns / sizeof *columns, &options);
    for (size_t i = 0; i < q->count[c]; i++) {
        ordinal o = q->objects[c][i];
        inquiry_describe(q, o, count);
        struct cell cells[] = {cell_bytes(type_name(s, o).bytes, type_name(s, o).length),
                               cell_number(graph_address(&s->graph, o)),
                               cell_number(graph_generation(&s->graph, o)),
                               cell_number(graph_size(&s->graph, o)),
                               cell_text(count),
                               cell_text(inquiry_list_possible(s, o, possible)),
                               cell_text(name_object(s, o, label))};
        table_row(&t, cells);
    }
    return table_end(&t, &options);
}

static int compare_groups(const void *pa, const void *pb)
{
    const struct inquiry_group *a = pa, *b = pb;
    if (a->objects != b->objects)
        return a->objects < b->objects ? 1 : -1;
    return a->klass < b->klass ? -1 : a->klass > b->klass;
}

struct inquiry_group *inquiry_groups(const struct inquiry *q, int c, size_t *count)
{
    const struct session *s = &q->inv->session;
    struct inquiry_group *groups = calloc((size_t)s->classes.count + 1, sizeof *groups);
    *count = 0;
    if (!groups)
        return NULL;
    for (uint32_t k = 0; k < s->classes.count; k++)
        groups[k].klass = k;
    for (size_t i = 0; i < q->count[c]; i++) {
        ordinal o = q->objects[c][i];
        struct inquiry_group *group = &groups[s->classes.of_type[graph_type(&s->graph, o)]];
        if (!group->objects++)
            group->example = o;
        group->bytes += graph_size(&s->graph, o);
        group->references += inquiry_gap(q, o);
    }
    qsort(groups, s->classes.count, sizeof *groups, compare_groups);
    while (*count < s->classes.count && groups[*count].objects)
        ++*count;
    return groups;
}

static int list_types(const struct inquiry *q, int c)
{
    const struct column columns[] = {
        {"type", "type", CELL_TEXT},
        {"objects", "objects", CELL_COUNT},
        {"size", "size", CELL_SIZE},
        {"references", inquiry_classes[c].references, CELL_COUNT},
        {"example", "for example", CELL_ADDRESS},
        {"refcount", "refcount", CELL_TEXT},
        {"possible", inquiry_classes[c].klass == AUDIT_POSSIBLY_OVER ? "possible holders" : NULL, CELL_TEXT},
    };
    const struct session *s = &q->inv->session;
    struct table_options options = {.name = inquiry_classes[c].key, .noun = "types"};
    size_t count;
    struct inquiry_group *groups = inquiry_groups(q, c, &count);
    char refcount[NAME_SIZE], possible[NAME_SIZE];
    struct table t;
    if (!groups)
        return -1;
    begin_table(q->inv, &t, columns, sizeof columns / sizeof *columns, &options);
    for (size_t k = 0; k < count; k++) {
        const struct inquiry_group *group = &groups[k];
        inquiry_describe(q, group->example, refcount);
        struct cell cells[] = {cell_bytes(class_name(s, group->klass).bytes, class_name(s, group->klass).length),
                               cell_number(group->objects),
                               cell_number(group->bytes),
                               cell_number(group->references),
                               cell_number(graph_address(&s->graph, group->example)),
                               cell_text(refcount),
                               cell_text(inquiry_list_possible(s, group->example, possible))};
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
            inquiry_describe(q, o, count);
            fprintf(f, "    %s", name_full(s, o, name));
            output_style(&q->inv->out, STYLE_DIM);
            fprintf(f, "  0x%" PRIx64 ", generation %s, refcount %s", graph_address(&s->graph, o),
                    text_generation(graph_generation(&s->graph, o)), count);
            output_style(&q->inv->out, STYLE_NORMAL);
            inquiry_list_possible(s, o, name);
            fprintf(f, "%s%s\n", *name ? "; possibly held by " : "", name);
        }
    if (shown > MEMBERS_SHOWN)
        fprintf(f, "    ... %s\n", text_plural(shown - MEMBERS_SHOWN, "more object", a));
}

uint64_t inquiry_pinned_signature(const struct inquiry *q, const struct pinned *p)
{
    const struct session *s = &q->inv->session;
    const struct components *c = &q->audit.components;
    uint64_t sum = fold_mix(p->objects, p->unexplained);
    for (ordinal m = c->member_start[p->component]; m < c->member_start[p->component + 1]; m++) {
        ordinal o = c->member[m];
        uint64_t type = s->classes.of_type[graph_type(&s->graph, o)];
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
        if (inquiry_wants(q, &q->audit.pinned[i]))
            alike[found++] = (struct alike){folds ? inquiry_pinned_signature(q, &q->audit.pinned[i]) : i, i, 1};
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

int inquiry_show(const struct inquiry *q)
{
    FILE *f = q->inv->out.file;
    char n[TEXT_NUMBER_SIZE];
    int status = 0;
    show_coverage(q);
    for (int c = 0; c < INQUIRY_CLASSES && !status; c++) {
        if (!q->count[c])
            continue;
        fputc('\n', f);
        output_style(&q->inv->out, STYLE_BOLD);
        for (const char *p = inquiry_classes[c].key; *p; p++)
            fputc(*p == '_' ? ' ' : *p, f);
        output_style(&q->inv->out, STYLE_NORMAL);
        fprintf(f, ": %s %s %s\n", text_count(q->count[c], n),
                q->count[c] == 1 ? inquiry_classes[c].title_one : inquiry_classes[c].title, inquiry_classes[c].means);
        status = q->inv->options.no_fold ? list_objects(q, c) : list_types(q, c);
    }
    return status ? status : show_pinned(q);
}
