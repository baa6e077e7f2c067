#include "cuts.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "../../dumpfmt/error.h"
#include "../graph/array.h"
#include "../session/names.h"
#include "../line/select.h"

static int fail_cut(const struct invocation *inv, const char *hint, const char *what, const char *text)
{
    struct rh_error err;
    error_format(&err, RH_ERR_NOT_FOUND, hint, what, text);
    return fail(inv->session.path, &err);
}

static void cut_edge(struct cuts *cuts, const struct graph *g, uint64_t e, struct cut_record *r)
{
    if (!edge_is_counted(graph_info(g, e)))
        r->uncounted++;
    else if (!cuts->marks.edge[e])
        r->references++;
    cuts->marks.edge[e] = 1;
}

/* ---- references of one object: 0xFROM.label, 0xFROM->0xTO ---- */

/* Where the name of an object ends that begins with 0x or @. */
static size_t object_length(const char *text)
{
    size_t n = *text == '@' ? 1 : 2;
    while (isxdigit((unsigned char)text[n]))
        n++;
    return n;
}

static int begins_object(const char *text)
{
    return *text == '@' || !strncmp(text, "0x", 2);
}

static int select_part(struct invocation *inv, const char *text, size_t length, ordinal *o)
{
    char part[64];
    snprintf(part, sizeof part, "%.*s", (int)length, text);
    return select_object(inv, part, o);
}

/* The labels of an object's references, a few of them, for whoever asked for another. */
static void list_labels(const struct session *s, ordinal from, char *to, size_t size)
{
    const struct graph *g = &s->graph;
    size_t used = 0;
    char label[NAME_SIZE], last[NAME_SIZE] = "";
    int listed = 0;
    to[0] = 0;
    for (uint64_t e = graph_begin(g, from); e < graph_end(g, from) && listed < 4; e++) {
        struct edge edge;
        graph_edge(g, from, e, &edge);
        name_edge(s, &edge, label);
        if (!*label || !strcmp(label, last))
            continue;
        int n = snprintf(to + used, size - used, "%s%.20s", listed ? ", " : "its references are ", label);
        used += (size_t)n < size - used ? (size_t)n : size - used - 1;
        strcpy(last, label);
        listed++;
    }
    if (!listed)
        snprintf(to, size,
                 graph_begin(g, from) == graph_end(g, from) ? "it refers to nothing" : "its references have no names");
}

static int cut_from_object(struct invocation *inv, struct cuts *cuts, struct cut_record *r)
{
    const struct session *s = &inv->session;
    const struct graph *g = &s->graph;
    size_t length = object_length(r->text);
    const char *rest = r->text + length;
    ordinal from, to = ORDINAL_NONE;
    char label[NAME_SIZE], hint[120];
    int is_arrow = !strncmp(rest, "->", 2), found = 0;
    int status = select_part(inv, r->text, length, &from);
    if (!status && is_arrow)
        status = select_object(inv, rest + 2, &to);
    if (status)
        return status;
    for (uint64_t e = graph_begin(g, from); e < graph_end(g, from); e++) {
        struct edge edge;
        if (!is_arrow)
            graph_edge(g, from, e, &edge);
        if (is_arrow ? graph_target(g, e) != to : strcmp(name_edge(s, &edge, label), rest) != 0)
            continue;
        cut_edge(cuts, g, e, r);
        found = 1;
    }
    if (found)
        return 0;
    list_labels(s, from, hint, sizeof hint);
    return fail_cut(inv, hint, "\"%s\" names no reference", r->text);
}

/* ---- all references of a kind: Type.field ---- */

/* Whether an edge goes by this label, by itself or in its group. Fields are by far the most: their names are compared
 * without building the label. */
static int has_label(const struct session *s, ordinal from, uint64_t e, const char *label)
{
    struct edge edge;
    char name[NAME_SIZE];
    graph_edge(&s->graph, from, e, &edge);
    if (edge.kind == LABEL_FIELD) {
        const struct field_record *f = snapshot_field(s->snapshot, graph_type(&s->graph, from), (uint32_t)edge.label);
        struct text field = snapshot_string(s->snapshot, f ? f->name : 0);
        if (field.length)
            return *label == '.' && strlen(label + 1) == field.length && !memcmp(label + 1, field.bytes, field.length);
    }
    return !strcmp(name_edge(s, &edge, name), label) || !strcmp(name_edge_group(s, &edge, name), label);
}

/* Marks the classes whose name is the pattern. */
static int match_classes(const struct session *s, const char *pattern, uint8_t *matches)
{
    int any = 0;
    for (uint32_t c = 0; c < s->classes.count; c++) {
        matches[c] = (uint8_t)glob_matches(pattern, class_name(s, c));
        any |= matches[c];
    }
    return any;
}

static int cut_by_kind(struct invocation *inv, struct cuts *cuts, struct cut_record *r, uint8_t *matches)
{
    const struct session *s = &inv->session;
    const struct graph *g = &s->graph;
    size_t length = strlen(r->text), split = 0;
    char type[NAME_SIZE], hint[120] = "no object of the type refers to anything";
    int found = 0, any = 0;
    /* A type's name may hold dots itself: it ends where it is one. */
    while (!any && split < length) {
        split += 1 + strcspn(r->text + split + 1, ".[");
        if (split >= length || split >= sizeof type)
            break;
        snprintf(type, sizeof type, "%.*s", (int)split, r->text);
        any = match_classes(s, type, matches);
    }
    if (!any)
        return fail_cut(inv,
                        "name 0xFROM.label, 0xFROM->0xTO, Type.field, or objects by 0x..., @N, root:, type:, garbage",
                        "\"%s\" names nothing that could be cut", r->text);
    ordinal example = ORDINAL_NONE;
    for (ordinal o = 0; o < g->objects; o++) {
        if (!matches[s->classes.of_type[graph_type(g, o)]] || !filter_matches(inv, o))
            continue;
        for (uint64_t e = graph_begin(g, o); e < graph_end(g, o); e++) {
            example = o;
            if (has_label(s, o, e, r->text + split)) {
                cut_edge(cuts, g, e, r);
                found = 1;
            }
        }
    }
    if (found)
        return 0;
    if (example != ORDINAL_NONE)
        list_labels(s, example, hint, sizeof hint);
    return fail_cut(inv, hint, "\"%s\" names no reference", r->text);
}

