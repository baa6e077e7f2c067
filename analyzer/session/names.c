#include "names.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "owners.h"
#include "../render/text.h"

enum { VALUE_CHARACTERS = 40, NAME_CHARACTERS = 80 };

static const char *clean_string(const struct session *s, uint32_t id, const char *otherwise, char to[NAME_SIZE])
{
    struct text text = snapshot_string(s->snapshot, id);
    if (text.length)
        text_clean(text.bytes, text.length, NAME_CHARACTERS, to, NAME_SIZE);
    else
        snprintf(to, NAME_SIZE, "%s", otherwise);
    return to;
}

struct text class_name(const struct session *s, uint32_t klass)
{
    struct text name = snapshot_string(s->snapshot, s->classes.record[klass]->name);
    return name.length ? name : (struct text){"unknown", 7, 7};
}

const char *name_class(const struct session *s, uint32_t klass, char to[NAME_SIZE])
{
    struct text name = class_name(s, klass);
    text_clean(name.bytes, name.length, NAME_CHARACTERS, to, NAME_SIZE);
    return to;
}

struct text type_name(const struct session *s, ordinal o)
{
    return class_name(s, s->classes.of_type[graph_type(&s->graph, o)]);
}

const char *name_type(const struct session *s, ordinal o, char to[NAME_SIZE])
{
    return name_class(s, s->classes.of_type[graph_type(&s->graph, o)], to);
}

/* ---- values ---- */

static void quote(const struct value_record *r, const char *before, char to[NAME_SIZE])
{
    char text[NAME_SIZE];
    size_t n = text_clean((const char *)(r + 1), r->kept, VALUE_CHARACTERS, text, sizeof text - 16);
    int cut = r->kept < r->length && (n < 3 || strcmp(text + n - 3, "..."));
    snprintf(to, NAME_SIZE, "%s\"%.200s%s\"", before, text, cut ? "..." : "");
}

static const char *show_value(const struct value_record *r, char to[NAME_SIZE])
{
    int64_t integer;
    double number;
    switch (r->kind) {
    case VALUE_NONE:
        return "";
    case VALUE_BOOL:
        return *(const uint8_t *)(r + 1) ? "true" : "false";
    case VALUE_INTEGER:
        memcpy(&integer, r + 1, 8);
        snprintf(to, NAME_SIZE, "%" PRId64, integer);
        return to;
    case VALUE_FLOAT:
        memcpy(&number, r + 1, 8);
        snprintf(to, NAME_SIZE, "%.12g", number);
        return to;
    case VALUE_LARGE_INTEGER:
        text_clean((const char *)(r + 1), r->kept, VALUE_CHARACTERS, to, NAME_SIZE);
        return to;
    case VALUE_NAME:
        text_clean((const char *)(r + 1), r->kept, NAME_CHARACTERS, to, NAME_SIZE);
        return to;
    case VALUE_BYTES:
        quote(r, "b", to);
        return to;
    default:
        quote(r, "", to);
        return to;
    }
}

/* Containers go by the text in their field `name`, if they have one. */
static ordinal named_by(const struct session *s, ordinal o)
{
    const struct graph *g = &s->graph;
    uint32_t type = graph_type(g, o);
    const struct type_record *record = snapshot_type(s->snapshot, type);
    if (!record || record->fields > 64)
        return ORDINAL_NONE;
    for (uint64_t e = graph_begin(g, o); e < graph_end(g, o) && e < graph_begin(g, o) + 16; e++) {
        struct edge edge;
        if (graph_info(g, e) >> LABEL_KIND_SHIFT != LABEL_FIELD || graph_target(g, e) == ORDINAL_NONE)
            continue;
        graph_edge(g, o, e, &edge);
        const struct field_record *f = snapshot_field(s->snapshot, type, (uint32_t)edge.label);
        struct text name = snapshot_string(s->snapshot, f ? f->name : 0);
        const struct value_record *value = session_value(s, edge.to);
        if (name.length == 4 && !memcmp(name.bytes, "name", 4) && value &&
            (value->kind == VALUE_TEXT || value->kind == VALUE_NAME))
            return edge.to;
    }
    return ORDINAL_NONE;
}

