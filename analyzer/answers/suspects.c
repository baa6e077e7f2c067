#include "suspects.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "advice.h"
#include "../graph/forest.h"
#include "keepers.h"
#include "../render/text.h"
#include "shape.h"

/* What is a lot: shares of the heap as divisors, and how many or how large a group must be to be worth a word. */
enum {
    SHARE_KEPT = 10,
    SHARE_CYCLES = 100,
    MANY_OBJECTS = 100,
    LARGE_BYTES = 1 << 20,
    GROWN_OBJECTS = 10,
    WALK_MAX = 64,   /* steps down from one keeper to the next */
    PATH_LABELS = 4, /* of a path that is told in words */
    SHAPES_MAX = 5,
};

struct search {
    const struct session *s;
    const struct baseline *baseline;
    int generation;       /* of the collection that would find the garbage */
    struct forest forest; /* of dominators */
    struct suspects *found;
};

/* ---- sentences ---- */

/* A new suspect; a spare one without memory, so that callers need not care until the end. */
static struct suspect *add(struct search *x, const char *kind, uint64_t objects, uint64_t bytes)
{
    static struct suspect spare;
    struct suspects *r = x->found;
    if (r->count == r->capacity) {
        size_t capacity = r->capacity ? 2 * r->capacity : 8;
        struct suspect *more = realloc(r->items, capacity * sizeof *more);
        if (!more) {
            r->no_memory = 1;
            spare = (struct suspect){.kind = kind};
            return &spare;
        }
        r->items = more;
        r->capacity = capacity;
    }
    r->items[r->count] = (struct suspect){.kind = kind,
                                          .objects = objects,
                                          .bytes = bytes,
                                          .klass = UINT32_MAX,
                                          .keeper = ORDINAL_NONE,
                                          .cycle = ORDINAL_NONE};
    return &r->items[r->count++];
}

static void say(struct suspect *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct suspect *p, const char *format, ...)
{
    size_t used = strlen(p->sentence);
    va_list args;
    va_start(args, format);
    vsnprintf(p->sentence + used, sizeof p->sentence - used, format, args);
    va_end(args);
}

/* "1,000 dict objects, 402 KiB, 98 % of the heap," */
static void say_amount(const struct search *x, struct suspect *p, uint64_t objects, const char *type, uint64_t bytes)
{
    char n[3][TEXT_NUMBER_SIZE];
    say(p, "%s %s object%s, %s, %s of the heap,", text_count(objects, n[0]), type, objects == 1 ? "" : "s",
        text_size(bytes, n[1]), text_share(text_share_of(bytes, x->s->graph.bytes), n[2]));
}

/* A word as a shell takes it. */
static void quote(const char *word, char to[EVIDENCE_SIZE])
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+,=";
    size_t used = 0;
    if (*word && word[strspn(word, plain)] == 0) {
        snprintf(to, EVIDENCE_SIZE, "%s", word);
        return;
    }
    to[used++] = '\'';
    for (; *word && used + 6 < EVIDENCE_SIZE; word++) {
        if (*word == '\'') {
            memcpy(to + used, "'\\''", 4);
            used += 4;
        } else {
            to[used++] = *word;
        }
    }
    to[used++] = '\'';
    to[used] = 0;
}

/* A command that shows what a sentence rests on. */
static void prove(const struct search *x, struct suspect *p, const char *command, const char *prefix,
                  const char *argument)
{
    char path[EVIDENCE_SIZE], word[EVIDENCE_SIZE], whole[EVIDENCE_SIZE];
    if (p->evidence_count == EVIDENCE_MAX)
        return;
    quote(x->s->path, path);
    snprintf(whole, sizeof whole, "%s%.300s", prefix, argument);
    quote(whole, word);
    char *to = p->evidence[p->evidence_count++];
    snprintf(to, EVIDENCE_SIZE, "refheap %s %.600s%s%.380s", command, path, *whole ? " " : "", *whole ? word : "");
}

