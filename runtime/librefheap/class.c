/* class and instance.
 *
 * Each class has a type of its own for its instances, so that they show up under its name. An instance keeps its class
 * until it is freed itself: it cannot be freed without its type.
 */
#include <string.h>

#include "class.h"
#include "table.h"

struct class_object {
    RH_OBJECT_HEAD;
    struct rh_object *name;
    struct class_object *base;
    struct table table;
    struct rh_type *instance_type;
};

struct instance_object {
    RH_OBJECT_HEAD;
    struct class_object *klass;
    struct table table;
};

static const struct rh_field class_fields[] = {
    RH_STRONG(struct class_object, name),
    RH_STRONG(struct class_object, base),
    TABLE_FIELDS(struct class_object, TABLE_ATTRIBUTES),
};
static const struct rh_field instance_fields[] = {
    {"class", RH_FIELD_STRONG, RH_FIELD_KEPT, 0, 0, RH_OFFSET(struct instance_object, klass), 0, 0, 0, 0, 0, 0, 0},
    TABLE_FIELDS(struct instance_object, TABLE_ATTRIBUTES),
};

static void class_clear(struct rh_object *object)
{
    table_clear(object->type->heap, &((struct class_object *)object)->table);
}

static void instance_clear(struct rh_object *object)
{
    table_clear(object->type->heap, &((struct instance_object *)object)->table);
}

/* The last instance is gone: each held a reference to the class. */
static void class_release(struct rh_object *object)
{
    struct class_object *klass = (struct class_object *)object;
    if (object->type->heap->destroying || !klass->instance_type)
        return;
    type_unregister(klass->instance_type);
    type_destroy(klass->instance_type);
}

int classes_create(struct rh_heap *heap, struct rh_error *err)
{
    struct rh_type_spec spec = RH_TYPE_SPEC("class", struct class_object, class_fields);
    spec.release = class_release;
    int status = rh_type_create(heap, &spec, &heap->builtins[RH_TYPE_CLASS], err);
    if (!status)
        heap->builtins[RH_TYPE_CLASS]->clear = class_clear;
    return status;
}

struct rh_object *rh_class_new(struct rh_heap *heap, const char *name, struct rh_object *base)
{
    struct rh_type_spec spec = RH_TYPE_SPEC(name, struct instance_object, instance_fields);
    struct class_object *klass = rh_object_new(heap->builtins[RH_TYPE_CLASS]);
    if (!klass)
        return NULL;
    klass->name = name_get(heap, name, strlen(name), 1);
    rh_xincref(base);
    klass->base = (struct class_object *)base;
    if (!klass->name || rh_type_create(heap, &spec, &klass->instance_type, NULL)) {
        rh_decref(klass);
        return NULL;
    }
    klass->instance_type->clear = instance_clear;
    return &klass->object;
}

struct rh_object *rh_instance_new(struct rh_object *object)
{
    struct class_object *klass = (struct class_object *)object;
    struct instance_object *instance = rh_object_new(klass->instance_type);
    if (!instance)
        return NULL;
    rh_incref(klass);
    instance->klass = klass;
    return &instance->object;
}

static struct class_object *as_class(const struct rh_object *object)
{
    int is_class = object->type == object->type->heap->builtins[RH_TYPE_CLASS];
    return is_class ? (struct class_object *)(uintptr_t)object : NULL;
}

/* The class of an instance, NULL for any other object. */
static struct class_object *class_of(const struct rh_object *object)
{
    int is_instance = object->type->fields && object->type->kept && object->type->clear == instance_clear;
    return is_instance ? ((const struct instance_object *)object)->klass : NULL;
}

struct table *class_attributes(const struct rh_object *object)
{
    struct class_object *klass = as_class(object);
    if (klass)
        return &klass->table;
    return class_of(object) ? &((struct instance_object *)(uintptr_t)object)->table : NULL;
}

struct rh_object *class_lookup(const struct rh_object *object, const char *name)
{
    const struct class_object *klass = as_class(object);
    size_t length = strlen(name);
    for (klass = klass ? klass->base : class_of(object); klass; klass = klass->base) {
        const struct entry *entry = table_find_text(&klass->table, name, length);
        if (entry)
            return entry->value;
    }
    return NULL;
}

int rh_is_instance(const void *object, const struct rh_object *wanted)
{
    for (const struct class_object *klass = class_of(object); klass; klass = klass->base)
        if (&klass->object == wanted)
            return 1;
    return 0;
}
