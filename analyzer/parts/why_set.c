#include "why_set.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../../dumpfmt/error.h"
#include "../answers/ways.h"
#include "../session/names.h"
#include "../render/text.h"
#include "../render/tree.h"

struct view {
    struct invocation *inv;
    const struct selection *set;
    struct ways ways;
    size_t depth_max;
    struct tree_lines lines;
    struct open_node {
        ordinal *children; /* sorted */
        size_t count, at;
        struct tally omitted;
    } open[TREE_DEPTH_MAX + 1];
};

/* ---- the walk ---- */

static size_t child_count(const struct view *v, uint32_t node)
{
    return v->ways.forest.start[node + 1] - v->ways.forest.start[node];
}

static int open_node(struct view *v, uint32_t node, size_t depth)
{
    struct open_node *o = &v->open[depth];
    size_t count, limit = (size_t)table_limit(v->inv);
    *o = (struct open_node){.children = ways_children(&v->ways, node, limit, &count)};
    if (!o->children)
        return -1;
    o->count = limit && limit < count ? limit : count;
    for (size_t i = o->count; i < count; i++) {
        o->omitted.objects += v->ways.merged.nodes[o->children[i]].objects;
        o->omitted.bytes += v->ways.merged.nodes[o->children[i]].bytes;
    }
    return 0;
}

static void close_node(struct view *v, size_t depth)
{
    free(v->open[depth].children);
    v->open[depth].children = NULL;
}

/* ---- text ---- */

static void show_node(struct view *v, uint32_t node, size_t depth, int is_last)
{
    const struct session *s = &v->inv->session;
    const struct merged_node *n = &v->ways.merged.nodes[node];
    struct output *out = &v->inv->out;
    char name[NAME_SIZE], number[2][TEXT_NUMBER_SIZE];
    tree_line(&v->lines, depth, is_last);
    fputs(v->ways.labels.text[n->label], out->file);
    if (n->here) {
        fputs(n->label ? " -> " : "", out->file);
        output_style(out, n->objects && !child_count(v, node) ? STYLE_BOLD : STYLE_NORMAL);
        if (n->here == 1)
            fputs(name_full(s, n->first, name), out->file);
        else
            fprintf(out->file, "%s %s", text_count(n->here, number[0]), name_type(s, n->first, name));
        output_style(out, STYLE_DIM);
        if (n->here == 1)
            fprintf(out->file, "  0x%" PRIx64, graph_address(&s->graph, n->first));
        output_style(out, STYLE_NORMAL);
    }
    fprintf(out->file, "  %s, %s\n", text_plural(n->objects, "object", number[0]), text_size(n->bytes, number[1]));
}

static void show_omitted(struct view *v, size_t depth, const char *what, const struct tally *t)
{
    char n[2][TEXT_NUMBER_SIZE];
    tree_line(&v->lines, depth, 1);
    fprintf(v->inv->out.file, "... %s %s, %s\n", text_plural(t->objects, "object", n[0]), what,
            text_size(t->bytes, n[1]));
}

static int show_text(struct view *v)
{
    size_t depth = 0;
    char n[2][TEXT_NUMBER_SIZE];
    fprintf(v->inv->out.file, "%s, %s; the shortest path to each, merged by type and label\n\n",
            text_plural(v->set->count, "object", n[0]), text_size(v->ways.bytes, n[1]));
    tree_begin(&v->lines, v->inv->out.file);
    int status = open_node(v, v->ways.merged.count, 0);
    for (int busy = 1; !status && busy;) {
        struct open_node *o = &v->open[depth];
        if (o->at < o->count) {
            uint32_t node = (uint32_t)o->children[o->at++];
            show_node(v, node, depth, o->at == o->count && !o->omitted.objects);
            if (!child_count(v, node))
                continue;
            if (depth < v->depth_max) {
                status = open_node(v, node, ++depth);
                continue;
            }
            const struct merged_node *m = &v->ways.merged.nodes[node];
            struct tally deeper = {m->objects, m->bytes};
            if (depth < TREE_DEPTH_MAX)
                show_omitted(v, depth + 1, "further on (--depth 0 shows more)", &deeper);
            continue;
        }
        if (o->omitted.objects)
            show_omitted(v, depth, "by other ways (--limit 0 shows all)", &o->omitted);
        close_node(v, depth);
        busy = depth-- != 0;
    }
    return status;
}

/* ---- JSON ---- */

static void begin_node_json(struct view *v, uint32_t node)
{
    const struct session *s = &v->inv->session;
    const struct merged_node *n = &v->ways.merged.nodes[node];
    struct json *j = &v->inv->out.json;
    json_object(j, NULL);
    if (n->here) {
        json_null(j, "holder");
        json_string(j, "label", v->ways.labels.text[n->label]);
        json_text(j, "type", type_name(s, n->first).bytes, type_name(s, n->first).length);
        json_address(j, "first", graph_address(&s->graph, n->first));
    } else {
        json_string(j, "holder", v->ways.labels.text[n->label]);
        json_string(j, "label", "");
        json_null(j, "type");
        json_null(j, "first");
    }
    json_uint(j, "here", n->here);
    json_uint(j, "objects", n->objects);
    json_uint(j, "bytes", n->bytes);
    json_array(j, "children");
}

static void end_node_json(struct view *v, uint64_t omitted)
{
    struct json *j = &v->inv->out.json;
    json_array_end(j);
    if (omitted)
        json_uint(j, "children_omitted", omitted);
    json_object_end(j);
}

static int show_json(struct view *v)
{
    struct json *j = &v->inv->out.json;
    size_t depth = 0;
    uint64_t limit = table_limit(v->inv);
    begin_json(v->inv);
    json_null(j, "object");
    json_string(j, "set", v->inv->argv[0]);
    json_uint(j, "objects", v->set->count);
    json_uint(j, "bytes", v->ways.bytes);
    json_array(j, "paths");
    json_array_end(j);
    json_array(j, "merged");
    int status = open_node(v, v->ways.merged.count, 0);
    for (int busy = 1; !status && busy;) {
        struct open_node *o = &v->open[depth];
        if (o->at < o->count) {
            uint32_t node = (uint32_t)o->children[o->at++];
            begin_node_json(v, node);
            if (depth < v->depth_max)
                status = open_node(v, node, ++depth);
            else
                end_node_json(v, child_count(v, node));
            continue;
        }
        close_node(v, depth);
        busy = depth-- != 0;
        if (busy) {
            size_t all = child_count(v, (uint32_t)v->open[depth].children[v->open[depth].at - 1]);
            end_node_json(v, limit && all > limit ? all - limit : 0);
        }
    }
    json_array_end(j);
    if (limit && child_count(v, v->ways.merged.count) > limit)
        json_uint(j, "merged_omitted", child_count(v, v->ways.merged.count) - limit);
    json_null(j, "verdict");
    json_end(j);
    return status;
}

int why_set(struct invocation *inv, const struct selection *set, size_t depth_max)
{
    struct view v = {.inv = inv, .set = set, .depth_max = depth_max};
    struct rh_error err;
    int status = ways_find(&inv->session, set->objects, set->count, &v.ways);
    if (!status)
        status = inv->out.format == OUTPUT_JSON ? show_json(&v) : show_text(&v);
    for (size_t i = 0; i <= TREE_DEPTH_MAX; i++)
        free(v.open[i].children);
    ways_release(&v.ways);
    if (status) {
        error_set(&err, RH_ERR_NO_MEMORY, "not enough memory for the paths", "");
        return fail(inv->session.path, &err);
    }
    return STATUS_FINE;
}
