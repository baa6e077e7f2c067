/* dumper OBJECTS PATH [COUNT]: dumps a heap to PATH again and again (or COUNT times), saying `dumped` or the error
 * after each. To be killed at any moment, or to find its disk full or its reader gone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <refheap/refheap.h>

int main(int argc, char **argv)
{
    struct rh_heap *heap;
    struct rh_error err;
    if (argc < 3 || rh_heap_create(NULL, &heap, &err))
        return 2;
    struct rh_object *list = rh_list_new(heap);
    for (long i = strtol(argv[1], NULL, 10); i > 0; i--) {
        struct rh_object *item = rh_list_new(heap);
        rh_list_append(item, list);
        rh_list_append(list, item);
        rh_decref(item);
    }
    for (long n = argc > 3 ? strtol(argv[3], NULL, 10) : -1; n; n--) {
        int status = rh_dump(argv[2], 0, &err);
        fprintf(stderr, "%s\n", status ? strerror(err.os_error) : "dumped");
    }
    return 0;
}
