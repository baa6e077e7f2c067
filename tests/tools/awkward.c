/* awkward MODE DUMP: brings itself into a place where it is awkward to be stopped, and stays there or about there until
 * a line comes; then it goes on, and says at its end what it has done.
 *
 *   malloc     two threads in malloc and free all the time
 *   lock       waiting for a lock that another thread holds and does not give back
 *   collector  inside a collection, in a finalizer it runs
 *   handler    in a signal handler that came in the middle of reading
 *   altstack   the same on a stack of its own
 *   overflow   in the handler of a stack overflow; ends with status 7
 *   crash      before a stack overflow that nothing handles
 *   busy       collecting garbage all the time: anywhere in the collector
 *
 * Before that it dumps its heap to DUMP: a list of objects held by a declared root, pairs of garbage, and one object
 * that nothing holds but a variable of serve(), in whose frame all of this happens. It says "kept ADDRESS" of that one,
 * then "ready PID".
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <refheap/refheap.h>

struct node {
    RH_OBJECT_HEAD;
    struct node *next, *other;
    long number;
};

static const struct rh_field fields[] = {RH_STRONG(struct node, next), RH_STRONG(struct node, other),
                                         RH_VALUE_INT(struct node, number)};

static struct rh_heap *heap;
static struct rh_type *type;
static struct node *top;
static volatile sig_atomic_t wait_in_finalizer, finalized, handled, going_on;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t barrier;

/* Also in a handler. */
__attribute__((noinline)) static void wait_for_line(void)
{
    char byte = 0;
    while (byte != '\n' && read(STDIN_FILENO, &byte, 1) == 1)
        ;
}

static void finalize(struct rh_object *object)
{
    (void)object;
    if (finalized++ == 7 && wait_in_finalizer) {
        printf("ready %d\n", (int)getpid());
        fflush(stdout);
        wait_for_line();
    }
}

static struct node *make(long number)
{
    struct node *n = rh_object_new(type);
    if (!n)
        exit(3);
    n->number = number;
    return n;
}

static void make_garbage(int pairs)
{
    for (int i = 0; i < pairs; i++) {
        struct node *a = make(1000 + i), *b = make(2000 + i);
        rh_assign(&a->other, b);
        rh_assign(&b->other, a);
        rh_decref(a);
        rh_decref(b);
    }
}

static void fill(void)
{
    top = make(0);
    rh_root_add(heap, "top", &top);
    for (struct node *last = top; last->number < 99; last = last->next) {
        struct node *n = make(last->number + 1);
        rh_assign(&last->next, n);
        rh_assign(&n->other, top);
        rh_decref(n);
    }
    rh_collect(heap, RH_OLD);
    make_garbage(20);
}

static void ready(void)
{
    printf("ready %d\n", (int)getpid());
    fflush(stdout);
}

/* ---- the places ---- */

static void *use_malloc(void *unused)
{
    void *blocks[64] = {NULL};
    for (size_t i = 0; !going_on; i++) {
        free(blocks[i % 64]);
        blocks[i % 64] = malloc(i * 37 % 5000 + 1);
    }
    for (size_t i = 0; i < 64; i++)
        free(blocks[i]);
    return unused;
}

static void in_malloc(void)
{
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, use_malloc, NULL);
    ready();
    wait_for_line();
    going_on = 1;
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}

static void *hold_lock(void *unused)
{
    pthread_mutex_lock(&lock);
    pthread_barrier_wait(&barrier);
    ready();
    wait_for_line();
    pthread_mutex_unlock(&lock);
    return unused;
}

static void behind_a_lock(void)
{
    pthread_t thread;
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_create(&thread, NULL, hold_lock, NULL);
    pthread_barrier_wait(&barrier);
    pthread_mutex_lock(&lock);
    pthread_join(thread, NULL);
}

static void in_collector(void)
{
    wait_in_finalizer = 1;
    rh_collect(heap, RH_OLD);
}

static void on_signal(int sig)
{
    handled++;
    ready();
    wait_for_line();
    if (sig == SIGSEGV) {
        printf("overflown\n");
        fflush(stdout);
        _exit(7);
    }
}

static void in_handler(int sig, int flags)
{
    static char other_stack[1 << 16];
    stack_t stack = {.ss_sp = other_stack, .ss_size = sizeof other_stack};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};
    sigaltstack(&stack, NULL);
    sigaction(sig, &action, NULL);
    if (sig == SIGUSR1)
        raise(sig);
}

__attribute__((noinline)) static long descend(volatile long *above)
{
    volatile long here[64] = {*above + 1};
    return going_on ? 0 : descend(here) + here[0];
}

static void *order_stop(void *unused)
{
    wait_for_line();
    going_on = 1;
    return unused;
}

static void all_the_time(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, order_stop, NULL);
    ready();
    while (!going_on) {
        make_garbage(50);
        rh_collect(heap, RH_OLD);
    }
    pthread_join(thread, NULL);
}

__attribute__((noinline)) static long serve(const char *mode, struct node *taken)
{
    struct node *volatile kept = taken;
    taken = NULL;
    volatile long zero = 0;
    if (!strcmp(mode, "malloc"))
        in_malloc();
    else if (!strcmp(mode, "lock"))
        behind_a_lock();
    else if (!strcmp(mode, "collector"))
        in_collector();
    else if (!strcmp(mode, "handler"))
        in_handler(SIGUSR1, 0);
    else if (!strcmp(mode, "altstack"))
        in_handler(SIGUSR1, SA_ONSTACK);
    else if (!strcmp(mode, "busy"))
        all_the_time();
    else if (!strcmp(mode, "overflow")) {
        in_handler(SIGSEGV, SA_ONSTACK);
        zero = descend(&zero);
    } else if (!strcmp(mode, "crash")) {
        ready();
        wait_for_line();
        zero = descend(&zero);
    }
    return kept->number + zero;
}

/* Nothing of the address is left outside serve(). */
__attribute__((noinline)) static struct node *make_kept(void)
{
    struct node *kept = make(500);
    printf("kept 0x%llx\n", (unsigned long long)(uintptr_t)kept);
    return kept;
}

int main(int argc, char **argv)
{
    struct rh_type_spec spec = RH_TYPE_SPEC("node", struct node, fields);
    struct rh_error err;
    spec.finalize = finalize;
    if (argc != 3 || rh_heap_create(NULL, &heap, &err) || rh_type_create(heap, &spec, &type, &err))
        return 2;
    rh_disable(heap);
    fill();
    struct node *kept = make_kept();
    if (rh_dump(argv[2], 0, &err))
        return 1;
    long number = serve(argv[1], kept);
    size_t found = rh_collect(heap, RH_OLD);
    rh_root_remove(heap, &top);
    rh_decref(top);
    printf("number %ld, %d handled, then %zu found, ", number, (int)handled, strcmp(argv[1], "busy") ? found : 0);
    printf("%zu leaked\n", rh_heap_destroy(heap));
    return 0;
}
