#include <stdlib.h>
#include <string.h>

#include "export.h"
#include "../graph/array.h"
#include "../answers/intern.h"
#include "../session/names.h"

enum { NODE_FIELDS = 7, NODE_OBJECT = 3, NODE_SYNTHETIC = 9 };
enum { EDGE_ELEMENT = 1, EDGE_PROPERTY = 2, EDGE_INTERNAL = 3, EDGE_WEAK_KIND = 6 };
enum { ROOT, OUTSIDE, UNREACHABLE, FIRST_CYCLE };
enum { BUFFER = 1 << 16, CACHE = 1 << 12 };

/* Names of fields that were looked up before. */
struct cached {
    uint32_t type, field, name; /* name 0: nothing is here */
};

struct writing {
    const struct session *s;
    FILE *file;
    char buffer[BUFFER];
    size_t used;
    struct intern strings;
    struct cached cache[CACHE];
    uint32_t *class_name; /* by class of type */
    uint64_t *serials;    /* by ordinal, or NULL */
    uint64_t lowest;
    int shift; /* of addresses, for ids */
    uint64_t cut;
    int begun; /* something stands in the array already */
    int failed;
};

/* ---- numbers and strings ---- */

static void flush(struct writing *w)
{
    fwrite(w->buffer, 1, w->used, w->file);
    w->used = 0;
}

static void put(struct writing *w, const char *text)
{
    flush(w);
    fputs(text, w->file);
    w->begun = 0;
}

static void put_number(struct writing *w, uint64_t value)
{
    char digits[24];
    int n = 0;
    if (w->used + sizeof digits + 2 > BUFFER)
        flush(w);
    if (w->begun)
        w->buffer[w->used++] = ',';
    w->begun = 1;
    do
        digits[n++] = (char)('0' + value % 10);
    while (value /= 10);
    while (n)
        w->buffer[w->used++] = digits[--n];
}

/* A character of UTF-8 and its length; U+FFFD for a byte that is none. */
static unsigned decode(const char *text, size_t *length)
{
    const unsigned char *s = (const unsigned char *)text;
    unsigned need = s[0] < 0x80 ? 0 : s[0] >> 5 == 6 ? 1 : s[0] >> 4 == 14 ? 2 : s[0] >> 3 == 30 ? 3 : 4;
    static const unsigned least[] = {0, 0x80, 0x800, 0x10000};
    *length = 1;
    if (need == 0)
        return s[0];
    unsigned c = need > 3 ? 0 : s[0] & (0x3f >> need);
    for (unsigned i = 1; need <= 3 && i <= need; i++) {
        if (s[i] >> 6 != 2)
            return 0xfffd;
        c = c << 6 | (s[i] & 0x3f);
    }
    if (need > 3 || c < least[need] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return 0xfffd;
    *length = need + 1;
    return c;
}

/* The loaders cut the text into pieces before they read it: nothing but ASCII survives that everywhere. */
static void put_string(FILE *f, const char *text)
{
    fputc('"', f);
    for (size_t length; *text; text += length) {
        unsigned c = decode(text, &length);
        if (c == '"' || c == '\\')
            fprintf(f, "\\%c", (int)c);
        else if (c >= 0x20 && c < 0x7f)
            fputc((int)c, f);
        else if (c < 0x10000)
            fprintf(f, "\\u%04x", c);
        else
            fprintf(f, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10), 0xdc00 + ((c - 0x10000) & 0x3ff));
    }
    fputc('"', f);
}

static uint32_t string(struct writing *w, const char *text)
{
    uint32_t number = intern_text(&w->strings, text);
    w->failed |= number == UINT32_MAX;
    return number;
}

/* ---- nodes ---- */

static ordinal node_of(const struct writing *w, ordinal o)
{
    return FIRST_CYCLE + w->s->dominators.virtuals + o;
}

/* The same object has the same id in another snapshot: by its number, or by its place. Even ids are those of nodes that
 * are no objects. */
