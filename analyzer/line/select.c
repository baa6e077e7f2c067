#include "select.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../../dumpfmt/error.h"
#include "../graph/bits.h"
#include "../session/names.h"
#include "select_sql.h"

static int fail_object(const struct invocation *inv, const char *hint, const char *what, const char *text)
{
    struct rh_error err;
    error_format(&err, RH_ERR_NOT_FOUND, hint, what, text);
    return fail(inv->session.path, &err);
}

static int keep(struct selection *r, ordinal o)
{
    if ((r->count & (r->count - 1)) == 0) { /* room for powers of two */
        ordinal *more = realloc(r->objects, (r->count ? 2 * r->count : 1) * sizeof *more);
        if (!more)
            return -1;
        r->objects = more;
    }
    r->objects[r->count++] = o;
    return 0;
}

/* The object with this address; failing that, says which object lies below it. */
static int by_address(struct invocation *inv, const char *text, struct selection *r)
{
    const struct graph *g = &inv->session.graph;
    char *end, hint[120], name[NAME_SIZE];
    errno = 0;
    uint64_t address = strtoull(text, &end, 16);
    if (*end || errno || !text[2])
        return fail_object(inv, "write 0x and hexadecimal digits", "\"%s\" is no address", text);
    ordinal o = address_index_find(&g->index, address);
    if (o != ORDINAL_NONE)
        return keep(r, o);
    ordinal low = 0, high = g->objects;
    while (low < high) {
        ordinal middle = low + (high - low) / 2;
        if (graph_address(g, middle) < address)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low)
        return fail_object(inv, "name an object of the snapshot", "there is no object at %s", text);
    if (address - graph_address(g, low - 1) < graph_size(g, low - 1))
        snprintf(hint, sizeof hint, "it lies inside the %.40s at 0x%" PRIx64, name_type(&inv->session, low - 1, name),
                 graph_address(g, low - 1));
    else
        snprintf(hint, sizeof hint, "the nearest below is the %.40s at 0x%" PRIx64,
                 name_type(&inv->session, low - 1, name), graph_address(g, low - 1));
    return fail_object(inv, hint, "there is no object at %s", text);
}

static int by_rank(struct invocation *inv, const char *text, struct selection *r)
{
    char *end, hint[120];
    errno = 0;
    uint64_t rank = strtoull(text + 1, &end, 10);
    if (*end || errno || text[1] < '0' || text[1] > '9')
        return fail_object(inv, "write @ and a number", "\"%s\" is no rank", text);
    if (rank < inv->session.graph.objects)
        return keep(r, (ordinal)rank);
    snprintf(hint, sizeof hint, "ranks go from @0 to @%" PRI_ORDINAL,
             inv->session.graph.objects ? inv->session.graph.objects - 1 : 0);
    return fail_object(inv, hint, "there is no object %s", text);
}

static int by_root(struct invocation *inv, const char *name, struct selection *r)
{
    const struct session *s = &inv->session;
    size_t length = strlen(name);
    for (size_t i = 0; i < s->roots.count; i++) {
        struct text text = snapshot_string(s->snapshot, s->roots.items[i].record->name);
        int known = r->count && r->objects[r->count - 1] == s->roots.items[i].object;
        if (text.length == length && !memcmp(text.bytes, name, length) && !known && keep(r, s->roots.items[i].object))
            return -1;
    }
    return r->count ? 0
                    : fail_object(inv, "\"refheap info\" counts roots; names are case-sensitive",
                                  "there is no root \"%s\"", name);
}

static int by_type(struct invocation *inv, const char *pattern, struct selection *r)
{
    struct options before = inv->options;
    int status = 0;
    inv->options.type = pattern;
    inv->options.heap = -1;
    inv->options.generation = GENERATION_ANY;
    for (ordinal o = 0; !status && o < inv->session.graph.objects; o++)
        if (filter_matches(inv, o))
            status = keep(r, o);
    inv->options = before;
    return status;
}

static int by_garbage(struct invocation *inv, struct selection *r)
{
    struct session *s = &inv->session;
    struct rh_error err;
    if (session_garbage(s, 2, &err))
        return fail(s->path, &err);
    for (ordinal o = 0; o < s->graph.objects; o++)
        if (s->garbage[2].fate[o] == FATE_GARBAGE && keep(r, o))
            return -1;
    return 0;
}

