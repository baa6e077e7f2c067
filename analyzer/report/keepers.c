/* The biggest keepers: the dominator tree by types as an icicle one can click into, the same as a list, and the largest
 * single keepers as a table.
 *
 * The tree is that of type_paths.h. A node is shown when it keeps a thousandth of the heap, the largest ones first as
 * far as there is room. Nodes stand in the page with their place and width in parts of the whole; page.js stretches
 * them when one is opened, and draws nothing itself.
 */
#include "../answers/keepers.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../graph/top.h"
#include "../render/html.h"
#include "../render/text.h"
#include "report.h"

enum { NODES_SHOWN = 300, SMALLEST_PART = 1000, ROW_HEIGHT = 40, NAME_CHARACTERS = 60, KEEPERS_SHOWN = 15 };

/* A node of the icicle: a frame that is shown. */
struct node {
    uint32_t frame, parent; /* numbers; of the frame, and of the node above */
    uint32_t first, next;   /* nodes: the first below, and the next beside it; 0 for none */
    uint64_t bytes;         /* of all below it too */
    uint64_t before;        /* bytes of the heap to the left of it */
};

struct icicle {
    const struct type_paths *paths;
    uint64_t *bytes; /* by frame, with all below it */
    struct node *nodes;
    uint32_t count;
    uint32_t depth; /* of the deepest node */
};

/* ---- which frames are shown ---- */

static int compare_frames(const void *pa, const void *pb, void *context)
{
    const uint64_t *bytes = context;
    ordinal a = *(const ordinal *)pa, b = *(const ordinal *)pb;
    if (bytes[a] != bytes[b])
        return bytes[a] < bytes[b] ? 1 : -1;
    return a < b ? -1 : a > b;
}

static void add_up(struct icicle *t)
{
    for (uint32_t i = 0; i < t->paths->count; i++)
        t->bytes[i] = t->paths->frames[i].bytes;
    for (uint32_t i = t->paths->count; --i > 0;)
        t->bytes[t->paths->frames[i].parent] += t->bytes[i];
}

/* A frame never has more bytes than the one above it and stands behind it, so the largest ones make a tree. Those of
 * one parent come largest first, and stand side by side from the left. */
static void place(struct icicle *t, const ordinal *chosen, size_t count, uint32_t *node_of)
{
    uint32_t last[NODES_SHOWN + 1] = {0}; /* by node: the last one below it */
    for (size_t i = 0; i < count; i++) {
        const struct frame *frame = &t->paths->frames[chosen[i]];
        struct node *n = &t->nodes[t->count];
        *n = (struct node){.frame = chosen[i], .bytes = t->bytes[chosen[i]]};
        if (t->count) {
            n->parent = node_of[frame->parent];
            struct node *parent = &t->nodes[n->parent];
            uint32_t beside = last[n->parent];
            n->before = beside ? t->nodes[beside].before + t->nodes[beside].bytes : parent->before;
            *(beside ? &t->nodes[beside].next : &parent->first) = t->count;
            last[n->parent] = t->count;
        }
        t->depth = frame->depth > t->depth ? frame->depth : t->depth;
        node_of[chosen[i]] = t->count++;
    }
}

static int choose(struct icicle *t)
{
    uint32_t frames = t->paths->count;
    ordinal *order = malloc(((size_t)frames + 1) * sizeof *order);
    uint32_t *node_of = malloc(((size_t)frames + 1) * sizeof *node_of);
    size_t count = 0;
    t->bytes = malloc(((size_t)frames + 1) * sizeof *t->bytes);
    t->nodes = malloc(NODES_SHOWN * sizeof *t->nodes);
    int status = order && node_of && t->bytes && t->nodes ? 0 : -1;
    if (!status) {
        add_up(t);
        for (uint32_t i = 0; i < frames; i++)
            if (!i || (t->bytes[i] && t->bytes[i] >= t->bytes[0] / SMALLEST_PART))
                order[count++] = i;
        place(t, order, top_sort(order, count, NODES_SHOWN, compare_frames, t->bytes), node_of);
    }
    free(order);
    free(node_of);
    return status;
}

/* ---- showing ---- */

/* "1,204 session"; one object by its own name. */
static void name_node(const struct report *r, const struct icicle *t, const struct node *n, char to[NAME_SIZE])
{
    const struct session *s = r->s;
    const struct frame *frame = &t->paths->frames[n->frame];
    char name[NAME_SIZE], number[TEXT_NUMBER_SIZE];
    if (!n->frame || frame->count == 1)
        keeper_name(s, frame->largest, to);
    else if (frame->class == s->classes.count)
        snprintf(to, NAME_SIZE, "%s garbage cycles", text_count(frame->count, number));
    else
        snprintf(to, NAME_SIZE, "%s %.180s", text_count(frame->count, number), name_class(s, frame->class, name));
    if (text_width(to) > NAME_CHARACTERS) {
        snprintf(name, sizeof name, "%s", to);
        text_clean(name, strlen(name), NAME_CHARACTERS, to, NAME_SIZE);
    }
}