static void prove_object(const struct search *x, struct suspect *p, const char *command, ordinal o)
{
    char address[24];
    snprintf(address, sizeof address, "0x%" PRIx64, graph_address(&x->s->graph, o));
    prove(x, p, command, "", address);
}

/* The name of a class as a set's pattern takes it, whole where it is plain text. */
static void prove_type(const struct search *x, struct suspect *p, const char *command, const char *prefix,
                       uint32_t klass)
{
    struct text name = class_name(x->s, klass);
    char whole[320];
    snprintf(whole, sizeof whole, "%.*s", (int)(name.length < 300 ? name.length : 300), name.bytes);
    prove(x, p, command, prefix, whole);
}

/* Where an object is: "the list in root active", `the dict at root app.sessions`, "the dict at 0x..., 7 references from
 * root app". Returns -1 without memory. */
static int say_place(const struct search *x, struct suspect *p, ordinal o)
{
    const struct session *s = x->s;
    struct path path;
    char name[NAME_SIZE], label[NAME_SIZE];
    if (path_from_root(&s->graph, &s->roots, o, &path))
        return -1;
    say(p, "the %s", name_full(s, o, name));
    if (!path.root) {
        say(p, " at 0x%" PRIx64, graph_address(&s->graph, o));
        if (path.length == 1)
            say(p,
                graph_is_immortal(&s->graph, o) ? ", which is immortal" : ", which something outside the heap holds");
        else if (path.length)
            say(p, ", %zu references from what something outside the heap holds", path.length - 1);
    } else if (path.length == 1) {
        say(p, " in %s%s", name_root(s, path.root, name), path.root->flags & ROOT_EXACT ? "" : " (possibly)");
    } else if (path.length <= PATH_LABELS + 1) {
        say(p, " at %s", name_root(s, path.root, name));
        for (size_t i = 1; i < path.length; i++) {
            struct edge edge;
            graph_edge(&s->graph, path.step[i - 1], path.edge[i], &edge);
            name_edge(s, &edge, label);
            say(p, "%s", *label && strcmp(label, "key") ? label : " -> ");
        }
    } else {
        say(p, " at 0x%" PRIx64 ", %zu references from %s", graph_address(&s->graph, o), path.length - 1,
            name_root(s, path.root, name));
    }
    path_release(&path);
    return 0;
}

/* ---- groups ---- */

/* Objects of one class that something is said of. */
struct group {
    uint64_t objects, bytes;
    uint64_t old, fresh; /* in generation 2; not there in the snapshot before */
    uint64_t old_and_fresh;
};

static void count_in(const struct search *x, struct group *g, ordinal o, uint64_t bytes)
{
    int old = graph_generation(&x->s->graph, o) == 2;
    int fresh = x->baseline && x->baseline->identity != IDENTITY_NONE && !x->baseline->was_there[o];
    g->objects++;
    g->bytes += bytes;
    g->old += (uint64_t)old;
    g->fresh += (uint64_t)fresh;
    g->old_and_fresh += (uint64_t)(old && fresh);
}

/* "; 3,977 of them are in generation 2 and were not there in the snapshot before" */
static void say_age(const struct search *x, struct suspect *p, const struct group *g)
{
    const char *inferred =
        x->baseline && x->baseline->identity == IDENTITY_INFERRED ? " (inferred from addresses and types)" : "";
    char n[TEXT_NUMBER_SIZE];
    if (g->old_and_fresh)
        say(p, "; %s of them %s in generation 2 and %s not there in the snapshot before%s",
            text_count(g->old_and_fresh, n), g->old_and_fresh == 1 ? "is" : "are",
            g->old_and_fresh == 1 ? "was" : "were", inferred);
    else if (g->fresh)
        say(p, "; %s of them %s not there in the snapshot before%s", text_count(g->fresh, n),
            g->fresh == 1 ? "was" : "were", inferred);
    else if (g->old)
        say(p, "; %s of them %s in generation 2", text_count(g->old, n), g->old == 1 ? "is" : "are");
}

