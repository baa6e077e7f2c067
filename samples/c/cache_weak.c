/* The cache of cache_strong.c, holding its images weakly: an image lives as long as somebody uses it. */
#include <string.h>

#include "sample.h"

static struct rh_object *cache;

/* The image is gone: so is its entry. `name` is what the weak reference was made with. */
static void forget(struct rh_object *weakref, struct rh_object *name)
{
    (void)weakref;
    rh_dict_remove(cache, name);
}

static struct rh_object *load_image(struct rh_heap *heap, struct rh_object *image_class, int number)
{
    char text[32];
    snprintf(text, sizeof text, "photo%d.png", number);
    struct rh_object *known = rh_dict_get_text(cache, text);
    struct rh_object *image = known ? rh_weakref_get(known) : NULL;
    if (image)
        return image;
    image = sample_need(rh_instance_new(image_class));
    struct rh_object *pixels = sample_need(rh_bytes_new(heap, text, strlen(text)));
    rh_attr_set(image, "pixels", pixels);
    rh_decref(pixels);

    struct rh_object *name = sample_need(rh_str(heap, text));
    struct rh_object *weakref = sample_need(rh_weakref_new(image, forget, name));
    rh_dict_set(cache, name, weakref);
    rh_decref(name);
    rh_decref(weakref);
    return image;
}

int main(int argc, char **argv)
{
    struct rh_heap *heap = sample_heap("cache with weak references");
    struct rh_object *image_class = sample_need(rh_class_new(heap, "Image", NULL));
    cache = sample_need(rh_dict_new(heap));
    rh_root_add(heap, "cache", &cache);
    rh_root_add(heap, "Image", &image_class);

    struct rh_object *kept = load_image(heap, image_class, 0);
    rh_root_add(heap, "current image", &kept);
    for (int i = 1; i < 100; i++)
        rh_decref(load_image(heap, image_class, i));
    printf("Showed 100 images and kept one on the screen; %zu is still in the cache.\n", rh_dict_length(cache));

    int status = sample_end(heap, argc, argv);
    rh_root_remove(heap, &kept);
    rh_root_remove(heap, &image_class);
    rh_decref(kept);
    rh_root_remove(heap, &cache);
    rh_decref(cache);
    rh_decref(image_class);
    printf("%zu objects leaked.\n", rh_heap_destroy(heap));
    return status;
}
