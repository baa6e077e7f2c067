/* deep overflow|lock: a program that has run out of stack, or whose other thread holds a lock and stands inside malloc. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <refheap/refheap.h>

struct rh_heap *heap;
struct rh_object *list;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile int wanted = 1, held;

__attribute__((noinline)) void holding_the_lock(void)
{
    __asm__ volatile("" : : : "memory");
}

static void *hold(void *unused)
{
    while (wanted) {
        pthread_mutex_lock(&lock);
        held++;
        holding_the_lock();
        free(malloc(1000));
        pthread_mutex_unlock(&lock);
    }
    return unused;
}

/* Deeper than any stack is. */
__attribute__((noinline)) static long dig(long depth)
{
    volatile char room[1000];
    room[depth % 1000] = 1;
    return depth < 0 ? 0 : dig(depth + 1) + room[0];
}

int main(int argc, char **argv)
{
    pthread_t thread;
    if (argc < 2 || rh_heap_create(NULL, &heap, NULL))
        return 3;
    list = rh_list_new(heap);
    rh_root_add(heap, "list", &list);
    for (int i = 0; i < 10; i++)
        rh_list_put(list, rh_int_new(heap, i));
    if (!strcmp(argv[1], "overflow"))
        return (int)dig(1);
    if (pthread_create(&thread, NULL, hold, NULL))
        return 3;
    while (held < 3) {
        pthread_mutex_lock(&lock);
        pthread_mutex_unlock(&lock);
    }
    wanted = 0;
    pthread_join(thread, NULL);
    rh_root_remove(heap, &list);
    rh_decref(list);
    printf("leaked %zu\n", rh_heap_destroy(heap));
    return 0;
}