static int is_much(const struct search *x, uint64_t objects, uint64_t bytes)
{
    return bytes && bytes >= x->s->graph.bytes / SHARE_KEPT && (objects >= MANY_OBJECTS || bytes >= LARGE_BYTES);
}

static uint32_t class_of(const struct search *x, ordinal o)
{
    return x->s->classes.of_type[graph_type(&x->s->graph, o)];
}

/* ---- keepers ---- */

/* The child of a keeper that keeps most, ORDINAL_NONE when it has none. */
static ordinal largest_child(const struct search *x, ordinal v)
{
    const uint64_t *retained = x->s->dominators.retained;
    ordinal best = ORDINAL_NONE;
    for (ordinal i = x->forest.start[v]; i < x->forest.start[v + 1]; i++) {
        ordinal child = x->forest.child[i];
        if (best == ORDINAL_NONE || retained[child] > retained[best])
            best = child;
    }
    return best;
}

/* Walks down from a keeper as long as one child keeps nearly all of it: to where the heap gathers. A class met again on
 * the way is a chain; the walk ends at its first link, and *chain is set. */
static ordinal walk_down(const struct search *x, ordinal from, int *chain)
{
    const uint64_t *retained = x->s->dominators.retained;
    ordinal way[WALK_MAX], at = from;
    size_t steps = 0;
    *chain = 0;
    while (steps < WALK_MAX) {
        ordinal next = largest_child(x, at);
        way[steps++] = at;
        if (next == ORDINAL_NONE || retained[next] < retained[from] - retained[from] / 5)
            return at;
        for (size_t i = 0; i < steps; i++)
            if (class_of(x, way[i]) == class_of(x, next)) {
                *chain = 1;
                return way[i];
            }
        at = next;
    }
    return at;
}

/* All objects of one class in the tree below `top`, and `top` itself. */
static int count_below(const struct search *x, ordinal top, uint32_t klass, struct group *g)
{
    const struct graph *graph = &x->s->graph;
    ordinal *stack = malloc(((size_t)x->s->dominators.vertices + 1) * sizeof *stack);
    size_t used = 0;
    if (!stack)
        return -1;
    stack[used++] = top;
    while (used) {
        ordinal v = stack[--used];
        if (v < graph->objects && class_of(x, v) == klass)
            count_in(x, g, v, graph_size(graph, v));
        for (ordinal i = x->forest.start[v]; i < x->forest.start[v + 1]; i++)
            stack[used++] = x->forest.child[i];
    }
    free(stack);
    return 0;
}

/* The class whose objects among the children of `v` keep most together; UINT32_MAX when there are no objects. `sums` is
 * zero by class, and is again after. */
static uint32_t heaviest_class(const struct search *x, ordinal v, uint64_t *sums)
{
    const struct session *s = x->s;
    uint32_t best = UINT32_MAX;
    for (int pass = 0; pass < 2; pass++)
        for (ordinal i = x->forest.start[v]; i < x->forest.start[v + 1]; i++) {
            ordinal child = x->forest.child[i];
            if (child >= s->graph.objects)
                continue;
            uint32_t klass = class_of(x, child);
            if (pass) {
                sums[klass] = 0;
                continue;
            }
            sums[klass] += s->dominators.retained[child];
            if (best == UINT32_MAX || sums[klass] > sums[best])
                best = klass;
        }
    return best;
}

