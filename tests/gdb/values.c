/* Objects of every kind there is, to be printed. */
#include <refheap/refheap.h>

struct connection {
    RH_OBJECT_HEAD;
    struct connection *peer;
    struct rh_object *tags;
    struct rh_weak parent, nobody;
    const char *name;
    struct rh_object *pair[2];
};

static const struct rh_field connection_fields[] = {
    RH_STRONG(struct connection, peer), RH_STRONG(struct connection, tags),       RH_WEAK(struct connection, parent),
    RH_WEAK(struct connection, nobody), RH_VALUE_CSTRING(struct connection, name), RH_FIXED_ARRAY(struct connection, pair),
};
static const struct rh_type_spec connection_spec = RH_TYPE_SPEC("connection", struct connection, connection_fields);

/* The program's own, with the name of nothing of the library's but the beginning. */
struct rh_object_of_mine {
    int number;
};

struct rh_heap *heap;
struct connection *conn;
struct rh_object *text, *empty, *long_text, *number, *none, *yes, *real, *bytes, *tuple, *list, *dict, *set, *cell, *klass,
    *instance, *frame, *exception, *weakref, *in_itself, *many, *as_object, *nowhere;
struct rh_object_of_mine mine = {7};
struct rh_object no_object;

__attribute__((noinline)) void pause_here(void)
{
    __asm__ volatile("" : : : "memory");
}

static void make_containers(void)
{
    list = rh_list_new(heap);
    rh_list_append(list, text);
    rh_list_append(list, number);
    rh_list_append(list, none);
    dict = rh_dict_new(heap);
    rh_dict_put(dict, "one", rh_int_new(heap, 1));
    rh_dict_put(dict, "removed", rh_int_new(heap, 2));
    rh_dict_set_text(dict, "list", list);
    rh_dict_set(dict, number, yes);
    rh_dict_set_text(dict, "removed", none);
    rh_dict_put(dict, "last", rh_float_new(heap, 0.25));
    set = rh_set_new(heap);
    rh_set_put(set, rh_str(heap, "a"));
    rh_set_put(set, rh_int_new(heap, 7));
    tuple = rh_tuple_new(heap, 2);
    rh_tuple_set(tuple, 0, text);
    in_itself = rh_list_new(heap);
    rh_list_append(in_itself, in_itself);
    rh_list_append(in_itself, dict);
    many = rh_list_new(heap);
    for (int i = 0; i < 1000; i++)
        rh_list_put(many, rh_int_new(heap, i));
}

int main(void)
{
    static const char a_thousand[1000] = {[0 ... 998] = 'x'};
    struct rh_type *type;
    if (rh_heap_create(NULL, &heap, NULL) || rh_type_create(heap, &connection_spec, &type, NULL))
        return 3;
    text = rh_str(heap, "say \"hello\",\n\xc3\xa9");
    empty = rh_str(heap, "");
    long_text = rh_str(heap, a_thousand);
    number = rh_int_new(heap, -42);
    none = rh_none(heap);
    yes = rh_bool(heap, 1);
    real = rh_float_new(heap, 1.5);
    bytes = rh_bytes_new(heap, "a\0b\xff", 4);
    make_containers();
    cell = rh_cell_new(heap, text);
    klass = rh_class_new(heap, "Account", NULL);
    instance = rh_instance_new(klass);
    rh_attr_put(instance, "owner", rh_str(heap, "Ada"));
    rh_attr_put(instance, "balance", rh_int_new(heap, 12));
    frame = rh_frame_new(heap, "serve", NULL);
    exception = rh_exception_new(heap, "ValueError", "bad");
    conn = rh_object_new(type);
    conn->name = "client";
    conn->peer = conn;
    conn->tags = list;
    rh_incref(conn);
    rh_incref(list);
    rh_weak_set(&conn->parent, conn);
    weakref = rh_weakref_new(conn, NULL, NULL);
    as_object = (struct rh_object *)conn;
    pause_here();
    return 0;
}
