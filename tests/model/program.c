#include "steps.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <refheap/refheap.h>

#include "library.h"
#include "model.h"

/* ---- comparing ---- */

struct pair {
    struct world *library, *model;
    struct outcome *outcome;
};

__attribute__((format(printf, 2, 3))) static int differ(struct pair *p, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(p->outcome->difference, sizeof p->outcome->difference, format, arguments);
    va_end(arguments);
    return -1;
}

static void add_list(char *text, size_t size, const int *ids, int count)
{
    for (int i = 0; i < count && strlen(text) + 24 < size; i++)
        snprintf(text + strlen(text), size - strlen(text), " %d", ids[i]);
}

static int differ_lists(struct pair *p, const char *what, const int *one, int ones, const int *other, int others)
{
    char a[600] = "", b[600] = "";
    if (ones == others && (!ones || !memcmp(one, other, (size_t)ones * sizeof *one)))
        return 0;
    add_list(a, sizeof a, one, ones);
    add_list(b, sizeof b, other, others);
    return differ(p, "%s: library%s, model%s", what, a, b);
}

static void add_events(char *text, size_t size, const struct world *w)
{
    static const char *const names[] = {"finalized", "legacy", "called", "released", "returned"};
    for (int i = 0; i < w->log_count && strlen(text) + 48 < size; i++) {
        const struct event *e = &w->log[i];
        size_t used = strlen(text);
        snprintf(text + used, size - used, e->kind == CALLED_BACK || e->kind == RETURNED ? " %s %d (%ld)" : " %s %d",
                 names[e->kind], e->id, e->value);
    }
}

static int compare_events(struct pair *p)
{
    const struct world *l = p->library, *m = p->model;
    int same = l->log_count == m->log_count;
    for (int i = 0; same && i < l->log_count; i++)
        same = l->log[i].kind == m->log[i].kind && l->log[i].id == m->log[i].id && l->log[i].value == m->log[i].value;
    if (same)
        return 0;
    char a[1800] = "", b[1800] = "";
    add_events(a, sizeof a, l);
    add_events(b, sizeof b, m);
    return differ(p, "user code:\n  library%s\n  model  %s", a, b);
}

