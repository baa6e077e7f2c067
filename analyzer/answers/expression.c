#include "expression.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../session/names.h"
#include "../session/owners.h"

enum { TEXT_MAX = 120 };

struct expression {
    char *to;
    size_t used;
    int fails;
};

static void append(struct expression *x, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(struct expression *x, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(x->to + x->used, EXPRESSION_SIZE - x->used, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= EXPRESSION_SIZE - x->used)
        x->fails = 1;
    else
        x->used += (size_t)n;
}

/* Names are of letters, digits and _ here; Python takes others, which are not shown unescaped. */
static int is_name(const char *text, size_t length, int dotted)
{
    int inside = 0;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        int letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        int digit = c >= '0' && c <= '9';
        if (dotted && c == '.' && inside && i + 1 < length)
            inside = 0;
        else if (!letter && !(digit && inside))
            return 0;
        else
            inside = 1;
    }
    return inside;
}

static void append_quoted(struct expression *x, const char *text, size_t length)
{
    if (length > TEXT_MAX)
        x->fails = 1;
    append(x, "['");
    for (size_t i = 0; i < length && !x->fails; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x20 || c > 0x7e)
            x->fails = 1; /* whatever it says, nobody would type it */
        append(x, c == '\'' || c == '\\' ? "\\%c" : "%c", c);
    }
    append(x, "']");
}

static void append_key(struct expression *x, const struct session *s, const struct edge *edge, int of_owner)
{
    const struct type_record *type = snapshot_type(s->snapshot, graph_type(&s->graph, edge->from));
    ordinal key = address_index_find(&s->graph.index, edge->label);
    const struct value_record *value = key != ORDINAL_NONE ? session_value(s, key) : NULL;
    if (!value || value->kept != value->length) {
        x->fails = 1;
        return;
    }
    const char *text = (const char *)(value + 1);
    int attribute = of_owner || (type && type->flags & TYPE_ATTRIBUTES);
    int64_t integer;
    switch (value->kind) {
    case VALUE_TEXT:
    case VALUE_NAME:
        if (attribute && is_name(text, value->kept, 0))
            append(x, ".%.*s", (int)value->kept, text);
        else
            append_quoted(x, text, value->kept);
        return;
    case VALUE_INTEGER:
        memcpy(&integer, text, sizeof integer);
        append(x, "[%" PRId64 "]", integer);
        return;
    case VALUE_BOOL:
        append(x, "[%s]", *text ? "True" : "False");
        return;
    case VALUE_NONE:
        append(x, "[None]");
        return;
    default:
        x->fails = 1;
    }
}

static void append_edge(struct expression *x, const struct session *s, const struct edge *edge, int of_owner)
{
    struct text label;
    switch (edge->kind) {
    case LABEL_INDEX:
        append(x, "[%" PRIu64 "]", edge->label);
        return;
    case LABEL_KEY:
        append_key(x, s, edge, of_owner);
        return;
    case LABEL_STRING:
        label = snapshot_string(s->snapshot, (uint32_t)edge->label);
        if (label.length > TEXT_MAX || !is_name(label.bytes, label.length, 0))
            x->fails = 1;
        else
            append(x, ".%.*s", (int)label.length, label.bytes);
        return;
    default:
        x->fails = 1;
    }
}

/* The name of a module, of the module itself or of its dict; NULL for anything else. */
static const struct value_record *module_name(const struct session *s, ordinal o)
{
    struct text type = type_name(s, o);
    const struct value_record *value = session_value(s, o);
    if (type.length != 6 || memcmp(type.bytes, "module", 6) || !value || value->kind != VALUE_NAME)
        value = name_module_of_dict(s, o);
    return value && value->kept == value->length && value->kept <= TEXT_MAX &&
                   is_name((const char *)(value + 1), value->kept, 1)
               ? value
               : NULL;
}

int expression_of(const struct session *s, const struct path *path, char to[EXPRESSION_SIZE])
{
    struct expression x = {.to = to};
    const struct value_record *module = NULL;
    size_t at = path->length;
    while (at > 0 && !module)
        module = module_name(s, path->step[--at]);
    to[0] = 0;
    if (!module)
        return 0;
    append(&x, "%.*s", (int)module->kept, (const char *)(module + 1));
    int of_owner = name_module_of_dict(s, path->step[at]) != NULL;
    if (of_owner && at + 1 == path->length)
        append(&x, ".__dict__");
    while (++at < path->length && !x.fails) {
        struct edge edge;
        graph_edge(&s->graph, path->step[at - 1], path->edge[at], &edge);
        int to_dict = edge_to_dict(s, &edge) && at + 1 < path->length;
        if (!to_dict)
            append_edge(&x, s, &edge, of_owner);
        of_owner = to_dict;
    }
    if (x.fails)
        to[0] = 0;
    return !x.fails;
}
