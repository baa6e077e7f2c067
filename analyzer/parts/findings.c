#include "findings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../dumpfmt/error.h"
#include "../answers/compare.h"
#include "../answers/fold.h"
#include "../graph/array.h"
#include "../graph/pairing.h"
#include "../session/names.h"
#include "../answers/shape.h"

/* ---- the parts ---- */

static int prepare(struct findings *f, const struct budgets *budgets)
{
    struct session *s = &f->inv->session;
    struct rh_error err;
    if (session_cycles(s, &err) || session_values(s, &err))
        return fail(s->path, &err);
    for (int i = 0; i < f->inv->more_count; i++)
        if (session_graph(&f->inv->more[i], &err))
            return fail(f->inv->more[i].path, &err);
    for (size_t i = 0; i < budgets->count && !f->has_audit; i++)
        if (budgets->items[i].what == BUDGET_OVER || budgets->items[i].what == BUDGET_UNDER) {
            if (audit_find(&s->graph, &s->roots, &s->garbage[2], &f->audit))
                return -1;
            f->has_audit = 1;
        }
    return 0;
}

/* What is needed to say who holds objects, made when there is something to say. */
static int prepare_traces(struct findings *f)
{
    const struct session *s = &f->inv->session;
    size_t n = (size_t)s->graph.objects + 1;
    f->shape = malloc(((size_t)s->cycles.count + 1) * sizeof *f->shape);
    f->signature = calloc(n, sizeof *f->signature);
    f->step = calloc(n, sizeof *f->step);
    if (!f->shape || !f->signature || !f->step || shapes_find(s, f->shape))
        return -1;
    return routes_find(&s->graph, &s->roots, &f->routes);
}

static int is_of(const struct budget *b, const struct session *s, ordinal o)
{
    return (!b->type || glob_matches(b->type, type_name(s, o))) &&
           (b->generation == GENERATION_ANY || graph_generation(&s->graph, o) == (unsigned)b->generation);
}

/* ---- collecting those to blame ---- */

static int keep_room(struct finding *x, const struct session *s)
{
    x->objects = malloc(((size_t)s->graph.objects + 1) * sizeof *x->objects);
    return x->objects ? 0 : -1;
}

/* All dead objects of one fate: the members of cycles first, in the order of the cycles. */
static int blame_dead(struct finding *x, const struct session *s, enum fate fate)
{
    const uint8_t *fates = s->garbage[2].fate;
    if (keep_room(x, s))
        return -1;
    for (ordinal c = 0; c < s->cycles.count; c++) {
        ordinal component = s->cycles.items[c].component;
        for (ordinal m = s->components.member_start[component]; m < s->components.member_start[component + 1]; m++)
            if (fates[s->components.member[m]] == fate)
                x->objects[x->count++] = s->components.member[m];
    }
    for (ordinal o = 0; o < s->graph.objects; o++) {
        ordinal component = s->components.component[o];
        int listed = component != ORDINAL_NONE && s->cycles.of_component[component] != ORDINAL_NONE;
        if (fates[o] == fate && !listed)
            x->objects[x->count++] = o;
    }
    return 0;
}

static int blame_class(struct finding *x, const struct findings *f, enum audit_class klass)
{
    const struct session *s = &f->inv->session;
    if (keep_room(x, s))
        return -1;
    for (ordinal o = 0; o < s->graph.objects; o++)
        if (f->audit.class_of[o] == klass)
            x->objects[x->count++] = o;
    return 0;
}

/* Objects of the budget's type; of growth, those that are new. */
static int blame_type(struct finding *x, const struct session *s, const struct pairing *new)
{
    if (keep_room(x, s))
        return -1;
    for (ordinal o = 0; o < s->graph.objects; o++)
        if (is_of(x->budget, s, o) && (!new || new->partner[1][o] == ORDINAL_NONE))
            x->objects[x->count++] = o;
    return 0;
}

