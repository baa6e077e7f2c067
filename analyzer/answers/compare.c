#include "compare.h"

#include <stdlib.h>
#include <string.h>

#include "../session/names.h"

/* Types by name and module, and modules by name; open addressing, slots hold the number + 1. */
struct lookup {
    uint32_t *types, *modules;
    size_t mask;
};

static uint32_t module_number(struct common_types *t, struct lookup *l, uint32_t type)
{
    size_t slot = session_hash_text(t->module[type], 0) >> 20 & l->mask;
    for (; l->modules[slot]; slot = (slot + 1) & l->mask)
        if (session_same_text(t->module[l->modules[slot] - 1], t->module[type]))
            return l->modules[slot] - 1;
    l->modules[slot] = type + 1;
    return type;
}

static uint32_t type_number(struct common_types *t, struct lookup *l, struct text name, struct text module)
{
    size_t slot = session_hash_text(module, session_hash_text(name, 0)) >> 20 & l->mask;
    for (; l->types[slot]; slot = (slot + 1) & l->mask) {
        uint32_t known = l->types[slot] - 1;
        if (session_same_text(t->name[known], name) && session_same_text(t->module[known], module))
            return known;
    }
    uint32_t type = t->count++;
    l->types[slot] = type + 1;
    t->name[type] = name;
    t->module[type] = module;
    t->module_of[type] = module_number(t, l, type);
    return type;
}

/* The common numbers of one snapshot's types. */
static int number_types(struct common_types *t, struct lookup *l, const struct session *s, uint32_t **of_type)
{
    uint32_t types = snapshot_type_limit(s->snapshot);
    uint32_t *of_class = malloc(((size_t)s->classes.count + 1) * sizeof *of_class);
    *of_type = calloc((size_t)types + 1, sizeof **of_type);
    for (uint32_t c = 0; of_class && c < s->classes.count; c++)
        of_class[c] = type_number(t, l, class_name(s, c), snapshot_string(s->snapshot, s->classes.record[c]->module));
    /* The class of a type that a damaged file lost stands behind the last. */
    uint32_t end = snapshot_complete(s->snapshot) ? types : types + 1;
    for (uint32_t i = 0; of_class && *of_type && i < end; i++)
        (*of_type)[i] = of_class[s->classes.of_type[i]];
    int status = of_class && *of_type ? 0 : -1;
    free(of_class);
    return status;
}

int common_types_find(const struct session *const *sessions, int count, struct common_types *t)
{
    size_t most = 1, capacity = 16;
    memset(t, 0, sizeof *t);
    for (int i = 0; i < count; i++)
        most += sessions[i]->classes.count;
    while (capacity < 2 * most)
        capacity *= 2;
    struct lookup l = {calloc(capacity, sizeof *l.types), calloc(capacity, sizeof *l.modules), capacity - 1};
    t->snapshots = count;
    t->of_type = calloc((size_t)count + 1, sizeof *t->of_type);
    t->name = calloc(most, sizeof *t->name);
    t->module = calloc(most, sizeof *t->module);
    t->module_of = calloc(most, sizeof *t->module_of);
    int status = l.types && l.modules && t->of_type && t->name && t->module && t->module_of ? 0 : -1;
    for (int i = 0; i < count && !status; i++)
        status = number_types(t, &l, sessions[i], &t->of_type[i]);
    free(l.types);
    free(l.modules);
    if (status)
        common_types_release(t);
    return status;
}

void common_types_release(struct common_types *t)
{
    for (int i = 0; t->of_type && i < t->snapshots; i++)
        free(t->of_type[i]);
    free(t->of_type);
    free(t->name);
    free(t->module);
    free(t->module_of);
    memset(t, 0, sizeof *t);
}
