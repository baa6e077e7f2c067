/* Four threads, each with a heap of its own, simplify formulas; the main thread looks on and is stopped while they work
 * anywhere. */
#include <pthread.h>

#include "clean.h"

struct formula {
    RH_OBJECT_HEAD;
    struct formula *left, *right;
    long number;
    char op; /* 0: a number */
};

static const struct rh_field fields[] = {RH_STRONG(struct formula, left), RH_STRONG(struct formula, right),
                                         RH_VALUE_INT(struct formula, number)};
static const struct rh_type_spec spec = RH_TYPE_SPEC("formula", struct formula, fields);

struct worker {
    pthread_t thread;
    struct rh_heap *heap;
    struct rh_type *type;
    struct formula *best; /* a declared root */
    unsigned random;
    long done, sum;
    size_t leaked;
};
static int stop;

static struct formula *make_formula(struct worker *w, int depth)
{
    struct formula *f = need(rh_object_new(w->type));
    if (depth == 0 || next_random(&w->random) % 8 == 0) {
        f->number = next_random(&w->random) % 100;
        return f;
    }
    f->op = "+-*"[next_random(&w->random) % 3];
    f->left = make_formula(w, depth - 1);
    f->right = make_formula(w, depth - 1);
    return f;
}

/* A formula of the same value; takes over the reference. */
static struct formula *simplify(struct worker *w, struct formula *f)
{
    if (!f->op)
        return f;
    f->left = simplify(w, f->left);
    f->right = simplify(w, f->right);
    if (f->left->op || f->right->op)
        return f;
    long a = f->left->number, b = f->right->number;
    struct formula *value = need(rh_object_new(w->type));
    value->number = (f->op == '+' ? a + b : f->op == '-' ? a - b : a * b) % 1000;
    rh_decref(f);
    return value;
}

static void *work(void *context)
{
    struct worker *w = context;
    rh_heap_adopt(w->heap);
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED) || w->done < 50) {
        struct formula *f = simplify(w, make_formula(w, 6));
        w->sum += f->number;
        if (!w->best || f->number > w->best->number)
            rh_assign(&w->best, f);
        rh_decref(f);
        w->done++;
    }
    rh_root_remove(w->heap, &w->best);
    rh_assign(&w->best, NULL);
    w->leaked = rh_heap_destroy(w->heap);
    return NULL;
}

int main(int argc, char **argv)
{
    static struct worker workers[4];
    size_t leaked = 0;
    clean_begin(argc, argv);
    for (unsigned i = 0; i < 4; i++) {
        struct worker *w = &workers[i];
        w->random = i;
        w->heap = clean_heap("formulas");
        w->type = clean_type(w->heap, &spec);
        rh_root_add(w->heap, "best", &w->best);
        pthread_create(&w->thread, NULL, work, w);
    }
    for (int i = 0; i < 60; i++) {
        usleep(500);
        clean_point();
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < 4; i++) {
        pthread_join(workers[i].thread, NULL);
        leaked += workers[i].leaked;
    }
    printf("points %ld, leaked %zu\n", clean_points, leaked);
    return leaked != 0;
}
