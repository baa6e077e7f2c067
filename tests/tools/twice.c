/* twice LIBRARY: two copies of librefheap in one process, its own and LIBRARY, each with a heap and three objects. Says
 * "ready PID" and waits for a line. */
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

#include <refheap/refheap.h>

static const struct rh_type_spec spec = {.name = "thing", .size = sizeof(struct rh_object)};

typedef int create_function(const struct rh_heap_options *options, struct rh_heap **heap, struct rh_error *err);
typedef int type_function(struct rh_heap *heap, const struct rh_type_spec *spec, struct rh_type **type,
                          struct rh_error *err);
typedef void *new_function(struct rh_type *type);

static int fill(create_function *create, type_function *make_type, new_function *make, const char *name)
{
    struct rh_heap_options options = {.name = name};
    struct rh_heap *heap;
    struct rh_type *type;
    if (create(&options, &heap, NULL) || make_type(heap, &spec, &type, NULL))
        return -1;
    for (int i = 0; i < 3; i++)
        if (!make(type))
            return -1;
    return 0;
}

int main(int argc, char **argv)
{
    char line[16];
    void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    if (!library) {
        fprintf(stderr, "%s\n", argc == 2 ? dlerror() : "name the library");
        return 2;
    }
    if (fill(rh_heap_create, rh_type_create, rh_object_new, "own") ||
        fill((create_function *)dlsym(library, "rh_heap_create"), (type_function *)dlsym(library, "rh_type_create"),
             (new_function *)dlsym(library, "rh_object_new"), "loaded"))
        return 3;
    printf("ready %d\n", (int)getpid());
    fflush(stdout);
    return fgets(line, sizeof line, stdin) == NULL;
}