static int is_text(const struct value_record *value, const char *text)
{
    return value && (value->kind == VALUE_TEXT || value->kind == VALUE_NAME) && value->kept == strlen(text) &&
           !memcmp(value + 1, text, value->kept);
}

const struct value_record *name_module_of_dict(const struct session *s, ordinal o)
{
    const struct graph *g = &s->graph;
    const struct value_record *name = NULL;
    for (uint64_t e = graph_begin(g, o); s->values.has && e < graph_end(g, o) && e < graph_begin(g, o) + 8; e++) {
        struct edge edge;
        if (graph_info(g, e) >> LABEL_KIND_SHIFT != LABEL_KEY)
            continue;
        graph_edge(g, o, e, &edge);
        ordinal key = address_index_find(&g->index, edge.label);
        const struct value_record *value = key == ORDINAL_NONE ? NULL : session_value(s, key);
        if (name)
            return is_text(value, "__doc__") ? name : NULL;
        if (!is_text(value, "__name__") || edge.to == ORDINAL_NONE)
            return NULL;
        name = session_value(s, edge.to);
        if (!name || name->kind != VALUE_TEXT)
            return NULL;
    }
    return NULL;
}

const char *name_object(const struct session *s, ordinal o, char to[NAME_SIZE])
{
    char text[NAME_SIZE];
    to[0] = 0;
    if (!s->values.has)
        return to;
    if (session_value(s, o))
        return show_value(session_value(s, o), to);
    ordinal name = named_by(s, o);
    if (name != ORDINAL_NONE)
        return show_value(session_value(s, name), to);
    const struct value_record *module = name_module_of_dict(s, o);
    if (module) {
        text_clean((const char *)(module + 1), module->kept, NAME_CHARACTERS, text, sizeof text);
        snprintf(to, NAME_SIZE, "globals of %.200s", text);
    }
    return to;
}

const char *name_full(const struct session *s, ordinal o, char to[NAME_SIZE])
{
    char type[NAME_SIZE], label[NAME_SIZE];
    const char *shown = name_object(s, o, label);
    snprintf(to, NAME_SIZE, "%.120s%s%.120s", name_type(s, o, type), *shown ? " " : "", shown);
    return to;
}

enum { CYCLE_MEMBERS = 1000, CYCLE_TYPES = 4 };

const char *name_cycle(const struct session *s, ordinal cycle, char to[NAME_SIZE])
{
    const struct cycle *c = &s->cycles.items[cycle];
    const ordinal *member = s->components.member + s->components.member_start[c->component];
    uint32_t classes[CYCLE_TYPES], count[CYCLE_TYPES], kinds = 0;
    ordinal seen = 0;
    char name[NAME_SIZE];
    size_t used = 0;
    for (; seen < c->objects && seen < CYCLE_MEMBERS; seen++) {
        uint32_t klass = s->classes.of_type[graph_type(&s->graph, member[seen])], k = 0;
        while (k < kinds && classes[k] != klass)
            k++;
        if (k == CYCLE_TYPES)
            break;
        if (k == kinds) {
            classes[kinds] = klass;
            count[kinds++] = 0;
        }
        count[k]++;
    }
    to[0] = 0;
    for (uint32_t k = 0; k < kinds; k++) {
        char number[24] = "";
        if (count[k] > 1)
            snprintf(number, sizeof number, "%" PRIu32 " ", count[k]);
        used += (size_t)snprintf(to + used, NAME_SIZE - used, "%s%s%.40s", k ? ", " : "", number,
                                 name_class(s, classes[k], name));
    }
    if (seen < c->objects)
        snprintf(to + used, NAME_SIZE - used, " and %" PRI_ORDINAL " more", c->objects - seen);
    return to;
}

/* ---- edges ---- */

static const char *field_name(const struct session *s, ordinal from, uint32_t number, char to[NAME_SIZE])
{
    const struct field_record *f = snapshot_field(s->snapshot, graph_type(&s->graph, from), number);
    char fallback[24];
    snprintf(fallback, sizeof fallback, "field%u", number);
    return clean_string(s, f ? f->name : 0, fallback, to);
}

/* Whether what an object holds by keys are its attributes. */
static int has_attributes(const struct session *s, ordinal o)
{
    const struct type_record *type = snapshot_type(s->snapshot, graph_type(&s->graph, o));
    return type && type->flags & TYPE_ATTRIBUTES;
}

