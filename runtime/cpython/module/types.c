/* Types: read once, written once. */
#include "inside.h"

int inside_has_attributes(const struct py_type *type)
{
    return type->python_class && type->kind != PY_KIND_DICT && type->kind != PY_KIND_ORDERED_DICT;
}

static void write_type(struct inside *d, const struct py_type *type, uint32_t id)
{
    struct type_record r = {
        .id = id,
        .address = type->address,
        .basic_size = (uint64_t)type->basic_size,
        .item_size = (uint64_t)type->item_size,
        .heap = FORMAT_NONE,
    };
    long n = py_type_name(&d->world, type, d->text, sizeof d->text);
    r.name = n > 0 ? writer_string(d->writer, d->text, (size_t)n, INSIDE_TEXT_MAX) : 0;
    n = py_type_module(&d->world, type, d->text, sizeof d->text);
    r.module = n > 0 ? writer_string(d->writer, d->text, (size_t)n, INSIDE_TEXT_MAX) : 0;
    r.flags = (type->container ? TYPE_CONTAINER : 0) | (type->finalizer ? TYPE_FINALIZER : 0) |
              (type->legacy_finalizer ? TYPE_LEGACY_FINALIZER : 0) | (inside_has_attributes(type) ? TYPE_ATTRIBUTES : 0);
    writer_record(d->writer, SECTION_TYPES, &r);
}

/* A static type is there from the start and held by the library it stands in; nothing else may refer to it. */
static void write_static_type(struct inside *d, uint64_t address)
{
    struct py_root root = {.object = address, .kind = ROOT_RUNTIME, .counted = 1};
    root.label = PY_LABEL_C_STRING;
    root.number = word_at(address + PY_TP_NAME);
    inside_root(d, &root, FORMAT_NONE, FORMAT_NONE);
}

/* Where describe.h makes nothing of a type, what the collector needs of it. */
static void read_plainly(struct py_type *type, uint64_t address)
{
    *type = (struct py_type){
        .address = address,
        .flags = word_at(address + PY_TP_FLAGS),
        .traverse = word_at(address + PY_TP_TRAVERSE),
        .basic_size = (int64_t)word_at(address + PY_TP_BASICSIZE),
        .item_size = (int64_t)word_at(address + PY_TP_ITEMSIZE),
    };
    type->container = (type->flags & PY_FLAG_HAVE_GC) != 0;
}

const struct py_type *inside_type(struct inside *d, uint64_t object, uint32_t *id)
{
    uint64_t address = word_at(object + PY_TYPE);
    int added;
    uint64_t *known = id_map_at(&d->type_ids, address, &added);
    if (!known || (added && mapping_grow(&d->types, (d->type_count + 1) * sizeof(struct py_type)))) {
        d->out_of_memory = 1;
        return NULL;
    }
    if (added) {
        *id = d->type_count++;
        *known = (uint64_t)*id + 1;
        struct py_type *type = (struct py_type *)d->types.bytes + *id;
        if (py_type_read(&d->world, address, type))
            read_plainly(type, address);
        write_type(d, type, *id);
        if (!(type->flags & PY_FLAG_HEAPTYPE))
            write_static_type(d, address);
    } else {
        *id = (uint32_t)(*known - 1);
    }
    return (struct py_type *)d->types.bytes + *id;
}