static int compare_serials(const void *pa, const void *pb, void *context)
{
    const uint64_t *serials = context;
    ordinal a = *(const ordinal *)pa, b = *(const ordinal *)pb;
    if (serials[a] != serials[b])
        return serials[a] < serials[b] ? -1 : 1;
    return a < b ? -1 : a > b;
}

/* Of what is new, the oldest first, where that is known: it has stayed longest. */
static int oldest_first(struct finding *x, const struct session *s)
{
    uint64_t *serials = pairing_serials(&s->graph);
    if (!serials)
        return -1;
    qsort_r(x->objects, x->count, sizeof *x->objects, compare_serials, serials);
    array_free(serials);
    return 0;
}

/* Where nothing is new as far as can be told, and yet there is more, all are to blame. */
static int blame_new(struct finding *x, struct findings *f)
{
    const struct session *const sides[] = {&f->inv->more[0], &f->inv->session};
    struct common_types types;
    struct pairing pairing = {0};
    if (common_types_find(sides, 2, &types))
        return -1;
    const struct pairing_side pair[] = {{&sides[0]->graph, types.of_type[0]}, {&sides[1]->graph, types.of_type[1]}};
    int status = pairing_find(pair, &pairing);
    if (!status)
        status = blame_type(x, sides[1], &pairing);
    if (!status && !x->count) {
        free(x->objects);
        status = blame_type(x, sides[1], NULL);
    }
    if (!status)
        status = oldest_first(x, sides[1]);
    pairing_release(&pairing);
    common_types_release(&types);
    return status;
}

static int blame(struct finding *x, struct findings *f)
{
    const struct session *s = &f->inv->session;
    switch (x->budget->what) {
    case BUDGET_GARBAGE:
        return blame_dead(x, s, FATE_GARBAGE);
    case BUDGET_INVISIBLE:
        return blame_dead(x, s, FATE_INVISIBLE);
    case BUDGET_GROWTH:
        return blame_new(x, f);
    case BUDGET_OVER:
        return blame_class(x, f, AUDIT_OVER);
    case BUDGET_UNDER:
        return blame_class(x, f, AUDIT_UNDER);
    default:
        return blame_type(x, s, NULL);
    }
}

/* ---- measuring ---- */

static uint64_t amount(const struct budget *b, const struct session *s)
{
    uint64_t sum = 0;
    for (ordinal o = 0; o < s->graph.objects; o++)
        if (is_of(b, s, o))
            sum += b->unit == UNIT_BYTES ? graph_size(&s->graph, o) : 1;
    return sum;
}

static void measure_growth(struct finding *x, const struct invocation *inv)
{
    x->before = amount(x->budget, &inv->more[0]);
    x->after = amount(x->budget, &inv->session);
    x->actual = (int64_t)(x->after - x->before);
    x->percent = x->before ? 100 * ((double)x->actual / (double)x->before) : x->actual > 0 ? HUGE_VAL : 0;
    x->passed = x->budget->unit == UNIT_PERCENT
                    ? (__int128)x->actual * 100 <= (__int128)x->budget->limit * (__int128)x->before
                    : x->actual <= 0 || (uint64_t)x->actual <= x->budget->limit;
}

static void measure(struct finding *x, const struct findings *f)
{
    const struct session *s = &f->inv->session;
    const struct garbage *dead = &s->garbage[2];
    int bytes = x->budget->unit == UNIT_BYTES;
    uint64_t actual = 0;
    switch (x->budget->what) {
    case BUDGET_GARBAGE:
        actual = bytes ? dead->garbage.bytes + dead->dependent.bytes : dead->garbage.objects;
        break;
    case BUDGET_INVISIBLE:
        actual = bytes ? dead->invisible.bytes : dead->invisible.objects;
        break;
    case BUDGET_GROWTH:
        measure_growth(x, f->inv);
        return;
    case BUDGET_OVER:
        actual = f->audit.count[AUDIT_OVER];
        break;
    case BUDGET_UNDER:
        actual = f->audit.count[AUDIT_UNDER];
        break;
    default:
        actual = amount(x->budget, s);
    }
    x->actual = (int64_t)actual;
    x->passed = actual <= x->budget->limit;
}