static int compare_object(struct pair *p, int id)
{
    struct sight l, m;
    char what[60];
    p->library->ops->look(p->library, id, &l);
    p->model->ops->look(p->model, id, &m);
#define SAME(field)         \
    if (l.field != m.field) \
    return differ(p, "object %d: " #field ": library %ld, model %ld", id, (long)l.field, (long)m.field)
    SAME(refcount);
    SAME(immortal);
    SAME(generation);
    SAME(tracked);
    SAME(finalized);
    SAME(weak);
#undef SAME
    snprintf(what, sizeof what, "object %d: what it holds", id);
    return differ_lists(p, what, l.refs, l.ref_count, m.refs, m.ref_count);
}

static int by_id(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* The model takes over the order of the library; what it decides shows in the order of finalizers. */
static int compare_generation(struct pair *p, int heap, int g, const struct heap_sight *l, const struct heap_sight *m)
{
    char what[60];
    int *order = malloc(((size_t)l->list_counts[g] + 1) * sizeof *order);
    if (!order)
        abort();
    if (l->list_counts[g]) {
        memcpy(order, l->lists[g], (size_t)l->list_counts[g] * sizeof *order);
        qsort(l->lists[g], (size_t)l->list_counts[g], sizeof *order, by_id);
    }
    if (m->list_counts[g])
        qsort(m->lists[g], (size_t)m->list_counts[g], sizeof *order, by_id);
    snprintf(what, sizeof what, g < RH_UNTRACKED ? "heap %d: generation %d" : "heap %d: untracked", heap, g);
    int status = differ_lists(p, what, l->lists[g], l->list_counts[g], m->lists[g], m->list_counts[g]);
    if (!status && g < RH_UNTRACKED)
        model_reorder(p->model, heap, g, order, l->list_counts[g]);
    free(order);
    return status;
}

static int compare_sights(struct pair *p, int heap, const struct heap_sight *l, const struct heap_sight *m)
{
#define SAME(field)                                                                                \
    if (l->field != m->field)                                                                      \
    return differ(p, "heap %d: " #field ": library %lu, model %lu", heap, (unsigned long)l->field, \
                  (unsigned long)m->field)
    for (int g = 0; g < 5; g++)
        if (compare_generation(p, heap, g, l, m))
            return -1;
    for (int g = 0; g < 3; g++) {
        SAME(threshold[g]);
        SAME(count[g]);
        SAME(stats[g][0]);
        SAME(stats[g][1]);
        SAME(stats[g][2]);
    }
    SAME(freeze_count);
    SAME(enabled);
    SAME(debug);
    SAME(has_garbage);
#undef SAME
    return 0;
}

static int compare_heap(struct pair *p, int heap)
{
    struct heap_sight l, m;
    p->library->ops->look_heap(p->library, heap, &l);
    p->model->ops->look_heap(p->model, heap, &m);
    int status = compare_sights(p, heap, &l, &m);
    for (int g = 0; g < 5; g++) {
        free(l.lists[g]);
        free(m.lists[g]);
    }
    if (status)
        return status;
    int ones = p->library->ops->garbage_count(p->library, heap), others = p->model->ops->garbage_count(p->model, heap);
    if (ones != others)
        return differ(p, "heap %d: garbage: library %d, model %d", heap, ones, others);
    for (int i = 0; i < ones; i++)
        if (p->library->ops->garbage_get(p->library, heap, i) != p->model->ops->garbage_get(p->model, heap, i))
            return differ(p, "heap %d: item %d of the garbage", heap, i);
    return 0;
}

/* First what ran, then who is alive, then what they are like. */
static int compare(struct pair *p)
{
    struct world *l = p->library, *m = p->model;
    if (compare_events(p))
        return -1;
    if (l->next_id != m->next_id)
        return differ(p, "objects made: library %d, model %d", l->next_id, m->next_id);
    if (differ_lists(p, "slots", l->slots, SLOTS, m->slots, SLOTS))
        return -1;
    for (int h = 0; h < l->heap_count; h++)
        if (compare_heap(p, h))
            return -1;
    for (int id = 0; id < m->next_id; id++)
        if (m->ops->is_alive(m, id) && compare_object(p, id))
            return -1;
    l->log_count = m->log_count = l->acted = m->acted = 0;
    return 0;
}

/* ---- running ---- */

static int both(struct pair *p, const struct step *s)
{
    program_do_step(p->library, s);
    program_do_step(p->model, s);
    return compare(p);
}

/* References of one heap's object to another's, which are not allowed when a heap is destroyed. */
static void sever(struct world *w, int id)
{
    enum kind kind = w->kinds[id];
    if (has_weak_field(kind))
        w->ops->weak_set(w, id, NOBODY);
    for (int i = w->ops->ref_count(w, id); i-- > 0;) {
        if (i >= w->ops->ref_count(w, id))
            continue;
        int target = w->ops->get(w, id, i);
        if (target < 0 || w->heap_of[target] == w->heap_of[id])
            continue;
        if (kind == TUPLE)
            w->ops->put(w, id, i, NOBODY);
        else if (kind == DICT)
            w->ops->clear(w, id);
        else
            program_cut(w, id, i);
    }
}

static int sever_all(struct pair *p)
{
    for (int id = HEAPS; id < p->model->next_id; id++) {
        if (!p->model->ops->is_alive(p->model, id))
            continue;
        for (int name = 0; name < 4; name++) /* more than it was pinned */
            for (int i = 0; i < 8 && p->model->ops->is_alive(p->model, id); i++) {
                p->library->ops->pin(p->library, id, name, 0);
                p->model->ops->pin(p->model, id, name, 0);
            }
        if (!p->model->ops->is_alive(p->model, id))
            continue;
        p->library->ops->incref(p->library, id);
        p->model->ops->incref(p->model, id);
        sever(p->library, id);
        sever(p->model, id);
        p->library->ops->decref(p->library, id);
        p->model->ops->decref(p->model, id);
        if (compare(p))
            return -1;
    }
    return 0;
}

static int end(struct pair *p)
{
    p->library->quiet = p->model->quiet = 1;
    if (both(p, &(struct step){.what = DROP_ALL, .a = SLOTS}))
        return -1;
    for (int h = 0; h < p->model->heap_count; h++) {
        uint8_t heap = (uint8_t)h;
        if (both(p, &(struct step){.what = SAVEALL, .a = heap}) ||
            both(p, &(struct step){.what = FREE_GARBAGE, .a = heap}))
            return -1;
    }
    if (sever_all(p))
        return -1;
    for (int h = 0; h < p->model->heap_count; h++)
        if (both(p, &(struct step){.what = COLLECT_NOW, .a = (uint8_t)h, .b = RH_OLD}))
            return -1;
    for (int h = 0; h < p->model->heap_count; h++) {
        size_t one = p->library->ops->destroy(p->library, h), other = p->model->ops->destroy(p->model, h);
        if (one != other)
            return differ(p, "heap %d: leaked: library %zu, model %zu", h, one, other);
    }
    return 0;
}

int program_run(const struct program *program, struct outcome *outcome)
{
    struct pair p = {library_open(program->heap_count, program_act), model_open(program->heap_count, program_act),
                     outcome};
    int status = compare(&p);
    for (outcome->step = 0; !status && outcome->step < program->count; outcome->step++)
        status = both(&p, &program->steps[outcome->step]);
    if (status) {
        outcome->step--;
    } else {
        outcome->step = -1;
        status = end(&p);
    }
    library_close(p.library);
    model_close(p.model);
    return status;
}