static void say_sizes(const struct report *r, const struct node *n)
{
    char size[TEXT_NUMBER_SIZE], share[TEXT_NUMBER_SIZE];
    html_say(r->f, "%s, %s", text_size(n->bytes, size), text_share(report_share(n->bytes, r->s->graph.bytes), share));
}

static void say_largest(const struct report *r, const struct icicle *t, const struct node *n)
{
    const struct session *s = r->s;
    const struct frame *frame = &t->paths->frames[n->frame];
    char name[NAME_SIZE], size[TEXT_NUMBER_SIZE];
    if (!n->frame)
        return;
    if (frame->count > 1)
        html_say(r->f, "; the largest: %s, %s", keeper_name(s, frame->largest, name),
                 text_size(s->dominators.retained[frame->largest], size));
    if (frame->largest < s->graph.objects)
        html_say(r->f, " at 0x%" PRIx64, graph_address(&s->graph, frame->largest));
}

static void put_percent(FILE *f, uint64_t part, uint64_t whole)
{
    uint64_t millionths = whole ? (uint64_t)((unsigned __int128)part * 100000000 / whole) : 0;
    fprintf(f, "\"%" PRIu64 ".%06" PRIu64 "%%\"", millionths / 1000000, millionths % 1000000);
}

static void show_box(const struct report *r, const struct icicle *t, uint32_t number)
{
    const struct node *n = &t->nodes[number];
    const struct frame *frame = &t->paths->frames[n->frame];
    FILE *f = r->f;
    char name[NAME_SIZE];
    int is_cycle = n->frame && frame->class == r->s->classes.count;
    name_node(r, t, n, name);
    if (is_cycle)
        fputs("<svg class=\"box cycle\"", f);
    else
        fprintf(f, "<svg class=\"box c%d\"", n->frame ? r->colour[frame->class] : 0);
    fputs(" x=", f);
    put_percent(f, n->before, t->nodes[0].bytes);
    fputs(" width=", f);
    put_percent(f, n->bytes, t->nodes[0].bytes);
    fprintf(f, " y=\"%" PRIu32 "\" height=\"%d\" data-n=\"%" PRIu32 "\" data-up=\"%" PRIu32 "\" data-v=\"%" PRIu64 "\"",
            frame->depth * ROW_HEIGHT, ROW_HEIGHT - 2, number, n->parent, n->bytes);
    fputs("><title>", f);
    html_text(f, name);
    fputs(": ", f);
    say_sizes(r, n);
    say_largest(r, t, n);
    fputs("</title><rect width=\"100%\" height=\"100%\" rx=\"3\"/><text x=\"7\" y=\"16\">", f);
    html_text(f, name);
    fputs("</text><text x=\"7\" y=\"30\" class=\"small\">", f);
    say_sizes(r, n);
    fputs("</text></svg>\n", f);
}

static void show_icicle(const struct report *r, const struct icicle *t)
{
    fprintf(r->f,
            "<figure class=\"icicle\"><svg id=\"icicle\" height=\"%" PRIu32 "\" role=\"group\" "
            "aria-label=\"What is kept by what: each box keeps what stands below it\">\n",
            (t->depth + 1) * ROW_HEIGHT);
    for (uint32_t i = 0; i < t->count; i++)
        show_box(r, t, i);
    fputs(
        "</svg><figcaption id=\"icicle-said\" aria-live=\"polite\">Each box keeps what stands below it, and is as wide "
        "as what it keeps. Things of one type below one keeper are one box.</figcaption></figure>\n",
        r->f);
}

/* The same for those who do not see it, and without scripts. */
static void show_list(const struct report *r, const struct icicle *t)
{
    FILE *f = r->f;
    uint32_t at = 0;
    char name[NAME_SIZE];
    fputs("<details class=\"tree\"><summary>The same as a list</summary>\n<ul>", f);
    for (;;) {
        const struct node *n = &t->nodes[at];
        fputs(n->first ? (at ? "<li><details><summary>" : "<li><details open><summary>") : "<li>", f);
        name_node(r, t, n, name);
        html_label(f, name);
        fputs(" <span>", f);
        say_sizes(r, n);
        fputs("</span>", f);
        if (n->first) {
            fputs("</summary><ul>", f);
            at = n->first;
            continue;
        }
        fputs("</li>\n", f);
        while (at && !t->nodes[at].next) {
            fputs("</ul></details></li>\n", f);
            at = t->nodes[at].parent;
        }
        if (!at)
            break;
        at = t->nodes[at].next;
    }
    fputs("</ul></details>\n", f);
}