int findings_make(struct invocation *inv, const struct budgets *budgets, struct findings *f)
{
    *f = (struct findings){.inv = inv};
    f->items = calloc(budgets->count + 1, sizeof *f->items);
    int status = f->items ? prepare(f, budgets) : -1;
    for (size_t i = 0; i < budgets->count && !status; i++) {
        struct finding *x = &f->items[f->count++];
        x->budget = &budgets->items[i];
        measure(x, f);
        if (x->passed)
            continue;
        if (!f->failed++)
            status = prepare_traces(f);
        if (!status)
            status = blame(x, f);
    }
    return status;
}

void findings_release(struct findings *f)
{
    for (size_t i = 0; i < f->count; i++)
        free(f->items[i].objects);
    free(f->items);
    free(f->shape);
    free(f->signature);
    free(f->step);
    routes_release(&f->routes);
    audit_release(&f->audit);
}

/* ---- signatures ---- */

static uint64_t hash_bytes(const void *bytes, size_t length)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < length; i++)
        h = (h ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3u;
    return h;
}

static uint64_t own_class(const struct session *s, ordinal o)
{
    return s->classes.of_type[graph_type(&s->graph, o)];
}

/* Where a way begins: the root's kind and name. */
static uint64_t sign_start(const struct session *s, ordinal o)
{
    const struct root_entry *roots;
    uint64_t h = 1;
    if (roots_of(&s->roots, o, &roots)) {
        struct text name = snapshot_string(s->snapshot, roots[0].record->name);
        h = fold_mix(roots[0].record->kind + 2, hash_bytes(name.bytes, name.length));
    }
    return fold_mix(h, own_class(s, o)) | 1;
}

/* A step of a way: through what kind of label to what type. */
static uint64_t sign_step(const struct findings *f, ordinal from, ordinal o)
{
    const struct session *s = &f->inv->session;
    char name[NAME_SIZE];
    struct edge edge;
    graph_edge(&s->graph, from, f->routes.edge[o], &edge);
    const char *label = name_edge_group(s, &edge, name);
    return fold_mix(hash_bytes(label, strlen(label)), own_class(s, o)) | 1;
}

/* From the nearest object up the way that has a signature, back down to o. */
static void sign_way(const struct findings *f, ordinal o)
{
    const struct session *s = &f->inv->session;
    ordinal *stack = NULL, top = o;
    size_t depth = 0;
    for (; !f->signature[top] && f->routes.from[top] != top; top = f->routes.from[top])
        depth++;
    if (!f->signature[top])
        f->signature[top] = sign_start(s, top);
    stack = malloc((depth + 1) * sizeof *stack);
    if (!stack)
        return; /* it folds with nothing then */
    ordinal at = o;
    for (size_t i = 0; i < depth; i++, at = f->routes.from[at])
        stack[i] = at;
    while (depth--) {
        at = stack[depth];
        ordinal from = f->routes.from[at];
        f->step[at] = sign_step(f, from, at);
        f->signature[at] =
            f->step[at] == f->step[from] ? f->signature[from] : fold_mix(f->signature[from], f->step[at]) | 1;
    }
    free(stack);
}

uint64_t findings_signature(const struct findings *f, ordinal o)
{
    const struct session *s = &f->inv->session;
    if (f->routes.from[o] != ORDINAL_NONE) {
        if (!f->signature[o])
            sign_way(f, o);
        return f->signature[o];
    }
    ordinal component = s->components.component[o];
    ordinal cycle = component == ORDINAL_NONE ? ORDINAL_NONE : s->cycles.of_component[component];
    return cycle == ORDINAL_NONE ? fold_mix(3, own_class(s, o)) : fold_mix(5, f->shape[cycle]);
}
