/* A small language's runtime: frames with local variables, closures over cells, classes, exceptions with tracebacks. */
#include "clean.h"

struct function {
    RH_OBJECT_HEAD;
    struct rh_object *name;
    struct rh_object *cell; /* what it closes over */
    struct rh_object *(*code)(struct function *self, struct rh_object *frame, long argument);
};

static const struct rh_field function_fields[] = {RH_STRONG(struct function, name), RH_STRONG(struct function, cell)};
static const struct rh_type_spec function_spec = RH_TYPE_SPEC("function", struct function, function_fields);

static struct rh_heap *heap;
static struct rh_type *function_type;
static struct rh_object *globals;
static struct rh_object *raised; /* the exception on its way, or NULL */

static struct rh_object *call(struct function *f, struct rh_object *back, long argument)
{
    struct rh_object *frame = need(rh_frame_new(heap, rh_str_text(f->name), back));
    if (rh_dict_put(rh_frame_locals(frame), "argument", rh_int_new(heap, argument)))
        exit(2);
    clean_point();
    struct rh_object *result = f->code(f, frame, argument);
    if (raised && rh_exception_pass(raised, frame, (int)argument))
        exit(2);
    rh_decref(frame);
    return result;
}

static struct function *global_function(const char *name)
{
    return rh_dict_get_text(globals, name);
}

/* counter(n): adds to what it closes over. */
static struct rh_object *run_counter(struct function *self, struct rh_object *frame, long argument)
{
    struct rh_object *sum = need(rh_int_new(heap, rh_int_value(rh_cell_get(self->cell)) + argument));
    (void)frame;
    rh_cell_set(self->cell, sum);
    clean_point();
    return sum;
}

/* fib(n) by recursion, with its locals in the frame. */
static struct rh_object *run_fib(struct function *self, struct rh_object *frame, long argument)
{
    (void)self;
    if (argument < 2)
        return need(rh_int_new(heap, argument));
    struct rh_object *a = call(global_function("fib"), frame, argument - 1);
    struct rh_object *b = call(global_function("fib"), frame, argument - 2);
    struct rh_object *sum = need(rh_int_new(heap, rh_int_value(a) + rh_int_value(b)));
    if (rh_dict_set_text(rh_frame_locals(frame), "sum", sum))
        exit(2);
    rh_decref(a);
    rh_decref(b);
    return sum;
}

/* fail(n) calls itself n times, and raises. */
static struct rh_object *run_fail(struct function *self, struct rh_object *frame, long argument)
{
    if (argument)
        return call(self, frame, argument - 1);
    raised = need(rh_exception_new(heap, "ValueError", "no more to take away"));
    clean_point();
    return NULL;
}

static void define(const char *name, struct rh_object *cell,
                   struct rh_object *(*code)(struct function *, struct rh_object *, long))
{
    struct function *f = need(rh_object_new(function_type));
    f->name = need(rh_str(heap, name));
    f->code = code;
    rh_assign(&f->cell, cell);
    if (rh_dict_put(globals, name, f))
        exit(2);
}

static void use_classes(void)
{
    struct rh_object *shape = need(rh_class_new(heap, "shape", NULL)),
                     *circle = need(rh_class_new(heap, "circle", shape));
    for (long i = 0; i < 20; i++) {
        struct rh_object *one = need(rh_instance_new(circle));
        if (rh_attr_put(one, "radius", rh_int_new(heap, i)) || rh_attr_set(one, "like", one))
            exit(2);
        clean_point();
        rh_decref(one); /* to the collector */
    }
    rh_decref(circle);
    rh_decref(shape);
}

int main(int argc, char **argv)
{
    long total = 0;
    clean_begin(argc, argv);
    heap = clean_heap("interpreter");
    function_type = clean_type(heap, &function_spec);
    globals = need(rh_dict_new(heap));
    rh_root_add(heap, "globals", &globals);
    rh_root_add(heap, "raised", &raised);
    struct rh_object *zero = need(rh_int_new(heap, 0)), *cell = need(rh_cell_new(heap, zero));
    define("counter", cell, run_counter);
    define("again", cell, run_counter);
    define("fib", NULL, run_fib);
    define("fail", NULL, run_fail);
    rh_decref(cell);
    rh_decref(zero);
    for (long i = 0; i < 25; i++) {
        struct rh_object *n = call(global_function(i % 2 ? "counter" : "again"), NULL, i);
        struct rh_object *fib = call(global_function("fib"), NULL, i % 7);
        total += rh_int_value(n) + rh_int_value(fib);
        rh_decref(n);
        rh_decref(fib);
        if (!call(global_function("fail"), NULL, i % 5)) {
            clean_point();
            rh_assign(&raised, NULL);
        }
        use_classes();
    }
    printf("total %ld\n", total);
    rh_root_remove(heap, &raised);
    rh_root_remove(heap, &globals);
    rh_decref(globals);
    return clean_end(heap);
}