static uint64_t id_of(const struct writing *w, ordinal o)
{
    uint64_t number = w->serials && w->serials[o] ? w->serials[o] : o + (uint64_t)1;
    if (!w->serials && w->shift >= 0)
        number = (graph_address(&w->s->graph, o) - w->lowest) >> w->shift;
    return 2 * number + 1;
}

static void put_node(struct writing *w, unsigned kind, uint32_t name, uint64_t id, uint64_t size, uint64_t edges)
{
    w->cut += size > UINT32_MAX;
    put_number(w, kind);
    put_number(w, name);
    put_number(w, id);
    put_number(w, size > UINT32_MAX ? UINT32_MAX : size);
    put_number(w, edges);
    put_number(w, 0);
    put_number(w, 0);
}

static uint64_t edges_of(const struct graph *g, ordinal o)
{
    uint64_t n = 0;
    for (uint64_t e = graph_begin(g, o); e < graph_end(g, o); e++)
        n += graph_target(g, e) != ORDINAL_NONE;
    return n;
}

/* Whether nothing but the super-root dominates an object: then it is put below one of its children, which changes no
 * dominator. */
static int is_top(const struct session *s, ordinal o)
{
    return s->dominators.dominator[o] == dominators_root(&s->dominators);
}

static uint64_t count_held(const struct session *s, int live)
{
    uint64_t n = 0;
    for (ordinal o = 0; o < s->graph.objects; o++) {
        const struct root_entry *first;
        size_t roots = live ? roots_of(&s->roots, o, &first) : 0;
        n += is_top(s, o) && (s->garbage[2].fate[o] == FATE_LIVE) == live ? (roots ? roots : 1) : 0;
    }
    return n;
}

static void put_nodes(struct writing *w)
{
    const struct session *s = w->s;
    const struct graph *g = &s->graph;
    const struct components *c = &s->components;
    uint64_t held = count_held(s, 1), loose = count_held(s, 0) + s->dominators.virtuals;
    put_node(w, NODE_SYNTHETIC, string(w, ""), 2 * ROOT + 2, 0, 2);
    put_node(w, NODE_SYNTHETIC, string(w, "(GC roots)"), 2 * OUTSIDE + 2, 0, held);
    put_node(w, NODE_SYNTHETIC, string(w, "(Unreachable: cyclic garbage)"), 2 * UNREACHABLE + 2, 0, loose);
    for (ordinal v = 0; v < s->dominators.virtuals; v++) {
        char name[NAME_SIZE], members[NAME_SIZE];
        ordinal component = s->dominators.virtual_component[v];
        uint64_t count = c->member_start[component + 1] - c->member_start[component];
        snprintf(name, sizeof name, "cycle: %.200s", name_cycle(s, s->cycles.of_component[component], members));
        put_node(w, NODE_SYNTHETIC, string(w, name), 2 * (uint64_t)(FIRST_CYCLE + v) + 2, 0, count);
    }
    for (ordinal o = 0; o < g->objects; o++) {
        uint64_t count = edges_of(g, o);
        put_node(w, NODE_OBJECT, w->class_name[s->classes.of_type[graph_type(g, o)]], id_of(w, o), graph_size(g, o),
                 count);
    }
}

/* ---- edges ---- */

static void put_edge(struct writing *w, unsigned kind, uint64_t name, ordinal node)
{
    put_number(w, kind);
    put_number(w, name);
    put_number(w, (uint64_t)node * NODE_FIELDS);
}

static void put_held(struct writing *w)
{
    const struct session *s = w->s;
    uint32_t nameless = string(w, "(held from outside the heap)");
    char name[NAME_SIZE];
    for (ordinal o = 0; o < s->graph.objects; o++) {
        const struct root_entry *first;
        if (!is_top(s, o) || s->garbage[2].fate[o] != FATE_LIVE)
            continue;
        size_t roots = roots_of(&s->roots, o, &first);
        for (size_t i = 0; i < roots; i++)
            put_edge(w, EDGE_PROPERTY, string(w, name_root(s, first[i].record, name)), node_of(w, o));
        if (!roots)
            put_edge(w, EDGE_PROPERTY, nameless, node_of(w, o));
    }
}

