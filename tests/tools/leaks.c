/* leaks: takes references and never drops them, says "NAME ADDRESS" of each object, "ready PID", and waits for a line.
 *
 * Where the pointer is kept: in a global variable, an element of a static table, a thread's stack, a register's reach
 * (the same), nowhere. Besides, objects whose references all have a holder: in a field, in a declared root.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <refheap/refheap.h>

struct node {
    RH_OBJECT_HEAD;
    struct node *next;
};

static const struct rh_field fields[] = {RH_STRONG(struct node, next)};
static const struct rh_type_spec spec = RH_TYPE_SPEC("node", struct node, fields);

static struct rh_heap *heap;
static struct rh_type *type;
struct node *session_cache = (struct node *)8; /* in data */
struct {
    long number;
    struct node *entries[4];
} registry; /* in bss */
static struct node *declared;
static pthread_barrier_t barrier;

static struct node *make(const char *name)
{
    struct node *n = rh_object_new(type);
    printf("%s 0x%llx\n", name, (unsigned long long)(uintptr_t)n);
    return n;
}

__attribute__((noinline)) static void *serve(void *taken)
{
    struct node *volatile own = taken;
    pthread_barrier_wait(&barrier);
    for (;;)
        pause();
    return own;
}

__attribute__((noinline)) static void start(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, serve, make("stack"));
}

__attribute__((noinline)) static void lose(void)
{
    make("nowhere");
}

/* What earlier calls left below the stack pointer and above it is overwritten. */
__attribute__((noinline)) static void scrub(void)
{
    volatile char room[1 << 16];
    for (size_t i = 0; i < sizeof room; i++)
        room[i] = 1;
}

int main(void)
{
    char line[16];
    if (rh_heap_create(NULL, &heap, NULL) || rh_type_create(heap, &spec, &type, NULL))
        return 3;
    pthread_barrier_init(&barrier, NULL, 2);
    session_cache = make("global");
    registry.entries[2] = make("table");
    start();
    lose();
    declared = make("declared");
    rh_root_add(heap, "declared", &declared);
    declared->next = make("field");
    pthread_barrier_wait(&barrier);
    scrub();
    printf("ready %d\n", (int)getpid());
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) && line[0] == 'a')
        abort();
    return 0;
}