static int by_cycle(struct invocation *inv, const char *text, struct selection *r)
{
    struct session *s = &inv->session;
    struct rh_error err;
    char *end;
    uint64_t id = strtoull(text, &end, 10);
    if (session_cycles(s, &err))
        return fail(s->path, &err);
    if (*end || !id || id > s->cycles.count)
        return fail_object(inv, "\"refheap cycles\" lists them", "there is no cycle \"%s\"", text);
    ordinal component = s->cycles.items[id - 1].component;
    for (ordinal m = s->components.member_start[component]; m < s->components.member_start[component + 1]; m++)
        if (keep(r, s->components.member[m]))
            return -1;
    return 0;
}

static int by_condition(struct invocation *inv, const char *condition, struct selection *r)
{
    ordinal objects = inv->session.graph.objects;
    uint64_t *chosen = bits_new(objects);
    int status = chosen ? select_sql(inv, condition, chosen) : -1;
    for (ordinal o = 0; !status && o < objects; o++)
        if (bit_is_set(chosen, o))
            status = keep(r, o);
    array_free(chosen);
    return status;
}

int select_names_one(const char *text)
{
    return *text == '@' || !strncmp(text, "0x", 2);
}

void select_filter(struct invocation *inv, const char *text, struct selection *r)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->count; i++)
        if (select_names_one(text) || filter_matches(inv, r->objects[i]))
            r->objects[kept++] = r->objects[i];
    r->count = kept;
}

int select_objects(struct invocation *inv, const char *text, struct selection *r)
{
    struct rh_error err;
    int status;
    *r = (struct selection){NULL, 0};
    /* What names one object does with the rows of an index; sets are looked for everywhere. */
    int has_rows = inv->session.graph.unchecked && (select_names_one(text) || !strncmp(text, "root:", 5));
    if (!has_rows && session_graph(&inv->session, &err))
        return fail(inv->session.path, &err);
    if (!strncmp(text, "0x", 2))
        status = by_address(inv, text, r);
    else if (*text == '@')
        status = by_rank(inv, text, r);
    else if (!strncmp(text, "root:", 5))
        status = by_root(inv, text + 5, r);
    else if (!strncmp(text, "type:", 5))
        status = by_type(inv, text + 5, r);
    else if (!strncmp(text, "cycle:", 6))
        status = by_cycle(inv, text + 6, r);
    else if (!strncmp(text, "sql:", 4))
        status = by_condition(inv, text + 4, r);
    else if (!strcmp(text, "garbage"))
        status = by_garbage(inv, r);
    else
        status = fail_object(
            inv, "name it by 0xADDRESS, @RANK, root:NAME, or several by type:NAME, cycle:ID, sql:CONDITION, garbage",
            "\"%s\" names no object", text);
    if (status < 0) {
        error_set(&err, RH_ERR_NO_MEMORY, "not enough memory", "");
        status = fail(inv->session.path, &err);
    }
    if (status)
        select_release(r);
    return status;
}

int select_object(struct invocation *inv, const char *text, ordinal *result)
{
    struct selection r;
    int status = select_objects(inv, text, &r);
    if (status)
        return status;
    if (r.count != 1)
        status = fail_object(inv, "name one object by 0xADDRESS, @RANK or root:NAME",
                             r.count ? "\"%s\" names several objects" : "\"%s\" names no object", text);
    else
        *result = r.objects[0];
    select_release(&r);
    return status;
}

int select_keeper(struct invocation *inv, const char *text, ordinal *vertex)
{
    struct session *s = &inv->session;
    struct selection members;
    if (strncmp(text, "cycle:", 6))
        return select_object(inv, text, vertex);
    int status = select_objects(inv, text, &members);
    if (status)
        return status;
    ordinal component = s->components.component[members.objects[0]];
    select_release(&members);
    for (ordinal i = 0; i < s->dominators.virtuals; i++)
        if (s->dominators.virtual_component[i] == component) {
            *vertex = s->graph.objects + i;
            return 0;
        }
    return fail_object(inv, "name one of its members, or a source cycle",
                       "%s is held by another cycle, and is no keeper by itself", text);
}

void select_release(struct selection *selection)
{
    free(selection->objects);
    *selection = (struct selection){NULL, 0};
}
