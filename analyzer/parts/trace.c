#include "trace.h"
#include <inttypes.h>
#include <string.h>
#include "../session/names.h"
#include "../session/owners.h"
#include "../render/text.h"

void trace_holder(const struct session *s, const struct path *path, char to[TRACE_HOLDER_SIZE])
{
    const struct root_record *root = path->root;
    ordinal o = path->step[0];
    char name[NAME_SIZE];
    if (root)
        snprintf(to, TRACE_HOLDER_SIZE, "%s%s", name_root(s, root, name),
                 root->flags & ROOT_EXACT ? "" : " (possibly)");
    else if (graph_is_immortal(&s->graph, o))
        snprintf(to, TRACE_HOLDER_SIZE, "the runtime (immortal)");
    else
        snprintf(to, TRACE_HOLDER_SIZE, "%" PRId64 " unexplained reference%s from outside the heap",
                 graph_external(&s->graph, o) - (int64_t)roots_explained(&s->roots, o),
                 graph_external(&s->graph, o) == 1 ? "" : "s");
}

/* Objects are indented like a tree's path, however long it is: past a depth they stay where they are. */
static void indent(FILE *f, size_t depth)
{
    for (size_t i = 0; i < depth && i < 30; i++)
        fputs("  ", f);
}

int trace_folds(const struct session *s, const struct path *path, size_t i)
{
    struct edge edge;
    if (!i || i + 1 >= path->length)
        return 0;
    graph_edge(&s->graph, path->step[i - 1], path->edge[i], &edge);
    return edge_to_dict(s, &edge);
}

static int is_folded(const struct invocation *inv, const struct path *path, size_t i)
{
    return !inv->options.no_fold && trace_folds(&inv->session, path, i);
}

static void show_step(struct invocation *inv, const struct path *path, size_t i, size_t depth)
{
    const struct session *s = &inv->session;
    FILE *f = inv->out.file;
    ordinal o = path->step[i];
    char name[NAME_SIZE], label[NAME_SIZE];
    indent(f, depth);
    if (i) {
        struct edge edge;
        graph_edge(&s->graph, path->step[i - 1], path->edge[i], &edge);
        int attribute = is_folded(inv, path, i - 1) || name_module_of_dict(s, path->step[i - 1]);
        fprintf(f, "%s ", attribute ? name_attribute(s, &edge, label) : name_edge(s, &edge, label));
    }
    fputs("-> ", f);
    output_style(&inv->out, i + 1 == path->length ? STYLE_BOLD : STYLE_NORMAL);
    fputs(name_full(s, o, name), f);
    output_style(&inv->out, STYLE_DIM);
    fprintf(f, "  0x%" PRIx64 ", generation %s\n", graph_address(&s->graph, o),
            text_generation(graph_generation(&s->graph, o)));
    output_style(&inv->out, STYLE_NORMAL);
}

void trace_show(struct invocation *inv, const struct path *path, size_t depth)
{
    FILE *f = inv->out.file;
    char holder[TRACE_HOLDER_SIZE], n[TEXT_NUMBER_SIZE];
    uint64_t limit = table_limit(inv);
    size_t steps = 0, shown = 0, left = 0;
    for (size_t i = 0; i < path->length; i++)
        steps += !is_folded(inv, path, i);
    if (limit && steps > limit + 1) /* the two ends of a long path say most */
        left = steps - (size_t)limit;
    trace_holder(&inv->session, path, holder);
    indent(f, depth);
    fprintf(f, "%s\n", holder);
    for (size_t i = 0; i < path->length; i++) {
        if (is_folded(inv, path, i))
            continue;
        if (left && shown == limit / 2) {
            indent(f, depth + shown + 1);
            fprintf(f, "... %s more steps (--limit 0 shows all)\n", text_count(left, n));
        }
        if (!left || shown < limit / 2 || shown >= limit / 2 + left)
            show_step(inv, path, i, depth + shown + 1);
        shown++;
    }
}

void trace_json(struct invocation *inv, const struct path *path)
{
    const struct session *s = &inv->session;
    struct json *j = &inv->out.json;
    char holder[TRACE_HOLDER_SIZE], label[NAME_SIZE];
    trace_holder(s, path, holder);
    json_array(j, NULL);
    for (size_t i = 0; i < path->length; i++) {
        ordinal o = path->step[i];
        struct edge edge = {0};
        if (i)
            graph_edge(&s->graph, path->step[i - 1], path->edge[i], &edge);
        json_object(j, NULL);
        if (i) {
            char text[24];
            snprintf(text, sizeof text, "0x%" PRIx64, graph_address(&s->graph, path->step[i - 1]));
            json_string(j, "holder", text);
        } else {
            json_string(j, "holder", holder);
        }
        json_string(j, "label", i ? name_edge(s, &edge, label) : "");
        json_address(j, "address", graph_address(&s->graph, o));
        json_text(j, "type", type_name(s, o).bytes, type_name(s, o).length);
        json_object_end(j);
    }
    json_array_end(j);
}