static int report_keeper(struct search *x, ordinal top, uint64_t *sums)
{
    const struct session *s = x->s;
    char type[NAME_SIZE], n[2][TEXT_NUMBER_SIZE];
    struct group g = {0};
    int chain;
    ordinal at = walk_down(x, top, &chain);
    if (graph_size(&s->graph, at) >= LARGE_BYTES && graph_size(&s->graph, at) >= s->dominators.retained[at] / 2 &&
        graph_size(&s->graph, at) >= s->graph.bytes / SHARE_KEPT) {
        struct suspect *p = add(x, "large", 1, graph_size(&s->graph, at));
        p->keeper = at;
        say(p, "One object, ");
        int status = say_place(x, p, at);
        say(p, ", is itself %s, %s of the heap", text_size(graph_size(&s->graph, at), n[0]),
            text_share(text_share_of(graph_size(&s->graph, at), s->graph.bytes), n[1]));
        prove_object(x, p, "object", at);
        prove_object(x, p, "why", at);
        return status;
    }
    uint32_t klass = chain ? class_of(x, at) : heaviest_class(x, at, sums);
    if (klass == UINT32_MAX)
        return 0;
    if (chain && count_below(x, at, klass, &g))
        return -1;
    for (ordinal i = x->forest.start[at]; !chain && i < x->forest.start[at + 1]; i++) {
        ordinal child = x->forest.child[i];
        if (child < s->graph.objects && class_of(x, child) == klass)
            count_in(x, &g, child, s->dominators.retained[child]);
    }
    if (chain)
        g.bytes = s->dominators.retained[at];
    if (!is_much(x, g.objects, g.bytes))
        return 0;
    struct suspect *p = add(x, chain ? "chain" : "keeper", g.objects, g.bytes);
    p->klass = klass;
    p->keeper = at;
    say_amount(x, p, g.objects, name_class(s, klass, type), g.bytes);
    say(p, chain ? " hang one behind another from " : g.objects == 1 ? " is kept by " : " are kept by ");
    int status = say_place(x, p, at);
    say_age(x, p, &g);
    prove_object(x, p, "dominators", at);
    prove_object(x, p, "why", at);
    prove_type(x, p, "why", "type:", klass);
    return status;
}

/* Objects of one class that stand directly below the super-root, none of which is a keeper by itself. */
static void report_scattered(struct search *x, uint32_t klass, const struct group *g, uint64_t unexplained,
                             uint64_t rooted)
{
    char type[NAME_SIZE];
    struct suspect *p = add(x, "scattered", g->objects, g->bytes);
    p->klass = klass;
    say_amount(x, p, g->objects, name_class(x->s, klass, type), g->bytes);
    if (unexplained > g->objects / 2)
        say(p, " are held by references that neither an object nor a root explains");
    else if (rooted > g->objects / 2)
        say(p, " are held by roots, each by one of its own");
    else
        say(p, " are held from several places at once: no single object keeps them");
    say_age(x, p, g);
    prove_type(x, p, "why", "type:", klass);
    prove_type(x, p, "retained", "--type=", klass);
}

struct scattered {
    struct group group;
    uint64_t unexplained, rooted;
};

static int report_keepers(struct search *x)
{
    const struct session *s = x->s;
    const struct dominators *d = &s->dominators;
    ordinal root = dominators_root(d);
    uint64_t *sums = calloc((size_t)s->classes.count + 1, sizeof *sums);
    struct scattered *scattered = calloc((size_t)s->classes.count + 1, sizeof *scattered);
    int status = sums && scattered ? 0 : -1;
    for (ordinal i = x->forest.start[root]; !status && i < x->forest.start[root + 1]; i++) {
        ordinal v = x->forest.child[i];
        if (v >= s->graph.objects || s->garbage[2].fate[v] != FATE_LIVE)
            continue;
        /* A frozen object stands there whoever holds it: nothing follows from it. */
        if (graph_generation(&s->graph, v) == GENERATION_PERMANENT && graph_external(&s->graph, v) <= 0)
            continue;
        if (d->retained[v] >= s->graph.bytes / SHARE_KEPT && d->retained[v]) {
            status = report_keeper(x, v, sums);
            continue;
        }
        struct scattered *c = &scattered[class_of(x, v)];
        count_in(x, &c->group, v, d->retained[v]);
        int64_t external = graph_external(&s->graph, v);
        uint64_t explained = roots_explained(&s->roots, v);
        c->unexplained += (uint64_t)(external > (int64_t)explained);
        c->rooted += (uint64_t)(external > 0 && external <= (int64_t)explained);
    }
    for (uint32_t c = 0; !status && c < s->classes.count; c++)
        if (is_much(x, scattered[c].group.objects, scattered[c].group.bytes))
            report_scattered(x, c, &scattered[c].group, scattered[c].unexplained, scattered[c].rooted);
    free(sums);
    free(scattered);
    return status;
}