static void put_loose(struct writing *w)
{
    const struct session *s = w->s;
    for (ordinal v = 0; v < s->dominators.virtuals; v++)
        put_edge(w, EDGE_ELEMENT, v + 1, FIRST_CYCLE + v);
    for (ordinal o = 0; o < s->graph.objects; o++)
        if (is_top(s, o) && s->garbage[2].fate[o] != FATE_LIVE)
            put_edge(w, EDGE_INTERNAL, string(w, "(also unreachable)"), node_of(w, o));
}

static uint32_t field_name(struct writing *w, const struct edge *edge)
{
    uint32_t type = graph_type(&w->s->graph, edge->from), field = (uint32_t)edge->label;
    struct cached *c = &w->cache[(type * 31 + field) % CACHE];
    char name[NAME_SIZE];
    if (!c->name || c->type != type || c->field != field)
        *c = (struct cached){type, field, string(w, name_edge(w->s, edge, name) + 1)}; /* without the point */
    return c->name;
}

static void put_object_edge(struct writing *w, const struct edge *edge)
{
    const uint64_t within = (UINT64_C(1) << LABEL_ELEMENT_SHIFT) - 1;
    char name[NAME_SIZE];
    int counted = edge_is_counted(edge->bits);
    unsigned kind = counted ? EDGE_PROPERTY : EDGE_WEAK_KIND;
    uint64_t at = edge->kind == LABEL_ELEMENT ? edge->label & within : edge->label;
    if (counted && (edge->kind == LABEL_INDEX || edge->kind == LABEL_ELEMENT) && at <= UINT32_MAX)
        put_edge(w, EDGE_ELEMENT, at, node_of(w, edge->to));
    else if (edge->kind == LABEL_FIELD)
        put_edge(w, kind, field_name(w, edge), node_of(w, edge->to));
    else if (edge->kind == LABEL_NONE || edge->kind == LABEL_IS_KEY)
        put_edge(w, counted ? EDGE_INTERNAL : kind, string(w, edge->kind == LABEL_NONE ? "reference" : "key"),
                 node_of(w, edge->to));
    else
        put_edge(w, kind, string(w, name_edge(w->s, edge, name)), node_of(w, edge->to));
}

static void put_edges(struct writing *w)
{
    const struct session *s = w->s;
    const struct graph *g = &s->graph;
    const struct components *c = &s->components;
    put_edge(w, EDGE_ELEMENT, 1, OUTSIDE);
    put_edge(w, EDGE_ELEMENT, 2, UNREACHABLE);
    put_held(w);
    put_loose(w);
    for (ordinal v = 0; v < s->dominators.virtuals; v++) {
        ordinal component = s->dominators.virtual_component[v], first = c->member_start[component];
        for (ordinal m = first; m < c->member_start[component + 1]; m++)
            put_edge(w, EDGE_ELEMENT, m - first, node_of(w, c->member[m]));
    }
    for (ordinal o = 0; o < g->objects; o++)
        for (uint64_t e = graph_begin(g, o); e < graph_end(g, o); e++) {
            struct edge edge;
            if (graph_target(g, e) == ORDINAL_NONE)
                continue;
            graph_edge(g, o, e, &edge);
            put_object_edge(w, &edge);
        }
}

/* ---- the file ---- */

