#include "parts.h"

#include <stdlib.h>
#include <string.h>

#include "../../dumpfmt/error.h"
#include "../graph/array.h"

static int out_of_memory(struct database *db)
{
    return error_set(&db->part_error, RH_ERR_NO_MEMORY, "not enough memory for the analysis",
                     "use a machine with more memory");
}

static int make_graph(struct database *db)
{
    return session_graph(db->s, &db->part_error);
}

static int make_referrers(struct database *db)
{
    return session_back(db->s, &db->part_error);
}

static int make_values(struct database *db)
{
    return session_values(db->s, &db->part_error);
}

static int make_garbage(struct database *db)
{
    int status = session_garbage(db->s, 2, &db->part_error);
    return status ? status : session_garbage(db->s, db->generation, &db->part_error);
}

static int make_cycles(struct database *db)
{
    return session_cycles(db->s, &db->part_error);
}

static int make_dominators(struct database *db)
{
    return session_dominators(db->s, &db->part_error);
}

static int make_owned(struct database *db)
{
    const struct graph *g = &db->s->graph;
    array_free(db->owned); /* of an attempt that failed */
    db->owned = array_new((size_t)g->objects + 1, sizeof *db->owned);
    return !db->owned || sums_owned(g, db->owned) ? out_of_memory(db) : 0;
}

/* The graph does not keep serials: they are read from the file's rows. */
static int make_serials(struct database *db)
{
    const struct graph *g = &db->s->graph;
    array_free(db->serials);
    db->serials = array_new((size_t)g->objects + 1, sizeof *db->serials);
    if (!db->serials)
        return out_of_memory(db);
    for (size_t b = 0; b < snapshot_block_count(db->s->snapshot, SECTION_OBJECTS); b++) {
        struct objects_view view;
        snapshot_objects(db->s->snapshot, b, &view);
        const uint64_t *address = (const uint64_t *)view.column[OBJECT_ADDRESS].data;
        for (uint32_t i = 0; view.column[OBJECT_SERIAL].width && i < view.count; i++)
            db->serials[address_index_find(&g->index, address[i])] = column_get(&view.column[OBJECT_SERIAL], i);
    }
    return 0;
}

static int make_back_edges(struct database *db)
{
    const struct graph *g = &db->s->graph;
    array_free(db->back_edges);
    db->back_edges = array_new(graph_back_begin(g, g->objects) + 1, sizeof *db->back_edges);
    return !db->back_edges || graph_back_edges(g, db->back_edges) ? out_of_memory(db) : 0;
}

static int make_class_sums(struct database *db)
{
    const struct session *s = db->s;
    uint32_t *class_of = array_new((size_t)s->graph.objects + 1, sizeof *class_of);
    int status = -1;
    array_free(db->sums);
    db->sums = array_new((size_t)s->classes.count + 1, sizeof *db->sums);
    if (class_of && db->sums) {
        for (ordinal o = 0; o < s->graph.objects; o++)
            class_of[o] = s->classes.of_type[graph_type(&s->graph, o)];
        status = sums_by_class(&s->graph, &s->dominators, class_of, s->classes.count, db->sums);
    }
    array_free(class_of);
    return status ? out_of_memory(db) : 0;
}

static int make_generations(struct database *db)
{
    db->generations = generations_count(db->s, &db->part_error);
    return db->generations ? 0 : db->part_error.code;
}

static int compare_roots(const void *pa, const void *pb, void *roots)
{
    const struct root_row *a = (struct root_row *)roots + *(const uint64_t *)pa;
    const struct root_row *b = (struct root_row *)roots + *(const uint64_t *)pb;
    if (a->target != b->target)
        return a->target < b->target ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

static int make_roots(struct database *db)
{
    uint64_t n = snapshot_count(db->s->snapshot, SECTION_ROOTS);
    struct record_cursor cursor = {0, 0};
    array_free(db->roots);
    array_free(db->roots_by_target);
    db->root_count = 0;
    db->roots = array_new(n + 1, sizeof *db->roots);
    db->roots_by_target = array_new(n + 1, sizeof *db->roots_by_target);
    if (!db->roots || !db->roots_by_target)
        return out_of_memory(db);
    for (const struct root_record *r; (r = snapshot_next_record(db->s->snapshot, SECTION_ROOTS, &cursor));) {
        ordinal target = address_index_find(&db->s->graph.index, r->object);
        db->roots[db->root_count] = (struct root_row){r, target, db->root_count};
        db->roots_by_target[db->root_count] = db->root_count;
        db->root_count++;
    }
    qsort_r(db->roots_by_target, db->root_count, sizeof *db->roots_by_target, compare_roots, db->roots);
    return 0;
}

/* In an order in which each stands behind what it is made of. */
static const struct maker {
    const char *name;
    unsigned needs;
    int (*make)(struct database *db);
} makers[PARTS] = {
    {"graph", 0, make_graph},
    {"referrers", PART_GRAPH, make_referrers},
    {"values", PART_GRAPH, make_values},
    {"garbage", PART_GRAPH, make_garbage},
    {"cycles", PART_GARBAGE, make_cycles},
    {"dominators", PART_CYCLES, make_dominators},
    {"owned sizes", PART_GRAPH, make_owned},
    {"serials", PART_GRAPH, make_serials},
    {"back edges", PART_REFERRERS, make_back_edges},
    {"sums by type", PART_DOMINATORS, make_class_sums},
    {"generations", PART_GARBAGE, make_generations},
    {"roots", PART_GRAPH, make_roots},
};

int database_need(struct database *db, unsigned parts)
{
    if (!(parts & ~db->ready))
        return 0;
    for (int p = PARTS; p-- > 0;)
        if (parts >> p & 1)
            parts |= makers[p].needs;
    for (int p = 0; p < PARTS; p++) {
        if (!((parts & ~db->ready) >> p & 1))
            continue;
        int status = makers[p].make(db);
        session_progress_end(db->s);
        if (status)
            return status;
        db->ready |= 1u << p;
    }
    return 0;
}

void database_computed(const struct database *db, char *to, size_t size)
{
    size_t used = 0;
    *to = 0;
    for (int p = 0; p < PARTS && used < size; p++)
        if (db->ready >> p & 1)
            used += (size_t)snprintf(to + used, size - used, "%s%s", used ? ", " : "", makers[p].name);
}

void database_release_parts(struct database *db)
{
    array_free(db->owned);
    array_free(db->serials);
    array_free(db->back_edges);
    array_free(db->sums);
    free(db->generations);
    array_free(db->roots);
    array_free(db->roots_by_target);
}
