/* A cache without weak references: what nobody uses any more stays, since the cache itself uses it. cache_weak.c is
 * the same program with the one difference that matters.
 */
#include <string.h>

#include "sample.h"

static struct rh_object *cache;

static struct rh_object *load_image(struct rh_heap *heap, struct rh_object *image_class, int number)
{
    char name[32];
    snprintf(name, sizeof name, "photo%d.png", number);
    struct rh_object *image = rh_dict_get_text(cache, name);
    if (image) {
        rh_incref(image);
        return image;
    }
    image = sample_need(rh_instance_new(image_class));
    struct rh_object *pixels = sample_need(rh_bytes_new(heap, name, strlen(name)));
    rh_attr_set(image, "pixels", pixels);
    rh_decref(pixels);
    rh_dict_set_text(cache, name, image);
    return image;
}

int main(int argc, char **argv)
{
    struct rh_heap *heap = sample_heap("cache without weak references");
    struct rh_object *image_class = sample_need(rh_class_new(heap, "Image", NULL));
    cache = sample_need(rh_dict_new(heap));
    rh_root_add(heap, "cache", &cache);
    rh_root_add(heap, "Image", &image_class);

    for (int i = 0; i < 100; i++)
        rh_decref(load_image(heap, image_class, i)); /* shown, and no longer needed */
    printf("Showed 100 images, one after the other; %zu are still in the cache.\n", rh_dict_length(cache));

    int status = sample_end(heap, argc, argv);
    rh_root_remove(heap, &cache);
    rh_root_remove(heap, &image_class);
    rh_decref(cache);
    rh_decref(image_class);
    printf("%zu objects leaked.\n", rh_heap_destroy(heap));
    return status;
}