/* ---- objects and roots ---- */

static int is_cut_already(const struct cuts *cuts, const struct cut_record *r)
{
    for (const struct cut_record *before = cuts->records; before < r; before++)
        if (!strcmp(before->text, r->text))
            return 1;
    return 0;
}

/* The references of all roots of a name. A possible root is taken at its word when nothing else explains that many. */
static int cut_root(struct invocation *inv, struct cuts *cuts, struct cut_record *r)
{
    const struct session *s = &inv->session;
    const char *name = r->text + 5;
    struct selection held;
    int status = select_objects(inv, r->text, &held);
    if (status)
        return status;
    select_release(&held);
    if (is_cut_already(cuts, r))
        return 0;
    if (!cuts->assumed && !(cuts->assumed = array_new((size_t)s->graph.objects + 1, sizeof *cuts->assumed))) {
        struct rh_error err;
        error_set(&err, RH_ERR_NO_MEMORY, "not enough memory", "");
        return fail(s->path, &err);
    }
    for (size_t i = 0; i < s->roots.count; i++) {
        const struct root_entry *root = &s->roots.items[i];
        struct text text = snapshot_string(s->snapshot, root->record->name);
        if (text.length != strlen(name) || memcmp(text.bytes, name, text.length))
            continue;
        uint32_t *gone = &cuts->marks.outside[root->object], *taken = &cuts->assumed[root->object];
        int counted = (root->record->flags & ROOT_COUNTED) != 0, exact = root->record->flags & ROOT_EXACT;
        int64_t unexplained =
            graph_external(&s->graph, root->object) - (int64_t)roots_explained(&s->roots, root->object);
        int assumed = !counted && !exact && (int64_t)*taken < unexplained;
        r->references += (uint64_t)(counted || assumed);
        r->uncounted += (uint64_t) !(counted || assumed);
        r->assumed += (uint64_t)assumed;
        *gone += (uint32_t)(counted || assumed);
        *taken += (uint32_t)assumed;
    }
    return 0;
}

static int cut_objects(struct invocation *inv, struct cuts *cuts, struct cut_record *r)
{
    const struct graph *g = &inv->session.graph;
    struct selection chosen;
    int status = select_objects(inv, r->text, &chosen);
    if (status)
        return status;
    select_filter(inv, r->text, &chosen);
    for (size_t i = 0; i < chosen.count; i++) {
        cuts->marks.object[chosen.objects[i]] = 1;
        r->immortal += (uint64_t)graph_is_immortal(g, chosen.objects[i]);
    }
    r->objects = chosen.count;
    select_release(&chosen);
    return r->objects ? 0 : fail_cut(inv, "\"refheap summary\" lists what there is", "\"%s\" names no object", r->text);
}

static int names_set(const char *text)
{
    static const char *const words[] = {"type:", "cycle:", "sql:"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strncmp(text, words[i], strlen(words[i])))
            return 1;
    return !strcmp(text, "garbage");
}

static int read_cut(struct invocation *inv, struct cuts *cuts, struct cut_record *r, uint8_t *matches)
{
    if (!strncmp(r->text, "root:", 5))
        return cut_root(inv, cuts, r);
    if (names_set(r->text) || (begins_object(r->text) && !r->text[object_length(r->text)]))
        return cut_objects(inv, cuts, r);
    if (begins_object(r->text) && strchr(".[-k", r->text[object_length(r->text)]))
        return cut_from_object(inv, cuts, r);
    return cut_by_kind(inv, cuts, r, matches);
}

int cuts_read(struct invocation *inv, struct cuts *cuts)
{
    const struct session *s = &inv->session;
    const struct graph *g = &s->graph;
    struct rh_error err;
    uint8_t *matches = calloc((size_t)s->classes.count + 1, 1);
    cuts->marks.edge = array_new(g->edges + 1, 1);
    cuts->marks.outside = array_new((size_t)g->objects + 1, sizeof *cuts->marks.outside);
    cuts->marks.object = array_new((size_t)g->objects + 1, 1);
    cuts->records = calloc(inv->own_word_count + 1, sizeof *cuts->records);
    int status = 0;
    if (!matches || !cuts->marks.edge || !cuts->marks.outside || !cuts->marks.object || !cuts->records) {
        error_set(&err, RH_ERR_NO_MEMORY, "not enough memory", "");
        status = fail(s->path, &err);
    }
    for (size_t i = 0; !status && i < inv->own_word_count; i++) { /* each is a --cut: there is no other */
        struct cut_record *r = &cuts->records[cuts->count++];
        r->text = inv->own_words[i].value;
        status = read_cut(inv, cuts, r, matches);
    }
    free(matches);
    return status;
}

void cuts_release(struct cuts *cuts)
{
    array_free(cuts->marks.edge);
    array_free(cuts->marks.outside);
    array_free(cuts->marks.object);
    array_free(cuts->assumed);
    free(cuts->records);
    *cuts = (struct cuts){0};
}