static const char *key_label(const struct session *s, const struct edge *edge, int attribute, char to[NAME_SIZE])
{
    ordinal key = address_index_find(&s->graph.index, edge->label);
    const struct value_record *value = key != ORDINAL_NONE ? session_value(s, key) : NULL;
    char text[NAME_SIZE] = "";
    if (!value) {
        snprintf(to, NAME_SIZE, "[0x%" PRIx64 "]", edge->label);
        return to;
    }
    int is_text = value->kind == VALUE_TEXT || value->kind == VALUE_NAME;
    if (is_text)
        text_clean((const char *)(value + 1), value->kept, VALUE_CHARACTERS, text, sizeof text);
    if (is_text && attribute)
        snprintf(to, NAME_SIZE, ".%.200s", text);
    else if (is_text)
        snprintf(to, NAME_SIZE, "['%.200s']", text);
    else
        snprintf(to, NAME_SIZE, "[%.200s]", value->kind == VALUE_NONE ? "none" : show_value(value, text));
    return to;
}

const char *name_edge(const struct session *s, const struct edge *edge, char to[NAME_SIZE])
{
    char name[NAME_SIZE];
    switch (edge->kind) {
    case LABEL_FIELD:
        snprintf(to, NAME_SIZE, ".%.200s", field_name(s, edge->from, (uint32_t)edge->label, name));
        return to;
    case LABEL_INDEX:
        snprintf(to, NAME_SIZE, "[%" PRIu64 "]", edge->label);
        return to;
    case LABEL_KEY:
        return key_label(s, edge, has_attributes(s, edge->from), to);
    case LABEL_STRING:
        snprintf(to, NAME_SIZE, ".%.200s", clean_string(s, (uint32_t)edge->label, "?", name));
        return to;
    case LABEL_ELEMENT:
        snprintf(to, NAME_SIZE, ".%.200s[%" PRIu64 "]",
                 field_name(s, edge->from, (uint32_t)(edge->label >> LABEL_ELEMENT_SHIFT), name),
                 edge->label & ((UINT64_C(1) << LABEL_ELEMENT_SHIFT) - 1));
        return to;
    case LABEL_IS_KEY:
        return "key";
    default:
        return "";
    }
}

const char *name_attribute(const struct session *s, const struct edge *edge, char to[NAME_SIZE])
{
    return edge->kind == LABEL_KEY ? key_label(s, edge, 1, to) : name_edge(s, edge, to);
}

const char *name_edge_group(const struct session *s, const struct edge *edge, char to[NAME_SIZE])
{
    char name[NAME_SIZE];
    switch (edge->kind) {
    case LABEL_INDEX:
        return "[...]";
    case LABEL_ELEMENT:
        snprintf(to, NAME_SIZE, ".%.200s[...]",
                 field_name(s, edge->from, (uint32_t)(edge->label >> LABEL_ELEMENT_SHIFT), name));
        return to;
    case LABEL_KEY:
        if (has_attributes(s, edge->from))
            return name_edge(s, edge, to);
        /* Variables and attributes are few, and each means something: they are no items. */
        return owner_of(s, edge->from) != ORDINAL_NONE || name_module_of_dict(s, edge->from)
                   ? name_attribute(s, edge, to)
                   : "['...']";
    default:
        return name_edge(s, edge, to);
    }
}

const char *name_edge_kind(unsigned bits)
{
    if (bits & EDGE_WEAK)
        return "weak";
    if (!(bits & EDGE_COUNTED))
        return "borrowed";
    if (bits & EDGE_INFERRED)
        return "inferred";
    return bits & EDGE_TRAVERSED ? "strong" : "owned";
}

/* ---- allocation sites ---- */

static const struct module_record *module_at(const struct session *s, uint64_t address)
{
    struct record_cursor cursor = {0, 0};
    const struct module_record *m;
    while ((m = snapshot_next_record(s->snapshot, SECTION_MODULES, &cursor)))
        if (address >= m->base && address < m->end)
            return m;
    return NULL;
}

enum { PATH_SHOWN = 80 };