/* ---- cycles ---- */

/* The command that shows them. */
static const char *cycles_of(const struct search *x)
{
    static const char *const commands[] = {"cycles --generation 0", "cycles --generation 1", "cycles"};
    return commands[x->generation];
}

static int report_shape(struct search *x, const struct shape_sum *sum)
{
    const struct session *s = x->s;
    const struct cycle *c = &s->cycles.items[sum->first];
    char name[NAME_SIZE], n[4][TEXT_NUMBER_SIZE], argument[32];
    struct advice advice;
    if (advice_for_cycle(s, sum->first, &advice))
        return -1;
    struct suspect *p = add(x, "cycles", sum->objects, sum->retained);
    p->cycle = sum->first;
    const char *them = sum->cycles == 1 ? "it" : "them";
    say(p, "%s of %s (%s) keep%s %s, %s of the heap",
        sum->cycles == 1 ? "One garbage cycle" : text_plural(sum->cycles, "garbage cycle", n[0]),
        name_cycle(s, sum->first, name), text_plural(sum->objects, "object", n[1]), sum->cycles == 1 ? "s" : "",
        text_size(sum->retained, n[2]), text_share(text_share_of(sum->retained, s->graph.bytes), n[3]));
    if (c->invisible || c->uncollectable)
        say(p, ", and %s %s", c->invisible ? "the collector cannot see" : "a collection would not free", them);
    else if (x->generation < 2)
        say(p, ", until a collection of generation %d runs", x->generation);
    else
        say(p, ", until a collection runs");
    say(p, "; to break %s: %s", them, advice.text);
    advice_release(&advice);
    prove(x, p, cycles_of(x), "", "");
    snprintf(argument, sizeof argument, "cycle:%" PRI_ORDINAL, sum->first + 1);
    prove(x, p, "dominators", "", argument);
    return 0;
}

static int report_cycles(struct search *x)
{
    size_t shapes;
    struct shape_sum *sums = shapes_sum_by(x->s, x->generation, x->s->graph.bytes / SHARE_CYCLES, &shapes);
    int status = sums ? 0 : -1;
    for (size_t i = 0; !status && i < shapes && i < SHAPES_MAX; i++)
        status = report_shape(x, &sums[i]);
    free(sums);
    return status;
}

/* ---- garbage that stays ---- */

static void report_uncollectable(struct search *x)
{
    const struct session *s = x->s;
    struct tally t = {0, 0};
    char type[NAME_SIZE] = "", n[2][TEXT_NUMBER_SIZE];
    for (ordinal o = 0; o < s->graph.objects; o++) {
        if (!s->uncollectable[o] || s->garbage[x->generation].fate[o] != FATE_GARBAGE)
            continue;
        const struct type_record *record = snapshot_type(s->snapshot, graph_type(&s->graph, o));
        if (!*type && record && record->flags & TYPE_LEGACY_FINALIZER)
            name_type(s, o, type);
        t.objects++;
        t.bytes += graph_size(&s->graph, o);
    }
    if (!t.objects)
        return;
    struct suspect *p = add(x, "uncollectable", t.objects, t.bytes);
    say(p, "%s, %s, %s garbage that a collection cannot free: the legacy finalizer of %s is in the way",
        text_plural(t.objects, "object", n[0]), text_size(t.bytes, n[1]), t.objects == 1 ? "is" : "are", type);
    prove(x, p, "generations", "", "");
    prove(x, p, cycles_of(x), "", "");
}

