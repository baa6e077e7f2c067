// A C++ program that uses the library through its C headers.
#include <cstdint>
#include <cstdio>

#include <refheap/refheap.h>

struct Node {
    RH_OBJECT_HEAD;
    Node *next;
    Node **children;
    unsigned child_count;
    rh_weak parent;
    const char *name;
};

struct Entry {
    const char *key;
    rh_object *value;
};

struct Table {
    RH_OBJECT_HEAD;
    Entry *entries;
    std::size_t capacity;
    std::uintptr_t tagged;
    rh_object *pair[2];
};

static const rh_field node_fields[] = {
    RH_STRONG(Node, next),
    RH_ARRAY(Node, children, child_count),
    RH_WEAK(Node, parent),
    RH_VALUE_CSTRING(Node, name),
};
static const rh_field table_fields[] = {
    RH_TABLE(Table, entries, capacity, Entry, key, value, RH_FIELD_VALUES, 0, 1),
    RH_TAGGED(Table, tagged, 7, 1),
    RH_FIXED_ARRAY(Table, pair),
};
static const rh_type_spec node_spec = RH_TYPE_SPEC("Node", Node, node_fields);
static const rh_type_spec table_spec = RH_TYPE_SPEC("Table", Table, table_fields);

int main(int argc, char **argv)
{
    rh_error err;
    rh_heap *heap;
    rh_type *node_type, *table_type;
    if (argc < 2 || rh_heap_create(nullptr, &heap, &err) || rh_type_create(heap, &node_spec, &node_type, &err) ||
        rh_type_create(heap, &table_spec, &table_type, &err)) {
        std::fprintf(stderr, "%s\n", err.what);
        return 2;
    }
    Node *a = static_cast<Node *>(rh_object_new(node_type)), *b = static_cast<Node *>(rh_object_new(node_type));
    rh_decref(RH_AT(rh_list_new(heap)));
    rh_attr_put(a, "next", rh_object_new(node_type));
    a->name = "a";
    b->name = "b";
    rh_assign(&a->next, b);
    rh_assign(&b->next, a);
    rh_weak_set(&b->parent, a);
    rh_decref(a);
    rh_decref(b);
    if (rh_dump(argv[1], 0, &err)) {
        std::fprintf(stderr, "%s\n", err.what);
        return 2;
    }
    return rh_collect(heap, RH_OLD) == 2 && rh_heap_destroy(heap) == 0 ? 0 : 1;
}