static int show_tree(struct report *r)
{
    struct icicle t = {.paths = &r->paths};
    int status = choose(&t);
    if (!status) {
        show_icicle(r, &t);
        show_list(r, &t);
    }
    free(t.bytes);
    free(t.nodes);
    return status;
}

/* ---- single keepers ---- */

/* Keepers of one type that keep the same amount are one row: the first of them, and how many there are. */
struct row {
    ordinal first;
    uint64_t count, retained;
};

static int is_alike(const struct session *s, ordinal a, ordinal b)
{
    char one[NAME_SIZE], other[NAME_SIZE];
    int objects = (a < s->graph.objects) + (b < s->graph.objects);
    if (objects == 2)
        return s->classes.of_type[graph_type(&s->graph, a)] == s->classes.of_type[graph_type(&s->graph, b)];
    return !objects && keeper_shallow(s, a) == keeper_shallow(s, b) &&
           !strcmp(name_cycle(s, keeper_cycle(s, a), one), name_cycle(s, keeper_cycle(s, b), other));
}

/* Puts a vertex where it belongs. A row that falls off the end never comes back: what replaced it keeps more. */
static size_t add_row(const struct session *s, struct row *rows, size_t count, ordinal v)
{
    uint64_t retained = s->dominators.retained[v];
    size_t at = count;
    if (count == KEEPERS_SHOWN && retained < rows[count - 1].retained)
        return count;
    while (at && rows[at - 1].retained < retained)
        at--;
    for (size_t i = at; i-- > 0 && rows[i].retained == retained;)
        if (is_alike(s, rows[i].first, v)) {
            rows[i].count++;
            return count;
        }
    if (at == KEEPERS_SHOWN)
        return count;
    count += count < KEEPERS_SHOWN;
    memmove(rows + at + 1, rows + at, (count - at - 1) * sizeof *rows);
    rows[at] = (struct row){v, 1, retained};
    return count;
}

/* What says most stands first; behind it how many are alike. */
static const uint8_t column_order[KEEPER_COLUMNS] = {KEEPER_TYPE,  KEEPER_LABEL,      KEEPER_RETAINED,
                                                     KEEPER_SHARE, KEEPER_SHALLOW,    KEEPER_CHILDREN,
                                                     KEEPER_CYCLE, KEEPER_GENERATION, KEEPER_ADDRESS};
enum { RETAINED_STANDS = 2, ALIKE_STANDS = KEEPER_COLUMNS };

static void show_rows(struct report *r, const struct row *rows, size_t count)
{
    const struct session *s = r->s;
    struct column columns[KEEPER_COLUMNS + 1];
    struct cell cells[KEEPER_COLUMNS], ordered[KEEPER_COLUMNS + 1];
    uint64_t children[KEEPERS_SHOWN] = {0};
    char name[NAME_SIZE];
    for (int i = 0; i < KEEPER_COLUMNS; i++)
        columns[i] = keeper_columns[column_order[i]];
    columns[ALIKE_STANDS] = (struct column){"alike", "more alike", CELL_COUNT};
    const struct html_table table = {.id = "keepers-table",
                                     .caption = "The objects and cycles that keep the most",
                                     .class = "sortable",
                                     .columns = columns,
                                     .count = KEEPER_COLUMNS + 1,
                                     .bar_of = s->graph.bytes,
                                     .bar = RETAINED_STANDS};
    for (ordinal v = 0; v < dominators_root(&s->dominators); v++)
        for (size_t i = 0; i < count; i++)
            children[i] += s->dominators.dominator[v] == rows[i].first;
    fputs("<h3>Single objects and cycles</h3>\n", r->f);
    html_table_begin(r->f, &table);
    for (size_t i = 0; i < count; i++) {
        keeper_cells(s, rows[i].first, children[i], name, cells);
        for (int c = 0; c < KEEPER_COLUMNS; c++)
            ordered[c] = cells[column_order[c]];
        ordered[ALIKE_STANDS] = rows[i].count > 1 ? cell_number(rows[i].count - 1) : cell_null();
        html_table_row(r->f, &table, ordered);
    }
    html_table_end(r->f, &table);
}

static void show_table(struct report *r)
{
    struct row rows[KEEPERS_SHOWN];
    size_t count = 0;
    for (ordinal v = 0; v < dominators_root(&r->s->dominators); v++)
        count = add_row(r->s, rows, count, v);
    show_rows(r, rows, count);
}

int report_keepers(struct report *r)
{
    int status = show_tree(r);
    if (!status)
        show_table(r);
    return status;
}