static const char meta[] =
    "\"meta\":{\"node_fields\":[\"type\",\"name\",\"id\",\"self_size\",\"edge_count\",\"trace_node_id\",\"detachedness\"],"
    "\"node_types\":[[\"hidden\",\"array\",\"string\",\"object\",\"code\",\"closure\",\"regexp\",\"number\",\"native\","
    "\"synthetic\",\"concatenated string\",\"sliced string\",\"symbol\",\"bigint\",\"object shape\"],\"string\",\"number\","
    "\"number\",\"number\",\"number\",\"number\"],"
    "\"edge_fields\":[\"type\",\"name_or_index\",\"to_node\"],"
    "\"edge_types\":[[\"context\",\"element\",\"property\",\"internal\",\"hidden\",\"shortcut\",\"weak\"],"
    "\"string_or_number\",\"node\"],"
    "\"trace_function_info_fields\":[\"function_id\",\"name\",\"script_name\",\"script_id\",\"line\",\"column\"],"
    "\"trace_node_fields\":[\"id\",\"function_info_index\",\"count\",\"size\",\"children\"],"
    "\"sample_fields\":[\"timestamp_us\",\"last_assigned_id\"],"
    "\"location_fields\":[\"object_index\",\"script_id\",\"line\",\"column\"]}";

static uint64_t count_edges(const struct session *s)
{
    const struct components *c = &s->components;
    uint64_t n = 2 + count_held(s, 1) + count_held(s, 0) + s->dominators.virtuals + s->graph.edges - s->graph.dangling;
    for (ordinal v = 0; v < s->dominators.virtuals; v++) {
        ordinal component = s->dominators.virtual_component[v];
        n += c->member_start[component + 1] - c->member_start[component];
    }
    return n;
}

static int begin(struct writing *w)
{
    const struct session *s = w->s;
    const struct graph *g = &s->graph;
    int has_serials = 0, fits = 1;
    string(w, "<dummy>");
    w->class_name = array_new((size_t)s->classes.count + 1, sizeof *w->class_name);
    w->serials = session_column(s, OBJECT_SERIAL);
    if (!w->class_name || !w->serials)
        return -1;
    for (uint32_t c = 0; c < s->classes.count; c++) {
        char name[NAME_SIZE];
        w->class_name[c] = string(w, name_class(s, c, name));
    }
    for (ordinal o = 0; o < g->objects; o++) {
        has_serials |= w->serials[o] != 0;
        fits &= w->serials[o] && w->serials[o] < UINT32_MAX / 2;
    }
    /* Each heap counts its own. */
    if (!has_serials || !fits || snapshot_count(s->snapshot, SECTION_HEAPS) != 1) {
        free(w->serials);
        w->serials = NULL;
    }
    w->lowest = g->objects ? graph_address(g, 0) : 0;
    w->shift = (int)g->index.shift;
    if (g->objects && (graph_address(g, g->objects - 1) - w->lowest) >> w->shift >= UINT32_MAX / 2)
        w->shift = -1; /* by rank then */
    return 0;
}

int export_heapsnapshot(const struct session *s, FILE *file, uint64_t *cut)
{
    struct writing *w = array_new(1, sizeof *w);
    int status = -1;
    if (!w)
        return -1;
    w->s = s;
    w->file = file;
    if (!begin(w)) {
        fprintf(file, "{\"snapshot\":{%s,\"node_count\":%llu,\"edge_count\":%llu,\"trace_function_count\":0},\n", meta,
                (unsigned long long)node_of(w, s->graph.objects), (unsigned long long)count_edges(s));
        put(w, "\"nodes\":[");
        put_nodes(w);
        put(w, "],\n\"edges\":[");
        put_edges(w);
        put(w,
            "],\n\"trace_function_infos\":[],\n\"trace_tree\":[],\n\"samples\":[],\n\"locations\":[],\n\"strings\":[");
        for (uint32_t i = 0; i < w->strings.count; i++) {
            fputs(i ? ",\n" : "", file);
            put_string(file, w->strings.text[i]);
        }
        fputs("]}\n", file);
        status = w->failed ? -1 : 0;
        *cut = w->cut;
    }
    array_free(w->class_name);
    free(w->serials);
    intern_release(&w->strings);
    array_free(w);
    return status;
}