static void report_invisible(struct search *x)
{
    const struct session *s = x->s;
    const struct tally *t = &s->garbage[2].invisible;
    char n[3][TEXT_NUMBER_SIZE];
    uint64_t cycles = 0;
    if (!t->objects || x->generation < 2) /* told for the oldest alone */
        return;
    for (ordinal c = 0; c < s->cycles.count; c++)
        cycles += s->cycles.items[c].invisible;
    struct suspect *p = add(x, "invisible", t->objects, t->bytes);
    say(p, "%s, %s, %s unreachable, and the collector cannot see %s", text_plural(t->objects, "object", n[0]),
        text_size(t->bytes, n[1]), t->objects == 1 ? "is" : "are", t->objects == 1 ? "it" : "them");
    if (cycles)
        say(p, ": %s and what hangs off %s", text_plural(cycles, "cycle", n[2]), cycles == 1 ? "it" : "them");
    prove(x, p, "cycles", "", "");
}

/* ---- growth ---- */

static int report_growth(struct search *x)
{
    const struct session *s = x->s;
    struct group *groups = calloc((size_t)s->classes.count + 1, sizeof *groups);
    char type[NAME_SIZE], n[5][TEXT_NUMBER_SIZE];
    if (!groups)
        return -1;
    for (ordinal o = 0; o < s->graph.objects; o++)
        count_in(x, &groups[class_of(x, o)], o, graph_size(&s->graph, o));
    for (uint32_t c = 0; c < s->classes.count; c++) {
        const struct tally *before = &x->baseline->before[c];
        const struct group *g = &groups[c];
        if (g->bytes <= before->bytes || g->objects < before->objects + GROWN_OBJECTS ||
            g->bytes - before->bytes < s->graph.bytes / SHARE_KEPT)
            continue;
        uint64_t objects = g->objects - before->objects, bytes = g->bytes - before->bytes;
        struct suspect *p = add(x, "growth", objects, bytes);
        p->klass = c;
        say(p, "%s objects went from %s to %s, by %s, %s of the heap", name_class(s, c, type),
            text_count(before->objects, n[0]), text_count(g->objects, n[1]), text_size(bytes, n[2]),
            text_share(text_share_of(bytes, s->graph.bytes), n[3]));
        say_age(x, p, g);
        prove_type(x, p, "why", "type:", c);
        prove_type(x, p, "retained", "--type=", c);
    }
    free(groups);
    return 0;
}

/* ---- all ---- */

static int compare_suspects(const void *pa, const void *pb)
{
    const struct suspect *a = pa, *b = pb;
    if (a->bytes != b->bytes)
        return a->bytes < b->bytes ? 1 : -1;
    return strcmp(a->sentence, b->sentence);
}

int suspects_find(const struct session *s, const struct baseline *baseline, struct suspects *found)
{
    return suspects_find_by(s, baseline, 2, found);
}

int suspects_find_by(const struct session *s, const struct baseline *baseline, int generation, struct suspects *found)
{
    struct search x = {.s = s, .baseline = baseline, .generation = generation, .found = found};
    int status = forest_build(s->dominators.dominator, s->dominators.vertices, &x.forest);
    if (!status)
        status = report_keepers(&x);
    if (!status)
        status = report_cycles(&x);
    if (!status && baseline)
        status = report_growth(&x);
    if (!status) {
        report_uncollectable(&x);
        report_invisible(&x);
        if (found->count)
            qsort(found->items, found->count, sizeof *found->items, compare_suspects);
    }
    forest_release(&x.forest);
    return found->no_memory ? -1 : status;
}

void suspects_release(struct suspects *suspects)
{
    free(suspects->items);
    *suspects = (struct suspects){0};
}
