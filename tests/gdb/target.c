/* A program to be stopped in awkward places: in malloc, in the collector, in a signal handler. It says what it did at
 * the end, so that a test can see that nothing was hurt.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <refheap/refheap.h>

struct pair {
    RH_OBJECT_HEAD;
    struct pair *first, *second;
    long number;
};

static const struct rh_field pair_fields[] = {
    RH_STRONG(struct pair, first),
    RH_STRONG(struct pair, second),
    RH_VALUE_INT(struct pair, number),
};
static const struct rh_type_spec pair_spec = RH_TYPE_SPEC("pair", struct pair, pair_fields);

struct rh_heap *heap;
struct rh_type *pair_type;
struct pair *top;         /* a declared root */
struct pair embedded_not; /* a struct that is no object */
void *null_pointer;
double real = 1.5;
static int signals, blocks;

__attribute__((noinline)) void pause_here(void)
{
    __asm__ volatile("" : : : "memory");
}

static void on_signal(int sig)
{
    (void)sig;
    signals++;
    pause_here();
}

static struct pair *make(long number)
{
    struct pair *p = rh_object_new(pair_type);
    p->number = number;
    return p;
}

/* Garbage, live objects, strings, a list: some of everything. */
static void fill(void)
{
    top = make(0);
    rh_root_add(heap, "top", &top);
    struct pair *last = top;
    for (int i = 1; i < 50; i++) {
        struct pair *p = make(i);
        rh_assign(&last->first, p);
        rh_assign(&p->second, top);
        rh_decref(p);
        last = p;
    }
    for (int i = 0; i < 20; i++) {
        struct pair *a = make(100 + i), *b = make(200 + i);
        rh_assign(&a->first, b);
        rh_assign(&b->first, a);
        rh_decref(a);
        rh_decref(b);
    }
}

__attribute__((noinline)) void use_malloc(void)
{
    for (int i = 0; i < 10; i++) {
        char *p = malloc(100 + (size_t)i);
        if (p)
            blocks++;
        free(p);
    }
}

__attribute__((noinline)) void allocate(int count)
{
    for (int i = 0; i < count; i++)
        rh_decref(make(1000 + i));
}

int main(void)
{
    struct rh_heap_options options = {.name = "the target"};
    if (rh_heap_create(&options, &heap, NULL) || rh_type_create(heap, &pair_spec, &pair_type, NULL))
        return 3;
    fill();
    pause_here();
    use_malloc();
    signal(SIGUSR1, on_signal);
    raise(SIGUSR1);
    allocate(100);
    size_t found = rh_collect(heap, RH_OLD);
    pause_here();
    rh_assign(&top->first, NULL);
    rh_root_remove(heap, &top);
    rh_decref(top);
    size_t later = rh_collect(heap, RH_OLD);
    printf("collected %zu and %zu, %d blocks, %d signals, %zu leaked\n", found, later, blocks, signals,
           rh_heap_destroy(heap));
    return 0;
}
