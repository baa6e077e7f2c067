/* A finalizer in a cycle: two files that hold each other are only closed when the collector comes by. Their finalizers
 * run once, while both are still whole; that is why the order does not matter (PEP 442). */
#include "sample.h"

struct file {
    RH_OBJECT_HEAD;
    struct file *copy_of; /* the file this one mirrors */
    struct file *mirror;
    const char *name;
    int open;
};

static const struct rh_field file_fields[] = {
    RH_STRONG(struct file, copy_of),
    RH_STRONG(struct file, mirror),
    RH_VALUE_CSTRING(struct file, name),
};

static void file_finalize(struct rh_object *object)
{
    struct file *file = (struct file *)object, *other = file->mirror ? file->mirror : file->copy_of;
    file->open = 0;
    printf("Closed %s; %s is %s.\n", file->name, other->name, other->open ? "still open" : "closed already");
}

int main(int argc, char **argv)
{
    struct rh_heap *heap = sample_heap("finalizer in a cycle");
    struct rh_type_spec spec = RH_TYPE_SPEC("file", struct file, file_fields);
    spec.finalize = file_finalize;
    struct rh_type *type = sample_type(heap, &spec);
    struct file *log = sample_need(rh_object_new(type)), *mirror = sample_need(rh_object_new(type));
    log->name = "app.log";
    mirror->name = "mirror.log";
    log->open = mirror->open = 1;
    rh_assign(&log->mirror, mirror);
    rh_assign(&mirror->copy_of, log);
    rh_decref(log);
    rh_decref(mirror);
    printf("Dropped app.log and its mirror: both are still open.\n");

    int status = sample_end(heap, argc, argv);
    printf("%zu objects leaked.\n", rh_heap_destroy(heap));
    return status;
}