/* Of a long path the end tells more. */
static void clean_path(const struct session *s, uint32_t id, char to[NAME_SIZE])
{
    struct text path = snapshot_string(s->snapshot, id);
    size_t from = path.length > PATH_SHOWN ? path.length - PATH_SHOWN : 0, dots = from ? 3 : 0;
    while (from && from < path.length && ((unsigned char)path.bytes[from] & 0xc0) == 0x80)
        from++; /* not within a character */
    memcpy(to, "...", dots);
    text_clean(path.bytes + from, path.length - from, NAME_CHARACTERS, to + dots, NAME_SIZE - dots);
}

const char *name_site(const struct session *s, uint64_t *site, char to[NAME_SIZE])
{
    char function[NAME_SIZE], file[NAME_SIZE];
    const struct site_record *r = *site ? snapshot_record(s->snapshot, SECTION_SITES, *site - 1) : NULL;
    if (!r)
        return NULL;
    *site = r->caller == FORMAT_NONE || r->caller + UINT64_C(1) >= *site ? 0 : r->caller + UINT64_C(1);
    clean_string(s, r->function, "", function);
    clean_path(s, r->file, file);
    if (*file) {
        snprintf(to, NAME_SIZE, "%.100s%s%.120s:%" PRIu32, function, *function ? " at " : "", file, r->line);
        return to;
    }
    const struct module_record *m = module_at(s, r->address);
    clean_string(s, m ? m->path : 0, "?", file);
    const char *slash = strrchr(file, '/');
    snprintf(to, NAME_SIZE, "%.100s%s0x%" PRIx64 " in %.100s + 0x%" PRIx64, function, *function ? " at " : "",
             r->address, slash ? slash + 1 : file, r->address - (m ? m->base : 0));
    return to;
}

/* ---- roots and captures ---- */

const char *name_root_kind(unsigned kind)
{
    static const char *const kinds[] = {"?",           "declared",        "handle",      "pin",
                                        "global",      "stack",           "register",    "runtime",
                                        "frame local", "module variable", "thread state"};
    return kind < sizeof kinds / sizeof *kinds ? kinds[kind] : "?";
}

/* A word of a module's data: "registry+0x18 in app", or by its place in the module when nothing names it. */
static const char *name_global(const struct session *s, const struct root_record *root, char to[NAME_SIZE])
{
    const struct module_record *m = snapshot_record(s->snapshot, SECTION_MODULES, root->module);
    char name[NAME_SIZE], path[NAME_SIZE], offset[32] = "";
    const char *slash = m ? strrchr(clean_string(s, m->path, "", path), '/') : NULL;
    const char *module = slash ? slash + 1 : m ? path : "";
    clean_string(s, root->name, "", name);
    if (root->offset)
        snprintf(offset, sizeof offset, "+0x%" PRIx64, root->offset);
    if (*name)
        snprintf(to, NAME_SIZE, "global %.150s%s%s%.60s", name, offset, *module ? " in " : "", module);
    else
        snprintf(to, NAME_SIZE, "global %.150s%s", *module ? module : "(unnamed)", offset);
    return to;
}

const char *name_root(const struct session *s, const struct root_record *root, char to[NAME_SIZE])
{
    char name[NAME_SIZE];
    if (root->kind == ROOT_GLOBAL)
        return name_global(s, root, to);
    const char *what = root->kind == ROOT_DECLARED ? "root" : name_root_kind(root->kind);
    snprintf(to, NAME_SIZE, "%s %.200s", what, clean_string(s, root->name, "(unnamed)", name));
    return to;
}

const char *name_uuid(const struct session *s, char to[UUID_SIZE])
{
    const uint8_t *u = snapshot_header(s->snapshot)->uuid;
    snprintf(to, UUID_SIZE, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1], u[2],
             u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]);
    return to;
}

const char *name_captured(unsigned captured)
{
    static const char *const ways[] = {
        "in an unknown way",
        "by the program, at its own request",
        "by the program, on a signal",
        "by the program, at exit",
        "by the program, when memory ran out",
        "by the program, at a safe point",
        "from outside, live",
        "from a core file",
        "through a debugger",
        "by a forked copy of the program",
    };
    return captured < sizeof ways / sizeof *ways ? ways[captured] : ways[0];
}
